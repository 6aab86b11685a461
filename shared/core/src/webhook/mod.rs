//! Webhooks of any sender: a grammar that describes how a sender signs, and an engine that verifies.
//!
//! A [`Scheme`] is data. It says where the signature is, what the signature covers, how to read the signed
//! time, and which requests are handshakes. [`presets`] holds the schemes of known senders. A [`Verifier`] is
//! a scheme with its keys. Only a verifier creates a [`Verified`], so an unverified request cannot be stored
//! as verified. For tools, a verifier can also sign requests as the sender does.
//! Placet itself sends Standard Webhooks, with [`sign`] and [`parse_secret`].

mod algorithm;
mod certificate;
mod exact;
mod grammar;
mod handshake;
mod host_rule;
mod identify;
mod incoming;
mod jwt;
mod jwt_algorithm;
mod keys;
mod location;
mod merge;
mod message;
pub mod presets;
mod proof;
mod scheme;
mod sign;
mod signature;
mod standard;
mod time;
mod token;
mod unverified;
mod validate;
mod verified;
mod verifier;

pub use algorithm::{Algorithm, HmacKey, hmac_sha256};
pub use exact::ExactJson;
pub use grammar::{
    AddressCheck, AlgorithmChoice, BodyHash, Certificate, Checks, Encoding, JwtCheck, KeyForm,
    List, Member, Part, Require, SignatureCheck, SignatureShape, TimeRule, TimeUnit, TokenCheck,
};
pub use handshake::Answer;
pub use host_rule::HostRule;
pub use incoming::Incoming;
pub use keys::KeyError;
pub use location::{Location, Selector};
pub use merge::merged;
pub use scheme::{Ack, Confirm, EqualContent, Respond, Rule, Scheme, VerifyFirst, When};
pub use sign::{CannotSign, Draft, Signed};
pub use standard::{parse_secret, sign};
pub use unverified::{Documents, Unverified};
pub use validate::Weakness;
pub use verified::{Coverage, Rejected, SignedContent, Verification, Verified};
pub use verifier::{OpenError, Verifier};
