//! A name and a value on a page, such as an argument.

use placet_core::Timestamp;
use serde_json::{Map, Value};

use super::hints::hint;
use super::lookalike::Lookalikes;
use super::visible::Shown;

/// A value with more characters or lines than this is folded.
const LONGEST_OPEN: usize = 600;
const MOST_LINES_OPEN: usize = 14;

/// How many characters of a folded value are visible.
const BEGINNING: usize = 240;

/// A name and a value, with every hidden character marked.
pub(super) struct Field {
    pub(super) name: Shown,
    /// The type of the value, where the value alone does not show it.
    pub(super) kind: Option<String>,
    pub(super) value: Folded,
    /// What the value most likely means.
    pub(super) hint: Option<String>,
    pub(super) warnings: Vec<String>,
}

/// A text that is folded if it is long. The page always contains all of it.
pub(super) struct Folded {
    pub(super) whole: Shown,
    /// The beginning and the size of a long text.
    pub(super) fold: Option<(Shown, String)>,
}

impl Folded {
    pub(super) fn new(whole: Shown) -> Self {
        let (characters, lines) = whole.size();
        let size = match lines {
            _ if characters > LONGEST_OPEN => format!("{characters} characters"),
            lines if lines > MOST_LINES_OPEN => format!("{lines} lines"),
            _ => return Self { whole, fold: None },
        };
        let beginning = whole.clone().shorten(BEGINNING);
        Self { whole, fold: Some((beginning, size)) }
    }
}

impl Field {
    pub(super) fn new(name: &str, value: &Value) -> Self {
        let mut lookalikes = Lookalikes::in_texts([name]);
        lookalikes.add_value(value);
        let (name, shown) = (Shown::text(name), Shown::value(value));
        let warnings = [Shown::warnings(&[&name, &shown]), lookalikes.warnings()].concat();
        Self { warnings, kind: kind(value), name, value: Folded::new(shown), hint: None }
    }
}

/// One field for each argument, in the requester's order. Some clients send arguments that are not an object: these
/// get one field.
pub(super) fn arguments(kwargs: &Value, now: Timestamp) -> Vec<Field> {
    let field = |all: &Map<String, Value>, name: &str, value| {
        let field = Field::new(name, value);
        let hint = hint(name, value, all, now).filter(|_| field.warnings.is_empty());
        Field { hint, ..field }
    };
    match kwargs {
        Value::Object(members) => {
            members.iter().map(|(name, value)| field(members, name, value)).collect()
        }
        odd => vec![Field::new("(no name)", odd)],
    }
}

/// The type of a value, if a person could take the value for another one: the text `10` for the number 10. A text has
/// no quotation marks on the page.
fn kind(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => {
            let reads_as_other = matches!(text.chars().next(), Some('[' | '{' | '"'))
                || serde_json::from_str::<Value>(text).is_ok();
            reads_as_other.then(|| "text".to_owned())
        }
        Value::Array(items) => Some(format!("list of {}", items.len())),
        Value::Object(members) => Some(format!("object of {}", members.len())),
        _ => None,
    }
}
