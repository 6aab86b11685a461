//! API keys: what a role may, and when a key is not good any more.

use std::time::Duration;

use http::{Method, StatusCode};
use placet_runtime::{ApiKey, ApiKeys, Role, key_digest, key_id};

use crate::ask::Answer;
use crate::world::{OTHER, TENANT, World};

const OPERATORS: &[Role] = &[Role::Both];
const ASKERS: &[Role] = &[Role::Agent, Role::Both];
const ANSWERERS: &[Role] = &[Role::Responder, Role::Both];
const ALL: &[Role] = &Role::ALL;

/// Which roles a route is for.
const ROUTES: &[(&str, &str, &[Role])] = &[
    ("POST", "/v1/operations", ASKERS),
    ("GET", "/v1/operations", ALL),
    ("GET", "/v1/operations/function_call/none", ALL),
    ("POST", "/v1/operations/function_call/none/decision", ANSWERERS),
    ("POST", "/v1/operations/function_call/none/cancel", ASKERS),
    ("GET", "/v1/receipts", OPERATORS),
    ("GET", "/v1/receipts/none", OPERATORS),
    ("GET", "/v1/receipts/none/body", OPERATORS),
    ("POST", "/v1/receipts/none/replay", OPERATORS),
    ("GET", "/v1/deliveries", OPERATORS),
    ("GET", "/v1/deliveries/none", OPERATORS),
    ("POST", "/v1/deliveries/none/redeliver", OPERATORS),
    ("GET", "/v1/endpoints", OPERATORS),
    ("POST", "/v1/endpoints/none/enable", OPERATORS),
    ("POST", "/v1/endpoints/none/test", OPERATORS),
    ("POST", "/humanlayer/v1/function_calls", ASKERS),
    ("POST", "/humanlayer/v1/contact_requests", ASKERS),
    ("POST", "/humanlayer/v1/human_contacts", ASKERS),
    ("GET", "/humanlayer/v1/function_calls/none", ALL),
    ("GET", "/humanlayer/v1/contact_requests/none", ALL),
    ("GET", "/humanlayer/v1/agent/human_contacts/pending", ALL),
    ("POST", "/humanlayer/v1/agent/function_calls/none/respond", ANSWERERS),
    ("POST", "/humanlayer/v1/agent/human_contacts/none/respond", ANSWERERS),
    ("POST", "/humanlayer/v1/agent/function_calls/none/escalate_email", ASKERS),
    ("GET", "/humanlayer/v1/project", ALL),
    ("GET", "/humanlayer/v1/contact_channel/1", ALL),
    ("POST", "/purchase-materials", ASKERS),
    ("GET", "/purchases", ALL),
];

/// Asks from another site, to which the open pages of this machine are closed.
async fn ask(world: &World, method: &str, path: &str, key: &str) -> Answer {
    let method = Method::from_bytes(method.as_bytes()).unwrap();
    let ask = world.ask(method, path).header("origin", "https://elsewhere.example");
    if key.is_empty() { ask.send().await } else { ask.key(key).send().await }
}

async fn status(world: &World, key: &str) -> StatusCode {
    world.get("/v1/endpoints").key(key).send().await.status
}

/// Makes a key and hands it back.
async fn made(world: &World, key: &str, api_key: ApiKey) -> String {
    world.system.runtime.store.put_api_key(key_digest(key), &api_key).await.unwrap();
    key.to_owned()
}

#[tokio::test]
async fn each_route_takes_the_roles_that_may() {
    let world = World::start().await;
    for role in Role::ALL {
        let key = world.key(role, TENANT).await;
        for (method, path, roles) in ROUTES.iter().copied() {
            let before = world.contents().await;
            let answer = ask(&world, method, path, &key).await;
            if roles.contains(&role) {
                // Without a body nothing can be asked or said.
                let gets_through = matches!(answer.status.as_u16(), 200 | 400 | 404 | 422);
                assert!(gets_through, "{role:?} {method} {path}: {answer:?}");
            } else {
                assert_eq!(answer.status, StatusCode::FORBIDDEN, "{role:?} {method} {path}");
                if path.starts_with("/humanlayer") {
                    assert!(answer.json()["detail"].is_string(), "{answer:?}");
                } else {
                    assert_eq!(answer.content_type, "application/problem+json");
                    assert_eq!(answer.json()["code"], "forbidden");
                }
                assert_eq!(world.contents().await, before, "{role:?} {method} {path}");
            }
        }
        let none = ask(&world, "GET", "/v1/nothing", &key).await;
        assert_eq!(none.status, StatusCode::NOT_FOUND, "{role:?}");
    }
    for (method, path, _) in ROUTES.iter().copied() {
        let answer = ask(&world, method, path, "").await;
        assert_eq!(answer.status, StatusCode::UNAUTHORIZED, "{method} {path}");
    }
    world.finish().await;
}

#[tokio::test]
async fn a_key_expires_at_its_moment_even_if_it_is_remembered() {
    let world = World::start().await;
    let now = world.clock.now();
    let api_key = ApiKey {
        expires_at: Some(now.plus(Duration::from_secs(30))),
        ..ApiKey::new(TENANT, "short", now)
    };
    let key = made(&world, "short-lived", api_key).await;
    assert_eq!(status(&world, &key).await, StatusCode::OK);
    world.advance(Duration::from_millis(29_999));
    assert_eq!(status(&world, &key).await, StatusCode::OK);
    world.advance(Duration::from_millis(1));
    assert_eq!(status(&world, &key).await, StatusCode::UNAUTHORIZED);
    world.advance(Duration::from_secs(3600));
    assert_eq!(status(&world, &key).await, StatusCode::UNAUTHORIZED);
    world.finish().await;
}

#[tokio::test]
async fn a_revoked_key_works_for_a_minute_where_it_is_remembered_and_never_again() {
    let world = World::start().await;
    let (used, unused) =
        (world.key(Role::Both, TENANT).await, world.key(Role::Agent, TENANT).await);
    assert_eq!(status(&world, &used).await, StatusCode::OK);
    let store = &world.system.runtime.store;
    let revoked_at = world.clock.now();
    for key in [&used, &unused] {
        let revoked = store.revoke_api_key(key_digest(key), revoked_at).await.unwrap().unwrap();
        assert_eq!(revoked.revoked_at, Some(revoked_at));
    }
    assert_eq!(status(&world, &unused).await, StatusCode::UNAUTHORIZED, "it was not remembered");
    world.advance(ApiKeys::CACHED - Duration::from_millis(1));
    assert_eq!(status(&world, &used).await, StatusCode::OK);
    world.advance(Duration::from_millis(1));
    assert_eq!(status(&world, &used).await, StatusCode::UNAUTHORIZED);

    let again = store.revoke_api_key(key_digest(&used), world.clock.now()).await.unwrap().unwrap();
    assert_eq!(again.revoked_at, Some(revoked_at), "the second time changes nothing");
    world.key(Role::Both, TENANT).await;
    assert_eq!(status(&world, &used).await, StatusCode::UNAUTHORIZED, "it does not come back");
    let none = store.revoke_api_key(key_digest("no key"), revoked_at).await.unwrap();
    assert_eq!(none, None);
    world.finish().await;
}

#[tokio::test]
async fn two_who_revoke_a_key_at_once_agree_on_the_moment() {
    let world = World::start().await;
    let digest = key_digest(&world.key(Role::Both, TENANT).await);
    let now = world.clock.now();
    let store = &world.system.runtime.store;
    let (one, other) = tokio::join!(
        store.revoke_api_key(digest, now),
        store.revoke_api_key(digest, now.plus(Duration::from_secs(1)))
    );
    assert_eq!(one.unwrap(), other.unwrap());
    world.finish().await;
}

#[tokio::test]
async fn all_that_are_not_let_in_get_one_answer() {
    let world = World::start().await;
    let now = world.clock.now();
    let key = |name: &str| ApiKey::new(TENANT, name, now);
    let expired = ApiKey { expires_at: Some(now), ..key("expired") };
    let revoked = ApiKey { revoked_at: Some(now), ..key("revoked") };
    let homeless = ApiKey::new("not-in-placet-yaml", "homeless", now);
    let unknown = world.get("/v1/endpoints").key("nobody's").send().await;
    assert_eq!(unknown.status, StatusCode::UNAUTHORIZED);
    for (key, api_key) in [("expired", expired), ("revoked", revoked), ("homeless", homeless)] {
        let key = made(&world, key, api_key).await;
        let answer = world.get("/v1/endpoints").key(&key).send().await;
        assert_eq!((answer.status, &answer.text), (unknown.status, &unknown.text), "{key}");
    }
    // A key that was refused because there was none is good as soon as there is one.
    let late = made(&world, "nobody's", key("late")).await;
    assert_eq!(status(&world, &late).await, StatusCode::OK);
    world.finish().await;
}

#[tokio::test]
async fn keys_are_listed_by_project_newest_first_and_never_stored() {
    let world = World::start().await;
    let mut made = Vec::new();
    for (role, tenant) in [
        (Role::Agent, TENANT),
        (Role::Responder, TENANT),
        (Role::Both, OTHER),
        (Role::Both, TENANT),
    ] {
        made.push(world.key(role, tenant).await);
        world.advance(Duration::from_secs(1));
    }
    let store = &world.system.runtime.store;
    let listed = store.api_keys(TENANT).await.unwrap();
    let listed = listed.iter().map(|(digest, key)| (key_id(*digest), key.role));
    let expected = [(3, Role::Both), (1, Role::Responder), (0, Role::Agent)];
    let expected = expected.map(|(at, role)| (key_id(key_digest(&made[at])), role));
    assert_eq!(listed.collect::<Vec<_>>(), expected);
    assert_eq!(store.api_keys(OTHER).await.unwrap().len(), 1);
    assert_eq!(store.api_keys("none").await.unwrap(), []);

    let contents = world.contents().await.join("\n");
    for key in &made {
        assert!(!contents.contains(key.as_str()));
        assert!(contents.contains(&key_digest(key).to_string()));
    }
    world.finish().await;
}
