//! The mailbox of the local system, at `/mail`: what Placet has mailed, for the person at this machine.

use lambda_http::http::StatusCode;
use lambda_http::http::header::{CONTENT_SECURITY_POLICY, X_CONTENT_TYPE_OPTIONS};
use placet_runtime::Access;
use placet_runtime::http::{Request, Response, set, text};
use placet_runtime::mailbox::{KeptMail, Mailbox};

use crate::reply::{Page, page};
use crate::{Inbox, pages, reads};

/// As for every page, and a mail may style itself. It is in a frame without scripts, forms and our origin.
const POLICY: &str = "default-src 'none'; style-src 'self' 'unsafe-inline'; form-action 'none'; \
                      frame-ancestors 'none'; base-uri 'none'";

impl Inbox {
    /// Also shows the mails of this mailbox, on loopback.
    #[must_use]
    pub fn with_mailbox(mut self, mailbox: Mailbox) -> Self {
        self.mailbox = Some(mailbox);
        self
    }

    /// Answers a request below `/mail`.
    pub(crate) fn mail(&self, path: &[&str], request: &Request) -> Response {
        let open = self.access == Access::Loopback;
        let Some(mailbox) = self.mailbox.as_ref().filter(|_| open) else {
            return page(Page::not_found());
        };
        if !self.access.lets_in(request.method(), request.headers()) {
            return page(Page::closed());
        }
        if !reads(request) {
            return page(Page::method_not_allowed());
        }
        let found = |name: &str| mailbox.mail(name).inspect_err(unreadable).ok().flatten();
        match path {
            [] => page(Page::ok(pages::mails(&mails(mailbox)))),
            [name] => match found(name) {
                Some(mail) => {
                    let mut response = page(Page::ok(pages::mail(name, &mail)));
                    set(&mut response, CONTENT_SECURITY_POLICY, POLICY);
                    response
                }
                None => page(Page::not_found()),
            },
            [name, "source"] => match found(name) {
                Some(mail) => {
                    let source = String::from_utf8_lossy(&mail.message).into_owned();
                    let mut response = text(StatusCode::OK, "text/plain; charset=utf-8", source);
                    set(&mut response, X_CONTENT_TYPE_OPTIONS, "nosniff");
                    response
                }
                None => page(Page::not_found()),
            },
            _ => page(Page::not_found()),
        }
    }
}

/// The mails with their names, newest first. One that cannot be read is left out.
fn mails(mailbox: &Mailbox) -> Vec<(String, KeptMail)> {
    let names = mailbox.names().inspect_err(unreadable).unwrap_or_default();
    let read = |name: String| {
        let mail = mailbox.mail(&name).inspect_err(unreadable).ok()??;
        Some((name, mail))
    };
    names.into_iter().filter_map(read).collect()
}

fn unreadable(error: &std::io::Error) {
    tracing::warn!(%error, "mailbox not readable");
}

#[cfg(test)]
mod tests;
