//! People sign in, see what is theirs, and decide it, in the inbox or with a link of their own.

use std::time::Duration;

use http::{Method, StatusCode};
use placet_core::operation::{Actor, Identity, OperationId, Proof, State};
use placet_core::{DecisionLink, SignInLink, SigningKeys, Token as _};
use placet_runtime::Role;
use serde_json::json;

use crate::links::path;
use crate::request::{Reply, Request};
use crate::world::{LINK_SECRET, PROJECT, World};

const PEOPLE: &str = "
people:
  ana: {name: Ana Ruiz, email: ana@example.com}
  bo: {rights: [decide, operate]}
  cy: {rights: [operate]}
";

/// A world that lists people and requires them to sign in. Ana decides `charge`; everybody decides the rest.
async fn with_people() -> World {
    let building = World::building().sections(PEOPLE).secret("PLACET_SIGN_IN", "required");
    let charge = "{executor: {function: charge}, idempotent: true, approvers: [ana]}";
    building.operation("charge_as_ana", charge).start().await
}

/// A token to sign in as this person within an hour.
fn invitation(world: &World, person: &str, nonce: &str) -> String {
    let expires_at = world.clock.now().plus(Duration::from_secs(3600));
    let link = SignInLink { person: person.to_owned(), nonce: nonce.to_owned(), expires_at };
    format!("/sign-in/{}", link.sign(&SigningKeys::read(LINK_SECRET).unwrap()))
}

/// A browser with the cookie of a session.
struct Browser<'a> {
    world: &'a World,
    cookie: String,
}

impl<'a> Browser<'a> {
    /// Signs in as this person.
    async fn of(world: &'a World, person: &str) -> Self {
        let signed_in = world.post(&invitation(world, person, person)).page().send().await;
        assert_eq!(
            (signed_in.status, signed_in.location.as_str()),
            (StatusCode::SEE_OTHER, "/inbox")
        );
        let set = signed_in.headers["set-cookie"].to_str().unwrap();
        assert!(set.ends_with("; Path=/; HttpOnly; SameSite=Lax; Max-Age=43200"), "{set}");
        Self { world, cookie: set.split(';').next().unwrap().to_owned() }
    }

    fn with(&self, request: Request<'a>) -> Request<'a> {
        request.page().header("cookie", &self.cookie)
    }

    async fn open(&self, path: &str) -> Reply {
        self.with(self.world.get(path)).send().await
    }

    async fn post(&self, path: &str, form: &str) -> Reply {
        self.with(self.world.post(path)).form(form).send().await
    }

    /// Opens the page at this path and submits its form with these fields.
    async fn submit(&self, path: &str, fields: &str) -> Reply {
        let page = self.open(path).await;
        let (digest, csrf) = (page.hidden("digest"), page.hidden("csrf"));
        self.post(path, &format!("digest={digest}&csrf={csrf}&{fields}")).await
    }
}

const APPROVE: &str = "comment=&verdict=approve";

#[tokio::test]
async fn nobody_sees_or_decides_without_a_session() {
    let world = with_people().await;
    world.create("call-1", "charge").await;
    for path in ["/inbox", "/inbox/call-1", "/inbox/none", "/", "/purchases"] {
        let page = world.page(path).await;
        assert_eq!(
            (page.status, page.location.as_str()),
            (StatusCode::SEE_OTHER, "/sign-in"),
            "{path}"
        );
    }
    let digest = world.operation("call-1").await.digest;
    let form = format!("digest={digest}&{APPROVE}");
    let forged = ["", "placet=", "placet=x.y", "other=1"];
    for cookie in forged {
        let refused =
            world.post("/inbox/call-1").page().header("cookie", cookie).form(&form).send().await;
        assert_eq!(refused.status, StatusCode::UNAUTHORIZED, "{cookie}");
        assert!(!refused.text.contains("charge"), "{}", refused.text);
    }
    assert_eq!(world.page("/sign-in").await.status, StatusCode::OK);
    assert_eq!(world.state("call-1").await, State::Pending);
    world.finish().await;
}

#[tokio::test]
async fn a_sign_in_link_works_once_and_only_when_posted() {
    let world = with_people().await;
    let link = invitation(&world, "ana", "n");
    let before = world.contents().await;
    for _ in 0..50 {
        for method in [Method::GET, Method::HEAD] {
            let page = world.request(method, &link).page().send().await;
            assert_eq!(page.status, StatusCode::OK);
        }
    }
    let page = world.page(&link).await.text;
    assert!(page.contains("Sign in as ") && page.contains("Ana Ruiz"), "{page}");
    assert_eq!(world.contents().await, before);
    assert_eq!(world.post(&link).page().send().await.status, StatusCode::SEE_OTHER);
    let signed_in = world.contents().await;
    let late = invitation(&world, "bo", "late");
    let unknown = world.page("/sign-in/x").await;
    let stranger = invitation(&world, "eve", "n2");
    world.advance(Duration::from_secs(3601));
    for bad in [link.as_str(), &late, &stranger, "/sign-in/x", &format!("{link}A")] {
        let refused = world.post(bad).page().send().await;
        assert_eq!(
            (refused.status, &refused.text),
            (StatusCode::FORBIDDEN, &unknown.text),
            "{bad}"
        );
    }
    assert_eq!(world.contents().await, signed_in);
    world.finish().await;
}

/// Another site could otherwise sign a visitor in as somebody else, who then decides in that name.
#[tokio::test]
async fn another_site_signs_nobody_in() {
    let world = with_people().await;
    let before = world.contents().await;
    for site in ["cross-site", "same-site"] {
        let link = world.post(&invitation(&world, "ana", "n")).page();
        let refused = link.header("sec-fetch-site", site).send().await;
        assert_eq!(refused.status, StatusCode::FORBIDDEN, "{site}");
        assert!(!refused.headers.contains_key("set-cookie"));
    }
    assert_eq!(world.contents().await, before);
    world.finish().await;
}

#[tokio::test]
async fn no_other_page_learns_the_address_of_a_link() {
    let world = with_people().await;
    world.create("anas", "charge_as_ana").await;
    let decides = path(&link(&world, "anas", Some("ana")).await);
    for secret in [decides, invitation(&world, "ana", "n"), "/d/x".to_owned()] {
        let page = world.page(&secret).await;
        assert_eq!(page.headers["referrer-policy"], "no-referrer", "{secret}");
        assert_eq!(page.headers["cache-control"], "no-store", "{secret}");
    }
    world.finish().await;
}

#[tokio::test]
async fn a_person_sees_and_decides_only_what_is_theirs() {
    let world = with_people().await;
    world.create("anas", "charge_as_ana").await;
    world.create("all", "charge").await;
    let (ana, bo, cy) = (
        Browser::of(&world, "ana").await,
        Browser::of(&world, "bo").await,
        Browser::of(&world, "cy").await,
    );
    let inbox = ana.open("/inbox").await.text;
    assert!(inbox.contains("/inbox/anas") && inbox.contains("/inbox/all"), "{inbox}");
    // Cy operates Placet, so Cy sees everything and decides nothing.
    assert_eq!(cy.open("/inbox/anas").await.status, StatusCode::OK);
    assert!(!cy.open("/inbox/anas").await.text.contains("verdict"));
    let digest = world.operation("anas").await.digest;
    for other in [&bo, &cy] {
        let csrf = other.open("/inbox").await.hidden("csrf");
        let form = format!("digest={digest}&csrf={csrf}&{APPROVE}");
        assert_ne!(other.post("/inbox/anas", &form).await.status, StatusCode::SEE_OTHER);
    }
    assert_eq!(world.state("anas").await, State::Pending);

    assert_eq!(ana.submit("/inbox/anas", APPROVE).await.status, StatusCode::SEE_OTHER);
    let by = world.operation("anas").await.body.decision.unwrap().by;
    let from = Some("127.0.0.1".to_owned());
    let ana = Identity { id: "ana".into(), name: "Ana Ruiz".into(), proof: Proof::Session, from };
    assert_eq!(by, Actor::Inbox { person: Some(ana) });
    assert_eq!(
        bo.submit("/inbox/all", "comment=no&verdict=deny").await.status,
        StatusCode::SEE_OTHER
    );
    assert!(bo.open("/inbox/all").await.text.contains("bo, who signed in with a one-time link"));
    world.work().await;
    world.finish().await;
}

#[tokio::test]
async fn a_person_without_the_right_to_operate_does_not_see_what_others_decide() {
    let sections = "people: {ana: {}, di: {}}";
    let charge = "{executor: {function: charge}, idempotent: true, approvers: [ana]}";
    let world = World::building().sections(sections).secret("PLACET_SIGN_IN", "required");
    let world = world.operation("charge_as_ana", charge).start().await;
    world.create("anas", "charge_as_ana").await;
    let di = Browser::of(&world, "di").await;
    assert_eq!(di.open("/inbox/anas").await.status, StatusCode::NOT_FOUND);
    assert!(!di.open("/inbox").await.text.contains("anas"));
    world.finish().await;
}

#[tokio::test]
async fn a_form_needs_the_token_of_its_session() {
    let world = with_people().await;
    world.create("call-1", "charge").await;
    let (ana, bo) = (Browser::of(&world, "ana").await, Browser::of(&world, "bo").await);
    let digest = world.operation("call-1").await.digest;
    let of_bo = bo.open("/inbox/call-1").await.hidden("csrf");
    for csrf in ["", "csrf=&", "csrf=0&", &format!("csrf={of_bo}&")] {
        let refused = ana.post("/inbox/call-1", &format!("digest={digest}&{csrf}{APPROVE}")).await;
        assert_eq!(refused.status, StatusCode::BAD_REQUEST, "{csrf}");
        assert_eq!(ana.post("/sign-out", csrf).await.status, StatusCode::BAD_REQUEST, "{csrf}");
    }
    assert_eq!(world.state("call-1").await, State::Pending);
    assert_eq!(ana.open("/inbox").await.status, StatusCode::OK);
    world.finish().await;
}

#[tokio::test]
async fn a_session_ends_when_it_is_revoked_when_it_expires_and_at_sign_out() {
    let world = with_people().await;
    let store = &world.system.runtime.engine.store;
    let is_out = async |browser: &Browser<'_>| browser.open("/inbox").await.location == "/sign-in";
    let (ana, bo) = (Browser::of(&world, "ana").await, Browser::of(&world, "bo").await);
    let of_ana =
        store.sessions().await.unwrap().into_iter().find(|one| one.person == "ana").unwrap();
    store.revoke_session(&of_ana.id, world.clock.now()).await.unwrap();
    assert!(is_out(&ana).await && !is_out(&bo).await);

    let csrf = bo.open("/inbox").await.hidden("csrf");
    let out = bo.post("/sign-out", &format!("csrf={csrf}")).await;
    assert_eq!((out.status, out.location.as_str()), (StatusCode::SEE_OTHER, "/sign-in"));
    assert!(out.headers["set-cookie"].to_str().unwrap().contains("placet=; "));
    assert!(is_out(&bo).await);

    let cy = Browser::of(&world, "cy").await;
    let altered = Browser { world: &world, cookie: format!("{}A", cy.cookie) };
    assert!(is_out(&altered).await);
    world.advance(Duration::from_secs(12 * 3600));
    assert!(!is_out(&cy).await);
    world.advance(Duration::from_millis(1));
    assert!(is_out(&cy).await);
    world.finish().await;
}

/// A link to decide the operation, for this person.
async fn link(world: &World, call_id: &str, person: Option<&str>) -> DecisionLink {
    let until = world.clock.now().plus(Duration::from_secs(600));
    world.operation(call_id).await.link_for(person, world.clock.now(), until).unwrap()
}

#[tokio::test]
async fn a_link_decides_for_its_person_and_for_nobody_else() {
    let world = with_people().await;
    world.create("anas", "charge_as_ana").await;
    let before = world.contents().await;
    let unknown = world.page("/d/x").await;
    let digest = world.operation("anas").await.digest;
    let form = format!("digest={digest}&{APPROVE}");
    // Bo is no approver, Cy may not decide, Eve is not listed, and a link of its bearer is worth nothing here.
    for person in [Some("bo"), Some("cy"), Some("eve"), None] {
        let path = path(&link(&world, "anas", person).await);
        for reply in [world.page(&path).await, world.send_form(&path, &form).await] {
            assert_eq!(
                (reply.status, &reply.text),
                (StatusCode::FORBIDDEN, &unknown.text),
                "{person:?}"
            );
        }
    }
    assert_eq!(world.contents().await, before);

    let of_ana = path(&link(&world, "anas", Some("ana")).await);
    assert_eq!(world.submit(&of_ana, APPROVE).await.status, StatusCode::SEE_OTHER);
    let by = world.operation("anas").await.body.decision.unwrap().by;
    let (person, id) =
        (by.person().unwrap().clone(), DecisionLink::token_id(&of_ana["/d/".len()..]));
    assert_eq!((person.id.as_str(), person.proof), ("ana", Proof::Link));
    assert_eq!(by, Actor::Link { id, person: Some(person) });
    world.work().await;
    world.finish().await;
}

#[tokio::test]
async fn a_link_is_made_for_a_person_and_revoked_through_the_api() {
    let world = with_people().await;
    let key = world.key(Role::Responder, PROJECT).await;
    world.create("anas", "charge_as_ana").await;
    let links = "/v1/operations/function_call/anas/links";
    let make = async |body| world.post(links).key(&key).json(&body).send().await;
    for (body, part) in [
        (json!({}), "must name a person"),
        (json!({"person": "eve"}), "eve"),
        (json!({"person": "cy"}), "the right decide"),
        (json!({"person": "ana", "valid_for": "31d"}), "at most 30d"),
    ] {
        let refused = make(body).await;
        assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY);
        assert!(refused.text.contains(part), "{}", refused.text);
    }
    assert_eq!(make(json!({"person": "bo"})).await.status, StatusCode::FORBIDDEN);

    let made = make(json!({"person": "ana"})).await;
    assert_eq!(made.status, StatusCode::CREATED);
    let made = made.json();
    let (id, url) = (made["id"].as_str().unwrap(), made["url"].as_str().unwrap());
    let link = url.strip_prefix("http://127.0.0.1:8000").unwrap();
    assert_eq!(world.page(link).await.status, StatusCode::OK);
    let upper = format!("{links}/{}/revoke", id.to_uppercase());
    if id != id.to_uppercase() {
        assert_eq!(world.post(&upper).key(&key).send().await.status, StatusCode::NOT_FOUND);
    }
    let revoke = format!("{links}/{id}/revoke");
    for _ in 0..2 {
        let revoked = world.post(&revoke).key(&key).send().await;
        assert_eq!(
            (revoked.status, revoked.json()["revoked"].as_bool()),
            (StatusCode::OK, Some(true))
        );
    }
    assert_eq!(world.page(link).await.status, StatusCode::FORBIDDEN);
    let id = OperationId::call(PROJECT, "anas");
    let operation = world.stored(&id).await;
    let events: Vec<&str> =
        operation.history.entries().iter().map(|entry| entry.event.as_str()).collect();
    assert_eq!(events, ["created", "linked", "link_revoked"]);
    world.finish().await;
}
