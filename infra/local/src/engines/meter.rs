//! Write units of the table by partition key. A partition of DynamoDB takes about 1,000 write units a
//! second, and a full partition of an index throttles the writes of the table.
//!
//! A write costs one unit for each KB of the larger of the old and the new row. Each index entry that it
//! writes or deletes costs one more: both indexes hold keys only, far below a KB.
//! <https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/ProvisionedThroughput.html>

use std::collections::{BTreeMap, HashMap};
use std::sync::{Mutex, MutexGuard, PoisonError};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;

/// The key of the table's own units in [`Units`]. An index has its own name as key.
pub const BASE_TABLE: &str = "table";

const INDEXES: [&str; 2] = ["due", "list"];

/// Write units, by table or index, then by partition key.
pub type Units = BTreeMap<&'static str, BTreeMap<String, u64>>;

/// Counts the write units from [`Meter::start`] on. It keeps the size and the index entries of every row.
#[derive(Debug, Default)]
pub(super) struct Meter(Mutex<Option<Counted>>);

#[derive(Debug, Default)]
struct Counted {
    rows: HashMap<(String, String), Row>,
    units: Units,
}

/// The size and the index entries of a row, for the cost of its next write.
#[derive(Debug, Default)]
struct Row {
    bytes: usize,
    entries: [Option<(String, String)>; 2],
}

impl Meter {
    pub(super) fn start(&self) {
        *self.counted() = Some(Counted::default());
    }

    /// The units since the start; empty if the meter was not started.
    pub(super) fn units(&self) -> Units {
        self.counted().as_ref().map(|counted| counted.units.clone()).unwrap_or_default()
    }

    /// Counts a `PutItem` that succeeded.
    pub(super) fn put(&self, request: &[u8]) {
        if let Some(counted) = self.counted().as_mut() {
            let request: Value = serde_json::from_slice(request).unwrap_or_default();
            counted.write(&request["Item"]);
        }
    }

    fn counted(&self) -> MutexGuard<'_, Option<Counted>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Counted {
    fn write(&mut self, item: &Value) {
        let (pk, sk) = (text(item, "pk"), text(item, "sk"));
        let after = Row { bytes: size(item), entries: INDEXES.map(|index| entry(item, index)) };
        let before = self.rows.remove(&(pk.clone(), sk.clone())).unwrap_or_default();
        self.add(BASE_TABLE, &pk, after.bytes.max(before.bytes).div_ceil(1024) as u64);
        for (number, index) in INDEXES.into_iter().enumerate() {
            let (old, new) = (&before.entries[number], &after.entries[number]);
            if old != new {
                for (partition, _) in old.iter().chain(new) {
                    self.add(index, partition, 1);
                }
            }
        }
        self.rows.insert((pk, sk), after);
    }

    fn add(&mut self, table: &'static str, partition: &str, units: u64) {
        *self.units.entry(table).or_default().entry(partition.to_owned()).or_default() += units;
    }
}

fn entry(item: &Value, index: &str) -> Option<(String, String)> {
    let part = |half: &str| item[format!("{index}_{half}")]["S"].as_str().map(str::to_owned);
    Some((part("pk")?, part("sk")?))
}

fn text(item: &Value, name: &str) -> String {
    item[name]["S"].as_str().unwrap_or_default().to_owned()
}

/// The size of a row in bytes, by "DynamoDB item sizes and formats" in AWS's developer guide.
fn size(item: &Value) -> usize {
    let value = |value: &Value| match value.as_object().and_then(|value| value.iter().next()) {
        Some((kind, Value::String(text))) if kind == "N" => text.len().div_ceil(2) + 1,
        Some((kind, Value::String(text))) if kind == "B" => {
            STANDARD.decode(text).map_or(0, |bytes| bytes.len())
        }
        Some((_, Value::String(text))) => text.len(),
        _ => 0,
    };
    let members = item.as_object().into_iter().flatten();
    members.map(|(name, one)| name.len() + value(one)).sum()
}
