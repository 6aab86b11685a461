//! The pages to sign in. They need no session, so they show nothing that is stored.

use askama::Template;

use super::address::Frame;
use super::visible::Shown;

/// How to sign in. `open` says whether the pages need no sign-in here.
///
/// # Errors
///
/// If the template cannot be rendered.
pub fn sign_in(open: bool) -> Result<String, askama::Error> {
    SignIn { frame: Frame::new(""), open }.render()
}

/// The page of a sign-in link. Its form posts to `action`, which signs the person in.
///
/// # Errors
///
/// If the template cannot be rendered.
pub fn invitation(name: &str, action: &str) -> Result<String, askama::Error> {
    Invitation { frame: Frame::new(""), name: Shown::text(name), action }.render()
}

#[derive(Template)]
#[template(path = "sign_in.html")]
struct SignIn {
    frame: Frame,
    open: bool,
}

#[derive(Template)]
#[template(path = "invitation.html")]
struct Invitation<'a> {
    frame: Frame,
    name: Shown,
    action: &'a str,
}
