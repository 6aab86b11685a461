//! People and groups, and the approvers of operations, functions and projects.

use std::collections::{BTreeMap, BTreeSet};

use placet_core::email;
use placet_core::people::{People, PeopleError, Person, PersonRight};
use serde::Deserialize;
use serde::de::value::MapAccessDeserializer;
use serde::de::{MapAccess, Visitor};

use super::{Config, Name, locate};

/// A person as written.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct WrittenPerson {
    name: Option<String>,
    email: Option<Email>,
    slack: Option<SlackUser>,
    #[serde(default = "decide")]
    rights: BTreeSet<PersonRight>,
}

fn decide() -> BTreeSet<PersonRight> {
    BTreeSet::from([PersonRight::Decide])
}

/// An e-mail address that every mail server takes.
#[derive(Clone, Debug, Deserialize)]
#[serde(try_from = "String")]
pub(super) struct Email(String);

impl TryFrom<String> for Email {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        if email::is_address(&text) {
            Ok(Self(text))
        } else {
            Err(format!("{text:?} is not an e-mail address: write it like ana@example.com"))
        }
    }
}

/// The id of a Slack user: `U` or `W`, then capital letters and digits.
#[derive(Clone, Debug, Deserialize)]
#[serde(try_from = "String")]
pub(super) struct SlackUser(String);

impl TryFrom<String> for SlackUser {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let id = |byte: u8| byte.is_ascii_uppercase() || byte.is_ascii_digit();
        if text.len() > 1 && text.starts_with(['U', 'W']) && text.bytes().all(id) {
            Ok(Self(text))
        } else {
            Err(format!(
                "{text:?} is not the id of a Slack user: copy the member ID, as in U02AB3CD4, from the profile"
            ))
        }
    }
}

/// A further project: its name, or its name and its settings.
#[derive(Clone, Debug)]
pub(super) struct Project {
    pub(super) name: Name,
    approvers: Option<Vec<Name>>,
}

impl<'de> Deserialize<'de> for Project {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(ProjectVisitor)
    }
}

struct ProjectVisitor;

impl<'de> Visitor<'de> for ProjectVisitor {
    type Value = Project;

    fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("the name of a project, or its name and approvers")
    }

    fn visit_str<E: serde::de::Error>(self, name: &str) -> Result<Project, E> {
        let name = Name::try_from(name.to_owned()).map_err(E::custom)?;
        Ok(Project { name, approvers: None })
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Project, A::Error> {
        #[derive(Deserialize)]
        #[serde(deny_unknown_fields)]
        struct Written {
            name: Name,
            approvers: Option<Vec<Name>>,
        }
        let Written { name, approvers } = Written::deserialize(MapAccessDeserializer::new(map))?;
        Ok(Project { name, approvers })
    }
}

impl Config {
    /// Reads people and groups, and checks every list of approvers.
    pub(super) fn read_people(&mut self, text: &str) -> Result<(), String> {
        let at = |place: &[&str], error: &dyn std::fmt::Display| {
            let place: Vec<String> = place.iter().map(|name| (*name).to_owned()).collect();
            locate::at(text, &place, error)
        };
        let mut people = People::default();
        for (id, written) in std::mem::take(&mut self.written_people) {
            let place = ["people", id.as_str()];
            let person = person(id.as_str(), written);
            people.add(person).map_err(|error| match &error {
                PeopleError::Shared(_, what) => at(&[place[0], place[1], what], &error),
                _ => at(&place, &error),
            })?;
        }
        for (name, members) in std::mem::take(&mut self.written_groups) {
            let members = ids(&members);
            people
                .group(name.as_str(), members)
                .map_err(|error| at(&["groups", name.as_str()], &error))?;
        }
        self.people = people;
        for (place, names) in self.written_approvers() {
            self.people.approvers(&ids(names)).map_err(|error| {
                let place: Vec<&str> = place.iter().map(String::as_str).collect();
                at(&place, &named(&error))
            })?;
        }
        Ok(())
    }

    /// Every list of approvers, with its place.
    fn written_approvers(&self) -> impl Iterator<Item = (Vec<String>, &[Name])> {
        let place = |members: &[&str]| members.iter().map(|name| (*name).to_owned()).collect();
        let defaults = self.defaults.approvers.as_deref();
        let defaults = defaults.map(|names| (place(&["defaults", "approvers"]), names));
        let projects = self.further.iter().enumerate().filter_map(move |(index, project)| {
            let index = index.to_string();
            Some((place(&["projects", &index, "approvers"]), project.approvers.as_deref()?))
        });
        let operations = self.operations().filter_map(move |(function, definition)| {
            let names = definition.approvers.as_deref()?;
            Some((place(&["operations", function, "approvers"]), names))
        });
        defaults.into_iter().chain(projects).chain(operations)
    }

    /// The ids of the people who may decide calls of this function, or questions if `function` is `None`: those of
    /// the function, else those of the project, else those of the defaults. Empty if none of them names anybody, so
    /// that everybody who is listed may decide.
    pub fn people_for(&self, project: &str, function: Option<&str>) -> Vec<String> {
        let definition = function.and_then(|function| self.operation(function));
        let own = definition.and_then(|definition| definition.approvers.as_ref());
        let of_project = || {
            let found = self.further.iter().find(|one| one.name.as_str() == project);
            found.and_then(|project| project.approvers.as_ref())
        };
        let names = own.or_else(of_project).or(self.defaults.approvers.as_ref());
        names
            .map(|names| self.people.approvers(&ids(names)).unwrap_or_default())
            .unwrap_or_default()
    }
}

fn person(id: &str, written: WrittenPerson) -> Person {
    Person {
        id: id.to_owned(),
        name: written.name.filter(|name| !name.trim().is_empty()).unwrap_or_else(|| id.to_owned()),
        email: written.email.map(|Email(address)| address),
        slack: written.slack.map(|SlackUser(user)| user),
        rights: written.rights,
    }
}

fn ids(names: &[Name]) -> Vec<String> {
    names.iter().map(|name| name.as_str().to_owned()).collect()
}

fn named(error: &PeopleError) -> String {
    match error {
        PeopleError::Unknown(name) => {
            format!("there is no person and no group {name}: add it to people or to groups")
        }
        error => error.to_string(),
    }
}

pub(super) type WrittenPeople = BTreeMap<Name, WrittenPerson>;

#[cfg(test)]
mod tests {
    use super::*;

    const PEOPLE: &str = "project: x\nprojects: [y, {name: z, approvers: [bo]}]\n\
        people:\n  ana: {name: Ana Ruiz, email: ana@example.com, slack: U1}\n  bo: {rights: [decide, operate]}\n  cy: {rights: [operate]}\n\
        groups:\n  finance: [ana, bo]\n";

    fn parse(more: &str) -> Result<Config, String> {
        Config::parse(&format!("{PEOPLE}{more}"))
    }

    #[test]
    fn a_person_has_a_name_and_rights() {
        let config = parse("").unwrap();
        let ana = config.people.get("ana").unwrap();
        assert_eq!(
            (ana.name.as_str(), ana.email.as_deref()),
            ("Ana Ruiz", Some("ana@example.com"))
        );
        assert!(ana.may(PersonRight::Decide) && !ana.may(PersonRight::Operate));
        let bo = config.people.get("bo").unwrap();
        assert_eq!((bo.name.as_str(), bo.may(PersonRight::Operate)), ("bo", true));
        assert!(!config.people.get("cy").unwrap().may(PersonRight::Decide));
    }

    #[test]
    fn the_function_names_its_approvers_before_the_project_and_the_defaults() {
        let config = parse("operations:\n  f: {approvers: [ana]}\n  g: {}\n").unwrap();
        assert_eq!(config.people_for("x", Some("f")), ["ana"]);
        assert_eq!(config.people_for("z", Some("f")), ["ana"]);
        assert_eq!(config.people_for("z", Some("g")), ["bo"]);
        assert_eq!(config.people_for("z", None), ["bo"]);
        for (project, function) in [("x", None), ("x", Some("g")), ("y", Some("unknown"))] {
            assert!(config.people_for(project, function).is_empty(), "everybody");
        }
        let config = parse("defaults: {approvers: [finance]}\n").unwrap();
        assert_eq!(config.people_for("y", None), ["ana", "bo"]);
        assert_eq!(config.people_for("z", None), ["bo"]);
    }

    #[test]
    fn a_wrong_person_or_approver_is_named_with_its_place() {
        let error = |more: &str| parse(more).unwrap_err();
        insta::assert_snapshot!(error("defaults: {approvers: [finanse]}\n"), @"line 9, column 12: defaults.approvers: there is no person and no group finanse: add it to people or to groups");
        insta::assert_snapshot!(error("defaults: {approvers: []}\n"), @"line 9, column 12: defaults.approvers: this list is empty: name at least one person or group, or remove it");
        insta::assert_snapshot!(error("operations:\n  f: {approvers: [cy]}\n"), @"line 10, column 7: operations.f.approvers: cy may not decide: add decide to the rights of this person");
        let error =
            |people: &str| Config::parse(&format!("project: x\npeople:\n{people}")).unwrap_err();
        insta::assert_snapshot!(error("  ana: {email: a@b.example}\n  bo: {email: A@B.example}\n"), @"line 4, column 8: people.bo.email: ana has the same email: each person needs a different one, or none");
        insta::assert_snapshot!(error("  ana: {email: 'a@b, c@d'}\n"), @r#"line 3, column 16: people.ana.email: "a@b, c@d" is not an e-mail address: write it like ana@example.com"#);
        insta::assert_snapshot!(error("  ana: {slack: '@ana'}\n"), @r#"line 3, column 16: people.ana.slack: "@ana" is not the id of a Slack user: copy the member ID, as in U02AB3CD4, from the profile"#);
        insta::assert_snapshot!(error("  ana: {rights: [approve]}\n"), @"line 3, column 18: people.ana.rights.0: there is no value `approve`: use one of decide, operate");
        insta::assert_snapshot!(error("  ana: {}\ngroups: {ana: [ana]}\n"), @"line 4, column 10: groups.ana: this is also the id of a person: name the group differently");
        insta::assert_snapshot!(error("  ana: {}\ngroups: {leads: [bo]}\n"), @"line 4, column 10: groups.leads: there is no person bo: add it to people");
        insta::assert_snapshot!(error("  ana: {}\nprojects: [{name: y, approver: [ana]}]\n"), @"line 4, column 22: projects.0: there is no key `approver`: did you mean `approvers`?");
    }
}
