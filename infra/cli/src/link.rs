//! `placet link`: a signed decision link for an operation that waits for a person, made and revoked through the API.

use clap::Args;
use placet_core::operation::{OperationId, OperationKind};
use placet_core::percent;
use placet_runtime::config::Period;
use serde_json::json;

use crate::environment::DataFolder;
use crate::server::Server;
use crate::{Failure, environment, say};

/// The options of `placet link`.
#[derive(Debug, Args)]
pub struct Arguments {
    /// The id of the operation; `function_call/ID` or `human_contact/ID` if a call and a question share it
    call_id: String,
    /// How long the link is valid
    #[arg(value_name = "TIME", default_value = "24h", value_parser = environment::period)]
    valid: Period,
    /// The person who may use the link; needed if placet.yaml lists people
    #[arg(long = "for", value_name = "PERSON")]
    person: Option<String>,
    /// Revoke the link with this id instead, so that it decides nothing any more
    #[arg(long, value_name = "LINK", conflicts_with = "person")]
    revoke: Option<String>,
    /// The project; the one of placet.yaml if left out
    #[arg(long)]
    project: Option<String>,
    #[command(flatten)]
    data: DataFolder,
}

pub async fn run(arguments: &Arguments) -> Result<(), Failure> {
    let environment = arguments.data.over(environment::load()?);
    let config = environment::config(&environment)?;
    let project = arguments.project.as_deref().unwrap_or(config.project.as_str());
    let server = Server::named(&environment, project)?;
    let operation = find(&server, &arguments.call_id).await?;
    if let Some(link) = &arguments.revoke {
        let path = format!("{operation}/links/{}/revoke", percent::encode(link));
        server.post(&path, &json!({})).await?;
        say(format!("link {link} is revoked"));
        return Ok(());
    }
    let valid_for = format!("{}ms", arguments.valid.0.as_millis());
    let body = json!({"person": arguments.person, "valid_for": valid_for});
    let made = server.post(&format!("{operation}/links"), &body).await?;
    let text = |name: &str| made[name].as_str().unwrap_or_default();
    eprintln!("link {}, as the history will name it:", text("id"));
    say(text("url"));
    Ok(())
}

/// The path of the operation with this name.
async fn find(server: &Server, name: &str) -> Result<String, Failure> {
    for id in ids(name)? {
        let path = format!("/v1/operations/{}/{}", id.kind.as_str(), percent::encode(&id.call_id));
        if server.find(&path).await?.is_some() {
            return Ok(path);
        }
    }
    let project = server.project();
    Err(format!("project {project} has no call or question with id {name}").into())
}

/// What a name may mean, best first: `human_contact/ID` says it, an id alone is rather a call's than a
/// question's.
fn ids(name: &str) -> Result<Vec<OperationId>, Failure> {
    if name.contains('/') {
        return Ok(vec![id("", name)?]);
    }
    Ok(OperationKind::ALL.map(|kind| OperationId::new("", kind, name)).into())
}

/// Reads an id that says of which kind the operation is.
pub fn id(project: &str, name: &str) -> Result<OperationId, Failure> {
    let wrong = || format!("{name} is not an id: write function_call/ID or human_contact/ID");
    Ok(OperationId::parse(project, name).ok_or_else(wrong)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_means_a_call_before_a_question_unless_it_says_which() {
        let call = OperationId::call("", "1");
        let question = OperationId::new("", OperationKind::HumanContact, "1");
        assert_eq!(ids("1").unwrap(), [call.clone(), question.clone()]);
        assert_eq!(ids("function_call/1").unwrap(), [call]);
        assert_eq!(ids("human_contact/1").unwrap(), [question]);
        assert!(ids("question/1").unwrap_err().to_string().contains("human_contact/ID"));
    }
}
