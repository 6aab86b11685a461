//! Passes a mail to a server by SMTP.
//!
//! A server that does not answer, or does not let us in, is tried again: its owner can repair that. Only what it says
//! about a recipient or about the mail itself is final, and only with a code of 500 to 599.

use std::net::SocketAddr;
use std::sync::OnceLock;
use std::time::Duration;

use lettre::address::Envelope;
use lettre::transport::smtp::Error;
use lettre::transport::smtp::authentication::{Credentials, DEFAULT_MECHANISMS};
use lettre::transport::smtp::client::{AsyncSmtpConnection, TlsParameters};
use lettre::transport::smtp::commands::{Data, Mail, Rcpt};
use lettre::transport::smtp::extension::ClientId;
use lettre::transport::smtp::response::Severity;
use placet_core::address::is_public;
use placet_core::delivery::Answer;
use placet_core::email;
use placet_runtime::Environment;
use placet_runtime::config::{Outbound, SecretError, Smtp, Tls};

use super::mailer::Refused;

/// The timeout of a whole exchange: the usual timeout of an attempt in the lane `calls`.
const TIMEOUT: Duration = Duration::from_secs(20);

/// The timeout of connecting to one address.
const CONNECT: Duration = Duration::from_secs(5);

/// The timeout of saying goodbye after the server has accepted the mail.
const GOODBYE: Duration = Duration::from_secs(1);

/// A mail server.
pub(super) struct Server {
    smtp: Smtp,
    credentials: Option<Credentials>,
    may_be_private: bool,
    /// The certificate authorities of the system are read at the first mail.
    tls: OnceLock<TlsParameters>,
}

impl Server {
    pub(super) fn new(
        smtp: &Smtp,
        outbound: &Outbound,
        environment: &Environment,
    ) -> Result<Self, SecretError> {
        let credentials = match &smtp.account {
            Some((name, password)) => {
                Some(Credentials::new(name.clone(), password.text(environment)?))
            }
            None => None,
        };
        let may_be_private = smtp.may_be_private(outbound);
        Ok(Self { smtp: smtp.clone(), credentials, may_be_private, tls: OnceLock::new() })
    }

    /// Passes a message on.
    ///
    /// # Errors
    ///
    /// If the server refuses the message for ever.
    pub(super) async fn send(
        &self,
        envelope: &Envelope,
        message: &[u8],
    ) -> Result<Answer, Refused> {
        let host = self.smtp.host();
        match tokio::time::timeout(TIMEOUT, self.exchange(envelope, message)).await {
            Err(_) => {
                let seconds = TIMEOUT.as_secs();
                Ok(Answer::TimedOut(format!("the mail server {host} took longer than {seconds} s")))
            }
            Ok(Ok((answer, mut connection))) => {
                let _ = tokio::time::timeout(GOODBYE, connection.quit()).await;
                Ok(answer)
            }
            Ok(Err(Problem::Refused(reason))) => {
                Err(Refused(format!("the mail server {host}: {reason}")))
            }
            Ok(Err(Problem::TryAgain(reason))) => {
                Ok(Answer::Nothing(format!("the mail server {host}: {reason}")))
            }
        }
    }

    async fn exchange(
        &self,
        envelope: &Envelope,
        message: &[u8],
    ) -> Result<(Answer, AsyncSmtpConnection), Problem> {
        let mut connection = self.connect(envelope).await?;
        let mail = Mail::new(envelope.from().cloned(), Vec::new());
        let step = |what| move |error: Error| Problem::TryAgain(format!("{what}: {error}"));
        connection.command(mail).await.map_err(step("it does not accept our sender"))?;
        let refused = self.name_recipients(&mut connection, envelope).await?;
        connection.command(Data).await.map_err(|error| Problem::of("it takes no mail", &error))?;
        let accepted = connection.message(message).await;
        let accepted =
            accepted.map_err(|error| Problem::of("it does not accept the mail", &error))?;
        if accepted.code().severity != Severity::PositiveCompletion {
            let code = accepted.code();
            return Err(Problem::TryAgain(format!(
                "it answered the mail with {code}, not with 250"
            )));
        }
        let said = accepted.message().collect::<Vec<_>>().join(" ");
        let said = [vec![said], refused].concat().join("; ");
        let answer = Answer::Status { status: 250, retry_after: None, body: said.into_bytes() };
        Ok((answer, connection))
    }

    /// Names the recipients. Those that the server refuses for ever do not get the mail. If it refuses one for now,
    /// nobody gets the mail yet, so that nobody gets it twice.
    async fn name_recipients(
        &self,
        connection: &mut AsyncSmtpConnection,
        envelope: &Envelope,
    ) -> Result<Vec<String>, Problem> {
        let mut refused = Vec::new();
        for recipient in envelope.to() {
            let named = connection.command(Rcpt::new(recipient.clone(), Vec::new())).await;
            let Err(error) = named else { continue };
            match Problem::of(&format!("it does not accept {recipient}"), &error) {
                Problem::Refused(reason) => refused.push(reason),
                again @ Problem::TryAgain(_) => return Err(again),
            }
        }
        if refused.len() == envelope.to().len() {
            return Err(Problem::Refused(refused.join("; ")));
        }
        Ok(refused)
    }

    /// A connection on which a mail can be sent: encrypted and signed in, as the configuration says.
    async fn connect(&self, envelope: &Envelope) -> Result<AsyncSmtpConnection, Problem> {
        let failed = |what: &str, error: &Error| Problem::TryAgain(format!("{what}: {error}"));
        let addresses = self.addresses().await.map_err(Problem::TryAgain)?;
        let sender = envelope.from().map(AsRef::<str>::as_ref).unwrap_or_default();
        let hello = ClientId::Domain(email::domain(sender).to_owned());
        let implicit = match self.smtp.tls {
            Tls::Implicit => Some(self.tls()?),
            Tls::StartTls | Tls::None => None,
        };
        let opened = AsyncSmtpConnection::connect_tokio1(
            &addresses[..],
            Some(CONNECT),
            &hello,
            implicit,
            None,
        );
        let mut connection = opened.await.map_err(|error| failed("no connection", &error))?;
        if self.smtp.tls == Tls::StartTls {
            let switched = connection.starttls(self.tls()?, &hello).await;
            switched.map_err(|error| failed("it does not switch to TLS", &error))?;
        }
        if let Some(credentials) = &self.credentials {
            let let_in = connection.auth(DEFAULT_MECHANISMS, credentials).await;
            let_in.map_err(|error| failed("it does not let us in", &error))?;
        }
        Ok(connection)
    }

    /// The addresses of the server. One that is not public is left out, unless the server may have such an address.
    async fn addresses(&self) -> Result<Vec<SocketAddr>, String> {
        let found = tokio::net::lookup_host((self.smtp.host(), self.smtp.port)).await;
        let found = found.map_err(|error| format!("its name cannot be resolved: {error}"))?;
        let may_be_called = |address: &SocketAddr| self.may_be_private || is_public(address.ip());
        let found: Vec<SocketAddr> = found.filter(may_be_called).collect();
        match found.is_empty() {
            true => Err(format!(
                "it has no public address: to call it anyway, add {} to outbound.allow_hosts",
                self.smtp.host()
            )),
            false => Ok(found),
        }
    }

    fn tls(&self) -> Result<TlsParameters, Problem> {
        if let Some(known) = self.tls.get() {
            return Ok(known.clone());
        }
        let read = TlsParameters::new(self.smtp.host().to_owned());
        let read = read.map_err(|error| {
            Problem::TryAgain(format!(
                "the certificate authorities of this system cannot be used: {error}"
            ))
        })?;
        Ok(self.tls.get_or_init(|| read).clone())
    }
}

/// Why a mail was not passed on. The text is for a person.
enum Problem {
    /// The server refuses it for ever.
    Refused(String),
    /// A later attempt may succeed.
    TryAgain(String),
}

impl Problem {
    fn of(what: &str, error: &Error) -> Self {
        let reason = format!("{what}: {error}");
        if error.is_permanent() { Self::Refused(reason) } else { Self::TryAgain(reason) }
    }
}

#[cfg(test)]
mod tests;
