//! `placet webhook sign`: a request as a line for a shell.

use std::io::Read as _;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use placet_runtime::{Config, Environment};

use super::{Outgoing, Request};
use crate::{Failure, say};

/// The longest body that stands in the line itself: a system takes no longer argument.
const LONGEST: usize = 64 * 1024;

pub(super) fn run(
    config: &Config,
    environment: &Environment,
    request: &Request,
) -> Result<(), Failure> {
    let mut body = Vec::new();
    std::io::stdin().read_to_end(&mut body)?;
    let outgoing = Outgoing::new(config, environment, request, &body)?;
    say(line(&outgoing, &body));
    Ok(())
}

/// A body of text stands in it as it is; any other in base64, because a terminal would change it.
fn line(outgoing: &Outgoing, body: &[u8]) -> String {
    let signed = &outgoing.signed;
    let plain = std::str::from_utf8(body).ok().filter(|text| {
        text.len() <= LONGEST
            && text.chars().all(|character| character == '\n' || !character.is_control())
    });
    let mut words = vec!["curl -sS -i -X".to_owned(), signed.method.clone(), quoted(&outgoing.url)];
    for (name, value) in &signed.headers {
        words.push("-H".to_owned());
        words.push(quoted(&format!("{name}: {value}")));
    }
    match plain {
        Some(text) => {
            words.push("--data-raw".to_owned());
            words.push(quoted(text));
            words.join(" ")
        }
        None => {
            words.push("--data-binary @-".to_owned());
            let body = STANDARD.encode(body);
            format!("printf %s {} | base64 --decode | {}", quoted(&body), words.join(" "))
        }
    }
}

/// A word of a POSIX shell.
fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', r"'\''"))
}

#[cfg(test)]
mod tests {
    use placet_core::webhook::Signed;

    use super::*;

    #[test]
    fn a_line_survives_quotes_and_what_a_terminal_would_change() {
        let headers = vec![("x-a".to_owned(), "it's".to_owned())];
        let signed = Signed { method: "POST".to_owned(), headers, query: String::new() };
        let outgoing = Outgoing { url: "http://127.0.0.1/x?a=1&b=2".to_owned(), signed };
        let start = r"curl -sS -i -X POST 'http://127.0.0.1/x?a=1&b=2' -H 'x-a: it'\''s'";
        assert_eq!(
            line(&outgoing, b"@a 'b'\n$c"),
            format!("{start} --data-raw '@a '\\''b'\\''\n$c'")
        );
        let pipe = "printf %s 'DQA=' | base64 --decode | ";
        assert_eq!(line(&outgoing, b"\r\0"), format!("{pipe}{start} --data-binary @-"));
        assert!(line(&outgoing, &vec![b'a'; LONGEST + 1]).starts_with("printf"));
    }
}
