//! What is new since the last look, in the newest items of each list.

use std::collections::BTreeMap;

use placet_core::operation::Actor;
use placet_core::percent;
use placet_runtime::Clock;
use serde::Deserialize as _;
use serde_json::{Value, json};

use super::deliveries::{self, Notifications, delivery};
use super::happening::{Happening, Payload};
use super::text;
use crate::Failure;
use crate::server::Server;

/// The items of a list as they were at the last look, by id.
type Known = BTreeMap<String, Value>;

/// What the last look at a project has seen: the newest hundred of each.
pub struct Watch {
    server: Server,
    since: String,
    operations: Known,
    receipts: Known,
    deliveries: Known,
    /// How many entries of its history are shown, by operation.
    shown: BTreeMap<String, usize>,
    notifications: Notifications,
}

/// An item that is new or changed, with its former self.
struct Change {
    id: String,
    now: Value,
    before: Option<Value>,
}

impl Watch {
    /// Remembers what is there. Only what happens later is shown.
    pub async fn start(server: Server) -> Result<Self, Failure> {
        let mut watch = Self {
            server,
            since: Clock::System.now().to_string(),
            operations: Known::new(),
            receipts: Known::new(),
            deliveries: Known::new(),
            shown: BTreeMap::new(),
            notifications: Notifications::default(),
        };
        for (path, known) in [
            ("operations", &mut watch.operations),
            ("receipts", &mut watch.receipts),
            ("deliveries", &mut watch.deliveries),
        ] {
            changes(&watch.server, path, known).await?;
        }
        Ok(watch)
    }

    /// The project.
    pub fn project(&self) -> &str {
        self.server.project()
    }

    /// What happened since the last look.
    pub async fn look(&mut self) -> Result<Vec<Happening>, Failure> {
        let mut happened = self.receipts().await?;
        happened.extend(self.operations().await?);
        happened.extend(self.deliveries().await?);
        Ok(happened)
    }

    async fn receipts(&mut self) -> Result<Vec<Happening>, Failure> {
        let server = &self.server;
        let mut happened = Vec::new();
        for change in changes(server, "receipts", &mut self.receipts).await? {
            let id = percent::encode(&change.id);
            let whole = match change.before {
                None => Some(server.get(&format!("/v1/receipts/{id}")).await?),
                Some(_) => None,
            };
            happened.extend(receipt(&change, whole.as_ref()));
        }
        Ok(happened)
    }

    async fn operations(&mut self) -> Result<Vec<Happening>, Failure> {
        let server = &self.server;
        let mut happened = Vec::new();
        for change in changes(server, "operations", &mut self.operations).await? {
            let whole =
                server.get(&format!("/v1/operations/{}", operation_path(&change.now))).await?;
            let entries = whole["history"].as_array().map(Vec::as_slice).unwrap_or_default();
            let before = entries.iter().filter(|entry| text(entry, "at") < self.since.as_str());
            let shown = self.shown.insert(change.id.clone(), entries.len());
            happened.extend(operation(&change.id, &whole, shown.unwrap_or(before.count())));
            self.notifications.expect(&change.id, &whole);
        }
        self.shown.retain(|id, _| self.operations.contains_key(id));
        self.notifications.retain(|id| self.operations.contains_key(id));
        Ok(happened)
    }

    async fn deliveries(&mut self) -> Result<Vec<Happening>, Failure> {
        let server = &self.server;
        let mut happened = Vec::new();
        for change in changes(server, "deliveries", &mut self.deliveries).await? {
            let whole = match change.before {
                None => deliveries::whole(server, &change.id).await?,
                Some(_) => None,
            };
            let payload = whole.as_ref().and_then(Payload::body);
            happened.push(delivery(&change.id, &change.now, payload));
            self.notifications.shown(&change.id);
        }
        happened.extend(self.notifications.accepted(server, &self.since).await?);
        Ok(happened)
    }
}

/// The new and changed items of a list, oldest first.
async fn changes(server: &Server, list: &str, known: &mut Known) -> Result<Vec<Change>, Failure> {
    let page = server.get(&format!("/v1/{list}?limit=100")).await?;
    let items = page["items"].as_array().cloned().unwrap_or_default();
    let mut before = std::mem::take(known);
    let mut changed = Vec::new();
    for now in items {
        let id = match now["call_id"].as_str() {
            Some(call_id) => format!("{}/{call_id}", text(&now, "kind")),
            None => text(&now, "id").to_owned(),
        };
        known.insert(id.clone(), now.clone());
        let before = before.remove(&id);
        if before.as_ref() != Some(&now) {
            changed.push(Change { id, now, before });
        }
    }
    changed.reverse();
    Ok(changed)
}

fn operation_path(operation: &Value) -> String {
    format!("{}/{}", text(operation, "kind"), percent::encode(text(operation, "call_id")))
}

/// The entries of its history that are not shown yet.
fn operation(id: &str, whole: &Value, shown: usize) -> Vec<Happening> {
    let entries = whole["history"].as_array().map(Vec::as_slice).unwrap_or_default();
    let happening = |(index, entry): (usize, &Value)| {
        let last = index + 1 == entries.len();
        let particulars = particulars(&entry["detail"]);
        let payload = match text(entry, "event") {
            "created" => requested(whole),
            "succeeded" | "failed" | "unknown" if last => whole["outcome"].clone(),
            _ => particulars,
        };
        let attempt = entry["detail"]["attempt"].as_u64();
        let attempt = attempt.map(|attempt| format!(", attempt {attempt}"));
        Happening {
            project: None,
            at: text(entry, "at").to_owned(),
            what: "operation",
            state: text(entry, "event").to_owned(),
            id: id.to_owned(),
            note: format!("by {}{}", actor(&entry["by"]), attempt.unwrap_or_default()),
            payload: Payload::json(payload),
        }
    };
    entries.iter().enumerate().skip(shown).map(happening).collect()
}

/// An actor in words; what a newer system wrote is shown as it came.
fn actor(by: &Value) -> String {
    Actor::deserialize(by).map_or_else(|_| by.to_string(), |actor| actor.to_string())
}

/// The call or the question.
fn requested(operation: &Value) -> Value {
    let named = |name: &str| (name.to_owned(), operation[name].clone());
    let members = ["fn", "kwargs", "msg", "subject", "response_options"].map(named);
    without_nothing(members)
}

/// What an entry of a history says besides its attempt, its digest and its times.
fn particulars(detail: &Value) -> Value {
    const LEFT_OUT: [&str; 5] = ["attempt", "digest", "deadline", "until", "not_before"];
    let members = detail.as_object().cloned().unwrap_or_default();
    without_nothing(members.into_iter().filter(|(name, _)| !LEFT_OUT.contains(&name.as_str())))
}

fn without_nothing(members: impl IntoIterator<Item = (String, Value)>) -> Value {
    let says = |value: &Value| !value.is_null() && value != "" && *value != json!([]);
    Value::Object(members.into_iter().filter(|(_, value)| says(value)).collect())
}

/// A webhook that came, and what came of it.
fn receipt(change: &Change, whole: Option<&Value>) -> Vec<Happening> {
    let now = &change.now;
    let source = text(now, "source");
    let came = whole.map(|whole| Happening {
        project: None,
        at: text(now, "received_at").to_owned(),
        what: "webhook",
        state: "received".to_owned(),
        id: change.id.clone(),
        note: format!("from {source}"),
        payload: Payload::body(whole),
    });
    let kind = now["type"].as_str().map(|kind| format!(", {kind}"));
    let came_of_it = (text(now, "state") != "received").then(|| Happening {
        project: None,
        at: Clock::System.now().to_string(),
        what: "webhook",
        state: text(now, "state").to_owned(),
        id: change.id.clone(),
        note: format!("from {source}{}: {}", kind.unwrap_or_default(), text(now, "note")),
        payload: None,
    });
    came.into_iter().chain(came_of_it).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(happenings: &[Happening]) -> String {
        let lines: Vec<String> = happenings.iter().map(ToString::to_string).collect();
        anstream::adapter::strip_str(&lines.join("\n")).to_string()
    }

    #[test]
    fn an_operation_is_shown_from_its_request_to_its_outcome() {
        let entry = |second: u8, event: &str, detail: Value| json!({"at": format!("2026-11-30T20:39:{second:02}.000Z"), "event": event, "by": {"channel": "api", "key": "0123456789ab", "name": "ci"}, "detail": detail});
        let whole = json!({
            "fn": "deploy", "kwargs": {"version": 7, "notes": "two\nlines", "to": ["a", null], "if": {}},
            "outcome": {"result": true},
            "history": [
                entry(0, "created", json!({"deadline": 1, "digest": "d"})),
                entry(1, "approved", json!({"comment": "go ahead", "digest": "d", "option": null})),
                entry(2, "started", json!({"attempt": 1, "until": 2})),
                entry(3, "succeeded", json!({"attempt": 1})),
            ],
        });
        insta::assert_snapshot!(lines(&operation("function_call/1", &whole, 0)), @r#"
        20:39:00.000 operation created   function_call/1 by api ci
            {
              "fn": "deploy",
              "kwargs": {
                "version": 7,
                "notes": "two\nlines",
                "to": [
                  "a",
                  null
                ],
                "if": {}
              }
            }
        20:39:01.000 operation approved  function_call/1 by api ci
            {
              "comment": "go ahead"
            }
        20:39:02.000 operation started   function_call/1 by api ci, attempt 1
        20:39:03.000 operation succeeded function_call/1 by api ci, attempt 1
            {
              "result": true
            }
        "#);
        assert_eq!(operation("function_call/1", &whole, 3).len(), 1);
    }

    #[test]
    fn a_webhook_is_shown_when_it_comes_and_when_it_is_processed() {
        let mut now = json!({"source": "github", "state": "received", "received_at": "2026-11-30T20:39:00.000Z"});
        let change =
            |now: &Value| Change { id: "github.1".to_owned(), now: now.clone(), before: None };
        let whole = json!({"body": "a=1\n\u{1b}[2J"});
        insta::assert_snapshot!(lines(&receipt(&change(&now), Some(&whole))), @r"
        20:39:00.000 webhook   received  github.1 from github
            a=1
            \u{1b}[2J
        ");
        now["state"] = "failed".into();
        now["type"] = "issues.opened".into();
        now["note"] = "there is no operation 7".into();
        let happened = receipt(&change(&now), None);
        assert_eq!((happened.len(), happened[0].state.as_str()), (1, "failed"));
        assert_eq!(happened[0].note, "from github, issues.opened: there is no operation 7");
    }
}
