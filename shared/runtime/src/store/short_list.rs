//! Short lists of rows that are no items: the API keys of a project, and sessions.

use super::page::Range;
use super::{Row, Store, StoreError, key};

/// How many rows one query reads.
const AT_ONCE: usize = 25;

impl Store {
    /// All rows of a partition of the index `list`, newest first.
    pub(super) async fn short_list(&self, partition: &str) -> Result<Vec<Row>, StoreError> {
        let (first, last) = key::between(None, None);
        let range = Range { index: "list", newest_first: true, first, last };
        let mut found = Vec::new();
        let mut start = None;
        loop {
            let (entries, next) = self.entries(partition, &range, AT_ONCE, start).await?;
            let mut rows = self.rows(&entries, None).await?;
            found.extend(entries.iter().filter_map(|entry| rows.remove(&entry.pk)));
            start = next;
            if start.is_none() {
                return Ok(found);
            }
        }
    }
}
