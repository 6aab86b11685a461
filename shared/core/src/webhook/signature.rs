//! The signature check of one request.

use sha2::{Digest as _, Sha256};
use subtle::{Choice, ConstantTimeEq};

use super::algorithm::Algorithm;
use super::grammar::{AlgorithmChoice, Part, SignatureCheck};
use super::keys::Key;
use super::location::Location;
use super::message::Reading;
use super::proof::Proof;
use super::unverified::{Documents, Unverified};
use crate::Timestamp;
use crate::limits::MOST_SIGNATURES;

pub(super) fn verify<'a>(
    check: &'a SignatureCheck,
    keys: &[Key],
    reading: &Reading<'_>,
    documents: &Documents,
    now: Timestamp,
) -> Result<Proof<'a>, Unverified> {
    let signatures = reading.signatures(&check.signature)?;
    let time = reading.signed_time(check, &signatures)?;
    let rule = check.time.as_ref().zip(time.as_deref());
    let signed_at = rule.map(|(rule, text)| rule.check(text, now)).transpose()?;
    let hashed = body_hash(check, reading)?;
    let algorithm = algorithm(&check.algorithm, reading)?;
    let candidates = signatures.candidates.iter();
    let candidates: Vec<_> =
        candidates.filter_map(|text| check.signature.encoding.decode(text)).collect();
    // Fetch and compute nothing for a request that cannot be valid.
    if candidates.iter().all(Vec::is_empty) || candidates.len() > MOST_SIGNATURES {
        return Err(Unverified::Signature);
    }
    let certified = match &check.certificate {
        None => None,
        Some(certificate) => Some(certificate.key(reading, documents, now)?),
    };
    let urls = if check.signs_url() { reading.urls(check) } else { vec![String::new()] };
    let mut found = None;
    let first = urls.first().ok_or(Unverified::PublicUrl)?;
    let message = reading.message(check, &signatures, time.as_deref(), Some(first))?;
    for url in &urls {
        // Only the URL differs, so the rest of the message is made once.
        let parts = check.signed.iter().zip(&message);
        let message: Vec<&[u8]> = parts
            .map(|(part, bytes)| if *part == Part::Url { url.as_bytes() } else { bytes.as_ref() })
            .collect();
        let configured = keys.iter().map(|key| (Some(key.number), key.secret.expose()));
        let fetched = certified.iter().map(|key| (None, key.as_slice()));
        for (number, key) in configured.chain(fetched) {
            let holds = algorithm.held(key, &message, &candidates);
            found = found.or(holds.then_some((number, url)));
        }
    }
    let (key, url) = found.ok_or(Unverified::Signature)?;
    Ok(Proof {
        check: algorithm.to_string(),
        key,
        signed_at,
        body: hashed
            || covers_body(check, reading.request.is_form())
            || reading.request.body.is_empty(),
        hashed,
        signed: Some(check),
        signed_url: url.clone(),
    })
}

fn algorithm(choice: &AlgorithmChoice, reading: &Reading<'_>) -> Result<Algorithm, Unverified> {
    match choice {
        AlgorithmChoice::Fixed(algorithm) => Ok(*algorithm),
        AlgorithmChoice::By { at, otherwise: Some(algorithm), .. } if !reading.mentions(at) => {
            Ok(*algorithm)
        }
        AlgorithmChoice::By { at, member, values, .. } => {
            let text = reading.value(at).ok_or(Unverified::Missing)?;
            let value = match member {
                None => Some(text.as_ref()),
                Some(member) => listed(&text, member),
            };
            let algorithm = value.and_then(|value| values.get(value));
            algorithm.copied().ok_or(Unverified::Unreadable)
        }
    }
}

/// The value of the element with this name in a list such as `key=k,algorithm=a`; `None` if it is missing or repeated.
fn listed<'a>(text: &'a str, name: &str) -> Option<&'a str> {
    let pairs = text.split(',').filter_map(|pair| pair.trim().split_once('='));
    let mut found = pairs.filter(|(known, _)| *known == name).map(|(_, value)| value);
    found.next().filter(|_| found.next().is_none())
}

/// Whether the request has the signed digest of its body. If the scheme has a body digest, a body that no
/// signed part covers must have it.
fn body_hash(check: &SignatureCheck, reading: &Reading<'_>) -> Result<bool, Unverified> {
    let Some(rule) = &check.body_hash else { return Ok(false) };
    let body = reading.request.body;
    match reading.value(&rule.at) {
        Some(text) => {
            let given = rule.encoding.decode(&text).ok_or(Unverified::BodyHash)?;
            let same: Choice = Sha256::digest(body).as_slice().ct_eq(&given);
            if bool::from(same) { Ok(true) } else { Err(Unverified::BodyHash) }
        }
        None if body.is_empty() || covers_body(check, reading.request.is_form()) => Ok(false),
        None => Err(Unverified::BodyHash),
    }
}

/// Whether a signed part contains the whole body.
pub(super) fn covers_body(check: &SignatureCheck, is_form: bool) -> bool {
    check.signed.iter().any(|part| match part {
        Part::Body => true,
        Part::FormSorted => is_form,
        _ => false,
    })
}

impl SignatureCheck {
    /// Whether the value at a location is a signed part or in a signed part. Sorted form fields and the
    /// headers of a list are not covered: they are joined without unambiguous separators, so other values
    /// could give the same text.
    pub fn covers(&self, location: &Location) -> bool {
        self.signed.iter().any(|part| match (part, location) {
            (Part::At(signed), location) => signed == location,
            (Part::Body, Location::Json(_) | Location::Form(..)) => true,
            (Part::JsonLines(members), Location::Json(pointer)) => {
                members.iter().any(|member| member.name == pointer.first())
            }
            (Part::Url, Location::Query(_) | Location::Path(_)) => true,
            _ => false,
        })
    }

    /// Whether every valid signature covers the value at a location. Where a digest stands for a body that is
    /// no form, a form is not covered by it.
    pub fn always_covers(&self, location: &Location) -> bool {
        let form = matches!(location, Location::Form(..));
        let in_body = matches!(location, Location::Json(_)) || form;
        let hashed = self.body_hash.is_some() && in_body;
        self.covers(location) || (hashed && !(form && self.signed.contains(&Part::FormSorted)))
    }

    /// Whether the signature covers the URL of the request.
    pub fn signs_url(&self) -> bool {
        self.signed.contains(&Part::Url)
    }
}
