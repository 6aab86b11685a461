//! Mail to persons: from a message to bytes that a mail server has accepted.
//!
//! A [`Letter`] is the content of a mail before it is text and HTML. A [`Notification`] is the letter about an
//! operation. A [`Mail`] has recipients and its place in a thread, too, and the [`Mailer`] sends it. Only the mailer
//! does I/O.

mod html;
mod letter;
mod mailer;
mod message;
mod notification;
mod ses;
mod smtp;
mod template;
#[cfg(test)]
mod testing;
mod visible;

use placet_core::Timestamp;
use placet_core::limits::LONGEST_SUBJECT;
use placet_core::operation::EmailContact;

pub use letter::{Button, Letter, Row};
pub use mailer::{MailError, Mailer, Refused};
pub use notification::Notification;

/// A mail to send. Two attempts at the same mail are equal, so that a reader who gets both sees one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mail {
    /// The id of the delivery. The `Message-ID` is made of it.
    pub id: String,
    /// The time of the mail: the start of its delivery, not of an attempt.
    pub at: Timestamp,
    /// Who gets it.
    pub recipients: Recipients,
    /// The mails that it belongs to.
    pub thread: Thread,
    /// The subject.
    pub subject: String,
    /// The part for a reader without HTML.
    pub text: String,
    /// The HTML part.
    pub html: String,
}

/// The addresses that get a mail.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Recipients {
    /// Addresses in the header `To`.
    pub to: Vec<String>,
    /// Addresses in the header `Cc`.
    pub cc: Vec<String>,
    /// Addresses in no header.
    pub bcc: Vec<String>,
}

impl Recipients {
    /// One address.
    pub fn one(address: impl Into<String>) -> Self {
        Self { to: vec![address.into()], ..Self::default() }
    }

    /// The address of a contact, and its additional recipients.
    pub fn of(contact: &EmailContact) -> Self {
        let mut all = Self::one(&contact.address);
        for recipient in &contact.additional_recipients {
            let list = match recipient.field() {
                "cc" => &mut all.cc,
                "bcc" => &mut all.bcc,
                _ => &mut all.to,
            };
            list.push(recipient.address.clone());
        }
        all
    }

    /// All addresses.
    pub fn all(&self) -> impl Iterator<Item = &String> {
        self.to.iter().chain(&self.cc).chain(&self.bcc)
    }
}

/// The mails that a mail belongs to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Thread {
    /// The id of the delivery that notified this person of the request, for every later mail about the operation.
    pub began_with: Option<String>,
    /// `Message-ID`s of older mails that the requester names, oldest first.
    pub older: Vec<String>,
    /// The `Message-ID` of the mail that the requester replies to.
    pub reply_to: Option<String>,
}

impl Thread {
    /// The thread of a mail to this contact. `began_with` is the id of the delivery that notified this person of the
    /// request; `None` for that delivery itself.
    pub fn of(contact: Option<&EmailContact>, began_with: Option<&str>) -> Self {
        let ids = |text: Option<&str>| message::ids(text.unwrap_or_default());
        let reply_to = ids(contact.and_then(EmailContact::in_reply_to)).pop();
        Self {
            began_with: began_with.map(str::to_owned),
            older: ids(contact.and_then(EmailContact::references)),
            reply_to,
        }
    }
}

impl Mail {
    /// A mail with this letter, in no thread.
    pub fn of(
        letter: &Letter,
        subject: &str,
        id: &str,
        at: Timestamp,
        recipients: Recipients,
    ) -> Self {
        Self {
            id: id.to_owned(),
            at,
            recipients,
            thread: Thread::default(),
            subject: visible::header(subject, LONGEST_SUBJECT),
            text: letter.text(),
            html: letter.html(),
        }
    }

    /// The mail about an operation. `began_with` is the id of the delivery that notified this person of the request;
    /// `None` for that delivery itself, and for a person who was not notified of it.
    pub fn about(
        notification: &Notification<'_>,
        id: &str,
        at: Timestamp,
        recipients: Recipients,
        began_with: Option<&str>,
    ) -> Self {
        let subject = notification.subject(began_with.is_some());
        let usual = Self::of(&notification.letter(), &subject, id, at, recipients);
        let html = notification.own_html().unwrap_or_else(|| usual.html.clone());
        Self { thread: Thread::of(notification.contact, began_with), html, ..usual }
    }
}
