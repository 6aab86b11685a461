//! Counted costs: the table in `docs/COSTS.md` that `infra/local/tests/system/cost/load.rs` writes.

use crate::error::Error;
use crate::workspace::Workspace;

/// The cost of one event or run.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Cost {
    /// Invocations of a function.
    pub invocations: f64,
    /// Write units of the table.
    pub table: f64,
    /// Write units of the index `list`.
    pub list: f64,
    /// Write units of the index `due`.
    pub due: f64,
    /// Read units.
    pub reads: f64,
    /// Calls to SQS.
    pub sqs: f64,
}

/// The rows of the table that the benchmarks use.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Counted {
    /// Verifying and storing a webhook.
    pub stored: Cost,
    /// Processing a stored webhook in a batch of ten.
    pub processed: Cost,
    /// A run of the timer when nothing is due.
    pub timer: Cost,
    /// The additional cost of such a run for each project.
    pub project: Cost,
}

impl Counted {
    /// Reads the table in `docs/COSTS.md`.
    ///
    /// # Errors
    ///
    /// If the file cannot be read or a row of the table is missing.
    pub fn read(workspace: &Workspace) -> Result<Self, Error> {
        let path = workspace.root.join("docs/COSTS.md");
        let page = std::fs::read_to_string(&path).map_err(Error::file(&path))?;
        Self::of(&page).ok_or(Error::NotCounted)
    }

    fn of(page: &str) -> Option<Self> {
        Some(Self {
            stored: Cost::of(page, "a webhook is stored")?,
            processed: Cost::of(page, "it is processed, in a batch of ten")?,
            timer: Cost::of(page, "the timer runs, and nothing is due")?,
            project: Cost::of(page, "the same, for each project")?,
        })
    }
}

impl Cost {
    /// The row with this name.
    fn of(page: &str, name: &str) -> Option<Self> {
        let row = page.lines().find_map(|line| line.strip_prefix("| ")?.strip_prefix(name))?;
        let mut numbers = row.split('|').skip(1).map_while(|cell| cell.trim().parse().ok());
        Some(Self {
            invocations: numbers.next()?,
            table: numbers.next()?,
            list: numbers.next()?,
            due: numbers.next()?,
            reads: numbers.next()?,
            sqs: numbers.next()?,
        })
    }
}

/// Tests that the tables of `docs/COSTS.md` equal the printed tables.
#[cfg(test)]
pub mod tests {
    #![allow(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

    use super::super::{idle, scale};
    use super::*;

    const PAGE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/COSTS.md");

    /// The counted costs in `docs/COSTS.md`.
    pub fn counted() -> Counted {
        Counted::of(&std::fs::read_to_string(PAGE).unwrap()).unwrap()
    }

    /// One test for all tables, because each table is written into the same file.
    #[test]
    fn the_tables_of_the_document_equal_the_computed_tables() {
        let counted = counted();
        compare("idle", &idle::table(&counted));
        compare("limits", &scale::limits(counted));
        compare("rates", &scale::rates(counted));
    }

    /// Compares the printed table with the text between the marks of this name. `UPDATE=1` writes the table
    /// there.
    fn compare(name: &str, printed: &str) {
        let page = std::fs::read_to_string(PAGE).unwrap();
        let (start, end) = (format!("<!-- {name} -->\n"), format!("<!-- /{name} -->"));
        let (before, rest) = page.split_once(&start).unwrap();
        let (written, after) = rest.split_once(&end).unwrap();
        if written == printed {
            return;
        }
        assert!(
            std::env::var_os("UPDATE").is_some(),
            "docs/COSTS.md has another table; run with UPDATE=1 to write:\n{printed}"
        );
        std::fs::write(PAGE, format!("{before}{start}{printed}{end}{after}")).unwrap();
    }

    #[test]
    fn a_row_is_found_by_its_name() {
        let page = "| a webhook is stored | 1 | 2 | 3 | 0 | 0.5 | 0.1 |\n";
        let cost = Cost { invocations: 1.0, table: 2.0, list: 3.0, due: 0.0, reads: 0.5, sqs: 0.1 };
        assert_eq!(Cost::of(page, "a webhook is stored"), Some(cost));
        assert_eq!(Cost::of(page, "it is processed"), None);
        assert_eq!(Counted::of(page), None);
    }
}
