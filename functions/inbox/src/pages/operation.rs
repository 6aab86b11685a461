use askama::Template;
use placet_core::{Digest, Operation, Plan, State, Timestamp};
use serde_json::Value;

use super::record::{Answer, Detail, Ending, Event};
use super::visible::Shown;
use super::words::{Moment, Standing};

/// Texts longer than this say how long they are.
const LONG_TEXT: usize = 500;

#[derive(Template)]
#[template(path = "operation.html")]
pub(super) struct Page<'a> {
    here: &'static str,
    title: String,
    notice: Option<&'a str>,
    standing: Standing,
    changed: bool,
    function: Shown,
    warnings: Vec<String>,
    arguments: Vec<Field>,
    run: Option<Run>,
    asked: Moment,
    asked_at: Moment,
    deadline: Moment,
    left: Option<Moment>,
    run_id: Shown,
    call_id: Shown,
    digest: Digest,
    extras: Vec<Field>,
    answer: Option<Answer>,
    ending: Option<Ending>,
    form: Form<'a>,
    reload: bool,
    history: Vec<Event>,
    history_holds: bool,
}

/// What runs on approval.
struct Run {
    executor: Shown,
    idempotent: bool,
    max_attempts: u32,
    timeout: String,
}

/// A name and a value, nothing hidden.
struct Field {
    name: Shown,
    kind: String,
    value: Shown,
    warnings: Vec<String>,
}

/// What a person can do on the page.
enum Form<'a> {
    Decide { action: &'a str, options: Vec<ShownOption> },
    Settle { action: &'a str, attempt: u32 },
    None,
}

/// A reason the asker offers for a denial (`spec.reject_options[]`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RejectOption<'a> {
    /// What goes back to the asker; identifies the option.
    pub name: &'a str,
    /// What a person reads instead of the name.
    pub title: Option<&'a str>,
    /// What it means.
    pub description: Option<&'a str>,
    /// The comment, if the person writes none.
    pub prompt_fill: Option<&'a str>,
}

struct ShownOption {
    value: String,
    title: Shown,
    description: Option<Shown>,
    prompt_fill: Option<Shown>,
}

/// The reasons for a denial that the asker of `operation` offers.
pub fn reject_options(operation: &Operation) -> Vec<RejectOption<'_>> {
    let listed = operation.extras.get("reject_options").and_then(Value::as_array);
    listed.into_iter().flatten().filter_map(RejectOption::read).collect()
}

impl<'a> RejectOption<'a> {
    fn read(option: &'a Value) -> Option<Self> {
        let text = |field| option.get(field)?.as_str().filter(|text| !text.is_empty());
        Some(Self {
            name: text("name")?,
            title: text("title"),
            description: text("description"),
            prompt_fill: text("prompt_fill"),
        })
    }
}

impl ShownOption {
    fn new(option: &RejectOption<'_>) -> Self {
        Self {
            value: option.name.to_owned(),
            title: Shown::text(option.title.unwrap_or(option.name)),
            description: option.description.map(Shown::text),
            prompt_fill: option.prompt_fill.map(Shown::text),
        }
    }
}

impl<'a> Page<'a> {
    pub(super) fn new(
        operation: &Operation,
        now: Timestamp,
        form: Option<&'a str>,
        notice: Option<&'a str>,
    ) -> Self {
        let function = Shown::text(&operation.function);
        let state = operation.state_at(now);
        let changed = operation.content_digest() != operation.digest;
        let pending = state == State::Pending;
        let history = operation.history.entries().iter();
        Self {
            here: "",
            title: function.clone().shorten(60).plain(),
            notice,
            standing: Standing::of(operation, now),
            changed,
            warnings: Shown::warnings(&[&function]),
            function,
            arguments: arguments(&operation.kwargs),
            run: operation.plan.as_ref().map(Run::new),
            asked: Moment::ago(operation.created_at, now),
            asked_at: Moment::date(operation.created_at),
            deadline: Moment::date(operation.deadline),
            left: pending.then(|| Moment::left(operation.deadline, now)),
            run_id: Shown::text(&operation.run_id),
            call_id: Shown::text(&operation.call_id),
            digest: operation.digest,
            extras: operation.extras.iter().map(|(name, value)| Field::new(name, value)).collect(),
            answer: Answer::of(operation, now),
            ending: operation.outcome.as_ref().map(Ending::new),
            form: Form::new(operation, state, form.filter(|_| !changed)),
            reload: matches!(state, State::Queued | State::Running),
            history: history.map(|entry| Event::new(entry, operation.digest)).collect(),
            history_holds: operation.verify_history().is_ok(),
        }
    }

    /// The digest in groups of eight, as people compare it.
    fn digest_groups(&self) -> Vec<String> {
        let digits: Vec<char> = self.digest.to_string().chars().collect();
        digits.chunks(8).map(|group| group.iter().collect()).collect()
    }
}

impl<'a> Form<'a> {
    fn new(operation: &Operation, state: State, action: Option<&'a str>) -> Self {
        match (state, action) {
            (State::Pending, Some(action)) => {
                let options = reject_options(operation).iter().map(ShownOption::new).collect();
                Self::Decide { action, options }
            }
            (State::Unknown, Some(action)) => Self::Settle { action, attempt: operation.attempts },
            _ => Self::None,
        }
    }
}

impl Run {
    fn new(plan: &Plan) -> Self {
        Self {
            executor: Shown::text(&plan.executor),
            idempotent: plan.idempotent,
            max_attempts: plan.max_attempts,
            timeout: format!("{} s", plan.timeout.as_secs_f32()),
        }
    }
}

impl Field {
    fn new(name: &str, value: &Value) -> Self {
        let (name, shown) = (Shown::text(name), Shown::value(value));
        Self { warnings: Shown::warnings(&[&name, &shown]), kind: kind(value), name, value: shown }
    }
}

/// One field for each argument; for an odd client's arguments that are no object, one for them all.
fn arguments(kwargs: &Value) -> Vec<Field> {
    match kwargs {
        Value::Object(members) => {
            members.iter().map(|(name, value)| Field::new(name, value)).collect()
        }
        odd => vec![Field::new("(no name)", odd)],
    }
}

/// What sort of value it is, so that the text `10` is not taken for the number 10.
fn kind(value: &Value) -> String {
    match value {
        Value::Null => "null".to_owned(),
        Value::Bool(_) => "true or false".to_owned(),
        Value::Number(_) => "number".to_owned(),
        Value::String(text) => match text.chars().count() {
            length if length > LONG_TEXT => format!("text, {length} characters"),
            _ => "text".to_owned(),
        },
        Value::Array(items) => format!("list of {}", items.len()),
        Value::Object(_) => "object".to_owned(),
    }
}
