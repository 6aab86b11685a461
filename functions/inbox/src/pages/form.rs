use placet_core::item::Item;
use placet_core::operation::{Operation, OperationKind, ResponseOption, State};

use super::address::edit;
use super::lookalike::Lookalikes;
use super::visible::Shown;

/// What a person can do on the page.
pub(super) enum Form<'a> {
    Decide {
        action: &'a str,
        runs: bool,
        choices: Choices,
    },
    Answer {
        action: &'a str,
        choices: Choices,
    },
    Settle {
        action: &'a str,
        attempt: u32,
        idempotent: bool,
    },
    /// Run a blocked or failed operation now. A blocked one can be ended, too.
    RunAgain {
        action: &'a str,
        attempt: u32,
        blocked: bool,
    },
    None,
}

/// The options that the requester offers: all of them, or the one whose text is being edited.
pub(super) enum Choices {
    All {
        choices: Vec<Choice>,
        /// Warnings about titles that look alike.
        warnings: Vec<String>,
    },
    Edited(Box<Choice>),
}

/// A reason for a denial, or an answer to a question.
pub(super) struct Choice {
    pub(super) name: String,
    pub(super) title: Shown,
    pub(super) description: Option<Shown>,
    /// The text that the requester reads if the person writes nothing else.
    pub(super) says: Option<Shown>,
    /// The text without marks, for the field in which the person edits it.
    pub(super) text: String,
    /// Warnings about the title, the description and the text.
    pub(super) warnings: Vec<String>,
    /// The address at which the text can be edited before it is sent.
    pub(super) edit: Option<String>,
}

impl<'a> Form<'a> {
    /// Whether a person can do nothing.
    pub(super) const fn is_none(&self) -> bool {
        matches!(self, Self::None)
    }

    /// Whether a person chooses an option in this form.
    pub(super) const fn offers_options(&self) -> bool {
        matches!(self, Self::Decide { .. } | Self::Answer { .. })
    }

    /// The form for an operation in this state. `option` is the option whose text the person edits.
    pub(super) fn new(
        operation: &Item<Operation>,
        state: State,
        action: Option<&'a str>,
        option: Option<&str>,
    ) -> Self {
        let Some(action) = action else {
            return Self::None;
        };
        let plan = operation.plan.as_ref();
        let choices = || Choices::new(operation, action, option);
        match (state, operation.kind()) {
            (State::Pending, OperationKind::FunctionCall) => {
                Self::Decide { action, runs: plan.is_some(), choices: choices() }
            }
            (State::Pending, OperationKind::HumanContact) => {
                Self::Answer { action, choices: choices() }
            }
            (State::Unknown, _) => {
                let idempotent = plan.is_some_and(|plan| plan.idempotent);
                Self::Settle { action, attempt: operation.attempts, idempotent }
            }
            (State::Blocked | State::Failed, _) if plan.is_some() => {
                let blocked = state == State::Blocked;
                Self::RunAgain { action, attempt: operation.attempts, blocked }
            }
            _ => Self::None,
        }
    }
}

impl Choices {
    /// Whether the form has one button, because there is no option, or one is being edited.
    pub(super) fn are_none(&self) -> bool {
        match self {
            Self::All { choices, .. } => choices.is_empty(),
            Self::Edited(_) => true,
        }
    }

    fn new(operation: &Item<Operation>, action: &str, edited: Option<&str>) -> Self {
        let options = &operation.options;
        let is_edited =
            |one: &&ResponseOption| one.interactive && Some(one.name.as_str()) == edited;
        match options.iter().find(is_edited) {
            Some(option) => Self::Edited(Box::new(Choice::new(operation, option, action))),
            None => {
                let mut titles = Lookalikes::default();
                titles.add_names(options.iter().map(ResponseOption::label));
                let choices = options.iter().map(|one| Choice::new(operation, one, action));
                Self::All { choices: choices.collect(), warnings: titles.warnings() }
            }
        }
    }
}

impl Choice {
    fn new(operation: &Item<Operation>, option: &ResponseOption, action: &str) -> Self {
        let text = option.prompt_fill().unwrap_or_default().to_owned();
        let alone = || operation.comment_with(Some(&option.name), "");
        let says = if option.interactive { text.clone() } else { alone() };
        let says = Some(says).filter(|says| !says.is_empty());
        let texts = [Some(option.label()), option.description(), says.as_deref()];
        let shown = texts.map(|text| text.map(Shown::text));
        let warnings = Shown::all_warnings(
            texts.into_iter().flatten(),
            &shown.iter().flatten().collect::<Vec<_>>(),
        );
        let [title, description, says] = shown;
        Self {
            name: option.name.clone(),
            title: title.unwrap_or_default(),
            description,
            says,
            warnings,
            text,
            edit: option.interactive.then(|| edit(action, &option.name)),
        }
    }
}
