//! The keys of rows. Kinds, projects and names contain no `#`, so no two rows have the same key.
//!
//! | row | `pk` | `sk` |
//! | --- | --- | --- |
//! | an item | `operation#default#function_call/call-1` | `item` |
//! | a claim of a signature or a body | `claim#default#…` | `claim` |
//! | a disabled or paused endpoint | `endpoint#default#billing` | `endpoint` |
//! | an API key, by its digest | `key#…` | `key` |
//! | a session of a person | `session#…` | `session` |
//! | how far the timer came | `timer` | `timer` |
//!
//! A DynamoDB partition takes about 1,000 write units a second. A full partition of an index throttles the
//! writes to the table. So the partition keys of both indexes contain a shard, which comes from a hash of the
//! row's key. The sort keys end with that hash, so no two entries of a partition are equal.

use aws_sdk_dynamodb::types::AttributeValue;
use placet_core::item::{Kind, Lane, Need};
use placet_core::operation::OperationId;
use placet_core::{Digest, Timestamp};

use super::Row;

/// The number of shards of each index of a project.
pub(super) const SHARDS: u64 = 8;

/// The latest time that a sort key can contain, in about 29,000 years.
const END_OF_TIME: Timestamp = Timestamp::from_millis(999_999_999_999_999);

/// The `sk` of an item's row.
pub(super) const ITEM: &str = "item";

/// A part of the index `due`. Items that wait for a person have their own partitions.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Desk {
    /// Items that do not wait for a person.
    Runs,
    /// Items that wait for a person.
    Person(Need),
}

impl Desk {
    /// All parts.
    pub const ALL: [Self; 3] =
        [Self::Runs, Self::Person(Need::Decision), Self::Person(Need::Settlement)];

    const fn letter(self) -> char {
        match self {
            Self::Runs => 'r',
            Self::Person(Need::Decision) => 'd',
            Self::Person(Need::Settlement) => 's',
        }
    }
}

/// A partition of the index `due`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct DuePartition {
    /// The project of its items.
    pub project: String,
    /// The part of the index.
    pub desk: Desk,
    /// The shard of the part.
    pub shard: u64,
}

impl DuePartition {
    /// All partitions of a project.
    pub fn all(project: &str) -> impl Iterator<Item = Self> {
        let of = move |desk| {
            (0..SHARDS).map(move |shard| Self { project: project.to_owned(), desk, shard })
        };
        Desk::ALL.into_iter().flat_map(of)
    }

    /// The partition key.
    pub fn key(&self) -> String {
        format!("{}#{}{}", self.project, self.desk.letter(), self.shard)
    }

    /// The partition with this key.
    pub(super) fn read(key: &str) -> Option<Self> {
        let (project, rest) = key.rsplit_once('#')?;
        let mut rest = rest.chars();
        let letter = rest.next()?;
        let desk = Desk::ALL.into_iter().find(|desk| desk.letter() == letter)?;
        Some(Self { project: project.to_owned(), desk, shard: rest.as_str().parse().ok()? })
    }
}

pub(super) fn item<K: Kind>(project: &str, id: &str) -> Row {
    primary(item_pk(K::NAME, project, id), ITEM)
}

pub(super) fn item_pk(kind: &str, project: &str, id: &str) -> String {
    format!("{kind}#{project}#{id}")
}

/// The kind, the project and the id in the partition key of an item.
pub(super) fn parts(pk: &str) -> Option<(&str, &str, &str)> {
    let mut parts = pk.splitn(3, '#');
    Some((parts.next()?, parts.next()?, parts.next()?))
}

/// The FNV-1a hash of a key. It must be the same on every machine and in every release.
pub(super) fn hash(pk: &str) -> u64 {
    let step = |hash: u64, byte: u8| (hash ^ u64::from(byte)).wrapping_mul(0x100_0000_01b3);
    pk.bytes().fold(0xcbf2_9ce4_8422_2325, step)
}

pub(super) fn due_sk(due: Timestamp, lane: Lane, hash: u64) -> String {
    format!("{}{}{hash:016x}", moment(due), lane.letter())
}

/// The due time and the lane in a sort key of the index `due`.
pub(super) fn read_due_sk(sk: &str) -> Option<(Timestamp, Lane)> {
    let (millis, rest) = (sk.get(..15)?, sk.get(15..)?);
    let lane = Lane::of_letter(rest.chars().next()?)?;
    Some((Timestamp::from_millis(millis.parse().ok()?), lane))
}

/// A sort key after all entries that are due at `until` or before, and before all later ones.
pub(super) fn due_until(until: Timestamp) -> String {
    format!("{}~", moment(until))
}

pub(super) fn list_pk(list: &str, project: &str, shard: u64) -> String {
    format!("{list}#{project}#{shard}")
}

pub(super) fn list_sk(created_at: Timestamp, hash: u64) -> String {
    format!("{}{hash:016x}", moment(created_at))
}

/// The bounds of the sort keys of items created from `since` to `until`, both included.
pub(super) fn between(since: Option<Timestamp>, until: Option<Timestamp>) -> (String, String) {
    let first = moment(since.unwrap_or(Timestamp::from_millis(0)));
    (first, format!("{}~", moment(until.unwrap_or(END_OF_TIME))))
}

/// A time as a text whose order is the order in time.
fn moment(moment: Timestamp) -> String {
    format!("{:015}", moment.millis().clamp(0, END_OF_TIME.millis()))
}

pub(super) fn claim(project: &str, key: &str) -> Row {
    primary(format!("claim#{project}#{key}"), "claim")
}

pub(super) fn endpoint(project: &str, name: &str) -> Row {
    primary(format!("endpoint#{project}#{name}"), "endpoint")
}

pub(super) fn api_key(digest: Digest) -> Row {
    primary(format!("key#{digest}"), "key")
}

pub(super) fn session(id: &str) -> Row {
    primary(format!("session#{id}"), "session")
}

pub(super) fn timer() -> Row {
    primary("timer".to_owned(), "timer")
}

/// The partition key of an operation's row, for tests that change the row directly.
pub fn operation_pk(id: &OperationId) -> String {
    item_pk("operation", &id.project, &id.path())
}

fn primary(pk: String, sk: &str) -> Row {
    let pair = [("pk", pk), ("sk", sk.to_owned())];
    pair.map(|(name, value)| (name.to_owned(), AttributeValue::S(value))).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sort_keys_sort_by_time_and_can_be_read_back() {
        let at = Timestamp::from_millis;
        let early = due_sk(at(999), Lane::Calls, u64::MAX);
        let late = due_sk(at(1000), Lane::Work, 0);
        assert!(early < late);
        assert_eq!(read_due_sk(&early), Some((at(999), Lane::Calls)));
        assert!(early < due_until(at(999)) && due_until(at(999)) < late);
        let (first, last) = between(Some(at(5)), Some(at(7)));
        for (millis, inside) in [(4, false), (5, true), (7, true), (8, false)] {
            let sk = list_sk(at(millis), 7);
            assert_eq!(first <= sk && sk <= last, inside, "{millis}");
        }
        for wrong in ["", "000000000000999", "00000000000099xw", "000000000000999é"] {
            assert_eq!(read_due_sk(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn a_partition_can_be_read_from_its_key() {
        for partition in DuePartition::all("a-project") {
            assert_eq!(DuePartition::read(&partition.key()), Some(partition));
        }
        for wrong in ["", "default", "default#", "default#x1", "default#r", "default#rx"] {
            assert_eq!(DuePartition::read(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn an_id_may_contain_the_separator() {
        let pk = item_pk("operation", "default", "human_contact/a#b");
        assert_eq!(parts(&pk), Some(("operation", "default", "human_contact/a#b")));
        assert_eq!(parts("timer"), None);
    }

    #[test]
    fn items_spread_evenly_over_shards() {
        let mut used = [0_u32; SHARDS as usize];
        for n in 0..8000 {
            let shard = hash(&item_pk("receipt", "default", &format!("github.{n:040x}"))) % SHARDS;
            used[usize::try_from(shard).unwrap()] += 1;
        }
        assert!(used.iter().all(|count| (800..1200).contains(count)), "{used:?}");
    }
}
