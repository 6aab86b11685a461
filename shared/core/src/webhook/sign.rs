//! Signs requests as their senders do: the inverse of verification, for tools and tests. This works only for
//! schemes with a configured secret. Only the sender has the private key of a public-key scheme.

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

/// The request to sign.
#[derive(Clone, Copy, Debug)]
pub struct Draft<'a> {
    /// The percent-encoded path.
    pub path: &'a str,
    /// The media type of the body.
    pub content_type: &'a str,
    /// The identity of the event, for schemes with a header for it.
    pub id: &'a str,
    /// The raw bytes of the body.
    pub body: &'a [u8],
    /// The time of sending.
    pub at: Timestamp,
}

/// The signed request, except the path and the body. It may contain the secret, so it has no `Debug`.
#[derive(Clone, PartialEq, Eq)]
pub struct Signed {
    /// The HTTP method.
    pub method: String,
    /// The headers: names in lower case, and values.
    pub headers: Vec<(String, String)>,
    /// The query without `?`.
    pub query: String,
}

/// The reason why Placet cannot sign a request.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CannotSign {
    /// The scheme needs a private key, which only the sender has.
    #[error("the sender signs with its private key ({0}), so this request cannot be signed here")]
    PrivateKey(String),
    /// The body does not contain a required value.
    #[error("the body must contain {what} at {at}")]
    InBody {
        /// The location of the value.
        at: String,
        /// A description of the value.
        what: String,
    },
    /// The source would refuse the request.
    #[error("the webhook source would refuse the signed request: {0}")]
    Refused(#[from] Unverified),
}

impl Scheme {
    /// The header that holds the identity of the event, if the scheme has one.
    pub fn identity_header(&self) -> Option<&str> {
        self.identity.0.iter().find_map(|alternative| match alternative.as_slice() {
            [Location::Header(name)] => Some(name.as_str()),
            _ => None,
        })
    }

    /// The header that holds the type of the event, if the scheme has one.
    pub fn type_header(&self) -> Option<&str> {
        self.event_type.0.iter().flatten().find_map(|location| match location {
            Location::Header(name) => Some(name.as_str()),
            _ => None,
        })
    }
}

impl Verifier {
    /// Signs a request with the first secret that fits.
    ///
    /// # Errors
    ///
    /// The reason why Placet cannot sign the request.
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
        // The request itself does not determine the sender's IP address.
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

/// A request under construction.
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

    /// Sets a header if it is missing.
    fn header(&mut self, name: &str, value: &str) {
        let name = name.replace('*', self.header_set.unwrap_or("*"));
        if self.signed.headers.iter().all(|(known, _)| *known != name) {
            self.signed.headers.push((name, value.to_owned()));
        }
    }

    /// Sets a value at its location. A value in the body must already be there.
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
                let found = request.read(at).unwrap_or_default();
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
            // A signed header without another meaning gets the id as its value.
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
        let url = reading.urls(check).into_iter().next();
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

    /// The signed time in its text form. A time in the body must already be there.
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
                    let what = format!("the time, for example {now},");
                    Err(CannotSign::InBody { at: at.to_string(), what })
                }
            },
        }
    }

    fn algorithm(&mut self, choice: &AlgorithmChoice) -> Result<Algorithm, CannotSign> {
        match choice {
            AlgorithmChoice::Fixed(algorithm) => Ok(*algorithm),
            AlgorithmChoice::By { otherwise: Some(algorithm), .. } => Ok(*algorithm),
            AlgorithmChoice::By { at, values, .. } => {
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

    /// The elements of the list besides the signature.
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
