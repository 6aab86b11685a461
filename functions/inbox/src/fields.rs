use std::collections::HashSet;

use placet_core::percent;

/// The fields of a form, or of the query in an address.
pub(crate) struct Fields(Vec<(String, String)>);

impl Fields {
    /// Reads the fields; `None` if they cannot be decoded, or if a field occurs twice: no browser sends that, and two
    /// readers could choose different values.
    pub(crate) fn read(bytes: &[u8]) -> Option<Self> {
        let fields = percent::form(bytes)?;
        let mut names = HashSet::new();
        fields.iter().all(|(name, _)| names.insert(name.as_str())).then_some(())?;
        Some(Self(fields))
    }

    /// The value of a field, unless it is empty.
    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        let found = self.0.iter().find(|(known, _)| known == name);
        found.map(|(_, value)| value.as_str()).filter(|value| !value.is_empty())
    }

    /// The text that a person wrote in a field, with `\n` for the end of a line as in the page.
    pub(crate) fn text(&self, name: &str) -> String {
        self.get(name).unwrap_or_default().replace("\r\n", "\n")
    }
}
