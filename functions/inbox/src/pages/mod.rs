//! The pages a person opens. Each function returns a complete HTML document and does nothing else.
//!
//! The pages work under the content security policy `default-src 'none'; style-src 'self';
//! form-action 'self'; frame-ancestors 'none'; base-uri 'none'`: no scripts, no inline styles,
//! nothing from elsewhere. Their one stylesheet is [`STYLE`], expected at `/inbox/style.css`.
//! Following a link changes nothing; everything that does is a form with the method POST.

mod address;
mod characters;
mod form;
mod inbox;
mod operation;
mod purchases;
mod record;
mod visible;
mod words;

use askama::Template;
use placet_core::Timestamp;
use placet_core::item::Item;
use placet_core::operation::Operation;
use placet_runtime::Rest;

use address::Frame;
pub use address::Projects;

/// The stylesheet of all pages.
pub const STYLE: &str = include_str!("../../templates/style.css");

/// What waits for a person beyond what is shown.
#[derive(Clone, Copy, Debug, Default)]
pub struct Rests {
    /// For an answer.
    pub pending: Rest,
    /// Until somebody has found out what came of it.
    pub unknown: Rest,
}

/// What waits for a person in the project that is shown: pending operations, the nearest deadline
/// first, then those whose outcome is unknown, the oldest first. Operations in any other state are
/// left out. `rests` says how many more wait.
///
/// # Errors
///
/// If the template cannot be rendered.
pub fn inbox(
    operations: &[Item<Operation>],
    rests: Rests,
    projects: &Projects<'_>,
    now: Timestamp,
) -> Result<String, askama::Error> {
    inbox::Page::new(operations, rests, projects, now).render()
}

/// How the page of an operation is seen.
#[derive(Clone, Debug)]
pub struct View<'a> {
    /// When.
    pub now: Timestamp,
    /// Where its project stands among the others.
    pub projects: Projects<'a>,
    /// Where the forms post to; without it the page is read only.
    pub action: Option<&'a str>,
    /// The name of the interactive option whose text a person wants to edit before it is sent.
    pub option: Option<&'a str>,
    /// What has to be said above it.
    pub notice: Option<&'a str>,
}

/// One operation, whole: what is asked, what was decided, what came of it.
///
/// Even with an action there is a form only while the operation can be decided or settled and is
/// stored as it was asked.
///
/// - Decision: `digest`, `comment`, `option` (empty for none, else the name of a reject option;
///   means something only with a denial), `verdict` = `approve` | `deny`.
/// - Answer: `digest`, `response`, `option` (the name of a response option); one of the two at least.
/// - Settlement: `digest`, `comment`, `settlement` = `happened` | `did_not_happen` | `run_again`.
///
/// # Errors
///
/// If the template cannot be rendered.
pub fn operation(operation: &Item<Operation>, view: &View<'_>) -> Result<String, askama::Error> {
    operation::Page::new(operation, view).render()
}

/// The form that starts the demo: posts `call_id`, `material` and `quantity` to
/// `/purchase-materials`.
///
/// # Errors
///
/// If the template cannot be rendered.
pub fn purchase_form(call_id: &str) -> Result<String, askama::Error> {
    purchases::Form::new(call_id).render()
}

/// The demo's purchases, in the order given.
///
/// # Errors
///
/// If the template cannot be rendered.
pub fn purchases(operations: &[Item<Operation>], now: Timestamp) -> Result<String, askama::Error> {
    purchases::Page::new(operations, now).render()
}

/// A page that only says something: an error, nothing found, a link that is no longer good.
///
/// # Errors
///
/// If the template cannot be rendered.
pub fn message(title: &str, text: &str) -> Result<String, askama::Error> {
    Message { frame: Frame::new(""), title, text }.render()
}

#[derive(Template)]
#[template(path = "message.html")]
struct Message<'a> {
    frame: Frame,
    title: &'a str,
    text: &'a str,
}

#[cfg(test)]
mod tests;
