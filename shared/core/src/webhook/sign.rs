//! A request as its sender makes it: the inverse of the engine, for tools and tests. Only what is
//! signed or shown with a secret of ours can be made; a private key is its sender's alone.

use std::borrow::Cow;

use sha2::{Digest as _, Sha256};

use super::algorithm::Algorithm;
use super::grammar::{AlgorithmChoice, Part, Require, SignatureCheck, TokenCheck};
use super::incoming::Incoming;
use super::keys::Key;
use super::location::Location;
use super::message::{Reading, Signatures};
use super::scheme::Scheme;
use super::signature;
use super::unverified::{Documents, Unverified};
use super::verifier::Verifier;
use crate::{Timestamp, percent};

/// What is to be sent.
#[derive(Clone, Copy, Debug)]
pub struct Draft<'a> {
    /// The path, percent-encoded.
    pub path: &'a str,
    /// The type of the body.
    pub content_type: &'a str,
    /// What tells the event from another, for schemes that have it in a header.
    pub id: &'a str,
    /// The raw bytes.
    pub body: &'a [u8],
    /// When it is sent.
    pub at: Timestamp,
}

/// What is sent with it. It may hold the secret itself, so it cannot be printed by accident.
#[derive(Clone, PartialEq, Eq)]
pub struct Signed {
    /// The method.
    pub method: String,
    /// Names in lower case, and values.
    pub headers: Vec<(String, String)>,
    /// The query without its `?`.
    pub query: String,
}

/// Why a request cannot be made.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CannotSign {
    /// It is signed with a key we do not have.
    #[error(
        "its sender signs with a private key ({0}) that nobody else has: it cannot be signed here"
    )]
    PrivateKey(String),
    /// Something stands in the body.
    #[error("the body must hold {what} at {at}, as the sender's does")]
    InBody {
        /// Where.
        at: String,
        /// What.
        what: String,
    },
    /// The source would not believe it.
    #[error("the source would refuse it: {0}")]
    Refused(#[from] Unverified),
}

impl Scheme {
    /// The header that tells one event from another, if one does.
    pub fn identity_header(&self) -> Option<&str> {
        self.identity.0.iter().find_map(|alternative| match alternative.as_slice() {
            [Location::Header(name)] => Some(name.as_str()),
            _ => None,
        })
    }
}

impl Verifier {
    /// What a sender sends with this body, signed with the first secret that can.
    ///
    /// # Errors
    ///
    /// Why it cannot be signed here.
    pub fn sign(&self, draft: &Draft<'_>) -> Result<Signed, CannotSign> {
        let methods = &self.scheme.methods;
        let post = methods.iter().find(|method| *method == "POST").or(methods.first());
        let mut making = Making {
            draft,
            header_set: self.scheme.header_sets.first().map(String::as_str),
            signed: Signed {
                method: post.cloned().unwrap_or_default(),
                headers: vec![("content-type".to_owned(), draft.content_type.to_owned())],
                query: String::new(),
            },
        };
        if let Some(name) = self.scheme.identity_header() {
            making.header(name, draft.id);
        }
        let (mac, token) = self.to_make()?;
        if let Some((check, key)) = token {
            making.token(check, key.secret.expose())?;
        }
        if let Some((check, key)) = mac {
            making.mac(check, key.secret.expose(), self.public_url.as_deref())?;
        }
        // Where it comes from is not of its making.
        let mut judge = self.clone();
        judge.scheme.checks.ip = None;
        judge.judge(&making.request(), &Documents::default(), draft.at)?;
        Ok(making.signed)
    }

    #[expect(clippy::type_complexity, reason = "two checks, each with its key")]
    fn to_make(
        &self,
    ) -> Result<(Option<(&SignatureCheck, &Key)>, Option<(&TokenCheck, &Key)>), CannotSign> {
        let checks = &self.scheme.checks;
        let mac = checks.mac.as_ref().zip(self.mac.first());
        let token = checks.token.as_ref().zip(self.token.first());
        let private = match (&checks.sign, &checks.jwt) {
            (Some(check), _) => {
                let names = check.algorithm.all();
                let names: Vec<String> = names.iter().map(ToString::to_string).collect();
                Some(names.join(" or "))
            }
            (None, Some(_)) => Some("JSON Web Token".to_owned()),
            (None, None) => None,
        };
        match (checks.require, private) {
            (Require::First, _) if mac.is_some() => Ok((mac, None)),
            (Require::First, _) if token.is_some() => Ok((None, token)),
            (_, Some(private)) => Err(CannotSign::PrivateKey(private)),
            (_, None) => Ok((mac, token)),
        }
    }
}

/// A request in the making.
struct Making<'a> {
    draft: &'a Draft<'a>,
    header_set: Option<&'a str>,
    signed: Signed,
}

impl Making<'_> {
    fn request(&self) -> Incoming<'_> {
        let Signed { method, headers, query } = &self.signed;
        let mut request = Incoming::post(self.draft.path, self.draft.body);
        request.method = method;
        request.query = query;
        request.headers =
            headers.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        request
    }

    /// Sets a header unless it is there.
    fn header(&mut self, name: &str, value: &str) {
        let name = name.replace('*', self.header_set.unwrap_or("*"));
        if self.signed.headers.iter().all(|(known, _)| *known != name) {
            self.signed.headers.push((name, value.to_owned()));
        }
    }

    /// Puts a value where it belongs. In the body it must be already.
    fn put(&mut self, at: &Location, value: &str, what: &str) -> Result<(), CannotSign> {
        match at {
            Location::Header(name) => self.header(name, value),
            Location::Query(name) => {
                let query = &mut self.signed.query;
                if !query.is_empty() {
                    query.push('&');
                }
                query.push_str(&format!("{}={}", percent::encode(name), percent::encode(value)));
            }
            Location::Json(_) | Location::Form(..) | Location::Path(_) => {
                let request = self.request();
                let found = request.values(at);
                if found.is_empty() || found.iter().any(|found| found.as_deref() != Some(value)) {
                    let what = what.to_owned();
                    return Err(CannotSign::InBody { at: at.to_string(), what });
                }
            }
        }
        Ok(())
    }

    fn token(&mut self, check: &TokenCheck, secret: &[u8]) -> Result<(), CannotSign> {
        let secret = match check.encoding {
            Some(encoding) => encoding.encode(secret),
            None => String::from_utf8_lossy(secret).into_owned(),
        };
        let value = match check.scheme.as_deref() {
            None => secret,
            Some("*") => format!("Bearer {secret}"),
            Some(scheme) => format!("{scheme} {secret}"),
        };
        self.put(&check.at, &value, "the secret")
    }

    fn mac(
        &mut self,
        check: &SignatureCheck,
        key: &[u8],
        public_url: Option<&str>,
    ) -> Result<(), CannotSign> {
        let time = self.time(check)?;
        let algorithm = self.algorithm(&check.algorithm)?;
        for part in &check.signed {
            // What is signed and nothing else is known of is as good as an id.
            if let Part::At(Location::Header(name)) = part {
                self.header(name, self.draft.id);
            }
        }
        self.body_hash(check)?;
        let elements = self.elements(check, time.as_deref());
        let list: Vec<_> =
            elements.iter().map(|(tag, value)| (tag.to_string(), value.to_string())).collect();
        let signatures = Signatures { candidates: Vec::new(), elements };
        let request = self.request();
        let reading = Reading { request: &request, header_set: self.header_set, public_url };
        let url = reading.urls(false).pop();
        let message = reading.message(check, &signatures, time.as_deref(), url.as_deref())?;
        let message: Vec<&[u8]> = message.iter().map(AsRef::as_ref).collect();
        let private = || CannotSign::PrivateKey(algorithm.to_string());
        let mac = algorithm.mac(key, &message).ok_or_else(private)?;
        let mac = check.signature.encoding.encode(&mac);
        let value = match &check.signature.list {
            None => format!("{}{mac}", check.signature.prefix.as_deref().unwrap_or_default()),
            Some(shape) => {
                let ours = [(shape.tag.clone(), mac)];
                let all = list.iter().chain(&ours);
                let all: Vec<String> =
                    all.map(|(tag, value)| format!("{tag}{}{value}", shape.pair)).collect();
                all.join(&shape.separator)
            }
        };
        self.put(&check.signature.at, &value, "the signature")
    }

    /// The signed time as it is written. In the body it must stand already.
    fn time(&mut self, check: &SignatureCheck) -> Result<Option<String>, CannotSign> {
        let Some(rule) = &check.time else { return Ok(None) };
        let now = rule.unit.write(self.draft.at);
        match &rule.at {
            Some(at @ (Location::Header(_) | Location::Query(_))) => {
                self.put(at, &now, "the time")?;
                Ok(Some(now))
            }
            None => Ok(Some(now)),
            Some(at) => match self.request().value(at) {
                Some(found) => Ok(Some(found.into_owned())),
                None => {
                    let what = format!("the time, as in {now},");
                    Err(CannotSign::InBody { at: at.to_string(), what })
                }
            },
        }
    }

    fn algorithm(&mut self, choice: &AlgorithmChoice) -> Result<Algorithm, CannotSign> {
        match choice {
            AlgorithmChoice::Fixed(algorithm) => Ok(*algorithm),
            AlgorithmChoice::By { at, values } => {
                let (value, algorithm) = values.iter().next_back().ok_or(Unverified::Missing)?;
                self.put(at, value, &format!("{value:?}, the name of the algorithm,"))?;
                Ok(*algorithm)
            }
        }
    }

    fn body_hash(&mut self, check: &SignatureCheck) -> Result<(), CannotSign> {
        let Some(rule) = &check.body_hash else { return Ok(()) };
        let request = self.request();
        if self.draft.body.is_empty() || signature::covers_body(check, request.is_form()) {
            return Ok(());
        }
        let digest = rule.encoding.encode(&Sha256::digest(self.draft.body));
        self.put(&rule.at, &digest, "its own digest")
    }

    /// What stands in the list besides the signature.
    fn elements<'e>(
        &self,
        check: &'e SignatureCheck,
        time: Option<&str>,
    ) -> Vec<(Cow<'e, str>, Cow<'e, str>)> {
        let time_tag = check.time.as_ref().and_then(|rule| rule.tag.as_deref());
        let time = time_tag.zip(time);
        let mut elements: Vec<_> =
            time.map(|(tag, time)| (tag.into(), time.to_owned().into())).into_iter().collect();
        for part in &check.signed {
            if let Part::HeaderList(tag) = part {
                let names = self.signed.headers.iter().map(|(name, _)| name.as_str());
                let names = names.collect::<Vec<_>>().join(" ");
                elements.push((tag.as_str().into(), names.into()));
            }
        }
        elements
    }
}

#[cfg(test)]
mod tests;
