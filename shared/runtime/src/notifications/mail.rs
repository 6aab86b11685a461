//! Who gets mails about an operation.
//!
//! A requester may name any address. What that address gets is the message without the right to decide, unless it
//! belongs to a listed person who may decide the operation.

use std::collections::BTreeSet;

use placet_core::delivery::MailTo;
use placet_core::limits::MOST_MAILED;
use placet_core::operation::{
    ContactChannel, EmailContact, Escalation, Event, Notice, Notified, Operation, State,
};
use placet_core::people::{Person, PersonRight};

use crate::{Config, Runtime};

/// The environment variable with which the local system says that it keeps mails.
pub const MAILBOX: &str = "PLACET_MAILBOX";

/// What decides who gets mails about an operation.
#[derive(Clone, Copy, Debug)]
pub(super) struct Audience<'a> {
    /// The project of the operation.
    pub(super) project: &'a str,
    /// The ids of the approvers; everybody who is listed if empty.
    pub(super) approvers: &'a [String],
    /// The channel that the requester named.
    pub(super) channel: Option<&'a ContactChannel>,
    /// Whether the outcome is unknown: then a reminder is one to settle it.
    pub(super) is_unknown: bool,
}

impl<'a> Audience<'a> {
    pub(super) fn of(project: &'a str, operation: &'a Operation) -> Self {
        let approvers = &operation.approvers.people;
        let is_unknown = operation.state == State::Unknown;
        Self { project, approvers, channel: operation.channel.as_ref(), is_unknown }
    }
}

impl Config {
    /// The e-mail contact of a channel, which may be a numbered channel of `placet.yaml`.
    pub fn email_contact<'a>(
        &'a self,
        project: &str,
        channel: Option<&'a ContactChannel>,
    ) -> Option<&'a EmailContact> {
        let channel = channel?;
        let numbered = channel.channel_id.and_then(|id| self.channel(project, id));
        let channel = numbered.map_or(channel, |numbered| &numbered.channel);
        channel.email.as_ref()
    }

    /// The approvers who can be reached by mail.
    fn mailed_approvers(&self, approvers: &[String]) -> Vec<&Person> {
        let is_one = |person: &&Person| {
            let named = approvers.is_empty() || approvers.contains(&person.id);
            named && person.may(PersonRight::Decide) && person.email.is_some()
        };
        self.people.iter().filter(is_one).collect()
    }
}

impl Runtime {
    /// Whether mails are sent, or kept by the local system.
    fn sends_mail(&self) -> bool {
        self.config.mail.is_some() || self.environment.get(MAILBOX).is_some_and(|kept| kept == "on")
    }

    /// The notices of all events by mail.
    pub(super) fn mails(&self, audience: &Audience<'_>) -> Vec<Notice> {
        if !self.sends_mail() {
            return Vec::new();
        }
        let contact = self.config.email_contact(audience.project, audience.channel);
        let named: Vec<&str> = contact.map(addresses).unwrap_or_default();
        let (asked, strangers) = self.split(audience, &named);
        let operators = self.operators();
        let settlers = if operators.is_empty() { &asked } else { &operators };
        let of_event = |event: Event| {
            let to = match event {
                Event::Failed | Event::Blocked | Event::Unknown => settlers,
                Event::Reminded if audience.is_unknown => settlers,
                _ => &asked,
            };
            to.iter().map(move |to| mail(event, to))
        };
        let strangers = strangers.iter().map(|to| mail(Event::Requested, to));
        Event::ALL.into_iter().flat_map(of_event).chain(strangers).collect()
    }

    /// The notices of an escalation by mail: to every approver, and to everybody whom the escalation names.
    pub(super) fn mails_of_escalation(
        &self,
        audience: &Audience<'_>,
        escalation: Option<&Escalation>,
    ) -> Vec<Notice> {
        if !self.sends_mail() {
            return Vec::new();
        }
        let contact = self.config.email_contact(audience.project, audience.channel);
        let named = escalation.map(|escalation| escalation.all_recipients(contact));
        let (_, strangers) = self.split(audience, &named.unwrap_or_default());
        let approvers = self.config.mailed_approvers(audience.approvers);
        let approvers = people(approvers.into_iter());
        approvers.iter().chain(&strangers).map(|to| mail(Event::Escalated, to)).collect()
    }

    /// The approvers whom these addresses reach, or all approvers if they reach none; and the other addresses.
    fn split(&self, audience: &Audience<'_>, named: &[&str]) -> (Vec<MailTo>, Vec<MailTo>) {
        let approvers = self.config.mailed_approvers(audience.approvers);
        let approver = |address: &str| {
            let person = self.config.people.by_email(address)?;
            approvers.iter().find(|one| one.id == person.id).copied()
        };
        let reached: Vec<&Person> = named.iter().filter_map(|address| approver(address)).collect();
        let strangers = named.iter().filter(|address| approver(address).is_none());
        let strangers: BTreeSet<&str> = strangers.copied().collect();
        let strangers = strangers.into_iter().take(MOST_MAILED);
        let strangers = strangers.map(|address| MailTo::Address(address.to_owned())).collect();
        let asked = if reached.is_empty() { approvers } else { reached };
        (people(asked.into_iter()), strangers)
    }

    /// The people who operate Placet and can be reached by mail.
    fn operators(&self) -> Vec<MailTo> {
        let operates =
            |person: &&Person| person.may(PersonRight::Operate) && person.email.is_some();
        people(self.config.people.iter().filter(operates))
    }
}

/// These people, each once.
fn people<'a>(people: impl Iterator<Item = &'a Person>) -> Vec<MailTo> {
    let ids: BTreeSet<&str> = people.map(|person| person.id.as_str()).collect();
    ids.into_iter().take(MOST_MAILED).map(|id| MailTo::Person(id.to_owned())).collect()
}

fn addresses(contact: &EmailContact) -> Vec<&str> {
    let more = contact.additional_recipients.iter().map(|recipient| recipient.address.as_str());
    std::iter::once(contact.address.as_str()).chain(more).collect()
}

fn mail(event: Event, to: &MailTo) -> Notice {
    Notice { to: Notified::Mail(to.clone()), event }
}
