//! An operation in the replies of our own API.

use placet_core::item::Item;
use placet_core::operation::{
    self, Actor, Approvers, ContactChannel, Content, Entry, Failure, Operation, Outcome, State,
    Verdict,
};
use placet_core::{Digest, Timestamp};
use serde::Serialize;
use serde_json::{Map, Value};

use super::webhooks::WebhookReply;
use crate::call::Call;
use crate::reply::Moment;

/// How many characters of a question a list shows.
const EXCERPT: usize = 200;

/// An operation and its history.
#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema), schemars(rename = "Operation"))]
pub(crate) struct OperationReply<'a> {
    #[serde(flatten)]
    content: ContentReply<'a>,
    #[serde(flatten)]
    standing: Standing<'a>,
    /// How to reach the person, as the requester specified.
    #[cfg_attr(test, schemars(with = "Option<Map<String, Value>>"))]
    channel: Option<&'a ContactChannel>,
    /// Returned to the requester with the decision.
    requester_state: Option<&'a Map<String, Value>>,
    /// The executor that runs the call after approval; null if the requester runs it.
    #[cfg_attr(test, schemars(example = &"function purchase_materials"))]
    executor: Option<&'a str>,
    /// Who may decide, beside the inbox, decision links and API keys with the right.
    approvers: ApproversReply<'a>,
    /// The decision; null if there is none.
    decision: Option<DecisionReply<'a>>,
    /// How the execution ended.
    outcome: Option<OutcomeReply<'a>>,
    /// The history, oldest first. The hash of each entry covers the hash of the entry before.
    history: Vec<EntryReply<'a>>,
    /// The page on which a person decides.
    #[cfg_attr(test, schemars(example = &"/inbox/call-1"))]
    inbox: String,
    /// The endpoints that are notified of the decision.
    webhooks: Vec<WebhookReply>,
}

/// Who may decide an operation. Placet fixes it at the creation.
#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema), schemars(rename = "Approvers"))]
struct ApproversReply<'a> {
    /// The ids of the people who may decide; everybody who is listed in `placet.yaml` if empty.
    people: &'a [String],
    /// The base URL of the upstream approver.
    upstream: Option<&'a str>,
    /// The webhook source whose events may decide.
    webhook: Option<&'a str>,
    /// The id of the API key that may not decide, because it created the operation.
    except_key: Option<&'a str>,
}

/// An operation in a list.
#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(crate) struct ListedOperation<'a> {
    #[serde(flatten)]
    content: ContentExcerpt<'a>,
    #[serde(flatten)]
    standing: Standing<'a>,
    /// The verdict of the decision; null if there is none.
    #[cfg_attr(test, schemars(with = "Option<crate::openapi::types::Verdict>"))]
    verdict: Option<Verdict>,
    /// When the person decided.
    decided_at: Option<Moment>,
}

/// The function call or the question.
#[derive(Serialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
#[cfg_attr(test, derive(schemars::JsonSchema))]
enum ContentReply<'a> {
    /// A function call.
    FunctionCall {
        /// The function.
        #[serde(rename = "fn")]
        function: &'a str,
        /// The arguments: an object. Some clients of HumanLayer's API send another value.
        kwargs: &'a Value,
        /// Reasons for a denial, from which the approver may choose.
        reject_options: Vec<OptionReply<'a>>,
    },
    /// A question.
    HumanContact {
        /// The question.
        msg: &'a str,
        /// The subject of the question.
        subject: Option<&'a str>,
        /// Answers from which the approver may choose.
        response_options: Vec<OptionReply<'a>>,
    },
}

/// The function call or the question, shortened.
#[derive(Serialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
#[cfg_attr(test, derive(schemars::JsonSchema))]
enum ContentExcerpt<'a> {
    /// A function call.
    FunctionCall {
        /// The function.
        #[serde(rename = "fn")]
        function: &'a str,
    },
    /// A question.
    HumanContact {
        /// The first 200 characters of the question.
        msg: String,
        /// The first 200 characters of the subject.
        subject: Option<String>,
    },
}

/// The ids and the state of an operation.
#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
struct Standing<'a> {
    /// The requester's id of the operation.
    #[cfg_attr(test, schemars(example = &"call-1"))]
    call_id: &'a str,
    /// The requester's id of the run.
    #[cfg_attr(test, schemars(example = &"run-1"))]
    run_id: &'a str,
    /// The current state.
    #[cfg_attr(test, schemars(with = "crate::openapi::types::OperationState"))]
    state: State,
    /// SHA-256 of the content that a person sees and decides on.
    #[cfg_attr(test, schemars(with = "crate::openapi::types::Digest"))]
    digest: Digest,
    /// When the operation was created.
    created_at: Moment,
    /// The last moment at which the operation can be decided.
    deadline: Moment,
    /// The number of attempts that were started.
    attempts: u32,
}

/// An option that the requester offers.
#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema), schemars(rename = "Option"))]
struct OptionReply<'a> {
    name: &'a str,
    title: Option<&'a str>,
    description: Option<&'a str>,
    prompt_fill: Option<&'a str>,
    interactive: bool,
    /// Further members that the requester sent. The digest covers them.
    #[serde(flatten)]
    other: &'a Map<String, Value>,
}

/// A decision.
#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema), schemars(rename = "Decision"))]
struct DecisionReply<'a> {
    /// The verdict.
    #[cfg_attr(test, schemars(with = "crate::openapi::types::Verdict"))]
    verdict: Verdict,
    #[serde(flatten)]
    words: Words<'a>,
    /// The name of the chosen option.
    option: Option<&'a str>,
    /// Who decided, and how they proved it.
    #[cfg_attr(test, schemars(with = "crate::openapi::types::Actor"))]
    by: &'a Actor,
    /// When the person decided.
    at: Moment,
}

/// The text that the person wrote. The member has the same name as in the request.
#[derive(Serialize)]
#[serde(rename_all = "lowercase")]
#[cfg_attr(test, derive(schemars::JsonSchema))]
enum Words<'a> {
    /// The comment of an approval or a denial.
    Comment(&'a str),
    /// The answer to a question.
    Answer(&'a str),
}

/// How the execution ended.
#[derive(Serialize)]
#[serde(rename_all = "lowercase")]
#[cfg_attr(test, derive(schemars::JsonSchema), schemars(rename = "Outcome"))]
enum OutcomeReply<'a> {
    /// What the executor returned.
    Result(&'a Value),
    /// Why there is no result.
    Failure(FailureReply<'a>),
}

/// Why there is no result.
#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema), schemars(rename = "Failure"))]
pub(crate) struct FailureReply<'a> {
    /// A stable code.
    #[cfg_attr(test, schemars(example = &"rejected"))]
    code: &'a str,
    /// A sentence for a person.
    message: &'a str,
}

/// An entry of the history.
#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema), schemars(rename = "Entry"))]
struct EntryReply<'a> {
    /// When the event happened.
    at: Moment,
    /// The name of the event.
    #[cfg_attr(test, schemars(example = &"created"))]
    event: &'a str,
    /// Who caused the event.
    #[cfg_attr(test, schemars(with = "crate::openapi::types::Actor"))]
    by: &'a Actor,
    /// Details of the event. Times are milliseconds since 1970.
    #[cfg_attr(test, schemars(with = "Map<String, Value>"))]
    detail: &'a Value,
    /// SHA-256 over the hash of the previous entry and the members above.
    #[cfg_attr(test, schemars(with = "crate::openapi::types::Digest"))]
    hash: Digest,
}

impl<'a> OperationReply<'a> {
    /// Describes an operation in its current state.
    pub(super) fn new(
        call: &Call<'_>,
        operation: &'a Item<Operation>,
        webhooks: Vec<WebhookReply>,
    ) -> Self {
        Self {
            content: ContentReply::new(operation),
            standing: Standing::new(operation, call.now()),
            channel: operation.channel.as_ref(),
            requester_state: operation.requester_state.as_ref(),
            executor: operation.plan.as_ref().map(|plan| plan.executor.as_str()),
            approvers: ApproversReply::new(operation),
            decision: operation.decision.as_ref().map(DecisionReply::new),
            outcome: operation.outcome.as_ref().map(|outcome| match outcome {
                Outcome::Result(result) => OutcomeReply::Result(result),
                Outcome::Failure(failure) => OutcomeReply::Failure(FailureReply::new(failure)),
            }),
            history: operation.history.entries().iter().map(EntryReply::new).collect(),
            inbox: call.runtime().config.inbox_address(&operation.id()),
            webhooks,
        }
    }
}

impl<'a> ApproversReply<'a> {
    fn new(operation: &'a Operation) -> Self {
        let Approvers { people, webhook, except_key } = &operation.approvers;
        Self {
            upstream: operation.upstream.as_ref().map(|upstream| upstream.base_url.as_str()),
            webhook: webhook.as_deref(),
            except_key: except_key.as_deref(),
            people,
        }
    }
}

impl<'a> ListedOperation<'a> {
    /// Describes an operation in its state at `now`.
    pub(super) fn new(operation: &'a Item<Operation>, now: Timestamp) -> Self {
        let decision = operation.decision.as_ref();
        Self {
            content: ContentExcerpt::new(operation),
            standing: Standing::new(operation, now),
            verdict: decision.map(|decision| decision.verdict),
            decided_at: decision.map(|decision| Moment(decision.at)),
        }
    }
}

impl<'a> ContentReply<'a> {
    fn new(operation: &'a Operation) -> Self {
        let options = operation.options.iter().map(OptionReply::new).collect();
        match &operation.content {
            Content::Call { function, kwargs } => {
                Self::FunctionCall { function, kwargs, reject_options: options }
            }
            Content::Question { message, subject } => Self::HumanContact {
                msg: message,
                subject: subject.as_deref(),
                response_options: options,
            },
        }
    }
}

impl<'a> ContentExcerpt<'a> {
    fn new(operation: &'a Operation) -> Self {
        match &operation.content {
            Content::Call { function, .. } => Self::FunctionCall { function },
            Content::Question { message, subject } => Self::HumanContact {
                msg: excerpt(message),
                subject: subject.as_deref().map(excerpt),
            },
        }
    }
}

impl<'a> Standing<'a> {
    fn new(operation: &'a Item<Operation>, now: Timestamp) -> Self {
        Self {
            call_id: operation.call_id(),
            run_id: &operation.run_id,
            state: operation.state_at(now),
            digest: operation.digest,
            created_at: Moment(operation.header.created_at),
            deadline: Moment(operation.deadline),
            attempts: operation.attempts,
        }
    }
}

impl<'a> OptionReply<'a> {
    fn new(option: &'a operation::ResponseOption) -> Self {
        Self {
            name: &option.name,
            title: option.title.as_deref(),
            description: option.description.as_deref(),
            prompt_fill: option.prompt_fill.as_deref(),
            interactive: option.interactive,
            other: &option.other,
        }
    }
}

impl<'a> DecisionReply<'a> {
    fn new(decision: &'a operation::Decision) -> Self {
        let words = match decision.verdict {
            Verdict::Answer => Words::Answer(&decision.comment),
            Verdict::Approve | Verdict::Deny => Words::Comment(&decision.comment),
        };
        Self {
            verdict: decision.verdict,
            words,
            option: decision.option.as_deref(),
            by: &decision.by,
            at: Moment(decision.at),
        }
    }
}

impl<'a> FailureReply<'a> {
    /// Why an operation failed, or why its outcome is unknown.
    pub(crate) fn new(failure: &'a Failure) -> Self {
        Self { code: &failure.code, message: &failure.message }
    }
}

impl<'a> EntryReply<'a> {
    fn new(entry: &'a Entry) -> Self {
        let Entry { at, event, by, detail, hash } = entry;
        Self { at: Moment(*at), event, by, detail, hash: *hash }
    }
}

fn excerpt(text: &str) -> String {
    match text.char_indices().nth(EXCERPT) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}

#[cfg(test)]
mod tests;
