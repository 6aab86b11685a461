//! Sign-in with a one-time link, and sign-out.

use lambda_http::http::Method;
use placet_core::operation::Proof;
use placet_core::people::Person;
use placet_core::{SESSION_TIME, SessionToken, SignInLink, Token as _};
use placet_runtime::http::Request;
use placet_runtime::{Access, Session};

use crate::fields::Fields;
use crate::reply::Page;
use crate::subject::unavailable;
use crate::visitor::{Visitor, source};
use crate::{Inbox, pages, reads};

impl Inbox {
    /// The pages below `/sign-in`, which need no session.
    pub(crate) async fn sign_in(&self, path: &[&str], request: &Request) -> Result<Page, Page> {
        let headers = request.headers();
        // Without the second check, another site could sign a visitor in as somebody else.
        if !self.access.knows_host(headers) || !reads(request) && !Access::is_own_form(headers) {
            tracing::warn!(reason = "another site sent it", "sign-in link refused");
            return Err(Page::closed());
        }
        match path {
            [] if reads(request) => {
                let provider = self.runtime.config.sign_in.oidc.as_ref();
                Ok(Page::ok(pages::sign_in(self.open, provider.map(|oidc| oidc.name.as_str()))))
            }
            ["oidc", rest @ ..] => self.oidc(rest, request).await,
            [token] if reads(request) => {
                let (person, _) = self.invited(token)?;
                Ok(Page::ok(pages::invitation(&person.name, &format!("/sign-in/{token}"))))
            }
            [token] if request.method() == Method::POST => self.accept(token, request).await,
            [] | [_] => Err(Page::method_not_allowed()),
            _ => Err(Page::not_found()),
        }
    }

    /// The person of a sign-in link. The page for an invalid link is the same for all reasons; the log has the reason.
    fn invited(&self, token: &str) -> Result<(&Person, SignInLink), Page> {
        let refused = |reason: &dyn std::fmt::Display| {
            tracing::warn!(%reason, "sign-in link refused");
            Page::bad_sign_in_link()
        };
        let keys = self.signing_keys().map_err(|missing| refused(&missing))?;
        let link = SignInLink::verify(token, keys, self.runtime.engine.now());
        let link = link.map_err(|error| refused(&error))?;
        let person = self.runtime.config.people.get(&link.person);
        let person = person.ok_or_else(|| refused(&"the person is not in placet.yaml any more"))?;
        Ok((person, link))
    }

    /// Signs a person in with a link, once: the session gets its id from the link.
    async fn accept(&self, token: &str, request: &Request) -> Result<Page, Page> {
        let (person, link) = self.invited(token)?;
        self.start_session(person, link.session_id(), Proof::Session, request).await
    }

    /// Starts the session with this id, unless it started before.
    pub(crate) async fn start_session(
        &self,
        person: &Person,
        id: String,
        proof: Proof,
        request: &Request,
    ) -> Result<Page, Page> {
        let now = self.runtime.engine.now();
        let session = Session {
            id,
            person: person.id.clone(),
            proof,
            from: source(request),
            created_at: now,
            expires_at: now.plus(SESSION_TIME),
            revoked_at: None,
        };
        if !self.runtime.engine.store.put_session(&session).await.map_err(unavailable)? {
            tracing::warn!(reason = "it was used before", "sign-in link refused");
            return Err(match proof {
                Proof::Oidc => Page::not_signed_in(),
                _ => Page::bad_sign_in_link(),
            });
        }
        let (person, session_id) = (&person.id, &session.id);
        tracing::info!(person, session_id, proof = proof.as_str(), "person signed in");
        let token = SessionToken { id: session.id, expires_at: session.expires_at };
        let token = self.keys.as_ref().map(|keys| token.sign(keys)).unwrap_or_default();
        let cookie = self.cookie(self.cookie_name(), &token, SESSION_TIME.as_secs());
        Ok(Page::see_other("/inbox".to_owned()).with_cookie(cookie))
    }

    /// Ends the session of the visitor.
    pub(crate) async fn sign_out(&self, visitor: &Visitor, body: &[u8]) -> Result<Page, Page> {
        let fields = Fields::read(body).ok_or_else(Page::bad_form)?;
        visitor.check_form(&fields, self.keys.as_ref())?;
        if let Visitor::SignedIn(signed_in) = visitor {
            let (store, id) = (&self.runtime.engine.store, &signed_in.session.id);
            store.revoke_session(id, self.runtime.engine.now()).await.map_err(unavailable)?;
            tracing::info!(person = signed_in.person.id, session_id = id, "person signed out");
        }
        Ok(Page::see_other("/sign-in".to_owned()).with_cookie(self.cookie(
            self.cookie_name(),
            "",
            0,
        )))
    }

    /// A cookie with this value, for this many seconds.
    pub(crate) fn cookie(&self, name: &str, value: &str, seconds: u64) -> String {
        let secure = match self.access {
            Access::Closed => "; Secure",
            Access::Loopback => "",
        };
        format!("{name}={value}; Path=/; HttpOnly; SameSite=Lax; Max-Age={seconds}{secure}")
    }
}
