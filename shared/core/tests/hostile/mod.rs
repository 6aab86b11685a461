//! Bodies that anyone may send, made to cost memory or time.

use std::fmt::Write as _;

pub const JSON: &str = "application/json";
pub const FORM: &str = "application/x-www-form-urlencoded";

/// A body, with its content type and what makes it hostile.
pub struct Hostile {
    pub name: &'static str,
    pub content_type: &'static str,
    pub bytes: Vec<u8>,
}

/// A body for each kind of cost, of `size` bytes or a little less.
pub fn bodies(size: usize) -> Vec<Hostile> {
    let json = |name, begin, part, end| Hostile {
        name,
        content_type: JSON,
        bytes: repeated(begin, part, end, size),
    };
    let form = |name, begin, part| Hostile {
        name,
        content_type: FORM,
        bytes: repeated(begin, part, "", size),
    };
    let member = format!(r#""{}","#, "x".repeat(1000));
    vec![
        json("members of 1 KB", r#"{"type":"x","data":["#, &member, "0]}"),
        json("objects of one member", "[", r#"{"a":0},"#, "{}]"),
        Hostile { name: "an object of many names", content_type: JSON, bytes: names(size) },
        json(
            "elements that a scheme reads",
            r#"{"value":["#,
            r#"{"id":0,"clientState":"a"},"#,
            "0]}",
        ),
        json("numbers", "[", "0,", "0]"),
        json("a string of escapes", r#"{"type":""#, r"\n", r#""}"#),
        json("a string of surrogates", r#"{"type":""#, r"\ud83d", r#""}"#),
        json("names with escapes", r"{", r#""\n":0,"#, r#""":0}"#),
        json("a long name", r#"{""#, "a", r#"":0}"#),
        json("lists in lists", "", "[", ""),
        json("objects in objects", "", r#"{"type":"#, ""),
        Hostile { name: "JSON in UTF-16", content_type: JSON, bytes: utf16(size) },
        form("fields without a value", "", "a&"),
        form("fields with a value", "", "MessageSid=a&"),
        form("a value of escapes", "payload=", "%61"),
        form("broken escapes", "payload=", "%"),
        form("JSON in a field", "payload=[", "%7B%7D,"),
    ]
}

fn repeated(begin: &str, part: &str, end: &str, size: usize) -> Vec<u8> {
    let times = (size - begin.len() - end.len()) / part.len();
    format!("{begin}{}{end}", part.repeat(times)).into_bytes()
}

fn names(size: usize) -> Vec<u8> {
    let mut names = "{".to_owned();
    for n in 0.. {
        if names.len() + 20 > size {
            break;
        }
        let _ = write!(names, r#""{n:x}":0,"#);
    }
    names.push_str(r#""":0}"#);
    names.into_bytes()
}

fn utf16(size: usize) -> Vec<u8> {
    // The letter has two bytes in UTF-16 and three in UTF-8.
    let text = format!(r#"{{"type":"{}"}}"#, "\u{ffff}".repeat(size / 2 - 20));
    text.encode_utf16().flat_map(u16::to_le_bytes).collect()
}
