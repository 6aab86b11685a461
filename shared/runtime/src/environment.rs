use std::collections::BTreeMap;
use std::sync::Arc;

/// Environment variables: those of the process, or what stands in for them locally and in tests.
///
/// It may hold secrets, so it can not be printed.
#[derive(Clone, Default)]
pub struct Environment(Arc<BTreeMap<String, String>>);

impl Environment {
    /// The variables of this process that are valid Unicode, over those in `PLACET_SECRETS`.
    pub fn process() -> Self {
        let pairs = std::env::vars_os();
        let own: Self = pairs
            .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
            .collect();
        own.with_secrets()
    }

    /// These variables over those that `PLACET_SECRETS` lists as `NAME=value`, separated by white
    /// space: a deployment hands over any number of secrets in one. A word that starts with no name
    /// belongs to the value before it.
    pub fn with_secrets(self) -> Self {
        let list = self.get("PLACET_SECRETS").unwrap_or_default();
        let mut listed: Vec<(String, String)> = Vec::new();
        let is_name = |text: &str| {
            let allowed =
                |byte: u8| byte.is_ascii_uppercase() || byte.is_ascii_digit() || byte == b'_';
            !text.is_empty() && text.bytes().all(allowed)
        };
        for word in list.split_whitespace() {
            match (word.split_once('='), listed.last_mut()) {
                (Some((name, value)), _) if is_name(name) => {
                    listed.push((name.to_owned(), value.to_owned()));
                }
                (_, Some((_, before))) => {
                    before.push(' ');
                    before.push_str(word);
                }
                (_, None) => {}
            }
        }
        self.over(&listed.into_iter().collect())
    }

    /// The value of a variable; one that is set to nothing counts as not set.
    pub fn get(&self, name: &str) -> Option<String> {
        self.0.get(name).filter(|value| !value.is_empty()).cloned()
    }

    /// These variables over those of `defaults`.
    #[must_use]
    pub fn over(&self, defaults: &Self) -> Self {
        let pairs = defaults.0.iter().chain(self.0.iter());
        pairs.map(|(name, value)| (name.clone(), value.clone())).collect()
    }
}

impl FromIterator<(String, String)> for Environment {
    fn from_iter<I: IntoIterator<Item = (String, String)>>(pairs: I) -> Self {
        Self(Arc::new(pairs.into_iter().collect()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_may_come_in_one_variable_and_do_not_replace_their_own() {
        let own = [("PLACET_SECRETS", "lost A=1\n B=x=y  D=It's a Secret"), ("A", "2")];
        let own = own.map(|(name, value)| (name.to_owned(), value.to_owned()));
        let environment = own.into_iter().collect::<Environment>().with_secrets();
        assert_eq!(environment.get("A").as_deref(), Some("2"));
        assert_eq!(environment.get("B").as_deref(), Some("x=y"));
        assert_eq!(environment.get("D").as_deref(), Some("It's a Secret"));
    }
}
