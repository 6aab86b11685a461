//! Properties for any bytes. A failed case prints the smallest failing input.

use std::sync::LazyLock;

use placet_core::percent;
use placet_core::webhook::{Verifier, presets};
use proptest::prelude::*;

use crate::request::{Request, try_open};
use crate::sender::{NOW, Sender};
use crate::senders::SENDERS;
use crate::{sns, tokens};

/// Verifiers of every preset with every encoding of keys. No generated request knows their keys.
static VERIFIERS: LazyLock<Vec<(&str, Verifier)>> = LazyLock::new(|| {
    let signing = SENDERS.iter().map(|sender| (sender.preset, sender.verifier()));
    let sending = tokens::SENDERS.iter().map(|sender| (sender.preset, sender.verifier()));
    signing.chain(sending).collect()
});

fn names() -> impl Strategy<Value = String> {
    let mut names: Vec<String> =
        ["content-type", "authorization", "x-forwarded-for"].map(str::to_owned).to_vec();
    for sender in SENDERS {
        let request = sender.request();
        names.extend(request.headers.into_iter().map(|(name, _)| name));
    }
    names.extend(tokens::SENDERS.iter().map(|sender| sender.header.to_owned()));
    prop_oneof![4 => prop::sample::select(names), 1 => "[a-z-]{1,12}"]
}

fn values() -> impl Strategy<Value = String> {
    prop_oneof![
        "[ -~]{0,80}",
        "(sha256|sha1|v0|v1|v1a|t|ts|h1|h)?[=,;: ]?[0-9a-f]{0,64}",
        "(t|ts)=[0-9]{0,20}[,; ](v1|h1)=[0-9a-f]{64}([,; ](v1|h1)=[0-9a-f]{0,64})*",
        "(v1|v1a),[A-Za-z0-9+/]{43}=( (v1|v1a),[A-Za-z0-9+/]{86}==)?",
        "(Bearer|Basic|[a-z]{1,5}) +[A-Za-z0-9+/=.]{0,60}",
        Just(NOW.to_string()),
        Just((NOW * 1000).to_string()),
        Just("2027-01-15T08:00:00Z".to_owned()),
        Just("application/x-www-form-urlencoded".to_owned()),
        Just("application/json".to_owned()),
        any::<String>(),
    ]
}

fn bodies() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        prop::collection::vec(any::<u8>(), 0..64),
        any::<String>().prop_map(String::into_bytes),
        "[a-zA-Z%+=&0-9]{0,40}".prop_map(String::into_bytes),
        r#"\{"(value|type|challenge|Signature|webhookTimestamp)":(\[\{"clientState":"[a-z]{0,5}"\}\]|"[a-z_]{0,20}"|[0-9]{1,13}|null)\}"#
            .prop_map(String::into_bytes),
        Just(sns::notification("m", "2027-01-15T08:00:00Z").to_string().into_bytes()),
    ]
}

fn queries() -> impl Strategy<Value = String> {
    prop_oneof![
        "[ -~]{0,40}",
        "(challenge|crc_token|validationToken|bodySHA256|hub\\.mode|hub\\.verify_token)=[a-zA-Z0-9%+&=._-]{0,40}",
        any::<String>(),
    ]
}

fn requests() -> impl Strategy<Value = Request> {
    let headers = prop::collection::vec((names(), values()), 0..6);
    let method = prop::sample::select(vec!["POST", "GET", "PUT", "OPTIONS", ""]);
    (method, any::<String>(), queries(), headers, bodies()).prop_map(
        |(method, path, query, headers, body)| Request {
            method: method.to_owned(),
            rest: path.clone(),
            path,
            headers,
            ..Request::post(body).with_query(&query)
        },
    )
}

/// The index of a sender, and a signed request of that sender.
fn signed() -> impl Strategy<Value = (usize, Request)> {
    (0..SENDERS.len(), prop::collection::vec(any::<u8>(), 0..200)).prop_map(|(index, payload)| {
        let sender = &SENDERS[index];
        // X: a body that could be a token is never accepted.
        let payload =
            if sender.preset == "x" { [b"{".as_slice(), &payload].concat() } else { payload };
        (index, sender.send(1, &sender.time_text(NOW), &payload))
    })
}

fn flipped(bytes: &[u8], at: prop::sample::Index) -> Vec<u8> {
    let mut bytes = bytes.to_vec();
    let bit = at.index(bytes.len() * 8);
    bytes[bit / 8] ^= 1 << (bit % 8);
    bytes
}

/// Whether both bodies are the same form with different escapes.
fn same_form(sender: &Sender, one: &Request, other: &Request) -> bool {
    sender.name == "twilio" && percent::form(&one.body) == percent::form(&other.body)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_request_passes_without_the_key(request in requests()) {
        for (preset, verifier) in VERIFIERS.iter() {
            let judged = request.judged_with(verifier, &sns::documents(), NOW);
            prop_assert!(judged.is_err(), "{preset}: {judged:?}");
            let greeted = request.greeted(verifier);
            prop_assert!(greeted.is_none_or(|answer| answer.body.len() <= 1100), "{preset}");
            let _ = verifier.verified_handshake(&request.incoming());
            let _ = verifier.scheme().event_type(&request.incoming());
        }
    }

    #[test]
    fn any_signed_body_passes((index, request) in signed()) {
        let judged = SENDERS[index].judge(&request);
        prop_assert!(judged.is_ok(), "{}: {judged:?}", SENDERS[index].name);
    }

    #[test]
    fn no_bit_of_the_body_can_change((index, request) in signed(), at in any::<prop::sample::Index>()) {
        let sender = &SENDERS[index];
        prop_assume!(!request.body.is_empty());
        let changed = request.clone().with_body(flipped(&request.body, at));
        prop_assume!(!same_form(sender, &request, &changed));
        let judged = sender.judge(&changed);
        prop_assert!(judged.is_err(), "{}: {judged:?}", sender.name);
    }

    #[test]
    fn no_bit_of_the_signature_can_change((index, request) in signed(), at in any::<prop::sample::Index>()) {
        let sender = &SENDERS[index];
        let time = sender.time_text(NOW);
        let signature = flipped(&sender.signature_of(&request, &time), at);
        let text = sender.written.text(&signature);
        let judged = sender.judge(&sender.with_signatures(request, &time, &[text]));
        prop_assert!(judged.is_err(), "{}: {judged:?}", sender.name);
    }

    #[test]
    fn no_secret_causes_a_panic(name in prop::sample::select(presets::names().collect::<Vec<_>>()), secret in any::<String>()) {
        let scheme = crate::request::scheme(name, serde_json::json!({}));
        let _ = try_open(scheme, &[&secret]);
    }
}
