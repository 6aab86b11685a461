use std::fmt;

use super::grammar::{BodyHash, Checks, JwtCheck, Part, SignatureCheck};
use super::location::Location;
use super::scheme::{Scheme, VerifyFirst};
use crate::limits::LARGEST_WEBHOOK;
use crate::url;

/// An invalid or insecure setting of a scheme.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Weakness {
    /// The path of the setting, for example `checks.mac.time`.
    pub path: &'static str,
    /// The problem and its fix.
    pub problem: &'static str,
}

impl fmt::Display for Weakness {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}: {}", self.path, self.problem)
    }
}

/// The HTTP methods that a source may accept. HEAD is always answered.
const METHODS: [&str; 5] = ["POST", "PUT", "PATCH", "DELETE", "GET"];

/// The largest allowed tolerance of a signed time, in seconds: a day.
const LONGEST_WINDOW: u64 = 24 * 60 * 60;

impl Scheme {
    /// Checks that the scheme is valid and secure.
    ///
    /// # Errors
    ///
    /// The first invalid or insecure setting.
    pub fn validate(&self) -> Result<(), Weakness> {
        let rule = |holds: bool, path, problem| match holds {
            true => Ok(()),
            false => Err(Weakness { path, problem }),
        };
        let known = |method: &String| METHODS.contains(&method.as_str());
        rule(
            !self.methods.is_empty() && self.methods.iter().all(known),
            "methods",
            "the allowed methods are POST, PUT, PATCH, DELETE and GET: name at least one",
        )?;
        self.checks.validate(self.accept_sha1)?;
        let remembered = self.remember.0.min(self.remember_body.0);
        let windows = [&self.checks.mac, &self.checks.sign].into_iter().flatten();
        let times = windows.filter_map(|check| check.time.as_ref());
        let window = times.map(|time| time.past.0.saturating_add(time.future.0)).max();
        rule(
            window.is_none_or(|window| window <= remembered),
            "remember",
            "an event must be remembered for at least past + future of its signed time, or an old request can be replayed: raise remember and remember_body",
        )?;
        rule(
            self.ack.status / 100 == 2,
            "ack.status",
            "a stored event must be acknowledged with a status of 200 to 299",
        )?;
        rule(
            (1..=LARGEST_WEBHOOK).contains(&self.limit),
            "limit",
            "the limit of a body must be 1 to 4700000 bytes",
        )?;
        let harmless = |rule: &super::scheme::Rule| match rule.verify {
            VerifyFirst::Nothing => {
                let kind = rule.respond.content_type.split(';').next().unwrap_or_default().trim();
                let headers = rule.respond.headers.keys();
                ["text/plain", "application/json"].contains(&kind)
                    && headers.into_iter().all(|name| !name.eq_ignore_ascii_case("content-type"))
            }
            _ => true,
        };
        rule(
            self.handshakes.iter().all(harmless),
            "handshakes",
            "an answer to an unverified request must be text/plain or application/json, so that a browser does not run it",
        )
    }
}

impl Checks {
    fn validate(&self, accept_sha1: bool) -> Result<(), Weakness> {
        let weak = |path, problem| Err(Weakness { path, problem });
        let proofs =
            self.mac.is_some() || self.sign.is_some() || self.jwt.is_some() || self.token.is_some();
        if let Some(reason) = &self.none {
            if proofs {
                return weak(
                    "checks.none",
                    "a source with other checks cannot be open to anyone: remove checks.none",
                );
            }
            if reason.trim().is_empty() {
                return weak(
                    "checks.none",
                    "write the reason why anyone may send, for example none: \"only for tests\"",
                );
            }
        } else if !proofs {
            return weak(
                "checks",
                "no check proves the sender: name a preset, or configure mac, sign, jwt or token (an IP address alone proves nothing)",
            );
        }
        if let Some(check) = &self.mac {
            check.validate(true, accept_sha1)?;
        }
        if let Some(check) = &self.sign {
            check.validate(false, accept_sha1)?;
        }
        if let Some(check) = &self.token
            && matches!(check.at, Location::Form(..))
        {
            return weak(
                "checks.token.at",
                "a token must be in a header, the query, the path or the JSON body",
            );
        }
        if let Some(check) = &self.jwt {
            check.validate()?;
        }
        match &self.ip {
            Some(check) if check.allow.is_empty() => weak(
                "checks.ip.allow",
                "an empty list refuses every sender: name the sender's networks",
            ),
            _ => Ok(()),
        }
    }
}

impl JwtCheck {
    fn validate(&self) -> Result<(), Weakness> {
        let weak = |path, problem| Err(Weakness { path, problem });
        if self.algorithms.is_empty() {
            return weak(
                "checks.jwt.algorithms",
                "name the allowed algorithms, for example [RS256]",
            );
        }
        if url::names_user(&self.jwks) {
            return weak(
                "checks.jwt.jwks",
                "remove what is before the @: the address of the key set must name no user and password",
            );
        }
        if !url::is_plain_here(&self.jwks) && !self.jwks.starts_with("https://") {
            return weak(
                "checks.jwt.jwks",
                "the address of the key set must begin with https:// (http:// is allowed for this machine only)",
            );
        }
        Ok(())
    }
}

impl SignatureCheck {
    fn validate(&self, mac: bool, accept_sha1: bool) -> Result<(), Weakness> {
        let at = |mac_path, sign_path| if mac { mac_path } else { sign_path };
        let weak = |path, problem| Err(Weakness { path, problem });
        let algorithms = self.algorithm.all();
        if algorithms.is_empty() || algorithms.iter().any(|algorithm| algorithm.is_mac() != mac) {
            return weak(
                at("checks.mac.algorithm", "checks.sign.algorithm"),
                at(
                    "a MAC must use hmac-sha256, hmac-sha512 or hmac-sha1",
                    "a signature must use ed25519, ecdsa-p256-sha256, rsa-pkcs1-sha256 or rsa-pkcs1-sha1",
                ),
            );
        }
        if !accept_sha1 && algorithms.iter().any(|algorithm| algorithm.is_sha1()) {
            return weak(
                at("checks.mac.algorithm", "checks.sign.algorithm"),
                "SHA-1 is weak: use SHA-256, or write accept_sha1: true if the sender supports nothing else",
            );
        }
        let body = |part: &Part| matches!(part, Part::Body | Part::JsonLines(_));
        let hash_is_signed = |hash: &BodyHash| match &hash.at {
            Location::Query(_) | Location::Path(_) => self.signed.contains(&Part::Url),
            at => self.signed.contains(&Part::At(at.clone())),
        };
        if !self.signed.iter().any(body) && !self.body_hash.as_ref().is_some_and(hash_is_signed) {
            return weak(
                at("checks.mac.signed", "checks.sign.signed"),
                "the body is not signed, so anyone who saw one request could send another body: add body to signed",
            );
        }
        if self.signed.contains(&Part::Time) != self.time.is_some() && !self.time_is_in_body() {
            return weak(
                at("checks.mac.time", "checks.sign.time"),
                "signed must contain time if and only if a time is configured: configure both or neither",
            );
        }
        if let Some(time) = &self.time {
            if time.at.is_some() == time.tag.is_some() {
                return weak(
                    at("checks.mac.time", "checks.sign.time"),
                    "a time needs either at or tag: configure exactly one",
                );
            }
            if time.past.0.max(time.future.0).as_secs() > LONGEST_WINDOW {
                return weak(
                    at("checks.mac.time", "checks.sign.time"),
                    "past and future of a signed time must be at most 24h",
                );
            }
        }
        if self.signature.list.is_some() && self.signature.prefix.is_some() {
            return weak(
                at("checks.mac.signature", "checks.sign.signature"),
                "a signature has either a prefix or a list: configure at most one",
            );
        }
        Ok(())
    }

    /// Whether the time is in a signed part of the body.
    fn time_is_in_body(&self) -> bool {
        let Some(Location::Json(pointer)) = self.time.as_ref().and_then(|time| time.at.as_ref())
        else {
            return false;
        };
        self.signed.iter().any(|part| match part {
            Part::Body => true,
            Part::JsonLines(members) => members.iter().any(|member| member.name == pointer.first()),
            _ => false,
        })
    }
}
