//! Forgeries of the signature, tried for every sender that signs.

use serde_json::Value;

use crate::crypto::{Keys, base64, hex};
use crate::request::{Passed, Request};
use crate::sender::{NOW, Sender, Shape, Time, Written};
use crate::senders::SENDERS;

/// The name of a forgery and the changed request.
type Forgery = (String, Request);

fn each_is_refused(forgeries: impl Fn(&Sender) -> Vec<Forgery>) {
    let mut tried = 0;
    for sender in SENDERS {
        for (name, request) in forgeries(sender) {
            let judged = sender.judge(&request);
            assert!(judged.is_err(), "{}: {name} passes: {request:?}", sender.name);
            tried += 1;
        }
    }
    assert!(tried > 0);
}

/// A signed request of the sender, and its signature.
fn signed(sender: &Sender) -> (Vec<u8>, Request) {
    let request = sender.request();
    let time = sender.time_text(NOW);
    let text = sender.value(&request);
    let text = match sender.shape {
        Shape::Plain(prefix) => text[prefix.len()..].to_owned(),
        Shape::List(_, pair, _) => text.rsplit_once(pair).unwrap().1.to_owned(),
    };
    let bytes = match sender.written {
        Written::Hex => (0..text.len() / 2)
            .map(|at| u8::from_str_radix(&text[at * 2..at * 2 + 2], 16).unwrap())
            .collect(),
        Written::Base64 => crate::crypto::from_base64(&text),
    };
    assert_eq!(
        sender.with_signatures(request.clone(), &time, &[sender.written.text(&bytes)]),
        request
    );
    (bytes, request)
}

fn with_bytes(sender: &Sender, request: &Request, bytes: &[u8]) -> Request {
    with_text(sender, request, &sender.written.text(bytes))
}

fn with_text(sender: &Sender, request: &Request, text: &str) -> Request {
    sender.with_signatures(request.clone(), &sender.time_text(NOW), &[text.to_owned()])
}

#[test]
fn a_request_without_signature_is_refused() {
    each_is_refused(|sender| {
        let (_, request) = signed(sender);
        let mut forgeries = vec![
            ("no signature".to_owned(), sender.without_signature(request.clone())),
            ("an empty value".to_owned(), sender.with_value(request.clone(), "")),
            ("an empty signature".to_owned(), with_text(sender, &request, "")),
            ("a blank".to_owned(), sender.with_value(request.clone(), " ")),
        ];
        let none = sender.with_signatures(request, &sender.time_text(NOW), &[]);
        forgeries.push(("a list without signature".to_owned(), none));
        forgeries
    });
}

#[test]
fn two_signature_headers_are_refused() {
    each_is_refused(|sender| {
        let (bytes, request) = signed(sender);
        if sender.signature.starts_with('/') {
            return vec![];
        }
        let other = with_bytes(sender, &request, &vec![0; bytes.len()]).header(sender.signature);
        let right = request.header(sender.signature);
        vec![
            ("wrong after right".to_owned(), request.clone().add(sender.signature, &other)),
            ("right after wrong".to_owned(), {
                request.set(sender.signature, &other).add(sender.signature, &right)
            }),
        ]
    });
}

#[test]
fn another_prefix_or_version_is_refused() {
    each_is_refused(|sender| {
        let (bytes, request) = signed(sender);
        let text = sender.written.text(&bytes);
        let value = sender.value(&request);
        let values = match sender.shape {
            Shape::Plain("") => vec![format!("v1={text}"), format!("sha512={text}")],
            Shape::Plain(prefix) => vec![
                format!("{prefix}{prefix}{text}"),
                format!("sha512={text}"),
                format!("v9={text}"),
                format!(" {prefix}{text}"),
                format!("={text}"),
                prefix.to_uppercase() + &text,
            ],
            Shape::List(_, pair, tag) => vec![
                value.replace(&format!("{tag}{pair}"), &format!("v0{pair}")),
                value.replace(&format!("{tag}{pair}"), &format!("v9{pair}")),
                value.replace(&format!("{tag}{pair}"), &format!("{}{pair}", tag.to_uppercase())),
                value.replace(&format!("{tag}{pair}"), pair),
                value.replace(&format!("{tag}{pair}"), tag),
                value.replace(&format!("{tag}{pair}"), &format!("{tag}{pair}{tag}{pair}")),
            ],
        };
        let forge = |value: String| (value.clone(), sender.with_value(request.clone(), &value));
        let values = values.into_iter().filter(|other| *other != value);
        values.map(forge).collect()
    });
}

#[test]
fn a_missing_prefix_is_refused() {
    each_is_refused(|sender| {
        let (bytes, request) = signed(sender);
        let bare = || sender.with_value(request.clone(), &sender.written.text(&bytes));
        let needed = sender.shape != Shape::Plain("") && sender.preset != "hmac";
        needed.then(|| ("no prefix".to_owned(), bare())).into_iter().collect()
    });
}

#[test]
fn a_malformed_encoding_is_refused() {
    each_is_refused(|sender| {
        let (bytes, request) = signed(sender);
        let text = sender.written.text(&bytes);
        let mut texts = vec![
            format!("{text}{text}"),
            format!("{text}\0"),
            text[..text.len() - 1].to_owned(),
            format!("*{}", &text[1..]),
            format!("é{}", &text[2..]),
            text.chars().rev().collect(),
        ];
        // A list may have spaces between its elements.
        if !matches!(sender.shape, Shape::List(..)) {
            texts.extend([format!("{text} "), format!(" {text}")]);
        }
        match sender.written {
            Written::Hex => {
                texts.extend([base64(&bytes), format!("0x{text}"), format!("{text}0")]);
            }
            Written::Base64 => {
                texts.extend([hex(&bytes), format!("{text}="), format!("={text}")]);
                texts.extend(text.contains('=').then(|| text.trim_end_matches('=').to_owned()));
                let url_safe = text.replace('+', "-").replace('/', "_");
                texts.extend((url_safe != text).then_some(url_safe));
            }
        }
        let forge = |text: String| (text.clone(), with_text(sender, &request, &text));
        texts.into_iter().map(forge).collect()
    });
}

#[test]
fn a_shorter_or_longer_signature_is_refused() {
    each_is_refused(|sender| {
        let (bytes, request) = signed(sender);
        let lengths = [1, 4, 10, 16, bytes.len() - 1];
        let mut all: Vec<Vec<u8>> =
            lengths.iter().map(|length| bytes[..*length].to_vec()).collect();
        all.push([bytes.as_slice(), &[0]].concat());
        all.push([&[0], bytes.as_slice()].concat());
        all.push(vec![0; bytes.len()]);
        let forge = |part: Vec<u8>| (hex(&part), with_bytes(sender, &request, &part));
        all.into_iter().map(forge).collect()
    });
}

#[test]
fn a_signature_with_one_changed_bit_is_refused() {
    each_is_refused(|sender| {
        let (bytes, request) = signed(sender);
        let flip = |bit: usize| {
            let mut changed = bytes.clone();
            changed[bit / 8] ^= 1 << (bit % 8);
            (format!("bit {bit}"), with_bytes(sender, &request, &changed))
        };
        (0..bytes.len() * 8).step_by(7).map(flip).collect()
    });
}

#[test]
fn another_body_is_refused() {
    each_is_refused(|sender| {
        let (_, request) = signed(sender);
        let body = request.body.clone();
        let mut bodies = vec![
            [body.as_slice(), b"\n"].concat(),
            [b" ", body.as_slice()].concat(),
            body[..body.len() - 1].to_vec(),
            Vec::new(),
            b"{}".to_vec(),
        ];
        // A scheme that signs single JSON members ignores spaces between the members.
        if sender.keys == Keys::Topic {
            bodies.drain(..2);
        } else if let Ok(json) = serde_json::from_slice::<Value>(&body) {
            bodies.push(serde_json::to_vec_pretty(&json).unwrap());
        }
        for at in 0..body.len() {
            let mut changed = body.clone();
            changed[at] ^= 1;
            bodies.push(changed);
        }
        let forge = |body: Vec<u8>| (format!("{body:?}"), request.clone().with_body(body));
        bodies.into_iter().map(forge).collect()
    });
}

#[test]
fn a_signature_under_another_key_is_refused() {
    each_is_refused(|sender| match sender.keys {
        Keys::Topic => vec![],
        _ => vec![("key 2".to_owned(), sender.send(2, &sender.time_text(NOW), b"{}"))],
    });
}

#[test]
fn another_id_is_refused() {
    each_is_refused(|sender| {
        let (_, request) = signed(sender);
        let Some(name) = sender.id else { return vec![] };
        let signed_as = |id: &str| {
            let time = sender.time_text(NOW);
            let request = sender.unsigned(&time, b"{}").set(name, id);
            with_bytes(sender, &request, &sender.signature_of(&request, &time))
        };
        vec![
            ("another id".to_owned(), request.clone().set(name, "msg_2")),
            ("no id".to_owned(), request.clone().without(name)),
            ("an empty id".to_owned(), request.clone().set(name, "")),
            ("two ids".to_owned(), request.clone().add(name, "msg_1")),
            ("an id with a full stop, signed".to_owned(), signed_as("a.1800000000")),
            ("an empty id, signed".to_owned(), signed_as("")),
        ]
    });
}

/// A signature over fewer parts than the sender signs is not valid.
#[test]
fn a_signature_over_the_body_alone_is_refused() {
    each_is_refused(|sender| {
        let request = sender.unsigned(&sender.time_text(NOW), b"{}");
        if sender.time == Time::Unsigned || matches!(sender.time, Time::Body(_)) {
            return vec![];
        }
        let bytes = sender.keys.sign(1, &request.body);
        vec![("the body".to_owned(), with_bytes(sender, &request, &bytes))]
    });
}

/// If the URL is signed, the signature is not valid for another URL.
#[test]
fn another_address_or_method_is_refused() {
    each_is_refused(|sender| {
        let (_, request) = signed(sender);
        if !["twilio", "square", "hubspot"].contains(&sender.preset) {
            return vec![];
        }
        let query = request.query.clone();
        let mut other_path = request.clone();
        "/in/abd".clone_into(&mut other_path.path);
        let mut escaped = request.clone();
        "/in/%61bc".clone_into(&mut escaped.path);
        let mut forgeries = vec![
            ("another path".to_owned(), other_path),
            ("an escaped path".to_owned(), escaped),
            ("another query".to_owned(), request.clone().with_query(&format!("{query}&y=2"))),
            ("no query".to_owned(), request.clone().with_query("")),
        ];
        if sender.preset == "hubspot" {
            let put = Request { method: "PUT".to_owned(), ..request };
            forgeries.push(("another method".to_owned(), put));
        }
        forgeries
    });
}

fn each_passes(twins: impl Fn(&Sender) -> Vec<Forgery>) -> Vec<Passed> {
    let mut believed = Vec::new();
    for sender in SENDERS {
        for (name, request) in twins(sender) {
            let judged = sender.judge(&request);
            assert!(judged.is_ok(), "{}: {name}: {judged:?} {request:?}", sender.name);
            believed.extend(judged);
        }
    }
    believed
}

#[test]
fn garbage_around_a_valid_list_element_is_ignored() {
    each_passes(|sender| {
        let (bytes, request) = signed(sender);
        let Shape::List(separator, pair, tag) = sender.shape else { return vec![] };
        let good = sender.written.text(&bytes);
        let wrong = sender.written.text(&vec![7; bytes.len()]);
        let time = sender.time_text(NOW);
        let value = sender.value(&request);
        let texts = |texts: &[&str]| {
            let texts: Vec<String> = texts.iter().map(|text| (*text).to_owned()).collect();
            sender.with_signatures(request.clone(), &time, &texts)
        };
        let around = |text: String| sender.with_value(request.clone(), &text);
        vec![
            ("a wrong one before".to_owned(), texts(&[&wrong, &good])),
            ("a wrong one after".to_owned(), texts(&[&good, &wrong])),
            ("an unreadable one before".to_owned(), texts(&["???", &good])),
            ("an empty one before".to_owned(), texts(&["", &good])),
            ("garbage before".to_owned(), around(format!("garbage{separator}{value}"))),
            ("nothing before".to_owned(), around(format!("{separator}{separator}{value}"))),
            ("garbage after".to_owned(), around(format!("{value}{separator}garbage"))),
            ("another version".to_owned(), around(format!("{value}{separator}v9{pair}ab"))),
            ("twice".to_owned(), around(format!("{value}{separator}{tag}{pair}{good}"))),
        ]
    });
}

#[test]
fn hexadecimal_digits_may_be_upper_or_lower_case() {
    let guards = each_passes(|sender| {
        let (bytes, request) = signed(sender);
        if sender.written == Written::Base64 {
            return vec![];
        }
        let upper = hex(&bytes).to_uppercase();
        vec![
            ("as sent".to_owned(), request.clone()),
            ("capitals".to_owned(), with_text(sender, &request, &upper)),
        ]
    });
    for pair in guards.chunks(2) {
        assert_eq!(pair[0].signed, pair[1].signed, "one signature has one content");
    }
}
