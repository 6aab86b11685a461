use super::grammar::{Part, SignatureCheck};
use super::location::Location;
use super::message::Reading;
use super::verified::SignedContent;
use crate::{Digest, Timestamp};

/// The result of one passed check.
#[derive(Default)]
pub(super) struct Proof<'a> {
    pub(super) check: String,
    pub(super) key: Option<usize>,
    pub(super) signed_at: Option<Timestamp>,
    /// Whether the check covers the whole body.
    pub(super) body: bool,
    /// Whether a signed digest covers the body.
    pub(super) hashed: bool,
    /// The check, if it is a signature over parts of the request.
    pub(super) signed: Option<&'a SignatureCheck>,
    /// The form of the URL that the sender signed.
    pub(super) signed_url: String,
}

impl Proof<'_> {
    /// Whether the proof covers the value at a location.
    pub(super) fn covers(&self, location: &Location) -> bool {
        match location {
            Location::Json(_) if self.body => true,
            Location::Form(..) if self.hashed => true,
            _ => self.signed.is_some_and(|check| check.covers(location)),
        }
    }

    /// Digests of the signed content; `None` if the proof covers no content.
    pub(super) fn content(&self, reading: &Reading<'_>) -> Option<SignedContent> {
        let Some(check) = self.signed else {
            let digest = Digest::of_bytes(reading.request.body);
            let content = SignedContent { message: digest, timeless: digest, holds_time: false };
            return self.body.then_some(content);
        };
        let signatures = reading.signatures(&check.signature).ok()?;
        let time = reading.signed_time(check, &signatures).ok()?;
        let url = Some(self.signed_url.as_str());
        let message = reading.message(check, &signatures, time.as_deref(), url).ok()?;
        let digest_of = |with_time: bool| {
            let parts = check.signed.iter().zip(&message);
            let parts = parts.filter(|(part, _)| with_time || **part != Part::Time);
            Digest::of_parts(&parts.map(|(_, bytes)| bytes.as_ref()).collect::<Vec<_>>())
        };
        let timeless = digest_of(false);
        let timed = check.signed.contains(&Part::Time);
        Some(SignedContent {
            message: if timed { digest_of(true) } else { timeless },
            timeless,
            holds_time: check.time.is_some() && !timed,
        })
    }

    pub(super) fn url(&self) -> bool {
        self.signed.is_some_and(SignatureCheck::signs_url)
    }
}
