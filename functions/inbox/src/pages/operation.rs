use askama::Template;
use placet_core::Digest;
use placet_core::item::Item;
use placet_core::operation::{Content, Operation, OperationKind, Plan, State};
use serde_json::{Value, json};

use super::address::Frame;
use super::form::{Choices, Form};
use super::late::Late;
use super::lookalike::Lookalikes;
use super::record::{Answer, Detail, Ending, Escalations, Event};
use super::visible::Shown;
use super::words::{Moment, Standing, span};
use super::{CannotRun, View};

/// The page shows the length of texts that are longer than this, in characters.
const LONG_TEXT: usize = 500;

#[derive(Template)]
#[template(path = "operation.html")]
pub(super) struct Page<'a> {
    frame: Frame,
    title: String,
    late: Option<&'a Late>,
    standing: Standing,
    changed: bool,
    question: bool,
    asks: Asks,
    escalations: Option<Escalations>,
    upstream: Option<Shown>,
    requested: Moment,
    requested_at: Moment,
    deadline: Moment,
    left: Option<Moment>,
    /// The project, if there are several.
    project: Option<Shown>,
    run_id: Shown,
    call_id: Shown,
    digest: Digest,
    extras: Vec<Field>,
    answer: Option<Answer>,
    ending: Option<Ending>,
    form: Form<'a>,
    cannot_run: Option<CannotRun<'a>>,
    reload: bool,
    history: Vec<Event>,
    history_holds: bool,
}

/// The complete request.
enum Asks {
    Call { function: Shown, warnings: Vec<String>, arguments: Vec<Field>, run: Option<Run> },
    Question { subject: Option<Shown>, message: Shown, warnings: Vec<String> },
}

/// What Placet runs after an approval.
struct Run {
    executor: Shown,
    is_endpoint: bool,
    idempotent: bool,
    max_attempts: u32,
    retry_for: String,
    timeout: String,
}

/// A name and a value, with every hidden character marked.
struct Field {
    name: Shown,
    kind: String,
    value: Shown,
    warnings: Vec<String>,
}

impl<'a> Page<'a> {
    pub(super) fn new(operation: &Item<Operation>, view: &View<'a>) -> Self {
        let now = view.now;
        let state = operation.state_at(now);
        let changed = operation.content_digest() != operation.digest;
        let action = view.action.filter(|_| !changed);
        let pending = state == State::Pending;
        let several = view.projects.all.len() > 1;
        let form = Form::new(operation, state, action, view.option);
        let history = operation.history.entries().iter();
        let upstream = operation.upstream.as_ref();
        Self {
            frame: Frame::of("", &view.projects),
            title: title(&operation.content).shorten(60).plain(),
            late: view.late,
            standing: Standing::of(operation, now),
            changed,
            question: operation.kind() == OperationKind::HumanContact,
            asks: Asks::new(operation),
            escalations: Escalations::of(operation, now),
            upstream: upstream.map(|upstream| Shown::text(&upstream.base_url)),
            requested: Moment::ago(operation.header.created_at, now),
            requested_at: Moment::date(operation.header.created_at),
            deadline: Moment::date(operation.deadline),
            left: pending.then(|| Moment::left(operation.deadline, now)),
            project: several.then(|| Shown::text(operation.project())),
            run_id: Shown::text(&operation.run_id),
            call_id: Shown::text(operation.call_id()),
            digest: operation.digest,
            extras: extras(operation, form.offers_options()),
            answer: Answer::of(operation, now),
            ending: operation.outcome.as_ref().map(Ending::new),
            form,
            cannot_run: view.cannot_run.filter(|_| pending),
            reload: matches!(state, State::Queued | State::Running),
            history: history.map(|entry| Event::new(entry, operation.digest)).collect(),
            history_holds: operation.verify_history().is_ok(),
        }
    }

    /// The digest in groups of eight digits, which people can compare.
    fn digest_groups(&self) -> Vec<String> {
        let digits: Vec<char> = self.digest.to_string().chars().collect();
        digits.chunks(8).map(|group| group.iter().collect()).collect()
    }
}

impl Asks {
    fn new(operation: &Operation) -> Self {
        match &operation.content {
            Content::Call { function, kwargs } => {
                let (function, mut warnings) = Shown::warned(function);
                let mut names = Lookalikes::default();
                names.add_names(
                    kwargs.as_object().into_iter().flatten().map(|(name, _)| name.as_str()),
                );
                warnings.extend(names.warnings());
                let run = operation.plan.as_ref().map(Run::new);
                Self::Call { function, warnings, arguments: arguments(kwargs), run }
            }
            Content::Question { message, subject } => {
                let texts = subject.as_deref().into_iter().chain([message.as_str()]);
                let (subject, message) =
                    (subject.as_deref().map(Shown::text), Shown::text(message));
                let shown: Vec<_> = subject.iter().chain([&message]).collect();
                let warnings = Shown::all_warnings(texts, &shown);
                Self::Question { warnings, subject, message }
            }
        }
    }

    /// Whether an HTTP endpoint runs the operation, and not a function in the worker.
    fn calls_endpoint(&self) -> bool {
        matches!(self, Self::Call { run: Some(run), .. } if run.is_endpoint)
    }
}

impl Run {
    fn new(plan: &Plan) -> Self {
        Self {
            executor: Shown::text(&plan.executor),
            is_endpoint: plan.executor.starts_with("POST "),
            idempotent: plan.idempotent,
            max_attempts: plan.max_attempts,
            retry_for: span(plan.retry_for),
            timeout: format!("{} s", plan.timeout.as_secs_f32()),
        }
    }
}

impl Field {
    fn new(name: &str, value: &Value) -> Self {
        let mut lookalikes = Lookalikes::in_texts([name]);
        lookalikes.add_value(value);
        let (name, shown) = (Shown::text(name), Shown::value(value));
        let warnings = [Shown::warnings(&[&name, &shown]), lookalikes.warnings()].concat();
        Self { warnings, kind: kind(value), name, value: shown }
    }
}

/// The other parts of the specification. The options are left out if the form shows them completely. Options
/// with further members are listed here, because the digest covers those members.
fn extras(operation: &Operation, in_form: bool) -> Vec<Field> {
    let shown = in_form && operation.options.iter().all(|option| option.other.is_empty());
    let options = Some(&operation.options).filter(|options| !shown && !options.is_empty());
    let named = [
        ("options", options.map(|options| json!(options))),
        ("channel", operation.channel.as_ref().map(|channel| json!(channel))),
        ("state", operation.requester_state.clone().map(Value::Object)),
    ];
    let named = named.iter().filter_map(|(name, value)| Some(Field::new(name, value.as_ref()?)));
    let other = operation.other.iter().map(|(name, value)| Field::new(name, value));
    named.chain(other).collect()
}

/// The title of the page.
fn title(content: &Content) -> Shown {
    match content {
        Content::Call { function, .. } => Shown::text(function),
        Content::Question { message, subject } => Shown::text(subject.as_ref().unwrap_or(message)),
    }
}

/// One field for each argument. Some clients send arguments that are not an object: these get one field.
fn arguments(kwargs: &Value) -> Vec<Field> {
    match kwargs {
        Value::Object(members) => {
            members.iter().map(|(name, value)| Field::new(name, value)).collect()
        }
        odd => vec![Field::new("(no name)", odd)],
    }
}

/// The type of a value, so that nobody mistakes the text `10` for the number 10.
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
