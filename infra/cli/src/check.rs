//! `placet check`: what `placet.yaml` means.

use placet_core::operation::ContactChannel;
use placet_runtime::config::Endpoint;
use placet_runtime::{Config, Environment};

use crate::webhook::words;
use crate::{Failure, environment, say};

pub fn run() -> Result<(), Failure> {
    let environment = environment::load()?;
    let config = environment::config(&environment)?;
    for project in config.projects() {
        say(format!("project {project}"));
    }
    for (name, _) in config.operations() {
        print_operation(&config, name, &environment);
    }
    say(format!(
        "any other operation, and questions\n  approver  {}",
        approver(&config, None, &environment)
    ));
    for (name, endpoint) in config.endpoints() {
        print_endpoint(&config, name, endpoint, &environment);
    }
    say(format!("queue calls\n  used by   {}", users_of_calls(&config)));
    for (id, channel) in config.channels() {
        let kinds = reaches(&channel.channel);
        say(format!(
            "channel {id}\n  project   {}\n  reaches   {}",
            channel.project,
            kinds.join(", ")
        ));
    }
    for (name, source) in config.sources() {
        let paths = source.paths.iter().map(|path| path.as_str().to_owned());
        let paths: Vec<_> = [format!("/webhooks/{name}")].into_iter().chain(paths).collect();
        say(format!(
            "source {name}\n  preset    {}\n  at        {}\n  is        {}\n  secrets   {}\n  targets   {}",
            source.preset.as_deref().unwrap_or("none"),
            paths.join(", "),
            words::openness(name, source, &environment),
            words::secrets(source, &environment),
            words::targets(source),
        ));
    }
    Ok(())
}

/// What puts messages on the queue `calls`.
fn users_of_calls(config: &Config) -> String {
    let users = config.users_of_calls();
    if users.is_empty() {
        return "nothing: on AWS the parameter CallsEnabled may be false".to_owned();
    }
    users.join(", ")
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
        "endpoint {name}\n  project   {}\n  at        {}\n  secrets   {}\n  events    {}",
        config.owner(endpoint),
        endpoint.url.as_str(),
        secrets.join(", "),
        if events.is_empty() { "what is forwarded to it".to_owned() } else { events.join(", ") },
    ));
}

fn print_operation(config: &Config, name: &str, environment: &Environment) {
    let deadline = config.time_to_decide(Some(name));
    let approver = approver(config, Some(name), environment);
    say(format!("operation {name}\n  decide in {deadline:?}\n  approver  {approver}"));
    match config.plan(name) {
        Some(plan) => say(format!(
            "  runs      {}\n  attempts  up to {} of {:?}{}",
            plan.executor,
            plan.max_attempts,
            plan.timeout,
            if plan.idempotent {
                ""
            } else {
                "; not idempotent: an unclear one waits for a person"
            },
        )),
        None => say("  runs      nothing here: the requester acts on the decision"),
    }
}

fn approver(config: &Config, function: Option<&str>, environment: &Environment) -> String {
    match config.upstream(config.project.as_str(), function) {
        Some(upstream) => format!(
            "the inbox, or the upstream approver {} with the key {}: the first decision counts",
            upstream.base_url(),
            words::variable(&upstream.api_key, environment)
        ),
        None => "the inbox".to_owned(),
    }
}
