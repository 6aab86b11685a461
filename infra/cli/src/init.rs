//! `placet init`: a commented `placet.yaml`.

use std::fs::OpenOptions;
use std::io::{ErrorKind, Write as _};

use crate::{Failure, environment, say};

const COMMENTED: &str = include_str!("init.yaml");

pub fn run() -> Result<(), Failure> {
    let file = environment::config_file(&environment::load()?);
    let opened = OpenOptions::new().write(true).create_new(true).open(&file);
    let mut opened = opened.map_err(|error| match error.kind() {
        ErrorKind::AlreadyExists => format!("{file} exists already: nothing is written"),
        _ => format!("{file} cannot be written: {error}"),
    })?;
    opened.write_all(COMMENTED.as_bytes())?;
    say(format!("{file} is written. Read it, then run `placet check` and `placet dev`."));
    Ok(())
}

#[cfg(test)]
mod tests {
    use placet_runtime::Config;

    use super::*;

    #[test]
    fn the_file_and_its_examples_are_correct() {
        let plain = Config::parse(COMMENTED).unwrap();
        assert_eq!((plain.operations().count(), plain.endpoints().count()), (0, 0));
        let example = |line: &'static str| match line.strip_prefix('#') {
            Some(rest) if rest.starts_with("  ") || !rest.starts_with(' ') => rest,
            _ => line,
        };
        let with_examples: Vec<&str> = COMMENTED.lines().map(example).collect();
        let config = Config::parse(&with_examples.join("\n")).unwrap();
        assert!(config.plan("refund_payment").is_some() && config.source("shop").is_some());
        assert!(config.endpoint("default", "billing").is_some());
        assert!(config.channel("default", 17).is_some());
        assert!(config.projects().any(|project| project == "team-a"));
    }
}
