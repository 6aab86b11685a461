use std::collections::BTreeMap;
use std::sync::Arc;

/// Environment variables: those of the process, or a replacement for the local system and tests.
///
/// An empty variable counts as not set, because a template passes an unset parameter as an empty variable.
/// The variables may contain secrets, so this type has no `Debug`.
#[derive(Clone, Default)]
pub struct Environment(Arc<BTreeMap<String, String>>);

impl Environment {
    /// The variables of this process that are valid Unicode. They take precedence over those in
    /// `PLACET_SECRETS`.
    pub fn process() -> Self {
        let pairs = std::env::vars_os();
        let own: Self = pairs
            .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
            .collect();
        own.with_secrets()
    }

    /// These variables, which take precedence, and those that `PLACET_SECRETS` lists as `NAME=value`,
    /// separated by white space. So a deployment can pass any number of secrets in one variable. A word that
    /// does not start with `NAME=` belongs to the value before it.
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

    /// The value of a variable; never an empty one.
    pub fn get(&self, name: &str) -> Option<String> {
        self.0.get(name).cloned()
    }

    /// These variables, and those of `defaults` that are not set here.
    #[must_use]
    pub fn over(&self, defaults: &Self) -> Self {
        let pairs = defaults.0.iter().chain(self.0.iter());
        pairs.map(|(name, value)| (name.clone(), value.clone())).collect()
    }
}

impl FromIterator<(String, String)> for Environment {
    fn from_iter<I: IntoIterator<Item = (String, String)>>(pairs: I) -> Self {
        Self(Arc::new(pairs.into_iter().filter(|(_, value)| !value.is_empty()).collect()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn environment(pairs: &[(&str, &str)]) -> Environment {
        pairs.iter().map(|&(name, value)| (name.to_owned(), value.to_owned())).collect()
    }

    #[test]
    fn an_empty_variable_counts_as_not_set() {
        let own = environment(&[("A", ""), ("B", "2")]);
        assert_eq!(own.get("A"), None);
        let both = own.over(&environment(&[("A", "1"), ("B", "1"), ("C", "")]));
        assert_eq!(both.get("A").as_deref(), Some("1"));
        assert_eq!(both.get("B").as_deref(), Some("2"));
        assert_eq!(both.get("C"), None);
        // The last of two values of a name counts, unless it is empty.
        assert_eq!(environment(&[("A", "1"), ("A", "")]).get("A").as_deref(), Some("1"));
    }

    /// `template.yaml` passes both variables to the webhook function. Its own variable is empty by default.
    #[test]
    fn an_empty_parameter_does_not_hide_the_secret_in_the_list() {
        let listed = "PLACET_SECRET_HUMANLAYER=whsec_a PLACET_SECRET_GITHUB=";
        let deployed = [("PLACET_SECRET_HUMANLAYER", ""), ("PLACET_SECRETS", listed)];
        let deployed = environment(&deployed).with_secrets();
        assert_eq!(deployed.get("PLACET_SECRET_HUMANLAYER").as_deref(), Some("whsec_a"));
        assert_eq!(deployed.get("PLACET_SECRET_GITHUB"), None);
    }

    #[test]
    fn listed_secrets_do_not_replace_variables_of_their_own() {
        let own = [("PLACET_SECRETS", "lost A=1\n B=x=y  D=It's a Secret"), ("A", "2")];
        let environment = environment(&own).with_secrets();
        assert_eq!(environment.get("A").as_deref(), Some("2"));
        assert_eq!(environment.get("B").as_deref(), Some("x=y"));
        assert_eq!(environment.get("D").as_deref(), Some("It's a Secret"));
    }
}
