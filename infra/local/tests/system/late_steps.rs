//! Lambda stops a worker function after 30 s, and an attempt may take 25 s.

use std::time::Duration;

use placet_core::operation::State;
use serde_json::json;

use crate::client::call;
use crate::receiver::{Receiver, Reply};
use crate::world::World;

/// The upstream approver answers slowly and approves. The operation starts in its own invocation: in this
/// one, Lambda would stop the attempt, and its outcome would be unknown.
#[tokio::test]
async fn an_attempt_does_not_start_late_in_an_invocation() {
    let server = Receiver::start().await;
    let base_url = format!("http://127.0.0.1:{}/humanlayer/v1", server.port);
    let approver = format!("{{humanlayer: {{base_url: '{base_url}', api_key: env:THEIRS}}}}");
    let building = World::building().defaults(&format!("approver: {approver}"));
    let world = building.secret("THEIRS", "k").start().await;
    let spec = json!({"fn": "charge_once", "kwargs": {"amount": 7}});
    let approved = json!({"run_id": "run", "call_id": "call-1", "spec": spec,
        "status": {"approved": true, "comment": ""}});
    server.answers([
        Reply::After(Duration::from_millis(2500), 404),
        Reply::Body(200, approved.to_string().into_bytes()),
    ]);
    world.client().request_approval(&call("call-1", "charge_once")).await;

    let report = world.work().await;

    assert_eq!(world.ended("call-1").await, (State::Succeeded, 1));
    assert_eq!(report.batches, 2, "{report:?}");
    world.finish().await;
}
