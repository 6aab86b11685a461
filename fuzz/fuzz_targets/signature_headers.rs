//! Verifies any request, in the text form of HTTP, with every preset: none accepts the request. If a preset
//! needs a certificate or a key set, it gets the body of the same request.
#![no_main]

use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use placet_core::webhook::{Documents, Incoming, Scheme, Unverified, Verifier, presets};
use placet_fuzz::NOW;

/// A secret of each form. No seed holds a secret, and the private keys of the public keys are lost.
const SECRETS: [&str; 5] = [
    "whsec_YSBzZWNyZXQgdGhhdCB0aGUgZnV6emVyIGRvZXMgbm90IGtub3c=",
    "whpk_q7IB4BSkk+2pfc4R7I3m3tq8zhzx3aAGKziIU4LCdq8=",
    "abb201e014a493eda97dce11ec8de6dedabcce1cf1dda0062b38885382c276af",
    "MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAE3BgXr4FzZoRfMXRVrTZmUok4yUGVqXb7EIOLs+YvdWHlSDeimmgnGLBgSf5AAI6kqis8hudAWomVSNOkf++r/g==",
    "arn:aws:sns:us-east-1:123456789012:topic",
];

/// A verifier for every preset and every secret that is valid for the preset.
static VERIFIERS: LazyLock<Vec<Verifier>> = LazyLock::new(|| {
    let open = |name: &str, secret: &str| {
        let scheme = presets::preset(name).expect("the name of a preset");
        let scheme: Scheme = serde_json::from_value(scheme).expect("a preset is a scheme");
        let tokens = ["a token that the fuzzer does not know".to_owned()];
        Verifier::open(
            name,
            scheme,
            &[secret.to_owned()],
            &tokens,
            Some("https://hooks.example.com"),
        )
    };
    let each = |name| SECRETS.iter().filter_map(move |secret| open(name, secret).ok());
    presets::names().flat_map(each).collect()
});

fuzz_target!(|request: &[u8]| {
    let end = request.windows(2).position(|pair| pair == b"\n\n").unwrap_or(request.len());
    let (head, body) = request.split_at(end);
    let Ok(head) = str::from_utf8(head) else {
        return;
    };
    let (line, headers) = head.split_once('\n').unwrap_or((head, ""));
    let (method, target) = line.split_once(' ').unwrap_or(("POST", line));
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    for verifier in VERIFIERS.iter() {
        let mut incoming = Incoming::post(path, body.strip_prefix(b"\n\n").unwrap_or_default());
        incoming.method = method;
        incoming.query = query;
        incoming.headers = headers.lines().filter_map(|line| line.split_once(": ")).collect();
        judge(verifier, incoming);
    }
});

fn judge(verifier: &Verifier, request: Incoming<'_>) {
    let handshakes = [verifier.greeted(&request), verifier.verified_handshake(&request)];
    for answer in handshakes.into_iter().flatten() {
        assert!((200..500).contains(&answer.status), "{answer:?}");
    }
    let mut documents = Documents::default();
    let mut judged = verifier.verify(request, &documents, NOW);
    if let Err(rejected) = judged {
        if let Unverified::NeedsDocument { url, .. } = &rejected.reason {
            assert!(url.starts_with("https://"), "{url}");
            documents.insert(url, rejected.request.body.to_vec());
        }
        judged = verifier.verify(rejected.request, &documents, NOW);
    }
    assert!(judged.is_err(), "accepted an unsigned request: {judged:?} {:?}", verifier.scheme());
}
