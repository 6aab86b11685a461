//! The codec of items: it encodes an item of any kind as a row, and decodes it.
//!
//! Header, body and a small payload are one compressed attribute. A larger payload has its own attribute. The
//! values that an index or a condition needs have their own attributes, too, and are not in the compressed
//! one.

use placet_core::item::{Header, Item, Kind, Lane, Next};
use placet_core::{Digest, Payload, Timestamp};
use serde::de::IgnoredAny;
use serde::{Deserialize, Serialize};

use super::attributes::{Reader, Writer};
use super::key::{self, Desk, DuePartition, SHARDS};
use super::{Row, StoreError, packed};

/// The compressed attribute. The number in its name is that of the sample it was compressed with.
const PACKED: &str = "item1";

/// The attribute of a larger payload.
const PAYLOAD: &str = "payload";

/// The attributes of an item without its larger payload, for lists.
pub(super) const WITHOUT_PAYLOAD: &str = "pk, sk, version, digest, due_sk, item1";

/// The JSON in [`PACKED`], for writing.
#[derive(Serialize)]
struct Written<'a, K>(&'a Header, &'a K, Option<Place>);

/// The JSON in [`PACKED`], for reading.
#[derive(Deserialize)]
struct Read<K>(Header, K, Option<Place>);

/// The place of the payload.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Place {
    /// In the compressed attribute.
    Packed,
    /// In its own attribute, not compressed; with its size in bytes.
    Plain(usize),
    /// In its own attribute, compressed; with its uncompressed size in bytes.
    Zstd(usize),
    /// In the blob store, with its key and its size in bytes.
    Blob(String, usize),
}

/// The row of an item. `lane` is for its entry in the index `due`.
pub(super) fn encode<K: Kind>(
    item: &Item<K>,
    lane: Lane,
    now: Timestamp,
) -> Result<Row, StoreError> {
    let header = &item.header;
    let pk = key::item_pk(K::NAME, &header.project, &header.id);
    let hash = key::hash(&pk);
    let (shard, project) = (hash % SHARDS, header.project.clone());
    let mut row = Writer::default().text("sk", key::ITEM).number("version", header.version);
    if let Some(digest) = item.body.digest() {
        row = row.bytes("digest", digest.as_bytes().to_vec());
    }
    if let Some(due) = header.due {
        let need = K::next(item, now).need();
        let desk = need.map_or(Desk::Runs, Desk::Person);
        let partition = DuePartition { project, desk, shard };
        row = row.text("due_pk", partition.key()).text("due_sk", key::due_sk(due, lane, hash));
    }
    if item.body.is_listed() {
        row = row
            .text("list_pk", key::list_pk(K::NAME, &header.project, shard))
            .text("list_sk", key::list_sk(header.created_at, hash));
    }
    if let Some(expires) = K::expires(item).filter(|_| ends(item, now)) {
        row = row.number("ttl", expires.seconds());
    }
    let unpackable = |cause| StoreError::Unpackable { key: pk.clone(), cause };
    let (place, inside, beside) = place(item.body.payload(), &pk)?;
    let json = serde_json::to_vec(&Written(header, &item.body, place));
    let json = json.map_err(|error| unpackable(error.into()))?;
    row = row.bytes(PACKED, packed::pack(&json, inside).map_err(unpackable)?);
    if let Some(beside) = beside {
        row = row.bytes(PAYLOAD, beside.to_vec());
    }
    Ok(row.text("pk", pk).finish())
}

fn ends<K: Kind>(item: &Item<K>, now: Timestamp) -> bool {
    item.header.children.is_empty() && matches!(K::next(item, now), Next::Nothing)
}

/// The size of an item in bytes of JSON, without a payload in its own attribute.
pub(super) fn size(row: &Row) -> usize {
    Reader(row).bytes(PACKED).map_or(0, packed::size)
}

type Placed<'a> = (Option<Place>, &'a [u8], Option<&'a [u8]>);

/// The place of a payload, its bytes in the compressed attribute, and its bytes in its own attribute.
fn place<'a>(payload: Option<&'a Payload>, pk: &str) -> Result<Placed<'a>, StoreError> {
    Ok(match payload {
        None => (None, &[], None),
        Some(Payload::Plain(bytes)) if bytes.len() <= Payload::SMALL => {
            (Some(Place::Packed), bytes, None)
        }
        Some(Payload::Plain(bytes)) => (Some(Place::Plain(bytes.len())), &[], Some(bytes)),
        Some(Payload::Zstd { bytes, size }) => (Some(Place::Zstd(*size)), &[], Some(bytes)),
        Some(Payload::Blob { key, size }) => (Some(Place::Blob(key.clone(), *size)), &[], None),
        Some(Payload::NotRead { .. }) => return Err(StoreError::NotRead(pk.to_owned())),
    })
}

/// Decodes the item in a row. The compressed data must match the attributes that the conditions of writes
/// use.
pub(super) fn decode<K: Kind>(row: &Row) -> Result<Item<K>, StoreError> {
    let reader = Reader(row);
    let (json, inside) =
        packed::unpack(reader.bytes(PACKED)?).ok_or_else(|| reader.corrupt(PACKED))?;
    let read = serde_json::from_slice::<Read<K>>(&json).map_err(|_| reader.corrupt(PACKED))?;
    let Read(mut header, mut body, place) = read;
    let (kind, project, id) = key::parts(reader.text("pk")?).ok_or_else(|| reader.corrupt("pk"))?;
    if kind != K::NAME {
        return Err(reader.corrupt("pk"));
    }
    identify(&mut header, &reader, project, id)?;
    if let Some(place) = place {
        body = body.with_payload(payload(place, inside, &reader));
    }
    let digest = body.digest();
    if digest.as_ref().map(Digest::as_bytes).map(<[u8; 32]>::as_slice)
        != reader.bytes("digest").ok()
    {
        return Err(reader.corrupt("digest"));
    }
    Ok(Item { header, body })
}

fn payload(place: Place, inside: Vec<u8>, reader: &Reader<'_>) -> Payload {
    let beside = |size| match reader.bytes(PAYLOAD) {
        Ok(bytes) => Ok(bytes.to_vec()),
        Err(_) => Err(Payload::NotRead { size }),
    };
    match place {
        Place::Packed => Payload::Plain(inside),
        Place::Plain(size) => beside(size).map_or_else(|missing| missing, Payload::Plain),
        Place::Zstd(size) => {
            beside(size).map_or_else(|missing| missing, |bytes| Payload::Zstd { bytes, size })
        }
        Place::Blob(key, size) => Payload::Blob { key, size },
    }
}

/// The part of a row that is the same for every kind.
#[derive(Clone, Debug, PartialEq)]
pub struct Seen {
    /// The name of the kind.
    pub kind: String,
    /// The header.
    pub header: Header,
    /// The part of the index `due` with the entry of the item; `None` if it has no entry.
    pub desk: Option<Desk>,
}

/// Reads a row without knowing its kind.
///
/// # Errors
///
/// If the row is not an item, or is damaged.
pub fn see(row: &Row) -> Result<Seen, StoreError> {
    let reader = Reader(row);
    let (json, _) = packed::unpack(reader.bytes(PACKED)?).ok_or_else(|| reader.corrupt(PACKED))?;
    let read = serde_json::from_slice::<Read<IgnoredAny>>(&json);
    let Read(mut header, _, _) = read.map_err(|_| reader.corrupt(PACKED))?;
    let (kind, project, id) = key::parts(reader.text("pk")?).ok_or_else(|| reader.corrupt("pk"))?;
    identify(&mut header, &reader, project, id)?;
    let desk = match reader.optional_text("due_pk") {
        None => None,
        Some(pk) => Some(DuePartition::read(pk).ok_or_else(|| reader.corrupt("due_pk"))?.desk),
    };
    Ok(Seen { kind: kind.to_owned(), header, desk })
}

/// Fills in the header fields that have their own attributes.
fn identify(
    header: &mut Header,
    reader: &Reader<'_>,
    project: &str,
    id: &str,
) -> Result<(), StoreError> {
    project.clone_into(&mut header.project);
    id.clone_into(&mut header.id);
    header.version = reader.number("version")?;
    header.due = match reader.optional_text("due_sk") {
        None => None,
        Some(sk) => Some(key::read_due_sk(sk).ok_or_else(|| reader.corrupt("due_sk"))?.0),
    };
    Ok(())
}
