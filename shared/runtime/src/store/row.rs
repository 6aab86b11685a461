//! The one codec: an item of any kind as a row, and back.
//!
//! Header and body are one compressed attribute, together with a small payload; a larger payload stands
//! beside them. What an index or a condition needs stands beside them, too, and only there.

use placet_core::item::{Header, Item, Kind, Lane, Next};
use placet_core::{Digest, Payload, Timestamp};
use serde::de::IgnoredAny;
use serde::{Deserialize, Serialize};

use super::attributes::{Reader, Writer};
use super::key::{self, Desk, DuePartition, SHARDS};
use super::{Row, StoreError, packed};

/// The compressed attribute. Its name tells which sample it was compressed with.
const PACKED: &str = "item1";

/// Where a larger payload stands.
const PAYLOAD: &str = "payload";

/// The attributes of an item without its larger payload, for lists.
pub(super) const WITHOUT_PAYLOAD: &str = "pk, sk, version, digest, due_sk, item1";

/// What the JSON in [`PACKED`] holds.
#[derive(Serialize)]
struct Written<'a, K>(&'a Header, &'a K, Option<Place>);

#[derive(Deserialize)]
struct Read<K>(Header, K, Option<Place>);

/// Where the payload is.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Place {
    /// Compressed together with the rest.
    Packed,
    /// In its own attribute, as it is.
    Plain(usize),
    /// In its own attribute, compressed; of this size without.
    Zstd(usize),
    /// In the blob store.
    Blob(String, usize),
}

/// The row of an item. `lane` is the one that its entry in `due` names.
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

/// How large an item is in JSON, without a payload beside it.
pub(super) fn size(row: &Row) -> usize {
    Reader(row).bytes(PACKED).map_or(0, packed::size)
}

type Placed<'a> = (Option<Place>, &'a [u8], Option<&'a [u8]>);

/// Where a payload goes, its bytes in the compressed attribute, and those in its own.
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

/// The item in a row. What is compressed has to be what the conditions of writes look at.
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

/// What a row says about its item, whatever its kind.
#[derive(Clone, Debug, PartialEq)]
pub struct Seen {
    /// The name of its kind.
    pub kind: String,
    /// Its header.
    pub header: Header,
    /// In which part of the index `due` its entry is, if it has one.
    pub desk: Option<Desk>,
}

/// Reads a row without knowing its kind.
///
/// # Errors
///
/// If the row holds no item, or a damaged one.
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

/// Fills in what stands beside the compressed attribute.
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
