//! `placet init`: a commented `placet.yaml`.

use std::fs::OpenOptions;
use std::io::{ErrorKind, Write as _};

use crate::{Failure, command, environment, say};

const COMMENTED: &str = include_str!("init.yaml");

pub fn run() -> Result<(), Failure> {
    let file = environment::config_file(&environment::load()?);
    let opened = OpenOptions::new().write(true).create_new(true).open(&file);
    let mut opened = opened.map_err(|error| match error.kind() {
        ErrorKind::AlreadyExists => format!("{file} exists already: nothing is written"),
        _ => format!("{file} cannot be written: {error}"),
    })?;
    opened.write_all(COMMENTED.as_bytes())?;
    let setting = match file == environment::CONFIG_FILE {
        true => String::new(),
        false => format!("PLACET_CONFIG={file} "),
    };
    let [check, dev] = ["check", "dev"].map(|name| format!("`{setting}{}`", command(name)));
    say(format!("{file} is written. Read it, then run {check} and {dev}."));
    Ok(())
}

#[cfg(test)]
mod tests {
    use placet_core::webhook::presets;
    use placet_runtime::Config;
    use placet_runtime::config::{Action, Interface};

    use super::*;

    /// The file with every example in it: a commented line is one unless a single space follows its #.
    fn with_examples() -> Config {
        let example = |line: &'static str| match line.strip_prefix('#') {
            Some(rest) if rest.starts_with("  ") || !rest.starts_with(' ') => rest,
            _ => line,
        };
        let lines: Vec<&str> = COMMENTED.lines().map(example).collect();
        Config::parse(&lines.join("\n")).unwrap()
    }

    #[test]
    fn the_file_is_correct_and_runs_nothing() {
        let config = Config::parse(COMMENTED).unwrap();
        assert_eq!((config.operations().count(), config.endpoints().count()), (0, 0));
        assert_eq!((config.projects().count(), config.upstreams().count()), (1, 0));
        assert_eq!((config.channels().count(), config.mail), (0, None));
    }

    #[test]
    fn its_examples_show_every_section() {
        let config = with_examples();
        assert_eq!(config.projects().collect::<Vec<_>>(), ["default", "team-a"]);
        assert_eq!(config.run_for("purchase_materials"), [Interface::Placet]);
        assert_eq!(config.run_for("refund_payment"), [Interface::Placet, Interface::HumanLayer]);
        assert!(config.upstream("default", None).is_some());
        assert!(config.upstream("default", Some("refund_payment")).is_none());
        let executor = |name| config.plan(name).map(|plan| plan.executor);
        assert_eq!(
            [executor("purchase_materials"), executor("refund_payment"), executor("deploy")],
            [
                Some("function purchase_materials".to_owned()),
                Some("POST https://payments.example.com/placet".to_owned()),
                None
            ]
        );
        let actions: Vec<&Action> =
            config.source("shop").unwrap().targets.iter().map(|target| &target.action).collect();
        assert!(matches!(actions[..], [Action::Operation(_), Action::Forward { .. }, Action::Log]));
        assert!(config.endpoint("default", "billing").is_some());
        assert!(config.endpoint("team-a", "app").is_some());
        assert_eq!(config.mail.as_ref().unwrap().from.address, "approvals@example.com");
        assert!(config.channel("default", 17).is_some());
        assert!(config.channel("team-a", 18).is_some());
    }

    #[test]
    fn it_names_every_preset() {
        let start = COMMENTED.find("# The presets: ").unwrap();
        let sentence = COMMENTED[start..].split_once('.').unwrap().0;
        let words = sentence.trim_start_matches("# The presets: ").replace("\n#", "");
        let mut presets: Vec<&str> = presets::names().collect();
        presets.sort_unstable();
        assert_eq!(words.split(", ").collect::<Vec<_>>(), presets);
    }
}
