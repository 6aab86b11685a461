//! Every budget has its line in `docs/LIMITS.md`, with its value, and the page has no line too many.

#![allow(clippy::unwrap_used, reason = "a failed expectation is a failed test")]

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use proc_macro2::{TokenStream, TokenTree};
use serde_json::Value;

type Limits = BTreeMap<String, u64>;

fn file(path: &str) -> String {
    let root = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../.."));
    fs::read_to_string(root.join(path)).unwrap()
}

#[test]
fn every_limit_is_documented_with_its_value() {
    assert_eq!(documented("where to change it"), constants());
}

#[test]
fn the_limit_of_every_preset_is_documented() {
    let presets: Value = serde_json::from_str(&file("shared/core/presets.json")).unwrap();
    let mut limits = Limits::new();
    for (name, preset) in presets.as_object().unwrap() {
        let like = preset["like"].as_str().map_or(&Value::Null, |like| &presets[like]);
        let limit = preset["limit"].as_u64().or_else(|| like["limit"].as_u64());
        limits.extend(limit.map(|limit| (name.clone(), limit)));
    }
    assert_eq!(documented("preset"), limits);
}

/// The values in the tables of the page that have this column, by the names in backticks in the column. A constant has
/// a name in capitals.
fn documented(column: &str) -> Limits {
    let mut limits = Limits::new();
    let mut place = None;
    for line in file("docs/LIMITS.md").lines() {
        let cells: Vec<&str> = line.trim_matches('|').split('|').map(str::trim).collect();
        if !line.starts_with('|') {
            place = None;
        } else if let Some(found) = cells.iter().position(|cell| *cell == column) {
            place = Some(found);
        } else if let Some(place) = place {
            let names = cells[place].split('`').skip(1).step_by(2);
            let names = names.filter(|name| column == "preset" || is_constant(name));
            limits.extend(names.map(|name| (name.to_owned(), value(cells[1]))));
        }
    }
    limits
}

fn is_constant(name: &str) -> bool {
    let capital = |byte: u8| byte.is_ascii_uppercase() || byte == b'_';
    name.bytes().all(capital) && !name.starts_with("PLACET_")
}

/// The number at the beginning of a cell, in bytes if its unit is KB or MB.
fn value(cell: &str) -> u64 {
    let mut words = cell.split_whitespace();
    let number: u64 = words.next().unwrap().replace(',', "").parse().unwrap();
    match words.next() {
        Some("KB") => number * 1024,
        Some("MB") => number * 1024 * 1024,
        _ => number,
    }
}

/// The values of the constants in `limits.rs`. A duration counts in seconds.
fn constants() -> Limits {
    let code: TokenStream = file("shared/core/src/limits.rs").parse().unwrap();
    let tokens: Vec<TokenTree> = code.into_iter().collect();
    let mut limits = Limits::new();
    for (at, token) in tokens.iter().enumerate() {
        if token.to_string() == "const" {
            let item = tokens[at..].iter().take_while(|token| token.to_string() != ";");
            let expression = item.skip_while(|token| token.to_string() != "=").cloned();
            limits.insert(tokens[at + 1].to_string(), product(expression.collect()));
        }
    }
    limits
}

/// The product of the numbers in an expression such as `200 * 1024` or `Duration::from_secs(25)`.
fn product(expression: TokenStream) -> u64 {
    let factor = |token| match token {
        TokenTree::Literal(number) => number.to_string().replace('_', "").parse().unwrap(),
        TokenTree::Group(group) => product(group.stream()),
        TokenTree::Ident(_) => 1,
        TokenTree::Punct(mark) => {
            assert!("=*:".contains(mark.as_char()), "{mark} is not understood");
            1
        }
    };
    expression.into_iter().map(factor).product()
}
