//! A submitted form: a decision, or the settlement of an unknown outcome.

use lambda_http::http::StatusCode;
use placet_core::Digest;
use placet_core::item::Item;
use placet_core::operation::{
    Actor, Command, Notice, Operation, OperationKind, Refusal, Response, Settlement, Verdict,
    is_comment,
};
use placet_runtime::ChangeError;

use crate::Inbox;
use crate::fields::Fields;
use crate::pages::Late;
use crate::reply::Page;
use crate::subject::Subject;

impl Inbox {
    pub(crate) async fn decide(&self, subject: Subject, body: &[u8]) -> Result<Page, Page> {
        let fields = Fields::read(body).ok_or_else(Page::bad_form)?;
        if let Some(visitor) = &subject.visitor {
            visitor.check_form(&fields, self.keys.as_ref())?;
        }
        let Subject { operation, action, by, may, visitor } = subject;
        let id = operation.id();
        let (project, call_id) = (id.project.as_str(), id.call_id.as_str());
        let notices = self.runtime.notices(&operation);
        let command = read(&fields, &by, &operation, notices).ok_or_else(Page::bad_form)?;
        let (actor, by) = (by.clone(), by.to_string());
        if !may.allows(&command) && visitor.is_some() {
            tracing::warn!(project, call_id, by, "decision refused: the person is not an approver");
            return Err(Page::may_not_decide());
        }
        if !may.allows(&command) {
            tracing::warn!(
                project,
                call_id,
                by,
                "decision link refused: it does not allow this command"
            );
            return Err(Page::bad_link());
        }
        match self.runtime.engine.change(operation, |_| command.clone()).await {
            Ok(decided) => {
                let state = decided.state.as_str();
                tracing::info!(project, call_id, state, by, "operation decided");
                Ok(Page::see_other(action))
            }
            Err(ChangeError::Refused(refusal)) => {
                tracing::info!(project, call_id, code = refusal.code(), by, "decision refused");
                let current = self.load(&id).await?;
                let late = Late::new(&command, refusal, &current, self.runtime.engine.now());
                let subject = Subject { operation: current, action, by: actor, may, visitor };
                let page = self.view(&subject, fields.get("option"), Some(&late), None);
                Ok(page.with_status(status(refusal)))
            }
            Err(ChangeError::NotFound { .. }) => Err(Page::not_found()),
            Err(error) => {
                tracing::error!(project, call_id, %error, "decision not stored");
                Err(Page::not_decided())
            }
        }
    }
}

const fn status(refusal: Refusal) -> StatusCode {
    match refusal {
        Refusal::EmptyAnswer => StatusCode::BAD_REQUEST,
        _ => StatusCode::CONFLICT,
    }
}

/// The command of a form; `None` if it is not one of our forms.
fn read(
    fields: &Fields,
    by: &Actor,
    operation: &Item<Operation>,
    notify: Vec<Notice>,
) -> Option<Command> {
    let seen: Digest = fields.get("digest")?.parse().ok()?;
    let (verdict, settlement) = (fields.get("verdict"), fields.get("settlement"));
    let response = match (operation.kind(), verdict, settlement) {
        (OperationKind::FunctionCall, Some(verdict), None) => decision(verdict, fields, operation)?,
        (OperationKind::FunctionCall, None, Some(found)) => {
            return settle(found, fields, by, seen, notify);
        }
        (OperationKind::HumanContact, None, None) => answer(fields, operation)?,
        _ => return None,
    };
    let comment = is_comment(&response.comment);
    comment.then(|| response.decide(operation, by, Some(seen), notify))
}

fn decision(verdict: &str, fields: &Fields, operation: &Operation) -> Option<Response> {
    let verdict = match verdict {
        "approve" => Verdict::Approve,
        "deny" => Verdict::Deny,
        _ => return None,
    };
    let option = if verdict == Verdict::Deny { chosen(fields, operation)? } else { None };
    let option = option.map(str::to_owned);
    Some(Response { verdict, comment: fields.text("comment"), option })
}

/// The answer may be empty; the operation then refuses it. If the person has emptied the field of an option
/// that can be edited, the option is not taken as the answer.
fn answer(fields: &Fields, operation: &Operation) -> Option<Response> {
    let written = fields.text("response");
    let written = if written.trim().is_empty() { String::new() } else { written };
    let option = chosen(fields, operation)?;
    let edited = option.and_then(|name| operation.option(name)).is_some_and(|one| one.interactive);
    if edited && written.is_empty() {
        return Some(Response { verdict: Verdict::Answer, comment: written, option: None });
    }
    let option = option.map(str::to_owned);
    Some(Response { verdict: Verdict::Answer, comment: written, option })
}

/// The option that a person chose, if any; `None` if the requester does not offer this option.
fn chosen<'a>(fields: &'a Fields, operation: &Operation) -> Option<Option<&'a str>> {
    match fields.get("option") {
        None => Some(None),
        Some(name) => operation.option(name).map(|_| Some(name)),
    }
}

fn settle(
    found: &str,
    fields: &Fields,
    by: &Actor,
    seen: Digest,
    notify: Vec<Notice>,
) -> Option<Command> {
    let settlement = Settlement::parse(found)?;
    let comment = Some(fields.text("comment")).filter(|comment| is_comment(comment))?;
    let attempt = fields.get("attempt")?.parse().ok()?;
    Some(Command::Settle { settlement, comment, by: by.clone(), seen, attempt, notify })
}
