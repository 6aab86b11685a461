//! Every log message has its line in `docs/LOGGING.md`, every error code in `docs/API.md`, and neither page has a
//! line too many.

#![allow(clippy::expect_used, reason = "a test that cannot go on fails")]

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use proc_macro2::{Delimiter, Group, TokenStream, TokenTree};

const ROOT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../..");

/// Where the product's code is. `infra/xtask` only builds and tests it.
const CODE: [&str; 4] = ["shared", "functions", "infra/local/src", "infra/cli/src"];

#[test]
fn every_log_message_is_documented() {
    let documented = first_cells("docs/LOGGING.md", "message");
    let logged = found_in_code(log_messages);
    assert_eq!(missing(&logged, &documented), NONE, "docs/LOGGING.md lacks these messages");
    assert_eq!(missing(&documented, &logged), NONE, "nothing logs these messages");
}

#[test]
fn every_log_field_is_documented() {
    let documented = first_cells("docs/LOGGING.md", "field");
    let logged = found_in_code(log_fields);
    assert_eq!(missing(&logged, &documented), NONE, "docs/LOGGING.md lacks these fields");
    assert_eq!(missing(&documented, &logged), NONE, "nothing logs these fields");
}

#[test]
fn every_error_code_is_documented() {
    let documented = first_cells("docs/API.md", "code");
    let constants = found_in_code(constants);
    let code = |found: String| {
        let value = constants.iter().find_map(|one| one.strip_prefix(&format!("{found}=")));
        value.map_or(found.clone(), str::to_owned)
    };
    let answered = found_in_code(error_codes).into_iter().map(code).collect();
    assert_eq!(missing(&answered, &documented), NONE, "docs/API.md lacks these codes");
    assert_eq!(missing(&documented, &answered), NONE, "nothing answers with these codes");
}

const NONE: Vec<&String> = Vec::new();

fn missing<'a>(these: &'a BTreeSet<String>, those: &'a BTreeSet<String>) -> Vec<&'a String> {
    these.difference(those).collect()
}

/// The texts in backticks in the first cells of the tables of `page` whose first column is called `title`.
fn first_cells(page: &str, title: &str) -> BTreeSet<String> {
    let text = fs::read_to_string(Path::new(ROOT).join(page)).expect(page);
    let mut cells = BTreeSet::new();
    let mut in_table = false;
    for line in text.lines() {
        let first = line.strip_prefix('|').and_then(|row| row.split('|').next());
        match first.map(str::trim) {
            None => in_table = false,
            Some(cell) if cell == title => in_table = true,
            Some(cell) if in_table => cells.extend(in_backticks(cell).map(str::to_owned)),
            Some(_) => {}
        }
    }
    cells
}

fn in_backticks(cell: &str) -> impl Iterator<Item = &str> {
    cell.split('`').skip(1).step_by(2)
}

type Reader = fn(&[TokenTree], &mut BTreeSet<String>);

fn found_in_code(read: Reader) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for folder in CODE {
        for file in rust_files(&Path::new(ROOT).join(folder)) {
            let code = fs::read_to_string(&file).expect("a source file");
            let tokens: TokenStream = code.parse().expect("Rust code");
            visit(tokens, read, &mut found);
        }
    }
    found
}

/// The Rust files of a folder and its folders, without those of tests.
fn rust_files(folder: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        let name = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        if matches!(name.as_str(), "tests" | "testing" | "openapi") {
            continue;
        }
        if path.is_dir() {
            files.extend(rust_files(&path));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            files.push(path);
        }
    }
    files
}

fn visit(tokens: TokenStream, read: Reader, found: &mut BTreeSet<String>) {
    let tokens: Vec<TokenTree> = tokens.into_iter().collect();
    for (at, token) in tokens.iter().enumerate() {
        read(&tokens[at..], found);
        if let TokenTree::Group(group) = token {
            visit(group.stream(), read, found);
        }
    }
}

/// The arguments of `error!(field, "message")` and the like.
fn log_line(tokens: &[TokenTree]) -> Option<Vec<Vec<TokenTree>>> {
    let [TokenTree::Ident(name), TokenTree::Punct(mark), TokenTree::Group(group), ..] = tokens
    else {
        return None;
    };
    let logs = ["error", "warn", "info", "debug"].iter().any(|level| name == level);
    (logs && mark.as_char() == '!').then(|| arguments(group))
}

/// A message is the argument that is a text.
fn log_messages(tokens: &[TokenTree], found: &mut BTreeSet<String>) {
    let Some(arguments) = log_line(tokens) else { return };
    let text = arguments.iter().find_map(|argument| quoted(argument));
    let text = text.unwrap_or_else(|| panic!("a log line without a fixed message: {arguments:?}"));
    assert!(!text.contains('{'), "the message is not fixed, put the value into a field: {text}");
    found.insert(text);
}

/// A field is `name = value`, or `name`, `%name` or `?name`.
fn log_fields(tokens: &[TokenTree], found: &mut BTreeSet<String>) {
    for argument in log_line(tokens).unwrap_or_default() {
        let name = argument.iter().find_map(|token| match token {
            TokenTree::Ident(name) => Some(name.to_string()),
            _ => None,
        });
        found.extend(name);
    }
}

/// The second argument of `Problem::new`, the first of `conflict`, `Failure::new` and `not_run`, and what a function
/// called `code` returns.
fn error_codes(tokens: &[TokenTree], found: &mut BTreeSet<String>) {
    match tokens {
        [TokenTree::Ident(name), TokenTree::Group(group), ..] => {
            let at = match name.to_string().as_str() {
                "conflict" | "not_run" => 0,
                _ => return,
            };
            found.extend(arguments(group).get(at).and_then(|argument| literal(argument)));
        }
        [
            TokenTree::Ident(name),
            TokenTree::Punct(_),
            TokenTree::Punct(_),
            TokenTree::Ident(new),
            TokenTree::Group(group),
            ..,
        ] if new == "new" => {
            let at = match name.to_string().as_str() {
                "Problem" | "Self" => 1,
                "Failure" => 0,
                _ => return,
            };
            let status = group.stream().into_iter().next();
            let is_status = status.is_some_and(|token| token.to_string() == "StatusCode");
            if name != "Self" || is_status {
                found.extend(arguments(group).get(at).and_then(|argument| literal(argument)));
            }
        }
        [TokenTree::Ident(word), TokenTree::Ident(name), rest @ ..]
            if word == "fn" && name == "code" =>
        {
            let item = rest.iter().take_while(|token| token.to_string() != ";");
            let mut groups = item.filter_map(|token| match token {
                TokenTree::Group(group) => Some(group),
                _ => None,
            });
            if let Some(body) = groups.find(|group| group.delimiter() == Delimiter::Brace) {
                literals(body.stream(), found);
            }
        }
        _ => {}
    }
}

/// `const NAME: &str = "value";` as `NAME=value`.
fn constants(tokens: &[TokenTree], found: &mut BTreeSet<String>) {
    let [TokenTree::Ident(word), TokenTree::Ident(name), rest @ ..] = tokens else { return };
    let [_colon, _reference, _str, _equals, value @ TokenTree::Literal(_), ..] = rest else {
        return;
    };
    if word == "const" {
        found.extend(literal(std::slice::from_ref(value)).map(|value| format!("{name}={value}")));
    }
}

fn literals(tokens: TokenStream, found: &mut BTreeSet<String>) {
    for token in tokens {
        match token {
            TokenTree::Group(group) => literals(group.stream(), found),
            token => found.extend(literal(&[token])),
        }
    }
}

/// The arguments of a call or a macro, each with its tokens.
fn arguments(group: &Group) -> Vec<Vec<TokenTree>> {
    let mut arguments = vec![Vec::new()];
    for token in group.stream() {
        match token {
            TokenTree::Punct(mark) if mark.as_char() == ',' => arguments.push(Vec::new()),
            token => arguments.last_mut().expect("an argument").push(token),
        }
    }
    arguments
}

/// The text of an argument that is one string literal, or the name of one that is a constant.
fn literal(argument: &[TokenTree]) -> Option<String> {
    match argument {
        [TokenTree::Ident(name)] if name.to_string().chars().all(|c| c.is_ascii_uppercase()) => {
            Some(name.to_string())
        }
        argument => quoted(argument),
    }
}

/// The text of an argument that is one string literal.
fn quoted(argument: &[TokenTree]) -> Option<String> {
    let [TokenTree::Literal(literal)] = argument else { return None };
    Some(literal.to_string().strip_prefix('"')?.strip_suffix('"')?.to_owned())
}
