//! The bodies of a decision and of a cancellation.

use placet_core::Digest;
use placet_core::limits::LONGEST_ID;
use placet_core::operation::{Response, Verdict};
use placet_runtime::problem::Problem;
use serde::Deserialize;

use crate::read::{self, Comment, Text, Wrong};

/// A decision, and the digest of what the person saw.
#[derive(Debug)]
pub(super) struct NewDecision {
    /// The verdict, the text and the option.
    pub(super) response: Response,
    /// The digest of what the person saw.
    pub(super) seen: Digest,
}

/// A person's decision on an operation.
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[cfg_attr(test, schemars(rename = "NewDecision", tag = "verdict", rename_all = "lowercase"))]
pub(crate) enum Body {
    Approve(Approval),
    Deny(Denial),
    Answer(Answer),
}

/// Approve the function call.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(crate) struct Approval {
    /// What the person wrote.
    comment: Option<Comment>,
    /// Must be null: the options of a function call are reasons for a denial.
    #[serde(default, rename = "option")]
    _option: (),
    /// The `digest` of what the person saw.
    #[cfg_attr(test, schemars(with = "crate::openapi::types::SeenDigest"))]
    digest: Digest,
}

/// Deny the function call.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(crate) struct Denial {
    /// What the person wrote.
    comment: Option<Comment>,
    /// The name of a reject option.
    option: Option<Text<0, LONGEST_ID>>,
    /// The `digest` of what the person saw.
    #[cfg_attr(test, schemars(with = "crate::openapi::types::SeenDigest"))]
    digest: Digest,
}

/// The answer to a question: a text, an option, or both.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[cfg_attr(test, schemars(extend("anyOf" = crate::openapi::examples::words_or_option())))]
pub(crate) struct Answer {
    /// The answer.
    answer: Option<Comment>,
    /// The name of a response option.
    option: Option<Text<0, LONGEST_ID>>,
    /// The `digest` of what the person saw.
    #[cfg_attr(test, schemars(with = "crate::openapi::types::SeenDigest"))]
    digest: Digest,
}

/// A cancellation.
#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(crate) struct Cancellation {
    /// Why.
    pub(super) reason: Option<Comment>,
}

impl NewDecision {
    /// Reads the body of a decision.
    ///
    /// # Errors
    ///
    /// If the body is not JSON, or if a member is missing, wrong or unknown. The error names the first such
    /// member.
    pub(super) fn read(body: &[u8]) -> Result<Self, Problem> {
        let mut object = read::object(body)?;
        let verdict = read::take_text(&mut object, "verdict")?;
        let body = match verdict.as_str() {
            "approve" => Body::Approve(read::value(object.into())?),
            "deny" => Body::Deny(read::value(object.into())?),
            "answer" => Body::Answer(read::value(object.into())?),
            _ => return Err(Wrong::at(&["verdict"], "must be approve, deny or answer").into()),
        };
        Ok(body.try_into()?)
    }
}

impl TryFrom<Body> for NewDecision {
    type Error = Wrong;

    fn try_from(body: Body) -> Result<Self, Wrong> {
        let (verdict, comment, option, seen) = match body {
            Body::Approve(approval) => (Verdict::Approve, approval.comment, None, approval.digest),
            Body::Deny(denial) => (Verdict::Deny, denial.comment, denial.option, denial.digest),
            Body::Answer(answer) => (Verdict::Answer, answer.answer, answer.option, answer.digest),
        };
        let comment = comment.unwrap_or_default().0;
        if verdict == Verdict::Answer && comment.is_empty() && option.is_none() {
            return Err(Wrong::at(&["answer"], "must not be empty unless an option is chosen"));
        }
        let option = option.map(|Text(name)| name);
        Ok(Self { response: Response { verdict, comment, option }, seen })
    }
}

impl Cancellation {
    /// Reads the body of a cancellation, which may be empty.
    ///
    /// # Errors
    ///
    /// If the body is not JSON, or if a member is wrong or unknown. The error names the first such member.
    pub(super) fn read(body: &[u8]) -> Result<Self, Problem> {
        if body.iter().all(u8::is_ascii_whitespace) {
            return Ok(Self::default());
        }
        Ok(read::value(read::object(body)?.into())?)
    }
}

#[cfg(test)]
mod tests;
