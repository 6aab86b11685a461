//! `--name value` pairs after a command.

use std::collections::BTreeMap;

use crate::Failure;

/// The options of a command.
#[derive(Debug)]
pub struct Options<'a>(BTreeMap<&'a str, &'a str>);

impl<'a> Options<'a> {
    /// Reads pairs of these known names, in any order; an error ends with `usage`.
    pub fn read(arguments: &[&'a str], known: &[&str], usage: &str) -> Result<Self, Failure> {
        let mut options = BTreeMap::new();
        for pair in arguments.chunks(2) {
            let [name, value] = pair else {
                return Err(format!("{} has no value; {usage}", pair.concat()).into());
            };
            if !known.contains(name) {
                return Err(format!("unknown option {name}; {usage}").into());
            }
            options.insert(*name, *value);
        }
        Ok(Self(options))
    }

    /// The value of an option.
    pub fn get(&self, name: &str) -> Option<&'a str> {
        self.0.get(name).copied()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn options_are_read_in_any_order_and_wrong_ones_named() {
        let known = ["--id", "--url"];
        let options = Options::read(&["--url", "http://x/", "--id", "1"], &known, "").unwrap();
        assert_eq!((options.get("--id"), options.get("--url")), (Some("1"), Some("http://x/")));
        assert_eq!(Options::read(&[], &known, "").unwrap().get("--id"), None);
        for wrong in [&["--file", "x"][..], &["--id"], &["x", "y"]] {
            let error = Options::read(wrong, &known, "write it so").unwrap_err().to_string();
            assert!(error.contains(wrong[0]) && error.ends_with("write it so"), "{error}");
        }
    }
}
