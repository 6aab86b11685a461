//! The words a scheme is written in.

use std::collections::BTreeMap;
use std::fmt;

use ipnet::IpNet;
use serde::{Deserialize, Deserializer};

use super::algorithm::Algorithm;
use super::location::Location;
use crate::Period;

/// What a request must pass. Each kind occurs at most once.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Checks {
    /// Whether all must hold, or the first one the request is made for.
    pub require: Require,
    /// A MAC under a shared secret.
    pub mac: Option<SignatureCheck>,
    /// A signature under a public key.
    pub sign: Option<SignatureCheck>,
    /// A JSON Web Token.
    pub jwt: Option<JwtCheck>,
    /// A secret that is sent along.
    pub token: Option<TokenCheck>,
    /// The sender's address; always required if given.
    pub ip: Option<AddressCheck>,
    /// Nothing: anyone may send. Has to be written out, with the reason.
    pub none: Option<String>,
}

/// How several checks work together.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Require {
    /// All must hold.
    #[default]
    All,
    /// Of those that have a key, in the order mac, sign, jwt, token, the first whose headers are
    /// there decides, so that a wrong strong proof is not saved by a weak one.
    First,
}

/// A signature over parts of the request.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SignatureCheck {
    /// What computes it.
    pub algorithm: AlgorithmChoice,
    /// How the key is written; not for a certificate.
    #[serde(default)]
    pub key: KeyForm,
    /// What is signed, one part after the other.
    pub signed: Vec<Part>,
    /// Where the signature stands.
    pub signature: SignatureShape,
    /// The signed time, if there is one.
    pub time: Option<TimeRule>,
    /// A digest of the body that is itself signed.
    pub body_hash: Option<BodyHash>,
    /// Whether the sender may have signed the URL with or without its default port.
    #[serde(default)]
    pub url_ports: bool,
    /// The key is in a certificate the request names.
    pub certificate: Option<Certificate>,
}

/// One algorithm, or one by a value of the request.
#[derive(Clone, Debug, Deserialize)]
#[serde(untagged, deny_unknown_fields)]
pub enum AlgorithmChoice {
    /// Always this one.
    Fixed(Algorithm),
    /// By the value at a location.
    By {
        /// Where the value stands.
        at: Location,
        /// The algorithm for each value; any other value is refused.
        values: BTreeMap<String, Algorithm>,
    },
}

impl AlgorithmChoice {
    /// All it may choose.
    pub(super) fn all(&self) -> Vec<Algorithm> {
        match self {
            Self::Fixed(algorithm) => vec![*algorithm],
            Self::By { values, .. } => values.values().copied().collect(),
        }
    }
}

/// How a key is written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum KeyForm {
    /// The text itself.
    #[default]
    Utf8,
    /// Base64, with or without `whsec_` before it.
    Whsec,
    /// Base64 after `whsec_`.
    WhsecPrefixed,
    /// Hexadecimal digits.
    Hex,
    /// An Ed25519 public key in hexadecimal digits.
    #[serde(rename = "ed25519-hex")]
    Ed25519Hex,
    /// Base64.
    Base64,
    /// An Ed25519 public key in base64 after `whpk_`.
    Whpk,
    /// A public key as DER `SubjectPublicKeyInfo` in base64.
    SpkiBase64,
}

/// A part of what is signed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Part {
    /// This text. Punctuation stands for itself, other text is written `lit:<text>`.
    Literal(String),
    /// The raw body.
    Body,
    /// The time, exactly as it stands in the request.
    Time,
    /// The method.
    Method,
    /// The public URL: the configured origin, the path and the query as they came.
    Url,
    /// The form fields sorted by name, each name followed by its value; of a repeated name its
    /// values once each, sorted. Nothing if the body is no form.
    FormSorted,
    /// `json_lines:a,b,c?`: for each of these members of the body its name and its value, a line
    /// each. Those with a question mark may be missing; only the value of the first may have lines
    /// of its own, or the lines could be read as other members.
    JsonLines(Vec<Member>),
    /// `header_list:<tag>`: the names this element of the signature header lists, joined by spaces,
    /// a full stop, and the values of these headers joined by full stops.
    HeaderList(String),
    /// The value at a location.
    At(Location),
}

impl Part {
    fn parse(text: &str) -> Result<Self, String> {
        match text.split_once(':') {
            Some(("lit", literal)) if !literal.is_empty() => Ok(Self::Literal(literal.to_owned())),
            Some(("json_lines", list)) => {
                Ok(Self::JsonLines(list.split(',').map(Member::parse).collect()))
            }
            Some(("header_list", tag)) => Ok(Self::HeaderList(tag.to_owned())),
            _ => match text {
                "body" => Ok(Self::Body),
                "time" => Ok(Self::Time),
                "method" => Ok(Self::Method),
                "url" => Ok(Self::Url),
                "form_sorted" => Ok(Self::FormSorted),
                mark if !mark.is_empty() && mark.bytes().all(|byte| byte.is_ascii_punctuation()) => {
                    Ok(Self::Literal(mark.to_owned()))
                }
                location => Location::parse(location).map(Self::At).map_err(|_| {
                    format!(
                        "{text:?} is not a signed part: write body, time, method, url, form_sorted, \
                         json_lines:<names>, header_list:<tag>, lit:<text>, punctuation or a location"
                    )
                }),
            },
        }
    }
}

impl fmt::Display for Part {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Literal(text) => write!(formatter, "{text:?}"),
            Self::Body => formatter.write_str("body"),
            Self::Time => formatter.write_str("time"),
            Self::Method => formatter.write_str("method"),
            Self::Url => formatter.write_str("url"),
            Self::FormSorted => formatter.write_str("form_sorted"),
            Self::JsonLines(members) => {
                let members: Vec<String> = members.iter().map(ToString::to_string).collect();
                write!(formatter, "json_lines:{}", members.join(","))
            }
            Self::HeaderList(tag) => write!(formatter, "header_list:{tag}"),
            Self::At(location) => location.fmt(formatter),
        }
    }
}

/// A member of the body.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Member {
    /// Its name.
    pub name: String,
    /// Whether it may be missing.
    pub optional: bool,
}

impl Member {
    fn parse(text: &str) -> Self {
        let name = text.strip_suffix('?').unwrap_or(text);
        Self { name: name.to_owned(), optional: name != text }
    }
}

impl fmt::Display for Member {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}{}", self.name, if self.optional { "?" } else { "" })
    }
}

impl<'de> Deserialize<'de> for Part {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::parse(&String::deserialize(deserializer)?).map_err(serde::de::Error::custom)
    }
}

/// Where a signature stands and how it is written.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SignatureShape {
    /// Where it stands.
    pub at: Location,
    /// What stands before the one signature.
    pub prefix: Option<String>,
    /// Whether the prefix may be missing.
    #[serde(default)]
    pub prefix_optional: bool,
    /// It is one element of a list.
    pub list: Option<List>,
    /// How its bytes are written.
    pub encoding: Encoding,
}

/// A list of tagged elements, as in `t=1,v1=ab,v1=cd`.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct List {
    /// What stands between two elements.
    pub separator: String,
    /// What stands between tag and value.
    pub pair: String,
    /// The tag of the signatures; all others are ignored.
    pub tag: String,
}

/// How bytes are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Encoding {
    /// Hexadecimal digits of either case.
    Hex,
    /// Base64 with padding.
    Base64,
    /// Base64 for URLs, with or without padding.
    Base64Url,
}

/// A signed time.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TimeRule {
    /// Where it stands; or else
    pub at: Option<Location>,
    /// the tag of the list element that holds it.
    pub tag: Option<String>,
    /// How it is written.
    #[serde(default)]
    pub unit: TimeUnit,
    /// How old it may be, inclusive.
    #[serde(default = "TimeRule::tolerance")]
    pub past: Period,
    /// How far ahead of our clock it may be, inclusive.
    #[serde(default = "TimeRule::tolerance")]
    pub future: Period,
}

impl TimeRule {
    /// What all reference libraries allow.
    const fn tolerance() -> Period {
        Period::seconds(300)
    }
}

/// How a time is written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TimeUnit {
    /// Seconds since the Unix epoch.
    #[default]
    S,
    /// Milliseconds since the Unix epoch.
    Ms,
    /// As in `2026-11-21T09:00:00Z`.
    Rfc3339,
    /// As in `Sat, 21 Nov 2026 09:00:00 GMT`.
    HttpDate,
}

/// A SHA-256 of the body that is itself signed. Required for every body that no signed part
/// holds.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BodyHash {
    /// Where it stands.
    pub at: Location,
    /// How it is written.
    pub encoding: Encoding,
}

/// Where the certificate of the key is fetched from.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Certificate {
    /// Where its address stands.
    pub at: Location,
    /// Whose address it must be.
    pub host: super::host_rule::HostRule,
}

/// A secret that is sent along.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TokenCheck {
    /// Where it stands.
    pub at: Location,
    /// The word before it, in any case, and one space; `*` for any word.
    pub scheme: Option<String>,
    /// How it is written, if it is not the secret itself.
    pub encoding: Option<Encoding>,
}

/// A JSON Web Token whose keys a configured address publishes (RFC 7519, RFC 7517).
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct JwtCheck {
    /// Where it stands.
    pub at: Location,
    /// The word before it, in any case, and one space.
    pub scheme: Option<String>,
    /// The address of the key set.
    pub jwks: String,
    /// The algorithms that may be used: `RS256`, `ES256` or `EdDSA`.
    pub algorithms: Vec<super::jwt_algorithm::JwtAlgorithm>,
    /// The `iss` it must have.
    pub issuer: String,
    /// The `aud` it must be for.
    pub audience: String,
    /// Other claims it must have.
    #[serde(default)]
    pub claims: BTreeMap<String, String>,
    /// The claim that holds the SHA-256 of the body in hex. Without one the body is not signed.
    pub body_hash_claim: Option<String>,
    /// How old it may be by its `iat`.
    pub max_age: Option<Period>,
}

/// The addresses a sender may have.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AddressCheck {
    /// The networks, as in `192.0.2.0/24`; a single address is a network of one.
    #[serde(deserialize_with = "networks")]
    pub allow: Vec<IpNet>,
    /// How many proxies of ours stand before the function: 0 takes the TCP peer, 1 the last
    /// address in `X-Forwarded-For`, and so on.
    #[serde(default)]
    pub hops: usize,
}

fn networks<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<IpNet>, D::Error> {
    let parse = |text: String| {
        let address = || text.parse::<std::net::IpAddr>().map(IpNet::from);
        text.parse::<IpNet>().or_else(|_| address()).map_err(|_| {
            serde::de::Error::custom(format!("{text:?} is not a network as in 192.0.2.0/24"))
        })
    };
    Vec::<String>::deserialize(deserializer)?.into_iter().map(parse).collect()
}
