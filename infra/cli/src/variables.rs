//! The environment variables that Placet reads: which values they may have, and which names nobody reads.

use std::collections::BTreeSet;

use placet_core::limits::{LONGEST_POLL, MOST_WRITES};
use placet_core::{Period, SigningKeys, rate, url};
use placet_runtime::config::closest;
use placet_runtime::{Config, Environment};

use crate::Failure;

/// The variables with a fixed name, those of a deployment included. docs/SETTINGS.md explains the first ones.
const KNOWN: [&str; 25] = [
    "PLACET_ADDR",
    "PLACET_API_KEY",
    "PLACET_API_URL",
    "PLACET_BLOBS",
    "PLACET_CONFIG",
    "PLACET_DATA_DIR",
    "PLACET_DEMO",
    "PLACET_LINK_SECRET",
    "PLACET_LOCAL_KEY",
    "PLACET_LOG",
    "PLACET_LOG_FORMAT",
    "PLACET_LONG_POLL",
    "PLACET_SECRETS",
    "PLACET_SIGN_IN",
    "PLACET_WEBHOOK_URL",
    "PLACET_INBOX_URL",
    "PLACET_TABLE",
    "PLACET_LANE",
    "PLACET_WORK_QUEUE_URL",
    "PLACET_CALLS_QUEUE_URL",
    "PLACET_DEAD_LETTER_QUEUE_URL",
    "PLACET_TEST_SEED",
    "PLACET_CHROMIUM",
    "PLACET_MAILBOX",
    "PLACET_WRITES_PER_SECOND",
];

/// Refuses a variable whose value cannot be meant.
pub fn refuse_wrong(environment: &Environment) -> Result<(), Failure> {
    let allowed: [(&str, &[&str]); 4] = [
        ("PLACET_LOG", &["error", "warn", "info", "debug"]),
        ("PLACET_LOG_FORMAT", &["text", "json"]),
        ("PLACET_DEMO", &["on", "off"]),
        ("PLACET_SIGN_IN", &["off", "required"]),
    ];
    for (name, values) in allowed {
        if let Some(value) = environment.get(name)
            && !values.contains(&value.as_str())
        {
            let (last, others) = values.split_last().unwrap_or((&"", &[]));
            let list = format!("{} or {last}", others.join(", "));
            return Err(format!("{name} is {value:?}: set it to {list}").into());
        }
    }
    if let Some(text) = environment.get("PLACET_LONG_POLL").filter(|text| text != "0s") {
        let time =
            Period::try_from(text.clone()).map_err(|error| format!("PLACET_LONG_POLL: {error}"))?;
        if time.0 > LONGEST_POLL {
            let fix = "set it to 25s or less, or to 0s if no poll shall be held";
            return Err(format!("PLACET_LONG_POLL is {text}, and clients wait 30 s: {fix}").into());
        }
    }
    if let Some(text) = environment.get("PLACET_WRITES_PER_SECOND") {
        rate::per_second(&text).ok_or_else(|| {
            format!("PLACET_WRITES_PER_SECOND is {text:?}: set it to a whole number from 1 to {MOST_WRITES}")
        })?;
    }
    for name in ["PLACET_WEBHOOK_URL", "PLACET_INBOX_URL", "PLACET_API_URL"] {
        if let Some(origin) = environment.get(name) {
            is_origin(&origin).map_err(|wrong| format!("{name}: {wrong}"))?;
        }
    }
    if let Some(secret) = environment.get("PLACET_LINK_SECRET") {
        SigningKeys::read(&secret)
            .map_err(|weak| format!("PLACET_LINK_SECRET is too short: {weak}"))?;
    }
    Ok(())
}

fn is_origin(text: &str) -> Result<(), String> {
    url::refuse_user(text)?;
    if !url::is_origin(text) {
        let shown = url::shown(text);
        return Err(format!(
            "{shown:?} is not an address: write it like https://hooks.example.com"
        ));
    }
    Ok(())
}

/// The variables of Placet that nothing reads, as sentences. Those in `PLACET_SECRETS` are Placet's, whatever their
/// name, except those of AWS.
pub fn unread(environment: &Environment, file: &Environment, config: &Config) -> Vec<String> {
    let named = config.variables();
    let known: BTreeSet<&str> = KNOWN.into_iter().chain(named).collect();
    let ours = environment.names().filter(|name| name.to_uppercase().starts_with("PLACET_"));
    let listed = environment.names_listed().chain(file.names_listed());
    let listed = listed.filter(|name| !name.starts_with("AWS_"));
    let all: BTreeSet<String> = ours.map(str::to_owned).chain(listed).collect();
    let unread = all.iter().filter(|name| !known.contains(name.as_str()));
    unread.map(|name| format!("nothing reads {name}: {}", instead(name, &known))).collect()
}

/// What to do about a variable that nothing reads.
fn instead(name: &str, known: &BTreeSet<&str>) -> String {
    const SECRET: &str = "PLACET_SECRET_";
    let upper = name.to_uppercase();
    let ours = upper.starts_with("PLACET_");
    let prefix = if ours && !upper.starts_with(SECRET) { "PLACET_" } else { SECRET };
    let others = known.iter().filter_map(|known| known.strip_prefix(prefix));
    let similar = closest(upper.strip_prefix(prefix).unwrap_or(&upper), others);
    let similar = similar.map(|similar| format!("{prefix}{similar}"));
    let own = || (!ours).then(|| closest(name, known.iter().copied()).map(str::to_owned)).flatten();
    match similar.or_else(own) {
        Some(similar) => format!("did you mean {similar}?"),
        None if prefix == SECRET => "name it in placet.yaml, or remove it".to_owned(),
        None => "remove it".to_owned(),
    }
}

/// The secrets that a file `.env` sets otherwise than the environment, as sentences.
pub fn hidden(environment: &Environment, file: &Environment, config: &Config) -> Vec<String> {
    let secrets = config.variables().into_iter();
    let other = secrets.filter(|name| match (environment.get(name), file.get(name)) {
        (Some(own), Some(written)) => own != written,
        _ => false,
    });
    other
        .map(|name| {
            format!("{name} has another value in .env, which the environment overrides: remove one")
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn environment(pairs: &[(&str, &str)]) -> Environment {
        pairs.iter().copied().collect()
    }

    #[test]
    fn the_documented_variables_are_known() {
        let page = include_str!("../../../docs/SETTINGS.md");
        let rows = page.lines().filter_map(|line| line.strip_prefix("| `PLACET_"));
        let names: Vec<&str> = rows.filter_map(|row| row.split('`').next()).collect();
        assert!(names.len() > 10, "{names:?}");
        for name in names.iter().filter(|name| **name != "SECRET_…") {
            assert!(KNOWN.contains(&format!("PLACET_{name}").as_str()), "{name}");
        }
    }

    #[test]
    fn values_that_can_be_meant_are_accepted() {
        for (name, value) in [
            ("PLACET_LOG", "debug"),
            ("PLACET_LONG_POLL", "0s"),
            ("PLACET_LONG_POLL", "25s"),
            ("PLACET_WEBHOOK_URL", "https://hooks.example.com/base"),
            ("PLACET_LINK_SECRET", "a key for links of forty bytes in length"),
        ] {
            assert!(refuse_wrong(&environment(&[(name, value)])).is_ok(), "{name}={value}");
        }
    }
}
