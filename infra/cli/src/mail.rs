//! `placet mail`: whether mail gets through, and what a colleague gets. Without `PLACET_TABLE`, the local mailbox keeps
//! the mail, too.

use clap::{Args, Subcommand};
use placet_core::delivery::Answer;
use placet_core::item::Item;
use placet_core::operation::{Event, Operation, OperationId};
use placet_core::{Digest, email};
use placet_local::system::MAIL_FOLDER;
use placet_runtime::mailbox::Mailbox;
use placet_runtime::{Clock, Config, Environment, Https, Store, inbox_origin};
use placet_worker::mail::{Letter, Mail, MailError, Mailer, Notification, Recipients};
use uuid::Uuid;

use crate::environment::DataFolder;
use crate::{Failure, command, environment, link, say};

/// The commands of `placet mail`.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Send a test mail through the configured server, and print what the server answered
    Test(Test),
}

/// The mail to send.
#[derive(Debug, Args)]
pub struct Test {
    /// The address that gets the mail
    address: String,
    /// Send the mail about this call, without a decision link; `human_contact/ID` names a question
    #[arg(long, value_name = "CALL_ID")]
    operation: Option<String>,
    /// What has happened to it: requested, reminded, escalated, completed, expired, failed, blocked or unknown
    #[arg(long, requires = "operation", default_value = "requested", value_parser = event)]
    event: Event,
    /// The project of the operation; the one of placet.yaml if left out
    #[arg(long, requires = "operation")]
    project: Option<String>,
    #[command(flatten)]
    data: DataFolder,
}

pub async fn run(asked: &Command) -> Result<(), Failure> {
    let Command::Test(test) = asked;
    if !email::is_address(&test.address) {
        return Err(format!(
            "{} is not an e-mail address: write it like ann@example.com",
            test.address
        )
        .into());
    }
    let environment = test.data.over(environment::load()?);
    let config = environment::config(&environment)?;
    let mail = match &test.operation {
        Some(operation) => about(test, operation, &config, environment.clone()).await?,
        None => plain(&test.address),
    };
    let folder = environment::data_folder(&environment).join(MAIL_FOLDER);
    let local = environment.get("PLACET_TABLE").is_none();
    let mailbox = local.then(|| Mailbox::folder(folder.clone()));
    let mailer = Mailer::new(&config, &environment, &Https::default(), mailbox);
    let answer = mailer.send(&mail).await;
    let answer = answer.map_err(|refused| format!("the mail is refused permanently: {refused}"))?;
    if local && mailer.problem() == Some(&MailError::NotConfigured) {
        let dev = command("dev");
        say(format!(
            "placet.yaml has no section mail, so the mail stays on this machine, in {}. `{dev}` shows it at /mail.",
            folder.display()
        ));
        return Ok(());
    }
    say(format!("The mail server accepted the mail: {}", accepted(answer)?));
    Ok(())
}

/// What the server said when it accepted the mail.
fn accepted(answer: Answer) -> Result<String, Failure> {
    let again = |reason: &str| {
        format!("the mail is not sent, and another attempt may succeed: {reason}").into()
    };
    match answer {
        Answer::Status { status: 200..=299, body, .. } => {
            Ok(String::from_utf8_lossy(&body).into_owned())
        }
        Answer::Status { body, .. } => Err(again(&String::from_utf8_lossy(&body))),
        Answer::Nothing(reason) | Answer::TimedOut(reason) => Err(again(&reason)),
    }
}

fn plain(address: &str) -> Mail {
    let letter = Letter {
        heading: "Mail from Placet reaches you.".to_owned(),
        paragraphs: vec!["This is a test. There is nothing to do.".to_owned()],
        ..Letter::default()
    };
    let id = format!("test_{}", Uuid::new_v4().simple());
    Mail::of(&letter, "Test mail from Placet", &id, Clock::System.now(), Recipients::one(address))
}

/// The mail about an operation. A mail about a later event is in the thread of the mail about its request.
async fn about(
    test: &Test,
    operation: &str,
    config: &Config,
    environment: Environment,
) -> Result<Mail, Failure> {
    let (environment, store) = environment::deployment(environment)?;
    let origin = inbox_origin(&environment).ok_or("PLACET_INBOX_URL is not set")?;
    let project = test.project.as_deref().unwrap_or(config.project.as_str());
    let operation = find(&store, project, operation).await?;
    let page = format!("{origin}{}", config.inbox_address(&operation.id()));
    let contact = config.email_contact(project, operation.channel.as_ref());
    let notification = Notification {
        event: test.event,
        operation: &operation,
        contact,
        page: &page,
        inbox: &page,
        may_decide: false,
        own_template: true,
    };
    let key = format!("{project}/{}#{}", operation.id().path(), test.address);
    let request = format!("test_{}", &Digest::of_bytes(key.as_bytes()).to_string()[..32]);
    let recipients = Recipients::one(&test.address);
    let at = Clock::System.now();
    Ok(match test.event {
        Event::Requested => Mail::about(&notification, &request, at, recipients, None),
        event => {
            let id = format!("{request}_{}", event.as_str());
            Mail::about(&notification, &id, at, recipients, Some(&request))
        }
    })
}

/// The operation that a name on the command line means: a call, unless the name says which kind it is.
async fn find(store: &Store, project: &str, name: &str) -> Result<Item<Operation>, Failure> {
    let id = match name.contains('/') {
        true => link::id(project, name)?,
        false => OperationId::call(project, name),
    };
    let found = store.item(project, &id.path(), true).await?;
    Ok(found.ok_or_else(|| format!("project {project} has no {}", id.path()))?)
}

/// An event on the command line.
fn event(name: &str) -> Result<Event, String> {
    let names = || Event::ALL.map(Event::as_str).join(", ");
    Event::parse(name).ok_or_else(|| format!("an event is one of {}", names()))
}
