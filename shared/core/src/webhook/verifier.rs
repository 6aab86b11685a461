//! The verification engine: a scheme with its keys.
//!
//! Every part of a request is unverified until the checks pass. A missing part fails before the engine
//! computes a MAC. The engine checks the time before the signature, so that an old request costs little. It
//! tries all keys and all candidates, and compares MACs and tokens in constant time. The keys of a public-key
//! scheme are configured, or come from an address that the configuration allows. They never come from the
//! request.

use super::grammar::{Checks, KeyForm, Require, SignatureCheck};
use super::identify::Facts;
use super::incoming::Incoming;
use super::keys::{Key, KeyError};
use super::message::Reading;
use super::proof::Proof;
use super::scheme::Scheme;
use super::unverified::{Documents, Unverified};
use super::verified::{Rejected, Verified};
use super::{signature, token};
use crate::{Secret, Timestamp};

/// A scheme with its keys, ready to verify.
#[derive(Clone, Debug)]
pub struct Verifier {
    source: String,
    pub(super) scheme: Scheme,
    pub(super) public_url: Option<String>,
    pub(super) verify_tokens: Vec<Secret>,
    pub(super) secrets: Vec<Secret>,
    pub(super) mac: Vec<Key>,
    sign: Vec<Key>,
    pub(super) token: Vec<Key>,
}

/// The reason why a source cannot be opened.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum OpenError {
    /// The source has no secret, but its checks need one.
    #[error("it has no secret: configure one")]
    NoSecret,
    /// A secret cannot be used.
    #[error("secret {number}: {error}")]
    Secret {
        /// The number of the secret, from 1.
        number: usize,
        /// The reason.
        error: KeyError,
    },
    /// The verify token cannot be used.
    #[error("verify token: {0}")]
    VerifyToken(KeyError),
    /// The sender signs the URL, and the public address is not configured.
    #[error("the sender signs the URL: set public_url to the address that you gave the sender")]
    NoPublicUrl,
    /// The public address ends with a path of the source, which the path of each request adds again.
    #[error(
        "{place} ends with {path}, which every request adds, so no signature would fit: write {origin}"
    )]
    OwnPath {
        /// The key or the variable of the address.
        place: String,
        /// The path of the source.
        path: String,
        /// The address without the path.
        origin: String,
    },
}

impl Verifier {
    /// Opens the source with this name, scheme and configured secrets. `public_url` is the public origin,
    /// with a path prefix if the public path is longer than the path of the request.
    ///
    /// # Errors
    ///
    /// If a secret is missing or cannot be used, or if `public_url` is missing and the sender signs the URL.
    pub fn open(
        source: &str,
        scheme: Scheme,
        secrets: &[String],
        verify_tokens: &[String],
        public_url: Option<&str>,
    ) -> Result<Self, OpenError> {
        let read = |texts: &[String]| {
            texts.iter().filter_map(|text| Secret::new(text.trim())).collect::<Vec<_>>()
        };
        let mut opened = Self {
            source: source.to_owned(),
            scheme,
            public_url: public_url
                .map(|url| url.trim_end_matches('/').to_owned())
                .filter(|url| !url.is_empty()),
            verify_tokens: read(verify_tokens),
            secrets: read(secrets),
            mac: Vec::new(),
            sign: Vec::new(),
            token: Vec::new(),
        };
        let shortest = opened.scheme.shortest_secret;
        if opened.verify_tokens.iter().any(|token| token.expose().len() < shortest) {
            let (bytes, fix) = (shortest, KeyForm::Utf8.fix());
            return Err(OpenError::VerifyToken(KeyError::Short { bytes, fix }));
        }
        for (index, text) in secrets.iter().enumerate() {
            let number = index + 1;
            opened.add(number, text).map_err(|error| OpenError::Secret { number, error })?;
        }
        let checks = &opened.scheme.checks;
        let keyed = [
            (checks.mac.is_some(), opened.mac.is_empty()),
            (needs_key(checks.sign.as_ref()), opened.sign.is_empty()),
            (checks.token.is_some(), opened.token.is_empty()),
        ];
        let without = keyed.iter().filter(|(needed, empty)| *needed && *empty).count();
        let needed = keyed.iter().filter(|(needed, _)| *needed).count();
        let enough = match checks.require {
            Require::All => without == 0,
            Require::First => without < needed || needed == 0,
        };
        if !enough {
            return Err(OpenError::NoSecret);
        }
        match opened.public_url {
            None if opened.scheme.signs_url() => Err(OpenError::NoPublicUrl),
            _ => Ok(opened),
        }
    }

    /// Assigns a secret to the checks that use it: to all, or to the first that it fits.
    fn add(&mut self, number: usize, text: &str) -> Result<(), KeyError> {
        if self.scheme.known_secrets.iter().any(|known| known == text.trim()) {
            return Err(KeyError::Known);
        }
        let checks = &self.scheme.checks;
        let forms = [
            checks.mac.as_ref().map(|check| check.key),
            checks.sign.as_ref().filter(|check| check.certificate.is_none()).map(|check| check.key),
            checks.token.as_ref().map(|check| check.key),
        ];
        let signs = checks.sign.as_ref();
        let mut misfits = Vec::new();
        let mut fits = false;
        for (form, keys) in forms.into_iter().zip([&mut self.mac, &mut self.sign, &mut self.token])
        {
            let Some(form) = form else { continue };
            let read =
                form.read(text).and_then(|secret| match signs.filter(|_| form.is_public()) {
                    Some(check) => check.public_key(secret),
                    None => Ok(secret),
                });
            match read {
                Ok(secret) if secret.expose().len() < self.scheme.shortest_secret => {
                    let bytes = self.scheme.shortest_secret;
                    misfits.push(KeyError::Short { bytes, fix: form.fix() });
                }
                Ok(secret) => {
                    keys.push(Key { number, secret });
                    fits = true;
                    if checks.require == Require::First {
                        return Ok(());
                    }
                }
                Err(error) => misfits.push(error),
            }
        }
        if fits && checks.require == Require::First {
            return Ok(());
        }
        KeyError::of_all(misfits).map_or(Ok(()), Err)
    }

    /// The name of the source.
    pub fn source(&self) -> &str {
        &self.source
    }

    /// The scheme of the source.
    pub fn scheme(&self) -> &Scheme {
        &self.scheme
    }

    /// Verifies a request.
    ///
    /// # Errors
    ///
    /// The reason why the request is not verified. After [`Unverified::NeedsDocument`], fetch the document,
    /// add it to `documents` and verify the request again.
    pub fn verify<'v>(
        &'v self,
        request: Incoming<'v>,
        documents: &Documents,
        now: Timestamp,
    ) -> Result<Verified<'v>, Box<Rejected<'v>>> {
        match self.judge(&request, documents, now) {
            Ok(Facts { proven, identity, signed }) => {
                let (source, scheme) = (self.source.as_str(), &self.scheme);
                Ok(Verified { proven, identity, signed, source, scheme, request })
            }
            Err(reason) => Err(Box::new(Rejected { reason, request })),
        }
    }

    pub(super) fn judge(
        &self,
        request: &Incoming<'_>,
        documents: &Documents,
        now: Timestamp,
    ) -> Result<Facts, Unverified> {
        let checks = &self.scheme.checks;
        if self.may_have_signed(request.body) {
            return Err(Unverified::Ambiguous);
        }
        if let Some(addresses) = &checks.ip {
            token::allowed(addresses, request)?;
        }
        let reading = Reading {
            request,
            header_set: self.scheme.header_set(request)?,
            public_url: self.public_url.as_deref(),
        };
        let proofs = match checks.require {
            Require::All => self.all(checks, &reading, documents, now)?,
            Require::First => vec![self.first(checks, &reading, documents, now)?],
        };
        Ok(self.scheme.facts(&reading, &proofs))
    }

    fn all<'a>(
        &self,
        checks: &'a Checks,
        reading: &Reading<'_>,
        documents: &Documents,
        now: Timestamp,
    ) -> Result<Vec<Proof<'a>>, Unverified> {
        let mut proofs = Vec::new();
        // Compare the token first, because it is cheap and later checks may need to fetch a document.
        if let Some(check) = &checks.token {
            proofs.push(token::verify(&self.token, check, reading)?);
        }
        if let Some(check) = &checks.mac {
            proofs.push(signature::verify(check, &self.mac, reading, documents, now)?);
        }
        if let Some(check) = &checks.sign {
            proofs.push(signature::verify(check, &self.sign, reading, documents, now)?);
        }
        if let Some(check) = &checks.jwt {
            proofs.push(super::jwt::verify(check, reading, documents, now)?);
        }
        if proofs.is_empty() && checks.none.is_none() {
            return Err(Unverified::NoCheck);
        }
        Ok(proofs)
    }

    /// The first check that has a key and whose headers are in the request decides. A signature that is
    /// present but cannot be read counts as wrong: a weaker check does not replace it.
    fn first<'a>(
        &self,
        checks: &'a Checks,
        reading: &Reading<'_>,
        documents: &Documents,
        now: Timestamp,
    ) -> Result<Proof<'a>, Unverified> {
        let mut unreadable = false;
        for (check, keys) in [(&checks.mac, &self.mac), (&checks.sign, &self.sign)] {
            let Some(check) = check else { continue };
            if keys.is_empty() && check.certificate.is_none() {
                continue;
            }
            if reading.signatures(&check.signature).is_ok() {
                return signature::verify(check, keys, reading, documents, now);
            }
            unreadable |= reading.mentions(&check.signature.at);
        }
        if unreadable {
            return Err(Unverified::Missing);
        }
        if let Some(check) = &checks.jwt
            && reading.value(&check.at).is_some()
        {
            return super::jwt::verify(check, reading, documents, now);
        }
        match &checks.token {
            Some(check) if !self.token.is_empty() => token::verify(&self.token, check, reading),
            _ => Err(Unverified::NoCheck),
        }
    }
}

impl SignatureCheck {
    /// Refuses a public key that none of the algorithms takes.
    fn public_key(&self, key: Secret) -> Result<Secret, KeyError> {
        let algorithms = self.algorithm.all();
        if algorithms.iter().any(|algorithm| algorithm.takes(key.expose())) {
            return Ok(key);
        }
        let names: Vec<String> = algorithms.iter().map(ToString::to_string).collect();
        let form = format!("{}, for {}", self.key.describe(), names.join(" or "));
        Err(KeyError::Form { form, fix: self.key.fix() })
    }
}

fn needs_key(check: Option<&SignatureCheck>) -> bool {
    check.is_some_and(|check| check.certificate.is_none())
}
