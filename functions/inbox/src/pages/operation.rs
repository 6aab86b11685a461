use askama::Template;
use placet_core::item::Item;
use placet_core::operation::{Content, Operation, OperationKind, Plan, State};
use placet_core::{Digest, Timestamp};
use serde_json::{Value, json};

use super::address::Frame;
use super::after::Sentence;
use super::field::{Field, Folded, arguments};
use super::form::{Choices, Form};
use super::late::Late;
use super::lookalike::Lookalikes;
use super::record::{Answer, Detail, Ending, Escalations, Event};
use super::visible::Shown;
use super::words::{Moment, Standing, requester, span, title};
use super::{After, CannotRun, More, View};

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
    requester: Shown,
    escalations: Option<Escalations>,
    upstream: Option<Shown>,
    requested: Moment,
    requested_at: Moment,
    deadline: Moment,
    deadline_minute: Moment,
    /// The deadline in milliseconds, if a person can still decide.
    deadline_millis: Option<i64>,
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
    /// Whether a narrow screen may not show the options without scrolling, so that it needs a link to them.
    jumps: bool,
    cannot_run: Option<CannotRun<'a>>,
    reload: bool,
    /// A text that differs between two versions of the operation.
    version: String,
    now_millis: i64,
    /// What waits after this operation.
    more: Option<&'a More>,
    notified: Vec<Sentence>,
    history: Vec<Event>,
    history_holds: bool,
}

/// The complete request.
enum Asks {
    Call { function: Shown, warnings: Vec<String>, arguments: Vec<Field>, run: Option<Run> },
    Question { subject: Option<Shown>, message: Folded, warnings: Vec<String> },
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
        let after = view.after;
        let sentences = |after: &After| {
            after.notified.iter().map(|one| Sentence::new(one, &view.projects, now)).collect()
        };
        Self {
            frame: Frame::of("", &view.projects),
            title: Shown::text(title(&operation.content)).shorten(60).plain(),
            late: view.late,
            standing: Standing::of(operation, now),
            changed,
            question: operation.kind() == OperationKind::HumanContact,
            asks: Asks::new(operation, now),
            requester: Shown::text(&requester(operation)),
            escalations: Escalations::of(operation, now),
            upstream: upstream.map(|upstream| Shown::text(&upstream.base_url)),
            requested: Moment::ago(operation.header.created_at, now),
            requested_at: Moment::date(operation.header.created_at),
            deadline: Moment::date(operation.deadline),
            deadline_minute: Moment::minute(operation.deadline),
            deadline_millis: pending.then(|| operation.deadline.millis()),
            left: pending.then(|| Moment::left(operation.deadline, now)),
            project: several.then(|| Shown::text(operation.project())),
            run_id: Shown::text(&operation.run_id),
            call_id: Shown::text(operation.call_id()),
            digest: operation.digest,
            extras: extras(operation, form.offers_options()),
            answer: Answer::of(operation, now),
            ending: operation.outcome.as_ref().map(Ending::new),
            form,
            jumps: jumps(operation),
            cannot_run: view.cannot_run.filter(|_| pending),
            reload: matches!(state, State::Queued | State::Running),
            version: format!("{}-{}", state.as_str(), history.len()),
            now_millis: now.millis(),
            more: after.filter(|_| !pending).and_then(|after| after.more.as_ref()),
            notified: after.map(sentences).unwrap_or_default(),
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
    fn new(operation: &Operation, now: Timestamp) -> Self {
        match &operation.content {
            Content::Call { function, kwargs } => {
                let (function, mut warnings) = Shown::warned(function);
                let mut names = Lookalikes::default();
                names.add_names(
                    kwargs.as_object().into_iter().flatten().map(|(name, _)| name.as_str()),
                );
                warnings.extend(names.warnings());
                let run = operation.plan.as_ref().map(Run::new);
                Self::Call { function, warnings, arguments: arguments(kwargs, now), run }
            }
            Content::Question { message, subject } => {
                let texts = subject.as_deref().into_iter().chain([message.as_str()]);
                let (subject, message) =
                    (subject.as_deref().map(Shown::text), Shown::text(message));
                let shown: Vec<_> = subject.iter().chain([&message]).collect();
                let warnings = Shown::all_warnings(texts, &shown);
                Self::Question { warnings, subject, message: Folded::new(message) }
            }
        }
    }

    /// How many values of the request are folded.
    fn folded(&self) -> usize {
        match self {
            Self::Call { arguments, .. } => {
                arguments.iter().filter(|field| field.value.fold.is_some()).count()
            }
            Self::Question { message, .. } => usize::from(message.fold.is_some()),
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

/// Whether what comes before the options of a question takes much of a narrow screen.
fn jumps(operation: &Operation) -> bool {
    const MANY_CHARACTERS: usize = 240;
    const MANY_LINES: usize = 6;
    let long =
        |text: &str| text.chars().count() > MANY_CHARACTERS || text.lines().count() > MANY_LINES;
    let escalated = operation.history.of("escalated").next().is_some();
    escalated || matches!(&operation.content, Content::Question { message, .. } if long(message))
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
