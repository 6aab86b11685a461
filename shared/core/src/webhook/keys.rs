use base64::Engine as _;
use base64::alphabet;
use base64::engine::general_purpose::STANDARD;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};

use super::grammar::{Encoding, KeyForm};
use crate::{Secret, hex};

/// A secret of a source, decoded for a check.
#[derive(Clone, Debug)]
pub(super) struct Key {
    /// The number of the configured secret, from 1.
    pub(super) number: usize,
    pub(super) secret: Secret,
}

/// Base64 with or without padding, because senders issue secrets in both forms.
pub(super) const LENIENT: GeneralPurpose = GeneralPurpose::new(
    &alphabet::STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

const URL_SAFE: GeneralPurpose = GeneralPurpose::new(
    &alphabet::URL_SAFE,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// The reason why a configured secret cannot be used. The error never contains the secret.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum KeyError {
    /// The secret does not have the required encoding.
    #[error("it is not a key for this source: the source needs {0}")]
    Form(&'static str),
    /// The secret is too short.
    #[error("it is too short: at least {0} bytes are needed")]
    Short(usize),
    /// The secret is a published test secret.
    #[error("it is a published test secret that everybody knows: use your own")]
    Known,
}

impl KeyForm {
    /// Decodes a configured text into a key.
    pub(super) fn read(self, text: &str) -> Result<Secret, KeyError> {
        let text = text.trim();
        // Supabase prints the version of the signature before the secret: `v1,whsec_…`.
        let text = match self {
            Self::Whsec | Self::WhsecPrefixed => text.strip_prefix("v1,").unwrap_or(text),
            _ => text,
        };
        let bytes = match self {
            Self::Utf8 => Some(text.as_bytes().to_vec()),
            Self::Whsec => LENIENT.decode(text.strip_prefix("whsec_").unwrap_or(text)).ok(),
            Self::WhsecPrefixed => {
                text.strip_prefix("whsec_").and_then(|encoded| LENIENT.decode(encoded).ok())
            }
            Self::Hex => decode_hex(text),
            Self::Ed25519Hex => decode_hex(text).filter(|key| key.len() == 32),
            Self::Base64 | Self::SpkiBase64 => LENIENT.decode(text).ok(),
            Self::Whpk => text
                .strip_prefix("whpk_")
                .and_then(|encoded| LENIENT.decode(encoded).ok())
                .filter(|key| key.len() == 32),
        };
        bytes.and_then(Secret::new).ok_or(KeyError::Form(self.describe()))
    }

    /// A description of the encoding, for error messages.
    pub const fn describe(self) -> &'static str {
        match self {
            Self::Utf8 => "a text that is not empty",
            Self::Whsec => "base64, with or without the prefix whsec_",
            Self::WhsecPrefixed => "whsec_ followed by base64",
            Self::Hex => "a key in hexadecimal digits",
            Self::Ed25519Hex => "an Ed25519 public key in hexadecimal digits",
            Self::Base64 => "a key in base64",
            Self::Whpk => "whpk_ followed by an Ed25519 public key in base64",
            Self::SpkiBase64 => "a public key as SubjectPublicKeyInfo in base64",
        }
    }
}

impl Encoding {
    /// Decodes a text; `None` if it does not have this encoding.
    pub(super) fn decode(self, text: &str) -> Option<Vec<u8>> {
        match self {
            Self::Hex => decode_hex(text),
            Self::Base64 => STANDARD.decode(text).ok(),
            Self::Base64Url => URL_SAFE.decode(text).ok(),
        }
    }

    /// Encodes bytes.
    pub(super) fn encode(self, bytes: &[u8]) -> String {
        match self {
            Self::Hex => hex(bytes),
            Self::Base64 => STANDARD.encode(bytes),
            Self::Base64Url => URL_SAFE.encode(bytes),
        }
    }

    pub(super) fn parse(text: &str) -> Option<Self> {
        match text {
            "hex" => Some(Self::Hex),
            "base64" => Some(Self::Base64),
            "base64url" => Some(Self::Base64Url),
            _ => None,
        }
    }
}

fn decode_hex(text: &str) -> Option<Vec<u8>> {
    let digit = |byte: u8| char::from(byte).to_digit(16);
    let pairs = text.as_bytes().chunks(2);
    pairs
        .map(|pair| match pair {
            [high, low] => u8::try_from(digit(*high)? * 16 + digit(*low)?).ok(),
            _ => None,
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_encoding_decodes_only_its_own_form() {
        let bytes = [0, 255, 16, 62];
        for encoding in [Encoding::Hex, Encoding::Base64, Encoding::Base64Url] {
            assert_eq!(encoding.decode(&encoding.encode(&bytes)).unwrap(), bytes);
        }
        assert_eq!(Encoding::Hex.decode("00FFfF"), Some(vec![0, 255, 255]));
        for wrong in ["0", "0g", "é0", "00 "] {
            assert_eq!(Encoding::Hex.decode(wrong), None, "{wrong}");
        }
        for wrong in ["AA", "AA=", "A A=", "-_8="] {
            assert_eq!(Encoding::Base64.decode(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn keys_decode_only_in_their_encoding_and_are_never_empty() {
        let read = |form: KeyForm, text: &str| form.read(text).map(|key| key.expose().to_vec());
        assert_eq!(read(KeyForm::Whsec, "whsec_AAE").unwrap(), [0, 1]);
        assert_eq!(read(KeyForm::Whsec, "AAE=").unwrap(), [0, 1]);
        assert_eq!(read(KeyForm::Whsec, "v1,whsec_AAE").unwrap(), [0, 1]);
        assert_eq!(read(KeyForm::WhsecPrefixed, "v1,whsec_AAE=").unwrap(), [0, 1]);
        assert_eq!(read(KeyForm::Utf8, " x\n").unwrap(), b"x");
        for (form, wrong) in [
            (KeyForm::Utf8, " "),
            (KeyForm::Whsec, "whsec_"),
            (KeyForm::Whsec, "whpk_AAE="),
            (KeyForm::Whsec, "v2,whsec_AAE="),
            (KeyForm::Whsec, "v1,whsec_AAE=|v1,whsec_AAI="),
            (KeyForm::WhsecPrefixed, "v1,AAE="),
            (KeyForm::WhsecPrefixed, "AAE="),
            (KeyForm::Hex, ""),
            (KeyForm::Hex, "xy"),
            (KeyForm::Whpk, "whpk_AAE="),
        ] {
            assert!(read(form, wrong).is_err(), "{form:?} {wrong}");
        }
    }
}
