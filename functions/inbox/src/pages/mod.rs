//! The pages a person opens. Each function returns a complete HTML document and does nothing else.
//!
//! The pages work under the content security policy `default-src 'none'; style-src 'self';
//! form-action 'self'; frame-ancestors 'none'; base-uri 'none'`: no scripts, no inline styles,
//! nothing from elsewhere. Their one stylesheet is [`STYLE`], expected at `/inbox/style.css`.
//! Following a link changes nothing; everything that does is a form with the method POST.

mod characters;
mod inbox;
mod operation;
mod purchases;
mod record;
mod visible;
mod words;

use askama::Template;
use placet_core::{Operation, Timestamp};

pub use operation::{RejectOption, reject_options};

/// The stylesheet of all pages.
pub const STYLE: &str = include_str!("../../templates/style.css");

/// What waits for a person: pending operations, the nearest deadline first, then those whose
/// outcome is unknown, the oldest first. Operations in any other state are left out.
///
/// # Errors
///
/// If the template can not be rendered.
pub fn inbox(operations: &[Operation], now: Timestamp) -> Result<String, askama::Error> {
    inbox::Page::new(operations, now).render()
}

/// One operation, whole: what is asked, what was decided, what came of it.
///
/// `form` is where the forms post to; without it the page is read only. Even with it there is a
/// form only while the operation can be decided or settled at `now` and is stored as it was asked.
///
/// - Decision: `digest`, `comment`, `option` (empty for none, else the name of a reject option;
///   means something only with a denial), `verdict` = `approve` | `deny`.
/// - Settlement: `digest`, `comment`, `settlement` = `happened` | `did_not_happen` | `run_again`.
///
/// # Errors
///
/// If the template can not be rendered.
pub fn operation(
    operation: &Operation,
    now: Timestamp,
    form: Option<&str>,
    notice: Option<&str>,
) -> Result<String, askama::Error> {
    operation::Page::new(operation, now, form, notice).render()
}

/// The form that starts the demo: posts `call_id`, `material` and `quantity` to
/// `/purchase-materials`.
///
/// # Errors
///
/// If the template can not be rendered.
pub fn purchase_form(call_id: &str) -> Result<String, askama::Error> {
    purchases::Form::new(call_id).render()
}

/// The demo's purchases, in the order given.
///
/// # Errors
///
/// If the template can not be rendered.
pub fn purchases(operations: &[Operation], now: Timestamp) -> Result<String, askama::Error> {
    purchases::Page::new(operations, now).render()
}

/// A page that only says something: an error, nothing found, a link that is no longer good.
///
/// # Errors
///
/// If the template can not be rendered.
pub fn message(title: &str, text: &str) -> Result<String, askama::Error> {
    Message { here: "", title, text }.render()
}

#[derive(Template)]
#[template(path = "message.html")]
struct Message<'a> {
    here: &'static str,
    title: &'a str,
    text: &'a str,
}

/// `call_id` as one segment of a path: everything but unreserved characters percent-encoded.
///
/// The ids `.` and `..` have no such form: browsers resolve them even when encoded.
pub fn call_id_segment(call_id: &str) -> String {
    let mut segment = String::with_capacity(call_id.len());
    for byte in call_id.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            segment.push(char::from(byte));
        } else {
            segment.push_str(&format!("%{byte:02X}"));
        }
    }
    segment
}

fn href(operation: &Operation) -> String {
    format!("/inbox/{}", call_id_segment(&operation.call_id))
}

#[cfg(test)]
mod tests;
