//! Keys in certificates that a request names. Only an address the scheme allows is ever asked.

use std::time::Duration;

use serde::Deserialize;
use x509_cert::der::{DecodePem as _, Encode as _};

use super::grammar::Certificate;
use super::message::Reading;
use super::verify::{Documents, Unverified};
use crate::Timestamp;

/// Whose address a document may have.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum HostRule {
    /// Amazon SNS: `https://sns.<region>.amazonaws.com/`, of China too.
    Sns,
}

impl HostRule {
    /// Whether this is an address of theirs: https, no user, no port, nothing that two readers of
    /// addresses could understand differently.
    pub fn allows(self, url: &str) -> bool {
        let Some((host, path)) = url.strip_prefix("https://").and_then(|rest| rest.split_once('/'))
        else {
            return false;
        };
        let region = host.strip_prefix("sns.").and_then(|rest| {
            rest.strip_suffix(".cn").unwrap_or(rest).strip_suffix(".amazonaws.com")
        });
        region.is_some_and(is_region)
            && path.bytes().all(|byte| byte.is_ascii_graphic() && !b"\\#@".contains(&byte))
    }
}

/// A region as in `eu-central-1`: so that no other service whose name starts a host is taken for it.
fn is_region(text: &str) -> bool {
    let words: Vec<&str> = text.split('-').collect();
    let letters =
        |word: &&str| !word.is_empty() && word.bytes().all(|byte| byte.is_ascii_lowercase());
    match words.as_slice() {
        [area, places @ .., number] => {
            area.len() == 2
                && letters(area)
                && !places.is_empty()
                && places.iter().all(letters)
                && !number.is_empty()
                && number.bytes().all(|byte| byte.is_ascii_digit())
        }
        _ => false,
    }
}

impl Certificate {
    /// The public key, as DER `SubjectPublicKeyInfo`.
    pub(super) fn key(
        &self,
        reading: &Reading<'_>,
        documents: &Documents,
        now: Timestamp,
    ) -> Result<Vec<u8>, Unverified> {
        let url = reading.value(&self.at).ok_or(Unverified::Missing)?;
        if !self.host.allows(&url) || !url.ends_with(".pem") || url.contains('?') {
            return Err(Unverified::Certificate("its address is not the sender's"));
        }
        let pem = documents
            .get(&url)
            .ok_or_else(|| Unverified::NeedsDocument { url: url.to_string(), newer: false })?;
        public_key(pem, now)
    }
}

fn public_key(pem: &[u8], now: Timestamp) -> Result<Vec<u8>, Unverified> {
    let certificate = x509_cert::Certificate::from_pem(pem)
        .map_err(|_| Unverified::Certificate("it is not a certificate in PEM"))?;
    let certificate = certificate.tbs_certificate();
    let validity = certificate.validity();
    let now = Duration::from_secs(u64::try_from(now.seconds()).unwrap_or(0));
    if now < validity.not_before.to_unix_duration() || now > validity.not_after.to_unix_duration() {
        return Err(Unverified::Certificate("it is not valid at this time"));
    }
    certificate
        .subject_public_key_info()
        .to_der()
        .map_err(|_| Unverified::Certificate("its key can not be read"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_addresses_of_sns_are_allowed() {
        for ours in [
            "https://sns.eu-central-1.amazonaws.com/SimpleNotificationService-0.pem",
            "https://sns.cn-north-1.amazonaws.com.cn/x.pem",
            "https://sns.us-east-1.amazonaws.com/?Action=ConfirmSubscription&Token=a",
        ] {
            assert!(HostRule::Sns.allows(ours), "{ours}");
        }
        for other in [
            "http://sns.eu-central-1.amazonaws.com/x.pem",
            "https://sns.eu-central-1.amazonaws.com.evil.example/x.pem",
            "https://evil.example/sns.eu-central-1.amazonaws.com/x.pem",
            "https://sns.eu-central-1.amazonaws.com:444/x.pem",
            "https://user@sns.eu-central-1.amazonaws.com/x.pem",
            "https://sns.eu-central-1.amazonaws.com\\@evil.example/x.pem",
            "https://sns..amazonaws.com/x.pem",
            "https://sns.s3-us-west-2.amazonaws.com/x.pem",
            "https://sns.s3.us-west-2.amazonaws.com/x.pem",
            "https://sns.a.b.amazonaws.com/x.pem",
            "https://SNS.eu-central-1.amazonaws.com/x.pem",
            "https://sns.eu-central-1.amazonaws.com",
            "https://s3.amazonaws.com/sns.pem",
            "https://sns.eu-central-1.amazonaws.com/x#.pem",
        ] {
            assert!(!HostRule::Sns.allows(other), "{other}");
        }
    }
}
