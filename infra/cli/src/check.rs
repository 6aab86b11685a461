//! `placet check`: what `placet.yaml` means, and first what of it needs attention.

mod attention;

use placet_core::operation::ContactChannel;
use placet_core::people::{Person, PersonRight};
use placet_runtime::config::{Closed, Endpoint, EscalateTo, Interface, Source, Transport};
use placet_runtime::{Config, Environment};
use placet_worker::Functions;

pub use attention::attention;

use crate::start::Start;
use crate::style::{DIM, GOOD, STRONG, WARNING};
use crate::webhook::words;
use crate::{Failure, command, dev, environment, say};

pub async fn run() -> Result<(), Failure> {
    let environment = environment::load()?;
    let config = environment::config(&environment)?;
    Start::read(&dev::Arguments::default().over(environment.clone()))?;
    let mut problems = attention(&config, &environment)?;
    problems.extend(attention::unreadable(&config, &environment).await);
    print_attention(&problems);
    for project in config.projects() {
        say(heading("project", project));
    }
    config.people.iter().for_each(print_person);
    for (name, _) in config.operations() {
        print_operation(&config, name, &environment);
    }
    say(format!(
        "{STRONG}any other operation, and questions{STRONG:#}\n  decide in {}\n  approver  {}",
        config.time_to_decide(None),
        approver(&config, None, &environment)
    ));
    print_follow_up(&config, None);
    for (name, endpoint) in config.endpoints() {
        print_endpoint(&config, name, endpoint, &environment);
    }
    say(format!("{STRONG}queue calls{STRONG:#}\n  used by   {}", users_of_calls(&config)));
    print_mail(&config, &environment);
    for (id, channel) in config.channels() {
        let kinds = reaches(&channel.channel);
        let heading = heading("channel", &id.to_string());
        say(format!(
            "{heading}\n  project   {}\n  reaches   {}",
            channel.project,
            kinds.join(", ")
        ));
    }
    print_sources(&config, &environment);
    let blocked = Functions::shipped().all_missing(&config, &environment);
    if blocked.is_empty() {
        return Ok(());
    }
    let names: Vec<String> = blocked.into_keys().collect();
    Err(format!("these operations cannot run, so their approval would wait: {}", names.join(", "))
        .into())
}

/// What puts messages on the queue `calls`.
fn users_of_calls(config: &Config) -> String {
    let users = config.users_of_calls();
    if users.is_empty() {
        return "nothing: once it is empty, CallsEnabled=false saves its polling on AWS".to_owned();
    }
    users.join(", ")
}

fn heading(kind: &str, name: &str) -> String {
    format!("{STRONG}{kind} {name}{STRONG:#}")
}

fn print_attention(problems: &[String]) {
    if problems.is_empty() {
        say(format!("{GOOD}Nothing needs attention.{GOOD:#}\n"));
        return;
    }
    say(format!("{WARNING}Needs attention{WARNING:#}"));
    for problem in problems {
        say(format!("  {problem}"));
    }
    say("");
}

/// The open sources one by one, those whose secret is not set in one line.
fn print_sources(config: &Config, environment: &Environment) {
    let not_set = |(name, source): &(&str, &Source)| {
        matches!(source.open(name, environment), Err(Closed::NotSet(_)))
    };
    let (closed, open): (Vec<_>, Vec<_>) = config.sources().partition(not_set);
    for (name, source) in open {
        print_source(name, source, environment);
    }
    if closed.is_empty() {
        return;
    }
    let names: Vec<&str> = closed.iter().map(|(name, _)| *name).collect();
    say(format!(
        "{STRONG}closed sources{STRONG:#} {DIM}(no secret is set):{DIM:#} {}",
        names.join(", ")
    ));
    say(format!("  `{}` says which secret opens one.", command("webhook explain NAME")));
}

fn print_source(name: &str, source: &Source, environment: &Environment) {
    let paths = source.paths.iter().map(|path| path.as_str().to_owned());
    let paths: Vec<_> = [format!("/webhooks/{name}")].into_iter().chain(paths).collect();
    say(format!(
        "{}\n  preset    {}\n  at        {}\n  is        {}\n  secrets   {}\n  targets   {}",
        heading("source", name),
        source.preset.as_deref().unwrap_or("none"),
        paths.join(", "),
        words::openness(name, source, environment),
        words::secrets(source, environment),
        words::targets(source),
    ));
}

/// The ways in which a contact channel reaches a person.
fn reaches(channel: &ContactChannel) -> Vec<&'static str> {
    let ContactChannel { slack, email, sms, whatsapp, .. } = channel;
    let ways = [
        slack.as_ref().map(|_| "slack"),
        email.as_ref().map(|_| "email"),
        sms.as_ref().map(|_| "sms"),
        whatsapp.as_ref().map(|_| "whatsapp"),
    ];
    ways.into_iter().flatten().collect()
}

fn print_endpoint(config: &Config, name: &str, endpoint: &Endpoint, environment: &Environment) {
    let events: Vec<String> = endpoint.events.iter().map(|event| event.to_string()).collect();
    let secrets: Vec<String> =
        endpoint.secrets.iter().map(|secret| words::variable(secret, environment)).collect();
    say(format!(
        "{}\n  project   {}\n  at        {}\n  secrets   {}\n  events    {}",
        heading("endpoint", name),
        config.owner(endpoint),
        endpoint.url.shown(),
        secrets.join(", "),
        if events.is_empty() { "what is forwarded to it".to_owned() } else { events.join(", ") },
    ));
    if endpoint.links {
        say("  links     anyone who reads its events can decide");
    }
}

fn print_mail(config: &Config, environment: &Environment) {
    let Some(mail) = &config.mail else { return };
    let server = match &mail.transport {
        Transport::Smtp(smtp) => format!("{}:{}", smtp.host(), smtp.port),
        Transport::Ses(ses) => format!("Amazon SES in {}", ses.region.0),
    };
    let password = match mail.secret() {
        Some(secret) => format!("\n  password  {}", words::variable(secret, environment)),
        None => String::new(),
    };
    say(format!(
        "{STRONG}mail{STRONG:#}\n  from      {}\n  through   {server}{password}",
        mail.from.address
    ));
}

fn print_operation(config: &Config, name: &str, environment: &Environment) {
    let deadline = config.time_to_decide(Some(name));
    let approver = approver(config, Some(name), environment);
    let heading = heading("operation", name);
    say(format!("{heading}\n  decide in {deadline}\n  approver  {approver}"));
    print_follow_up(config, Some(name));
    let definition = config.operation(name);
    let runs = definition.and_then(|one| Some((one.executor.as_ref()?, one.retry.time.0)));
    match config.plan(name).zip(runs) {
        Some((plan, (executor, retry_for))) => say(format!(
            "  runs      {}\n  for       {}\n  attempts  up to {} of {}, and for {} while it is known not to have run{}",
            plan.executor,
            requesters(config.run_for(name)),
            plan.max_attempts,
            executor.timeout(),
            retry_for,
            if plan.idempotent {
                ""
            } else {
                "; not idempotent: an unclear one waits for a person"
            },
        )),
        None => say("  runs      nothing here: the requester acts on the decision"),
    }
}

/// When the operation is reminded of, and when it is escalated.
fn print_follow_up(config: &Config, function: Option<&str>) {
    let times: Vec<String> =
        config.reminders(function).iter().map(|after| after.to_string()).collect();
    if !times.is_empty() {
        say(format!("  reminds   after {}", times.join(", ")));
    }
    if let Some(EscalateTo { after, to }) = config.escalation(function) {
        say(format!("  escalates after {after} to {}", to.as_str()));
    }
}

/// Whose operations are run here.
fn requesters(interfaces: &[Interface]) -> String {
    let words = interfaces.iter().map(|interface| match interface {
        Interface::Placet => "what is requested through Placet's API, pages and sources",
        Interface::HumanLayer => "what HumanLayer's clients request",
    });
    let words: Vec<&str> = words.collect();
    if words.is_empty() { "nothing".to_owned() } else { words.join(", and ") }
}

fn approver(config: &Config, function: Option<&str>, environment: &Environment) -> String {
    let project = config.project.as_str();
    let upstream = config.upstream(project, function).map(|upstream| {
        let key = words::variable(&upstream.api_key, environment);
        format!(", or the upstream approver {} with the key {key}", upstream.base_url())
    });
    let source = config.deciding_source(project, function);
    let source = source.map(|source| format!(", or the webhook source {source}"));
    let inbox = in_the_inbox(config, function);
    if upstream.is_none() && source.is_none() {
        return inbox;
    }
    let others = upstream.unwrap_or_default() + &source.unwrap_or_default();
    format!("{inbox}{others}: the first decision counts")
}

/// Who decides in the inbox of the main project.
fn in_the_inbox(config: &Config, function: Option<&str>) -> String {
    let people = config.people_for(config.project.as_str(), function);
    match people.as_slice() {
        [] if config.people.is_empty() => "the inbox".to_owned(),
        [] => "everybody in people who may decide".to_owned(),
        people => people.join(", "),
    }
}

fn print_person(person: &Person) {
    let rights = [(PersonRight::Decide, "decide"), (PersonRight::Operate, "operate")];
    let rights = rights.iter().filter(|(right, _)| person.may(*right)).map(|(_, name)| *name);
    let rights: Vec<&str> = rights.collect();
    let reached: Vec<&str> = person.email.iter().map(String::as_str).collect();
    say(format!(
        "{}\n  name      {}\n  may       {}\n  reached   {}",
        heading("person", &person.id),
        person.name,
        if rights.is_empty() { "nothing".to_owned() } else { rights.join(", ") },
        if reached.is_empty() { "nowhere: add email".to_owned() } else { reached.join(", ") },
    ));
}
