//! Where the pages are.

use placet_core::operation::OperationId;
use placet_core::percent::encode;

/// The projects of a deployment, and the one whose pages are shown.
#[derive(Clone, Debug)]
pub struct Projects<'a> {
    /// All of them. The addresses of the first, the main one, do not name it.
    pub all: Vec<&'a str>,
    /// The one that is shown.
    pub shown: &'a str,
    /// Whether the demo's pages are in the navigation.
    pub demo: bool,
}

impl Projects<'_> {
    /// The address of a project's inbox.
    pub fn inbox(&self, project: &str) -> String {
        if project == self.main() {
            "/inbox".to_owned()
        } else {
            format!("/inbox?project={}", encode(project))
        }
    }

    /// The address of an operation's page.
    pub fn operation(&self, id: &OperationId) -> String {
        id.inbox_address(self.main())
    }

    fn main(&self) -> &str {
        self.all.first().copied().unwrap_or_default()
    }
}

/// The address where the text of an option is edited: the one its form posts to, and the option. A
/// browser goes to the form at once.
pub(super) fn edit(action: &str, option: &str) -> String {
    let separator = if action.contains('?') { '&' } else { '?' };
    format!("{action}{separator}option={}#decide", encode(option))
}

/// What stands around every page.
pub(super) struct Frame {
    /// Which of the pages in the navigation this is.
    pub(super) here: &'static str,
    /// The inbox this page belongs to.
    pub(super) inbox: String,
    /// Whether the demo's pages are in the navigation.
    pub(super) demo: bool,
}

impl Frame {
    /// Of a page of no project: the demo's pages have a name, a message has none.
    pub(super) fn new(here: &'static str) -> Self {
        Self { here, inbox: "/inbox".to_owned(), demo: !here.is_empty() }
    }

    /// Of a page of the project that is shown.
    pub(super) fn of(here: &'static str, projects: &Projects<'_>) -> Self {
        Self { here, inbox: projects.inbox(projects.shown), demo: projects.demo }
    }
}

#[cfg(test)]
mod tests {
    use placet_core::operation::OperationKind;

    use super::*;

    #[test]
    fn addresses_name_the_kind_and_any_project_but_the_main_one() {
        let projects = Projects { all: vec!["main", "other"], shown: "other", demo: false };
        let question = |project| OperationId::new(project, OperationKind::HumanContact, "q 1");
        assert_eq!(projects.operation(&OperationId::call("main", "c")), "/inbox/c");
        assert_eq!(projects.operation(&question("main")), "/inbox/questions/q%201");
        assert_eq!(projects.operation(&question("other")), "/inbox/questions/q%201?project=other");
        assert_eq!(projects.inbox("main"), "/inbox");
        assert_eq!(edit("/d/token", "a&b"), "/d/token?option=a%26b#decide");
        assert_eq!(edit("/inbox/c?project=x", "a"), "/inbox/c?project=x&option=a#decide");
    }
}
