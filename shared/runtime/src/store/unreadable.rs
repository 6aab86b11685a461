//! Items that this build cannot read: a newer version of Placet wrote them, or they are damaged.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use placet_core::item::Kind;
use placet_core::limits::MOST_ENTRIES;

use super::page::AT_ONCE;
use super::{Store, StoreError, key, row};

/// The most items that a process remembers.
const MOST: usize = 1000;

/// The partition keys of the items that this process could not read.
#[derive(Clone, Debug, Default)]
pub(super) struct Unreadable(Arc<Mutex<BTreeSet<String>>>);

impl Unreadable {
    fn keys(&self) -> MutexGuard<'_, BTreeSet<String>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Store {
    /// How many items this process could not read since it started; at most 1,000.
    pub fn found_unreadable(&self) -> usize {
        self.unreadable.keys().len()
    }

    /// Notes an item that cannot be read, and returns the result unchanged.
    pub(crate) fn noted<T>(&self, read: Result<T, StoreError>) -> Result<T, StoreError> {
        if let Err(StoreError::Corrupt { key, .. }) = &read {
            let mut keys = self.unreadable.keys();
            if keys.len() < MOST {
                keys.insert(key.clone());
            }
        }
        read
    }

    /// The ids of the items that this build cannot read, among the newest thousand listed items of this kind
    /// and project.
    ///
    /// # Errors
    ///
    /// If DynamoDB fails.
    pub async fn unreadable<K: Kind>(&self, project: &str) -> Result<Vec<String>, StoreError> {
        let mut entries = self.listed::<K>(project, (None, None), None);
        let (mut ids, mut looked_at) = (Vec::new(), 0);
        while looked_at < MOST_ENTRIES {
            let chunk = entries.take(AT_ONCE).await?;
            if chunk.is_empty() {
                break;
            }
            looked_at += chunk.len();
            for (pk, row) in self.rows(&chunk, Some(row::WITHOUT_PAYLOAD)).await? {
                if self.noted(row::decode::<K>(&row)).is_err() {
                    ids.extend(key::parts(&pk).map(|(_, _, id)| id.to_owned()));
                }
            }
        }
        ids.sort_unstable();
        Ok(ids)
    }
}
