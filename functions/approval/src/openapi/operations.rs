//! Operations in our own API.

use placet_core::Timestamp;
use placet_core::operation::{OperationKind, Refusal, State};
use schemars::JsonSchema;
use serde_json::{Value, json};

use super::doc::Doc;
use crate::operations::schemas::{
    Cancellation, IdempotencyKey, LinkPath, LinkReply, ListOperations, ListedOperation,
    NewDecision, NewLink, NewOperation, NewSettlement, NewSettlements, OperationReply, RevokedLink,
    Settled,
};
use crate::operations::{OperationPath, Poll};
use crate::reply::Page;

/// The headers of a request that creates an operation.
#[derive(JsonSchema)]
#[allow(dead_code, reason = "it is a schema")]
struct CreateHeaders {
    /// If the body has no `call_id`, the server derives the `call_id` from this key. A key counts per project
    /// and kind.
    #[serde(rename = "Idempotency-Key")]
    idempotency_key: Option<IdempotencyKey>,
}

/// Why an operation can no longer be decided or cancelled.
const TOO_LATE: [&str; 3] = [
    Refusal::AlreadyDecided { state: State::Denied }.code(),
    Refusal::Expired { deadline: Timestamp::from_millis(0) }.code(),
    Refusal::DigestMismatch.code(),
];

/// Why an outcome cannot be settled.
const NOT_SETTLED: [&str; 4] = [
    Refusal::NotUnknown { state: State::Succeeded }.code(),
    Refusal::StaleAttempt.code(),
    Refusal::DigestMismatch.code(),
    Refusal::RunEnough.code(),
];

const NOTHING_TO_DECIDE: &str = Refusal::NothingToDecide { state: State::Denied }.code();

const WRONG_VERDICT: &str = Refusal::WrongVerdict { kind: OperationKind::FunctionCall }.code();

pub(super) fn docs() -> Vec<Doc> {
    let location = json!({"Location": {
        "description": "The address of the operation.", "schema": {"type": "string"},
    }});
    vec![
        Doc::of("create_operation", "Request approval of a function call, or ask a person a question")
            .description("A repeated request returns 200 and the operation in its current state. Placet compares the whole request except `run_id`.")
            .headers::<CreateHeaders>()
            .body::<NewOperation>()
            .reply::<OperationReply<'_>>(201, "The operation is new.")
            .extend_reply(201, "headers", location.clone())
            .extend_reply(201, "links", links())
            .reply::<OperationReply<'_>>(200, "The operation was created before; this is its current state.")
            .extend_reply(200, "headers", location)
            .errors(400, &["invalid_idempotency_key"])
            .errors(409, &["id_taken"])
            .errors(422, &["idempotency_key_reused"]),
        Doc::of("list_operations", "List operations, newest first")
            .description("`state` is the current state. Of a question, the first 200 characters are shown.")
            .query::<ListOperations>()
            .reply::<Page<ListedOperation<'_>>>(200, "A page."),
        Doc::of("get_operation", "Get an operation and its history")
            .path::<OperationPath>()
            .query::<Poll>()
            .reply::<OperationReply<'_>>(200, "The operation."),
        Doc::of("decide_operation", "Approve, deny or answer")
            .description("The digest must be that of the operation: it identifies what the person saw.")
            .path::<OperationPath>()
            .body::<NewDecision>()
            .reply::<OperationReply<'_>>(200, "The operation is decided.")
            .errors(409, &TOO_LATE)
            .errors(409, &[WRONG_VERDICT, Refusal::EmptyAnswer.code()]),
        Doc::of("cancel_operation", "Cancel a pending operation")
            .description("An operation that is already cancelled is returned unchanged.")
            .path::<OperationPath>()
            .optional_body::<Cancellation>(&["application/json"])
            .reply::<OperationReply<'_>>(200, "The operation is cancelled.")
            .errors(409, &TOO_LATE),
        Doc::of("settle_operation", "Settle an unknown outcome")
            .description("The digest and the attempt must be those of the operation: they identify what the person saw. `run_again` queues the operation.")
            .path::<OperationPath>()
            .body::<NewSettlement>()
            .reply::<OperationReply<'_>>(200, "The outcome is settled.")
            .errors(409, &NOT_SETTLED),
        Doc::of("create_link", "Make a decision link for a person")
            .description("The history records who made the link, and for whom. The decision is recorded as that person's.")
            .path::<OperationPath>()
            .body::<NewLink>()
            .reply::<LinkReply>(201, "The link. It is returned this once.")
            .errors(409, &[NOTHING_TO_DECIDE, Refusal::LinksEnough.code()])
            .errors(503, &["links_not_configured"]),
        Doc::of("revoke_link", "Revoke a decision link")
            .description("A link that is revoked already stays revoked.")
            .path::<LinkPath>()
            .reply::<RevokedLink>(200, "The link decides nothing any more.")
            .errors(409, &[NOTHING_TO_DECIDE, Refusal::LinksEnough.code()]),
        Doc::of("settle_operations", "Settle many unknown outcomes in the same way")
            .description("If an operation cannot be settled, its item says why and the others are settled. Repeat the request for operations whose code is `unavailable`.")
            .body::<NewSettlements>()
            .reply::<Settled>(200, "The result for each operation, in the order of the request."),
    ]
}

/// The requests that may follow a creation.
fn links() -> Value {
    let named = json!({"kind": "$response.body#/kind", "call_id": "$response.body#/call_id"});
    let approval = json!({"verdict": "approve", "digest": "$response.body#/digest"});
    json!({
        "get": {"operationId": "get_operation", "parameters": named},
        "approve": {"operationId": "decide_operation", "parameters": named, "requestBody": approval},
        "cancel": {"operationId": "cancel_operation", "parameters": named},
    })
}
