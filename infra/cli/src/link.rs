//! `placet link`: a signed decision link for an operation that waits for a person, in the table of
//! `environment::deployment`. On AWS it takes `PLACET_LINK_SECRET` and `PLACET_INBOX_URL`, too.

use clap::Args;
use placet_core::item::Item;
use placet_core::operation::{Operation, OperationId, OperationKind, State};
use placet_core::{DecisionLink, Secret, Timestamp};
use placet_runtime::config::Period;
use placet_runtime::{Clock, Store};

use crate::environment::DataFolder;
use crate::{Failure, environment, say};

/// The options of `placet link`.
#[derive(Debug, Args)]
pub struct Arguments {
    /// The id of the operation; `function_call/ID` or `human_contact/ID` if a call and a question share it
    call_id: String,
    /// How long the link is valid
    #[arg(value_name = "TIME", default_value = "24h", value_parser = environment::period)]
    valid: Period,
    /// The project; the one of placet.yaml if left out
    #[arg(long)]
    project: Option<String>,
    #[command(flatten)]
    data: DataFolder,
}

pub async fn run(arguments: &Arguments) -> Result<(), Failure> {
    let environment = arguments.data.over(environment::load()?);
    let config = environment::config(&environment)?;
    let (environment, store) = environment::deployment(environment)?;
    let need = |name: &str| environment.get(name).ok_or_else(|| format!("{name} is not set"));
    let key = Secret::new(need("PLACET_LINK_SECRET")?).ok_or("PLACET_LINK_SECRET is empty")?;
    let project = arguments.project.as_deref().unwrap_or(config.project.as_str());
    if !config.projects().any(|known| known == project) {
        return Err(format!("placet.yaml has no project {project}: add it to projects").into());
    }
    let operation = find(&store, project, &arguments.call_id).await?;
    let now = Clock::System.now();
    let link = link(operation, now, now.plus(arguments.valid.0))?;
    let (inbox, token) = (need("PLACET_INBOX_URL")?, link.sign(&key));
    eprintln!("link {}, as the history will name it:", DecisionLink::token_id(&token));
    say(format!("{}/d/{token}", inbox.trim_end_matches('/')));
    Ok(())
}

async fn find(store: &Store, project: &str, name: &str) -> Result<Item<Operation>, Failure> {
    for id in ids(project, name)? {
        if let Some(operation) = store.item(project, &id.path(), true).await? {
            return Ok(operation);
        }
    }
    Err(format!("project {project} has no call or question with id {name}").into())
}

/// What a name may mean, best first: `human_contact/ID` says it, an id alone is rather a call's than a
/// question's.
fn ids(project: &str, name: &str) -> Result<Vec<OperationId>, Failure> {
    if name.contains('/') {
        let wrong = || format!("{name} is not an id: write function_call/ID or human_contact/ID");
        return Ok(vec![OperationId::parse(project, name).ok_or_else(wrong)?]);
    }
    Ok(OperationKind::ALL.map(|kind| OperationId::new(project, kind, name)).into())
}

fn link(
    operation: Item<Operation>,
    now: Timestamp,
    expires_at: Timestamp,
) -> Result<DecisionLink, Failure> {
    let settles = match operation.state_at(now) {
        State::Pending => None,
        State::Unknown | State::Blocked | State::Failed => Some(operation.attempts),
        state => {
            let (path, state) = (operation.id().path(), state.as_str());
            return Err(format!("{path} is {state}, there is nothing to decide").into());
        }
    };
    Ok(DecisionLink {
        kind: operation.kind(),
        project: operation.project().to_owned(),
        call_id: operation.call_id().to_owned(),
        digest: operation.digest,
        settles,
        expires_at,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_means_a_call_before_a_question_unless_it_says_which() {
        let call = OperationId::call("x", "1");
        let question = OperationId::new("x", OperationKind::HumanContact, "1");
        assert_eq!(ids("x", "1").unwrap(), [call.clone(), question.clone()]);
        assert_eq!(ids("x", "function_call/1").unwrap(), [call]);
        assert_eq!(ids("x", "human_contact/1").unwrap(), [question]);
        assert!(ids("x", "question/1").unwrap_err().to_string().contains("human_contact/ID"));
    }
}
