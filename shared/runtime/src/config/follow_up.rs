//! Reminders and the escalation of an operation that waits for a decision.

use placet_core::limits::MOST_REMINDERS;
use placet_core::operation::FollowUp;
use serde::Deserialize;

use super::{Config, Name, Period, locate};

/// When to remind of an operation, each counted from its creation.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(try_from = "Vec<Period>")]
pub struct Reminders(Vec<Period>);

/// When and to whom to escalate an operation.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EscalateTo {
    /// How long after its creation.
    pub after: Period,
    /// The name of an endpoint, a person or a group.
    pub to: Name,
}

impl TryFrom<Vec<Period>> for Reminders {
    type Error = String;

    fn try_from(times: Vec<Period>) -> Result<Self, Self::Error> {
        if times.len() > MOST_REMINDERS {
            let count = times.len();
            return Err(format!("there are {count} reminders: write at most {MOST_REMINDERS}"));
        }
        Ok(Self(times))
    }
}

impl Reminders {
    /// The times, in the order of the file.
    pub fn iter(&self) -> impl Iterator<Item = Period> {
        self.0.iter().copied()
    }
}

impl Config {
    /// When to remind of a call of this function or of a question, and when to escalate it.
    pub fn follow_up(&self, function: Option<&str>) -> FollowUp {
        let reminders = self.reminders(function).iter().map(|after| after.0);
        let escalation = self.escalation(function);
        FollowUp {
            remind: reminders.collect(),
            escalate: escalation.map(|step| (step.after.0, step.to.as_str().to_owned())),
        }
    }

    /// The reminders of a call of this function or of a question.
    pub fn reminders(&self, function: Option<&str>) -> &Reminders {
        let definition = function.and_then(|function| self.operations.get(function));
        let own = definition.and_then(|definition| definition.remind.as_ref());
        own.unwrap_or(&self.defaults.remind)
    }

    /// The escalation of a call of this function or of a question.
    pub fn escalation(&self, function: Option<&str>) -> Option<&EscalateTo> {
        let definition = function.and_then(|function| self.operations.get(function));
        let own = definition.and_then(|definition| definition.escalate.as_ref());
        own.or(self.defaults.escalate.as_ref())
    }

    /// Refuses reminders and escalations that never happen, and an escalation to somebody unknown.
    pub(super) fn check_follow_ups(&self, text: &str) -> Result<(), String> {
        let defaults =
            (&["defaults"][..], None, Some(&self.defaults.remind), &self.defaults.escalate);
        self.check_follow_up(text, defaults)?;
        self.operations.iter().try_for_each(|(name, one)| {
            let place = ["operations", name.as_str()];
            let own = (&place[..], Some(name.as_str()), one.remind.as_ref(), &one.escalate);
            self.check_follow_up(text, own)
        })
    }

    fn check_follow_up(
        &self,
        text: &str,
        (place, function, remind, escalate): Written<'_>,
    ) -> Result<(), String> {
        let at = |members: &[&str], wrong: String| {
            let path: Vec<_> = place.iter().chain(members).map(|name| (*name).to_owned()).collect();
            locate::at(text, &path, wrong)
        };
        let deadline = self.time_to_decide(function);
        let too_late = |after: Period| {
            let late = after.0 >= deadline.0;
            late.then(|| {
                format!("{after} is not before the deadline of {deadline}, so it never happens: write a shorter time")
            })
        };
        for (index, after) in remind.into_iter().flat_map(Reminders::iter).enumerate() {
            if let Some(wrong) = too_late(after) {
                return Err(at(&["remind", &index.to_string()], wrong));
            }
        }
        let Some(EscalateTo { after, to }) = escalate else { return Ok(()) };
        if let Some(wrong) = too_late(*after) {
            return Err(at(&["escalate", "after"], wrong));
        }
        let endpoint = self.endpoints.contains_key(to);
        let people = self.people.members(to.as_str());
        let wrong = match (endpoint, people.is_empty()) {
            (false, true) => Some("there is no endpoint, person or group {}: add it"),
            (true, false) => Some("{} is an endpoint and also a person or group: rename one"),
            _ => None,
        };
        if !endpoint
            && !people.is_empty()
            && let Err(wrong) = self.people.approvers(&[to.as_str().to_owned()])
        {
            return Err(at(&["escalate", "to"], wrong.to_string()));
        }
        if let Some(wrong) = wrong {
            let wrong = wrong.replace("{}", to.as_str());
            return Err(at(&["escalate", "to"], wrong));
        }
        Ok(())
    }
}

/// The place of reminders and an escalation in `placet.yaml`, the function that they belong to, and both as written.
type Written<'a> = (&'a [&'a str], Option<&'a str>, Option<&'a Reminders>, &'a Option<EscalateTo>);

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    const ENDPOINT: &str = "endpoints: {leads: {url: 'https://l.example', secrets: [env:S]}}";

    fn parse(defaults: &str, own: &str) -> Result<Config, String> {
        Config::parse(&format!(
            "project: x\ndefaults: {{{defaults}}}\noperations:\n  f: {{{own}}}\n{ENDPOINT}"
        ))
    }

    #[test]
    fn an_operation_has_its_own_follow_up_or_that_of_the_defaults() {
        let defaults = "deadline: 8h, remind: [6h, 1h], escalate: {after: 4h, to: leads}";
        let hours = |hours: u64| Duration::from_secs(3600 * hours);
        let escalate = Some((hours(4), "leads".to_owned()));
        let config = parse(defaults, "remind: []").unwrap();
        let all = FollowUp { remind: vec![hours(6), hours(1)], escalate: escalate.clone() };
        for function in [None, Some("not configured")] {
            assert_eq!(config.follow_up(function), all, "{function:?}");
        }
        assert_eq!(config.follow_up(Some("f")), FollowUp { remind: Vec::new(), escalate });
        let none = parse("", "").unwrap();
        assert_eq!(none.follow_up(None), FollowUp::default());
    }

    /// The defaults may be later than the deadline of one operation: they are left out there.
    #[test]
    fn a_default_after_the_deadline_of_one_operation_is_no_error() {
        assert!(parse("remind: [6h]", "deadline: 15m").is_ok());
    }

    #[test]
    fn what_never_happens_is_an_error_with_line_and_column() {
        for (defaults, own, part) in [
            (
                "deadline: 1h, remind: [10m, 1h]",
                "",
                "line 2, column 40: defaults.remind.1: 1h is not before",
            ),
            ("", "remind: [24h]", "operations.f.remind.0: 24h is not before the deadline of"),
            (
                "",
                "deadline: 2h, escalate: {after: 3h, to: leads}",
                "operations.f.escalate.after: 3h",
            ),
            (
                "",
                "escalate: {after: 3h, to: boss}",
                "escalate.to: there is no endpoint, person or group boss",
            ),
            ("", "escalate: {after: 3h}", "`to` is missing"),
            ("", "escalate: {after: 3h, to: leads, by: mail}", "by"),
            ("remind: [1m, 1m, 1m, 1m, 1m, 1m, 1m, 1m, 1m, 1m, 1m]", "", "at most 10"),
            ("remind: 1h", "", "line 2"),
            ("remind: [soon]", "", "not a length of time"),
        ] {
            let error = parse(defaults, own).unwrap_err();
            assert!(error.contains(part) && error.contains("line"), "{defaults} {own}: {error}");
        }
    }
}
