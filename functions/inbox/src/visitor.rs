//! Who opened a page, and what the visitor sees and may do.

use lambda_http::http::header::COOKIE;
use lambda_http::http::{HeaderMap, Method};
use placet_core::operation::{Actor, Identity, Operation};
use placet_core::people::{Person, PersonRight};
use placet_core::{SessionToken, SigningKeys, Token as _, form_token, is_form_token};
use placet_runtime::http::{Request, SourceIp};
use placet_runtime::{Access, Session};

use crate::Inbox;
use crate::fields::Fields;
use crate::pages::Viewer;
use crate::reply::Page;
use crate::subject::{May, unavailable};

/// Who opened a page.
#[derive(Debug)]
pub(crate) enum Visitor {
    /// The person at a developer's machine, who need not sign in.
    Local,
    /// A person of `placet.yaml` who signed in.
    SignedIn(Box<SignedIn>),
}

/// A person with a valid session.
#[derive(Debug)]
pub(crate) struct SignedIn {
    pub(crate) person: Person,
    pub(crate) session: Session,
    /// The IP address of the browser, if it is known.
    pub(crate) from: Option<String>,
    /// The token in the forms of the session.
    form_token: String,
}

impl Visitor {
    /// The visitor in histories.
    pub(crate) fn actor(&self) -> Actor {
        let identity = match self {
            Self::Local => None,
            Self::SignedIn(one) => Some(Identity {
                id: one.person.id.clone(),
                name: one.person.name.clone(),
                proof: one.session.proof,
                from: one.from.clone(),
            }),
        };
        Actor::Inbox { person: identity }
    }

    /// The visitor as pages show them. The forms of the person at a developer's machine have no token: there, the
    /// browser says which site posts.
    pub(crate) fn viewer(&self) -> Viewer<'_> {
        match self {
            Self::Local => Viewer::default(),
            Self::SignedIn(one) => {
                Viewer { name: Some(&one.person.name), csrf: Some(&one.form_token) }
            }
        }
    }

    /// Whether the visitor operates Placet, and so sees everything.
    pub(crate) fn operates(&self) -> bool {
        match self {
            Self::Local => true,
            Self::SignedIn(one) => one.person.may(PersonRight::Operate),
        }
    }

    /// Whether the visitor may decide every operation.
    pub(crate) const fn decides_all(&self) -> bool {
        matches!(self, Self::Local)
    }

    /// Whether the visitor may see this operation.
    pub(crate) fn sees(&self, operation: &Operation) -> bool {
        self.may(operation).is_some()
    }

    /// What the visitor may do with this operation; `None` if the visitor may not even see it.
    pub(crate) fn may(&self, operation: &Operation) -> Option<May> {
        match self.decides(operation) {
            true => Some(May::Everything),
            false => self.operates().then_some(May::SettleOnly),
        }
    }

    /// Whether the visitor is an approver of this operation.
    pub(crate) fn decides(&self, operation: &Operation) -> bool {
        match self {
            Self::Local => true,
            Self::SignedIn(one) => {
                let may = one.person.may(PersonRight::Decide);
                may && operation.approvers.include(&one.person.id)
            }
        }
    }

    /// Refuses a form that another site may have posted.
    pub(crate) fn check_form(
        &self,
        fields: &Fields,
        keys: Option<&SigningKeys>,
    ) -> Result<(), Page> {
        let Self::SignedIn(one) = self else { return Ok(()) };
        let (session, person) = (&one.session, &one.person);
        let given = fields.get("csrf").unwrap_or_default();
        if keys.is_some_and(|keys| is_form_token(given, &session.id, keys)) {
            return Ok(());
        }
        tracing::warn!(person = person.id, "form refused: it has no valid form token");
        Err(Page::bad_form())
    }
}

impl Inbox {
    /// Who opened this page.
    ///
    /// # Errors
    ///
    /// The page to sign in, if the visitor must. A visitor without a valid session learns no reason; the log has it.
    pub(crate) async fn visitor(&self, request: &Request) -> Result<Visitor, Page> {
        let (method, headers) = (request.method(), request.headers());
        if self.access == Access::Loopback && !self.access.lets_in(method, headers) {
            return Err(Page::closed());
        }
        if self.open {
            return Ok(Visitor::Local);
        }
        match (self.session(headers).await?, &self.keys) {
            (Some((person, session)), Some(keys)) => {
                let (from, form_token) = (source(request), form_token(&session.id, keys));
                Ok(Visitor::SignedIn(Box::new(SignedIn { person, session, from, form_token })))
            }
            _ if matches!(*method, Method::GET | Method::HEAD) => {
                Err(Page::see_other("/sign-in".to_owned()))
            }
            _ => Err(Page::signed_out()),
        }
    }

    /// The valid session of a request and its person, who is still listed.
    async fn session(&self, headers: &HeaderMap) -> Result<Option<(Person, Session)>, Page> {
        let now = self.runtime.engine.now();
        let Some(cookie) = cookie(headers, self.cookie_name()) else { return Ok(None) };
        let refused = |reason: &str| {
            tracing::warn!(reason, "session refused");
            None
        };
        let keys = match self.signing_keys() {
            Ok(keys) => keys,
            Err(missing) => return Ok(refused(missing)),
        };
        let token = match SessionToken::verify(cookie, keys, now) {
            Ok(token) => token,
            Err(error) => return Ok(refused(&error.to_string())),
        };
        let stored = self.runtime.engine.store.session(&token.id).await.map_err(unavailable)?;
        let Some(session) = stored.filter(|session| session.is_valid(now)) else {
            return Ok(refused("the session was revoked, or it has expired"));
        };
        let person = self.runtime.config.people.get(&session.person);
        Ok(match person {
            Some(person) => Some((person.clone(), session)),
            None => refused("the person is not in placet.yaml any more"),
        })
    }

    /// The keys of links, sessions and attempts.
    ///
    /// # Errors
    ///
    /// The reason for the log if there is no key.
    pub(crate) fn signing_keys(&self) -> Result<&SigningKeys, &'static str> {
        self.keys.as_ref().ok_or("PLACET_LINK_SECRET is missing or too short")
    }

    /// The name of the session cookie. Browsers accept the prefix `__Host-` only over HTTPS and for the whole host
    /// (RFC 6265bis section 4.1.3.2), and the local system speaks HTTP.
    pub(crate) const fn cookie_name(&self) -> &'static str {
        match self.access {
            Access::Closed => "__Host-placet",
            Access::Loopback => "placet",
        }
    }
}

/// The IP address of the browser, if it is known.
pub(crate) fn source(request: &Request) -> Option<String> {
    request.extensions().get::<SourceIp>().map(|SourceIp(address)| address.to_string())
}

/// The value of a cookie.
pub(crate) fn cookie<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    let all = headers.get_all(COOKIE).iter().filter_map(|value| value.to_str().ok());
    let mut pairs =
        all.flat_map(|text| text.split(';')).filter_map(|one| one.trim().split_once('='));
    pairs.find(|(known, _)| *known == name).map(|(_, value)| value)
}

#[cfg(test)]
mod tests {
    use lambda_http::http::HeaderValue;

    use super::*;

    #[test]
    fn a_cookie_is_found_among_others() {
        let mut headers = HeaderMap::new();
        headers.append(COOKIE, HeaderValue::from_static("a=1; placet=x=y"));
        headers.append(COOKIE, HeaderValue::from_static("b=2"));
        assert_eq!(cookie(&headers, "placet"), Some("x=y"));
        assert_eq!(cookie(&headers, "b"), Some("2"));
        assert_eq!(cookie(&headers, "plac"), None);
    }
}
