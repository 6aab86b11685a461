//! Keys in certificates that a request names. Placet fetches a certificate only from an address at which the
//! sender publishes certificates for the topic of the message.

use std::time::Duration;

use x509_cert::der::{DecodePem as _, Encode as _};

use super::grammar::Certificate;
use super::message::Reading;
use super::unverified::{Documents, Unverified};
use crate::Timestamp;
use crate::strict_json::Lenient;

/// The member that names the topic of a message.
const TOPIC: &str = "TopicArn";

impl Certificate {
    /// The public key, as DER `SubjectPublicKeyInfo`.
    pub(super) fn key(
        &self,
        reading: &Reading<'_>,
        documents: &Documents,
        now: Timestamp,
    ) -> Result<Vec<u8>, Unverified> {
        let url = reading.value(&self.at).ok_or(Unverified::Missing)?;
        let body = reading.request.json().ok().flatten();
        let topic = body.and_then(|body| body.member(TOPIC).ok().flatten());
        let topic = topic.and_then(Lenient::exact_string).ok_or(Unverified::Missing)?;
        if !self.host.certifies(&url, &topic) {
            let reason = "its address is not that of a certificate for the region of the topic";
            return Err(Unverified::Certificate(reason));
        }
        let pem = documents
            .get(&url)
            .ok_or_else(|| Unverified::NeedsDocument { url: url.to_string(), newer: false })?;
        public_key(pem, now)
    }
}

fn public_key(pem: &[u8], now: Timestamp) -> Result<Vec<u8>, Unverified> {
    let certificate = x509_cert::Certificate::from_pem(pem)
        .map_err(|_| Unverified::Certificate("it is not a PEM certificate"))?;
    let certificate = certificate.tbs_certificate();
    let validity = certificate.validity();
    let now = Duration::from_secs(u64::try_from(now.seconds()).unwrap_or(0));
    if now < validity.not_before.to_unix_duration() || now > validity.not_after.to_unix_duration() {
        return Err(Unverified::Certificate("it is not valid at this time"));
    }
    certificate
        .subject_public_key_info()
        .to_der()
        .map_err(|_| Unverified::Certificate("its key cannot be read"))
}
