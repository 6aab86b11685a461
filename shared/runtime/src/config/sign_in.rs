//! How people sign in, besides one-time links.

use serde::Deserialize;

use super::{Config, OutboundUrl, SecretRef, locate};

/// How people sign in.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SignIn {
    /// The OpenID Connect provider, if there is one.
    pub oidc: Option<Oidc>,
}

/// An OpenID Connect provider. A person signs in with the verified e-mail address that the provider knows.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Oidc {
    /// The issuer, below which `/.well-known/openid-configuration` is.
    issuer: OutboundUrl,
    /// The id of Placet at the provider.
    pub client_id: String,
    /// The secret of Placet at the provider; none for a public client.
    pub client_secret: Option<SecretRef>,
    /// The name on the button: `Sign in with …`.
    #[serde(default = "usual_name")]
    pub name: String,
}

fn usual_name() -> String {
    "OpenID Connect".to_owned()
}

impl Oidc {
    /// The issuer, as in the tokens that it signs.
    pub fn issuer(&self) -> &str {
        self.issuer.as_str()
    }
}

impl Config {
    /// Refuses a provider whose address may not be called.
    pub(super) fn check_sign_in(&self, text: &str) -> Result<(), String> {
        let Some(oidc) = &self.sign_in.oidc else { return Ok(()) };
        let place = ["sign_in", "oidc", "issuer"].map(str::to_owned);
        oidc.issuer.permitted(&self.outbound).map_err(|wrong| locate::at(text, &place, wrong))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(oidc: &str) -> Result<Config, String> {
        Config::parse(&format!("project: x\nsign_in:\n  oidc: {oidc}\n"))
    }

    #[test]
    fn a_provider_has_an_issuer_and_a_client_id() {
        let config = parse("{issuer: https://id.example, client_id: placet}").unwrap();
        let oidc = config.sign_in.oidc.unwrap();
        assert_eq!((oidc.issuer(), oidc.name.as_str()), ("https://id.example", "OpenID Connect"));
        assert!(oidc.client_secret.is_none());
    }

    #[test]
    fn a_wrong_provider_is_named_with_its_place() {
        let error = |oidc: &str| parse(oidc).unwrap_err();
        insta::assert_snapshot!(error("{issuer: https://id.example}"), @"line 3, column 10: sign_in.oidc: `client_id` is missing: add it");
        insta::assert_snapshot!(error("{issuer: 'http://id.example', client_id: a}"), @"line 3, column 10: sign_in.oidc.issuer: http://id.example is not encrypted: use https://, or to call it anyway, add id.example to outbound.allow_hosts");
        insta::assert_snapshot!(error("{issuer: https://id.example, client_id: a, client_secret: x}"), @"line 3, column 67: sign_in.oidc.client_secret: write a reference to the secret, env:NAME: the secret itself must not be in this file");
    }
}
