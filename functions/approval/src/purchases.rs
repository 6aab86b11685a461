//! The demo pair of the seed documents: `POST /purchase-materials` asks, `GET /purchases` lists.

use lambda_http::http::header::{CONTENT_TYPE, LOCATION};
use lambda_http::http::{HeaderMap, StatusCode};
use placet_core::humanlayer::is_call_id;
use placet_core::percent::form;
use placet_core::purchase::{self, Purchase};
use placet_core::{Content, Operation, OperationId, Outcome, strict_json};
use placet_runtime::http::{Request, Response, json, set, text, wants_page};
use placet_runtime::problem::Problem;
use placet_runtime::{Asked, CreateError, Created, Right, new_call_id};
use serde_json::{Map, Value, json};

use crate::humanlayer::create_problem;
use crate::operations::idempotency_key;
use crate::{Approval, unavailable};

impl Approval {
    pub(crate) async fn purchase_materials(&self, request: &Request) -> Response {
        match self.purchase(request).await {
            Ok(_) if wants_page(request.headers()) => {
                let mut response = text(StatusCode::SEE_OTHER, "text/plain", String::new());
                set(&mut response, LOCATION, "/purchases");
                response
            }
            Ok(operation) => json(StatusCode::OK, &self.describe(&operation)),
            Err(problem) => problem.into_response(),
        }
    }

    pub(crate) async fn purchases(&self, request: &Request) -> Response {
        let tenant = match self.demo_tenant(request, Right::Read).await {
            Ok(tenant) => tenant,
            Err(problem) => return problem.into_response(),
        };
        match self.runtime.store.operations_of(&tenant, purchase::FUNCTION).await {
            Ok(purchases) => {
                let purchases: Vec<_> = purchases.iter().map(|one| self.describe(one)).collect();
                json(StatusCode::OK, &json!({"purchases": purchases}))
            }
            Err(error) => unavailable(&error).into_response(),
        }
    }

    async fn purchase(&self, request: &Request) -> Result<Operation, Problem> {
        let tenant = self.demo_tenant(request, Right::Ask).await?;
        let (purchase, call_id) = read(request.headers(), request.body().as_ref())?;
        let asked = Asked {
            id: OperationId::call(tenant, call_id),
            run_id: "demo".to_owned(),
            content: Content::Call {
                function: purchase::FUNCTION.to_owned(),
                kwargs: serde_json::to_value(purchase).unwrap_or_default(),
            },
            extras: Map::new(),
            by: "demo".to_owned(),
        };
        let created = self.runtime.create(asked).await;
        let (Created::New(operation) | Created::Before(operation)) =
            created.map_err(|error: CreateError| create_problem(&error))?;
        tracing::info!(
            tenant = operation.tenant,
            call_id = operation.call_id,
            "purchase asked for"
        );
        Ok(*operation)
    }

    fn describe(&self, operation: &Operation) -> Value {
        let state = operation.state_at(self.runtime.clock.now());
        let argument = |name| operation.content.kwargs().and_then(|kwargs| kwargs.get(name));
        let mut described = json!({
            "call_id": operation.call_id,
            "material": argument("material"),
            "quantity": argument("quantity"),
            "state": state,
            "status": purchase::status(state),
            "created_at": operation.created_at.to_string(),
            "deadline": operation.deadline.to_string(),
            "digest": operation.digest,
            "inbox": operation.id().inbox_address(self.runtime.config.project.as_str()),
        });
        if let Some(decision) = &operation.decision {
            described["comment"] = decision.comment.clone().into();
        }
        match &operation.outcome {
            Some(Outcome::Result(result)) => described["result"] = result.clone(),
            Some(Outcome::Failure(failure)) => described["failure"] = json!(failure),
            None => {}
        }
        described
    }
}

/// What is to be bought and under which id. The button's form brings an id of its own, so that a
/// second click asks for nothing new; a program can bring one as `Idempotency-Key`.
fn read(headers: &HeaderMap, body: &[u8]) -> Result<(Purchase, String), Problem> {
    let invalid =
        |detail: String| Problem::new(StatusCode::UNPROCESSABLE_ENTITY, "invalid_body", detail);
    let header = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    let form_type = "application/x-www-form-urlencoded";
    let is_form = header(CONTENT_TYPE.as_str()).is_some_and(|kind| kind.starts_with(form_type));
    let mut fields = if is_form { read_form(body) } else { read_json(body) }?;
    let form_id = is_form.then(|| fields.remove("call_id")).flatten();
    let given = match form_id.as_ref().and_then(Value::as_str) {
        None => idempotency_key(headers)?,
        form_id => form_id,
    };
    let call_id = given.map_or_else(new_call_id, str::to_owned);
    if !is_call_id(&call_id) {
        return Err(invalid(
            "the idempotency key can not be an id: up to 255 bytes, none of / \\ ? # %".to_owned(),
        ));
    }
    let purchase: Purchase = serde_json::from_value(Value::Object(fields))
        .map_err(|error| invalid(format!("not a purchase of material and quantity: {error}")))?;
    purchase.check().map_err(|reason| invalid(reason.to_owned()))?;
    Ok((purchase, call_id))
}

fn read_json(body: &[u8]) -> Result<Map<String, Value>, Problem> {
    if body.iter().all(u8::is_ascii_whitespace) {
        return Ok(Map::new());
    }
    match strict_json::parse(body) {
        Ok(Value::Object(object)) => Ok(object),
        Ok(_) => Err(Problem::new(
            StatusCode::UNPROCESSABLE_ENTITY,
            "invalid_body",
            r#"the body must be an object like {"material": "wood", "quantity": 10}"#,
        )),
        Err(reason) => {
            let detail = format!("the body is not JSON we can take: {reason}");
            Err(Problem::new(StatusCode::BAD_REQUEST, "malformed_json", detail))
        }
    }
}

fn read_form(body: &[u8]) -> Result<Map<String, Value>, Problem> {
    let malformed =
        || Problem::new(StatusCode::BAD_REQUEST, "malformed_form", "the form can not be decoded");
    let fields = form(body).ok_or_else(malformed)?;
    let typed = fields.into_iter().map(|(name, value)| match value.parse::<u32>() {
        Ok(number) if name == "quantity" => (name, Value::from(number)),
        _ => (name, Value::from(value)),
    });
    Ok(typed.collect())
}
