//! Signed decision links: the way in where nothing is open.

use std::time::Duration;

use http::{Method, StatusCode};
use placet_core::{DecisionLink, Digest, Kind, OperationId, Secret, State};
use serde_json::json;

use crate::questions::{question, state_of};
use crate::world::{KEY, LINK_SECRET, TENANT, World};

async fn link(world: &World, call_id: &str) -> DecisionLink {
    let digest = world.operation(call_id).await.digest;
    let expires_at = world.clock.now().plus(Duration::from_secs(600));
    DecisionLink {
        tenant: TENANT.to_owned(),
        kind: Kind::FunctionCall,
        call_id: call_id.to_owned(),
        digest,
        settles: None,
        expires_at,
    }
}

fn path(link: &DecisionLink) -> String {
    format!("/d/{}", link.sign(&Secret::new(LINK_SECRET).unwrap()))
}

#[tokio::test]
async fn a_link_shows_and_decides_and_then_neither_it_nor_its_siblings_decide_again() {
    let world = World::start().await;
    world.create("call-1", "charge").await;
    let link = link(&world, "call-1").await;
    let sibling = DecisionLink {
        expires_at: world.clock.now().plus(Duration::from_secs(900)),
        ..link.clone()
    };
    let before = world.contents().await;
    for _ in 0..50 {
        for method in [Method::GET, Method::HEAD] {
            assert_eq!(world.ask(method, &path(&link)).page().send().await.status, StatusCode::OK);
        }
    }
    assert_eq!(world.contents().await, before, "a scanner opened the link");

    let page = world.get(&path(&link)).page().send().await;
    let form = format!("digest={}&comment=&verdict=approve", page.hidden("digest"));
    let decided = world.post(&path(&link)).form(&form).send().await;
    assert_eq!(decided.status, StatusCode::SEE_OTHER);
    for spent in [path(&link), path(&sibling)] {
        let again = form.replace("approve", "deny");
        let refused = world.post(&spent).form(&again).send().await;
        assert_eq!(refused.status, StatusCode::CONFLICT);
        assert!(refused.text.contains("already has a response"), "{}", refused.text);
    }
    assert_eq!(world.operation("call-1").await.decision.unwrap().by, "link");
    world.settle().await;
    assert_eq!(world.ended("call-1").await, (State::Succeeded, 1));
    world.finish().await;
}

#[tokio::test]
async fn bad_links_all_look_the_same_and_change_nothing() {
    let world = World::start().await;
    world.create("call-1", "charge").await;
    let good = link(&world, "call-1").await;
    let other_key = Secret::new("another key of more than thirty-two bytes").unwrap();
    let expired = DecisionLink { expires_at: world.clock.now(), ..good.clone() };
    let other_content = DecisionLink { digest: Digest::of_bytes(b"other"), ..good.clone() };
    world.advance(Duration::from_millis(1));
    let bad = [
        format!("/d/{}", good.sign(&other_key)),
        format!("{}x", path(&good)),
        "/d/x".to_owned(),
        path(&expired),
        path(&other_content),
    ];
    let before = world.contents().await;
    let form = format!("digest={}&comment=&verdict=approve", good.digest);
    let shown = world.get(&bad[0]).page().send().await.text;
    for path in &bad {
        for answer in
            [world.get(path).page().send().await, world.post(path).form(&form).send().await]
        {
            assert_eq!((answer.status, &answer.text), (StatusCode::FORBIDDEN, &shown), "{path}");
        }
    }
    assert_eq!(world.contents().await, before);
    world.finish().await;
}

#[tokio::test]
async fn a_link_decides_only_on_what_it_shows() {
    let world = World::start().await;
    world.create("call-1", "charge").await;
    let link = link(&world, "call-1").await;
    let form = format!("digest={}&comment=&verdict=approve", Digest::of_bytes(b"other"));
    let refused = world.post(&path(&link)).form(&form).send().await;
    assert_eq!(refused.status, StatusCode::CONFLICT);
    for garbled in ["", "verdict=approve", "digest=x&verdict=approve", "digest=x&verdict=maybe"] {
        let refused = world.post(&path(&link)).form(garbled).send().await;
        assert_eq!(refused.status, StatusCode::BAD_REQUEST, "{garbled}");
    }
    assert_eq!(world.state("call-1").await, State::Pending);
    world.finish().await;
}

#[tokio::test]
async fn pages_of_other_sites_and_other_hosts_are_not_let_in() {
    let world = World::start().await;
    world.create("call-1", "charge").await;
    let digest = world.operation("call-1").await.digest;
    let form = format!("digest={digest}&comment=&verdict=approve");
    let foreign =
        [("origin", "https://evil.example"), ("origin", "null"), ("sec-fetch-site", "cross-site")];
    for (name, value) in foreign {
        let refused = world.post("/inbox/call-1").header(name, value).form(&form).send().await;
        assert_eq!(refused.status, StatusCode::FORBIDDEN, "{name}: {value}");
        let refused = world.post("/purchase-materials").header(name, value).send().await;
        assert_eq!(refused.status, StatusCode::UNAUTHORIZED, "{name}: {value}");
    }
    assert_eq!(world.state("call-1").await, State::Pending);
    world.finish().await;
}

#[tokio::test]
async fn a_denial_brings_the_option_that_was_chosen_and_its_comment() {
    let world = World::start().await;
    let options = json!([{"name": "later", "prompt_fill": "Ask again tomorrow"}]);
    let spec = json!({"fn": "charge", "kwargs": {}, "reject_options": options});
    for (call_id, comment, expected) in [("a", "", "Ask again tomorrow"), ("b", "no", "no")] {
        let body = json!({"run_id": "run", "call_id": call_id, "spec": spec});
        world.post("/humanlayer/v1/function_calls").key(KEY).json(&body).send().await;
        let path = format!("/inbox/{call_id}");
        let digest = world.get(&path).page().send().await.hidden("digest");
        let form =
            |option| format!("digest={digest}&comment={comment}&option={option}&verdict=deny");
        let unknown = world.post(&path).form(&form("never")).send().await;
        assert_eq!(unknown.status, StatusCode::BAD_REQUEST);
        world.post(&path).form(&form("later")).send().await;
        let decision = world.operation(call_id).await.decision.unwrap();
        assert_eq!(
            (decision.option.as_deref(), decision.comment.as_str()),
            (Some("later"), expected)
        );
    }
    world.finish().await;
}

#[tokio::test]
async fn no_link_repeats_what_it_did_once() {
    let world = World::start().await;
    world.create("call-1", "panics").await;
    let decides = link(&world, "call-1").await;
    let digest = decides.digest;
    world
        .post(&path(&decides))
        .form(&format!("digest={digest}&comment=&verdict=approve"))
        .send()
        .await;
    world.work().await;
    assert_eq!(world.state("call-1").await, State::Unknown);

    let settles = DecisionLink { settles: Some(1), ..decides.clone() };
    let again =
        |attempt| format!("digest={digest}&attempt={attempt}&comment=&settlement=run_again");
    let refused = world.post(&path(&decides)).form(&again(1)).send().await;
    assert_eq!(refused.status, StatusCode::FORBIDDEN, "a link that decides does not settle");
    assert_eq!(
        world.post(&path(&settles)).form(&again(1)).send().await.status,
        StatusCode::SEE_OTHER
    );
    world.work().await;
    assert_eq!(
        (world.state("call-1").await, world.operation("call-1").await.attempts),
        (State::Unknown, 2)
    );
    let spent = [(again(1), StatusCode::CONFLICT), (again(2), StatusCode::FORBIDDEN)];
    for (form, status) in spent {
        assert_eq!(world.post(&path(&settles)).form(&form).send().await.status, status);
    }
    assert_eq!(world.operation("call-1").await.attempts, 2);
    world.finish().await;
}

#[tokio::test]
async fn a_link_to_a_question_answers_it_and_not_the_call_of_the_same_id() {
    let world = World::start().await;
    world.create("one", "charge").await;
    question(&world, "one", json!({"msg": "Why?"})).await;
    let id = OperationId::new(TENANT, Kind::HumanContact, "one");
    let asked = world.system.runtime.store.operation(&id, true).await.unwrap().unwrap();
    let of_call = link(&world, "one").await;
    let of_question =
        DecisionLink { kind: Kind::HumanContact, digest: asked.digest, ..of_call.clone() };

    // A key is needed to make these two; even so the digest tells a call from a question.
    let before = world.contents().await;
    for swapped in [
        DecisionLink { kind: Kind::FunctionCall, ..of_question.clone() },
        DecisionLink { kind: Kind::HumanContact, ..of_call.clone() },
    ] {
        assert_eq!(world.get(&path(&swapped)).page().send().await.status, StatusCode::FORBIDDEN);
        let form = format!("digest={}&verdict=approve&response=x", swapped.digest);
        let refused = world.post(&path(&swapped)).form(&form).send().await;
        assert_eq!(refused.status, StatusCode::FORBIDDEN);
    }
    let page = world.get(&path(&of_question)).page().send().await;
    assert!(page.text.contains("Why?") && !page.text.contains("charge"), "{}", page.text);
    for digest in [asked.digest, of_call.digest] {
        let form = format!("digest={digest}&comment=&verdict=approve");
        let refused = world.post(&path(&of_question)).form(&form).send().await;
        assert_eq!(refused.status, StatusCode::BAD_REQUEST);
    }
    assert_eq!(world.contents().await, before);

    let form = format!("digest={}&response=Because", page.hidden("digest"));
    let answered = world.post(&path(&of_question)).form(&form).send().await;
    assert_eq!((answered.status, answered.location), (StatusCode::SEE_OTHER, path(&of_question)));
    assert_eq!(state_of(&world, "one").await, State::Answered);
    assert_eq!(world.state("one").await, State::Pending);
    let again = world.post(&path(&of_question)).form(&form).send().await;
    assert_eq!(again.status, StatusCode::CONFLICT);
    let page = world.get(&path(&of_question)).page().send().await.text;
    assert!(page.contains("through a decision link") && page.contains("Because"), "{page}");
    world.finish().await;
}

#[tokio::test]
async fn a_link_from_before_there_were_questions_is_still_good() {
    let world = World::start().await;
    world.create("one", "charge").await;
    let link = link(&world, "one").await;
    let before = json!({"t": TENANT, "c": "one", "d": link.digest, "e": link.expires_at});
    assert_eq!(serde_json::to_value(&link).unwrap(), before, "it is written as it was then");
    let page = world.get(&path(&link)).page().send().await;
    let form = format!("digest={}&comment=&verdict=approve", page.hidden("digest"));
    assert_eq!(world.post(&path(&link)).form(&form).send().await.status, StatusCode::SEE_OTHER);
    world.settle().await;
    assert_eq!(world.ended("one").await, (State::Succeeded, 1));
    world.finish().await;
}
