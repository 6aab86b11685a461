//! How much memory it takes to judge a webhook. A test binary of its own: its allocator counts, and one test runs in
//! it.

#![allow(clippy::unwrap_used, reason = "a failed expectation is a failed test")]

use std::fmt::Write as _;

use peak_alloc::PeakAlloc;
use placet_core::Timestamp;
use placet_core::receipt::{Identity, Receipt};
use placet_core::webhook::{Documents, Draft, Incoming, Verifier, presets};

#[global_allocator]
static MEMORY: PeakAlloc = PeakAlloc;

/// The largest body that is taken.
const LARGEST: usize = 4_700_000;

/// Enough to tell what grows with the body.
const LARGE: usize = 400_000;

/// How many times its own size a body may take to be judged.
const TIMES: usize = 3;

/// What does not grow with the body.
const BASE: usize = 1024 * 1024;

const NOW: Timestamp = Timestamp::from_millis(1_800_000_000_000);

const JSON: &str = "application/json";
const FORM: &str = "application/x-www-form-urlencoded";

/// Bodies of about this size that are small to send and large to keep.
fn bodies(size: usize) -> [(&'static str, &'static str, String); 8] {
    let repeated = |begin: &str, part: &str, end: &str| {
        format!("{begin}{}{end}", part.repeat((size - begin.len() - end.len()) / part.len()))
    };
    let member = format!(r#""{}","#, "x".repeat(1000));
    let mut names = "{".to_owned();
    for n in 0.. {
        if names.len() + 20 > size {
            break;
        }
        write!(names, r#""{n:x}":0,"#).unwrap();
    }
    names.push_str(r#""":0}"#);
    [
        ("members of 1 KB", JSON, repeated(r#"{"type":"x","data":["#, &member, "0]}")),
        ("objects of one member", JSON, repeated("[", r#"{"a":0},"#, "{}]")),
        ("an object of many names", JSON, names),
        (
            "elements that a scheme reads",
            JSON,
            repeated(r#"{"value":["#, r#"{"id":0,"clientState":"a"},"#, "0]}"),
        ),
        ("numbers", JSON, repeated("[", "0,", "0]")),
        ("a string of escapes", JSON, repeated(r#"{"type":""#, r"\n", r#""}"#)),
        ("fields without a value", FORM, repeated("", "a&", "")),
        ("JSON in a field", FORM, repeated("payload=[", "%7B%7D,", "0]")),
    ]
}

fn opened(preset: &str) -> Verifier {
    let scheme = serde_json::from_value(presets::preset(preset).unwrap()).unwrap();
    let secrets = ["a-secret-of-thirty-two-bytes-long".to_owned()];
    Verifier::open("hooks", scheme, &secrets, &[], Some("https://hooks.example.com")).unwrap()
}

/// How many more bytes than before there were at the same time while a body was judged.
fn judged(verifier: &Verifier, content_type: &str, body: &[u8]) -> usize {
    let draft = Draft { path: "/in", content_type, id: "evt-1", body, at: NOW };
    let signed = verifier.sign(&draft).ok();
    let mut request = Incoming::post("/in", body);
    request.headers.push(("content-type", content_type));
    if let Some(signed) = &signed {
        let headers = signed.headers.iter();
        request.headers = headers.map(|(name, value)| (name.as_str(), value.as_str())).collect();
        request.query = &signed.query;
    }
    let before = MEMORY.current_usage();
    MEMORY.reset_peak_usage();
    let greeted = verifier.greeted(&request);
    if let Ok(verified) = verifier.verify(request, &Documents::default(), NOW) {
        let handshake = verifier.verified_handshake(verified.request());
        let identity = Identity::of(&verified, NOW);
        let receipt = Receipt::of(&verified, NOW);
        let event_type = verified.scheme().event_type(verified.request());
        drop((handshake, identity, receipt, event_type));
    }
    drop(greeted);
    MEMORY.peak_usage().saturating_sub(before)
}

#[test]
fn a_body_is_judged_in_three_times_its_own_memory() {
    let every =
        ["hmac", "stripe", "slack", "twilio", "linear", "microsoft-graph", "hubspot", "huma"];
    let cases = [(LARGEST, &every[..1]), (LARGE, &every)];
    for (size, presets) in cases {
        for (name, content_type, body) in bodies(size) {
            assert!((size - 2000..=size).contains(&body.len()), "{name}: {}", body.len());
            for preset in presets {
                let peak = judged(&opened(preset), content_type, body.as_bytes());
                println!("{preset}, {name}: {} bytes, {peak} at most", body.len());
                assert!(peak <= TIMES * body.len() + BASE, "{preset}, {name}: {peak} bytes");
            }
        }
    }
}
