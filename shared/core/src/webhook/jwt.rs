//! JSON Web Tokens with published keys (RFC 7515, RFC 7517, RFC 7519, RFC 8725).
//!
//! The configuration lists the allowed algorithms. The token's algorithm must be in that list, and the key
//! must have the type of that algorithm. So neither `none` nor a MAC with a public key can pass.

use std::borrow::Cow;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::Value;
use subtle::ConstantTimeEq;

use super::grammar::{Encoding, JwtCheck};
use super::jwt_algorithm::JwtAlgorithm;
use super::message::Reading;
use super::proof::Proof;
use super::unverified::{Documents, Unverified};
use crate::strict_json::Text;
use crate::{Digest, Timestamp};

/// The allowed difference between the clocks of sender and receiver, in seconds.
const LEEWAY: i64 = 60;

pub(super) fn verify(
    check: &JwtCheck,
    reading: &Reading<'_>,
    documents: &Documents,
    now: Timestamp,
) -> Result<Proof<'static>, Unverified> {
    let value = reading.value(&check.at).ok_or(Unverified::Missing)?;
    let token = match check.scheme.as_deref() {
        None => value,
        Some(scheme) => match value.split_once(' ') {
            Some((word, token)) if word.eq_ignore_ascii_case(scheme) => {
                Cow::Owned(token.to_owned())
            }
            _ => return Err(Unverified::Missing),
        },
    };
    let (signed, signature) =
        token.rsplit_once('.').ok_or(Unverified::Jwt("it does not have three parts"))?;
    let (header, claims) =
        signed.split_once('.').ok_or(Unverified::Jwt("it does not have three parts"))?;
    let header = object(header).ok_or(Unverified::Jwt("its header cannot be read"))?;
    let named = header.get("alg").and_then(Value::as_str);
    let algorithm = check.algorithms.iter().find(|known| Some(known.name()) == named);
    let algorithm = *algorithm.ok_or(Unverified::Jwt("its algorithm is not allowed"))?;
    if header.get("crit").is_some() {
        return Err(Unverified::Jwt("it has a critical extension"));
    }
    let signature = URL_SAFE_NO_PAD
        .decode(signature)
        .map_err(|_| Unverified::Jwt("its signature cannot be read"))?;
    let key = key(check, algorithm, header.get("kid").and_then(Value::as_str), documents)?;
    algorithm
        .verifies(&key, signed.as_bytes(), &signature)
        .ok_or(Unverified::Jwt("its signature does not verify"))?;
    let claims = object(claims).ok_or(Unverified::Jwt("its claims cannot be read"))?;
    let issued = check.times(&claims, now)?;
    check.parties(&claims)?;
    let body = check.body(&claims, reading.request.body)?;
    Ok(Proof {
        check: format!("jwt {}", algorithm.name()),
        signed_at: issued,
        body,
        hashed: body,
        ..Proof::default()
    })
}

/// The key with this id; if the token has no id, the only key of this type. An unknown id may belong to a
/// newer key than the copy of the key set, so the function asks for a newer copy.
fn key(
    check: &JwtCheck,
    algorithm: JwtAlgorithm,
    id: Option<&str>,
    documents: &Documents,
) -> Result<Value, Unverified> {
    let needs = |newer| Unverified::NeedsDocument { url: check.jwks.clone(), newer };
    let set = documents.get(&check.jwks).ok_or_else(|| needs(false))?;
    let set: Value =
        serde_json::from_slice(set).map_err(|_| Unverified::Jwt("the key set cannot be read"))?;
    let keys = set.get("keys").and_then(Value::as_array).into_iter().flatten();
    let of_kind = keys.filter(|key| {
        let text = |name: &str| key.get(name).and_then(Value::as_str);
        text("kty") == Some(algorithm.key_type())
            && text("use").is_none_or(|purpose| purpose == "sig")
            && text("alg").is_none_or(|name| name == algorithm.name())
            && id.is_none_or(|id| text("kid") == Some(id))
    });
    let mut of_kind = of_kind.cloned();
    match (of_kind.next(), of_kind.next()) {
        (Some(key), None) => Ok(key),
        (None, _) => Err(needs(true)),
        _ => Err(Unverified::Jwt("it does not name its key, and several keys fit")),
    }
}

impl JwtCheck {
    /// Checks the times, with a leeway of [`LEEWAY`]. `exp` must be in the future. It may be missing if
    /// `max_age` is set. `nbf` and `iat` must be in the past if they are present.
    fn times(&self, claims: &Value, now: Timestamp) -> Result<Option<Timestamp>, Unverified> {
        let moment = |name: &str| match claims.get(name) {
            None => Ok(None),
            Some(value) => value
                .as_i64()
                .or_else(|| value.as_f64().map(|seconds| seconds as i64))
                .map(Some)
                .ok_or(Unverified::Jwt("a time in it is not a number")),
        };
        let (expires, from, issued) = (moment("exp")?, moment("nbf")?, moment("iat")?);
        let now = now.seconds();
        let old = |seconds: i64| now.saturating_sub(seconds);
        let ahead = |moment: Option<i64>| moment.is_some_and(|moment| old(moment) < -LEEWAY);
        match self.max_age {
            _ if ahead(from) || ahead(issued) => Err(Unverified::Jwt("it is not valid yet")),
            _ if expires.is_some_and(|expires| old(expires) > LEEWAY) => {
                Err(Unverified::Jwt("it has expired"))
            }
            None if expires.is_none() => Err(Unverified::Jwt("it has no exp claim")),
            Some(age) => {
                let issued = issued.ok_or(Unverified::Jwt("it has no iat claim"))?;
                let most = i64::try_from(age.0.as_secs()).unwrap_or(i64::MAX);
                if old(issued) > most.saturating_add(LEEWAY) {
                    return Err(Unverified::Jwt("it is too old"));
                }
                Ok(Some(Timestamp::from_millis(issued.saturating_mul(1000))))
            }
            None => Ok(issued.map(|issued| Timestamp::from_millis(issued.saturating_mul(1000)))),
        }
    }

    fn parties(&self, claims: &Value) -> Result<(), Unverified> {
        let text = |name: &str| claims.get(name).and_then(Value::as_str);
        if text("iss") != Some(&self.issuer) {
            return Err(Unverified::Jwt("it has another issuer"));
        }
        let ours = match claims.get("aud") {
            Some(Value::Array(all)) => all.iter().any(|one| one.as_str() == Some(&self.audience)),
            one => one.and_then(Value::as_str) == Some(&self.audience),
        };
        if !ours {
            return Err(Unverified::Jwt("it is for another audience"));
        }
        match self.claims.iter().all(|(name, value)| text(name) == Some(value)) {
            true => Ok(()),
            false => Err(Unverified::Jwt("a claim differs from the configured value")),
        }
    }

    fn body(&self, claims: &Value, body: &[u8]) -> Result<bool, Unverified> {
        let Some(name) = &self.body_hash_claim else { return Ok(false) };
        let digest = claims.get(name).and_then(Value::as_str);
        let digest = digest.and_then(|text| Encoding::Hex.decode(text));
        let digest = digest.ok_or(Unverified::BodyHash)?;
        match bool::from(Digest::of_bytes(body).as_bytes().as_slice().ct_eq(&digest)) {
            true => Ok(true),
            false => Err(Unverified::BodyHash),
        }
    }
}

fn object(part: &str) -> Option<Value> {
    let bytes = URL_SAFE_NO_PAD.decode(part).ok()?;
    Text::read(&bytes).ok()?.value().ok().filter(Value::is_object)
}
