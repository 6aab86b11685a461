//! The pages that a person opens. Each function returns a complete HTML document and does nothing else.
//!
//! The pages work without a script. They load only their own stylesheet, icon and script, which are served under
//! `/inbox/assets/`, and contain no inline style or script.
//! Following a link changes nothing. Every change is a form with the method POST.

mod address;
mod after;
mod delivery;
mod field;
mod filter;
mod form;
mod hints;
mod late;
mod list;
mod lookalike;
mod mail;
mod operation;
mod purchases;
mod record;
mod row;
mod sign_in;
mod visible;
mod words;

use askama::Template;
use placet_core::Timestamp;
use placet_core::delivery::Delivery;
use placet_core::item::Item;
use placet_core::operation::Operation;
use placet_runtime::mailbox::KeptMail;

use address::Frame;
pub use address::{Projects, Viewer};
pub use after::{After, More, Notified, Recipient};
pub use filter::{Filter, List};
pub use late::Late;
pub use list::{Found, Listing};
pub use sign_in::{answered, invitation, sign_in};

/// The stylesheet of all pages, `style.css`.
pub const STYLE: &str = include_str!("../../templates/style.css");

/// The script of all pages, `app.js`: refresh, keys, copying.
pub const SCRIPT: &str = include_str!("../../templates/app.js");

/// The icon of all pages, `icon.svg`.
pub const ICON: &str = include_str!("../../templates/icon.svg");

/// A list of the project that is shown.
///
/// # Errors
///
/// If the template cannot be rendered.
pub fn list(
    listing: &Listing,
    found: &Found,
    projects: &Projects<'_>,
    now: Timestamp,
) -> Result<String, askama::Error> {
    list::Page::new(listing, found, projects, now).render()
}

/// The page of a delivery: what it reports, its attempts, and the form that sends it again. `message` says what came of
/// that form.
///
/// # Errors
///
/// If the template cannot be rendered.
pub fn delivery(
    delivery: &Item<Delivery>,
    projects: &Projects<'_>,
    message: Option<&str>,
    now: Timestamp,
) -> Result<String, askama::Error> {
    delivery::Page::new(delivery, projects, message, now).render()
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
    /// What follows the decision.
    pub after: Option<&'a After>,
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
