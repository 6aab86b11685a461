//! The description of a route in the document, beyond its line in the route table.

use std::collections::BTreeMap;

use lambda_http::http::Method;
use placet_runtime::{Right, Role};
use schemars::JsonSchema;
use serde_json::{Map, Value, json};

use super::schemas::{SchemaOf, Schemas, parameters};
use super::wire::{Detail, GatewayMessage, Problem};
use crate::error::{InvalidFields, roles_with};
use crate::routes::{Api, Handler, Route};

/// The description of a route in the document.
pub(super) struct Doc {
    name: &'static str,
    summary: &'static str,
    description: &'static str,
    parameters: Vec<(&'static str, SchemaOf)>,
    body: Option<Body>,
    replies: BTreeMap<u16, Value>,
    schemas: Vec<(u16, SchemaOf)>,
    errors: BTreeMap<u16, Vec<&'static str>>,
}

struct Body {
    required: bool,
    media_types: &'static [&'static str],
    schema: SchemaOf,
}

impl Doc {
    /// Starts the description of the route with this name.
    pub(super) fn of(name: &'static str, summary: &'static str) -> Self {
        Self {
            name,
            summary,
            description: "",
            parameters: Vec::new(),
            body: None,
            replies: BTreeMap::new(),
            schemas: Vec::new(),
            errors: BTreeMap::new(),
        }
    }

    pub(super) fn description(mut self, description: &'static str) -> Self {
        self.description = description;
        self
    }

    /// Adds the parameters in the path, and the 404 for a path that names nothing.
    pub(super) fn path<P: JsonSchema>(mut self) -> Self {
        self.parameters.push(("path", Schemas::request::<P>));
        self.errors(404, &["not_found"])
    }

    /// Adds the parameters of the query, and the 400 for a wrong query.
    pub(super) fn query<Q: JsonSchema>(mut self) -> Self {
        self.parameters.push(("query", Schemas::request::<Q>));
        self.errors(400, &["invalid_query"])
    }

    /// Adds headers: the members of a struct.
    pub(super) fn headers<H: JsonSchema>(mut self) -> Self {
        self.parameters.push(("header", Schemas::request::<H>));
        self
    }

    /// Adds a JSON body.
    pub(super) fn body<B: JsonSchema>(self) -> Self {
        self.body_of::<B>(true, &["application/json"])
    }

    /// Adds an optional body in one of these media types.
    pub(super) fn optional_body<B: JsonSchema>(self, media_types: &'static [&'static str]) -> Self {
        self.body_of::<B>(false, media_types)
    }

    fn body_of<B: JsonSchema>(
        mut self,
        required: bool,
        media_types: &'static [&'static str],
    ) -> Self {
        self.body = Some(Body { required, media_types, schema: Schemas::request::<B> });
        self.errors(400, &["malformed_json"])
            .errors(413, &["too_large"])
            .errors(422, &["invalid_body"])
    }

    /// Adds a JSON reply.
    pub(super) fn reply<R: JsonSchema>(mut self, status: u16, description: &str) -> Self {
        self.schemas.push((status, Schemas::reply::<R>));
        self.other_reply(status, json!({"description": description}))
    }

    /// Adds a reply without a schema.
    pub(super) fn other_reply(mut self, status: u16, reply: Value) -> Self {
        self.replies.insert(status, reply);
        self
    }

    /// Adds a part to a reply.
    pub(super) fn extend_reply(mut self, status: u16, part: &str, value: Value) -> Self {
        if let Some(reply) = self.replies.get_mut(&status) {
            reply[part] = value;
        }
        self
    }

    /// Adds error codes. Codes of the same status accumulate.
    pub(super) fn errors(mut self, status: u16, codes: &[&'static str]) -> Self {
        self.errors.entry(status).or_default().extend(codes);
        self
    }

    pub(super) fn name(&self) -> &'static str {
        self.name
    }

    /// Makes the operation object of a route, and the error responses that it refers to.
    pub(super) fn operation(
        mut self,
        route: &Route,
        tag: &str,
        schemas: &mut Schemas,
    ) -> (Value, BTreeMap<String, Value>) {
        let (security, who) = match route.handler {
            Handler::Open(_) => (Some(json!([])), String::new()),
            Handler::Keyed(right, _) => (None, who(right)),
            Handler::Demo(right, _) => (
                Some(json!([{"bearer": []}, {}])),
                format!("{} On a developer's machine no key is needed.", who(right)),
            ),
        };
        if !matches!(route.handler, Handler::Open(_)) {
            self = self
                .errors(401, &["unauthorized"])
                .errors(403, &["forbidden", "foreign_host"])
                .errors(503, &["unavailable"]);
            if route.method == Method::POST {
                self = self.errors(429, &["too_many_requests"]);
            }
        }
        let mut responses = self.replies;
        for (status, schema) in self.schemas {
            if let Some(reply) = responses.get_mut(&status) {
                reply["content"] = json!({"application/json": {"schema": schema(schemas)}});
            }
        }
        let mut referred = BTreeMap::new();
        for (status, codes) in self.errors {
            let (name, response) = error(Api::of(route.path), status, &codes, schemas);
            responses.insert(status, json!({"$ref": format!("#/components/responses/{name}")}));
            referred.insert(name, response);
        }
        let responses: Map<String, Value> =
            responses.into_iter().map(|(status, reply)| (status.to_string(), reply)).collect();
        let mut all = Vec::new();
        for (place, schema) in self.parameters {
            all.extend(parameters(place, schemas.inline(schema)));
        }
        let description = format!("{} {who}", self.description);
        let mut operation = json!({
            "operationId": route.name, "summary": self.summary, "tags": [tag],
            "description": description.trim(), "parameters": all, "responses": responses,
        });
        if let Some(security) = security {
            operation["security"] = security;
        }
        if let Some(Body { required, media_types, schema }) = self.body {
            let schema = schema(schemas);
            let content = media_types
                .iter()
                .map(|media_type| ((*media_type).to_owned(), json!({"schema": schema})));
            let content: Map<String, Value> = content.collect();
            operation["requestBody"] = json!({"required": required, "content": content});
        }
        (operation, referred)
    }
}

fn who(right: Right) -> String {
    match roles_with(right).as_slice() {
        all if all.len() == Role::ALL.len() => "Needs a key of any role.".to_owned(),
        roles => format!("Needs a key with the role {}.", roles.join(" or ")),
    }
}

/// An error response and its name.
fn error(api: Api, status: u16, codes: &[&str], schemas: &mut Schemas) -> (String, Value) {
    let message = (status == 413).then(|| Schemas::reply::<GatewayMessage>(schemas));
    let (name, description, mut content) = match api {
        Api::Placet => {
            let code =
                json!({"properties": {"code": {"enum": codes}, "status": {"const": status}}});
            let schema = json!({"allOf": [Schemas::reply::<Problem>(schemas), code]});
            let names: Vec<String> = codes.iter().map(|code| format!("`{code}`")).collect();
            let content = json!({"application/problem+json": {"schema": schema}});
            (format!("{status}.{}", codes.join(".")), names.join(", "), content)
        }
        Api::HumanLayer => {
            let (description, schema) = match status {
                422 => (
                    "The fields of the body that are wrong, in FastAPI's format",
                    Schemas::reply::<InvalidFields>(schemas),
                ),
                _ => ("The reason", Schemas::reply::<Detail>(schemas)),
            };
            let content = json!({"application/json": {"schema": schema}});
            (format!("{status}.detail"), description.to_owned(), content)
        }
    };
    if let Some(message) = message {
        let own = content["application/json"]["schema"].take();
        let schema = if own.is_null() { message } else { json!({"oneOf": [own, message]}) };
        content["application/json"] = json!({"schema": schema});
    }
    let mut response = json!({"description": description, "content": content});
    if matches!(status, 429 | 503) {
        response["headers"] = json!({"Retry-After": {"schema": {"type": "string"}}});
    }
    (name, response)
}
