//! HumanLayer's API.

use schemars::JsonSchema;

use super::doc::Doc;
use super::wire::{
    HumanLayerCall, HumanLayerCallResponse, HumanLayerContact, HumanLayerContactResponse,
    HumanLayerEscalation, HumanLayerNewCall, HumanLayerNewContact,
};
use crate::humanlayer::schemas::{
    CallPath, ChannelPath, ContactChannelReply, ListPending, Pending, ProjectReply,
};
use crate::operations::Poll;
use crate::system::Status;

pub(super) fn docs() -> Vec<Doc> {
    let mut docs = vec![
        Doc::of("humanlayer_status", "Check that the function is up")
            .reply::<Status>(200, "The function is up."),
        Doc::of("get_project", "Get the project of the key")
            .reply::<ProjectReply<'_>>(200, "The project."),
        Doc::of("get_contact_channel", "Get a contact channel of `placet.yaml`")
            .path::<ChannelPath>()
            .reply::<ContactChannelReply<'_>>(200, "The channel."),
    ];
    docs.extend(of_kind::<HumanLayerNewCall, HumanLayerCall, HumanLayerCallResponse>([
        "create_function_call",
        "get_function_call",
        "get_agent_function_call",
        "pending_function_call",
        "respond_function_call",
        "escalate_function_call",
    ]));
    docs.extend(of_kind::<HumanLayerNewContact, HumanLayerContact, HumanLayerContactResponse>([
        "create_contact_request",
        "get_contact_request",
        "get_agent_contact_request",
        "pending_contact_request",
        "respond_contact_request",
        "escalate_contact_request",
    ]));
    docs.extend(of_kind::<HumanLayerNewContact, HumanLayerContact, HumanLayerContactResponse>([
        "create_human_contact",
        "get_human_contact",
        "get_agent_human_contact",
        "pending_human_contact",
        "respond_human_contact",
        "escalate_human_contact",
    ]));
    docs
}

/// The routes of one name of a kind.
fn of_kind<New: JsonSchema, Item: JsonSchema, Response: JsonSchema>(
    [create, get, get_agent, pending, respond, escalate]: [&'static str; 6],
) -> Vec<Doc> {
    let look = |name| {
        Doc::of(name, "Get an operation")
            .description(
                "If long polling is on, the poll of a pending operation is held, except with `wait=0`.",
            )
            .path::<CallPath>()
            .query::<Poll>()
            .reply::<Item>(200, "The operation.")
    };
    vec![
        Doc::of(create, "Request approval of a function call, or ask a person a question")
            .description("A repeated request returns the operation that the first request created.")
            .body::<New>()
            .reply::<Item>(200, "The operation.")
            .errors(409, &["id_taken"]),
        look(get),
        look(get_agent),
        Doc::of(pending, "List pending operations")
            .description("Nearest deadline first.")
            .query::<ListPending>()
            .reply::<Pending<Item>>(200, "A page, or an array with `format=array`."),
        Doc::of(respond, "Approve, deny or answer")
            .path::<CallPath>()
            .body::<Response>()
            .reply::<Item>(200, "The operation.")
            .errors(409, &["already_decided"]),
        Doc::of(escalate, "Escalate an operation")
            .path::<CallPath>()
            .body::<HumanLayerEscalation>()
            .reply::<Item>(200, "The operation.")
            .errors(409, &["escalated_enough"]),
    ]
}
