use base64::Engine as _;
use base64::alphabet;
use base64::engine::general_purpose::STANDARD;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};

use super::grammar::{Encoding, KeyForm};
use super::host_rule::topic_region;
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

/// The fewest bytes of a Standard Webhooks secret.
/// <https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md>
pub(super) const SHORTEST: usize = 24;

/// The most bytes of a Standard Webhooks secret.
pub(super) const LONGEST: usize = 64;

/// How a public key begins: as PEM, with its prefix, and as DER in base64 (RSA, P-256, Ed25519).
const PUBLIC_KEYS: [&str; 5] =
    ["-----BEGIN", "whpk_", "MIIBIjANBgkqhki", "MFkwEwYHKoZIzj0", "MCowBQYDK2Vw"];

/// The reason why a configured secret cannot be used. The error never contains the secret.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum KeyError {
    /// The secret does not have the required encoding.
    #[error("it has the wrong form: it must be {form}. {fix}")]
    Form {
        /// The required forms.
        form: String,
        /// How to get a secret.
        fix: &'static str,
    },
    /// A public key stands where a secret key must be.
    #[error("it is a key of a pair, and both sides must share this one: it must be {form}. {fix}")]
    NotShared {
        /// The required form.
        form: String,
        /// How to get a secret.
        fix: &'static str,
    },
    /// The secret is too short.
    #[error("it is too short: it must have at least {bytes} bytes. {fix}")]
    Short {
        /// The fewest bytes.
        bytes: usize,
        /// How to get a secret.
        fix: &'static str,
    },
    /// The secret is too long.
    #[error("it is too long: it may have at most {bytes} bytes. {fix}")]
    Long {
        /// The most bytes.
        bytes: usize,
        /// How to get a secret.
        fix: &'static str,
    },
    /// The secret is a published test secret.
    #[error("it is a published test secret that everybody knows: use your own")]
    Known,
}

impl KeyError {
    /// Why a secret fits none of several checks: that it is too short for one, or the forms of all.
    pub(super) fn of_all(errors: Vec<Self>) -> Option<Self> {
        let form = |error: &Self| match error {
            Self::Form { form, .. } | Self::NotShared { form, .. } => Some(form.clone()),
            _ => None,
        };
        let forms: Option<Vec<String>> = errors.iter().map(form).collect();
        let (one, several) = (errors.len() == 1, forms.map(|forms| forms.join(", or ")));
        let first =
            errors.iter().find(|error| form(error).is_none()).or(errors.first()).cloned()?;
        Some(match (first, several) {
            (Self::Form { fix, .. } | Self::NotShared { fix, .. }, Some(form)) if !one => {
                Self::Form { form, fix }
            }
            (first, _) => first,
        })
    }
}

impl KeyForm {
    /// Decodes a configured text into a key.
    pub(super) fn read(self, text: &str) -> Result<Secret, KeyError> {
        let text = text.trim();
        let form = || self.describe().to_owned();
        if !self.is_public() && PUBLIC_KEYS.iter().any(|start| text.starts_with(start)) {
            return Err(KeyError::NotShared { form: form(), fix: self.fix() });
        }
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
            Self::TopicArn => Some(text.into()).filter(|_| topic_region(text).is_some()),
            Self::UserPassword => Some(text.into()).filter(|_| text.contains(':')),
            Self::Base64 | Self::SpkiBase64 => LENIENT.decode(text).ok(),
            Self::Whpk => text
                .strip_prefix("whpk_")
                .and_then(|encoded| LENIENT.decode(encoded).ok())
                .filter(|key| key.len() == 32),
        };
        bytes.and_then(Secret::new).ok_or(KeyError::Form { form: form(), fix: self.fix() })
    }

    /// Whether a key of this form is public: it verifies, and its owner alone can sign.
    pub(super) const fn is_public(self) -> bool {
        matches!(self, Self::Ed25519Hex | Self::Whpk | Self::SpkiBase64)
    }

    /// How to get a key of this form.
    pub(super) const fn fix(self) -> &'static str {
        match self {
            Self::Utf8 | Self::Hex => "Copy it from the sender, or make one: openssl rand -hex 32",
            Self::Whsec | Self::WhsecPrefixed => {
                "Copy it from the sender, or make one: echo whsec_$(openssl rand -base64 32)"
            }
            Self::Base64 => "Copy it from the sender, or make one: openssl rand -base64 32",
            Self::TopicArn => "Copy the ARN of the topic from the console of AWS",
            Self::UserPassword => "Make one for both sides: echo placet:$(openssl rand -hex 32)",
            Self::Ed25519Hex | Self::Whpk | Self::SpkiBase64 => {
                "Copy the public key from the sender"
            }
        }
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
            Self::TopicArn => {
                "the ARN of a topic, as in arn:aws:sns:eu-central-1:123456789012:orders"
            }
            Self::UserPassword => "a user and a password, as in user:password",
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
        let topic = "arn:aws-cn:sns:cn-north-1:123456789012:orders.fifo";
        assert_eq!(read(KeyForm::TopicArn, topic).unwrap(), topic.as_bytes());
        assert_eq!(read(KeyForm::UserPassword, "user:pass:word").unwrap(), b"user:pass:word");
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
            (KeyForm::TopicArn, "arn:aws:sqs:eu-central-1:123456789012:orders"),
            (KeyForm::TopicArn, "arn:aws:sns:eu-central-1:123456789012:"),
            (KeyForm::TopicArn, "arn:aws:sns:eu-central-1:123456789012:orders:subscription"),
            (KeyForm::TopicArn, "orders"),
            (KeyForm::UserPassword, "a long password"),
        ] {
            assert!(read(form, wrong).is_err(), "{form:?} {wrong}");
        }
    }

    #[test]
    fn a_public_key_is_no_secret() {
        for public in [
            "-----BEGIN PUBLIC KEY-----\nMCowBQYDK2VwAyEA",
            "whpk_A6EHv/POEL4dcN0Y50vAmWfk1jCbpQ1fHdyGZBJVMbg=",
            "MCowBQYDK2VwAyEAA6EHv/POEL4dcN0Y50vAmWfk1jCbpQ1fHdyGZBJVMbg=",
        ] {
            for form in [KeyForm::Utf8, KeyForm::Whsec, KeyForm::Base64, KeyForm::Hex] {
                let error = form.read(public).unwrap_err();
                assert!(matches!(error, KeyError::NotShared { .. }), "{form:?} {public}");
            }
        }
        let error = KeyForm::Whpk.read("whsec_AAE=").unwrap_err();
        assert!(matches!(error, KeyError::Form { .. }), "{error}");
    }
}
