//! The identity, the type and the coverage of a request that passed its checks.

use std::borrow::Cow;
use std::cell::OnceCell;

use super::grammar::{Part, SignatureCheck};
use super::incoming::Incoming;
use super::location::Location;
use super::message::Reading;
use super::proof::Proof;
use super::scheme::Scheme;
use super::unverified::Unverified;
use super::verified::{Coverage, SignedContent, Verification};
use crate::strict_json::Unreadable;

impl Scheme {
    /// The header set that the request uses, if the scheme has several.
    pub(super) fn header_set<'a>(
        &'a self,
        request: &Incoming<'_>,
    ) -> Result<Option<&'a str>, Unverified> {
        let sets = &self.header_sets;
        let checks = [&self.checks.mac, &self.checks.sign];
        let mut names: Vec<&str> = checks.into_iter().flatten().flat_map(header_names).collect();
        names.sort_unstable();
        names.dedup();
        let values = |set: &str| {
            names.iter().map(|name| request.header(&name.replace('*', set))).collect::<Vec<_>>()
        };
        let mut chosen: Option<(&str, Vec<Option<&str>>)> = None;
        for set in sets {
            let found = values(set);
            if found.iter().all(Option::is_none) {
                continue;
            }
            match &chosen {
                None => chosen = Some((set, found)),
                Some((_, first)) if *first == found => {}
                Some(_) => return Err(Unverified::Ambiguous),
            }
        }
        Ok(chosen.map(|(set, _)| set).or(sets.first().map(String::as_str)))
    }

    /// The type of the event: the parts of the first alternative of which all parts are present. Without such an
    /// alternative, the present parts of the first alternative with at least one part.
    ///
    /// # Errors
    ///
    /// If a part was sent, but cannot be read. Then the type is not known, whatever the other alternatives say.
    pub fn event_type(&self, request: &Incoming<'_>) -> Result<Option<String>, Unreadable> {
        let header_set = self.header_set(request).ok().flatten();
        let reading = Reading { request, header_set, public_url: None };
        let mut incomplete = None;
        for alternative in &self.event_type.0 {
            let read = |location| Ok(reading.one(location)?.filter(|part| !part.is_empty()));
            let parts = alternative.iter().map(read).collect::<Result<Vec<_>, _>>()?;
            let present: Vec<_> = parts.into_iter().flatten().collect();
            if present.len() == alternative.len() {
                return Ok(Some(present.join(".")));
            }
            if !present.is_empty() {
                incomplete.get_or_insert(present.join("."));
            }
        }
        Ok(incomplete)
    }
}

/// The facts about a request that passed its checks.
pub(super) struct Facts {
    pub(super) proven: Verification,
    pub(super) identity: Option<String>,
    pub(super) signed: Option<SignedContent>,
}

impl Scheme {
    pub(super) fn facts(&self, reading: &Reading<'_>, proofs: &[Proof<'_>]) -> Facts {
        let covers = |location: &Location| proofs.iter().any(|proof| proof.covers(location));
        let (identity, identity_covered) = self.identity(reading, &covers);
        let types = &self.event_type.0;
        let names: Vec<&str> = proofs.iter().map(|proof| proof.check.as_str()).collect();
        let coverage = Coverage {
            body: proofs.iter().any(|proof| proof.body),
            identity: identity_covered,
            event_type: !types.is_empty() && types.iter().flatten().all(covers),
            time: proofs.iter().any(|proof| proof.signed_at.is_some()),
            url: proofs.iter().any(Proof::url),
        };
        let proven = Verification {
            check: if names.is_empty() { "none".to_owned() } else { names.join(" and ") },
            key: proofs.iter().find_map(|proof| proof.key),
            signed_at: proofs.iter().find_map(|proof| proof.signed_at),
            coverage,
        };
        let signed = || proofs.iter().find_map(|proof| proof.content(reading));
        let signed = if identity_covered { None } else { signed() };
        Facts { proven, identity, signed }
    }

    /// The identity from the first alternative whose parts are all present, and whether it is proven. An
    /// alternative that the proofs cover comes before all others, so that an unsigned value never replaces a
    /// signed one.
    fn identity(
        &self,
        reading: &Reading<'_>,
        covers: &dyn Fn(&Location) -> bool,
    ) -> (Option<String>, bool) {
        // Nobody signs the content type, so it must not decide whether a signed field can be read.
        let as_form = OnceCell::new();
        let form = || as_form.get_or_init(|| reading.request.as_form());
        let covered = |alternative: &&Vec<Location>| alternative.iter().all(covers);
        let signed = self.identity.0.iter().filter(covered).find_map(|alternative| {
            joined(alternative.iter().flat_map(|location| match location {
                Location::Form(..) => form().read(location).unwrap_or_else(|Unreadable| vec![None]),
                _ => reading.values(location),
            }))
        });
        if signed.is_some() {
            return (signed, true);
        }
        let mut others = self.identity.0.iter().filter(|alternative| !covered(alternative));
        let found = others.find_map(|alternative| {
            joined(alternative.iter().flat_map(|location| reading.values(location)))
        });
        (found, false)
    }
}

/// The text of an identity: one part, or a JSON list of several; `None` if a part is missing or empty.
fn joined<'a>(parts: impl Iterator<Item = Option<Cow<'a, str>>>) -> Option<String> {
    let parts: Option<Vec<Cow<'a, str>>> =
        parts.map(|part| part.filter(|text| is_identity(text))).collect();
    match parts?.as_slice() {
        [] => None,
        [one] => Some(one.to_string()),
        several => serde_json::to_string(several).ok(),
    }
}

/// Whether a text can tell one event from another. A lenient reading writes U+FFFD for what it cannot read, so two
/// events could have the same text.
fn is_identity(text: &str) -> bool {
    !text.is_empty() && !text.contains(char::REPLACEMENT_CHARACTER)
}

/// The header names with a `*` that a check reads.
fn header_names(check: &SignatureCheck) -> Vec<&str> {
    let parts = check.signed.iter().filter_map(|part| match part {
        Part::At(location) => Some(location),
        _ => None,
    });
    let time = check.time.as_ref().and_then(|rule| rule.at.as_ref());
    let all = parts.chain(time).chain([&check.signature.at]);
    all.filter_map(|location| match location {
        Location::Header(name) if name.contains('*') => Some(name.as_str()),
        _ => None,
    })
    .collect()
}
