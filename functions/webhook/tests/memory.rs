//! The memory of a request that its source did not sign. Anyone may send such a request. This test has its own
//! binary, because its allocator counts all allocations.

#![allow(clippy::unwrap_used, reason = "a failed expectation is a failed test")]

#[path = "../../../shared/core/tests/hostile/mod.rs"]
mod hostile;

use std::collections::BTreeSet;

use allocation_counter::{AllocationInfo, measure};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hostile::{FORM, Hostile};
use placet_core::Timestamp;
use placet_core::limits::LARGEST_WEBHOOK;
use placet_core::webhook::{Draft, KeyForm, Scheme, presets};
use placet_runtime::{Clock, Config, Environment, Runtime};
use placet_webhook::Webhook;
use serde_json::{Value, json};

const NOW: Timestamp = Timestamp::from_millis(1_795_165_200_000);

/// The most bytes that one request may take, with its event.
const PEAK: u64 = 32 * 1024 * 1024;

/// The presets that look up values in a body before they know its sender.
const READERS: [&str; 6] = ["linear", "twilio", "slack", "huma", "microsoft-graph", "sns"];

/// The bodies whose event takes the most memory, also if the body is not read.
const WORST: [&str; 2] = ["a string of escapes", "JSON in UTF-16"];

/// The webhook function with a source for each preset, over services that do not answer.
struct Function {
    webhook: Webhook,
    runtime: Runtime,
}

impl Function {
    fn start() -> Self {
        let sources: String = presets::names().map(|name| format!("  {name}: {{}}\n")).collect();
        let config = Config::parse(&format!("project: default\nsources:\n{sources}")).unwrap();
        let runtime = Runtime::new(environment(0), config, Clock::manual(NOW)).unwrap();
        Self { webhook: Webhook::new(runtime.clone()), runtime }
    }

    fn scheme(&self, preset: &str) -> &Scheme {
        &self.runtime.config.source(preset).unwrap().scheme
    }

    /// The event of a request that is signed with another secret than the source's. `text` is the body in the event.
    fn event(&self, preset: &str, body: &Hostile, text: &BodyText) -> Vec<u8> {
        let Hostile { content_type, bytes, .. } = body;
        let source = self.runtime.config.source(preset).unwrap();
        let forger = source.open(preset, &environment(1)).unwrap();
        let path = format!("/webhooks/{preset}");
        let draft = Draft { path: &path, content_type, id: "evt-1", body: bytes, at: NOW };
        let (mut headers, mut query) = (json!({"content-type": content_type}), String::new());
        if let Ok(signed) = forger.sign(&draft) {
            let pairs = signed.headers.into_iter();
            headers = pairs.map(|(name, value)| (name, Value::from(value))).collect();
            query = signed.query;
        }
        let rest = json!({"version": "2.0", "rawPath": path, "rawQueryString": query, "headers": headers,
            "requestContext": {"http": {"method": "POST", "sourceIp": "192.0.2.1"}, "timeEpoch": 0},
            "isBase64Encoded": text.is_base64});
        let rest = rest.to_string();
        let rest = rest.strip_suffix('}').unwrap();
        format!("{rest},\"body\":{}}}", text.json).into_bytes()
    }

    /// The status of the answer to an event, and the allocations of the whole request.
    fn answer(&self, event: &[u8]) -> (i64, AllocationInfo) {
        let tokio = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let mut status = 0;
        let info = measure(|| {
            // The runtime of Lambda has the bytes of the event until its type is read.
            let bytes = event.to_vec();
            let event = serde_json::from_slice(&bytes).unwrap();
            status = tokio.block_on(self.webhook.handle(event)).status_code;
            drop(bytes);
        });
        (status, info)
    }
}

/// A body as the event of a Function URL holds it.
struct BodyText {
    is_base64: bool,
    json: String,
}

impl BodyText {
    fn of(body: &Hostile) -> Self {
        let text = str::from_utf8(&body.bytes).ok().filter(|_| body.content_type != FORM);
        let (is_base64, text) = match text {
            Some(text) => (false, text.to_owned()),
            None => (true, STANDARD.encode(&body.bytes)),
        };
        Self { is_base64, json: Value::from(text).to_string() }
    }
}

/// The variables of a deployment. Two deployments with different numbers have different secrets.
fn environment(number: u8) -> Environment {
    let nowhere = "http://127.0.0.1:1";
    let fixed = [
        ("AWS_REGION", "us-east-1"),
        ("AWS_ACCESS_KEY_ID", "local"),
        ("AWS_SECRET_ACCESS_KEY", "local"),
        ("AWS_ENDPOINT_URL_DYNAMODB", nowhere),
        ("AWS_ENDPOINT_URL_SQS", nowhere),
        ("PLACET_TABLE", "placet"),
        ("PLACET_WEBHOOK_URL", "https://hooks.example.com"),
    ];
    let fixed = fixed.map(|(name, value)| (name.to_owned(), value.to_owned()));
    let secret = |name: &str| {
        let variable = format!("PLACET_SECRET_{}", name.to_uppercase().replace('-', "_"));
        (variable, secret(name, number))
    };
    fixed.into_iter().chain(presets::names().map(secret)).collect()
}

/// A public key of ECDSA on P-256.
const SPKI: &str = "MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAE83T4O/n84iotIvIW4mdBgQ/7dAfSmpqIM8kF9mN1flpVKS3GRqe62gw+2fNNRaINXvVpiglSI8eNEc6wEA3F+g==";

/// A secret in the form that the preset needs.
fn secret(preset: &str, number: u8) -> String {
    let scheme: Scheme = serde_json::from_value(presets::preset(preset).unwrap()).unwrap();
    let checks = scheme.checks;
    let key = [65 + number; 32];
    match checks.token.as_ref().map(|check| check.key) {
        Some(KeyForm::TopicArn) => {
            return format!("arn:aws:sns:eu-central-1:123456789012:topic-{number}");
        }
        Some(KeyForm::UserPassword) => return format!("user:a password of a test {number}"),
        _ => {}
    }
    match checks.mac.or(checks.sign).map(|check| check.key) {
        Some(KeyForm::Whsec | KeyForm::WhsecPrefixed) => format!("whsec_{}", STANDARD.encode(key)),
        Some(KeyForm::Whpk) => format!("whpk_{}", STANDARD.encode(key)),
        Some(KeyForm::Hex | KeyForm::Ed25519Hex) => "41".repeat(32),
        Some(KeyForm::SpkiBase64) => SPKI.to_owned(),
        Some(KeyForm::Base64) => STANDARD.encode(key),
        Some(_) | None => "a:secret-of-thirty-two-bytes-00".to_owned() + &number.to_string(),
    }
}

#[test]
fn an_unsigned_request_takes_at_most_32_mb_whatever_its_body() {
    let function = Function::start();
    let limit = |preset: &&str| function.scheme(preset).limit;
    let limits: BTreeSet<usize> = presets::names().map(|preset| limit(&preset)).collect();
    for size in limits {
        for body in hostile::bodies(size) {
            let text = BodyText::of(&body);
            let hostile = |preset: &&str| READERS.contains(preset) || WORST.contains(&body.name);
            let presets = presets::names().filter(|preset| limit(preset) == size);
            for preset in presets.filter(hostile) {
                let event = function.event(preset, &body, &text);
                let (status, info) = function.answer(&event);
                println!("{preset}, {}: {status}, {} bytes", body.name, info.bytes_max);
                assert!(matches!(status, 400..500), "{preset}, {}: {status}", body.name);
                assert!(
                    info.bytes_max <= PEAK,
                    "{preset}, {}: {} bytes",
                    body.name,
                    info.bytes_max
                );
            }
        }
    }
}

#[test]
fn a_body_beyond_the_limit_of_its_sender_gets_a_413_and_is_not_read() {
    let function = Function::start();
    for (preset, limit) in [
        ("microsoft-graph", 256 * 1024),
        ("sns", 512 * 1024),
        ("meta", 3 * 1024 * 1024),
        ("whatsapp", 3 * 1024 * 1024),
        ("github", LARGEST_WEBHOOK),
    ] {
        for (size, expected) in [(limit, 401), (limit + 1, 413)] {
            let bytes = vec![b'7'; size];
            let body = Hostile { name: "a number", content_type: hostile::JSON, bytes };
            let event = function.event(preset, &body, &BodyText::of(&body));
            assert_eq!(function.answer(&event).0, expected, "{preset}: {size}");
        }
    }
}
