//! `placet invite` and `placet session`: how people sign in to the inbox, and how their sessions end. Both work on the
//! table of `environment::deployment`.

use clap::{Args, Subcommand};
use placet_core::{LONGEST_INVITATION, SignInLink, SigningKeys, Timestamp, Token as _, hex};
use placet_runtime::config::Period;
use placet_runtime::{Clock, Config, Session, inbox_origin};

use crate::environment::DataFolder;
use crate::{Failure, command, environment, say};

/// The options of `placet invite`.
#[derive(Debug, Args)]
pub struct Invitation {
    /// The id of the person in placet.yaml
    person: String,
    /// How long the link is valid, at most 7d
    #[arg(value_name = "TIME", default_value = "1h", value_parser = environment::period)]
    valid: Period,
    #[command(flatten)]
    data: DataFolder,
}

/// The options of `placet session`.
#[derive(Debug, Args)]
pub struct Arguments {
    #[command(subcommand)]
    command: Command,
    #[command(flatten)]
    data: DataFolder,
}

/// The commands of `placet session`.
#[derive(Debug, Subcommand)]
enum Command {
    /// List who is signed in, since when and from where
    List,
    /// End a session, or all sessions of a person
    Revoke {
        /// The id of the session, as `placet session list` prints it; or the id of a person, for all their sessions
        id: String,
    },
}

/// Prints a link with which a person signs in, once.
pub fn invite(arguments: &Invitation) -> Result<(), Failure> {
    let environment = arguments.data.over(environment::load()?);
    let config = environment::config(&environment)?;
    let id = &arguments.person;
    let person = config.people.get(id).ok_or_else(|| {
        let known = config.people.iter().map(|person| person.id.as_str()).collect::<Vec<_>>();
        let known = match known.as_slice() {
            [] => "nobody".to_owned(),
            known => known.join(", "),
        };
        format!("placet.yaml does not list {id:?}: add this person to people. It lists {known}")
    })?;
    if arguments.valid.0 > LONGEST_INVITATION {
        return Err("a sign-in link is valid for at most 7d: make a new one later".into());
    }
    let (environment, _) = environment::deployment(environment)?;
    let missing =
        |name: &str| format!("{name} is not set: give it the value of the inbox function");
    let text =
        environment.get("PLACET_LINK_SECRET").ok_or_else(|| missing("PLACET_LINK_SECRET"))?;
    let keys = SigningKeys::read(&text).map_err(|weak| format!("PLACET_LINK_SECRET: {weak}"))?;
    let origin = inbox_origin(&environment).ok_or_else(|| missing("PLACET_INBOX_URL"))?;
    let mut nonce = [0; 16];
    getrandom::fill(&mut nonce)
        .map_err(|error| format!("the system gives no random bytes: {error}"))?;
    let expires_at = Clock::System.now().plus(arguments.valid.0);
    let link = SignInLink { person: id.clone(), nonce: hex(&nonce), expires_at };
    eprintln!("{} signs in with this link, once, until {expires_at}:", person.name);
    say(format!("{origin}/sign-in/{}", link.sign(&keys)));
    Ok(())
}

pub async fn run(arguments: &Arguments) -> Result<(), Failure> {
    let now = Clock::System.now();
    let environment = arguments.data.over(environment::load()?);
    let config = environment::config(&environment)?;
    let (_, store) = environment::deployment(environment)?;
    let sessions = store.sessions().await?;
    match &arguments.command {
        Command::List => list(&config, &sessions, now),
        Command::Revoke { id } => {
            let named = |one: &&Session| one.id == *id || one.person == *id;
            let valid = sessions.iter().filter(|one| one.is_valid(now)).filter(named);
            let mut ended = 0;
            for session in valid {
                store.revoke_session(&session.id, now).await?;
                say(format!("session {} of {} has ended", session.id, session.person));
                ended += 1;
            }
            if ended == 0 {
                let list = command("session list");
                return Err(format!("no open session has this id or person: see `{list}`").into());
            }
        }
    }
    Ok(())
}

fn list(config: &Config, sessions: &[Session], now: Timestamp) {
    if sessions.is_empty() {
        eprintln!("nobody has signed in: make a link with `{}`", command("invite PERSON"));
        return;
    }
    let heading = ["ID", "PERSON", "PROOF", "FROM", "SINCE", "STATE"].map(str::to_owned);
    for [id, person, proof, from, since, state] in
        std::iter::once(heading).chain(sessions.iter().map(|session| row(config, session, now)))
    {
        say(format!("{id:<32}  {person:<16}  {proof:<7}  {from:<15}  {since:<24}  {state}"));
    }
}

fn row(config: &Config, session: &Session, now: Timestamp) -> [String; 6] {
    let state = match session.revoked_at {
        Some(moment) => format!("ended {moment}"),
        None if !session.is_valid(now) => "expired".to_owned(),
        None if config.people.get(&session.person).is_none() => {
            "closed: not in placet.yaml any more".to_owned()
        }
        None => format!("open until {}", session.expires_at),
    };
    [
        session.id.clone(),
        session.person.clone(),
        session.proof.as_str().to_owned(),
        session.from.clone().unwrap_or_else(|| "–".to_owned()),
        session.created_at.to_string(),
        state,
    ]
}

#[cfg(test)]
mod tests {
    use placet_core::operation::Proof;

    use super::*;

    const NOW: Timestamp = Timestamp::from_millis(1_795_000_000_000);

    #[test]
    fn a_session_is_open_until_it_is_not() {
        let config = Config::parse("project: x\npeople: {ana: {}}").unwrap();
        let session = Session {
            id: "0123".to_owned(),
            person: "ana".to_owned(),
            proof: Proof::Session,
            from: None,
            created_at: NOW,
            expires_at: NOW,
            revoked_at: None,
        };
        let state = |session: &Session| row(&config, session, NOW)[5].clone();
        assert_eq!(state(&session), format!("open until {NOW}"));
        let removed = Session { person: "bo".to_owned(), ..session.clone() };
        assert_eq!(state(&removed), "closed: not in placet.yaml any more");
        let expired = Session { expires_at: Timestamp::from_millis(0), ..session.clone() };
        assert_eq!(state(&expired), "expired");
        assert_eq!(state(&Session { revoked_at: Some(NOW), ..session }), format!("ended {NOW}"));
    }
}
