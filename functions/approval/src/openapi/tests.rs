use std::collections::BTreeSet;
use std::path::Path;

use serde_json::Value;

use super::document;

#[test]
fn the_file_is_up_to_date() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("openapi.json");
    let made = format!("{}\n", serde_json::to_string_pretty(&document()).unwrap());
    if std::env::var_os("UPDATE").is_some() {
        std::fs::write(&path, &made).unwrap();
    }
    let file = std::fs::read_to_string(&path).unwrap();
    assert!(
        file == made,
        "openapi.json is not up to date: run UPDATE=1 cargo nextest run -p placet-approval"
    );
}

#[test]
fn every_component_is_used_and_every_reference_resolves() {
    let document = document();
    let mut referred = BTreeSet::new();
    references(&document, &mut referred);
    let mut there = BTreeSet::new();
    for part in ["responses", "schemas"] {
        let names = document["components"][part].as_object().unwrap().keys();
        there.extend(names.map(|name| format!("#/components/{part}/{name}")));
    }
    assert_eq!(referred, there);
}

fn references(value: &Value, found: &mut BTreeSet<String>) {
    match value {
        Value::Object(members) => {
            found.extend(members.get("$ref").and_then(Value::as_str).map(str::to_owned));
            members.values().for_each(|member| references(member, found));
        }
        Value::Array(items) => items.iter().for_each(|item| references(item, found)),
        _ => {}
    }
}

#[test]
fn the_parameters_of_a_path_are_those_of_its_pattern() {
    let document = document();
    for (path, operations) in document["paths"].as_object().unwrap() {
        let pattern: BTreeSet<&str> =
            path.split('/').filter_map(|part| part.strip_prefix('{')?.strip_suffix('}')).collect();
        for operation in operations.as_object().unwrap().values() {
            let parameters = operation["parameters"].as_array().unwrap().iter();
            let in_path = parameters.filter(|parameter| parameter["in"] == "path");
            let named: BTreeSet<&str> =
                in_path.map(|parameter| parameter["name"].as_str().unwrap()).collect();
            assert_eq!(named, pattern, "{path}");
        }
    }
}
