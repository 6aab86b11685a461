//! A target of a webhook source: what happens with an event.

use placet_core::routing::{Comparison, Filter, Mapping};
use serde::Deserialize;
use serde_json::Value;

use super::Name;
use super::problem::plain;

/// A target of a webhook source: an action, for the events that a filter takes.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(try_from = "Value")]
pub struct Target {
    /// The filter of events.
    pub filter: Filter,
    /// The action.
    pub action: Action,
}

impl Target {
    /// Whether the target decides an operation or requests an approval.
    pub(super) fn has_effects(&self) -> bool {
        matches!(self.action, Action::Decide | Action::Operation(_))
    }
}

/// The action for an event.
#[derive(Clone, Debug, PartialEq)]
pub enum Action {
    /// Log the event. The receipt is stored in any case.
    Log,
    /// Decide an operation: the event is a completed function call with the `call_id` of the operation.
    Decide,
    /// Request an approval.
    Operation(RequestApproval),
    /// Forward the event, signed, to an endpoint of `endpoints:`.
    Forward {
        /// The name of the endpoint.
        endpoint: Name,
    },
}

/// The approval that an event requests.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RequestApproval {
    /// The function.
    #[serde(rename = "fn")]
    pub function: String,
    /// How to build its arguments from the event.
    #[serde(default)]
    pub kwargs: Mapping,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct WrittenTarget {
    log: Option<Empty>,
    decide: Option<Empty>,
    operation: Option<RequestApproval>,
    forward: Option<Forward>,
    types: Vec<String>,
    #[serde(rename = "where")]
    comparisons: Vec<Comparison>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Empty {}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Forward {
    endpoint: Name,
}

impl TryFrom<Value> for Target {
    type Error = String;

    fn try_from(written: Value) -> Result<Self, Self::Error> {
        let wrong = || {
            "a target is log or decide, or one of log: {}, decide: {}, operation: {fn: …}, \
             forward: {endpoint: …}, each with types: […] and where: […] to select events"
                .to_owned()
        };
        let full: WrittenTarget = match written {
            Value::String(word) => {
                let action = match word.as_str() {
                    "log" => Action::Log,
                    "decide" => Action::Decide,
                    _ => return Err(wrong()),
                };
                return Ok(Self { filter: Filter::default(), action });
            }
            written => {
                serde_json::from_value(written).map_err(|error| plain(&error.to_string()))?
            }
        };
        let forward = full.forward.map(|to| Action::Forward { endpoint: to.endpoint });
        let actions = [
            full.log.map(|_| Action::Log),
            full.decide.map(|_| Action::Decide),
            full.operation.map(Action::Operation),
            forward,
        ];
        let mut actions = actions.into_iter().flatten();
        match (actions.next(), actions.next()) {
            (Some(action), None) => {
                let filter = Filter { types: full.types, comparisons: full.comparisons };
                Ok(Self { filter, action })
            }
            _ => Err(wrong()),
        }
    }
}
