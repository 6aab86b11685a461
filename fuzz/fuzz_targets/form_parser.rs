//! Decodes any bytes as an HTML form and as a path. The decoded value stays the same after another library
//! encodes the value and we decode it again.
#![no_main]

use form_urlencoded::Serializer;
use libfuzzer_sys::fuzz_target;
use placet_core::percent::form;
use placet_runtime::http::segments;

fuzz_target!(|body: &[u8]| {
    if let Some(fields) = form(body) {
        let encoded = Serializer::new(String::new()).extend_pairs(&fields).finish();
        assert_eq!(form(encoded.as_bytes()), Some(fields));
    }
    if let Some(segments) = std::str::from_utf8(body).ok().and_then(segments) {
        let joined: String =
            segments.iter().map(|segment| format!("/{}", encode(segment))).collect();
        assert_eq!(placet_runtime::http::segments(&joined), Some(segments));
    }
});

/// Percent-encodes every byte.
fn encode(segment: &str) -> String {
    segment.bytes().map(|byte| format!("%{byte:02x}")).collect()
}
