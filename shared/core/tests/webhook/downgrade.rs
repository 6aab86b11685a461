//! A valid proof does not replace a wrong proof.

use placet_core::webhook::Unverified;
use serde_json::json;

use crate::crypto::Keys;
use crate::request::{Request, open, open_scheme, scheme};
use crate::sender::{NOW, Sender};
use crate::senders::SENDERS;

fn sender(name: &str) -> &'static Sender {
    SENDERS.iter().find(|sender| sender.name == name).unwrap()
}

/// A request with the headers of two senders.
fn both(first: &Request, second: &Request) -> Request {
    let headers = second.headers.iter();
    headers.fold(first.clone(), |request, (name, value)| request.set(name, value))
}

#[test]
fn two_header_sets_that_differ_are_refused() {
    for (one, other) in [("svix, white label", "svix"), ("shopify", "shopify, events")] {
        let (one, other) = (sender(one), sender(other));
        let (first, second) = (one.request(), other.request());
        assert!(one.judge(&both(&first, &second)).is_ok(), "two equal header sets count as one");
        for name in second.headers.iter().map(|(name, _)| name) {
            let part = both(&first, &second.clone().without(name));
            if part != first {
                assert_eq!(one.judge(&part), Err(Unverified::Ambiguous), "{name}");
            }
            let mixed = both(&first, &second.clone().set(name, "v1,AAAA"));
            assert_eq!(one.judge(&mixed), Err(Unverified::Ambiguous), "{name}");
        }
    }
}

#[test]
fn two_incomplete_header_sets_are_refused() {
    let one = sender("svix, white label");
    for (name, other) in [("webhook-id", "svix-id"), ("webhook-timestamp", "svix-timestamp")] {
        let request = one.request();
        let value = request.header(name);
        let mixed = request.without(name).add(other, &value);
        assert_eq!(one.judge(&mixed), Err(Unverified::Ambiguous));
    }
}

#[test]
fn a_valid_public_key_signature_does_not_replace_a_wrong_mac() {
    let (mac, public) = (sender("standard"), sender("standard under a public key"));
    let verifier = open("standard", &[&Keys::Whsec.secret(1), &Keys::Whpk.secret(1)]);
    let (with_mac, with_public) = (mac.request(), public.request());
    let value = |request: &Request| request.header("webhook-signature");
    let list = |first: &str, second: &str| {
        with_mac.clone().set("webhook-signature", &format!("{first} {second}"))
    };
    let (right, strong) = (value(&with_mac), value(&with_public));
    let wrong = value(&mac.send(2, "1800000000", b"{}"));
    assert_eq!(with_mac.judged(&verifier, NOW).unwrap().proven.key, Some(1));
    assert_eq!(with_public.judged(&verifier, NOW).unwrap().proven.key, Some(2));
    for list in [list(&strong, &right), list(&right, &strong)] {
        assert_eq!(list.judged(&verifier, NOW).unwrap().proven.check, "hmac-sha256");
    }
    assert_eq!(list(&wrong, &strong).judged(&verifier, NOW), Err(Unverified::Signature));
    assert_eq!(list(&strong, &wrong).judged(&verifier, NOW), Err(Unverified::Signature));
}

#[test]
fn a_valid_token_does_not_replace_a_wrong_signature_of_gitlab() {
    let signs = sender("gitlab, signed");
    let verifier = open("gitlab", &[&Keys::Whsec.secret(1), "the classic token"]);
    let right = signs.request().add("x-gitlab-token", "the classic token");
    assert_eq!(right.judged(&verifier, NOW).unwrap().proven.check, "hmac-sha256");
    let value = right.header("webhook-signature");
    for wrong in
        [value.replace("v1,", "v1,A"), value.replace("v1,", "v2,"), "v1,".into(), String::new()]
    {
        let request = right.clone().set("webhook-signature", &wrong);
        assert!(request.judged(&verifier, NOW).is_err(), "{wrong}");
    }
    let twice = right.clone().add("webhook-signature", &value);
    assert!(twice.judged(&verifier, NOW).is_err());
    let no_time = right.clone().without("webhook-timestamp");
    assert_eq!(no_time.judged(&verifier, NOW), Err(Unverified::Missing));
    let classic = Request::post("{}").add("x-gitlab-token", "the classic token");
    assert_eq!(classic.judged(&verifier, NOW).unwrap().proven.check, "token");
}

#[test]
fn gitlab_with_a_signing_token_refuses_a_plain_token() {
    let secret = Keys::Whsec.secret(1);
    let verifier = open("gitlab", &[&secret]);
    for token in ["the classic token", secret.as_str(), ""] {
        let request = Request::post("{}").add("x-gitlab-token", token);
        assert_eq!(request.judged(&verifier, NOW), Err(Unverified::NoCheck), "{token}");
    }
    let classic = open("gitlab", &["the classic token"]);
    let signed = sender("gitlab, signed").request();
    assert!(signed.judged(&classic, NOW).is_err());
    let both = signed.add("x-gitlab-token", "the classic token");
    assert_eq!(
        both.judged(&classic, NOW).unwrap().proven.check,
        "token",
        "a check without a key is skipped"
    );
}

/// With `require: all`, one passed check of two is not enough.
#[test]
fn one_of_two_required_checks_is_not_enough() {
    let token = json!({"checks": {"token": {"at": "header:x-token"}}});
    let verifier = open_scheme(scheme("github", token), &[&Keys::Text.secret(1)]);
    let request = sender("github").request();
    assert_eq!(request.judged(&verifier, NOW), Err(Unverified::Missing));
    let wrong = request.clone().add("x-token", "no");
    assert_eq!(wrong.judged(&verifier, NOW), Err(Unverified::Token));
    let right = request.add("x-token", &Keys::Text.secret(1));
    assert_eq!(right.judged(&verifier, NOW).unwrap().proven.check, "token and hmac-sha256");
    let unsigned = right.without("x-hub-signature-256");
    assert_eq!(unsigned.judged(&verifier, NOW), Err(Unverified::Missing));
}
