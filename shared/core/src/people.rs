//! The people who decide and operate, and their groups, as `placet.yaml` lists them.

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;

/// What a person may do. An operation names its approvers in addition: see
/// [`Approvers`](crate::operation::Approvers).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum PersonRight {
    /// See and decide the operations that name the person as an approver.
    Decide,
    /// See every operation, and settle unknown outcomes and failures.
    Operate,
}

/// A person.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Person {
    /// The id in `placet.yaml`, which histories record.
    pub id: String,
    /// The name on pages and in messages.
    pub name: String,
    /// The e-mail address.
    pub email: Option<String>,
    /// The id of the Slack user.
    pub slack: Option<String>,
    /// What the person may do.
    pub rights: BTreeSet<PersonRight>,
}

impl Person {
    /// Whether the person has this right.
    pub fn may(&self, right: PersonRight) -> bool {
        self.rights.contains(&right)
    }
}

/// All people, and their groups.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct People {
    people: BTreeMap<String, Person>,
    groups: BTreeMap<String, Vec<String>>,
}

/// Why people or groups cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PeopleError {
    /// Two people have one e-mail address or one Slack id, so a message from there names neither.
    #[error("{0} has the same {1}: each person needs a different one, or none")]
    Shared(String, &'static str),
    /// A group has the id of a person.
    #[error("this is also the id of a person: name the group differently")]
    Ambiguous,
    /// A list of people is empty.
    #[error("this list is empty: name at least one person or group, or remove it")]
    Nobody,
    /// No person or group has this name.
    #[error("there is no person {0}: add it to people")]
    Unknown(String),
    /// An approver has no right to decide.
    #[error("{0} may not decide: add decide to the rights of this person")]
    MayNotDecide(String),
}

impl People {
    /// Adds a person.
    ///
    /// # Errors
    ///
    /// If another person has the same e-mail address or Slack id.
    pub fn add(&mut self, person: Person) -> Result<(), PeopleError> {
        let shared = |other: &Person| match () {
            () if person.email.is_some() && same_address(&person.email, &other.email) => {
                Some("email")
            }
            () if person.slack.is_some() && person.slack == other.slack => Some("slack"),
            () => None,
        };
        let found = self.people.values().find_map(|other| Some((other, shared(other)?)));
        if let Some((other, what)) = found {
            return Err(PeopleError::Shared(other.id.clone(), what));
        }
        self.people.insert(person.id.clone(), person);
        Ok(())
    }

    /// Adds a group of people who are added already.
    ///
    /// # Errors
    ///
    /// If the name is the id of a person, if the group is empty, or if a member is unknown.
    pub fn group(&mut self, name: &str, members: Vec<String>) -> Result<(), PeopleError> {
        if self.people.contains_key(name) {
            return Err(PeopleError::Ambiguous);
        }
        if members.is_empty() {
            return Err(PeopleError::Nobody);
        }
        if let Some(unknown) = members.iter().find(|id| !self.people.contains_key(*id)) {
            return Err(PeopleError::Unknown(unknown.clone()));
        }
        self.groups.insert(name.to_owned(), members);
        Ok(())
    }

    /// The person with this id, or the members of the group with this name; nobody if there is neither.
    pub fn members(&self, name: &str) -> Vec<String> {
        match (self.people.get(name), self.groups.get(name)) {
            (Some(person), _) => vec![person.id.clone()],
            (None, Some(members)) => members.clone(),
            (None, None) => Vec::new(),
        }
    }

    /// Whether nobody is listed.
    pub fn is_empty(&self) -> bool {
        self.people.is_empty()
    }

    /// All people.
    pub fn iter(&self) -> impl Iterator<Item = &Person> {
        self.people.values()
    }

    /// The person with this id.
    pub fn get(&self, id: &str) -> Option<&Person> {
        self.people.get(id)
    }

    /// The person with this e-mail address. Upper and lower case of ASCII letters do not matter.
    pub fn by_email(&self, address: &str) -> Option<&Person> {
        let address = Some(address.to_owned());
        self.iter().find(|person| same_address(&person.email, &address))
    }

    /// The person with this Slack id.
    pub fn by_slack(&self, user: &str) -> Option<&Person> {
        self.iter().find(|person| person.slack.as_deref() == Some(user))
    }

    /// The ids of these people and of the members of these groups, each once. All of them may decide.
    ///
    /// # Errors
    ///
    /// If a name is neither a person nor a group, if there is no name, or if a person may not decide.
    pub fn approvers(&self, names: &[String]) -> Result<Vec<String>, PeopleError> {
        if names.is_empty() {
            return Err(PeopleError::Nobody);
        }
        let mut ids = BTreeSet::new();
        for name in names {
            match (self.people.get(name), self.groups.get(name)) {
                (Some(person), _) => ids.extend([person.id.clone()]),
                (None, Some(members)) => ids.extend(members.iter().cloned()),
                (None, None) => return Err(PeopleError::Unknown(name.clone())),
            }
        }
        let may = |id: &String| self.get(id).is_some_and(|one| one.may(PersonRight::Decide));
        match ids.iter().find(|id| !may(id)) {
            Some(id) => Err(PeopleError::MayNotDecide(id.clone())),
            None => Ok(ids.into_iter().collect()),
        }
    }
}

fn same_address(one: &Option<String>, other: &Option<String>) -> bool {
    matches!((one, other), (Some(one), Some(other)) if one.eq_ignore_ascii_case(other))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn person(id: &str, rights: &[PersonRight]) -> Person {
        Person {
            id: id.to_owned(),
            name: id.to_uppercase(),
            email: Some(format!("{id}@example.com")),
            slack: Some(format!("U{id}")),
            rights: rights.iter().copied().collect(),
        }
    }

    fn people() -> People {
        let mut people = People::default();
        people.add(person("ana", &[PersonRight::Decide])).unwrap();
        people.add(person("bo", &[PersonRight::Decide, PersonRight::Operate])).unwrap();
        people.add(person("cy", &[PersonRight::Operate])).unwrap();
        people.group("finance", vec!["bo".to_owned(), "ana".to_owned()]).unwrap();
        people
    }

    fn approvers(names: &[&str]) -> Result<Vec<String>, PeopleError> {
        people().approvers(&names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>())
    }

    #[test]
    fn approvers_are_people_and_members_of_groups_each_once() {
        assert_eq!(approvers(&["finance", "ana"]).unwrap(), ["ana", "bo"]);
        assert_eq!(approvers(&["bo"]).unwrap(), ["bo"]);
    }

    #[test]
    fn an_approver_must_be_listed_and_may_decide() {
        assert_eq!(approvers(&["di"]), Err(PeopleError::Unknown("di".to_owned())));
        assert_eq!(approvers(&["cy"]), Err(PeopleError::MayNotDecide("cy".to_owned())));
        assert_eq!(approvers(&[]), Err(PeopleError::Nobody));
    }

    #[test]
    fn an_address_names_one_person_in_any_case() {
        assert_eq!(people().by_email("ANA@Example.com").unwrap().id, "ana");
        assert_eq!(people().by_slack("Ubo").unwrap().id, "bo");
        assert!(people().by_email("nobody@example.com").is_none());
        let twin = Person { id: "ana2".to_owned(), slack: None, ..person("ana", &[]) };
        let shared = PeopleError::Shared("ana".to_owned(), "email");
        assert_eq!(people().add(twin), Err(shared));
    }

    #[test]
    fn a_person_without_an_address_is_no_twin() {
        let silent = |id| Person { email: None, slack: None, ..person(id, &[]) };
        let mut people = People::default();
        people.add(silent("a")).unwrap();
        assert_eq!(people.add(silent("b")), Ok(()));
    }

    #[test]
    fn a_group_has_listed_members_and_a_name_of_its_own() {
        let group = |name: &str, members: &[&str]| {
            people().group(name, members.iter().map(|id| (*id).to_owned()).collect())
        };
        assert_eq!(group("ana", &["bo"]), Err(PeopleError::Ambiguous));
        assert_eq!(group("leads", &[]), Err(PeopleError::Nobody));
        assert_eq!(group("leads", &["di"]), Err(PeopleError::Unknown("di".to_owned())));
    }
}
