//! What items rest on, read from their rows, whatever their kinds: to put lost messages back on the queues,
//! and to find items that would be forgotten.

use std::collections::HashSet;
use std::time::Duration;

use aws_sdk_dynamodb::error::DisplayErrorContext;
use aws_sdk_dynamodb::types::AttributeValue;
use placet_core::item::{Lane, Pointer, Rests};
use placet_runtime::row::{Seen, see};
use placet_runtime::{Desk, StoreError};

use crate::engines::{TABLE, http_client};
use crate::system::System;

impl System {
    /// Puts pointers on the queue to all items that rest on a message: the embedded queues live in memory,
    /// so their messages are gone when the process ends.
    ///
    /// # Errors
    ///
    /// If the table cannot be read. An item that cannot be read is logged and left as it is.
    pub async fn resume(&self) -> Result<(), StoreError> {
        let items = self.items().await?;
        for item in items.iter().filter(|item| item.header.rests == Rests::Message) {
            let pointer = pointer(item);
            let sent = self.runtime.engine.queue.send(Lane::Work, &pointer, Duration::ZERO);
            if let Err(error) = sent.await {
                tracing::error!(%error, ?pointer, "pointer not sent again");
            }
        }
        Ok(())
    }

    /// The drop guard, at any moment: the items that are not terminal and rest on nothing, because their
    /// entry in `due` or their message is not there. Only where a test moves the queues' clock.
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

    /// The drop guard, at the end of a test: the items that are not terminal and do not wait for a person.
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
            let row = row.map_err(|error| StoreError::Service {
                action: "Scan",
                cause: DisplayErrorContext(error).to_string(),
            })?;
            match see(&row) {
                Ok(item) => items.push(item),
                Err(error) => tracing::error!(%error, "an item is left as it is"),
            }
        }
        Ok(items)
    }

    /// Everything that messages point to, whatever version they name.
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
