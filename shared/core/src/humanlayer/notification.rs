use serde_json::{Map, Value, json};

use super::{Addresses, create_body};
use crate::item::Item;
use crate::operation::{Entry, Event, Occurrence, Operation};

/// The members of an escalation in the history that an event shows.
const ESCALATION: [&str; 4] = ["message", "recipients", "to", "people"];

/// The object of an event other than that of the decision.
///
/// It has what the requester wrote, the event, and the addresses at which a person acts. It has no decision, even if
/// the operation has one by now: a later attempt sends the same bytes as the first.
pub(super) fn notification(
    operation: &Item<Operation>,
    occurrence: &Occurrence,
    addresses: &Addresses,
) -> Value {
    let Occurrence { event, number, at } = *occurrence;
    let mut object = create_body(operation);
    let mut set = |name: &str, value: Value| object[name] = value;
    set("status", json!({"requested_at": operation.header.created_at.to_string()}));
    set("digest", json!(operation.digest));
    set("deadline", operation.deadline.to_string().into());
    set("occurred_at", at.to_string().into());
    set("number", number.into());
    if let Some(page) = &addresses.page {
        set("page", page.as_str().into());
    }
    if let Some(link) = &addresses.link {
        set("decision_link", link.as_str().into());
    }
    let entry = operation.entry_of(occurrence);
    match event {
        Event::Reminded if operation.awaits_decision_at(occurrence) => {
            set("waits_for", "decision".into());
        }
        Event::Reminded => set("waits_for", "settlement".into()),
        Event::Escalated => set("escalation", entry.map(escalation).into()),
        Event::Failed | Event::Blocked | Event::Unknown => {
            set("failure", entry.map(failure).into())
        }
        Event::Requested | Event::Completed | Event::Expired => {}
    }
    object
}

fn escalation(entry: &Entry) -> Value {
    let member = |name: &str| Some((name.to_owned(), entry.detail.get(name)?.clone()));
    ESCALATION.into_iter().filter_map(member).collect::<Map<_, _>>().into()
}

/// Why the call failed, cannot run or may have run. A person who settles an outcome as not happened writes a comment.
fn failure(entry: &Entry) -> Value {
    let detail = &entry.detail;
    let settled = (entry.event == "settled").then(|| json!("settled"));
    json!({
        "code": settled.unwrap_or_else(|| detail["code"].clone()),
        "message": detail.get("message").or_else(|| detail.get("comment")),
    })
}

#[cfg(test)]
mod tests;
