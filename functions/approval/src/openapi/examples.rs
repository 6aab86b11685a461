//! Examples that several schemas share. `tests/test_openapi.py` makes sure that the items they name exist.

use serde_json::{Value, json};

pub(crate) const DELIVERY: &str = "msg_5b1d0c2f4a9e8d7c6b5a493827161504";
pub(crate) const RECEIPT: &str = "github.c1ce8282f097d63fd8eb33f7daba41a790616449";

/// One new operation of each kind.
pub(crate) fn new_operations() -> Value {
    json!([
        {
            "kind": "function_call", "run_id": "run-1", "call_id": "call-1",
            "fn": "purchase_materials", "kwargs": {"material": "wood", "quantity": 10},
        },
        {
            "kind": "human_contact", "run_id": "run-1", "call_id": "call-1", "msg": "Oak or pine?",
            "response_options": [{"name": "oak"}, {"name": "pine", "title": "Pine"}],
        },
    ])
}

/// The rule that an answer has a text, an option, or both.
pub(crate) fn words_or_option() -> Value {
    json!([
        {"required": ["answer"], "properties": {"answer": {"type": "string", "minLength": 1}}},
        {"required": ["option"], "properties": {"option": {"type": "string"}}},
    ])
}
