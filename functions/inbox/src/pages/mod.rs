//! The pages that a person opens. Each function returns a complete HTML document and does nothing else.
//!
//! The pages work under the content security policy `default-src 'none'; style-src 'self';
//! form-action 'self'; frame-ancestors 'none'; base-uri 'none'`: no scripts, no inline styles,
//! nothing from other sites. Their only stylesheet is [`STYLE`], which must be served at `/inbox/style.css`.
//! Following a link changes nothing. Every change is a form with the method POST.

mod address;
mod form;
mod inbox;
mod late;
mod lookalike;
mod mail;
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
use placet_runtime::mailbox::KeptMail;

use address::Frame;
pub use address::Projects;
pub use late::Late;

/// The stylesheet of all pages.
pub const STYLE: &str = include_str!("../../templates/style.css");

/// How many operations wait for a person beyond those that are shown.
#[derive(Clone, Copy, Debug, Default)]
pub struct Rests {
    /// Operations that wait for a decision.
    pub pending: Rest,
    /// Operations whose outcome is unknown.
    pub unknown: Rest,
}

/// The inbox of the project that is shown: pending operations, nearest deadline first, then operations whose
/// outcome is unknown, oldest first. Operations in any other state are left out. `rests` has the number of
/// operations that are not shown.
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

/// How the page of an operation is shown.
#[derive(Clone, Debug)]
pub struct View<'a> {
    /// The current time.
    pub now: Timestamp,
    /// The projects, of which the one of the operation is shown.
    pub projects: Projects<'a>,
    /// The address that the forms post to; without an address, the page is read-only.
    pub action: Option<&'a str>,
    /// The name of the interactive option whose text a person wants to edit before it is sent.
    pub option: Option<&'a str>,
    /// The message after a form that changed nothing.
    pub late: Option<&'a Late>,
    /// Why an approval would not run the operation, if this is known.
    pub cannot_run: Option<CannotRun<'a>>,
}

/// Why an approval would not run an operation.
#[derive(Clone, Copy, Debug)]
pub enum CannotRun<'a> {
    /// Something is missing. An approved operation waits as blocked until it is there.
    Missing(&'a str),
    /// The configuration runs this function differently than when the operation was requested. An approved operation
    /// fails.
    Changed,
}

/// The page of an operation: the request, the decision, the outcome and the history.
///
/// The page has a form only if there is an action, the operation can be decided or settled, and the stored
/// content still matches the digest.
///
/// - Decision: `digest`, `comment`, `option` (empty for none, else the name of a reject option; ignored in an
///   approval), `verdict` = `approve` | `deny`.
/// - Answer: `digest`, `response`, `option` (the name of a response option); at least one of the last two.
/// - Settlement: `digest`, `comment`, `settlement` = `happened` | `did_not_happen` | `run_again`.
///
/// # Errors
///
/// If the template cannot be rendered.
pub fn operation(operation: &Item<Operation>, view: &View<'_>) -> Result<String, askama::Error> {
    operation::Page::new(operation, view).render()
}

/// The form that starts the demo. It posts `call_id`, `material` and `quantity` to `/purchase-materials`.
///
/// # Errors
///
/// If the template cannot be rendered.
pub fn purchase_form(call_id: &str) -> Result<String, askama::Error> {
    purchases::Form::new(call_id).render()
}

/// The purchases of the demo, in the order given.
///
/// # Errors
///
/// If the template cannot be rendered.
pub fn purchases(operations: &[Item<Operation>], now: Timestamp) -> Result<String, askama::Error> {
    purchases::Page::new(operations, now).render()
}

/// What Placet has mailed from this machine, in the order given. Each mail has its name.
///
/// # Errors
///
/// If the template cannot be rendered.
pub fn mails(mails: &[(String, KeptMail)]) -> Result<String, askama::Error> {
    mail::List::new(mails).render()
}

/// One mail, as its reader sees it. Its HTML is in a frame that runs no script, and may style itself.
///
/// # Errors
///
/// If the template cannot be rendered.
pub fn mail(name: &str, mail: &KeptMail) -> Result<String, askama::Error> {
    mail::One::new(name, mail).render()
}

/// A page with a message only, such as an error, a missing page or an invalid link.
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
