//! The route table: every path of this function, the right it needs, and its handler.

use std::future::Future;
use std::pin::Pin;

use lambda_http::http::Method;
use placet_core::operation::OperationKind::{FunctionCall, HumanContact};
use placet_core::percent;
use placet_runtime::Right::{self, Create, Decide, Operate, Read};
use placet_runtime::Runtime;
use placet_runtime::http::Response;

use crate::call::Call;
use crate::error::Error;
use crate::{deliveries, endpoints, humanlayer, operations, purchases, receipts, system};

/// What a handler returns: a future of the response.
pub(crate) type Answer<'a> = Pin<Box<dyn Future<Output = Result<Response, Error>> + Send + 'a>>;

/// The handler of a route.
#[derive(Clone, Copy)]
pub(crate) enum Handler {
    /// Returns the same response to everybody and needs no key.
    Open(fn(&Runtime) -> Response),
    /// Needs a key with this right.
    Keyed(Right, for<'a> fn(Call<'a>) -> Answer<'a>),
    /// Needs a key with this right, except from the person at a developer's machine.
    Demo(Right, for<'a> fn(Call<'a>) -> Answer<'a>),
}

/// A route.
pub(crate) struct Route {
    /// The name of the route in the log, and its `operationId` in the OpenAPI document.
    pub(crate) name: &'static str,
    /// The method. A HEAD is answered like a GET.
    pub(crate) method: Method,
    /// The path, with `{name}` for each parameter.
    pub(crate) path: &'static str,
    /// The handler.
    pub(crate) handler: Handler,
}

/// The API that a path belongs to. It decides the format of errors.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Api {
    /// Ours: `application/problem+json`.
    Placet,
    /// HumanLayer's: `{"detail": …}`.
    HumanLayer,
}

/// Below these prefixes, a caller without a key does not learn which paths exist.
const PLACET: &str = "/v1";
const HUMANLAYER: &str = "/humanlayer/v1";

/// Boxes the future of a handler, so that all handlers have one type. A handler that serves both kinds of
/// operations gets its kind here.
macro_rules! run {
    ($handler:path $(, $kind:expr)?) => {
        |call| Box::pin($handler(call $(, $kind)?))
    };
}

/// Every route of this function.
///
/// Questions have two names in HumanLayer's API: its SDKs create and read `contact_requests` and respond
/// to `human_contacts`; its documentation knows only the second.
#[rustfmt::skip]
pub(crate) static ROUTES: &[Route] = &[
    post("create_operation", "/v1/operations", Create, run!(operations::create)),
    get("list_operations", "/v1/operations", Read, run!(operations::list)),
    get("get_operation", "/v1/operations/{kind}/{call_id}", Read, run!(operations::get)),
    post("decide_operation", "/v1/operations/{kind}/{call_id}/decision", Decide, run!(operations::decide)),
    post("cancel_operation", "/v1/operations/{kind}/{call_id}/cancel", Create, run!(operations::cancel)),
    post("settle_operation", "/v1/operations/{kind}/{call_id}/settle", Decide, run!(operations::settle)),
    post("create_link", "/v1/operations/{kind}/{call_id}/links", Decide, run!(operations::links::create)),
    post("revoke_link", "/v1/operations/{kind}/{call_id}/links/{link}/revoke", Decide, run!(operations::links::revoke)),
    post("settle_operations", "/v1/operations/settle", Decide, run!(operations::settle_many)),
    get("list_receipts", "/v1/receipts", Operate, run!(receipts::list)),
    get("get_receipt", "/v1/receipts/{id}", Operate, run!(receipts::get)),
    get("get_receipt_body", "/v1/receipts/{id}/body", Operate, run!(receipts::body)),
    post("replay_receipt", "/v1/receipts/{id}/replay", Operate, run!(receipts::replay)),
    get("list_deliveries", "/v1/deliveries", Operate, run!(deliveries::list)),
    get("get_delivery", "/v1/deliveries/{id}", Operate, run!(deliveries::get)),
    post("redeliver", "/v1/deliveries/{id}/redeliver", Operate, run!(deliveries::redeliver)),
    get("list_endpoints", "/v1/endpoints", Operate, run!(endpoints::list)),
    post("enable_endpoint", "/v1/endpoints/{name}/enable", Operate, run!(endpoints::enable)),
    post("test_endpoint", "/v1/endpoints/{name}/test", Operate, run!(endpoints::test)),

    open("humanlayer_status", "/humanlayer/v1/status", system::status),
    get("get_project", "/humanlayer/v1/project", Read, run!(humanlayer::project)),
    get("get_contact_channel", "/humanlayer/v1/contact_channel/{channel_id}", Read, run!(humanlayer::contact_channel)),
    post("create_function_call", "/humanlayer/v1/function_calls", Create, run!(humanlayer::create, FunctionCall)),
    get("get_function_call", "/humanlayer/v1/function_calls/{call_id}", Read, run!(humanlayer::get, FunctionCall)),
    get("pending_function_call", "/humanlayer/v1/agent/function_calls/pending", Read, run!(humanlayer::pending, FunctionCall)),
    get("get_agent_function_call", "/humanlayer/v1/agent/function_calls/{call_id}", Read, run!(humanlayer::get, FunctionCall)),
    post("respond_function_call", "/humanlayer/v1/agent/function_calls/{call_id}/respond", Decide, run!(humanlayer::respond, FunctionCall)),
    post("escalate_function_call", "/humanlayer/v1/agent/function_calls/{call_id}/escalate_email", Create, run!(humanlayer::escalate, FunctionCall)),
    post("create_contact_request", "/humanlayer/v1/contact_requests", Create, run!(humanlayer::create, HumanContact)),
    get("get_contact_request", "/humanlayer/v1/contact_requests/{call_id}", Read, run!(humanlayer::get, HumanContact)),
    get("pending_contact_request", "/humanlayer/v1/agent/contact_requests/pending", Read, run!(humanlayer::pending, HumanContact)),
    get("get_agent_contact_request", "/humanlayer/v1/agent/contact_requests/{call_id}", Read, run!(humanlayer::get, HumanContact)),
    post("respond_contact_request", "/humanlayer/v1/agent/contact_requests/{call_id}/respond", Decide, run!(humanlayer::respond, HumanContact)),
    post("escalate_contact_request", "/humanlayer/v1/agent/contact_requests/{call_id}/escalate_email", Create, run!(humanlayer::escalate, HumanContact)),
    post("create_human_contact", "/humanlayer/v1/human_contacts", Create, run!(humanlayer::create, HumanContact)),
    get("get_human_contact", "/humanlayer/v1/human_contacts/{call_id}", Read, run!(humanlayer::get, HumanContact)),
    get("pending_human_contact", "/humanlayer/v1/agent/human_contacts/pending", Read, run!(humanlayer::pending, HumanContact)),
    get("get_agent_human_contact", "/humanlayer/v1/agent/human_contacts/{call_id}", Read, run!(humanlayer::get, HumanContact)),
    post("respond_human_contact", "/humanlayer/v1/agent/human_contacts/{call_id}/respond", Decide, run!(humanlayer::respond, HumanContact)),
    post("escalate_human_contact", "/humanlayer/v1/agent/human_contacts/{call_id}/escalate_email", Create, run!(humanlayer::escalate, HumanContact)),

    demo("purchase", Method::POST, "/purchase-materials", Create, run!(purchases::create)),
    demo("purchases", Method::GET, "/purchases", Read, run!(purchases::list)),
    open("health", "/healthz", system::health),
    open("version", "/version", system::version),
    open("openapi", "/openapi.json", system::openapi),
];

const fn get(
    name: &'static str,
    path: &'static str,
    right: Right,
    run: for<'a> fn(Call<'a>) -> Answer<'a>,
) -> Route {
    Route { name, method: Method::GET, path, handler: Handler::Keyed(right, run) }
}

const fn post(
    name: &'static str,
    path: &'static str,
    right: Right,
    run: for<'a> fn(Call<'a>) -> Answer<'a>,
) -> Route {
    Route { name, method: Method::POST, path, handler: Handler::Keyed(right, run) }
}

const fn demo(
    name: &'static str,
    method: Method,
    path: &'static str,
    right: Right,
    run: for<'a> fn(Call<'a>) -> Answer<'a>,
) -> Route {
    Route { name, method, path, handler: Handler::Demo(right, run) }
}

const fn open(name: &'static str, path: &'static str, answer: fn(&Runtime) -> Response) -> Route {
    Route { name, method: Method::GET, path, handler: Handler::Open(answer) }
}

impl Api {
    /// The API that this path belongs to.
    pub(crate) fn of(path: &str) -> Self {
        if is_below(path, HUMANLAYER) { Self::HumanLayer } else { Self::Placet }
    }
}

/// Whether a caller without a key gets 401 instead of 404 or 405 if no route matches this path.
pub(crate) fn needs_key(path: &str) -> bool {
    [PLACET, HUMANLAYER].into_iter().any(|prefix| is_below(path, prefix))
}

fn is_below(path: &str, prefix: &str) -> bool {
    path.strip_prefix(prefix).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

/// The path of a route, with these values in place of its parameters.
pub(crate) fn path_of(name: &str, parameters: &[&str]) -> String {
    let route = ROUTES.iter().find(|route| route.name == name);
    let mut parameters = parameters.iter();
    let segments = route.map(|route| route.path).unwrap_or_default().split('/');
    let filled = segments.map(|segment| match segment.strip_prefix('{') {
        Some(_) => percent::encode(parameters.next().copied().unwrap_or_default()),
        None => segment.to_owned(),
    });
    filled.collect::<Vec<_>>().join("/")
}
