use std::time::Duration;

use placet_core::humanlayer;
use placet_core::item::{Item, Write};
use placet_core::operation::{
    Actor, Command, NewOperation, Operation, OperationId, OperationKind, Verdict,
};
use placet_runtime::problem;

use super::*;
use crate::testing::{NOW, read};

/// An operation whose specification has members that Placet does not know.
fn created(kind: OperationKind) -> Item<Operation> {
    let spec = json!({"fn": "f", "kwargs": {"a": 1}, "msg": "m", "subject": "s", "state": {"n": 1},
        "channel": {"email": {"address": "a@x", "template": "t"}}, "colour": "red"});
    let body = json!({"run_id": "r", "call_id": "c", "spec": spec}).to_string();
    let new = humanlayer::create(kind, body.as_bytes()).unwrap();
    let new = NewOperation::plain(
        OperationId::new("default", kind, "c"),
        new.run_id,
        new.specification,
        Duration::from_secs(60),
        Actor::api("k1", ""),
    );
    Operation::create(new, &Write::new("1", NOW))
}

/// The operation in every state that a client can see.
fn stages(kind: OperationKind) -> Vec<Item<Operation>> {
    let created = created(kind);
    let decide = |verdict| Command::Decide {
        verdict,
        comment: "words".to_owned(),
        option: Some("later".to_owned()),
        by: Actor::LOCAL,
        seen: None,
        notify: Vec::new(),
    };
    let cancel =
        Command::Cancel { reason: String::new(), by: Actor::api("k1", ""), notify: Vec::new() };
    let verdicts: &[Verdict] = match kind {
        OperationKind::FunctionCall => &[Verdict::Approve, Verdict::Deny],
        OperationKind::HumanContact => &[Verdict::Answer],
    };
    let commands = verdicts.iter().map(|verdict| decide(*verdict)).chain([cancel]);
    let ended = commands.map(|command| created.apply(&command, &Write::new("2", NOW)).unwrap());
    let mut stages: Vec<_> = ended.collect();
    stages.push(created);
    stages
}

#[test]
fn replies_of_humanlayers_api_have_the_documented_shape() {
    for kind in OperationKind::ALL {
        for operation in stages(kind) {
            for now in [NOW, NOW.plus(Duration::from_secs(61))] {
                let item = humanlayer::item(&operation, now);
                let read = match kind {
                    OperationKind::FunctionCall => {
                        serde_json::from_value::<HumanLayerCall>(item.clone()).map(|_| ())
                    }
                    OperationKind::HumanContact => {
                        serde_json::from_value::<HumanLayerContact>(item.clone()).map(|_| ())
                    }
                };
                assert!(read.is_ok(), "{read:?} {item}");
            }
        }
    }
}

#[test]
fn problems_have_the_documented_shape() {
    for problem in
        [problem::Problem::not_found("nothing"), problem::Problem::invalid_body("/a", "b")]
    {
        let (_, _, body) = read(&problem.clone().into_response());
        serde_json::from_value::<Problem>(body).unwrap();
        let (_, _, body) = read(&problem.into_detail());
        serde_json::from_value::<Detail>(body).unwrap();
    }
}
