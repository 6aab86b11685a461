//! Sign-in at an OpenID Connect provider: the authorization code flow with PKCE (OpenID Connect Core 1.0 section 3.1,
//! RFC 7636).
//!
//! The browser keeps the signed attempt in a cookie. So the server stores nothing before the person is known, and an
//! answer counts only in the browser that asked. The answer of the provider is a GET, which changes nothing: it shows a
//! button, and the form behind it redeems the code. The session gets its id from the attempt, so an answer makes one
//! session at most.

use std::future::Future;
use std::pin::Pin;
use std::time::Duration;

use lambda_http::http::header::HOST;
use lambda_http::http::{HeaderMap, Method, Request as HttpRequest};
use openidconnect::core::{CoreClient, CoreProviderMetadata, CoreResponseType};
use openidconnect::{
    AuthenticationFlow, AuthorizationCode, ClientId, ClientSecret, CsrfToken, EndpointMaybeSet,
    EndpointNotSet, EndpointSet, HttpResponse, IssuerUrl, Nonce, PkceCodeChallenge,
    PkceCodeVerifier, RedirectUrl, Scope, TokenResponse as _,
};
use placet_core::operation::Proof;
use placet_core::people::Person;
use placet_core::{SignInAttempt, Token as _};
use placet_runtime::config::Oidc;
use placet_runtime::http::Request;
use placet_runtime::{Access, Https, HttpsError, inbox_origin};

use crate::fields::Fields;
use crate::reply::Page;
use crate::visitor::cookie;
use crate::{Inbox, pages, reads};

/// How long a person has to sign in at the provider.
const TIME: Duration = Duration::from_secs(10 * 60);

/// The largest answer of the provider, in bytes.
const LARGEST: usize = 256 * 1024;

/// The path to which the provider sends the browser back.
const CALLBACK: &str = "/sign-in/oidc/callback";

type Client = CoreClient<
    EndpointSet,
    EndpointNotSet,
    EndpointNotSet,
    EndpointNotSet,
    EndpointMaybeSet,
    EndpointMaybeSet,
>;

/// The answer of the provider. It is boxed, because the library needs one type with `Send`.
type Answer = Pin<Box<dyn Future<Output = Result<HttpResponse, HttpsError>> + Send>>;

impl Inbox {
    /// The pages below `/sign-in/oidc`.
    pub(crate) async fn oidc(&self, path: &[&str], request: &Request) -> Result<Page, Page> {
        let oidc = self.runtime.config.sign_in.oidc.as_ref().ok_or_else(Page::not_found)?;
        match path {
            [] if reads(request) => self.ask_provider(oidc, request.headers()).await,
            ["callback"] if reads(request) => {
                let query = request.uri().query().unwrap_or_default();
                let query = Fields::read(query.as_bytes()).ok_or_else(Page::not_found)?;
                match (query.get("code"), query.get("state")) {
                    (Some(code), Some(state)) => {
                        Ok(Page::ok(pages::answered(&oidc.name, code, state)))
                    }
                    _ => Err(refused(&"the provider sent no code")),
                }
            }
            ["callback"] if request.method() == Method::POST => self.redeem(oidc, request).await,
            [] | ["callback"] => Err(Page::method_not_allowed()),
            _ => Err(Page::not_found()),
        }
    }

    /// Sends the browser to the provider.
    async fn ask_provider(&self, oidc: &Oidc, headers: &HeaderMap) -> Result<Page, Page> {
        let keys = self.signing_keys().map_err(|missing| refused(&missing))?;
        let client =
            self.client(oidc, headers).await.map_err(|error| unreachable_provider(&error))?;
        let (challenge, verifier) = PkceCodeChallenge::new_random_sha256();
        let flow = AuthenticationFlow::<CoreResponseType>::AuthorizationCode;
        let request = client.authorize_url(flow, CsrfToken::new_random, Nonce::new_random);
        let request =
            request.add_scope(Scope::new("email".to_owned())).set_pkce_challenge(challenge);
        let (url, state, nonce) = request.url();
        let attempt = SignInAttempt {
            state: state.into_secret(),
            nonce: nonce.secret().clone(),
            verifier: verifier.into_secret(),
            expires_at: self.runtime.engine.now().plus(TIME),
        };
        let cookie = self.cookie(self.attempt_cookie(), &attempt.sign(keys), TIME.as_secs());
        Ok(Page::see_other(url.to_string()).with_cookie(cookie))
    }

    /// Redeems the code of the provider, and signs the person in.
    async fn redeem(&self, oidc: &Oidc, request: &Request) -> Result<Page, Page> {
        let fields = Fields::read(request.body().as_ref()).ok_or_else(Page::bad_form)?;
        let attempt = self.attempt(request.headers(), &fields)?;
        let code = fields.get("code").ok_or_else(Page::bad_form)?.to_owned();
        let person = self.identified(oidc, &attempt, code, request.headers()).await?;
        let page = self.start_session(person, attempt.session_id(), Proof::Oidc, request).await?;
        Ok(page.with_cookie(self.cookie(self.attempt_cookie(), "", 0)))
    }

    /// The attempt of this browser, which the form must match.
    fn attempt(&self, headers: &HeaderMap, fields: &Fields) -> Result<SignInAttempt, Page> {
        let keys = self.signing_keys().map_err(|missing| refused(&missing))?;
        let token = cookie(headers, self.attempt_cookie())
            .ok_or_else(|| refused(&"this browser has no attempt"))?;
        let attempt = SignInAttempt::verify(token, keys, self.runtime.engine.now());
        let attempt = attempt.map_err(|error| refused(&error))?;
        match fields.get("state") {
            Some(state) if state == attempt.state => Ok(attempt),
            _ => Err(refused(&"the state is that of another attempt")),
        }
    }

    /// The listed person of the id token. The library checks its signature, issuer, audience, times and nonce.
    async fn identified(
        &self,
        oidc: &Oidc,
        attempt: &SignInAttempt,
        code: String,
        headers: &HeaderMap,
    ) -> Result<&Person, Page> {
        let client =
            self.client(oidc, headers).await.map_err(|error| unreachable_provider(&error))?;
        let exchange = client.exchange_code(AuthorizationCode::new(code));
        let exchange = exchange.map_err(|error| unreachable_provider(&error.to_string()))?;
        let exchange = exchange.set_pkce_verifier(PkceCodeVerifier::new(attempt.verifier.clone()));
        let http = asking(self.runtime.https.clone());
        let answer = exchange.request_async(&http).await;
        let answer = answer.map_err(|error| refused(&format!("the code was refused: {error}")))?;
        let token = answer.id_token().ok_or_else(|| refused(&"the provider sent no id token"))?;
        let nonce = Nonce::new(attempt.nonce.clone());
        let claims = token.claims(&client.id_token_verifier(), &nonce);
        let claims = claims.map_err(|error| refused(&format!("the id token: {error}")))?;
        let email = claims.email().ok_or_else(|| refused(&"the id token has no e-mail address"))?;
        if claims.email_verified() != Some(true) {
            return Err(refused(&"the provider has not verified the e-mail address"));
        }
        let person = self.runtime.config.people.by_email(email.as_str());
        person.ok_or_else(|| refused(&"placet.yaml lists nobody with this e-mail address"))
    }

    async fn client(&self, oidc: &Oidc, headers: &HeaderMap) -> Result<Client, String> {
        let issuer = IssuerUrl::new(oidc.issuer().to_owned()).map_err(|error| error.to_string())?;
        let http = asking(self.runtime.https.clone());
        let metadata = CoreProviderMetadata::discover_async(issuer, &http);
        let metadata = metadata.await.map_err(|error| causes(&error))?;
        let environment = &self.runtime.environment;
        let secret = oidc.client_secret.as_ref().map(|secret| secret.text(environment));
        let secret = secret.transpose().map_err(|error| error.to_string())?;
        // A function cannot have its own URL in its environment. A forged host is no risk: the provider sends nobody
        // to an address that is not registered there.
        let host = headers.get(HOST).and_then(|host| host.to_str().ok()).unwrap_or_default();
        let origin = inbox_origin(environment).unwrap_or_else(|| format!("https://{host}"));
        let callback = format!("{origin}{CALLBACK}");
        let callback = RedirectUrl::new(callback).map_err(|error| error.to_string())?;
        let id = ClientId::new(oidc.client_id.clone());
        let client =
            CoreClient::from_provider_metadata(metadata, id, secret.map(ClientSecret::new));
        Ok(client.set_redirect_uri(callback))
    }

    /// The name of the cookie that keeps an attempt.
    const fn attempt_cookie(&self) -> &'static str {
        match self.access {
            Access::Closed => "__Host-placet-attempt",
            Access::Loopback => "placet-attempt",
        }
    }
}

/// Sends requests to the provider.
fn asking(https: Https) -> impl Fn(HttpRequest<Vec<u8>>) -> Answer {
    move |request| {
        let https = https.clone();
        Box::pin(async move {
            let answer = https.send(request.map(Into::into), LARGEST).await?;
            Ok(answer.map(|body| body.to_vec()))
        })
    }
}

/// The page for every refused answer. The log has the reason.
fn refused(reason: &dyn std::fmt::Display) -> Page {
    tracing::warn!(%reason, "sign-in with OpenID Connect refused");
    Page::not_signed_in()
}

fn unreachable_provider(error: &str) -> Page {
    tracing::error!(error, "OpenID Connect provider cannot be used");
    Page::no_provider()
}

fn causes(error: &dyn std::error::Error) -> String {
    match error.source() {
        Some(cause) => format!("{error}: {}", causes(cause)),
        None => error.to_string(),
    }
}
