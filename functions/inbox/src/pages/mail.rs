//! The pages of the local mailbox.

use askama::Template;
use placet_core::percent::encode;
use placet_runtime::mailbox::KeptMail;

use super::address::Frame;
use super::words::Moment;

/// What Placet has mailed.
#[derive(Template)]
#[template(path = "mails.html")]
pub(super) struct List<'a> {
    frame: Frame,
    mails: Vec<Row<'a>>,
}

struct Row<'a> {
    href: String,
    subject: &'a str,
    to: String,
    at: Moment,
}

/// One mail, as its reader sees it.
#[derive(Template)]
#[template(path = "mail.html")]
pub(super) struct One<'a> {
    frame: Frame,
    source: String,
    subject: &'a str,
    to: String,
    at: Moment,
    html: &'a str,
    text: &'a str,
}

impl<'a> List<'a> {
    pub(super) fn new(mails: &'a [(String, KeptMail)]) -> Self {
        let row = |(name, mail): &'a (String, KeptMail)| Row {
            href: format!("/mail/{}", encode(name)),
            subject: &mail.subject,
            to: mail.recipients.join(", "),
            at: Moment::date(mail.at),
        };
        Self { frame: Frame::new(""), mails: mails.iter().map(row).collect() }
    }
}

impl<'a> One<'a> {
    pub(super) fn new(name: &str, mail: &'a KeptMail) -> Self {
        Self {
            frame: Frame::new(""),
            source: format!("/mail/{}/source", encode(name)),
            subject: &mail.subject,
            to: mail.recipients.join(", "),
            at: Moment::date(mail.at),
            html: &mail.html,
            text: &mail.text,
        }
    }
}
