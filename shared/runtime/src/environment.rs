use std::collections::BTreeMap;
use std::sync::Arc;

use placet_core::strict_json::Text;
use serde_json::Value;

/// Environment variables: those of the process, or a replacement for the local system and tests.
///
/// An empty variable counts as not set, because a template passes an unset parameter as an empty variable.
/// The variables may contain secrets, so this type has no `Debug`.
#[derive(Clone, Default)]
pub struct Environment(Arc<BTreeMap<String, String>>);

impl Environment {
    /// The variables of this process that are valid Unicode.
    pub fn process() -> Self {
        let pairs = std::env::vars_os();
        pairs
            .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
            .collect()
    }

    /// These variables, and those in `PLACET_SECRETS`: one `NAME=value` a line, or a JSON object. So a
    /// deployment can pass any number of secrets in one variable.
    ///
    /// # Errors
    ///
    /// If `PLACET_SECRETS` cannot be read, or a name has two different values.
    pub fn with_secrets(self) -> Result<Self, SecretsError> {
        let mut all = (*self.0).clone();
        for (name, value) in self.listed()?.into_iter().filter(|(_, value)| !value.is_empty()) {
            match all.get(&name) {
                Some(known) if *known != value => return Err(SecretsError::Twice(name)),
                _ => all.insert(name, value),
            };
        }
        Ok(Self(Arc::new(all)))
    }

    /// The variables in `PLACET_SECRETS`.
    fn listed(&self) -> Result<Vec<(String, String)>, SecretsError> {
        let text = self.get("PLACET_SECRETS").unwrap_or_default();
        if text.trim_start().starts_with('{') { object(&text) } else { lines(&text) }
    }

    /// The names in `PLACET_SECRETS`; none if it cannot be read.
    pub fn names_listed(&self) -> impl Iterator<Item = String> {
        self.listed().unwrap_or_default().into_iter().map(|(name, _)| name)
    }

    /// The value of a variable; never an empty one.
    pub fn get(&self, name: &str) -> Option<String> {
        self.0.get(name).cloned()
    }

    /// The names of all variables.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.0.keys().map(String::as_str)
    }

    /// These variables, and those of `defaults` that are not set here.
    #[must_use]
    pub fn over(&self, defaults: &Self) -> Self {
        let pairs = defaults.0.iter().chain(self.0.iter());
        pairs.map(|(name, value)| (name.clone(), value.clone())).collect()
    }
}

/// Why `PLACET_SECRETS` cannot be used. An error contains no value.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SecretsError {
    /// A line is not a variable.
    #[error(
        "PLACET_SECRETS, line {0}: write one NAME=value per line, or one JSON object whose values are strings"
    )]
    Line(usize),
    /// A line seems to hold several variables.
    #[error(
        "PLACET_SECRETS, line {0}: its value contains another NAME=value: write one a line, or one JSON \
         object of texts"
    )]
    Several(usize),
    /// The quotes of a value do not end, or more follows them.
    #[error("PLACET_SECRETS, line {0}: the value must end with the quote that it begins with")]
    Quote(usize),
    /// The JSON is not an object of texts.
    #[error("PLACET_SECRETS begins with {{ and is not a JSON object of texts: {0}")]
    Json(String),
    /// A name has two values.
    #[error(
        "{0} has two different values: remove one, from PLACET_SECRETS or from the variable itself"
    )]
    Twice(String),
}

fn is_name(text: &str) -> bool {
    let allowed = |byte: u8| byte.is_ascii_uppercase() || byte.is_ascii_digit() || byte == b'_';
    !text.is_empty() && text.bytes().all(allowed)
}

/// A text that begins with a single or double quote: what is in the quotes, and what follows them. `None` if the
/// quotes do not end.
pub fn in_quotes(text: &str) -> Option<Option<(&str, &str)>> {
    let quote = text.chars().next().filter(|first| ['"', '\''].contains(first))?;
    Some(text[1..].split_once(quote))
}

/// The variables in lines of `NAME=value`. A value is what follows the first equals sign, without the quotes around
/// it.
fn lines(text: &str) -> Result<Vec<(String, String)>, SecretsError> {
    let numbered = text.lines().enumerate().map(|(index, line)| (index + 1, line.trim()));
    let variable = |(number, line): (usize, &str)| {
        let (name, value) = line.split_once('=').ok_or(SecretsError::Line(number))?;
        let another = |word: &str| word.split_once('=').is_some_and(|(name, _)| is_name(name));
        if !is_name(name) {
            return Err(SecretsError::Line(number));
        }
        let value = match in_quotes(value) {
            Some(Some((inner, ""))) => inner,
            Some(_) => return Err(SecretsError::Quote(number)),
            None if value.split(char::is_whitespace).skip(1).any(another) => {
                return Err(SecretsError::Several(number));
            }
            None => value,
        };
        Ok((name.to_owned(), value.to_owned()))
    };
    let mut listed = Vec::new();
    for pair in numbered.filter(|(_, line)| !line.is_empty()).map(variable) {
        let (name, value) = pair?;
        if has_another(&listed, &name, &value) {
            return Err(SecretsError::Twice(name));
        }
        listed.push((name, value));
    }
    Ok(listed)
}

/// Whether a variable is set to another value before. An empty one counts as not set.
pub fn has_another(before: &[(String, String)], name: &str, value: &str) -> bool {
    let other =
        |(known, other): &(String, String)| known == name && !other.is_empty() && other != value;
    !value.is_empty() && before.iter().any(other)
}

/// The variables in a JSON object.
fn object(text: &str) -> Result<Vec<(String, String)>, SecretsError> {
    let wrong = |problem: &str| SecretsError::Json(problem.to_owned());
    let read = Text::read(text.trim().as_bytes()).map_err(|_| wrong("it cannot be read"))?;
    let Ok(Value::Object(members)) = read.value() else {
        return Err(wrong("it cannot be read"));
    };
    let text = |(name, value): (String, Value)| match value {
        Value::String(value) if is_name(&name) => Ok((name, value)),
        Value::String(_) => Err(wrong("a name has other characters than A-Z, 0-9 and _")),
        _ => Err(wrong(&format!("{name} is not a text"))),
    };
    members.into_iter().map(text).collect()
}

impl<Name: Into<String>, Value: Into<String>> FromIterator<(Name, Value)> for Environment {
    fn from_iter<I: IntoIterator<Item = (Name, Value)>>(pairs: I) -> Self {
        let pairs = pairs.into_iter().map(|(name, value)| (name.into(), value.into()));
        Self(Arc::new(pairs.filter(|(_, value): &(_, String)| !value.is_empty()).collect()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn environment(pairs: &[(&str, &str)]) -> Environment {
        pairs.iter().copied().collect()
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

    fn with(listed: &str) -> Result<Environment, SecretsError> {
        environment(&[("PLACET_SECRETS", listed)]).with_secrets()
    }

    /// `template.yaml` passes both variables to the webhook function. Its own variable is empty by default.
    #[test]
    fn an_empty_parameter_does_not_hide_the_secret_in_the_list() {
        let listed = "PLACET_SECRET_HUMANLAYER=whsec_a\nPLACET_SECRET_GITHUB=";
        let deployed = [("PLACET_SECRET_HUMANLAYER", ""), ("PLACET_SECRETS", listed)];
        let deployed = environment(&deployed).with_secrets().unwrap();
        assert_eq!(deployed.get("PLACET_SECRET_HUMANLAYER").as_deref(), Some("whsec_a"));
        assert_eq!(deployed.get("PLACET_SECRET_GITHUB"), None);
    }

    #[test]
    fn a_value_in_the_list_is_kept_as_it_is() {
        for listed in [
            "\n  A=two  spaces\r\nB=x=y\n\nC=It's a #secret$HOME\\n b=c\n",
            r#" {"A": "two  spaces", "B": "x=y", "C": "It's a #secret$HOME\\n b=c", "D": ""} "#,
        ] {
            let read = with(listed).unwrap();
            let values = ["A", "B", "C", "D"].map(|name| read.get(name));
            let expected = ["two  spaces", "x=y", "It's a #secret$HOME\\n b=c"];
            let expected = expected.map(|value| Some(value.to_owned()));
            assert_eq!(values[..3], expected, "{listed}");
            assert_eq!(values[3], None);
        }
        assert_eq!(with(r#"{"A": "a B=c"}"#).unwrap().get("A").as_deref(), Some("a B=c"));
    }

    #[test]
    fn quotes_around_a_value_in_the_list_are_not_part_of_it() {
        for (listed, expected) in [
            (r#"A="aaaaaaaaaa""#, "aaaaaaaaaa"),
            ("A='two  spaces'", "two  spaces"),
            ("A='it is \"so\"'", "it is \"so\""),
            ("A='a B=c'", "a B=c"),
            ("A=it's", "it's"),
            ("A=\nA=1", "1"),
            ("A=1\nA=", "1"),
        ] {
            assert_eq!(with(listed).unwrap().get("A").as_deref(), Some(expected), "{listed}");
        }
    }

    #[test]
    fn a_list_that_could_be_read_in_two_ways_is_an_error() {
        for (listed, expected) in [
            ("A=1 B=2", SecretsError::Several(1)),
            ("A= B=2", SecretsError::Several(1)),
            ("B=3\nA=a B=c", SecretsError::Several(2)),
            ("lost A=1", SecretsError::Line(1)),
            ("A=1\nsecret", SecretsError::Line(2)),
            ("a=1", SecretsError::Line(1)),
            ("A='secret", SecretsError::Quote(1)),
            ("A='secret' B=c", SecretsError::Quote(1)),
            ("A=1\nA=2", SecretsError::Twice("A".to_owned())),
            (r#"{"A": 1}"#, SecretsError::Json("A is not a text".to_owned())),
            (r#"{"A": "secret""#, SecretsError::Json("it cannot be read".to_owned())),
            (r#"{"A": "1", "A": "2"}"#, SecretsError::Json("it cannot be read".to_owned())),
        ] {
            let error = with(listed).err().unwrap();
            assert_eq!(error, expected, "{listed}");
            assert!(!error.to_string().contains("secret"), "{error}");
        }
    }

    #[test]
    fn two_different_values_of_a_name_are_an_error() {
        let both = |own: &str| {
            let own = [("PLACET_SECRETS", "A=1"), ("A", own)];
            environment(&own).with_secrets().map(|read| read.get("A"))
        };
        assert_eq!(both("1"), Ok(Some("1".to_owned())));
        assert_eq!(both(""), Ok(Some("1".to_owned())));
        assert_eq!(both("2"), Err(SecretsError::Twice("A".to_owned())));
    }
}
