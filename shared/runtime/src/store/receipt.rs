use std::time::Duration;

use placet_core::{Digest, Timestamp};
use serde::{Deserialize, Serialize};

use super::attributes::{Reader, Writer};
use super::{Item, Put, Store, StoreError, key};

/// How long a receipt is kept, and with it the memory of its delivery id.
const KEPT: Duration = Duration::from_secs(7 * 24 * 60 * 60);

/// Where a received webhook stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ReceiptState {
    /// Stored and acknowledged; the worker has yet to work it off.
    Received,
    /// Worked off.
    Done,
    /// It can not be worked off; the note says why.
    Failed,
}

/// A verified webhook delivery, with the exact bytes of its body.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Receipt {
    /// `<source>#<digest of the signed delivery id>`.
    pub id: String,
    /// Whose source it is.
    pub tenant: String,
    /// The source in `placet.yaml`.
    pub source: String,
    /// The signed delivery id.
    pub delivery_id: String,
    /// The raw body.
    pub body: Vec<u8>,
    /// When it came.
    pub received_at: Timestamp,
    /// Where it stands.
    pub state: ReceiptState,
    /// What came of it, for a person.
    pub note: String,
    /// When the timer looks at it; `None` once it is done or failed.
    pub due: Option<Timestamp>,
    /// How often the timer drove it again.
    pub redrives: u32,
}

impl Receipt {
    /// The id under which the delivery of a source is stored once.
    pub fn id_of(source: &str, delivery_id: &str) -> String {
        format!("{source}#{}", Digest::of_bytes(delivery_id.as_bytes()))
    }
}

impl Store {
    /// Stores a receipt unless its delivery was received before.
    ///
    /// # Errors
    ///
    /// If DynamoDB can not be asked.
    pub async fn create_receipt(&self, receipt: &Receipt) -> Result<Put<()>, StoreError> {
        let put = self.put_if(encode(receipt), "attribute_not_exists(pk)", Item::new()).await?;
        Ok(match put {
            Put::Stored => Put::Stored,
            Put::Existing(_) => Put::Existing(()),
        })
    }

    /// Reads a receipt.
    ///
    /// # Errors
    ///
    /// If DynamoDB can not be asked, or the item can not be read.
    pub async fn receipt(&self, id: &str) -> Result<Option<Receipt>, StoreError> {
        let item = self.get(key::receipt(id), true).await?;
        item.map(decode).transpose()
    }

    /// Stores the next version of a receipt that is still to be worked off; says whether it was.
    ///
    /// # Errors
    ///
    /// If DynamoDB can not be asked.
    pub async fn replace_receipt(&self, next: &Receipt) -> Result<bool, StoreError> {
        let values = Writer::default().text(":received", "received").finish();
        let put = self.put_if(encode(next), "receipt_state = :received", values).await?;
        Ok(matches!(put, Put::Stored))
    }
}

fn encode(receipt: &Receipt) -> Item {
    let writer = Writer::default()
        .text("pk", key::receipt_pk(&receipt.id))
        .text("sk", "RC")
        .text("receipt_id", &receipt.id)
        .text("tenant", &receipt.tenant)
        .text("source", &receipt.source)
        .text("delivery_id", &receipt.delivery_id)
        .bytes("body", receipt.body.clone())
        .number("received_at", receipt.received_at.millis())
        .text("receipt_state", state_name(receipt.state))
        .text("note", &receipt.note)
        .number("redrives", receipt.redrives)
        .due(&receipt.tenant, receipt.due);
    // What is still to be worked off is not tidied up, however old it is.
    match receipt.state {
        ReceiptState::Received => writer.finish(),
        _ => writer.number("ttl", receipt.received_at.plus(KEPT).seconds()).finish(),
    }
}

fn decode(item: Item) -> Result<Receipt, StoreError> {
    let reader = Reader(item);
    let state = match reader.text("receipt_state")?.as_str() {
        "received" => ReceiptState::Received,
        "done" => ReceiptState::Done,
        "failed" => ReceiptState::Failed,
        _ => return Err(reader.corrupt("receipt_state")),
    };
    Ok(Receipt {
        id: reader.text("receipt_id")?,
        tenant: reader.text("tenant")?,
        source: reader.text("source")?,
        delivery_id: reader.text("delivery_id")?,
        body: reader.bytes("body")?,
        received_at: reader.moment("received_at")?,
        state,
        note: reader.text("note")?,
        due: reader.due()?,
        redrives: reader.number("redrives")?,
    })
}

const fn state_name(state: ReceiptState) -> &'static str {
    match state {
        ReceiptState::Received => "received",
        ReceiptState::Done => "done",
        ReceiptState::Failed => "failed",
    }
}
