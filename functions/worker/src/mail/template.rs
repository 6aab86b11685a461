//! The HTML that a requester writes as a Jinja2 template, in the form of HumanLayer's e-mail channel.
//!
//! The template is code of somebody who may only request. So it sees nothing but the operation and the address of its
//! page, loads nothing, and its work and its output are limited.

use minijinja::value::Serde;
use minijinja::{AutoEscape, Environment, Error, ErrorKind, State, Value, context};
use minijinja_contrib::pycompat::unknown_method_callback;
use placet_core::humanlayer;
use placet_core::item::Item;
use placet_core::limits::{LARGEST_MAIL_HTML, MAIL_TEMPLATE_FUEL};
use placet_core::operation::{Operation, OperationKind};

/// Renders a template with the variables that HumanLayer documents: `event`, `type` and `urls.base_url`.
///
/// # Errors
///
/// Why the template cannot be rendered, without a word of the template.
pub(super) fn render(
    template: &str,
    operation: &Item<Operation>,
    page: &str,
) -> Result<String, String> {
    let mut environment = Environment::new();
    environment.set_fuel(Some(MAIL_TEMPLATE_FUEL));
    environment.set_auto_escape_callback(|_| AutoEscape::Html);
    environment.set_unknown_method_callback(method);
    let kind = match operation.kind() {
        OperationKind::FunctionCall => "v1beta2.function_call",
        OperationKind::HumanContact => "v1beta2.human_contact",
    };
    let variables = context! {
        event => Value::from(Serde(humanlayer::item(operation, operation.header.changed_at))),
        type => kind,
        urls => context! { base_url => page },
    };
    let rendered = environment.render_str(template, variables).map_err(|error| {
        let line = error.line().map(|line| format!(" in line {line}")).unwrap_or_default();
        format!("{}{line}", error.kind())
    })?;
    match rendered.len() {
        0..=LARGEST_MAIL_HTML => Ok(rendered),
        length => Err(format!("the HTML has {length} bytes, and {LARGEST_MAIL_HTML} are allowed")),
    }
}

/// The methods of Python that a template may call. Others make a text of any length before the fuel counts it.
fn method(
    state: &mut State<'_, '_>,
    value: &Value,
    method: &str,
    args: &[Value],
) -> Result<Value, Error> {
    match method {
        "items" | "keys" | "values" | "get" | "upper" | "lower" | "title" | "capitalize"
        | "strip" | "lstrip" | "rstrip" | "startswith" | "endswith" => {
            unknown_method_callback(state, value, method, args)
        }
        _ => Err(ErrorKind::UnknownMethod.into()),
    }
}

#[cfg(test)]
mod tests;
