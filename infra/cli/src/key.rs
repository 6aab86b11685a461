//! `placet key`: the API keys of a project, in the table of `environment::deployment`. A key is
//! printed once, to standard output; the table holds its digest.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use placet_core::Timestamp;
use placet_runtime::config::{Name, Period};
use placet_runtime::{ApiKey, ApiKeys, Clock, Config, Role, Store, key_digest, key_id};

use crate::options::Options;
use crate::{Failure, environment, say};

const USAGE: &str = "write one of
  placet key create [--project P] [--name N] [--role agent|responder|admin] [--expires 90d] [--channel N]
  placet key list [--project P]
  placet key revoke ID [--project P]";

pub async fn run(arguments: &[&str]) -> Result<(), Failure> {
    let now = Clock::System.now();
    match arguments {
        ["create", rest @ ..] => {
            let known = ["--project", "--name", "--role", "--expires", "--channel"];
            let options = Options::read(rest, &known, USAGE)?;
            let (config, store) = deployment()?;
            create(&config, &store, &options, now).await
        }
        ["list", rest @ ..] => {
            let options = Options::read(rest, &["--project"], USAGE)?;
            let (config, store) = deployment()?;
            list(&store, project(&config, &options), now).await
        }
        ["revoke", id, rest @ ..] => {
            let options = Options::read(rest, &["--project"], USAGE)?;
            let (config, store) = deployment()?;
            revoke(&store, project(&config, &options), id, now).await
        }
        _ => Err(USAGE.into()),
    }
}

fn deployment() -> Result<(Config, Store), Failure> {
    let (environment, store) = environment::deployment(environment::load()?)?;
    Ok((environment::config(&environment)?, store))
}

fn project<'a>(config: &'a Config, options: &Options<'a>) -> &'a str {
    options.get("--project").unwrap_or(config.project.as_str())
}

async fn create(
    config: &Config,
    store: &Store,
    options: &Options<'_>,
    now: Timestamp,
) -> Result<(), Failure> {
    let key = new_key()?;
    let digest = key_digest(&key);
    let api_key = wanted(config, options, &key_id(digest), now)?;
    store.put_api_key(digest, &api_key).await?;
    eprintln!("{}\nIt is printed this once:", described(&key_id(digest), &api_key));
    say(key);
    Ok(())
}

/// 256 random bits of the operating system.
fn new_key() -> Result<String, Failure> {
    let mut bytes = [0; 32];
    getrandom::fill(&mut bytes).map_err(|error| format!("no random bytes to be had: {error}"))?;
    Ok(format!("placet_{}", URL_SAFE_NO_PAD.encode(bytes)))
}

/// The key that the options describe; it is called by its id if nothing else is said.
fn wanted(
    config: &Config,
    options: &Options<'_>,
    id: &str,
    now: Timestamp,
) -> Result<ApiKey, Failure> {
    let project = project(config, options);
    if !config.projects().any(|known| known == project) {
        return Err(format!("placet.yaml has no project {project}: add it to projects").into());
    }
    let name = Name::try_from(options.get("--name").unwrap_or(id).to_owned())?;
    let role = options.get("--role").map(|name| {
        let wrong = || format!("{name:?} is not a role: write agent, responder or admin");
        Role::parse(name).ok_or_else(wrong)
    });
    let channel = options.get("--channel").map(|text| {
        text.parse().map_err(|_| format!("{text:?} is not a channel: write its number"))
    });
    let channel: Option<u64> = channel.transpose()?;
    if let Some(id) = channel.filter(|id| config.channel(project, *id).is_none()) {
        return Err(format!(
            "project {project} has no channel {id}: add it to channels in placet.yaml"
        )
        .into());
    }
    let expires = options.get("--expires").map(|text| Period::try_from(text.to_owned()));
    Ok(ApiKey {
        role: role.transpose()?.unwrap_or_default(),
        channel,
        expires_at: expires.transpose()?.map(|period| now.plus(period.0)),
        ..ApiKey::new(project, name.as_str(), now)
    })
}

fn described(id: &str, api_key: &ApiKey) -> String {
    let may = match api_key.role {
        Role::Agent => "create, read and cancel",
        Role::Responder => "read and decide",
        Role::Admin => "create, read, cancel, decide and operate",
    };
    let channel = api_key.channel.map(|channel| format!("\n  channel  {channel}"));
    format!(
        "key {id}\n  name     {}\n  project  {}\n  may      {may}{}\n  expires  {}",
        api_key.name,
        api_key.project,
        channel.unwrap_or_default(),
        api_key.expires_at.map_or("never".to_owned(), |moment| moment.to_string()),
    )
}

async fn list(store: &Store, project: &str, now: Timestamp) -> Result<(), Failure> {
    let keys = store.api_keys(project).await?;
    if keys.is_empty() {
        eprintln!("project {project} has no keys: make one with `placet key create`");
        return Ok(());
    }
    let heading = ["ID", "ROLE", "CREATED", "EXPIRES", "NAME", "STATE"].map(str::to_owned);
    let rows = keys.iter().map(|(digest, api_key)| row(&key_id(*digest), api_key, now));
    for [id, role, created, expires, name, state] in std::iter::once(heading).chain(rows) {
        say(format!("{id:<12}  {role:<9}  {created:<24}  {expires:<24}  {name:<24}  {state}"));
    }
    Ok(())
}

fn row(id: &str, api_key: &ApiKey, now: Timestamp) -> [String; 6] {
    let state = match api_key.revoked_at {
        Some(moment) => format!("revoked {moment}"),
        None if api_key.has_expired(now) => "expired".to_owned(),
        None => "good".to_owned(),
    };
    let channel = api_key.channel.map(|channel| format!(", channel {channel}"));
    let state = state + &channel.unwrap_or_default();
    [
        id.to_owned(),
        api_key.role.as_str().to_owned(),
        api_key.created_at.to_string(),
        api_key.expires_at.map_or("never".to_owned(), |moment| moment.to_string()),
        api_key.name.clone(),
        state,
    ]
}

async fn revoke(store: &Store, project: &str, id: &str, now: Timestamp) -> Result<(), Failure> {
    // What was given may be a key itself, so it is not repeated.
    let unknown = || format!("project {project} has no key of this id: see `placet key list`");
    let keys = store.api_keys(project).await?;
    let found = keys.iter().find(|(digest, _)| key_id(*digest) == id);
    let (digest, _) = found.ok_or_else(unknown)?;
    let api_key = store.revoke_api_key(*digest, now).await?.ok_or_else(unknown)?;
    let (name, cached) = (&api_key.name, ApiKeys::CACHED.as_secs());
    match api_key.revoked_at {
        Some(before) if before != now => {
            say(format!("key {id} ({name}) was revoked at {before}, it stays so"));
        }
        _ => say(format!("key {id} ({name}) is revoked; it may be taken for another {cached} s")),
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp::from_millis(1_795_000_000_000);

    fn wanted(arguments: &[&str]) -> Result<ApiKey, String> {
        let config = Config::parse(
            "project: x\nprojects: [y]\nchannels: {7: {project: 'y', email: {address: a@b.example}}}",
        )
        .unwrap();
        let known = ["--project", "--name", "--role", "--expires", "--channel"];
        let options = Options::read(arguments, &known, USAGE).unwrap();
        super::wanted(&config, &options, "0123456789ab", NOW).map_err(|error| error.to_string())
    }

    #[test]
    fn keys_are_long_random_and_safe_in_a_header() {
        let (one, other) = (new_key().unwrap(), new_key().unwrap());
        assert_ne!(one, other);
        let random = one.strip_prefix("placet_").unwrap();
        assert_eq!(URL_SAFE_NO_PAD.decode(random).unwrap().len(), 32);
    }

    #[test]
    fn a_key_is_as_its_options_say() {
        assert_eq!(wanted(&[]).unwrap(), ApiKey::new("x", "0123456789ab", NOW));
        let options = "--expires 90d --role agent --channel 7 --name ci --project y";
        let key = wanted(&options.split(' ').collect::<Vec<_>>()).unwrap();
        assert_eq!((key.project.as_str(), key.name.as_str()), ("y", "ci"));
        assert_eq!((key.role, key.channel), (Role::Agent, Some(7)));
        assert_eq!(key.expires_at.unwrap().since(NOW).as_secs(), 90 * 24 * 60 * 60);
        for (wrong, part) in [
            (["--project", "z"], "add it to projects"),
            (["--name", "a b"], "is not a name"),
            (["--role", "both"], "agent, responder or admin"),
            (["--expires", "soon"], "is not a length of time"),
            (["--channel", "-1"], "write its number"),
            (["--channel", "7"], "add it to channels"),
        ] {
            let error = wanted(&wrong).unwrap_err();
            assert!(error.contains(part) && error.contains(wrong[1]), "{error}");
        }
    }

    #[test]
    fn a_key_is_good_until_it_is_not() {
        let key = ApiKey::new("x", "ci", NOW);
        let expired = ApiKey { expires_at: Some(NOW), ..key.clone() };
        let revoked = ApiKey { revoked_at: Some(NOW), ..expired.clone() };
        let state = |key| row("0123456789ab", key, NOW)[5].clone();
        assert_eq!([state(&key), state(&expired)], ["good", "expired"]);
        assert_eq!(state(&revoked), format!("revoked {NOW}"));
    }
}
