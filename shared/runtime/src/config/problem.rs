//! What is wrong with `placet.yaml`, in words for the person who writes it.

use std::io;
use std::path::Path;

use serde_saphyr::Error;

use super::locate;

const EMPTY: &str = "the file is empty: write at least `project: default`";
const TAB: &str = "this line is indented with a tab: use spaces";
const SYNTAX: &str = "this is not YAML: look at the indentation, and for a missing colon, quote or bracket in this line \
     or the one before";
const SECOND: &str = "a second document begins with `---`: keep one document";
const MEMBERS: &str = "write members here, each as `name: value`";
const LIST: &str = "write a list here, as in [a, b]";
const VALUE: &str = "write one value here, without members and without a list";
const ALIASES: &str = "aliases such as *name repeat too much: write the values where they belong";
const NO_ANCHOR: &str =
    "no anchor &name comes before this alias *name: write the value where it belongs";
const MERGE: &str =
    "what << merges must be a mapping, or a list of mappings: write the members where they belong";
const SEVERAL: &str = "several alternatives are written here: keep one";
const OTHER: &str = "this value cannot be here: `placet init` writes an example of every section";

/// Why the configuration cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The file cannot be read.
    #[error("{path} {}", reason(.cause))]
    Unreadable {
        /// The file.
        path: String,
        /// The error of the system.
        cause: io::Error,
    },
    /// The content is invalid. The text has line and column.
    #[error("{path}, {cause}")]
    Invalid {
        /// The file.
        path: String,
        /// The error, with line and column.
        cause: String,
    },
}

fn reason(cause: &io::Error) -> String {
    match cause.kind() {
        io::ErrorKind::NotFound => "does not exist".to_owned(),
        io::ErrorKind::IsADirectory => {
            "is a folder: name the file itself in PLACET_CONFIG".to_owned()
        }
        io::ErrorKind::PermissionDenied => {
            "cannot be read: let this user read it, for example with chmod u+r".to_owned()
        }
        _ => format!("cannot be read: {cause}"),
    }
}

/// The text of the file.
pub(super) fn read(path: &Path) -> Result<String, ConfigError> {
    let named = || path.display().to_string();
    let bytes =
        std::fs::read(path).map_err(|cause| ConfigError::Unreadable { path: named(), cause })?;
    String::from_utf8(bytes).map_err(|error| {
        let valid = error.utf8_error().valid_up_to();
        let line = 1 + error.as_bytes()[..valid].iter().filter(|byte| **byte == b'\n').count();
        let cause = format!("line {line}: this line is not UTF-8: save the file as UTF-8");
        ConfigError::Invalid { path: named(), cause }
    })
}

/// Refuses a file that has only blank lines and comments.
pub(super) fn refuse_empty(text: &str) -> Result<(), String> {
    let content = |line: &str| {
        let line = line.trim_start_matches('\u{feff}').trim();
        !line.is_empty() && !line.starts_with('#') && line != "---"
    };
    if text.lines().any(content) {
        Ok(())
    } else {
        Err(locate::at_place(text, (1, 1), false, EMPTY))
    }
}

/// An error of the YAML parser, with line, column and key.
pub(super) fn of_yaml(text: &str, error: &Error) -> String {
    let place = error.location().and_then(|location| {
        Some((usize::try_from(location.line()).ok()?, usize::try_from(location.column()).ok()?))
    });
    let place = place.unwrap_or((1, 1));
    let line = text.lines().nth(place.0.saturating_sub(1)).unwrap_or_default();
    let problem = in_words(error, line);
    // The place of a missing key is the first key beside it.
    let outside = matches!(error, Error::SerdeMissingField { .. });
    locate::at_place(text, place, outside, &problem)
}

fn in_words(error: &Error, line: &str) -> String {
    let fixed = match error {
        Error::AliasError { error, .. } | Error::WithSnippet { error, .. } => {
            return in_words(error, line);
        }
        Error::ExternalMessage { .. } | Error::Eof { .. } => {
            let indentation = line.len() - line.trim_start().len();
            if line[..indentation].contains('\t') { TAB } else { SYNTAX }
        }
        Error::MultipleDocuments { .. } => SECOND,
        Error::Unexpected { expected, .. } if expected.contains("mapping") => MEMBERS,
        Error::Unexpected { expected, .. } if expected.contains("sequence") => LIST,
        Error::Unexpected { .. } | Error::NullIntoString { .. } => VALUE,
        Error::MergeValueNotMapOrSeqOfMaps { .. } => MERGE,
        Error::AliasReplayCounterOverflow { .. }
        | Error::AliasReplayLimitExceeded { .. }
        | Error::AliasExpansionLimitExceeded { .. }
        | Error::AliasReplayStackDepthExceeded { .. }
        | Error::Budget { .. } => ALIASES,
        Error::UnknownAnchor { .. } | Error::RecursiveReferencesRequireWeakTypes { .. } => {
            NO_ANCHOR
        }
        Error::ExpectedMappingEndAfterEnumVariantValue { .. } => SEVERAL,
        Error::InvalidBooleanStrict { .. } => "write true or false",
        Error::ExternallyTaggedEnumExpectedScalarOrMapping { .. } => MEMBERS,
        Error::DuplicateMappingKey { key: Some(key), .. } => return twice(key),
        Error::SerdeUnknownField { field, expected, .. } => return unknown("key", field, expected),
        Error::SerdeUnknownVariant { variant, expected, .. } => {
            return unknown("value", variant, expected);
        }
        Error::SerdeMissingField { field, .. } => return missing(field),
        Error::InvalidScalar { ty, .. } => return write_instead(ty),
        Error::SerdeInvalidType { expected, .. }
        | Error::SerdeInvalidValue { expected, .. }
        | Error::SerdeInvalidLength { expected, .. } => return write_instead(expected),
        Error::Message { msg, .. } | Error::SerdeVariantId { msg, .. } => return plain(msg),
        _ => OTHER,
    };
    fixed.to_owned()
}

/// A message of serde in our words. It contains no value, because a person may have written a secret in place of
/// its variable. Any other message stays as it is.
pub(super) fn plain(message: &str) -> String {
    plain_beside(message, &[])
}

/// As [`plain`], for members that may have these keys, too.
pub(super) fn plain_beside(message: &str, others: &[&str]) -> String {
    let named = |start: &str| message.strip_prefix(start)?.split_once('`');
    for (start, what) in [("unknown field `", "key"), ("unknown variant `", "value")] {
        if let Some((name, known)) = named(start) {
            let known = known.replace("expected one of", "").replace("expected", "");
            let known = known.replace(" or ", ",").replace("there are no fields", "");
            let known = known.split(',').map(|name| name.trim().trim_matches('`'));
            let known = others.iter().copied().chain(known).filter(|name| !name.is_empty());
            return unknown(what, name, &known.collect::<Vec<_>>());
        }
    }
    if message.starts_with("data did not match any variant") {
        return VALUE.to_owned();
    }
    if let Some((name, _)) = named("missing field `") {
        return missing(name);
    }
    if let Some((name, _)) = named("duplicate field `") {
        return twice(name);
    }
    match message.rsplit_once(", expected ") {
        Some((found, "a string")) if !found.contains("map") && !found.contains("sequence") => {
            "write a text here: put the value in quotes".to_owned()
        }
        Some((found, expected)) if found.starts_with("invalid ") => write_instead(expected),
        _ => message.to_owned(),
    }
}

fn unknown(what: &str, name: &str, known: &[&str]) -> String {
    match closest(name, known.iter().copied()) {
        Some(similar) => format!("there is no {what} `{name}`: did you mean `{similar}`?"),
        None if known.is_empty() => format!("there is no {what} `{name}`: remove it"),
        None => format!("there is no {what} `{name}`: use one of {}", known.join(", ")),
    }
}

fn missing(name: &str) -> String {
    format!("`{name}` is missing: add it")
}

fn twice(name: &str) -> String {
    format!("`{name}` is written twice: keep one")
}

/// What to write where serde expects this.
fn write_instead(expected: &str) -> String {
    const NUMBERS: [&str; 9] =
        ["u8", "u16", "u32", "u64", "usize", "i32", "i64", "integer", "number"];
    match expected {
        "string or map" => "write one word, or one member as `name: value`".to_owned(),
        "a boolean" | "boolean" | "bool" => "write true or false".to_owned(),
        "a string" | "string" => VALUE.to_owned(),
        "a sequence" => LIST.to_owned(),
        map if map == "a map" || map.starts_with("struct ") => MEMBERS.to_owned(),
        number if NUMBERS.iter().any(|name| number.contains(name)) => {
            "write a whole number".to_owned()
        }
        other => format!("write {other}"),
    }
}

/// The known name that a name is most like: at most a third of its characters differ.
pub fn closest<'a>(name: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let most = |known: &str| name.len().max(known.len()) / 3;
    known
        .into_iter()
        .filter(|known| name.len().abs_diff(known.len()) <= most(known))
        .map(|known| (distance(name, known), known))
        .filter(|(distance, known)| *distance <= most(known))
        .min()
        .map(|(_, known)| known)
}

/// How many characters must be inserted, deleted or replaced to make one text of the other.
fn distance(a: &str, b: &str) -> usize {
    let mut row: Vec<usize> = (0..=b.chars().count()).collect();
    for (index, left) in a.chars().enumerate() {
        let mut diagonal = std::mem::replace(&mut row[0], index + 1);
        for (column, right) in b.chars().enumerate() {
            let replaced = diagonal + usize::from(left != right);
            diagonal = row[column + 1];
            row[column + 1] = replaced.min(diagonal + 1).min(row[column] + 1);
        }
    }
    row[b.chars().count()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_of_serde_are_in_our_words() {
        for (message, expected) in [
            (
                "unknown field `limitt`, expected one of `ack`, `limit`",
                "there is no key `limitt`: did you mean `limit`?",
            ),
            (
                "unknown field `colour`, expected `endpoint`",
                "there is no key `colour`: use one of endpoint",
            ),
            (
                "unknown field `colour`, expected `a` or `b`",
                "there is no key `colour`: use one of a, b",
            ),
            ("unknown field `colour`, there are no fields", "there is no key `colour`: remove it"),
            (
                "unknown variant `fist`, expected `all` or `first`",
                "there is no value `fist`: did you mean `first`?",
            ),
            ("missing field `endpoint`", "`endpoint` is missing: add it"),
            ("duplicate field `fn`", "`fn` is written twice: keep one"),
            ("invalid type: string \"sk_live, expected\", expected struct Checks", MEMBERS),
            ("invalid type: integer `7`, expected a sequence", LIST),
            ("invalid value: integer `-1`, expected u32", "write a whole number"),
            ("a timeout is at most 25s", "a timeout is at most 25s"),
        ] {
            assert_eq!(plain(message), expected);
        }
    }

    #[test]
    fn a_name_is_close_to_one_with_few_other_characters() {
        let known = ["GITHUB", "GITLAB", "STRIPE"];
        for (name, expected) in [
            ("GITHUBB", Some("GITHUB")),
            ("GITLUB", Some("GITHUB")),
            ("STRPE", Some("STRIPE")),
            ("SLACK", None),
            ("", None),
        ] {
            assert_eq!(closest(name, known), expected, "{name}");
        }
    }

    #[test]
    fn a_file_that_nobody_may_read() {
        let error = |kind: io::ErrorKind| {
            ConfigError::Unreadable { path: "placet.yaml".to_owned(), cause: kind.into() }
                .to_string()
        };
        assert_eq!(
            error(io::ErrorKind::PermissionDenied),
            "placet.yaml cannot be read: let this user read it, for example with chmod u+r"
        );
    }
}
