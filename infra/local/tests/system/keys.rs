//! API keys: what a role may do, and how long a key is valid.

use std::time::Duration;

use http::{Method, StatusCode};
use placet_runtime::{ApiKey, ApiKeys, Role, key_digest, key_id};

use crate::request::Reply;
use crate::world::{OTHER, PROJECT, World};

const CREATE: &[Role] = &[Role::Agent, Role::Admin];
const DECIDE: &[Role] = &[Role::Responder, Role::Admin];
const READ: &[Role] = &Role::ALL;
const OPERATE: &[Role] = &[Role::Admin];

/// The roles that a route accepts.
const ROUTES: &[(&str, &str, &[Role])] = &[
    ("POST", "/v1/operations", CREATE),
    ("GET", "/v1/operations", READ),
    ("GET", "/v1/operations/function_call/none", READ),
    ("POST", "/v1/operations/function_call/none/decision", DECIDE),
    ("POST", "/v1/operations/function_call/none/cancel", CREATE),
    ("POST", "/v1/operations/function_call/none/settle", DECIDE),
    ("POST", "/v1/operations/settle", DECIDE),
    ("POST", "/v1/operations/function_call/none/links", DECIDE),
    ("POST", "/v1/operations/function_call/none/links/0123456789ab/revoke", DECIDE),
    ("GET", "/v1/receipts", OPERATE),
    ("GET", "/v1/receipts/none", OPERATE),
    ("GET", "/v1/receipts/none/body", OPERATE),
    ("POST", "/v1/receipts/none/replay", OPERATE),
    ("GET", "/v1/deliveries", OPERATE),
    ("GET", "/v1/deliveries/none", OPERATE),
    ("POST", "/v1/deliveries/none/redeliver", OPERATE),
    ("GET", "/v1/endpoints", OPERATE),
    ("POST", "/v1/endpoints/none/enable", OPERATE),
    ("POST", "/v1/endpoints/none/test", OPERATE),
    ("POST", "/humanlayer/v1/function_calls", CREATE),
    ("POST", "/humanlayer/v1/contact_requests", CREATE),
    ("POST", "/humanlayer/v1/human_contacts", CREATE),
    ("GET", "/humanlayer/v1/function_calls/none", READ),
    ("GET", "/humanlayer/v1/contact_requests/none", READ),
    ("GET", "/humanlayer/v1/human_contacts/none", READ),
    ("GET", "/humanlayer/v1/agent/function_calls/pending", READ),
    ("GET", "/humanlayer/v1/agent/contact_requests/pending", READ),
    ("GET", "/humanlayer/v1/agent/human_contacts/pending", READ),
    ("GET", "/humanlayer/v1/agent/function_calls/none", READ),
    ("GET", "/humanlayer/v1/agent/contact_requests/none", READ),
    ("GET", "/humanlayer/v1/agent/human_contacts/none", READ),
    ("POST", "/humanlayer/v1/agent/function_calls/none/respond", DECIDE),
    ("POST", "/humanlayer/v1/agent/contact_requests/none/respond", DECIDE),
    ("POST", "/humanlayer/v1/agent/human_contacts/none/respond", DECIDE),
    ("POST", "/humanlayer/v1/agent/function_calls/none/escalate_email", CREATE),
    ("POST", "/humanlayer/v1/agent/contact_requests/none/escalate_email", CREATE),
    ("POST", "/humanlayer/v1/agent/human_contacts/none/escalate_email", CREATE),
    ("GET", "/humanlayer/v1/project", READ),
    ("GET", "/humanlayer/v1/contact_channel/1", READ),
    ("POST", "/purchase-materials", CREATE),
    ("GET", "/purchases", READ),
];

/// Whether a path matches a template of the document, such as `/v1/receipts/{id}`.
fn is_of(path: &str, template: &str) -> bool {
    let mut pairs = path.split('/').zip(template.split('/'));
    path.split('/').count() == template.split('/').count()
        && pairs.all(|(part, of)| part == of || of.starts_with('{'))
}

#[tokio::test]
async fn each_route_of_the_document_that_needs_a_key_is_in_the_table() {
    let world = World::start().await;
    let document = world.get("/openapi.json").send().await.json();
    for (template, methods) in document["paths"].as_object().unwrap() {
        for (method, route) in methods.as_object().unwrap() {
            let open = route["security"].as_array().is_some_and(Vec::is_empty);
            let known = ROUTES.iter().any(|(known, path, _)| {
                known.eq_ignore_ascii_case(method) && is_of(path, template)
            });
            assert!(open || known, "{method} {template} is not in the table");
        }
    }
    world.finish().await;
}

/// Sends a request from another site. The open pages of this machine refuse other sites.
async fn send(world: &World, method: &str, path: &str, key: Option<&str>) -> Reply {
    let method = Method::from_bytes(method.as_bytes()).unwrap();
    let request = world.request(method, path).header("origin", "https://elsewhere.example");
    match key {
        Some(key) => request.key(key).send().await,
        None => request.send().await,
    }
}

async fn status(world: &World, key: &str) -> StatusCode {
    world.get("/v1/endpoints").key(key).send().await.status
}

/// The requests have no body, so they create and decide nothing.
#[tokio::test]
async fn each_route_accepts_the_roles_that_have_its_right() {
    let world = World::start().await;
    for role in Role::ALL {
        let key = world.key(role, PROJECT).await;
        for (method, path, roles) in ROUTES.iter().copied() {
            let reply = send(&world, method, path, Some(&key)).await;
            if roles.contains(&role) {
                let taken = matches!(reply.status.as_u16(), 200 | 400 | 404 | 422);
                assert!(taken, "{role:?} {method} {path}: {reply:?}");
            } else {
                assert_eq!(reply.status, StatusCode::FORBIDDEN, "{role:?} {method} {path}");
            }
        }
        let nothing = send(&world, "GET", "/v1/nothing", Some(&key)).await;
        assert_eq!(nothing.status, StatusCode::NOT_FOUND, "{role:?}");
    }
    for (method, path, _) in ROUTES.iter().copied() {
        let reply = send(&world, method, path, None).await;
        assert_eq!(reply.status, StatusCode::UNAUTHORIZED, "{method} {path}");
    }
    world.finish().await;
}

#[tokio::test]
async fn a_refused_role_changes_nothing_and_gets_the_error_format_of_the_api() {
    let world = World::start().await;
    for role in Role::ALL {
        let key = world.key(role, PROJECT).await;
        let before = world.contents().await;
        for (method, path, _) in ROUTES.iter().filter(|(_, _, roles)| !roles.contains(&role)) {
            let refused = send(&world, method, path, Some(&key)).await;
            if path.starts_with("/humanlayer") {
                assert!(refused.json()["detail"].is_string(), "{refused:?}");
            } else {
                assert_eq!(refused.content_type, "application/problem+json");
                assert_eq!(refused.json()["code"], "forbidden");
            }
        }
        assert_eq!(world.contents().await, before, "{role:?}");
    }
    world.finish().await;
}

#[tokio::test]
async fn a_cached_key_expires_on_time() {
    let world = World::start().await;
    let now = world.clock.now();
    let expires_at = Some(now.plus(Duration::from_secs(30)));
    let key = ApiKey { expires_at, ..ApiKey::new(PROJECT, "short", now) };
    world.store_key("short-lived", &key).await;
    assert_eq!(status(&world, "short-lived").await, StatusCode::OK);
    world.advance(Duration::from_millis(29_999));
    assert_eq!(status(&world, "short-lived").await, StatusCode::OK);
    world.advance(Duration::from_millis(1));
    assert_eq!(status(&world, "short-lived").await, StatusCode::UNAUTHORIZED);
    world.advance(Duration::from_secs(3600));
    assert_eq!(status(&world, "short-lived").await, StatusCode::UNAUTHORIZED);
    world.finish().await;
}

#[tokio::test]
async fn a_cached_revoked_key_is_valid_for_a_minute() {
    let world = World::start().await;
    let cached = world.key(Role::Admin, PROJECT).await;
    let unused = world.key(Role::Agent, PROJECT).await;
    assert_eq!(status(&world, &cached).await, StatusCode::OK);
    let store = &world.system.runtime.engine.store;
    for key in [&cached, &unused] {
        store.revoke_api_key(key_digest(key), world.clock.now()).await.unwrap();
    }
    assert_eq!(status(&world, &unused).await, StatusCode::UNAUTHORIZED);
    world.advance(ApiKeys::CACHED - Duration::from_millis(1));
    assert_eq!(status(&world, &cached).await, StatusCode::OK);
    world.advance(Duration::from_millis(1));
    assert_eq!(status(&world, &cached).await, StatusCode::UNAUTHORIZED);
    world.finish().await;
}

#[tokio::test]
async fn a_revoked_key_stays_revoked() {
    let world = World::start().await;
    let key = world.key(Role::Admin, PROJECT).await;
    let store = &world.system.runtime.engine.store;
    let revoked_at = world.clock.now();
    let revoke = async || store.revoke_api_key(key_digest(&key), world.clock.now()).await.unwrap();
    assert_eq!(revoke().await.unwrap().revoked_at, Some(revoked_at));
    world.advance(Duration::from_secs(1));
    assert_eq!(revoke().await.unwrap().revoked_at, Some(revoked_at));

    world.key(Role::Admin, PROJECT).await;
    assert_eq!(
        status(&world, &key).await,
        StatusCode::UNAUTHORIZED,
        "the key was stored a second time"
    );
    assert_eq!(store.revoke_api_key(key_digest("no key"), revoked_at).await.unwrap(), None);
    world.finish().await;
}

#[tokio::test]
async fn two_concurrent_revocations_return_the_same_time() {
    let world = World::start().await;
    let digest = key_digest(&world.key(Role::Admin, PROJECT).await);
    let now = world.clock.now();
    let store = &world.system.runtime.engine.store;
    let (one, other) = tokio::join!(
        store.revoke_api_key(digest, now),
        store.revoke_api_key(digest, now.plus(Duration::from_secs(1)))
    );
    assert_eq!(one.unwrap(), other.unwrap());
    world.finish().await;
}

#[tokio::test]
async fn every_bad_key_gets_the_same_answer() {
    let world = World::start().await;
    let now = world.clock.now();
    let key = |name: &str| ApiKey::new(PROJECT, name, now);
    let expired = ApiKey { expires_at: Some(now), ..key("expired") };
    let revoked = ApiKey { revoked_at: Some(now), ..key("revoked") };
    let homeless = ApiKey::new("not-in-placet-yaml", "homeless", now);
    let unknown = world.get("/v1/endpoints").key("unknown").send().await;
    assert_eq!(unknown.status, StatusCode::UNAUTHORIZED);
    for (key, api_key) in [("expired", expired), ("revoked", revoked), ("homeless", homeless)] {
        world.store_key(key, &api_key).await;
        let reply = world.get("/v1/endpoints").key(key).send().await;
        assert_eq!((reply.status, &reply.text), (unknown.status, &unknown.text), "{key}");
    }
    world.finish().await;
}

#[tokio::test]
async fn an_unknown_key_is_valid_after_it_is_stored() {
    let world = World::start().await;
    assert_eq!(status(&world, "late").await, StatusCode::UNAUTHORIZED);
    world.store_key("late", &ApiKey::new(PROJECT, "late", world.clock.now())).await;
    assert_eq!(status(&world, "late").await, StatusCode::OK);
    world.finish().await;
}

#[tokio::test]
async fn keys_are_listed_by_project_newest_first() {
    let world = World::start().await;
    let mut digests = Vec::new();
    for (role, project) in [
        (Role::Agent, PROJECT),
        (Role::Responder, PROJECT),
        (Role::Admin, OTHER),
        (Role::Admin, PROJECT),
    ] {
        digests.push(key_digest(&world.key(role, project).await));
        world.advance(Duration::from_secs(1));
    }
    let store = &world.system.runtime.engine.store;
    let listed = store.api_keys(PROJECT).await.unwrap();
    let listed = listed.iter().map(|(digest, key)| (key_id(*digest), key.role));
    let expected = [(3, Role::Admin), (1, Role::Responder), (0, Role::Agent)];
    let expected = expected.map(|(at, role)| (key_id(digests[at]), role));
    assert_eq!(listed.collect::<Vec<_>>(), expected);
    assert_eq!(store.api_keys(OTHER).await.unwrap().len(), 1);
    assert_eq!(store.api_keys("none").await.unwrap(), []);
    world.finish().await;
}

#[tokio::test]
async fn the_table_holds_the_digest_of_a_key_and_not_the_key() {
    let world = World::start().await;
    let key = world.key(Role::Admin, PROJECT).await;
    let contents = world.contents().await.join("\n");
    assert!(!contents.contains(&key));
    assert!(contents.contains(&key_digest(&key).to_string()));
    world.finish().await;
}
