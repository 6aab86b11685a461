//! Pages of the two indexes. Each index of a project is split into shards, and a page merges the shards in
//! order. Both indexes contain only keys, so that a transition does not write copies of the item. A page
//! reads the items separately.
//!
//! A page reads a bounded number of entries and of bytes. So a page may contain fewer items than requested
//! and still have a next page.

use std::collections::{HashMap, VecDeque};

use futures_util::future::try_join_all;
use placet_core::Timestamp;
use placet_core::item::{Item, Kind, Need};
use placet_core::limits::{LARGEST_PAGE, MOST_COUNTED, MOST_ENTRIES};

use super::attributes::{Reader, Writer};
use super::cursor::Cursor;
use super::key::{self, Desk, DuePartition, SHARDS};
use super::{Row, Store, StoreError, row};

/// How many items one call reads, and how many entries of a shard one query reads.
pub(super) const AT_ONCE: usize = 25;

/// One page of a list.
#[derive(Clone, Debug)]
pub struct Page<T> {
    /// The items of this page.
    pub items: Vec<T>,
    /// The cursor of the next page; `None` on the last page.
    pub next: Option<Cursor>,
}

/// The number of entries after a page. Their items are not read, so some of them may not be wanted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Rest {
    /// The number of entries that were counted.
    pub counted: usize,
    /// Whether there are more entries than were counted.
    pub more: bool,
}

impl Store {
    /// Up to `limit` of the newest `wanted` items of a project, `created` in this range. Payloads in
    /// their own attribute are not read. An item that cannot be read is left out and logged as an error.
    ///
    /// # Errors
    ///
    /// If DynamoDB fails.
    pub async fn newest<K: Kind>(
        &self,
        project: &str,
        created: (Option<Timestamp>, Option<Timestamp>),
        wanted: impl Fn(&Item<K>) -> bool,
        limit: usize,
        after: Option<Cursor>,
    ) -> Result<Page<Item<K>>, StoreError> {
        self.recent(project, created, wanted, limit, MOST_ENTRIES, after).await
    }

    /// As [`Self::newest`], but it looks at no more than about `most` entries.
    ///
    /// # Errors
    ///
    /// If DynamoDB fails.
    pub async fn recent<K: Kind>(
        &self,
        project: &str,
        created: (Option<Timestamp>, Option<Timestamp>),
        wanted: impl Fn(&Item<K>) -> bool,
        limit: usize,
        most: usize,
        after: Option<Cursor>,
    ) -> Result<Page<Item<K>>, StoreError> {
        let mut entries = self.listed::<K>(project, created, after);
        self.page(&mut entries, wanted, limit, most).await
    }

    /// The entries of a project in the index `list` that were created in this range, the newest first.
    pub(super) fn listed<K: Kind>(
        &self,
        project: &str,
        (since, until): (Option<Timestamp>, Option<Timestamp>),
        after: Option<Cursor>,
    ) -> Entries<'_> {
        let (first, last) = key::between(since, until);
        let partitions = (0..SHARDS).map(|shard| key::list_pk(K::NAME, project, shard));
        let range = Range { index: "list", newest_first: true, first, last };
        Entries::new(self, partitions, range, after)
    }

    /// Up to `limit` `wanted` items of a project that need a person and whose ids begin with `ids`, the most
    /// urgent first, and the number of entries after them. The number of calls for the first page does not
    /// depend on how many items wait.
    ///
    /// # Errors
    ///
    /// If DynamoDB fails.
    pub async fn waiting<K: Kind>(
        &self,
        project: &str,
        need: Need,
        ids: &str,
        wanted: impl Fn(&Item<K>) -> bool,
        limit: usize,
        after: Option<Cursor>,
    ) -> Result<(Page<Item<K>>, Rest), StoreError> {
        let (first, last) = key::between(None, None);
        let partitions = (0..SHARDS).map(|shard| {
            DuePartition { project: project.to_owned(), desk: Desk::Person(need), shard }.key()
        });
        let range = Range { index: "due", newest_first: false, first, last };
        let mut entries = Entries::new(self, partitions, range, after);
        entries.rows = key::item_pk(K::NAME, project, ids);
        entries.at_once = MOST_COUNTED / entries.shards.len();
        let page = self.page(&mut entries, wanted, limit, MOST_ENTRIES).await?;
        let rest = entries.rest().await?;
        Ok((page, rest))
    }

    async fn page<K: Kind>(
        &self,
        entries: &mut Entries<'_>,
        wanted: impl Fn(&Item<K>) -> bool,
        limit: usize,
        most: usize,
    ) -> Result<Page<Item<K>>, StoreError> {
        let (mut items, mut looked_at, mut bytes) = (Vec::new(), 0, 0);
        let mut place = None;
        while looked_at < most {
            if items.len() == limit && entries.first().await?.is_some() {
                break;
            }
            let chunk = entries.take(AT_ONCE).await?;
            if chunk.is_empty() {
                return Ok(Page { items, next: None });
            }
            looked_at += chunk.len();
            let mut rows = self.rows(&chunk, Some(row::WITHOUT_PAYLOAD)).await?;
            for entry in chunk {
                if bytes >= LARGEST_PAGE {
                    return Ok(Page { items, next: place.map(Cursor) });
                }
                let found = rows.remove(&entry.pk);
                bytes += found.as_ref().map_or(0, row::size);
                if let Some(item) = found.and_then(|row| self.readable(&row)).filter(&wanted) {
                    if items.len() == limit {
                        return Ok(Page { items, next: place.map(Cursor) });
                    }
                    items.push(item);
                }
                place = Some(entry.sk);
                entries.passed += 1;
            }
        }
        Ok(Page { items, next: place.map(Cursor) })
    }

    fn readable<K: Kind>(&self, row: &Row) -> Option<Item<K>> {
        self.noted(row::decode(row))
            .inspect_err(
                |error| tracing::error!(%error, "item cannot be read, so the list leaves it out"),
            )
            .ok()
    }

    /// The rows of these entries by partition key.
    pub(super) async fn rows(
        &self,
        entries: &[Entry],
        projection: Option<&str>,
    ) -> Result<HashMap<String, Row>, StoreError> {
        let key = |entry: &Entry| {
            Writer::default().text("pk", &entry.pk).text("sk", &entry.row_sk).finish()
        };
        let keys: Vec<Row> = entries.iter().map(key).collect();
        let rows = self.batch_get(keys, projection).await?;
        let named = |row: Row| {
            let pk = Reader(&row).optional_text("pk")?.to_owned();
            Some((pk, row))
        };
        Ok(rows.into_iter().filter_map(named).collect())
    }
}

/// An entry of an index.
#[derive(Clone, Debug)]
pub(super) struct Entry {
    /// The sort key of the entry in the index.
    pub(super) sk: String,
    /// The partition key of its row.
    pub(super) pk: String,
    /// The sort key of its row.
    row_sk: String,
}

/// A range of entries of an index, with their order.
#[derive(Clone, Debug)]
pub(super) struct Range {
    pub(super) index: &'static str,
    pub(super) newest_first: bool,
    pub(super) first: String,
    pub(super) last: String,
}

/// The entries of several partitions, merged in order.
pub(super) struct Entries<'s> {
    store: &'s Store,
    range: Range,
    after: Option<Cursor>,
    /// The prefix of the partition keys of wanted rows.
    rows: String,
    /// How many entries of a shard one query reads.
    at_once: usize,
    shards: Vec<Shard>,
    /// The number of entries that were read.
    read: usize,
    /// The number of these whose keys have the prefix `rows`.
    kept: usize,
    /// The number of these that the page has passed.
    passed: usize,
}

/// The entries that were read of one partition.
struct Shard {
    pk: String,
    read: VecDeque<Entry>,
    /// The start of the next query; `None` if the partition was read to its end.
    next: Option<Start>,
}

/// Where a query starts.
#[derive(Clone, Debug)]
enum Start {
    Beginning,
    After(Row),
}

impl<'s> Entries<'s> {
    fn new(
        store: &'s Store,
        partitions: impl Iterator<Item = String>,
        mut range: Range,
        after: Option<Cursor>,
    ) -> Self {
        if let Some(Cursor(sk)) = &after {
            let bound = if range.newest_first { &mut range.last } else { &mut range.first };
            bound.clone_from(sk);
        }
        let shard = |pk| Shard { pk, read: VecDeque::new(), next: Some(Start::Beginning) };
        let shards = partitions.map(shard).collect();
        let (rows, at_once) = (String::new(), AT_ONCE);
        Self { store, range, after, rows, at_once, shards, read: 0, kept: 0, passed: 0 }
    }

    /// At most `most` of the next entries; empty after the last.
    pub(super) async fn take(&mut self, most: usize) -> Result<Vec<Entry>, StoreError> {
        let mut taken = Vec::new();
        while taken.len() < most
            && let Some(shard) = self.first().await?
        {
            taken.extend(self.shards[shard].read.pop_front());
        }
        Ok(taken)
    }

    /// The shard with the next entry; `None` after the last.
    async fn first(&mut self) -> Result<Option<usize>, StoreError> {
        while self.read_on(|shard| shard.read.is_empty()).await? {}
        let heads = self.shards.iter().enumerate();
        let heads = heads.filter_map(|(n, shard)| Some((n, &shard.read.front()?.sk)));
        let first = if self.range.newest_first {
            heads.max_by_key(|(_, sk)| *sk)
        } else {
            heads.min_by_key(|(_, sk)| *sk)
        };
        Ok(first.map(|(shard, _)| shard))
    }

    /// The number of entries after those that the page has passed.
    async fn rest(&mut self) -> Result<Rest, StoreError> {
        while self.read < MOST_COUNTED && self.read_on(|_| true).await? {}
        Ok(Rest {
            counted: self.kept - self.passed,
            more: self.shards.iter().any(|shard| shard.next.is_some()),
        })
    }

    /// Reads the next entries of these shards. Returns `false` if all were already read to their ends.
    async fn read_on(&mut self, these: impl Fn(&Shard) -> bool) -> Result<bool, StoreError> {
        let (store, at_once) = (self.store, self.at_once);
        let (range, after, rows) = (&self.range, &self.after, &self.rows);
        let wanted = |entry: &Entry| {
            after.as_ref().is_none_or(|Cursor(sk)| *sk != entry.sk) && entry.pk.starts_with(rows)
        };
        let shards = self.shards.iter_mut().filter(|shard| these(shard));
        let reads = shards.filter_map(|shard| Some((shard.next.take()?, shard))).map(
            async |(start, shard)| {
                let start = match start {
                    Start::Beginning => None,
                    Start::After(row) => Some(row),
                };
                let (entries, next) = store.entries(&shard.pk, range, at_once, start).await?;
                let (read, before) = (entries.len(), shard.read.len());
                shard.read.extend(entries.into_iter().filter(&wanted));
                shard.next = next.map(Start::After);
                Ok::<_, StoreError>((read, shard.read.len() - before))
            },
        );
        let read = try_join_all(reads).await?;
        for (read, kept) in &read {
            self.read += read;
            self.kept += kept;
        }
        Ok(!read.is_empty())
    }
}

impl Store {
    /// Entries of one partition of an index, and the start of the next query.
    pub(super) async fn entries(
        &self,
        partition: &str,
        range: &Range,
        most: usize,
        start: Option<Row>,
    ) -> Result<(Vec<Entry>, Option<Row>), StoreError> {
        if range.first > range.last {
            // `since` or `until` lies beyond the cursor. DynamoDB refuses an empty range.
            return Ok((Vec::new(), None));
        }
        let index = range.index;
        let condition = format!("{index}_pk = :partition AND {index}_sk BETWEEN :first AND :last");
        let values = Writer::default()
            .text(":partition", partition)
            .text(":first", &range.first)
            .text(":last", &range.last);
        let reply = self
            .client
            .query()
            .table_name(&self.table)
            .index_name(index)
            .key_condition_expression(condition)
            .set_expression_attribute_values(Some(values.finish()))
            .scan_index_forward(!range.newest_first)
            .limit(i32::try_from(most).unwrap_or(i32::MAX))
            .set_exclusive_start_key(start)
            .send()
            .await
            .map_err(StoreError::service("Query"))?;
        let sort_key = format!("{index}_sk");
        let read = |row: &Row| {
            let text = |name: &str| Some(row.get(name)?.as_s().ok()?.clone());
            Some(Entry { sk: text(&sort_key)?, pk: text("pk")?, row_sk: text("sk")? })
        };
        let entries = reply.items.unwrap_or_default().iter().filter_map(read).collect();
        Ok((entries, reply.last_evaluated_key))
    }
}
