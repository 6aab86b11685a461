use placet_core::Timestamp;
use placet_core::webhook::Verification;
use serde::{Deserialize, Serialize};

use super::attributes::{Reader, Writer};
use super::index::Cursor;
use super::list::{Kind, List};
use super::{Item, Page, Put, Store, StoreError, key};
use crate::StoredBody;

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

impl ReceiptState {
    /// All states, and how they are written.
    pub const ALL: [(Self, &'static str); 3] =
        [(Self::Received, "received"), (Self::Done, "done"), (Self::Failed, "failed")];

    /// How it is written.
    pub fn as_str(self) -> &'static str {
        Self::ALL.iter().find(|(state, _)| *state == self).map_or("", |(_, name)| name)
    }

    /// The state that is written so.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.iter().find(|(_, name)| *name == text).map(|(state, _)| *state)
    }
}

/// A verified webhook delivery.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Receipt {
    /// What is known about it.
    pub about: About,
    /// Its raw body.
    pub body: StoredBody,
    /// Where it stands.
    pub state: ReceiptState,
    /// What kind of event it is, once it is worked off.
    pub event_type: Option<String>,
    /// What came of it, for a person.
    pub note: String,
    /// When the timer looks at it; `None` once it is done or failed.
    pub due: Option<Timestamp>,
    /// How often the timer drove it again.
    pub redrives: u32,
    /// When a person last had it worked off again, and how often.
    pub replays: Option<Replays>,
    /// Counts the writes.
    pub version: u64,
}

impl Receipt {
    /// Whether a text can be a receipt's id.
    pub fn is_id(text: &str) -> bool {
        let name = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
        text.rsplit_once('.').is_some_and(|(source, digest)| {
            (1..=64).contains(&source.len())
                && source.bytes().all(name)
                && (1..=64).contains(&digest.len())
                && digest.bytes().all(|byte| byte.is_ascii_hexdigit())
        })
    }

    /// Without its body.
    pub fn entry(&self) -> ReceiptEntry {
        ReceiptEntry {
            about: self.about.clone(),
            state: self.state,
            event_type: self.event_type.clone(),
            note: self.note.clone(),
            replays: self.replays,
            size: self.body.size(),
        }
    }
}

/// A receipt as it is listed: without its body.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReceiptEntry {
    /// What is known about it.
    pub about: About,
    /// Where it stands.
    pub state: ReceiptState,
    /// What kind of event it is, once it is worked off.
    pub event_type: Option<String>,
    /// What came of it, for a person.
    pub note: String,
    /// When a person last had it worked off again, and how often.
    pub replays: Option<Replays>,
    /// How many bytes its body has.
    pub size: usize,
}

/// What is read of a receipt that is listed.
const ENTRY: &str = "pk, about, receipt_state, event_type, note, replays, body_size";

/// Which receipts are listed.
#[derive(Clone, Debug, Default)]
pub struct ReceiptFilter {
    /// Of this source.
    pub source: Option<String>,
    /// In this state.
    pub state: Option<ReceiptState>,
    /// Received at or after this moment.
    pub since: Option<Timestamp>,
}

/// What is known about a delivery when it comes, and never changes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct About {
    /// `<source>.<hex digits>`.
    pub id: String,
    /// Whose source it is.
    pub tenant: String,
    /// The source in `placet.yaml`.
    pub source: String,
    /// What tells the event from another, if it has anything of the kind.
    pub delivery_id: Option<String>,
    /// What was verified.
    pub verified: Verification,
    /// How it came.
    pub method: String,
    /// Where to, as it came.
    pub path: String,
    /// What of the path comes after the source's own.
    pub rest: String,
    /// The query without its `?`.
    pub query: String,
    /// Its headers, without those that hold secrets.
    pub headers: Vec<(String, String)>,
    /// When it came.
    pub received_at: Timestamp,
    /// Until when it is remembered.
    pub remembered_until: Timestamp,
}

/// Working off again by hand.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Replays {
    /// How often.
    pub count: u32,
    /// The last time.
    pub last_at: Timestamp,
}

/// That a signature, or a body, belongs to a receipt.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Claim {
    /// The source, and what is claimed.
    pub key: String,
    /// The receipt it belongs to.
    pub receipt_id: String,
    /// Until when.
    pub expires: Timestamp,
}

impl Store {
    /// Claims a signature, or a body, for a receipt. Hands back the receipt it belongs to: this one,
    /// or the one of an earlier claim that has not expired.
    ///
    /// # Errors
    ///
    /// If DynamoDB can not be asked.
    pub async fn claim(&self, claim: &Claim, now: Timestamp) -> Result<String, StoreError> {
        let item = Writer::default()
            .text("pk", format!("CL#{}", claim.key))
            .text("sk", "CL")
            .text("receipt_id", &claim.receipt_id)
            .number("expires", claim.expires.millis())
            .number("ttl", claim.expires.seconds())
            .finish();
        // Deletion of what has expired lags.
        let condition = "attribute_not_exists(pk) OR expires <= :now";
        let values = Writer::default().number(":now", now.millis()).finish();
        match self.put_if(item, condition, values).await? {
            Put::Stored | Put::Existing(None) => Ok(claim.receipt_id.clone()),
            Put::Existing(Some(item)) => Reader(item).text("receipt_id"),
        }
    }

    /// Stores a receipt unless its delivery was received before.
    ///
    /// # Errors
    ///
    /// If DynamoDB can not be asked.
    pub async fn create_receipt(&self, receipt: &Receipt) -> Result<Put<()>, StoreError> {
        Ok(match self.put_new(encode(receipt)).await? {
            Put::Stored => Put::Stored,
            Put::Existing(_) => Put::Existing(()),
        })
    }

    /// Reads a receipt; what can not be an id has none.
    ///
    /// # Errors
    ///
    /// If DynamoDB can not be asked, or the item can not be read.
    pub async fn receipt(&self, id: &str) -> Result<Option<Receipt>, StoreError> {
        if !Receipt::is_id(id) {
            return Ok(None);
        }
        let item = self.get(key::receipt(id), true).await?;
        item.map(decode).transpose()
    }

    /// Up to `limit` of the newest receipts that pass the filter, from a cursor on. A page may hold
    /// fewer and still have a next one: only so many are looked at.
    ///
    /// # Errors
    ///
    /// If DynamoDB can not be asked.
    pub async fn list_receipts(
        &self,
        tenant: &str,
        filter: &ReceiptFilter,
        limit: usize,
        start: Option<Cursor>,
    ) -> Result<Page<ReceiptEntry>, StoreError> {
        let list = List {
            tenant,
            kind: Kind::Receipt,
            since: filter.since,
            until: None,
            projection: Some(ENTRY),
        };
        let wanted = |id: &str| {
            let source = id.rsplit_once('.').map(|(source, _)| source);
            filter.source.is_none() || filter.source.as_deref() == source
        };
        let read = |item| {
            let entry = decode_entry(item)
                .inspect_err(|error| tracing::error!(%error, "a receipt is left out of a list"));
            entry.ok().filter(|entry| filter.state.is_none_or(|state| state == entry.state))
        };
        self.list(list, wanted, read, limit, start).await
    }

    /// Stores what has become of a receipt as it was read; says whether nobody was faster.
    ///
    /// # Errors
    ///
    /// If DynamoDB can not be asked.
    pub async fn replace_receipt(&self, changed: Receipt) -> Result<bool, StoreError> {
        let values = Writer::default().number(":read", changed.version).finish();
        let next = Receipt { version: changed.version.saturating_add(1), ..changed };
        let put = self.put_if(encode(&next), "version = :read", values).await?;
        Ok(matches!(put, Put::Stored))
    }
}

fn encode(receipt: &Receipt) -> Item {
    let about = &receipt.about;
    let writer = Writer::default()
        .text("pk", key::receipt_pk(&about.id))
        .text("sk", "RC")
        .text("list_pk", key::receipt_list_pk(&about.tenant))
        .text("list_sk", key::list_sk(about.received_at, &about.id))
        .json("about", about)
        .body(&receipt.body)
        .text("receipt_state", receipt.state.as_str())
        .json("event_type", &receipt.event_type)
        .text("note", &receipt.note)
        .number("redrives", receipt.redrives)
        .json("replays", &receipt.replays)
        .number("version", receipt.version)
        .due(&about.tenant, receipt.due);
    // What is still to be worked off is not tidied up, however old it is.
    match receipt.state {
        ReceiptState::Received => writer.finish(),
        _ => writer.number("ttl", about.remembered_until.seconds()).finish(),
    }
}

pub(super) fn decode(item: Item) -> Result<Receipt, StoreError> {
    let reader = Reader(item);
    Ok(Receipt {
        about: reader.json("about")?,
        body: reader.body()?,
        state: state(&reader)?,
        event_type: reader.optional_json("event_type")?,
        note: reader.text("note")?,
        due: reader.due()?,
        redrives: reader.number("redrives")?,
        replays: reader.optional_json("replays")?,
        version: reader.number("version")?,
    })
}

fn decode_entry(item: Item) -> Result<ReceiptEntry, StoreError> {
    let reader = Reader(item);
    Ok(ReceiptEntry {
        about: reader.json("about")?,
        state: state(&reader)?,
        event_type: reader.optional_json("event_type")?,
        note: reader.text("note")?,
        replays: reader.optional_json("replays")?,
        size: reader.number("body_size")?,
    })
}

fn state(reader: &Reader) -> Result<ReceiptState, StoreError> {
    let state = ReceiptState::parse(&reader.text("receipt_state")?);
    state.ok_or_else(|| reader.corrupt("receipt_state"))
}
