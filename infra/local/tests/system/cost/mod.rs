//! The AWS bill, counted from the calls of the functions. These tests compare the counted tables of
//! `docs/COSTS.md`; with `UPDATE=1` they write the tables.

mod approval;
mod load;

use std::collections::HashMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use placet_local::faults::CallRecord;
use serde_json::Value;

const DOCUMENT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/COSTS.md");

/// The numbers that AWS bills for one step.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
struct Bill {
    invocations: u32,
    table_units: u32,
    due_units: u32,
    list_units: u32,
    /// Read units in halves: an eventually consistent read of up to 4 KB counts 1.
    half_read_units: u32,
    sqs_calls: u32,
}

impl Bill {
    fn write_units(&self) -> u32 {
        self.table_units + self.due_units + self.list_units
    }

    /// What this costs beyond another.
    fn beyond(&self, other: &Self) -> Self {
        Self {
            invocations: self.invocations - other.invocations,
            table_units: self.table_units - other.table_units,
            due_units: self.due_units - other.due_units,
            list_units: self.list_units - other.list_units,
            half_read_units: self.half_read_units - other.half_read_units,
            sqs_calls: self.sqs_calls - other.sqs_calls,
        }
    }
}

/// The written rows of the table. The cost of a write depends on the row before it.
#[derive(Default)]
struct Meter {
    items: HashMap<(String, String), Value>,
}

impl Meter {
    fn bill(&mut self, calls: &[CallRecord]) -> Bill {
        let mut bill = Bill::default();
        for call in calls {
            let request: Value = serde_json::from_slice(&call.request).unwrap();
            match call.operation.as_str() {
                "PutItem" => self.put(&request["Item"], &mut bill),
                // The query finds nothing: AWS bills the smallest read.
                "Query" => bill.half_read_units += 1,
                "GetItem" => bill.half_read_units += self.get(&request),
                "SendMessage" => bill.sqs_calls += 1,
                other => panic!("the cost of {other} is not known"),
            }
        }
        bill
    }

    /// Counts one unit for each KB of the larger of the old and the new row, and one for each index entry
    /// that the write creates or deletes. Both indexes hold keys only, far below a KB.
    fn put(&mut self, item: &Value, bill: &mut Bill) {
        let key = |name: &str| item[name]["S"].as_str().unwrap_or_default().to_owned();
        // Do not count the writes of the function under test.
        if key("pk").starts_with("LEDGER#") {
            return;
        }
        let before = self.items.insert((key("pk"), key("sk")), item.clone());
        let larger = size(item).max(before.as_ref().map_or(0, size));
        let entry = |item: &Value, index: &str| {
            let part =
                |half: &str| item[format!("{index}_{half}")]["S"].as_str().map(str::to_owned);
            Some((part("pk")?, part("sk")?))
        };
        let index = |name: &str| {
            let (old, new) = (before.as_ref().and_then(|old| entry(old, name)), entry(item, name));
            if old == new { 0 } else { u32::from(old.is_some()) + u32::from(new.is_some()) }
        };
        bill.table_units += u32::try_from(larger.div_ceil(1024)).unwrap();
        bill.due_units += index("due");
        bill.list_units += index("list");
    }

    fn get(&self, request: &Value) -> u32 {
        let key = |name: &str| request["Key"][name]["S"].as_str().unwrap().to_owned();
        let found = self.items.get(&(key("pk"), key("sk"))).map_or(1, size);
        let units = u32::try_from(found.div_ceil(4096)).unwrap();
        if request["ConsistentRead"] == true { 2 * units } else { units }
    }
}

/// The size of a row in bytes, by "DynamoDB item sizes and formats" in AWS's developer guide.
fn size(item: &Value) -> usize {
    let value = |value: &Value| match value.as_object().and_then(|value| value.iter().next()) {
        Some((kind, Value::String(text))) if kind == "N" => text.len().div_ceil(2) + 1,
        Some((kind, Value::String(text))) if kind == "B" => STANDARD.decode(text).unwrap().len(),
        Some((_, Value::String(text))) => text.len(),
        other => panic!("the size of {other:?} is not known"),
    };
    item.as_object().unwrap().iter().map(|(name, one)| name.len() + value(one)).sum()
}

/// One test for all tables, because each table is written into the same file.
#[tokio::test]
async fn the_tables_of_the_document_equal_the_counted_tables() {
    compare("counted", &approval::table().await);
    compare("load", &load::table().await);
}

/// Compares a table with the text between the marks of this name, or writes the table there.
fn compare(name: &str, table: &str) {
    let document = std::fs::read_to_string(DOCUMENT).unwrap();
    let (start, end) = (format!("<!-- {name} -->\n"), format!("<!-- /{name} -->"));
    let (before, rest) = document.split_once(&start).unwrap();
    let (written, after) = rest.split_once(&end).unwrap();
    if written == table {
        return;
    }
    assert!(
        std::env::var_os("UPDATE").is_some(),
        "docs/COSTS.md has another table; run with UPDATE=1 to write the counted table:\n{table}"
    );
    std::fs::write(DOCUMENT, format!("{before}{start}{table}{end}{after}")).unwrap();
}
