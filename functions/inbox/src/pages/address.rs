//! The addresses of the pages.

use placet_core::operation::OperationId;
use placet_core::percent::encode;

use super::visible::Shown;

/// The person who looks at a page. The default is the person at the machine that runs Placet.
#[derive(Clone, Copy, Debug, Default)]
pub struct Viewer<'a> {
    /// The name of the person who signed in; `None` for the local person, who needs no sign-in.
    pub name: Option<&'a str>,
    /// The token that every form sends back, if there is a session.
    pub csrf: Option<&'a str>,
}

/// The projects of a deployment, and the project whose pages are shown.
#[derive(Clone, Debug)]
pub struct Projects<'a> {
    /// All projects. The first is the main project, whose addresses do not name a project.
    pub all: Vec<&'a str>,
    /// The project that is shown.
    pub shown: &'a str,
    /// Whether the demo's pages are in the navigation.
    pub demo: bool,
    /// The person who looks at the pages.
    pub viewer: Viewer<'a>,
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

/// The address at which a person edits the text of an option: the address of the form, with the option as a
/// parameter. The fragment makes a browser scroll to the form.
pub(super) fn edit(action: &str, option: &str) -> String {
    let separator = if action.contains('?') { '&' } else { '?' };
    format!("{action}{separator}option={}#decide", encode(option))
}

/// The frame around every page.
pub(super) struct Frame {
    /// The entry of the navigation that this page is.
    pub(super) here: &'static str,
    /// The address of the inbox that this page belongs to.
    pub(super) inbox: String,
    /// Whether the demo's pages are in the navigation.
    pub(super) demo: bool,
    /// The name of the person who signed in.
    pub(super) name: Option<Shown>,
    /// The token that every form sends back.
    pub(super) csrf: Option<String>,
}

impl Frame {
    /// The frame of a page without a project: a page of the demo, which has a name, or a message, which has
    /// no name.
    pub(super) fn new(here: &'static str) -> Self {
        let (inbox, demo) = ("/inbox".to_owned(), !here.is_empty());
        Self { here, inbox, demo, name: None, csrf: None }
    }

    /// The frame of a page of the project that is shown.
    pub(super) fn of(here: &'static str, projects: &Projects<'_>) -> Self {
        let Viewer { name, csrf } = projects.viewer;
        Self {
            here,
            inbox: projects.inbox(projects.shown),
            demo: projects.demo,
            name: name.map(Shown::text),
            csrf: csrf.map(str::to_owned),
        }
    }
}

#[cfg(test)]
mod tests {
    use placet_core::operation::OperationKind;

    use super::*;

    #[test]
    fn addresses_name_the_kind_and_every_project_except_the_main_one() {
        let (all, viewer) = (vec!["main", "other"], Viewer::default());
        let projects = Projects { all, shown: "other", demo: false, viewer };
        let question = |project| OperationId::new(project, OperationKind::HumanContact, "q 1");
        assert_eq!(projects.operation(&OperationId::call("main", "c")), "/inbox/c");
        assert_eq!(projects.operation(&question("main")), "/inbox/questions/q%201");
        assert_eq!(projects.operation(&question("other")), "/inbox/questions/q%201?project=other");
        assert_eq!(projects.inbox("main"), "/inbox");
        assert_eq!(edit("/d/token", "a&b"), "/d/token?option=a%26b#decide");
        assert_eq!(edit("/inbox/c?project=x", "a"), "/inbox/c?project=x&option=a#decide");
    }
}
