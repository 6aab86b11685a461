//! A submitted form: a decision, or what a person found out about an unknown outcome.

use lambda_http::http::StatusCode;
use placet_core::{Command, Digest, Settlement, Verdict};
use placet_runtime::CommandError;
use placet_runtime::http::form;

use crate::reply::Page;
use crate::{Inbox, Subject, pages};

impl Inbox {
    pub(crate) async fn decide(
        &self,
        subject: Result<Subject, Page>,
        body: &[u8],
    ) -> Result<Page, Page> {
        let Subject { operation, action, by } = subject?;
        let command = read(body, by).ok_or_else(Page::bad_form)?;
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
fn read(body: &[u8], by: &str) -> Option<Command> {
    let fields = form(body)?;
    let field = |name: &str| {
        let found = fields.iter().find(|(known, _)| known == name);
        found.map(|(_, value)| value.as_str()).filter(|value| !value.is_empty())
    };
    let seen: Digest = field("digest")?.parse().ok()?;
    let comment = field("comment").unwrap_or_default().replace("\r\n", "\n");
    if comment.len() > 16 * 1024 {
        return None;
    }
    let by = by.to_owned();
    let verdict = match (field("verdict"), field("settlement")) {
        (Some("approve"), None) => Verdict::Approve,
        (Some("deny"), None) => Verdict::Deny,
        (None, Some(settlement)) => {
            let settlement = match settlement {
                "happened" => Settlement::Happened,
                "did_not_happen" => Settlement::DidNotHappen,
                "run_again" => Settlement::RunAgain,
                _ => return None,
            };
            return Some(Command::Settle { settlement, comment, by, seen });
        }
        _ => return None,
    };
    let denied = verdict == Verdict::Deny;
    let option = field("option").filter(|_| denied).map(str::to_owned);
    Some(Command::Decide { verdict, comment, option, by, seen: Some(seen) })
}
