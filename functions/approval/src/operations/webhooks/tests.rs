use std::time::Duration;

use lambda_http::http::Method;
use placet_core::item::Write;
use placet_core::operation::{
    Actor, Command, Content, NewOperation, OperationId, Specification, Verdict,
};
use placet_runtime::{Access, Role};
use serde_json::json;

use super::*;
use crate::testing::{NOW, approval, call, request};

/// The store does not answer here, so the test fails if a delivery that does not exist yet is read.
#[tokio::test]
async fn a_delivery_that_does_not_exist_yet_is_not_read() {
    let app = approval(Role::Admin, Access::Closed);
    let request = request(&Method::GET, "/", &[]);
    let call = call(&app, &request);
    let content = Content::Call { function: "f".to_owned(), kwargs: json!({}) };
    let id = OperationId::call("default", "c");
    let new = NewOperation::plain(
        id.clone(),
        "r",
        Specification::of(content),
        Duration::from_secs(60),
        Actor::Test,
    );
    let pending = Operation::create(new, &Write::new("1", NOW));
    let deny = Command::Decide {
        verdict: Verdict::Deny,
        comment: String::new(),
        option: None,
        by: Actor::Test,
        seen: None,
        notify: call.runtime().notices(&pending),
    };
    let denied = pending.apply(&deny, &Write::new("2", NOW)).unwrap();
    for operation in [pending, denied.clone()] {
        let shown = webhooks(&call, &operation).await.unwrap();
        let expected = json!([{"endpoint": "billing", "event_type": "v1beta2.function_call.completed",
            "number": 1,
            "delivery_id": Notice::delivery_id("billing", &id, Event::Completed, 1), "state": null}]);
        assert_eq!(serde_json::to_value(shown).unwrap(), expected);
    }
    let mut created = denied;
    created.header.children.clear();
    assert!(matches!(webhooks(&call, &created).await, Err(Error::Unavailable(_))));
}
