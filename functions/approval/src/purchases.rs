//! The demo of the seed documents: request a purchase of material, and list the purchases.

use std::num::NonZeroU32;

use lambda_http::http::StatusCode;
use lambda_http::http::header::{CONTENT_TYPE, HeaderValue, LOCATION};
use placet_core::item::Item;
use placet_core::operation::{
    Content, Operation, OperationId, Outcome, Specification, State, is_call_id,
};
use placet_core::purchase::{self, Purchase};
use placet_core::{Digest, percent};
use placet_runtime::config::Interface;
use placet_runtime::http::{Response, text, wants_page};
use placet_runtime::new_call_id;
use placet_runtime::problem::Problem;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::call::Call;
use crate::error::Error;
use crate::operations::{FailureReply, idempotency_key};
use crate::read;
use crate::reply::{Moment, json};
use crate::routes::path_of;

/// How many purchases the list shows at most.
const MOST_SHOWN: usize = 1000;

/// The purchase to request.
#[derive(Deserialize)]
#[serde(deny_unknown_fields, default)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(crate) struct NewPurchase {
    /// The material.
    material: Material,
    /// The number of pieces.
    #[cfg_attr(test, schemars(range(max = u32::MAX)))]
    quantity: NonZeroU32,
}

/// A material that can be bought.
#[derive(Deserialize)]
#[serde(try_from = "String")]
#[cfg_attr(test, derive(Serialize))]
struct Material(String);

/// A purchase and its state.
#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema), schemars(rename = "Purchase"))]
pub(crate) struct PurchaseReply<'a> {
    call_id: &'a str,
    material: Option<&'a Value>,
    quantity: Option<&'a Value>,
    /// The current state of the operation.
    #[cfg_attr(test, schemars(with = "crate::openapi::types::OperationState"))]
    state: State,
    /// The state in the words of the demo.
    #[cfg_attr(test, schemars(example = &"pending"))]
    status: &'a str,
    created_at: Moment,
    /// The last moment at which the purchase can be decided.
    deadline: Moment,
    /// SHA-256 of the content that a person sees and decides on.
    #[cfg_attr(test, schemars(with = "crate::openapi::types::Digest"))]
    digest: Digest,
    /// The page on which a person decides.
    inbox: String,
    /// What the person wrote.
    #[serde(skip_serializing_if = "Option::is_none")]
    comment: Option<&'a str>,
    /// The result of the purchase.
    #[serde(skip_serializing_if = "Option::is_none")]
    result: Option<&'a Value>,
    /// Why there is no result.
    #[serde(skip_serializing_if = "Option::is_none")]
    failure: Option<FailureReply<'a>>,
}

/// The newest purchases.
#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(crate) struct Purchases<'a> {
    purchases: Vec<PurchaseReply<'a>>,
}

/// Requests a purchase. A browser is redirected to the list.
pub(crate) async fn create(call: Call<'_>) -> Result<Response, Error> {
    let (purchase, call_id) = read(&call)?;
    let kwargs = serde_json::to_value(purchase).unwrap_or_default();
    let content = Content::Call { function: purchase::FUNCTION.to_owned(), kwargs };
    let id = OperationId::call(call.project(), call_id);
    let specification = Specification::of(content);
    let requested = call.requested(id, "demo".to_owned(), specification, Interface::Placet);
    let operation = call.runtime().create_operation(requested).await?.into_item();
    let (project, call_id) = (operation.project(), operation.call_id());
    tracing::info!(project, call_id, "purchase requested");
    if wants_page(call.headers()) {
        let mut response = text(StatusCode::SEE_OTHER, "text/plain", String::new());
        if let Ok(location) = HeaderValue::try_from(path_of("purchases", &[])) {
            response.headers_mut().insert(LOCATION, location);
        }
        return Ok(response);
    }
    Ok(json(StatusCode::OK, &PurchaseReply::new(&call, &operation)))
}

/// Lists the newest purchases, among the newest thousand operations of the project.
pub(crate) async fn list(call: Call<'_>) -> Result<Response, Error> {
    let bought =
        |operation: &Item<Operation>| operation.content.function() == Some(purchase::FUNCTION);
    let (store, project) = (&call.engine().store, call.project());
    let page = store.newest(project, (None, None), bought, MOST_SHOWN, None).await?;
    let purchases = page.items.iter().map(|operation| PurchaseReply::new(&call, operation));
    Ok(json(StatusCode::OK, &Purchases { purchases: purchases.collect() }))
}

/// Reads the purchase and its id. The form of the page contains an id, so that a second click requests
/// nothing new. A program can send an id as `Idempotency-Key`.
fn read(call: &Call<'_>) -> Result<(Purchase, String), Error> {
    let content_type = call.headers().get(CONTENT_TYPE).and_then(|value| value.to_str().ok());
    let form = "application/x-www-form-urlencoded";
    let is_form = content_type.is_some_and(|content_type| content_type.starts_with(form));
    let mut members = if is_form { form_members(call.body())? } else { json_members(call.body())? };
    let of_form = if is_form { members.shift_remove("call_id") } else { None };
    let given = match of_form.as_ref().and_then(Value::as_str) {
        Some(id) => Some(id),
        None => idempotency_key(call.headers())?,
    };
    let call_id = given.map_or_else(new_call_id, str::to_owned);
    if !is_call_id(&call_id) {
        let detail = "the id of a purchase must have up to 255 bytes and none of / \\ ? # %";
        let problem = Problem::new(StatusCode::UNPROCESSABLE_ENTITY, "invalid_body", detail);
        return Err(problem.into());
    }
    let NewPurchase { material, quantity } = read::value(members.into())?;
    Ok((Purchase { material: material.0, quantity: quantity.get() }, call_id))
}

fn json_members(body: &[u8]) -> Result<Map<String, Value>, Problem> {
    if body.iter().all(u8::is_ascii_whitespace) {
        return Ok(Map::new());
    }
    read::object(body)
}

fn form_members(body: &[u8]) -> Result<Map<String, Value>, Problem> {
    let malformed = || {
        Problem::new(
            StatusCode::BAD_REQUEST,
            "malformed_form",
            "the form is not percent-encoded UTF-8",
        )
    };
    let fields = percent::form(body).ok_or_else(malformed)?;
    let typed = fields.into_iter().map(|(name, value)| match value.parse::<u32>() {
        Ok(number) if name == "quantity" => (name, Value::from(number)),
        _ => (name, Value::from(value)),
    });
    Ok(typed.collect())
}

/// The purchase of an empty request.
impl Default for NewPurchase {
    fn default() -> Self {
        let Purchase { material, quantity } = Purchase::default();
        let quantity = NonZeroU32::new(quantity).unwrap_or(NonZeroU32::MIN);
        Self { material: Material(material), quantity }
    }
}

impl TryFrom<String> for Material {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, &'static str> {
        let purchase = Purchase { material: text, ..Purchase::default() };
        match purchase.check() {
            Ok(()) => Ok(Self(purchase.material)),
            Err(_) => Err("must have 1 to 200 bytes, not only spaces"),
        }
    }
}

#[cfg(test)]
crate::openapi::schema!(Material, {
    "type": "string", "minLength": 1, "maxLength": 200, "pattern": "\\S"
});

impl<'a> PurchaseReply<'a> {
    fn new(call: &Call<'_>, operation: &'a Item<Operation>) -> Self {
        let argument = |name| operation.content.kwargs().and_then(|kwargs| kwargs.get(name));
        let state = operation.state_at(call.now());
        let (result, failure) = match &operation.outcome {
            Some(Outcome::Result(result)) => (Some(result), None),
            Some(Outcome::Failure(failure)) => (None, Some(FailureReply::new(failure))),
            None => (None, None),
        };
        Self {
            call_id: operation.call_id(),
            material: argument("material"),
            quantity: argument("quantity"),
            state,
            status: purchase::status(state),
            created_at: Moment(operation.header.created_at),
            deadline: Moment(operation.deadline),
            digest: operation.digest,
            inbox: call.runtime().config.inbox_address(&operation.id()),
            comment: operation.decision.as_ref().map(|decision| decision.comment.as_str()),
            result,
            failure,
        }
    }
}

#[cfg(test)]
mod tests;
