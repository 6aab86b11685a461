//! The pages to sign in. They need no session, so they show nothing that is stored.

use askama::Template;

use super::address::Frame;
use super::visible::Shown;

/// How to sign in. `open` says whether the pages need no sign-in here, `provider` names the OpenID Connect provider.
///
/// # Errors
///
/// If the template cannot be rendered.
pub fn sign_in(open: bool, provider: Option<&str>) -> Result<String, askama::Error> {
    SignIn { frame: Frame::new(""), open, provider }.render()
}

/// The page that a provider sends the browser back to. Its form redeems the code.
///
/// # Errors
///
/// If the template cannot be rendered.
pub fn answered(provider: &str, code: &str, state: &str) -> Result<String, askama::Error> {
    Answered { frame: Frame::new(""), provider, code, state }.render()
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
struct SignIn<'a> {
    frame: Frame,
    open: bool,
    provider: Option<&'a str>,
}

#[derive(Template)]
#[template(path = "answered.html")]
struct Answered<'a> {
    frame: Frame,
    provider: &'a str,
    code: &'a str,
    state: &'a str,
}

#[derive(Template)]
#[template(path = "invitation.html")]
struct Invitation<'a> {
    frame: Frame,
    name: Shown,
    action: &'a str,
}
