//! Checks of tokens and of sender addresses.

use super::grammar::{AddressCheck, TokenCheck};
use super::incoming::Incoming;
use super::keys::Key;
use super::message::Reading;
use super::proof::Proof;
use super::unverified::Unverified;

pub(super) fn verify(
    keys: &[Key],
    check: &TokenCheck,
    reading: &Reading<'_>,
) -> Result<Proof<'static>, Unverified> {
    let values = reading.values(&check.at);
    if values.is_empty() {
        return Err(Unverified::Missing);
    }
    let mut number = None;
    for value in values {
        let value = value.ok_or(Unverified::Missing)?;
        let given = presented(check, &value).ok_or(Unverified::Token)?;
        number = number_of(keys, &given);
        if number.is_none() {
            return Err(Unverified::Token);
        }
    }
    Ok(Proof { check: "token".to_owned(), key: number, ..Proof::default() })
}

/// The number of the matching key. All keys are compared, so the time does not depend on the match.
fn number_of(keys: &[Key], given: &[u8]) -> Option<usize> {
    keys.iter().fold(None, |found, key| if key.secret.is(given) { Some(key.number) } else { found })
}

/// The decoded secret in a request; `None` if the value does not have the required form.
fn presented(check: &TokenCheck, value: &str) -> Option<Vec<u8>> {
    let text = match check.scheme.as_deref() {
        None => value,
        Some(scheme) => {
            let mut words = value.split(' ');
            let (word, token) = (words.next()?, words.next()?);
            let extra = words.next().is_some();
            let right = !word.is_empty() && (scheme == "*" || word.eq_ignore_ascii_case(scheme));
            if !right || (extra && scheme != "*") {
                return None;
            }
            token
        }
    };
    match check.encoding {
        None => Some(text.as_bytes().to_vec()),
        Some(encoding) => encoding.decode(text),
    }
    .filter(|given| !given.is_empty())
}

pub(super) fn allowed(check: &AddressCheck, request: &Incoming<'_>) -> Result<(), Unverified> {
    let address = match check.hops {
        0 => request.source_ip,
        hops => request.header("x-forwarded-for").and_then(|list| {
            list.rsplit(',').nth(hops - 1).and_then(|address| address.trim().parse().ok())
        }),
    };
    let address = address.ok_or(Unverified::Address)?.to_canonical();
    match check.allow.iter().any(|network| network.contains(&address)) {
        true => Ok(()),
        false => Err(Unverified::Address),
    }
}
