//! Measures the memory of the verification of a webhook. This test has its own binary, because its allocator
//! counts all memory of the process.

#![allow(clippy::unwrap_used, reason = "a failed expectation is a failed test")]

mod hostile;

use hostile::Hostile;
use peak_alloc::PeakAlloc;
use placet_core::Timestamp;
use placet_core::receipt::{Identity, Receipt};
use placet_core::webhook::{Documents, Draft, Incoming, Verifier, presets};

#[global_allocator]
static MEMORY: PeakAlloc = PeakAlloc;

/// The largest accepted body, in bytes.
const LARGEST: usize = 4_700_000;

/// Large enough to measure memory that grows with the body.
const LARGE: usize = 400_000;

/// The allowed memory, as a multiple of the body's size.
const TIMES: usize = 3;

/// The allowed memory that does not grow with the body, in bytes.
const BASE: usize = 1024 * 1024;

const NOW: Timestamp = Timestamp::from_millis(1_800_000_000_000);

fn opened(preset: &str) -> Verifier {
    let scheme = serde_json::from_value(presets::preset(preset).unwrap()).unwrap();
    let secrets = ["a-secret-of-thirty-two-bytes-long".to_owned()];
    Verifier::open("hooks", scheme, &secrets, &[], Some("https://hooks.example.com")).unwrap()
}

/// The peak of additional memory during the verification of a body, in bytes.
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
fn verification_needs_at_most_three_times_the_size_of_the_body() {
    let every =
        ["hmac", "stripe", "slack", "twilio", "linear", "microsoft-graph", "hubspot", "huma"];
    let cases = [(LARGEST, &every[..1]), (LARGE, &every)];
    for (size, presets) in cases {
        for Hostile { name, content_type, bytes } in hostile::bodies(size) {
            assert!((size - 2000..=size).contains(&bytes.len()), "{name}: {}", bytes.len());
            for preset in presets {
                let peak = judged(&opened(preset), content_type, &bytes);
                println!("{preset}, {name}: {} bytes, {peak} at most", bytes.len());
                assert!(peak <= TIMES * bytes.len() + BASE, "{preset}, {name}: {peak} bytes");
            }
        }
    }
}
