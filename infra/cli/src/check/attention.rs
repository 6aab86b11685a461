//! What needs attention: what will not work, or is less safe than it looks.

use std::collections::BTreeMap;

use placet_core::delivery::Delivery;
use placet_core::humanlayer::Subscription;
use placet_core::item::Kind;
use placet_core::limits::MOST_MAILED;
use placet_core::operation::{Event, Operation};
use placet_core::people::PersonRight;
use placet_core::receipt::Receipt;
use placet_runtime::config::{Action, Closed, Executor, SecretRef, closest};
use placet_runtime::{Config, Environment, Store, missing_for_links};
use placet_worker::Functions;

use crate::{Failure, environment, variables};

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
    let endpoints = endpoints.chain(without_links(config, environment));
    operations
        .chain(upstreams)
        .chain(endpoints)
        .chain(mail)
        .chain(sources)
        .chain(deciding)
        .collect()
}

/// The endpoints that get no decision links although they are to get some.
fn without_links(config: &Config, environment: &Environment) -> Vec<String> {
    // The local system makes its own key and knows its own address.
    let deployed = environment.get("PLACET_TABLE").is_some();
    let missing = missing_for_links(config, environment);
    let Some(missing) = missing.filter(|_| deployed || !config.people.is_empty()) else {
        return Vec::new();
    };
    let linked = config.endpoints().filter(|(_, endpoint)| endpoint.links);
    linked.map(|(name, _)| format!("endpoint {name} gets no decision links: {missing}")).collect()
}

/// The items that this build cannot read, in the table on AWS or of the system that runs on this machine. None
/// if there is no such table.
pub async fn unreadable(config: &Config, environment: &Environment) -> Vec<String> {
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
