use std::collections::BTreeMap;
use std::sync::Arc;

/// Environment variables: those of the process, or what stands in for them locally and in tests.
///
/// It may hold secrets, so it can not be printed.
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
