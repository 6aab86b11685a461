//! Sends mails through the configured server, and keeps them in the mailbox of the local system.

use std::sync::Arc;

use placet_core::delivery::Answer;
use placet_runtime::config::{SecretError, Sender, Transport};
use placet_runtime::mailbox::{KeptMail, Mailbox};
use placet_runtime::{Config, ConnectError, Environment, Https, JsonService};

use super::{Mail, message, ses, smtp};

/// The sender of mails that only the mailbox of the local system gets.
const LOCAL_SENDER: (&str, &str) = ("Placet", "placet@localhost");

/// Sends mails. Cheap to clone.
#[derive(Clone)]
pub struct Mailer(Arc<Parts>);

struct Parts {
    from: Option<Sender>,
    server: Result<Server, MailError>,
    mailbox: Option<Mailbox>,
}

enum Server {
    Smtp(smtp::Server),
    Ses(JsonService),
}

/// Why no mail can be sent.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum MailError {
    /// The configuration names no server.
    #[error("placet.yaml has no section mail: add one with from, and smtp or ses")]
    NotConfigured,
    /// The password of the mail server cannot be used.
    #[error(transparent)]
    Secret(#[from] SecretError),
    /// There are no credentials for Amazon SES.
    #[error("Amazon SES cannot be called: {0}")]
    Ses(String),
}

/// A mail that is refused for ever: another attempt cannot succeed. The text is for a person.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Refused(pub String);

impl Mailer {
    /// A mailer with the server of the configuration. Every mail is also kept in the mailbox, if there is one.
    pub fn new(
        config: &Config,
        environment: &Environment,
        https: &Https,
        mailbox: Option<Mailbox>,
    ) -> Self {
        let server = server(config, environment, https);
        let from = config.mail.as_ref().map(|mail| mail.from.clone());
        Self(Arc::new(Parts { from, server, mailbox }))
    }

    /// Why no mail leaves this system; `None` if mail can be sent.
    pub fn problem(&self) -> Option<&MailError> {
        self.0.server.as_ref().err()
    }

    /// Sends a mail. It is accepted if the answer is a success, see [`Answer::is_success`]. Otherwise another
    /// attempt may succeed. Without a configured server, the mailbox accepts it.
    ///
    /// # Errors
    ///
    /// If the mail is refused for ever.
    pub async fn send(&self, mail: &Mail) -> Result<Answer, Refused> {
        let Parts { from, server, mailbox } = &*self.0;
        let local = || Sender { name: Some(LOCAL_SENDER.0.into()), address: LOCAL_SENDER.1.into() };
        let from = from.clone().unwrap_or_else(local);
        let message = message::message(mail, &from).map_err(Refused)?;
        let bytes = message.formatted();
        if let Some(mailbox) = mailbox {
            keep(mailbox, mail, &bytes);
        }
        match server {
            Ok(Server::Smtp(server)) => server.send(message.envelope(), &bytes).await,
            Ok(Server::Ses(service)) => {
                ses::send(service, &from.address, &mail.recipients, &bytes).await
            }
            Err(MailError::NotConfigured) if mailbox.is_some() => {
                let body = b"kept in the mailbox of the local system".to_vec();
                Ok(Answer::Status { status: 250, retry_after: None, body })
            }
            Err(error) => Ok(Answer::Nothing(error.to_string())),
        }
    }
}

fn server(config: &Config, environment: &Environment, https: &Https) -> Result<Server, MailError> {
    let mail = config.mail.as_ref().ok_or(MailError::NotConfigured)?;
    match &mail.transport {
        Transport::Smtp(smtp) => {
            Ok(Server::Smtp(smtp::Server::new(smtp, &config.outbound, environment)?))
        }
        Transport::Ses(ses) => {
            let service = JsonService::ses(&ses.region.0, environment, https.clone());
            service
                .map(Server::Ses)
                .map_err(|error: ConnectError| MailError::Ses(error.to_string()))
        }
    }
}

fn keep(mailbox: &Mailbox, mail: &Mail, message: &[u8]) {
    let kept = KeptMail {
        at: mail.at,
        recipients: mail.recipients.all().cloned().collect(),
        subject: mail.subject.clone(),
        text: mail.text.clone(),
        html: mail.html.clone(),
        message: message.to_vec(),
    };
    if let Err(error) = mailbox.keep(&mail.id, kept) {
        let delivery_id = mail.id.as_str();
        tracing::warn!(delivery_id, %error, "mail not kept in the mailbox");
    }
}
