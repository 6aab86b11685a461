//! The index `due`, and the progress of the timer.

use placet_core::Timestamp;
use placet_core::item::{Lane, Pointer};

use super::attributes::{Reader, Writer};
use super::key::{self, DuePartition};
use super::page::Range;
use super::{Put, Row, Store, StoreError, packed};

/// An entry of the index `due`: the key of an item, without the item.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DueEntry {
    /// The place of the entry in its partition: its sort key.
    pub place: String,
    /// The lane of the item, and a pointer to it; `None` if this build does not know the lane.
    pub target: Option<(Lane, Pointer)>,
}

/// The row of the timer: a text that the timer writes, and its version.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Progress {
    /// The number of writes.
    pub version: u64,
    /// The text that the timer wrote; empty at the start.
    pub text: String,
}

impl Store {
    /// Up to `most` entries of a partition, in order: after the place `after`, and due at `until` or before.
    ///
    /// # Errors
    ///
    /// If DynamoDB fails.
    pub async fn due(
        &self,
        partition: &DuePartition,
        after: &str,
        until: Timestamp,
        most: usize,
    ) -> Result<Vec<DueEntry>, StoreError> {
        let range = Range {
            index: "due",
            newest_first: false,
            // This sorts directly after `after`: sort keys contain only characters greater than a space.
            first: format!("{after} "),
            last: key::due_until(until),
        };
        let (entries, _) = self.entries(&partition.key(), &range, most, None).await?;
        let target = |entry: &super::page::Entry| {
            let (_, lane) = key::read_due_sk(&entry.sk)?;
            let (kind, project, id) = key::parts(&entry.pk)?;
            Some((lane, Pointer::new(kind, project, id)))
        };
        let read = |entry: super::page::Entry| DueEntry { target: target(&entry), place: entry.sk };
        Ok(entries.into_iter().map(read).collect())
    }

    /// Reads how far the timer came.
    ///
    /// # Errors
    ///
    /// If DynamoDB fails, or the row cannot be read.
    pub async fn timer_progress(&self) -> Result<Progress, StoreError> {
        let Some(row) = self.get(key::timer(), true).await? else {
            return Ok(Progress::default());
        };
        let reader = Reader(&row);
        let version = reader.number("version")?;
        let unpacked = reader.bytes("progress").ok().and_then(packed::unpack);
        let text = unpacked.and_then(|(text, _)| String::from_utf8(text).ok());
        if text.is_none() {
            tracing::error!("timer progress cannot be read, the timer starts from the beginning");
        }
        Ok(Progress { version, text: text.unwrap_or_default() })
    }

    /// Writes how far the timer came. Returns `false` if another run wrote since `before` was read.
    ///
    /// # Errors
    ///
    /// If DynamoDB fails.
    pub async fn put_timer_progress(
        &self,
        before: &Progress,
        text: &str,
    ) -> Result<bool, StoreError> {
        let mut row = key::timer();
        let version = before.version.saturating_add(1);
        // Compress the text: with many projects, it would be too large for a row.
        let packed = packed::pack(text.as_bytes(), &[])
            .map_err(|cause| StoreError::Unpackable { key: "timer".to_owned(), cause })?;
        row.extend(Writer::default().number("version", version).bytes("progress", packed).finish());
        let put = match before.version {
            0 => self.put_if(row, "attribute_not_exists(pk)", Row::new()).await?,
            version => {
                let values = Writer::default().number(":before", version).finish();
                self.put_if(row, "version = :before", values).await?
            }
        };
        Ok(matches!(put, Put::Stored))
    }
}
