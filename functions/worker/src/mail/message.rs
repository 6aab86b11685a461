//! A mail in the form in which servers pass it on: RFC 5322, with the parts of MIME.

use std::time::{Duration, UNIX_EPOCH};

use lettre::address::{Address, Envelope};
use lettre::message::header::{HeaderName, HeaderValue};
use lettre::message::{Mailbox, Message, MultiPart, SinglePart};
use placet_core::{Digest, email};
use placet_runtime::config::Sender;

use super::Mail;

/// The most `Message-ID`s that a mail refers to.
const MOST_IDS: usize = 20;

/// The longest `Message-ID`, in bytes: a line of a header has at most 998.
const LONGEST_ID: usize = 250;

/// The `Message-ID` of the mail of this delivery. It is the same at each attempt.
fn message_id(delivery: &str, from: &Sender) -> String {
    format!("<{delivery}@{}>", email::domain(&from.address))
}

/// The `Message-ID`s in a text that a requester wrote, each in angle brackets. What cannot be one is left out.
pub(super) fn ids(text: &str) -> Vec<String> {
    let id = |word: &str| {
        let inner = word.trim_start_matches('<').trim_end_matches('>');
        let plain = |byte: u8| byte.is_ascii_graphic() && byte != b'<' && byte != b'>';
        let usable = (1..=LONGEST_ID).contains(&inner.len()) && inner.bytes().all(plain);
        usable.then(|| format!("<{inner}>"))
    };
    text.split([' ', '\t', '\r', '\n', ',']).filter_map(id).take(MOST_IDS).collect()
}

/// The message.
///
/// # Errors
///
/// What is wrong with an address. A later attempt cannot succeed either.
pub(super) fn message(mail: &Mail, from: &Sender) -> Result<Message, String> {
    let named = Mailbox::new(from.name.clone(), address(&from.address)?);
    let millis = u64::try_from(mail.at.millis()).unwrap_or_default();
    let mut message = Message::builder()
        .from(named)
        .date(UNIX_EPOCH + Duration::from_millis(millis))
        .message_id(Some(message_id(&mail.id, from)))
        .subject(&mail.subject)
        .envelope(envelope(mail, from)?)
        // Programs that answer for absent persons stay silent. <https://www.rfc-editor.org/rfc/rfc3834#section-5>
        .raw_header(header("Auto-Submitted", "auto-generated"));
    for to in &mail.recipients.to {
        message = message.to(address(to)?.into());
    }
    for cc in &mail.recipients.cc {
        message = message.cc(address(cc)?.into());
    }
    let began_with = mail.thread.began_with.as_ref().map(|id| message_id(id, from));
    let mut references = mail.thread.older.clone();
    for id in mail.thread.reply_to.iter().chain(&began_with) {
        if !references.contains(id) {
            references.push(id.clone());
        }
    }
    if let Some(id) = began_with.or_else(|| mail.thread.reply_to.clone()) {
        message = message.in_reply_to(id);
    }
    if !references.is_empty() {
        message = message.references(references.join(" "));
    }
    let parts = MultiPart::alternative()
        .boundary(boundary(mail))
        .singlepart(SinglePart::plain(mail.text.clone()))
        .singlepart(SinglePart::html(mail.html.clone()));
    message.multipart(parts).map_err(|error| error.to_string())
}

/// The addresses that a server gets, those of no header included.
fn envelope(mail: &Mail, from: &Sender) -> Result<Envelope, String> {
    let mut to = Vec::new();
    for recipient in mail.recipients.all() {
        let recipient = address(recipient)?;
        if !to.contains(&recipient) {
            to.push(recipient);
        }
    }
    let from = address(&from.address)?;
    Envelope::new(Some(from), to).map_err(|_| "the mail has no recipient".to_owned())
}

fn address(text: &str) -> Result<Address, String> {
    let usable = email::is_address(text).then(|| text.parse::<Address>().ok()).flatten();
    usable.ok_or_else(|| format!("{text:?} is not an e-mail address that can be reached"))
}

/// A line between the parts that neither part contains, and that is the same at each attempt.
fn boundary(mail: &Mail) -> String {
    let all = format!("{}\n{}\n{}", mail.id, mail.text, mail.html);
    format!("placet-{}", &Digest::of_bytes(all.as_bytes()).to_string()[..32])
}

fn header(name: &'static str, value: &str) -> HeaderValue {
    HeaderValue::new(HeaderName::new_from_ascii_str(name), value.to_owned())
}

#[cfg(test)]
mod tests;
