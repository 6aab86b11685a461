//! Outgoing webhooks: those that the API lists, and notifications that were accepted at once, which it does not
//! list.

use std::collections::BTreeMap;

use placet_core::percent;
use serde_json::Value;

use super::happening::{Happening, Payload};
use super::text;
use crate::Failure;
use crate::server::Server;

/// The notifications of operations, by the id of their delivery.
#[derive(Default)]
pub struct Notifications(BTreeMap<String, Notification>);

struct Notification {
    /// The operation it is about.
    operation: String,
    /// Whether its delivery is shown.
    shown: bool,
}

impl Notifications {
    /// Expects the notifications of an operation from now on: of its events so far, and of its decision once it has one.
    pub fn expect(&mut self, operation: &str, whole: &Value) {
        let webhooks = whole["webhooks"].as_array().map(Vec::as_slice).unwrap_or_default();
        let decided = text(whole, "state") != "pending";
        let kept = |webhook: &&Value| {
            let took_place = decided || !text(webhook, "event_type").ends_with(".completed");
            took_place && webhook["state"] != "no_longer_kept"
        };
        for webhook in webhooks.iter().filter(kept) {
            let notification = Notification { operation: operation.to_owned(), shown: false };
            self.0.entry(text(webhook, "delivery_id").to_owned()).or_insert(notification);
        }
    }

    /// Its delivery is in the list, or was shown.
    pub fn shown(&mut self, delivery: &str) {
        if let Some(notification) = self.0.get_mut(delivery) {
            notification.shown = true;
        }
    }

    /// Forgets those of operations that are not looked at any more.
    pub fn retain(&mut self, known: impl Fn(&str) -> bool) {
        self.0.retain(|_, notification| known(&notification.operation));
    }

    /// Those that were accepted at once since the last look. The others come in the list.
    pub async fn accepted(
        &mut self,
        server: &Server,
        since: &str,
    ) -> Result<Vec<Happening>, Failure> {
        let mut accepted = Vec::new();
        for (id, notification) in self.0.iter_mut().filter(|(_, one)| !one.shown) {
            let Some(whole) = whole(server, id).await? else { continue };
            if text(&whole, "state") != "delivered" {
                continue;
            }
            notification.shown = true;
            if text(&whole, "changed_at") >= since {
                accepted.push(delivery(id, &whole, Payload::body(&whole)));
            }
        }
        Ok(accepted)
    }
}

/// A delivery with its body, if there is one of this id.
pub async fn whole(server: &Server, id: &str) -> Result<Option<Value>, Failure> {
    server.find(&format!("/v1/deliveries/{}", percent::encode(id))).await
}

/// How far an outgoing webhook has come, and what is sent.
pub fn delivery(id: &str, now: &Value, payload: Option<Payload>) -> Happening {
    let status = now["last_status"].as_u64().map(|status| format!(", answer {status}"));
    let error = now["last_error"].as_str().map(|error| format!(", {error}"));
    let answer = status.or(error).unwrap_or_default();
    let (endpoint, event) = (text(now, "endpoint"), text(now, "event_type"));
    Happening {
        project: None,
        at: text(now, "changed_at").to_owned(),
        what: "delivery",
        state: text(now, "state").to_owned(),
        id: id.to_owned(),
        note: format!("{event} to {endpoint}, attempts {}{answer}", now["attempts"]),
        payload,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_delivery_is_shown_with_its_last_answer_and_what_is_sent() {
        let now = json!({
            "changed_at": "2026-11-30T20:39:00.000Z", "state": "pending", "attempts": 2, "endpoint": "app",
            "event_type": "function_call.completed", "last_status": 503, "last_error": null,
            "body": r#"{"call_id": "1", "status": {"approved": true}}"#,
        });
        let happening = delivery("msg_1", &now, Payload::body(&now));
        let plain = anstream::adapter::strip_str(&happening.to_string()).to_string();
        insta::assert_snapshot!(plain, @r#"
        20:39:00.000 delivery  pending   msg_1 function_call.completed to app, attempts 2, answer 503
            {
              "call_id": "1",
              "status": {
                "approved": true
              }
            }
        "#);
    }

    #[test]
    fn a_notification_is_expected_once_its_event_took_place() {
        let mut notifications = Notifications::default();
        let operation = |state: &str, delivery: Option<&str>| {
            let event = "v1beta2.function_call.completed";
            let webhooks =
                [json!({"delivery_id": "msg_1", "event_type": event, "state": delivery})];
            json!({"state": state, "webhooks": webhooks})
        };
        notifications.expect("function_call/1", &operation("pending", None));
        notifications.expect("function_call/1", &operation("approved", Some("no_longer_kept")));
        assert!(notifications.0.is_empty());
        notifications.expect("function_call/1", &operation("approved", None));
        notifications.shown("msg_1");
        notifications.expect("function_call/1", &operation("succeeded", Some("delivered")));
        assert!(notifications.0["msg_1"].shown);
        notifications.retain(|operation| operation == "function_call/2");
        assert!(notifications.0.is_empty());
        let requested = json!({"delivery_id": "msg_2", "event_type": "v1beta2.function_call.requested", "state": null});
        let pending = json!({"state": "pending", "webhooks": [requested]});
        notifications.expect("function_call/1", &pending);
        assert!(notifications.0.contains_key("msg_2"));
    }
}
