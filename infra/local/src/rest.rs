//! Reads from the rows of all kinds of items what each item rests on: nothing, a due time or a message. It
//! sends lost messages again, and finds items that nothing would ever process.

use std::collections::HashSet;
use std::time::Duration;

use aws_sdk_dynamodb::types::AttributeValue;
use placet_core::item::{Lane, Pointer, Rests};
use placet_runtime::row::{Seen, see};
use placet_runtime::{Desk, StoreError, describe};

use crate::engines::{TABLE, http_client};
use crate::system::System;

impl System {
    /// Sends a pointer to every item that may need work soon: the embedded queues are in memory, so their
    /// messages are lost when the process ends. An item that rests on a due time may have had a message, too:
    /// the timer has enqueued it, or the message comes earlier than the due time.
    ///
    /// # Errors
    ///
    /// If the table cannot be read. An item that cannot be read is logged and not changed.
    pub async fn resume(&self) -> Result<(), StoreError> {
        let now = self.runtime.engine.now();
        let had_a_message = |item: &&Seen| match item.header.rests {
            Rests::Nothing => false,
            Rests::Message => true,
            Rests::Due => {
                item.desk == Some(Desk::Runs) || item.header.due.is_some_and(|due| due <= now)
            }
        };
        for item in self.items().await?.iter().filter(had_a_message) {
            let pointer = pointer(item);
            let sent = self.runtime.engine.queue.send(Lane::Work, &pointer, Duration::ZERO);
            if let Err(error) = sent.await {
                tracing::error!(%error, ?pointer, "pointer not sent again, item waits for the next start");
            }
        }
        Ok(())
    }

    /// The drop guard at any moment: descriptions of the items that are not terminal and have neither an
    /// entry in `due` nor a message. Works only if a test moves the clock of the queues.
    ///
    /// # Errors
    ///
    /// If the table cannot be read.
    pub async fn forgotten(&self) -> Result<Vec<String>, StoreError> {
        let pointed = self.pointed();
        let is_forgotten = |item: &Seen| match item.header.rests {
            Rests::Nothing => item.desk.is_some(),
            Rests::Due => item.desk.is_none(),
            Rests::Message => !pointed.contains(&pointer(item)),
        };
        Ok(self.items().await?.iter().filter(|item| is_forgotten(item)).map(name).collect())
    }

    /// The drop guard at the end of a test: descriptions of the items that are not terminal and do not wait
    /// for a person.
    ///
    /// # Errors
    ///
    /// If the table cannot be read.
    pub async fn moving(&self) -> Result<Vec<String>, StoreError> {
        let moves = |item: &Seen| match item.desk {
            Some(desk) => desk == Desk::Runs,
            None => item.header.rests != Rests::Nothing,
        };
        Ok(self.items().await?.iter().filter(|item| moves(item)).map(name).collect())
    }

    /// Every item in the table.
    async fn items(&self) -> Result<Vec<Seen>, StoreError> {
        let client = self.engines.dynamodb_client(http_client());
        let scan = client.scan().table_name(TABLE).filter_expression("sk = :item");
        let scan = scan.expression_attribute_values(":item", AttributeValue::S("item".to_owned()));
        let mut rows = scan.into_paginator().items().send();
        let mut items = Vec::new();
        while let Some(row) = rows.next().await {
            let row = row
                .map_err(|error| StoreError::Service { action: "Scan", cause: describe(&error) })?;
            match see(&row) {
                Ok(item) => items.push(item),
                Err(error) => tracing::error!(%error, "item cannot be read, so it is not changed"),
            }
        }
        Ok(items)
    }

    /// The items that messages point to, without the versions of the pointers.
    fn pointed(&self) -> HashSet<Pointer> {
        let bodies = Lane::ALL.into_iter().flat_map(|lane| self.engines.messages(lane));
        let pointers = bodies.filter_map(|body| Pointer::parse(&body).ok());
        pointers.map(|to| Pointer::new(to.kind, to.project, to.id)).collect()
    }
}

/// A pointer to any version of an item.
fn pointer(item: &Seen) -> Pointer {
    Pointer::new(&item.kind, &item.header.project, &item.header.id)
}

fn name(item: &Seen) -> String {
    let Seen { kind, header, .. } = item;
    let (id, project, version) = (&header.id, &header.project, header.version);
    format!("{kind} {id} of {project}, version {version}, rests on {:?}", header.rests)
}
