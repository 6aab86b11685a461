//! A submitted form: a decision, or what a person found out about an unknown outcome.

use lambda_http::http::StatusCode;
use placet_core::humanlayer::is_comment;
use placet_core::{Command, Digest, Kind, Operation, Refusal, ResponseOption, Settlement, Verdict};
use placet_runtime::CommandError;

use crate::Inbox;
use crate::fields::Fields;
use crate::reply::Page;
use crate::subject::Subject;

impl Inbox {
    pub(crate) async fn decide(&self, subject: Subject, body: &[u8]) -> Result<Page, Page> {
        let Subject { operation, action, by, may } = subject;
        let fields = Fields::read(body).ok_or_else(Page::bad_form)?;
        let command = read(&fields, by, &operation).ok_or_else(Page::bad_form)?;
        if !may.allows(&command) {
            tracing::warn!(call_id = operation.call_id, by, "the link is for something else");
            return Err(Page::bad_link());
        }
        let id = operation.id();
        let (tenant, call_id) = (id.tenant.as_str(), id.call_id.as_str());
        match self.runtime.command(&id, |_| command.clone()).await {
            Ok(decided) => {
                let state = decided.state.as_str();
                tracing::info!(tenant, call_id, state, by, "operation decided");
                Ok(Page::see_other(action))
            }
            Err(CommandError::Refused(refusal)) => {
                tracing::info!(tenant, call_id, code = refusal.code(), by, "decision refused");
                let current = self.load(&id).await?;
                let notice = format!("Nothing was changed: {refusal}.");
                let page = self.view(&current, Some(&action), fields.get("option"), Some(&notice));
                Ok(page.with_status(status(refusal)))
            }
            Err(CommandError::NotFound(_)) => Err(Page::not_found()),
            Err(error) => {
                tracing::error!(tenant, call_id, %error, "decision not stored");
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

/// The command a form asks for; `None` if it is not one of our forms.
fn read(fields: &Fields, by: &str, operation: &Operation) -> Option<Command> {
    let seen: Digest = fields.get("digest")?.parse().ok()?;
    let (verdict, settlement) = (fields.get("verdict"), fields.get("settlement"));
    let (verdict, comment, option) = match (operation.kind(), verdict, settlement) {
        (Kind::FunctionCall, Some(verdict), None) => decision(verdict, fields, operation)?,
        (Kind::FunctionCall, None, Some(found)) => return settle(found, fields, by, seen),
        (Kind::HumanContact, None, None) => answer(fields, operation)?,
        _ => return None,
    };
    if !is_comment(&comment) {
        return None;
    }
    Some(Command::Decide { verdict, comment, option, by: by.to_owned(), seen: Some(seen) })
}

/// What is decided, with the words and the option that go back to the asker.
type Said = (Verdict, String, Option<String>);

fn decision(verdict: &str, fields: &Fields, operation: &Operation) -> Option<Said> {
    let comment = fields.text("comment");
    match verdict {
        "approve" => Some((Verdict::Approve, comment, None)),
        "deny" => {
            let option = chosen(fields, operation)?.map(|option| option.name.to_owned());
            Some((Verdict::Deny, operation.words_of(option.as_deref(), &comment), option))
        }
        _ => None,
    }
}

/// The words may be none: then the operation stays as it is. An option that a person was to edit does
/// not speak for one who has emptied the field.
fn answer(fields: &Fields, operation: &Operation) -> Option<Said> {
    let written = fields.text("response");
    let written = if written.trim().is_empty() { "" } else { written.as_str() };
    let option = chosen(fields, operation)?;
    let speaks = option.filter(|option| !option.interactive);
    let words = operation.words_of(speaks.map(|option| option.name), written);
    Some((Verdict::Answer, words, option.map(|option| option.name.to_owned())))
}

/// The option a person chose, if any; `None` if it is none that the asker offers.
fn chosen<'a>(fields: &Fields, operation: &'a Operation) -> Option<Option<ResponseOption<'a>>> {
    let Some(name) = fields.get("option") else {
        return Some(None);
    };
    operation.options().into_iter().find(|option| option.name == name).map(Some)
}

fn settle(found: &str, fields: &Fields, by: &str, seen: Digest) -> Option<Command> {
    let settlement = match found {
        "happened" => Settlement::Happened,
        "did_not_happen" => Settlement::DidNotHappen,
        "run_again" => Settlement::RunAgain,
        _ => return None,
    };
    let comment = Some(fields.text("comment")).filter(|comment| is_comment(comment))?;
    let (by, attempt) = (by.to_owned(), fields.get("attempt")?.parse().ok()?);
    Some(Command::Settle { settlement, comment, by, seen, attempt })
}
