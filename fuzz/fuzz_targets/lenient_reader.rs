//! Reads any bytes as the body of an event, leniently and exactly. In a body that can be read exactly, the lenient
//! reader finds the same values; and if the type of an event cannot be read, there is a reason.
#![no_main]

use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use placet_core::strict_json::{Lenient, Text, from_utf16};
use placet_core::webhook::{Incoming, Scheme, presets};
use serde_json::Value;

const FORM: &str = "application/x-www-form-urlencoded";

static SCHEMES: LazyLock<Vec<Scheme>> = LazyLock::new(|| {
    let scheme =
        |name| presets::preset(name).and_then(|preset| serde_json::from_value(preset).ok());
    presets::names().map(|name| scheme(name).expect("a preset is a scheme")).collect()
});

fuzz_target!(|body: &[u8]| {
    let _ = from_utf16(body);
    if let Ok(exact) = Text::read(body) {
        if let Ok(tree) = exact.value() {
            let lenient = Lenient::read(exact.bytes()).expect("the text can be read exactly");
            compare(lenient, &tree);
        }
    } else if let Ok(damaged) = Lenient::read(body) {
        walk(damaged, 0);
    }
    for content_type in ["application/json", FORM] {
        let mut request = Incoming::post("/", body);
        request.headers.push(("content-type", content_type));
        for scheme in SCHEMES.iter() {
            let exact = scheme.exact_json(&request);
            assert!(scheme.event_type(&request).is_ok() || exact.is_err(), "{exact:?}");
        }
    }
});

/// The lenient reader finds every value of the tree.
fn compare(lenient: Lenient<'_>, tree: &Value) {
    let scalar = lenient.scalar().expect("a readable value");
    match tree {
        Value::Object(members) => {
            for (name, value) in members {
                let member = lenient.member(name).expect("a readable object");
                compare(member.expect("the member"), value);
            }
        }
        Value::Array(values) => {
            let elements: Vec<_> = lenient.elements().expect("a list").collect();
            assert_eq!(elements.len(), values.len());
            for (element, value) in elements.into_iter().zip(values) {
                compare(element.expect("a readable element"), value);
            }
        }
        Value::String(text) => assert_eq!(scalar.as_deref(), Some(text.as_str())),
        Value::Number(_) => {
            let read = scalar.and_then(|text| serde_json::from_str(&text).ok());
            assert_eq!(read.as_ref(), Some(tree));
        }
        Value::Bool(value) => assert_eq!(scalar.as_deref(), Some(value.to_string().as_str())),
        Value::Null => assert_eq!(scalar, None),
    }
}

/// Looks at every value that can be read.
fn walk(value: Lenient<'_>, depth: usize) {
    let _ = (value.scalar(), value.member("type"), value.exact_string());
    for element in value.elements().into_iter().flatten().take(100) {
        if let (Ok(element), 0..10) = (element, depth) {
            walk(element, depth + 1);
        }
    }
}
