use std::time::Duration;

use placet_core::OperationId;
use placet_core::delivery::{Delivery, State};

use super::attributes::{Reader, Writer};
use super::index::Cursor;
use super::list::{Kind, List};
use super::{Item, Page, Put, Store, StoreError, key};
use crate::StoredBody;

/// How long a delivery is kept once it is delivered or failed.
const KEPT: Duration = Duration::from_secs(7 * 24 * 60 * 60);

/// A delivery and its payload.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredDelivery {
    /// The delivery.
    pub delivery: Delivery,
    /// What is sent.
    pub payload: Payload,
    /// Whether it is on the list of deliveries. One that was accepted at once need not be, which saves a
    /// write; what is sent once more is.
    pub listed: bool,
}

/// What a delivery sends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Payload {
    /// A body that is kept with it.
    Kept(StoredBody),
    /// What there is to tell of this operation, which is decided. It is made when it is sent.
    Decision(OperationId),
}

impl Store {
    /// Stores a new delivery unless one with its id exists.
    ///
    /// # Errors
    ///
    /// If DynamoDB can not be asked, or the existing item can not be read.
    pub async fn create_delivery(
        &self,
        new: &StoredDelivery,
    ) -> Result<Put<StoredDelivery>, StoreError> {
        let Put::Existing(item) = self.put_new(encode(new)).await? else {
            return Ok(Put::Stored);
        };
        let existing = decode(item)?;
        // A first try whose reply was lost: it was us.
        if existing.delivery.last_write == new.delivery.last_write {
            return Ok(Put::Stored);
        }
        Ok(Put::Existing(existing))
    }

    /// Stores the next version of a delivery if the one before is still there; else hands back what
    /// is there, `None` if nothing is.
    ///
    /// # Errors
    ///
    /// If DynamoDB can not be asked, or the current item can not be read.
    pub async fn replace_delivery(
        &self,
        next: &StoredDelivery,
    ) -> Result<Put<Option<StoredDelivery>>, StoreError> {
        let values = Writer::default().number(":before", next.delivery.version - 1).finish();
        let Put::Existing(item) = self.put_if(encode(next), "version = :before", values).await?
        else {
            return Ok(Put::Stored);
        };
        let current = item.map(decode).transpose()?;
        let ours =
            |current: &StoredDelivery| current.delivery.last_write == next.delivery.last_write;
        if current.as_ref().is_some_and(ours) {
            Ok(Put::Stored)
        } else {
            Ok(Put::Existing(current))
        }
    }

    /// Reads a delivery; what can not be an id has none.
    ///
    /// # Errors
    ///
    /// If DynamoDB can not be asked, or the item can not be read.
    pub async fn delivery(
        &self,
        tenant: &str,
        id: &str,
    ) -> Result<Option<StoredDelivery>, StoreError> {
        if !Delivery::is_id(id) {
            return Ok(None);
        }
        self.get(key::delivery(tenant, id), true).await?.map(decode).transpose()
    }

    /// Up to `limit` of the newest deliveries that are `wanted`, from a cursor on. A page may hold
    /// fewer and still have a next one: only so many are looked at.
    ///
    /// # Errors
    ///
    /// If DynamoDB can not be asked.
    pub async fn list_deliveries(
        &self,
        tenant: &str,
        wanted: impl Fn(&Delivery) -> bool,
        limit: usize,
        start: Option<Cursor>,
    ) -> Result<Page<Delivery>, StoreError> {
        let list =
            List { tenant, kind: Kind::Delivery, since: None, until: None, projection: None };
        let read = |item| readable(item).filter(&wanted);
        self.list(list, |_| true, read, limit, start).await
    }
}

fn encode(stored: &StoredDelivery) -> Item {
    let delivery = &stored.delivery;
    let writer = Writer::default()
        .text("pk", key::delivery_pk(&delivery.tenant, &delivery.id))
        .text("sk", "DL")
        .text("delivery_id", &delivery.id)
        .text("tenant", &delivery.tenant)
        .text("endpoint", &delivery.endpoint)
        .text("event_type", &delivery.event_type)
        .text("content_type", &delivery.content_type)
        .number("created_at", delivery.created_at.millis())
        .text("delivery_state", delivery.state.as_str())
        .number("version", delivery.version)
        .text("last_write", &delivery.last_write)
        .number("attempts", delivery.attempts)
        .number("tries", delivery.tries)
        .number("not_before", delivery.not_before.millis())
        .json("lease", &delivery.lease)
        .number("changed_at", delivery.changed_at.millis())
        .json("log", &delivery.log)
        .due(&delivery.tenant, delivery.due);
    let writer = match &stored.payload {
        Payload::Kept(body) => writer.body(body),
        Payload::Decision(id) => writer.text("decision_of", id.path()),
    };
    let writer = if stored.listed || delivery.state != State::Delivered {
        writer
            .text("list_pk", key::delivery_list_pk(&delivery.tenant))
            .text("list_sk", key::list_sk(delivery.created_at, &delivery.id))
    } else {
        writer
    };
    // What is still to be delivered is not tidied up, however old it is.
    match delivery.state {
        State::Pending => writer.finish(),
        _ => writer.number("ttl", delivery.changed_at.plus(KEPT).seconds()).finish(),
    }
}

fn decode(item: Item) -> Result<StoredDelivery, StoreError> {
    let reader = Reader(item);
    let name = reader.text("delivery_state")?;
    let state = [State::Pending, State::Delivered, State::Failed]
        .into_iter()
        .find(|state| state.as_str() == name)
        .ok_or_else(|| reader.corrupt("delivery_state"))?;
    let delivery = Delivery {
        id: reader.text("delivery_id")?,
        tenant: reader.text("tenant")?,
        endpoint: reader.text("endpoint")?,
        event_type: reader.text("event_type")?,
        content_type: reader.text("content_type")?,
        created_at: reader.moment("created_at")?,
        state,
        version: reader.number("version")?,
        last_write: reader.text("last_write")?,
        attempts: reader.number("attempts")?,
        tries: reader.number("tries")?,
        not_before: reader.moment("not_before")?,
        due: reader.due()?,
        lease: reader.optional_json("lease")?,
        changed_at: reader.moment("changed_at")?,
        log: reader.json("log")?,
    };
    let payload = match reader.optional_text("decision_of") {
        None => Payload::Kept(reader.body()?),
        Some(path) => Payload::Decision(
            OperationId::parse(&delivery.tenant, &path)
                .ok_or_else(|| reader.corrupt("decision_of"))?,
        ),
    };
    let listed = reader.optional_text("list_pk").is_some();
    Ok(StoredDelivery { delivery, payload, listed })
}

fn readable(item: Item) -> Option<Delivery> {
    decode(item)
        .map(|stored| stored.delivery)
        .inspect_err(|error| tracing::error!(%error, "a delivery is left out of a list"))
        .ok()
}
