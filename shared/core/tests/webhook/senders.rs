//! All senders that sign.

use placet_core::webhook::presets;

use crate::crypto::{Keys, hex, sha256_hex};
use crate::request::Request;
use crate::sender::{Sender, Shape, Time, Unit, Written};
use crate::{sns, tokens};

const fn list(name: &'static str, header: &'static str, shape: Shape) -> Sender {
    Sender { shape, ..body(name, header, "", Written::Hex) }
}

/// A sender that signs only the body.
const fn body(
    name: &'static str,
    header: &'static str,
    prefix: &'static str,
    written: Written,
) -> Sender {
    Sender {
        name,
        preset: name,
        keys: Keys::Text,
        signature: header,
        shape: Shape::Plain(prefix),
        written,
        time: Time::Unsigned,
        id: None,
        prepare: |payload, _| Request::post(payload),
        message: |request, _| request.body.clone(),
    }
}

/// A sender of Standard Webhooks with this header set.
const fn standard(
    preset: &'static str,
    [id, time, signature]: [&'static str; 3],
    message: fn(&Request, &str) -> Vec<u8>,
) -> Sender {
    Sender {
        keys: Keys::Whsec,
        shape: Shape::List(" ", ",", "v1"),
        time: Time::Header(time, Unit::Seconds),
        id: Some(id),
        message,
        ..body(preset, signature, "", Written::Base64)
    }
}

const WEBHOOK: [&str; 3] = ["webhook-id", "webhook-timestamp", "webhook-signature"];
const SVIX: [&str; 3] = ["svix-id", "svix-timestamp", "svix-signature"];

fn webhook_message(request: &Request, time: &str) -> Vec<u8> {
    joined(&[request.header("webhook-id").as_bytes(), b".", time.as_bytes(), b".", &request.body])
}

fn svix_message(request: &Request, time: &str) -> Vec<u8> {
    joined(&[request.header("svix-id").as_bytes(), b".", time.as_bytes(), b".", &request.body])
}

fn dotted(request: &Request, time: &str) -> Vec<u8> {
    joined(&[time.as_bytes(), b".", &request.body])
}

fn after_time(request: &Request, time: &str) -> Vec<u8> {
    joined(&[time.as_bytes(), &request.body])
}

fn v0(request: &Request, time: &str) -> Vec<u8> {
    joined(&[b"v0:", time.as_bytes(), b":", &request.body])
}

pub fn joined(parts: &[&[u8]]) -> Vec<u8> {
    parts.concat()
}

pub const SENDERS: &[Sender] = &[
    standard("standard", WEBHOOK, webhook_message),
    Sender {
        name: "standard under a public key",
        keys: Keys::Whpk,
        shape: Shape::List(" ", ",", "v1a"),
        ..standard("standard", WEBHOOK, webhook_message)
    },
    standard("svix", SVIX, svix_message),
    Sender { name: "svix, white label", ..standard("svix", WEBHOOK, webhook_message) },
    Sender {
        name: "svix under a public key",
        keys: Keys::Whpk,
        shape: Shape::List(" ", ",", "v1a"),
        ..standard("svix", SVIX, svix_message)
    },
    standard("humanlayer", WEBHOOK, webhook_message),
    Sender { name: "gitlab, signed", ..standard("gitlab", WEBHOOK, webhook_message) },
    Sender {
        time: Time::Tag("t"),
        message: dotted,
        ..list("stripe", "stripe-signature", Shape::List(",", "=", "v1"))
    },
    Sender {
        time: Time::Tag("t"),
        message: dotted,
        ..list("mux", "mux-signature", Shape::List(",", "=", "v1"))
    },
    Sender {
        time: Time::Tag("ts"),
        message: |request, time| joined(&[time.as_bytes(), b":", &request.body]),
        ..list("paddle", "paddle-signature", Shape::List(";", "=", "h1"))
    },
    list("pagerduty", "x-pagerduty-signature", Shape::List(",", "=", "v1")),
    body("github", "x-hub-signature-256", "sha256=", Written::Hex),
    body("meta", "x-hub-signature-256", "sha256=", Written::Hex),
    body("whatsapp", "x-hub-signature-256", "sha256=", Written::Hex),
    body("x", "x-twitter-webhooks-signature", "sha256=", Written::Base64),
    body("hmac", "x-webhook-signature", "sha256=", Written::Hex),
    Sender { name: "hmac without prefix", ..body("hmac", "x-webhook-signature", "", Written::Hex) },
    body("dropbox", "x-dropbox-signature", "", Written::Hex),
    body("sentry", "sentry-hook-signature", "", Written::Hex),
    body("shopify", "x-shopify-hmac-sha256", "", Written::Base64),
    Sender {
        name: "shopify, events",
        ..body("shopify", "shopify-hmac-sha256", "", Written::Base64)
    },
    Sender { keys: Keys::TextSha1, ..body("intercom", "x-hub-signature", "sha1=", Written::Hex) },
    Sender {
        time: Time::Header("x-slack-request-timestamp", Unit::Seconds),
        message: v0,
        ..body("slack", "x-slack-signature", "v0=", Written::Hex)
    },
    Sender {
        time: Time::Header("x-zm-request-timestamp", Unit::Seconds),
        message: v0,
        ..body("zoom", "x-zm-signature", "v0=", Written::Hex)
    },
    Sender {
        time: Time::Body(Unit::Millis),
        prepare: |payload, time| {
            let payload = hex(payload);
            Request::post(format!(
                r#"{{"webhookTimestamp":{time},"type":"Issue","data":"{payload}"}}"#
            ))
        },
        ..body("linear", "linear-signature", "", Written::Hex)
    },
    Sender {
        time: Time::Header("x-zendesk-webhook-signature-timestamp", Unit::Rfc3339),
        message: after_time,
        ..body("zendesk", "x-zendesk-webhook-signature", "", Written::Base64)
    },
    Sender {
        keys: Keys::HexPublic,
        time: Time::Header("x-signature-timestamp", Unit::Seconds),
        message: after_time,
        ..body("discord", "x-signature-ed25519", "", Written::Hex)
    },
    Sender {
        keys: Keys::HexPublic,
        time: Time::Header("x-signature-timestamp", Unit::Seconds),
        message: after_time,
        ..body("discord-events", "x-signature-ed25519", "", Written::Hex)
    },
    Sender {
        keys: Keys::Spki,
        time: Time::Header("x-twilio-email-event-webhook-timestamp", Unit::Seconds),
        message: after_time,
        ..body("sendgrid", "x-twilio-email-event-webhook-signature", "", Written::Base64)
    },
    Sender {
        message: |request, _| joined(&[request.url().as_bytes(), &request.body]),
        ..body("square", "x-square-hmacsha256-signature", "", Written::Base64)
    },
    Sender {
        time: Time::Header("x-hubspot-request-timestamp", Unit::Millis),
        message: |request, time| {
            let (method, url) = (request.method.as_bytes(), request.url());
            joined(&[method, url.as_bytes(), &request.body, time.as_bytes()])
        },
        ..body("hubspot", "x-hubspot-signature-v3", "", Written::Base64)
    },
    Sender {
        keys: Keys::TextSha1,
        prepare: |payload, _| {
            let form = format!("Body={}&From=%2B15550001111", hex(payload));
            Request::post(form).set("content-type", "application/x-www-form-urlencoded")
        },
        message: |request, _| {
            let form = String::from_utf8_lossy(&request.body);
            let (body, _) = form["Body=".len()..].split_once('&').unwrap();
            format!("{}Body{body}From+15550001111", request.url()).into_bytes()
        },
        ..body("twilio", "x-twilio-signature", "", Written::Base64)
    },
    Sender {
        name: "twilio, JSON",
        keys: Keys::TextSha1,
        prepare: |payload, _| {
            let query = format!("x=1&bodySHA256={}", sha256_hex(payload));
            Request::post(payload).with_query(&query).set("content-type", "application/json")
        },
        message: |request, _| request.url().into_bytes(),
        ..body("twilio", "x-twilio-signature", "", Written::Base64)
    },
    Sender {
        keys: Keys::Topic,
        time: Time::Body(Unit::Rfc3339),
        prepare: |payload, time| Request::post(sns::notification(&hex(payload), time).to_string()),
        message: |request, _| sns::string_to_sign(&serde_json::from_slice(&request.body).unwrap()),
        ..body("sns", "/Signature", "", Written::Base64)
    },
];

#[test]
fn every_preset_has_a_sender() {
    for name in presets::names() {
        let signs = SENDERS.iter().any(|sender| sender.preset == name);
        let sends_token = tokens::SENDERS.iter().any(|sender| sender.preset == name);
        assert!(signs || sends_token, "{name}");
    }
}

#[test]
fn the_requests_of_every_sender_pass() {
    for sender in SENDERS {
        let judged = sender.judge(&sender.request());
        assert!(judged.is_ok(), "{}: {judged:?}", sender.name);
        let passed = judged.unwrap();
        let content = passed.signed.is_some() || passed.proven.coverage.identity;
        assert!(content, "{}: nothing tells what was signed", sender.name);
    }
}

#[test]
fn the_names_of_the_senders_are_unique() {
    let names: std::collections::BTreeSet<_> = SENDERS.iter().map(|sender| sender.name).collect();
    assert_eq!(names.len(), SENDERS.len());
}
