//! The list of a tenant's receipts, deliveries or operations, newest first: the index `list` holds keys,
//! items are read after. A request looks at so many keys only; its cursor goes on from there.

use aws_sdk_dynamodb::types::AttributeValue;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use placet_core::{Digest, OperationId, Timestamp};

use super::attributes::Writer;
use super::index::{Cursor, PAGES, Page, Query};
use super::{Item, Store, StoreError, key};

/// How many items are read at once: what is read counts with its body.
const AT_ONCE: usize = 25;

/// Later than anything was created.
const END_OF_TIME: Timestamp = Timestamp::from_millis(999_999_999_999_999);

/// A tenant's list.
#[derive(Clone, Copy, Debug)]
pub(super) struct List<'a> {
    pub(super) tenant: &'a str,
    pub(super) kind: Kind,
    /// What came before is not on it.
    pub(super) since: Option<Timestamp>,
    /// What came after is not on it.
    pub(super) until: Option<Timestamp>,
    /// The attributes that are read; all if not said.
    pub(super) projection: Option<&'static str>,
}

/// What is listed.
#[derive(Clone, Copy, Debug)]
pub(super) enum Kind {
    Receipt,
    Delivery,
    Operation,
}

impl Kind {
    fn list_pk(self, tenant: &str) -> String {
        match self {
            Self::Receipt => key::receipt_list_pk(tenant),
            Self::Delivery => key::delivery_list_pk(tenant),
            Self::Operation => key::operation_list_pk(tenant),
        }
    }

    fn primary(self, tenant: &str, id: &str) -> Option<Item> {
        match self {
            Self::Receipt => Some(key::receipt(id)),
            Self::Delivery => Some(key::delivery(tenant, id)),
            Self::Operation => OperationId::parse(tenant, id).map(|id| key::operation(&id)),
        }
    }
}

impl List<'_> {
    fn query(&self) -> Query {
        let values = Writer::default()
            .text(":list", self.kind.list_pk(self.tenant))
            .text(":since", self.first())
            .text(":until", self.last());
        let condition = "list_pk = :list AND list_sk BETWEEN :since AND :until";
        Query { index: "list", condition, values: values.finish() }
    }

    fn first(&self) -> String {
        key::list_since(self.since.unwrap_or(Timestamp::from_millis(0)))
    }

    fn last(&self) -> String {
        key::list_until(self.until.unwrap_or(END_OF_TIME))
    }

    /// Whether the list goes on at this place. DynamoDB refuses to start outside of it.
    fn holds(&self, place: &Cursor) -> bool {
        let place = place.list_sk().map(String::as_str).unwrap_or_default();
        (self.first().as_str()..=self.last().as_str()).contains(&place)
    }
}

impl Store {
    /// Up to `limit` of a list's items from `start` on: those whose id is `wanted` and that `read`
    /// makes something of. A page may hold fewer and still have a next one.
    pub(super) async fn list<T>(
        &self,
        list: List<'_>,
        wanted: impl Fn(&str) -> bool,
        read: impl Fn(Item) -> Option<T>,
        limit: usize,
        mut start: Option<Cursor>,
    ) -> Result<Page<T>, StoreError> {
        let mut items = Vec::new();
        let mut last = None;
        if !start.as_ref().is_none_or(|place| list.holds(place)) {
            return Ok(Page { items, next: None });
        }
        for _ in 0..PAGES {
            let page = self.query(list.query(), false, start).await?;
            let fits = |entry: &&Item| id(entry).is_some_and(&wanted);
            let entries: Vec<&Item> = page.items.iter().filter(fits).collect();
            for entries in entries.chunks(AT_ONCE) {
                let found = self.by_entries(entries.iter().copied(), list.projection).await?;
                for (entry, item) in found {
                    let Some(item) = read(item) else { continue };
                    if items.len() == limit {
                        return Ok(Page { items, next: last });
                    }
                    items.push(item);
                    last = Some(Cursor(entry.clone()));
                }
            }
            start = page.next;
            if start.is_none() {
                break;
            }
        }
        Ok(Page { items, next: start })
    }
}

/// A cursor as text: where it is and a digest, so that one that was not ours is refused.
impl Cursor {
    /// Reads the text of a place in the list of receipts.
    pub fn receipt(tenant: &str, text: &str) -> Option<Self> {
        Self::read(Kind::Receipt, tenant, text)
    }

    /// Reads the text of a place in the list of deliveries.
    pub fn delivery(tenant: &str, text: &str) -> Option<Self> {
        Self::read(Kind::Delivery, tenant, text)
    }

    /// Reads the text of a place in the list of operations.
    pub fn operation(tenant: &str, text: &str) -> Option<Self> {
        Self::read(Kind::Operation, tenant, text)
    }

    /// The text of a place in one of these lists.
    pub fn text(&self) -> Option<String> {
        let list_pk = self.0.get("list_pk")?.as_s().ok()?;
        let list_sk = self.list_sk()?;
        let text = format!("{list_sk}#{}", check(list_pk, list_sk));
        Some(URL_SAFE_NO_PAD.encode(text))
    }

    fn read(kind: Kind, tenant: &str, text: &str) -> Option<Self> {
        let text = String::from_utf8(URL_SAFE_NO_PAD.decode(text).ok()?).ok()?;
        let (list_sk, digest) = text.rsplit_once('#')?;
        let (_, id) = list_sk.split_once('#')?;
        let list_pk = kind.list_pk(tenant);
        if check(&list_pk, list_sk) != digest {
            return None;
        }
        let list = Writer::default().text("list_pk", list_pk).text("list_sk", list_sk);
        let mut place = list.finish();
        place.extend(kind.primary(tenant, id)?);
        Some(Self(place))
    }

    fn list_sk(&self) -> Option<&String> {
        self.0.get("list_sk").and_then(|value: &AttributeValue| value.as_s().ok())
    }
}

fn check(list_pk: &str, list_sk: &str) -> String {
    let digest = Digest::of_bytes(format!("{list_pk}\n{list_sk}").as_bytes());
    digest.to_string().chars().take(12).collect()
}

/// The id in a key of the index.
fn id(entry: &Item) -> Option<&str> {
    entry.get("list_sk")?.as_s().ok()?.split_once('#').map(|(_, id)| id)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_reads_its_own_text_only() {
        let list_sk = key::list_sk(Timestamp::from_millis(7), "github.ab12");
        let list = Writer::default().text("list_pk", key::receipt_list_pk("t"));
        let mut place = list.text("list_sk", list_sk).finish();
        place.extend(key::receipt("github.ab12"));
        let text = Cursor(place.clone()).text().unwrap();
        assert_eq!(Cursor::receipt("t", &text).unwrap().0, place);
        assert!(Cursor::receipt("other", &text).is_none());
        assert!(Cursor::delivery("t", &text).is_none());
        for at in 0..text.len() {
            let mut other = text.clone().into_bytes();
            other[at] = if other[at] == b'A' { b'B' } else { b'A' };
            let other = String::from_utf8(other).unwrap();
            assert!(Cursor::receipt("t", &other).is_none(), "{other}");
        }
        for wrong in ["", "x", "%", &text[1..]] {
            assert!(Cursor::receipt("t", wrong).is_none(), "{wrong}");
        }
    }
}
