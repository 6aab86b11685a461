//! `placet settle`: settles the unknown outcomes of many operations in the same way, through the API.

use clap::Args;
use clap::builder::PossibleValuesParser;
use placet_core::operation::{OperationKind, Settlement};
use placet_core::percent;
use serde_json::{Value, json};

use crate::environment::DataFolder;
use crate::server::Server;
use crate::style::printable;
use crate::{Failure, environment, say};

/// How many operations one request settles: as many as the API settles before a client stops waiting.
const AT_ONCE: usize = 20;

/// The options of `placet settle`.
#[derive(Debug, Args)]
pub struct Arguments {
    /// What you found out about all of these operations
    #[arg(value_parser = PossibleValuesParser::new(Settlement::ALL.map(|one| one.as_str())))]
    settlement: String,
    /// Only calls of this function
    #[arg(long = "fn", value_name = "NAME")]
    function: Option<String>,
    /// Only operations of this kind
    #[arg(long, value_parser = PossibleValuesParser::new(OperationKind::ALL.map(|one| one.as_str())))]
    kind: Option<String>,
    /// Only operations of this run
    #[arg(long, value_name = "ID")]
    run_id: Option<String>,
    /// Only operations that were requested at this time or later, as in 24h or 2026-11-30T20:00:00Z
    #[arg(long, value_name = "TIME")]
    since: Option<String>,
    /// Only operations that were requested at this time or earlier
    #[arg(long, value_name = "TIME")]
    until: Option<String>,
    /// What the histories of the operations say
    #[arg(long, value_name = "TEXT")]
    comment: Option<String>,
    /// Settle; without it, the command only prints what it would settle
    #[arg(long)]
    yes: bool,
    /// The project; the one of placet.yaml if left out
    #[arg(long)]
    project: Option<String>,
    #[command(flatten)]
    data: DataFolder,
}

impl Arguments {
    /// The path of the list of the unknown operations that these options name.
    fn list(&self) -> String {
        let filters = [
            ("fn", &self.function),
            ("kind", &self.kind),
            ("run_id", &self.run_id),
            ("since", &self.since),
            ("until", &self.until),
        ];
        let filters = filters.iter().filter_map(|(name, value)| {
            Some(format!("&{name}={}", percent::encode(value.as_deref()?)))
        });
        format!("/v1/operations?state=unknown&limit=100{}", filters.collect::<String>())
    }
}

pub async fn run(arguments: &Arguments) -> Result<(), Failure> {
    let environment = arguments.data.over(environment::load()?);
    let config = environment::config(&environment)?;
    let project = arguments.project.as_deref().unwrap_or(config.project.as_str());
    let server = Server::named(&environment, project)?;
    let unknown = unknown(&server, &arguments.list()).await?;
    if unknown.is_empty() {
        say(format!("No such operation of project {project} has an unknown outcome."));
        return Ok(());
    }
    if !arguments.yes {
        unknown.iter().for_each(|operation| say(described(operation)));
        say(format!(
            "\nOperations with an unknown outcome: {}. Nothing is settled yet: add --yes to settle all of them as {}.",
            unknown.len(),
            arguments.settlement
        ));
        return Ok(());
    }
    let mut left = 0;
    for some in unknown.chunks(AT_ONCE) {
        left += settle(&server, arguments, some).await?;
    }
    say(format!("\nSettled: {}. Not settled: {left}.", unknown.len() - left));
    match left {
        0 => Ok(()),
        _ => Err("some operations are not settled: read why, then run the command again".into()),
    }
}

/// All operations of a list, the newest first.
async fn unknown(server: &Server, list: &str) -> Result<Vec<Value>, Failure> {
    let mut found = Vec::new();
    let mut cursor = String::new();
    loop {
        let mut page = server.get(&format!("{list}{cursor}")).await?;
        if let Value::Array(items) = page["items"].take() {
            found.extend(items);
        }
        match page["next"].as_str() {
            Some(next) => cursor = format!("&cursor={}", percent::encode(next)),
            None => return Ok(found),
        }
    }
}

/// Settles some operations, prints how each ended, and returns how many are not settled.
async fn settle(
    server: &Server,
    Arguments { settlement, comment, .. }: &Arguments,
    operations: &[Value],
) -> Result<usize, Failure> {
    let seen = operations.iter().map(|operation| {
        let member = |name: &str| operation[name].clone();
        json!({
            "kind": member("kind"),
            "call_id": member("call_id"),
            "digest": member("digest"),
            "attempt": member("attempts"),
        })
    });
    let body = json!({
        "settlement": settlement,
        "comment": comment,
        "operations": seen.collect::<Vec<_>>(),
    });
    let settled = server.post("/v1/operations/settle", &body).await?;
    let mut left = 0;
    for item in settled["items"].as_array().into_iter().flatten() {
        let end = match item["state"].as_str() {
            Some(state) => format!("is {state}"),
            None => {
                left += 1;
                format!("is not settled: {}", text(&item["error"], "detail"))
            }
        };
        say(format!("{} {}", name(item), printable(&end)));
    }
    Ok(left)
}

fn described(operation: &Value) -> String {
    let (function, created) = (text(operation, "fn"), text(operation, "created_at"));
    let attempts = &operation["attempts"];
    printable(&format!("{}  {function}  requested {created}, attempts {attempts}", name(operation)))
        .into_owned()
}

fn name(operation: &Value) -> String {
    printable(&format!("{}/{}", text(operation, "kind"), text(operation, "call_id"))).into_owned()
}

fn text<'a>(value: &'a Value, name: &str) -> &'a str {
    value[name].as_str().unwrap_or_default()
}
