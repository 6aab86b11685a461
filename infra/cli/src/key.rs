//! `placet key`: the API keys of a project, in the table of `environment::deployment`. A key is
//! printed once, to standard output; the table holds its digest.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use clap::builder::{PossibleValuesParser, TypedValueParser};
use clap::{Args, Subcommand};
use placet_core::Timestamp;
use placet_runtime::config::{Name, Period};
use placet_runtime::{ApiKey, ApiKeys, Clock, Config, Role, Store, key_digest, key_id};

use crate::environment::DataFolder;
use crate::{Failure, command, environment, say};

/// The options of `placet key`.
#[derive(Debug, Args)]
pub struct Arguments {
    #[command(subcommand)]
    command: Command,
    #[command(flatten)]
    data: DataFolder,
}

/// The commands of `placet key`.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Create an API key and print it, this once
    Create(Wanted),
    /// List the API keys of a project, never the keys themselves
    List {
        /// The project; the one of placet.yaml if left out
        #[arg(long)]
        project: Option<String>,
    },
    /// Revoke an API key
    Revoke {
        /// The id of the key, as `placet key list` prints it
        id: String,
        /// The project; the one of placet.yaml if left out
        #[arg(long)]
        project: Option<String>,
    },
}

/// The API key that somebody wants.
#[derive(Debug, Args)]
pub struct Wanted {
    /// The project; the one of placet.yaml if left out
    #[arg(long)]
    project: Option<String>,
    /// Its name in lists and histories; its id if left out
    #[arg(long, value_parser = name)]
    name: Option<Name>,
    /// What it may do
    #[arg(long, value_parser = roles())]
    role: Role,
    /// The key may decide the operations that it created; only with the role admin
    #[arg(long)]
    self_approval: bool,
    /// How long it is valid, as in 90d; without end if left out
    #[arg(long, value_name = "TIME", value_parser = environment::period)]
    expires: Option<Period>,
    /// The contact channel of what it requests, by its number in placet.yaml
    #[arg(long, value_name = "NUMBER")]
    channel: Option<u64>,
}

fn name(text: &str) -> Result<Name, String> {
    Name::try_from(text.to_owned())
}

fn roles() -> impl TypedValueParser<Value = Role> {
    PossibleValuesParser::new(["agent", "responder", "admin"])
        .try_map(|name| Role::parse(&name).ok_or("this is not a role"))
}

pub async fn run(arguments: &Arguments) -> Result<(), Failure> {
    let now = Clock::System.now();
    let environment = arguments.data.over(environment::load()?);
    let config = environment::config(&environment)?;
    let (_, store) = environment::deployment(environment)?;
    let main = config.project.as_str();
    match &arguments.command {
        Command::Create(wanted) => create(&config, &store, wanted, now).await,
        Command::List { project } => list(&store, project.as_deref().unwrap_or(main), now).await,
        Command::Revoke { id, project } => {
            revoke(&store, project.as_deref().unwrap_or(main), id, now).await
        }
    }
}

async fn create(
    config: &Config,
    store: &Store,
    wanted: &Wanted,
    now: Timestamp,
) -> Result<(), Failure> {
    let key = new_key()?;
    let digest = key_digest(&key);
    let api_key = described_by(config, wanted, &key_id(digest), now)?;
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

/// The key that is wanted; without a name it is called by its id.
fn described_by(
    config: &Config,
    wanted: &Wanted,
    id: &str,
    now: Timestamp,
) -> Result<ApiKey, Failure> {
    let project = wanted.project.as_deref().unwrap_or(config.project.as_str());
    if !config.projects().any(|known| known == project) {
        return Err(format!("placet.yaml has no project {project}: add it to projects").into());
    }
    if let Some(id) = wanted.channel.filter(|id| config.channel(project, *id).is_none()) {
        return Err(format!(
            "project {project} has no channel {id}: add it to channels in placet.yaml"
        )
        .into());
    }
    if wanted.self_approval && wanted.role != Role::Admin {
        let role = wanted.role.as_str();
        return Err(format!(
            "a key with the role {role} cannot both request and decide: use --role admin, or leave out --self-approval"
        )
        .into());
    }
    let name = wanted.name.as_ref().map_or(id, Name::as_str);
    Ok(ApiKey {
        role: wanted.role,
        self_approval: wanted.self_approval,
        channel: wanted.channel,
        expires_at: wanted.expires.map(|period| now.plus(period.0)),
        ..ApiKey::new(project, name, now)
    })
}

fn described(id: &str, api_key: &ApiKey) -> String {
    let may = match api_key.role {
        Role::Agent => "create, read and cancel",
        Role::Responder => "read and decide",
        Role::Admin if api_key.self_approval => {
            "create, read, cancel, decide (also what it created) and operate"
        }
        Role::Admin => "create, read, cancel, decide (not what it created) and operate",
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
        eprintln!("project {project} has no keys: make one with `{}`", command("key create"));
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
    let self_approval = if api_key.self_approval { ", self-approval" } else { "" };
    let state = state + self_approval + &channel.unwrap_or_default();
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
    let unknown =
        || format!("project {project} has no key of this id: see `{}`", command("key list"));
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

    fn wanted(wanted: &Wanted) -> Result<ApiKey, String> {
        let config = Config::parse(
            "project: x\nprojects: [y]\nchannels: {7: {project: 'y', email: {address: a@b.example}}}",
        )
        .unwrap();
        described_by(&config, wanted, "0123456789ab", NOW).map_err(|error| error.to_string())
    }

    fn of_role(role: Role) -> Wanted {
        Wanted {
            project: None,
            name: None,
            role,
            self_approval: false,
            expires: None,
            channel: None,
        }
    }

    #[test]
    fn only_an_admin_key_can_be_a_self_approval_key() {
        for role in Role::ALL {
            let asked = wanted(&Wanted { self_approval: true, ..of_role(role) });
            match role {
                Role::Admin => assert!(asked.unwrap().self_approval),
                _ => assert!(asked.unwrap_err().contains("use --role admin"), "{role:?}"),
            }
        }
    }

    #[test]
    fn keys_are_long_random_and_safe_in_a_header() {
        let (one, other) = (new_key().unwrap(), new_key().unwrap());
        assert_ne!(one, other);
        let random = one.strip_prefix("placet_").unwrap();
        assert_eq!(URL_SAFE_NO_PAD.decode(random).unwrap().len(), 32);
    }

    #[test]
    fn a_key_is_as_it_is_wanted() {
        let plain = wanted(&of_role(Role::Admin)).unwrap();
        assert_eq!(plain, ApiKey::new("x", "0123456789ab", NOW));
        let key = wanted(&Wanted {
            project: Some("y".to_owned()),
            name: Some(name("ci").unwrap()),
            role: Role::Agent,
            self_approval: false,
            expires: Some(Period::seconds(90)),
            channel: Some(7),
        });
        let key = key.unwrap();
        assert_eq!((key.project.as_str(), key.name.as_str()), ("y", "ci"));
        assert_eq!((key.role, key.channel), (Role::Agent, Some(7)));
        assert_eq!(key.expires_at.unwrap().since(NOW).as_secs(), 90);
        let project = Wanted { project: Some("z".to_owned()), ..of_role(Role::Admin) };
        assert!(wanted(&project).unwrap_err().contains("z: add it to projects"));
        let channel = Wanted { channel: Some(7), ..of_role(Role::Admin) };
        assert!(wanted(&channel).unwrap_err().contains("7: add it to channels"));
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
