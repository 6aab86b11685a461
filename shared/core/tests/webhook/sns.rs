//! Amazon SNS: the key is in a certificate that the message names.

use std::sync::LazyLock;

use aws_lc_rs::encoding::AsDer as _;
use aws_lc_rs::signature::KeyPair as _;
use placet_core::Timestamp;
use placet_core::webhook::{Documents, Unverified, Verifier};
use serde_json::{Value, json};

use crate::crypto::{RSA, base64, sign_rsa};
use crate::request::{Judged, Request, open, open_scheme, scheme};
use crate::sender::NOW;

const CERTIFICATE: &str = "https://sns.eu-central-1.amazonaws.com/SimpleNotificationService-010a507c1833636cd94bdb98bd93083a.pem";
const TIME: &str = "2027-01-15T08:00:00.000Z";

/// A certificate for the years 2026 to 2035, in the DER of RFC 5280.
static PEM: LazyLock<String> = LazyLock::new(|| {
    let algorithm = b"\x30\x0d\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x01\x0b\x05\x00";
    let no_name = b"\x30\x00";
    let from = der(0x17, &[b"260101000000Z"]);
    let until = der(0x17, &[b"360101000000Z"]);
    let validity = der(0x30, &[&from, &until]);
    let (version, serial) = (b"\xa0\x03\x02\x01\x02", b"\x02\x01\x01");
    let key = RSA.public_key().as_der().unwrap();
    let parts: [&[u8]; 7] = [version, serial, algorithm, no_name, &validity, no_name, key.as_ref()];
    let certificate = der(0x30, &parts);
    let signature = der(0x03, &[&[0], &sign_rsa(&certificate)]);
    let text = base64(&der(0x30, &[&certificate, algorithm, &signature]));
    let lines: Vec<&str> =
        text.as_bytes().chunks(64).map(|line| str::from_utf8(line).unwrap()).collect();
    let lines = lines.join("\n");
    format!("-----BEGIN CERTIFICATE-----\n{lines}\n-----END CERTIFICATE-----\n")
});

fn der(tag: u8, parts: &[&[u8]]) -> Vec<u8> {
    let content = parts.concat();
    let [high, low] = u16::try_from(content.len()).unwrap().to_be_bytes();
    let length = match (high, low) {
        (0, 0..=127) => vec![low],
        (0, _) => vec![0x81, low],
        _ => vec![0x82, high, low],
    };
    [vec![tag], length, content].concat()
}

pub fn topic(number: u8) -> String {
    format!("arn:aws:sns:eu-central-1:123456789012:topic-{number}")
}

pub fn documents() -> Documents {
    let mut documents = Documents::default();
    documents.insert(CERTIFICATE, PEM.as_bytes().to_vec());
    documents
}

/// A notification that is not signed yet.
pub fn notification(message: &str, time: &str) -> Value {
    json!({
        "Type": "Notification",
        "MessageId": "165545c9-2a5c-472c-8df2-7ff2be2b3b1b",
        "TopicArn": topic(1),
        "Message": message,
        "Timestamp": time,
        "SignatureVersion": "2",
        "SigningCertURL": CERTIFICATE
    })
}

pub fn string_to_sign(body: &Value) -> Vec<u8> {
    let names: &[&str] = match body["Type"].as_str() {
        Some("Notification") => {
            &["Message", "MessageId", "Subject", "Timestamp", "TopicArn", "Type"]
        }
        _ => &["Message", "MessageId", "SubscribeURL", "Timestamp", "Token", "TopicArn", "Type"],
    };
    let there = names.iter().filter_map(|name| Some((name, body.get(name)?.as_str()?)));
    there.map(|(name, value)| format!("{name}\n{value}\n")).collect::<String>().into_bytes()
}

fn signed(mut body: Value) -> Request {
    body["Signature"] = base64(&sign_rsa(&string_to_sign(&body))).into();
    Request::post(body.to_string())
}

fn verifier() -> Verifier {
    open("sns", &[&topic(1)])
}

fn judged(request: &Request) -> Judged {
    request.judged_with(&verifier(), &documents(), NOW)
}

#[test]
fn a_notification_verifies_with_and_without_subject() {
    let mut body = notification("line\nMessageId\nline", TIME);
    assert!(judged(&signed(body.clone())).is_ok());
    body["Subject"] = json!("My subject");
    let request = signed(body.clone());
    assert!(judged(&request).is_ok());
    body["Subject"] = json!("");
    let empty = signed(body);
    assert!(judged(&empty).is_ok());
    for value in [Value::Null, json!([]), json!(0)] {
        let no_text = empty.clone().with_member("Subject", value);
        assert_eq!(judged(&no_text), Err(Unverified::Unreadable));
    }
    for changed in [
        request.clone().without_member("Subject"),
        request.clone().with_member("Subject", "Another"),
        request.clone().with_member("Subject", Value::Null),
        request.clone().with_member("Token", "t"),
    ] {
        assert!(judged(&changed).is_err(), "{changed:?}");
    }
}

#[test]
fn a_confirmation_of_a_subscription_verifies() {
    let mut body = notification("You have chosen to subscribe to the topic.", TIME);
    body["Type"] = json!("SubscriptionConfirmation");
    body["Token"] = json!("2336412f37f");
    body["SubscribeURL"] = json!(
        "https://sns.eu-central-1.amazonaws.com/?Action=ConfirmSubscription&Token=2336412f37f"
    );
    let request = signed(body);
    assert!(judged(&request).is_ok());
    let kind = verifier().scheme().event_type(&request.incoming()).unwrap();
    assert_eq!(kind.as_deref(), Some("SubscriptionConfirmation"));
    let changed = request.with_member("SubscribeURL", "https://evil.example/");
    assert_eq!(judged(&changed), Err(Unverified::Signature));
}

/// OpenSSL signed this message with the key of the certificate in `sns.pem`.
#[test]
fn version_1_uses_sha_1() {
    let certificate = CERTIFICATE.replace("eu-central-1", "us-west-2");
    let body = json!({
        "Type": "Notification",
        "MessageId": "165545c9-2a5c-472c-8df2-7ff2be2b3b1b",
        "TopicArn": "arn:aws:sns:us-west-2:123456789012:MyTopic",
        "Subject": "My subject",
        "Message": "My Test Message",
        "Timestamp": TIME,
        "SignatureVersion": "1",
        "Signature": "k0DxoOaVFdyLcgzfRsZeIjFokDliIc1tGEt0FAlEsW3g7fONxWpk+0VurLFrCIh8DGBRGjM9V/aXDfNj3V/GR7EoEZL+iVemc7020yle8zDVeVia/pksGkbepiz2foHIxNWIIDqaIi8oXKZX4Joz7S2dumqZCzpPSEJBLaK+FUG5KEl/TjW0dGZlvbgWD1sICWwqBov2oMr2MrADoNweTOKWUowsUKXbZW6KkYBb/PjPWkxpH2LolDhsvZCmSnEl5OcCDUnQSSCYoqzYE1cvfOMHbjhuktpFuMYVOO9rgarUvDMbE2yI2EZRDDP6BkCLomPdV8IK2OhckYwXS73sBQ==",
        "SigningCertURL": certificate
    });
    let mut documents = Documents::default();
    documents.insert(&certificate, include_bytes!("sns.pem").to_vec());
    let secret = "arn:aws:sns:us-west-2:123456789012:MyTopic";
    let request = Request::post(body.to_string());
    let judged = |request: &Request| request.judged_with(&open("sns", &[secret]), &documents, NOW);
    assert_eq!(judged(&request).unwrap().proven.check, "token and rsa-pkcs1-sha1");
    let other_version = request.clone().with_member("SignatureVersion", "2");
    assert_eq!(judged(&other_version), Err(Unverified::Signature));
    let no_subject = request.without_member("Subject");
    assert_eq!(judged(&no_subject), Err(Unverified::Signature));
}

#[test]
fn version_1_can_be_refused() {
    let only_2 = json!({"checks": {"sign": {"algorithm": {"values": {"1": null}}}}});
    let verifier = open_scheme(scheme("sns", only_2), &[&topic(1)]);
    let request = signed(notification("m", TIME));
    assert!(request.judged_with(&verifier, &documents(), NOW).is_ok());
    let request = request.with_member("SignatureVersion", "1");
    assert!(request.judged_with(&verifier, &documents(), NOW).is_err());
}

/// Only a verified request can be stored. A rejected request is returned and may be verified again.
#[test]
fn a_request_is_verified_again_with_the_document_that_it_needs() {
    let request = signed(notification("m", TIME));
    let (verifier, now) = (verifier(), Timestamp::from_millis(NOW * 1000));
    let rejected = verifier.verify(request.incoming(), &Documents::default(), now).unwrap_err();
    assert!(matches!(rejected.reason, Unverified::NeedsDocument { newer: false, .. }));
    let verified = verifier.verify(rejected.request, &documents(), now).unwrap();
    assert_eq!((verified.source(), verified.request().body), ("source", &request.body[..]));
    assert!(verified.scheme().checks.sign.is_some());
}

#[test]
fn only_a_named_certificate_at_an_amazon_address_is_fetched() {
    let request = signed(notification("m", TIME));
    let nothing = Documents::default();
    assert_eq!(
        request.judged_with(&verifier(), &nothing, NOW),
        Err(Unverified::NeedsDocument { url: CERTIFICATE.to_owned(), newer: false })
    );
    let name = "SimpleNotificationService-010a507c1833636cd94bdb98bd93083a";
    for address in [
        format!("https://sns.eu-central-1.amazonaws.com.evil.example/{name}.pem"),
        format!("https://sns.eu-central-1.amazonaws.com@evil.example/{name}.pem"),
        format!("https://sns-eu-central-1.amazonaws.com/{name}.pem"),
        format!("https://sns.evil.s3.amazonaws.com/{name}.pem"),
        format!("https://snsXeu-central-1.amazonaws.com/{name}.pem"),
        format!("http://sns.eu-central-1.amazonaws.com/{name}.pem"),
        format!("https://sns.eu-central-1.amazonaws.com:8443/{name}.pem"),
        format!("https://sns.eu-central-1.amazonaws.com/{name}.pem?x"),
        format!("https://sns.eu-central-1.amazonaws.com/?Action=Publish&x=/{name}.pem"),
        format!("https://sns.eu.amazonaws.com/{name}.pem"),
        format!("https://sns.eu-central-1.amazonaws.com/{name}.txt"),
        // Another region than that of the topic, and other documents of Amazon.
        format!("https://sns.us-east-1.amazonaws.com/{name}.pem"),
        format!("https://sns.eu-central-1.amazonaws.com.cn/{name}.pem"),
        format!("https://sns.eu-central-1.amazonaws.com/{name}0.pem"),
        format!("https://sns.eu-central-1.amazonaws.com/any/{name}.pem"),
        "https://sns.eu-central-1.amazonaws.com/any.pem".to_owned(),
        String::new(),
    ] {
        let request = request.clone().with_member("SigningCertURL", address.as_str());
        let mut documents = documents();
        documents.insert(&address, PEM.as_bytes().to_vec());
        let judged = request.judged_with(&verifier(), &documents, NOW);
        assert!(matches!(judged, Err(Unverified::Certificate(_))), "{address}: {judged:?}");
    }
}

#[test]
fn the_certificate_must_be_valid_now() {
    for (at, fine) in [
        (1_767_225_599, false),
        (1_767_225_600, true),
        (2_082_758_400, true),
        (2_082_758_401, false),
    ] {
        let time = crate::sender::Unit::Rfc3339.text(at);
        let request = signed(notification("m", &time));
        let judged = request.judged_with(&verifier(), &documents(), at);
        assert_eq!(judged.is_ok(), fine, "{time}: {judged:?}");
    }
    for other in ["", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n", "{}"] {
        let mut documents = Documents::default();
        documents.insert(CERTIFICATE, other.as_bytes().to_vec());
        let judged = signed(notification("m", TIME)).judged_with(&verifier(), &documents, NOW);
        assert!(matches!(judged, Err(Unverified::Certificate(_))), "{other}: {judged:?}");
    }
    let mut other = Documents::default();
    other.insert(CERTIFICATE, include_bytes!("sns.pem").to_vec());
    let judged = signed(notification("m", TIME)).judged_with(&verifier(), &other, NOW);
    assert_eq!(judged, Err(Unverified::Signature));
}

/// Anyone can get a signature of Amazon for messages of their own topic.
#[test]
fn another_topic_is_refused_before_its_certificate_is_fetched() {
    let mut body = notification("m", TIME);
    body["TopicArn"] = topic(2).into();
    let request = signed(body);
    let nothing = Documents::default();
    assert_eq!(request.judged_with(&verifier(), &nothing, NOW), Err(Unverified::Token));
    let both = open("sns", &[&topic(1), &topic(2)]);
    assert_eq!(request.judged_with(&both, &documents(), NOW).unwrap().proven.key, Some(2));
}

/// The message text of another topic can imitate the signed lines of the configured topic. Such a signed
/// message must not pass as a message of the configured topic.
#[test]
fn lines_of_a_message_are_not_members() {
    let fake = format!(
        "m\nMessageId\nfake\nTimestamp\n{TIME}\nTopicArn\n{}\nType\nNotification",
        topic(1)
    );
    let mut theirs = notification(&fake, TIME);
    theirs["TopicArn"] = topic(2).into();
    let signature = base64(&sign_rsa(&string_to_sign(&theirs)));
    let end = format!(
        "Notification\nMessageId\n{}\nTimestamp\n{TIME}\nTopicArn\n{}\nType\nNotification",
        theirs["MessageId"].as_str().unwrap(),
        topic(2)
    );
    let mut forged = notification("m", TIME);
    forged["MessageId"] = json!("fake");
    forged["Type"] = end.into();
    forged["Signature"] = signature.into();
    assert_eq!(string_to_sign(&forged), string_to_sign(&theirs), "the forgery fits the signature");
    assert!(judged(&Request::post(forged.to_string())).is_err());
}

/// A text that is signed as part of the message is not signed as the message id.
#[test]
fn a_required_member_cannot_hide_in_the_message() {
    let body = notification("m", TIME);
    let message = format!("m\nMessageId\n{}", body["MessageId"].as_str().unwrap());
    let request = signed(body).without_member("MessageId").with_member("Message", message);
    assert_eq!(judged(&request), Err(Unverified::Missing));
}

#[test]
fn repeated_members_are_refused() {
    let request = signed(notification("m", TIME));
    let text = String::from_utf8(request.body.clone()).unwrap();
    let twice = text.replacen('{', r#"{"Message":"other","#, 1);
    assert!(judged(&request.with_body(twice)).is_err());
}

#[test]
fn an_unsigned_raw_delivery_is_refused() {
    let raw = Request::post(r#"{"order": 1}"#)
        .add("x-amz-sns-message-type", "Notification")
        .add("x-amz-sns-topic-arn", &topic(1))
        .add("x-amz-sns-rawdelivery", "true");
    assert_eq!(judged(&raw), Err(Unverified::Missing));
}
