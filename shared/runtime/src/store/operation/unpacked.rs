//! Operations as they were stored before they were compressed: function calls, an attribute for each
//! field. The next write compresses them.

use placet_core::{Content, Operation};
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::super::StoreError;
use super::super::attributes::Reader;

pub(super) fn read(reader: &Reader) -> Result<Operation, StoreError> {
    let function = reader.text("fn")?;
    Ok(Operation {
        tenant: reader.text("tenant")?,
        call_id: reader.text("call_id")?,
        run_id: reader.text("run_id")?,
        content: Content::Call { function, kwargs: reader.json("kwargs")? },
        extras: reader.json("extras")?,
        plan: reader.optional_json("plan")?,
        upstream: None,
        digest: name(reader, "digest")?,
        created_at: reader.moment("created_at")?,
        deadline: reader.moment("deadline")?,
        state: name(reader, "state")?,
        version: reader.number("version")?,
        last_write: reader.text("last_write")?,
        due: reader.due()?,
        untold: false,
        decision: reader.optional_json("decision")?,
        attempts: reader.number("attempts")?,
        attempt_limit: reader.number("attempt_limit")?,
        not_before: reader.optional_json("not_before")?,
        unclear: reader.json("unclear")?,
        lease: reader.optional_json("lease")?,
        outcome: reader.optional_json("outcome")?,
        history: reader.json("history")?,
    })
}

fn name<T: DeserializeOwned>(reader: &Reader, attribute: &'static str) -> Result<T, StoreError> {
    let text = Value::from(reader.text(attribute)?);
    serde_json::from_value(text).map_err(|_| reader.corrupt(attribute))
}
