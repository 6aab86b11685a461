//! Words that are not plain, and the words to write instead.

use std::fs;
use std::path::Path;
use std::process::Command;

use crate::error::Error;
use crate::workspace::Workspace;

/// The only file that may hold these words.
const THIS: &str = "infra/xtask/src/lint/words.rs";

/// Each word with a better one. The check ignores case and finds whole words only.
const WORDS: [(&str, &str); 26] = [
    ("asker", "requester"),
    ("askers", "requesters"),
    ("can not", "cannot"),
    ("work off", "process"),
    ("works off", "processes"),
    ("worked off", "processed"),
    ("working off", "processing"),
    ("untold", "not notified yet"),
    ("put aside", "spooled"),
    ("take back", "drain"),
    ("taken back", "drained"),
    ("consult", "poll"),
    ("consults", "polls"),
    ("consulted", "polled"),
    ("come again", "be sent again, be received again"),
    ("comes again", "is sent again, is received again"),
    ("coming again", "sent again, received again"),
    ("came again", "was sent again, was received again"),
    ("not heard of", "lease expired"),
    ("whoever", "anyone who"),
    ("whomever", "anyone whom"),
    ("give up", "retries exhausted"),
    ("gives up", "retries are exhausted"),
    ("given up", "retries exhausted"),
    ("gave up", "retries were exhausted"),
    ("giving up", "retries exhausted"),
];

/// Refuses these words in every committed text file.
///
/// # Errors
///
/// If a file holds such a word. The error names each place and the better word.
pub fn check(workspace: &Workspace) -> Result<(), Error> {
    eprintln!("\n$ git ls-files: words that are not plain");
    let mut found = Vec::new();
    for file in files(&workspace.root)? {
        let Ok(text) = fs::read_to_string(workspace.root.join(&file)) else { continue };
        for (number, line) in text.lines().enumerate() {
            for (word, better) in words_in(line) {
                found.push(format!("{file}:{}: \"{word}\": write \"{better}\"", number + 1));
            }
        }
    }
    if found.is_empty() {
        eprintln!("words ok");
        return Ok(());
    }
    Err(Error::Words(found.join("\n")))
}

/// The committed files that are neither generated nor fuzz inputs.
fn files(root: &Path) -> Result<Vec<String>, Error> {
    let listed = Command::new("git").arg("ls-files").current_dir(root).output();
    let command = "git ls-files".to_owned();
    let listed = listed.map_err(|source| Error::Start { command, source })?;
    let names = String::from_utf8_lossy(&listed.stdout).into_owned();
    let ours = |name: &&str| {
        let generated = name.ends_with(".lock") || name.ends_with("package-lock.json");
        !generated && !name.starts_with("fuzz/corpus/") && *name != THIS
    };
    Ok(names.lines().filter(ours).map(str::to_owned).collect())
}

fn words_in(line: &str) -> impl Iterator<Item = (&'static str, &'static str)> {
    let line = line.to_lowercase();
    WORDS.into_iter().filter(move |(word, _)| {
        line.match_indices(word).any(|(at, found)| {
            let before = line[..at].chars().next_back();
            let after = line[at + found.len()..].chars().next();
            let joins = |next: Option<char>| next.is_some_and(char::is_alphanumeric);
            !joins(before) && !joins(after)
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(line: &str) -> Vec<&'static str> {
        words_in(line).map(|(word, _)| word).collect()
    }

    #[test]
    fn only_whole_words_are_found() {
        assert_eq!(found("Whoever asks CAN NOT be told"), ["can not", "whoever"]);
        assert_eq!(found("let can_not = asker;"), ["asker"]);
        assert_eq!(found("taskers cannot be consultants"), <[&str; 0]>::default());
    }
}
