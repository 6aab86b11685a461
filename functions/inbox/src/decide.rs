//! A submitted form: a decision, or what a person found out about an unknown outcome.

use lambda_http::http::StatusCode;
use placet_core::humanlayer::is_comment;
use placet_core::percent::form;
use placet_core::{Command, Digest, Operation, Settlement, Verdict};
use placet_runtime::CommandError;

use crate::reply::Page;
use crate::{Inbox, Subject, pages};

impl Inbox {
    pub(crate) async fn decide(
        &self,
        subject: Result<Subject, Page>,
        body: &[u8],
    ) -> Result<Page, Page> {
        let Subject { operation, action, by, may } = subject?;
        let command = read(body, by, &operation).ok_or_else(Page::bad_form)?;
        if !may.allows(&command) {
            tracing::warn!(call_id = operation.call_id, by, "the link is for something else");
            return Err(Page::bad_link());
        }
        let (tenant, call_id) = (operation.tenant.clone(), operation.call_id.clone());
        match self.runtime.command(&tenant, &call_id, |_| command.clone()).await {
            Ok(decided) => {
                let state = decided.state.as_str();
                tracing::info!(tenant, call_id, state, by, "operation decided");
                Ok(Page::see_other(action))
            }
            Err(CommandError::Refused(refusal)) => {
                tracing::info!(tenant, call_id, code = refusal.code(), by, "decision refused");
                let current = self.load(&tenant, &call_id).await?;
                let notice = format!("Nothing was changed: {refusal}.");
                let now = self.runtime.clock.now();
                let html = pages::operation(&current, now, Some(&action), Some(&notice));
                Ok(Page::ok(html).with_status(StatusCode::CONFLICT))
            }
            Err(CommandError::NotFound(_)) => Err(Page::not_found()),
            Err(error) => {
                tracing::error!(tenant, call_id, %error, "decision not stored");
                Err(Page::not_decided())
            }
        }
    }
}

/// The command a form asks for; `None` if it is not one of our forms.
fn read(body: &[u8], by: &str, operation: &Operation) -> Option<Command> {
    let fields = form(body)?;
    let field = |name: &str| {
        let found = fields.iter().find(|(known, _)| known == name);
        found.map(|(_, value)| value.as_str()).filter(|value| !value.is_empty())
    };
    let seen: Digest = field("digest")?.parse().ok()?;
    let comment = field("comment").unwrap_or_default().replace("\r\n", "\n");
    if !is_comment(&comment) {
        return None;
    }
    let by = by.to_owned();
    let settle = |settlement| {
        let (comment, by, attempt) = (comment.clone(), by.clone(), field("attempt")?.parse().ok()?);
        Some(Command::Settle { settlement, comment, by, seen, attempt })
    };
    match (field("verdict"), field("settlement")) {
        (Some("approve"), None) => {
            let verdict = Verdict::Approve;
            Some(Command::Decide { verdict, comment, option: None, by, seen: Some(seen) })
        }
        (Some("deny"), None) => {
            let (option, comment) = denial(field("option"), comment, operation)?;
            Some(Command::Decide { verdict: Verdict::Deny, comment, option, by, seen: Some(seen) })
        }
        (None, Some("happened")) => settle(Settlement::Happened),
        (None, Some("did_not_happen")) => settle(Settlement::DidNotHappen),
        (None, Some("run_again")) => settle(Settlement::RunAgain),
        _ => None,
    }
}

/// The reject option a person chose, one of those the asker offers, and the comment, which the
/// option brings if the person wrote none.
fn denial(
    chosen: Option<&str>,
    comment: String,
    operation: &Operation,
) -> Option<(Option<String>, String)> {
    let Some(name) = chosen else {
        return Some((None, comment));
    };
    let option = pages::reject_options(operation).into_iter().find(|option| option.name == name)?;
    let filled = option.prompt_fill.filter(|_| comment.is_empty()).map(str::to_owned);
    Some((Some(name.to_owned()), filled.unwrap_or(comment)))
}
