//! The filters of a list. They are in the address of the page.

use std::time::Duration;

use placet_core::Timestamp;
use placet_core::item::Item;
use placet_core::operation::{Operation, State};

use super::words::{requester, title};

/// The lists of the inbox.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum List {
    /// Operations that wait for the viewer.
    ForYou,
    /// All operations that wait for a decision.
    Waiting,
    /// Operations that do not wait for a decision, newest first.
    Decided,
    /// Operations and deliveries that need attention.
    Problems,
}

impl List {
    /// All lists, in the order of the navigation.
    pub const ALL: [Self; 4] = [Self::ForYou, Self::Waiting, Self::Decided, Self::Problems];

    /// The list that an address names; without a name it is the list of the viewer.
    pub fn parse(name: Option<&str>) -> Option<Self> {
        Self::ALL.into_iter().find(|list| list.parameter() == name.unwrap_or_default())
    }

    /// The value of the parameter `list`; empty for the list of the viewer.
    pub(super) const fn parameter(self) -> &'static str {
        match self {
            Self::ForYou => "",
            Self::Waiting => "waiting",
            Self::Decided => "decided",
            Self::Problems => "problems",
        }
    }

    /// The title of the list.
    pub(super) const fn title(self) -> &'static str {
        match self {
            Self::ForYou => "For you",
            Self::Waiting => "All waiting",
            Self::Decided => "Decided",
            Self::Problems => "Problems",
        }
    }

    /// The states in which operations are in this list.
    pub(super) fn states(self) -> impl Iterator<Item = State> {
        State::ALL.into_iter().filter(move |state| match self {
            Self::ForYou | Self::Waiting => *state == State::Pending,
            Self::Decided => *state != State::Pending,
            Self::Problems => {
                matches!(state, State::Blocked | State::Unknown | State::Failed | State::Queued)
            }
        })
    }
}

/// Which operations a list shows. An empty text filters nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Filter {
    /// A part of the name of the function, or of the subject of the question.
    pub function: String,
    /// A part of the run id.
    pub run: String,
    /// A part of the requester's name.
    pub requester: String,
    /// A part of the name of the person or channel that decided.
    pub person: String,
    /// The state now.
    pub state: Option<State>,
    /// The first day of the request, `2026-11-20` in UTC.
    pub since: String,
    /// The last day of the request.
    pub until: String,
}

impl Filter {
    /// Reads the filters of an address.
    ///
    /// # Errors
    ///
    /// A sentence for the person if a state or a day cannot be read.
    pub fn read<'q>(get: impl Fn(&str) -> Option<&'q str>) -> Result<Self, String> {
        let text = |name| get(name).unwrap_or_default().trim().to_owned();
        let state = match get("state") {
            None => None,
            Some(name) => Some(State::parse(name).ok_or_else(|| {
                "The filter names a state that does not exist. Choose one of the list.".to_owned()
            })?),
        };
        let filter = Self {
            function: text("fn"),
            run: text("run"),
            requester: text("from"),
            person: text("person"),
            state,
            since: text("since"),
            until: text("until"),
        };
        for text in [&filter.since, &filter.until] {
            if !text.is_empty() && start_of(text).is_none() {
                return Err(
                    "The filter contains a day that cannot be read. Write it as 2026-11-20."
                        .to_owned(),
                );
            }
        }
        Ok(filter)
    }

    /// Whether nothing is filtered.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// The range of the time of the request.
    pub fn created(&self) -> (Option<Timestamp>, Option<Timestamp>) {
        const LAST: Duration = Duration::from_millis(24 * 3600 * 1000 - 1);
        (start_of(&self.since), start_of(&self.until).map(|start| start.plus(LAST)))
    }

    /// Whether the list shows this operation.
    pub fn wants(&self, operation: &Item<Operation>, now: Timestamp) -> bool {
        let (since, until) = self.created();
        let created = operation.header.created_at;
        let person = || {
            let decision = operation.decision.as_ref();
            decision.map(|decision| decision.by.to_string()).unwrap_or_default()
        };
        self.state.is_none_or(|state| state == operation.state_at(now))
            && since.is_none_or(|since| created >= since)
            && until.is_none_or(|until| created <= until)
            && contains(&self.function, || title(&operation.content).to_owned())
            && contains(&self.run, || operation.run_id.clone())
            && contains(&self.requester, || requester(operation))
            && contains(&self.person, person)
    }

    /// The filters as parameters of an address.
    pub(super) fn parameters(&self) -> [(&'static str, &str); 7] {
        [
            ("fn", &self.function),
            ("run", &self.run),
            ("from", &self.requester),
            ("person", &self.person),
            ("state", self.state.map_or("", State::as_str)),
            ("since", &self.since),
            ("until", &self.until),
        ]
    }
}

/// Whether a text contains the wanted part, in upper or lower case.
fn contains(part: &str, text: impl FnOnce() -> String) -> bool {
    part.is_empty() || text().to_lowercase().contains(&part.to_lowercase())
}

/// The start of a day in UTC.
fn start_of(day: &str) -> Option<Timestamp> {
    (day.len() == 10).then(|| Timestamp::parse(&format!("{day}T00:00:00Z")))?
}
