//! The grammar of a scheme.

use std::collections::BTreeMap;
use std::fmt;

use ipnet::IpNet;
use serde::{Deserialize, Deserializer};

use super::algorithm::Algorithm;
use super::location::Location;
use crate::Period;

/// The checks that a request must pass. Each kind of check occurs at most once.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Checks {
    /// Whether all checks must pass, or the first check that applies to the request.
    pub require: Require,
    /// A MAC with a shared secret.
    pub mac: Option<SignatureCheck>,
    /// A signature with a public key.
    pub sign: Option<SignatureCheck>,
    /// A JSON Web Token.
    pub jwt: Option<JwtCheck>,
    /// A secret that the request contains.
    pub token: Option<TokenCheck>,
    /// The sender's IP address. This check is always required if it is configured.
    pub ip: Option<AddressCheck>,
    /// No check: anyone may send. The text must give the reason.
    pub none: Option<String>,
}

/// How several checks combine.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Require {
    /// All checks must pass.
    #[default]
    All,
    /// The first check that has a key and whose headers are in the request decides. The order is mac, sign,
    /// jwt, token. So a weak proof cannot replace a wrong strong proof.
    First,
}

/// A signature over parts of the request.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SignatureCheck {
    /// The algorithm of the signature.
    pub algorithm: AlgorithmChoice,
    /// The encoding of the configured key. A certificate does not need it.
    #[serde(default)]
    pub key: KeyForm,
    /// The signed parts, in order.
    pub signed: Vec<Part>,
    /// The location and encoding of the signature.
    pub signature: SignatureShape,
    /// The signed time, if the scheme has one.
    pub time: Option<TimeRule>,
    /// A signed digest of the body.
    pub body_hash: Option<BodyHash>,
    /// Whether the sender may sign the URL with or without its default port.
    #[serde(default)]
    pub url_ports: bool,
    /// Whether the sender may sign the query with or without escapes of `! ' ( ) *`. No two queries that
    /// differ only in these escapes mean different things.
    #[serde(default)]
    pub url_escapes: bool,
    /// The certificate with the key, if the request names one.
    pub certificate: Option<Certificate>,
}

/// A fixed algorithm, or an algorithm that a value of the request selects.
#[derive(Clone, Debug, Deserialize)]
#[serde(untagged, deny_unknown_fields)]
pub enum AlgorithmChoice {
    /// Always this algorithm.
    Fixed(Algorithm),
    /// The value at a location selects the algorithm.
    By {
        /// The location of the value.
        at: Location,
        /// The name of the value, if the text at the location is a list as in `key=k,algorithm=a`.
        member: Option<String>,
        /// The algorithm for each value. Any other value is refused.
        values: BTreeMap<String, Algorithm>,
        /// The algorithm of a request without a text at the location.
        otherwise: Option<Algorithm>,
    },
}

impl AlgorithmChoice {
    /// All possible algorithms.
    pub(super) fn all(&self) -> Vec<Algorithm> {
        match self {
            Self::Fixed(algorithm) => vec![*algorithm],
            Self::By { values, otherwise, .. } => {
                values.values().chain(otherwise).copied().collect()
            }
        }
    }
}

/// The encoding of a configured key.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum KeyForm {
    /// The text itself.
    #[default]
    Utf8,
    /// Base64, with or without the prefix `whsec_`.
    Whsec,
    /// Base64 with the prefix `whsec_`.
    WhsecPrefixed,
    /// Hexadecimal digits.
    Hex,
    /// An Ed25519 public key in hexadecimal digits.
    #[serde(rename = "ed25519-hex")]
    Ed25519Hex,
    /// Base64.
    Base64,
    /// An Ed25519 public key in base64 with the prefix `whpk_`.
    Whpk,
    /// A public key as DER `SubjectPublicKeyInfo` in base64.
    SpkiBase64,
    /// The ARN of a topic of Amazon SNS.
    TopicArn,
    /// A user and a password with a colon between them (RFC 7617).
    UserPassword,
}

/// A signed part.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Part {
    /// A fixed text. Punctuation is written as it is, other text as `lit:<text>`.
    Literal(String),
    /// The raw body.
    Body,
    /// The time, exactly as in the request.
    Time,
    /// The HTTP method.
    Method,
    /// The public URL: the configured origin, then the path and the query as received.
    Url,
    /// The form fields sorted by name, each name followed by its value. The values of a repeated name are
    /// sorted, each value once. Empty if the body is not a form.
    FormSorted,
    /// `json_lines:a,b,c?`: the name and the value of each of these body members, one per line. A member
    /// with a question mark may be missing. Only the value of the first member may contain line breaks,
    /// because other values with line breaks could be read as other members.
    JsonLines(Vec<Member>),
    /// `header_list:<tag>`: the header names in this element of the signature header, joined by spaces, then
    /// a full stop, then the values of these headers, joined by full stops.
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

/// A member of the JSON body.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Member {
    /// The name of the member.
    pub name: String,
    /// Whether the member may be missing.
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

/// The location and the encoding of a signature.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SignatureShape {
    /// The location of the signature.
    pub at: Location,
    /// The text before the signature.
    pub prefix: Option<String>,
    /// Whether the prefix may be missing.
    #[serde(default)]
    pub prefix_optional: bool,
    /// The list that contains the signature, if the value is a list.
    pub list: Option<List>,
    /// The encoding of the signature's bytes.
    pub encoding: Encoding,
}

/// A list of tagged elements, for example `t=1,v1=ab,v1=cd`.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct List {
    /// The text between two elements.
    pub separator: String,
    /// The text between the tag and the value of an element.
    pub pair: String,
    /// The tag of the signatures. Elements with other tags are not signatures.
    pub tag: String,
}

/// An encoding of bytes.
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
    /// The location of the time. Either `at` or `tag` is set.
    pub at: Option<Location>,
    /// The tag of the list element that holds the time.
    pub tag: Option<String>,
    /// The format of the time.
    #[serde(default)]
    pub unit: TimeUnit,
    /// The greatest age of the time, inclusive.
    #[serde(default = "TimeRule::tolerance")]
    pub past: Period,
    /// How far the time may be ahead of Placet's clock, inclusive.
    #[serde(default = "TimeRule::tolerance")]
    pub future: Period,
}

impl TimeRule {
    /// The tolerance of all reference libraries: 300 seconds.
    const fn tolerance() -> Period {
        Period::seconds(300)
    }
}

/// The format of a signed time.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TimeUnit {
    /// Seconds since the Unix epoch.
    #[default]
    S,
    /// Milliseconds since the Unix epoch.
    Ms,
    /// RFC 3339: `2026-11-21T09:00:00Z`.
    Rfc3339,
    /// An HTTP date: `Sat, 21 Nov 2026 09:00:00 GMT`.
    HttpDate,
}

/// A signed SHA-256 of the body. Every body that no signed part contains must have one.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BodyHash {
    /// The location of the digest.
    pub at: Location,
    /// The encoding of the digest.
    pub encoding: Encoding,
}

/// The certificate that contains the key.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Certificate {
    /// The location of the certificate's address.
    pub at: Location,
    /// The owner that the certificate's host must have.
    pub host: super::host_rule::HostRule,
}

/// A secret that the request contains.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TokenCheck {
    /// The location of the secret.
    pub at: Location,
    /// The form of the configured secret.
    #[serde(default)]
    pub key: KeyForm,
    /// The word before the secret, in upper or lower case, followed by one space. `*` matches any word.
    pub scheme: Option<String>,
    /// The encoding of the secret; `None` if the request contains the secret itself.
    pub encoding: Option<Encoding>,
}

/// A JSON Web Token. A configured address publishes its keys (RFC 7519, RFC 7517).
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct JwtCheck {
    /// The location of the token.
    pub at: Location,
    /// The word before the token, in upper or lower case, followed by one space.
    pub scheme: Option<String>,
    /// The address of the key set.
    pub jwks: String,
    /// The allowed algorithms: `RS256`, `ES256` or `EdDSA`.
    pub algorithms: Vec<super::jwt_algorithm::JwtAlgorithm>,
    /// The required `iss` claim.
    pub issuer: String,
    /// The required `aud` claim.
    pub audience: String,
    /// Other required claims.
    #[serde(default)]
    pub claims: BTreeMap<String, String>,
    /// The claim that holds the SHA-256 of the body in hex. Without this claim the body is unverified.
    pub body_hash_claim: Option<String>,
    /// The greatest age of the token by its `iat` claim.
    pub max_age: Option<Period>,
}

/// The IP addresses that a sender may have.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AddressCheck {
    /// The allowed networks, for example `192.0.2.0/24`, or single addresses.
    #[serde(deserialize_with = "networks")]
    pub allow: Vec<IpNet>,
    /// How many trusted proxies are in front of the function. 0 takes the TCP peer, 1 the last address in
    /// `X-Forwarded-For`, and so on.
    #[serde(default)]
    pub hops: usize,
}

fn networks<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<IpNet>, D::Error> {
    let parse = |text: String| {
        let address = || text.parse::<std::net::IpAddr>().map(IpNet::from);
        text.parse::<IpNet>().or_else(|_| address()).map_err(|_| {
            serde::de::Error::custom(format!(
                "{text:?} is not a network: write an address, or a network such as 192.0.2.0/24"
            ))
        })
    };
    Vec::<String>::deserialize(deserializer)?.into_iter().map(parse).collect()
}
