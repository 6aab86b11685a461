//! `placet check`: what `placet.yaml` means, and first what of it needs attention.

use std::collections::BTreeMap;

use placet_core::delivery::Delivery;
use placet_core::humanlayer::Subscription;
use placet_core::item::Kind;
use placet_core::limits::MOST_MAILED;
use placet_core::operation::{ContactChannel, Event, Operation};
use placet_core::people::{Person, PersonRight};
use placet_core::receipt::Receipt;
use placet_runtime::config::{
    Action, Closed, Endpoint, EscalateTo, Executor, Interface, SecretRef, Source, Transport,
    closest,
};
use placet_runtime::{Config, Environment, Store, missing_for_links};
use placet_worker::Functions;

use crate::start::Start;
use crate::style::{DIM, GOOD, STRONG, WARNING};
use crate::webhook::words;
use crate::{Failure, command, dev, environment, say, variables};

pub async fn run() -> Result<(), Failure> {
    let environment = environment::load()?;
    let config = environment::config(&environment)?;
    Start::read(&dev::Arguments::default().over(environment.clone()))?;
    let mut problems = attention(&config, &environment)?;
    problems.extend(unreadable(&config, &environment).await);
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

/// What will not work, or is less safe than it looks.
///
/// # Errors
///
/// If `.env` or `PLACET_SECRETS` cannot be read.
pub fn attention(config: &Config, environment: &Environment) -> Result<Vec<String>, Failure> {
    let mut all = configured(config, environment);
    all.extend(without_operation(config));
    all.extend(unheard_reminders(config));
    all.extend(unmailed(config, environment));
    all.extend(shared_secrets(config, environment));
    let file = environment::file()?;
    all.extend(variables::unread(environment, &file, config));
    all.extend(variables::hidden(&environment::process()?, &file, config));
    Ok(all)
}

/// What keeps people from getting mails.
fn unmailed(config: &Config, environment: &Environment) -> Vec<String> {
    let reached = config.people.iter().filter(|one| one.email.is_some()).count();
    let mut problems = Vec::new();
    if reached > 0 && config.mail.is_none() && environment.get("PLACET_TABLE").is_some() {
        problems.push("nobody is mailed: add a section mail to placet.yaml".to_owned());
    }
    if reached > MOST_MAILED {
        problems.push(format!(
            "an operation mails {MOST_MAILED} people at most, and {reached} have an address: name the approvers of each operation"
        ));
    }
    problems
}

/// The reminders of which no endpoint is notified.
fn unheard_reminders(config: &Config) -> Option<String> {
    let functions = config.operations().map(|(name, _)| Some(name.as_str()));
    let mut all = functions.chain([None]);
    let reminds = all.any(|function| config.reminders(function).iter().next().is_some());
    let heard = |event: Subscription| event.event == Event::Reminded;
    let mut endpoints = config.endpoints();
    let mailed =
        config.people.iter().any(|one| one.email.is_some() && one.may(PersonRight::Decide));
    let unheard =
        reminds && !mailed && !endpoints.any(|(_, endpoint)| endpoint.events.iter().any(heard));
    unheard.then(|| {
        "remind is set, and nobody is notified of reminders: add email to the approvers, or \
         v1beta2.function_call.reminded to the events of an endpoint"
            .to_owned()
    })
}

/// The targets that request an approval of a function that `placet.yaml` does not name.
fn without_operation(config: &Config) -> Vec<String> {
    let targets = config.sources().flat_map(|(name, source)| {
        source.targets.iter().filter_map(move |target| match &target.action {
            Action::Operation(request) => Some((name, request.function.as_str())),
            _ => None,
        })
    });
    let unknown = targets.filter(|(_, function)| config.operation(function).is_none());
    unknown
        .map(|(source, function)| {
            let known = config.operations().map(|(name, _)| name.as_str());
            let fix = match closest(function, known) {
                Some(similar) => format!("did you mean {similar}?"),
                None => format!("add {function} to operations"),
            };
            format!("source {source} requests {function}, and no such operation is in placet.yaml, so nothing runs: {fix}")
        })
        .collect()
}

/// The secrets of a source that something else uses, too: who may sign for one may sign for the other.
fn shared_secrets(config: &Config, environment: &Environment) -> Vec<String> {
    let mut users: BTreeMap<String, Vec<(String, bool)>> = BTreeMap::new();
    let mut note = |reference: &SecretRef, user: String, is_source: bool| {
        if let Some(value) = environment.get(&reference.variable) {
            users.entry(value).or_default().push((user, is_source));
        }
    };
    for (name, source) in config.sources() {
        source.secrets.iter().for_each(|one| note(one, format!("source {name}"), true));
    }
    for (name, endpoint) in config.endpoints() {
        endpoint.secrets.iter().for_each(|one| note(one, format!("endpoint {name}"), false));
    }
    for (name, definition) in config.operations() {
        if let Some(Executor::Http(http)) = &definition.executor
            && let Some(secret) = &http.secret
        {
            note(secret, format!("the executor of operation {name}"), false);
        }
    }
    let shared = users
        .into_values()
        .filter(|users| users.len() > 1 && users.iter().any(|(_, is_source)| *is_source));
    shared
        .map(|users| {
            let names: Vec<String> = users.into_iter().map(|(name, _)| name).collect();
            let names = names.join(" and ");
            format!(
                "{names} have the same secret, so one could sign as the other: give each its own"
            )
        })
        .collect()
}

/// What does not work as it is configured.
fn configured(config: &Config, environment: &Environment) -> Vec<String> {
    let blocked = Functions::shipped().all_missing(config, environment);
    let operations = blocked.iter().map(|(name, missing)| {
        let fix = match missing.code.as_str() {
            "no_such_function" => ": correct its name, or add it to Functions::shipped()",
            _ => "",
        };
        format!("operation {name} cannot run: {}{fix}", missing.message)
    });
    let upstreams = config.upstreams().filter_map(|(function, upstream)| {
        let error = upstream.api_key.text(environment).err()?;
        let asked = function.map_or("the default approver".to_owned(), |name| {
            format!("the approver of operation {name}")
        });
        Some(format!("{asked} cannot be reached: {error}"))
    });
    let endpoints = config.endpoints().filter_map(|(name, endpoint)| {
        let error = endpoint.secrets.resolve(environment).err()?;
        Some(format!("endpoint {name} is sent nothing: {error}"))
    });
    // The local system makes its own key and knows its own address.
    let deployed = environment.get("PLACET_TABLE").is_some();
    let links =
        config.endpoints().filter(|(_, endpoint)| endpoint.links).filter_map(|(name, _)| {
            let missing = missing_for_links(config, environment);
            let missing = missing.filter(|_| deployed || !config.people.is_empty())?;
            Some(format!("endpoint {name} gets no decision links: {missing}"))
        });
    let mail = config.mail.as_ref().and_then(|mail| {
        let error = mail.secret()?.text(environment).err()?;
        Some(format!("mail cannot be sent: {error}"))
    });
    let sources = config.sources().filter_map(|(name, source)| {
        let problem = match source.open(name, environment) {
            _ if source.scheme.retired => return None,
            Ok(_) if source.scheme.checks.none.is_some() => {
                "takes webhooks of anyone, without a check".to_owned()
            }
            Err(error @ (Closed::Open(_) | Closed::Secret(_))) => format!("is closed: {error}"),
            Ok(_) | Err(Closed::NotSet(_)) => return None,
        };
        Some(format!("source {name} {problem}"))
    });
    let deciding = config.sources().filter_map(|(name, source)| {
        if let Some(function) = config.decided_by(name).next()
            && let Err(error @ Closed::NotSet(_)) = source.open(name, environment)
        {
            return Some(format!(
                "source {name} is the approver of {function} and is closed: {error}"
            ));
        }
        let idle = source.decides() && !config.is_deciding_source(name);
        let open = idle && source.open(name, environment).is_ok();
        let fix = format!("name it as an approver, as in approver: {{webhook: {name}}}");
        open.then(|| format!("source {name} decides nothing: {fix}"))
    });
    let endpoints = endpoints.chain(links);
    operations
        .chain(upstreams)
        .chain(endpoints)
        .chain(mail)
        .chain(sources)
        .chain(deciding)
        .collect()
}

/// The items that this build cannot read, in the table on AWS or of the system that runs on this machine. None
/// if there is no such table.
async fn unreadable(config: &Config, environment: &Environment) -> Vec<String> {
    let Ok((_, store)) = environment::deployment(environment.clone()) else { return Vec::new() };
    let mut problems = Vec::new();
    for project in config.projects() {
        problems.extend(unreadable_of::<Operation>(&store, project).await);
        problems.extend(unreadable_of::<Receipt>(&store, project).await);
        problems.extend(unreadable_of::<Delivery>(&store, project).await);
    }
    problems.sort();
    problems.dedup();
    problems
}

async fn unreadable_of<K: Kind>(store: &Store, project: &str) -> Vec<String> {
    let kind = K::NAME;
    match store.unreadable::<K>(project).await {
        Err(error) => vec![format!("the table cannot be searched for unreadable items: {error}")],
        Ok(ids) => {
            let problem = |id| {
                format!(
                    "{kind} {id} of project {project} cannot be read: a newer version of Placet wrote it, or it is damaged. Update Placet, then run this command again"
                )
            };
            ids.into_iter().map(problem).collect()
        }
    }
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
