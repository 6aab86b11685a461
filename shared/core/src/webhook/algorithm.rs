use std::fmt;

use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_ASN1, ED25519, ParsedPublicKey, RSA_PKCS1_2048_8192_SHA1_FOR_LEGACY_USE_ONLY,
    RSA_PKCS1_2048_8192_SHA256, UnparsedPublicKey, VerificationAlgorithm,
};
use hmac::{Hmac, KeyInit, Mac};
use serde::Deserialize;
use sha1::Sha1;
use sha2::{Sha256, Sha512};
use subtle::{Choice, ConstantTimeEq};

/// A signature algorithm.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Algorithm {
    /// HMAC with SHA-1 (RFC 2104).
    HmacSha1,
    /// HMAC with SHA-256.
    HmacSha256,
    /// HMAC with SHA-512.
    HmacSha512,
    /// Ed25519 (RFC 8032).
    Ed25519,
    /// ECDSA on P-256 with SHA-256. The signature is ASN.1 DER.
    EcdsaP256Sha256,
    /// RSA PKCS #1 v1.5 with SHA-1, at least 2048 bits.
    RsaPkcs1Sha1,
    /// RSA PKCS #1 v1.5 with SHA-256, at least 2048 bits.
    RsaPkcs1Sha256,
}

impl Algorithm {
    /// Whether this is a MAC: the sender and the receiver share its key.
    pub const fn is_mac(self) -> bool {
        matches!(self, Self::HmacSha1 | Self::HmacSha256 | Self::HmacSha512)
    }

    /// Whether the algorithm uses SHA-1.
    pub const fn is_sha1(self) -> bool {
        matches!(self, Self::HmacSha1 | Self::RsaPkcs1Sha1)
    }

    /// The MAC of the concatenated parts; `None` if this is not a MAC algorithm.
    pub(super) fn mac(self, key: &[u8], parts: &[&[u8]]) -> Option<Vec<u8>> {
        match self {
            Self::HmacSha1 => Some(
                feed(Hmac::<Sha1>::new_from_slice(key), parts)?.finalize().into_bytes().to_vec(),
            ),
            Self::HmacSha256 => Some(hmac_sha256(key, parts).to_vec()),
            Self::HmacSha512 => Some(
                feed(Hmac::<Sha512>::new_from_slice(key), parts)?.finalize().into_bytes().to_vec(),
            ),
            _ => None,
        }
    }

    /// Whether one of the candidates is a valid signature of the message under the key. For a MAC, the
    /// function computes the MAC once and compares it with all candidates in constant time.
    pub(super) fn held(self, key: &[u8], parts: &[&[u8]], candidates: &[Vec<u8>]) -> bool {
        if let Some(mac) = self.mac(key, parts) {
            let same = candidates.iter().map(|given| mac.ct_eq(given));
            return same.fold(Choice::from(0), |held, same| held | same).into();
        }
        let (key, message) = (UnparsedPublicKey::new(self.public(), key), parts.concat());
        candidates.iter().any(|given| key.verify(&message, given).is_ok())
    }

    /// Whether this can be a public key of the algorithm.
    pub(super) fn takes(self, key: &[u8]) -> bool {
        ParsedPublicKey::new(self.public(), key).is_ok()
    }

    /// How a public key verifies. A MAC has none.
    fn public(self) -> &'static dyn VerificationAlgorithm {
        match self {
            Self::EcdsaP256Sha256 => &ECDSA_P256_SHA256_ASN1,
            Self::RsaPkcs1Sha1 => &RSA_PKCS1_2048_8192_SHA1_FOR_LEGACY_USE_ONLY,
            Self::RsaPkcs1Sha256 => &RSA_PKCS1_2048_8192_SHA256,
            _ => &ED25519,
        }
    }
}

fn feed<M: Mac, E>(mac: Result<M, E>, parts: &[&[u8]]) -> Option<M> {
    let mut mac = mac.ok()?;
    parts.iter().for_each(|part| mac.update(part));
    Some(mac)
}

/// An HMAC-SHA256 key, prepared once for many messages. It cannot be printed.
#[derive(Clone)]
pub struct HmacKey(Hmac<Sha256>);

impl HmacKey {
    /// A key of any length.
    pub fn new(key: &[u8]) -> Self {
        match Hmac::new_from_slice(key) {
            Ok(ready) => Self(ready),
            Err(_) => unreachable!("HMAC takes a key of any length"),
        }
    }

    /// The MAC of the concatenated parts.
    pub fn mac(&self, parts: &[&[u8]]) -> [u8; 32] {
        let mut mac = self.0.clone();
        parts.iter().for_each(|part| mac.update(part));
        mac.finalize().into_bytes().into()
    }
}

impl fmt::Debug for HmacKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("HmacKey(…)")
    }
}

/// HMAC-SHA256 of the concatenated parts.
pub fn hmac_sha256(key: &[u8], parts: &[&[u8]]) -> [u8; 32] {
    HmacKey::new(key).mac(parts)
}

impl fmt::Display for Algorithm {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::HmacSha1 => "hmac-sha1",
            Self::HmacSha256 => "hmac-sha256",
            Self::HmacSha512 => "hmac-sha512",
            Self::Ed25519 => "ed25519",
            Self::EcdsaP256Sha256 => "ecdsa-p256-sha256",
            Self::RsaPkcs1Sha1 => "rsa-pkcs1-sha1",
            Self::RsaPkcs1Sha256 => "rsa-pkcs1-sha256",
        })
    }
}
