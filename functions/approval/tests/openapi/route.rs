//! A route in the making: what it takes, what it answers, who may.

use std::collections::BTreeMap;

use placet_runtime::Right;
use serde_json::{Value, json};

use crate::schema::{reference, schema};

/// How a route tells of errors.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Errors {
    Problems,
    Details,
}

pub(crate) struct Route {
    pub(crate) method: String,
    pub(crate) path: String,
    described: Value,
    errors: Errors,
    failures: BTreeMap<u16, Vec<&'static str>>,
}

impl Route {
    pub(crate) fn new(method: &str, path: &str, id: &str, summary: &str) -> Self {
        let names = path.split('/').filter_map(|part| part.strip_prefix('{')?.strip_suffix('}'));
        let parameters: Vec<Value> = names.map(|name| reference("parameters", name)).collect();
        let described = json!({
            "operationId": id, "summary": summary, "parameters": parameters, "responses": {},
        });
        Self {
            method: method.to_owned(),
            path: path.to_owned(),
            described,
            errors: Errors::Problems,
            failures: BTreeMap::new(),
        }
    }

    pub(crate) fn tag(mut self, tag: &str) -> Self {
        self.described["tags"] = json!([tag]);
        self
    }

    pub(crate) fn says(mut self, description: &str) -> Self {
        let before = self.described["description"].as_str().unwrap_or_default();
        let joined = format!("{before} {description}");
        self.described["description"] = joined.trim().into();
        self
    }

    /// Needs no key.
    pub(crate) fn open(mut self) -> Self {
        self.described["security"] = json!([]);
        self
    }

    /// May be open besides.
    pub(crate) fn or_open(mut self) -> Self {
        self.described["security"] = json!([{"bearer": []}, {}]);
        self
    }

    /// Needs a key with this right, and answers with problems.
    pub(crate) fn ours(self, right: Right) -> Self {
        self.needs(right)
    }

    /// Needs a key with this right, and answers as HumanLayer's cloud.
    pub(crate) fn compatible(mut self, right: Right) -> Self {
        self.errors = Errors::Details;
        self.needs(right)
    }

    fn needs(self, right: Right) -> Self {
        let who = match right {
            Right::Ask => "Needs a key with the role `agent` or `both`.",
            Right::Read => "Needs a key of any role.",
            Right::Answer => "Needs a key with the role `responder` or `both`.",
            Right::Operate => "Needs a key with the role `both`.",
        };
        self.says(who)
            .error(401, &["unauthorized"])
            .error(403, &["forbidden", "foreign_host"])
            .error(503, &["unavailable"])
    }

    /// Takes these parameters of the query.
    pub(crate) fn query(mut self, names: &[&str]) -> Self {
        for name in names {
            self.parameter(reference("parameters", name));
        }
        self.error(400, &["invalid_query"])
    }

    /// Takes this header.
    pub(crate) fn header(mut self, name: &str) -> Self {
        self.parameter(reference("parameters", name));
        self
    }

    fn parameter(&mut self, parameter: Value) {
        if let Some(parameters) = self.described["parameters"].as_array_mut() {
            parameters.push(parameter);
        }
    }

    /// Takes a JSON body.
    pub(crate) fn body(mut self, name: &str, required: bool) -> Self {
        let content = json!({"application/json": {"schema": schema(name)}});
        self.described["requestBody"] = json!({"required": required, "content": content});
        self.errors_of_bodies()
    }

    /// Takes a body in the media types of this object.
    pub(crate) fn content(mut self, content: Value) -> Self {
        self.described["requestBody"] = json!({"required": false, "content": content});
        self.errors_of_bodies()
    }

    fn errors_of_bodies(self) -> Self {
        match self.errors {
            Errors::Problems => self
                .error(400, &["malformed_json"])
                .error(413, &["too_large"])
                .error(422, &["invalid_body"]),
            Errors::Details => self.error(413, &[]).error(422, &[]),
        }
    }

    pub(crate) fn answers(self, status: u16, description: &str, name: &str) -> Self {
        let content = json!({"application/json": {"schema": schema(name)}});
        self.response(status, json!({"description": description, "content": content}))
    }

    pub(crate) fn response(mut self, status: u16, response: Value) -> Self {
        self.described["responses"][status.to_string()] = response;
        self
    }

    /// Answers with a header besides.
    pub(crate) fn with_header(mut self, status: u16, name: &str, description: &str) -> Self {
        self.described["responses"][status.to_string()]["headers"][name] =
            json!({"description": description, "schema": {"type": "string"}});
        self
    }

    /// Leads on from an answer.
    pub(crate) fn with_links(mut self, status: u16, links: Value) -> Self {
        self.described["responses"][status.to_string()]["links"] = links;
        self
    }

    /// Answers with this error; codes of one status add up.
    pub(crate) fn error(mut self, status: u16, codes: &[&'static str]) -> Self {
        self.failures.entry(status).or_default().extend(codes);
        self
    }

    /// The errors it answers, as responses by name.
    pub(crate) fn errors(&self) -> impl Iterator<Item = (String, Value)> {
        self.failures.iter().map(|(status, codes)| match self.errors {
            Errors::Problems => (self.error_name(*status, codes), problem(*status, codes)),
            Errors::Details => (self.error_name(*status, codes), detail(*status)),
        })
    }

    fn error_name(&self, status: u16, codes: &[&str]) -> String {
        match self.errors {
            Errors::Problems => format!("{status}.{}", codes.join(".")),
            Errors::Details => format!("{status}.detail"),
        }
    }

    pub(crate) fn finish(mut self) -> Value {
        for (status, codes) in &self.failures {
            let name = self.error_name(*status, codes);
            self.described["responses"][status.to_string()] = reference("responses", &name);
        }
        self.described
    }
}

fn problem(status: u16, codes: &[&str]) -> Value {
    let names: Vec<String> = codes.iter().map(|code| format!("`{code}`")).collect();
    let code = json!({"properties": {"code": {"enum": codes}, "status": {"const": status}}});
    let schema = json!({"allOf": [schema("Problem"), code]});
    let content = json!({"application/problem+json": {"schema": schema}});
    let mut response = json!({"description": names.join(", "), "content": content});
    if status == 413 {
        // Lambda takes no request beyond 6 MB.
        response["content"]["application/json"] =
            json!({"schema": reference("schemas", "Message")});
    }
    if status == 503 {
        response["headers"]["Retry-After"] = json!({"schema": {"type": "string"}});
    }
    response
}

/// An error as HumanLayer's cloud told of it.
fn detail(status: u16) -> Value {
    let (description, schema) = match status {
        413 => ("Too large", json!({"oneOf": [schema("Detail"), schema("Message")]})),
        422 => ("The body does not fit: what is wrong in FastAPI's shape", schema("InvalidFields")),
        _ => ("What is wrong", schema("Detail")),
    };
    json!({"description": description, "content": {"application/json": {"schema": schema}}})
}
