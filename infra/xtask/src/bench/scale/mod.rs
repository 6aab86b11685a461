//! A simulation of webhooks for ten minutes within the limits of DynamoDB, SQS and Lambda. It uses the
//! counted costs of a webhook (`docs/COSTS.md`). It calls nothing and measures nothing.
//!
//! The simulation has one project, webhooks of 1 KB with a signed id, the target `log` and a new table.

mod limits;
mod simulation;

use self::limits::{DEFAULT_ACCOUNT, Limit, MOST_POLLERS, NEW_ACCOUNT, Setup};
use self::simulation::{Outcome, simulate};
use super::counted::Counted;
use crate::error::Error;
use crate::workspace::Workspace;

/// Webhooks a second.
const RATES: [f64; 7] = [1.0, 10.0, 100.0, 500.0, 1_000.0, 2_000.0, 5_000.0];

/// Concurrent executions of the simulated accounts.
const ACCOUNTS: [f64; 2] = [NEW_ACCOUNT, DEFAULT_ACCOUNT];

/// Prints the limits, and the result of ten minutes at each rate.
///
/// # Errors
///
/// If the counted costs cannot be read.
pub fn run(workspace: &Workspace) -> Result<(), Error> {
    let counted = Counted::read(workspace)?;
    println!("{}\n{}", limits(counted), rates(counted));
    Ok(())
}

fn setup(counted: Counted, account: f64) -> Setup {
    Setup { counted, account, workers: MOST_POLLERS }
}

/// The table of the webhooks a second at which each limit is reached, the lowest first.
pub fn limits(counted: Counted) -> String {
    let row = |(limit, account): (Limit, f64)| {
        let setup = setup(counted, account);
        (setup.most(limit), limit, setup.has(limit))
    };
    let all = Limit::ALL.into_iter().map(|limit| (limit, DEFAULT_ACCOUNT));
    let mut rows: Vec<_> = all.chain([(Limit::Account, NEW_ACCOUNT)]).map(row).collect();
    rows.sort_by(|one, other| one.0.total_cmp(&other.0));
    let mut table =
        "| limit | of | webhooks a second | what to raise |\n| --- | ---: | ---: | --- |\n"
            .to_owned();
    for (most, limit, has) in rows {
        let (name, raise) = (limit.name(), limit.raise());
        table += &format!("| {name} | {} | {} | {raise} |\n", thousands(has), thousands(most));
    }
    table
}

/// The table of the results of ten minutes at each rate, in a new account and in an established one.
pub fn rates(counted: Counted) -> String {
    let mut table =
        "| account | webhooks a second | webhook function | workers | write units | hottest key | \
        refused | waiting | oldest | first limit |\n\
        | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | --- |\n"
            .to_owned();
    for account in ACCOUNTS {
        for rate in RATES {
            table += &row(account, rate, simulate(&setup(counted, account), rate));
        }
    }
    table
}

fn row(account: f64, rate: f64, outcome: Outcome) -> String {
    let Outcome { webhooks, workers, table_writes, key_writes, .. } = outcome;
    let cells = [
        thousands(account),
        thousands(rate),
        thousands(webhooks.ceil()),
        thousands(workers.ceil()),
        thousands(table_writes),
        thousands(key_writes),
        percent(outcome.refused),
        thousands(outcome.backlog),
        format!("{} s", outcome.oldest),
        outcome.first.map_or("none", Limit::name).to_owned(),
    ];
    format!("| {} |\n", cells.join(" | "))
}

fn percent(part: f64) -> String {
    if part > 0.0 && part < 0.01 {
        return "under 1 %".to_owned();
    }
    format!("{:.0} %", part * 100.0)
}

/// A whole number with separated thousands.
pub fn thousands(number: f64) -> String {
    let digits = format!("{number:.0}");
    let groups: Vec<&[u8]> = digits.as_bytes().rchunks(3).rev().collect();
    String::from_utf8_lossy(&groups.join(&b","[..])).into_owned()
}

#[cfg(test)]
mod tests;
