//! Texts and numbers with a rule. The rule is in the type, so it holds for every member of that type.

use std::time::Duration;

use placet_core::limits::LONGEST_ID;
use placet_core::operation::{is_call_id, is_comment};
use placet_core::{Period, Timestamp};
use serde::Deserialize;

/// A text of `MIN` to `MAX` bytes.
#[derive(Clone, Debug, Deserialize)]
#[serde(try_from = "String")]
pub(crate) struct Text<const MIN: usize, const MAX: usize>(pub(crate) String);

impl<const MIN: usize, const MAX: usize> TryFrom<String> for Text<MIN, MAX> {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        match text.len() {
            size if size < MIN => Err("must not be empty".to_owned()),
            size if size > MAX => Err(format!("must have at most {MAX} bytes, not {size}")),
            _ => Ok(Self(text)),
        }
    }
}

/// An id that a requester chooses.
#[derive(Clone, Debug, Deserialize)]
#[serde(try_from = "String")]
pub(crate) struct CallId(pub(crate) String);

impl TryFrom<String> for CallId {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        if is_call_id(&text) {
            return Ok(Self(text));
        }
        Err(format!(
            "must have 1 to {LONGEST_ID} bytes, none of / \\ ? # % or control characters, no space at \
             either end, and must not be . or .. or pending"
        ))
    }
}

/// A comment or an answer that is short enough to be stored.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(try_from = "String")]
pub(crate) struct Comment(pub(crate) String);

impl TryFrom<String> for Comment {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        if is_comment(&text) {
            return Ok(Self(text));
        }
        Err("must have at most 16 KB, as JSON".to_owned())
    }
}

/// A whole number from `MIN` to `MAX` in a query.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(try_from = "String")]
pub(crate) struct Number<const MIN: usize, const MAX: usize>(pub(crate) usize);

impl<const MIN: usize, const MAX: usize> TryFrom<String> for Number<MIN, MAX> {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let number = text.parse().ok().filter(|number| (MIN..=MAX).contains(number));
        number.map(Self).ok_or_else(|| match MAX {
            usize::MAX => format!("must be a whole number from {MIN}"),
            _ => format!("must be a whole number from {MIN} to {MAX}"),
        })
    }
}

/// A moment, given as a time or as a duration before now.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(try_from = "String")]
pub(crate) enum When {
    /// This time.
    At(Timestamp),
    /// This long before now.
    Ago(Duration),
}

impl When {
    /// The moment, if the current time is `now`.
    pub(crate) fn at(self, now: Timestamp) -> Timestamp {
        match self {
            Self::At(moment) => moment,
            Self::Ago(duration) => now.minus(duration),
        }
    }
}

impl TryFrom<String> for When {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, &'static str> {
        match (Timestamp::parse(&text), Period::try_from(text)) {
            (Some(moment), _) => Ok(Self::At(moment)),
            (None, Ok(period)) => Ok(Self::Ago(period.0)),
            (None, Err(_)) => Err("must be a time in RFC 3339 format, or a duration such as 24h"),
        }
    }
}

/// How long a client wants its poll to be held, at most 25 s. Clients stop waiting after 30 s.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(try_from = "String")]
pub(crate) struct Seconds(pub(crate) Duration);

impl TryFrom<String> for Seconds {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, &'static str> {
        let seconds: Option<f64> = text.parse().ok();
        let seconds = seconds.filter(|seconds| (0.0..=25.0).contains(seconds));
        let duration = seconds.and_then(|seconds| Duration::try_from_secs_f64(seconds).ok());
        duration.map(Self).ok_or("must be a number of seconds from 0 to 25")
    }
}
