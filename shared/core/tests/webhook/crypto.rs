//! Signing code for tests. It is independent of the engine's code.

use std::sync::LazyLock;

use aws_lc_rs::encoding::AsDer as _;
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::KeySize;
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_ASN1_SIGNING, EcdsaKeyPair, Ed25519KeyPair, KeyPair as _, RSA_PKCS1_SHA256,
    RsaKeyPair,
};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha1::Sha1;
use sha2::{Digest as _, Sha256};

use crate::sns;

/// The key of a sender and its receiver. Each number gives a different key.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Keys {
    /// The text is the HMAC-SHA256 key.
    Text,
    /// The text is the HMAC-SHA1 key.
    TextSha1,
    /// `whsec_` followed by the HMAC-SHA256 key in base64.
    Whsec,
    /// `whpk_` followed by an Ed25519 public key in base64.
    Whpk,
    /// An Ed25519 public key in hexadecimal digits.
    HexPublic,
    /// A P-256 public key as `SubjectPublicKeyInfo` in base64.
    Spki,
    /// The topic is configured; the key is Amazon's.
    Topic,
}

impl Keys {
    /// The configured secret.
    pub fn secret(self, number: u8) -> String {
        let ed25519 = || ed25519(number).public_key().as_ref().to_vec();
        match self {
            Self::Text | Self::TextSha1 => format!("the secret with number {number}"),
            Self::Whsec => format!("whsec_{}", base64(&[number; 32])),
            Self::Whpk => format!("whpk_{}", base64(&ed25519())),
            Self::HexPublic => hex(&ed25519()),
            Self::Spki => base64(ecdsa(number).public_key().as_der().unwrap().as_ref()),
            Self::Topic => sns::topic(number),
        }
    }

    pub fn sign(self, number: u8, message: &[u8]) -> Vec<u8> {
        match self {
            Self::Text => hmac_sha256(self.secret(number).as_bytes(), message),
            Self::TextSha1 => hmac_sha1(self.secret(number).as_bytes(), message),
            Self::Whsec => hmac_sha256(&[number; 32], message),
            Self::Whpk | Self::HexPublic => ed25519(number).sign(message).as_ref().to_vec(),
            Self::Spki => {
                ecdsa(number).sign(&SystemRandom::new(), message).unwrap().as_ref().to_vec()
            }
            Self::Topic => sign_rsa(message),
        }
    }
}

fn ed25519(number: u8) -> Ed25519KeyPair {
    Ed25519KeyPair::from_seed_unchecked(&[number; 32]).unwrap()
}

fn ecdsa(number: u8) -> &'static EcdsaKeyPair {
    static PAIRS: LazyLock<[EcdsaKeyPair; 2]> = LazyLock::new(|| {
        [(), ()].map(|()| EcdsaKeyPair::generate(&ECDSA_P256_SHA256_ASN1_SIGNING).unwrap())
    });
    &PAIRS[usize::from(number - 1)]
}

pub static RSA: LazyLock<RsaKeyPair> =
    LazyLock::new(|| RsaKeyPair::generate(KeySize::Rsa2048).unwrap());

/// RSA PKCS #1 v1.5 with SHA-256.
pub fn sign_rsa(message: &[u8]) -> Vec<u8> {
    let mut signature = vec![0; RSA.public_modulus_len()];
    RSA.sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), message, &mut signature).unwrap();
    signature
}

pub fn hmac_sha256(key: &[u8], message: &[u8]) -> Vec<u8> {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).unwrap();
    mac.update(message);
    mac.finalize().into_bytes().to_vec()
}

pub fn hmac_sha1(key: &[u8], message: &[u8]) -> Vec<u8> {
    let mut mac = Hmac::<Sha1>::new_from_slice(key).unwrap();
    mac.update(message);
    mac.finalize().into_bytes().to_vec()
}

pub fn sha256_hex(bytes: &[u8]) -> String {
    hex(&Sha256::digest(bytes))
}

pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

pub fn base64(bytes: &[u8]) -> String {
    STANDARD.encode(bytes)
}

pub fn from_base64(text: &str) -> Vec<u8> {
    STANDARD.decode(text).unwrap()
}
