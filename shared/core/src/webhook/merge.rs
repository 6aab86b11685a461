use serde_json::Value;

/// Applies changes to a preset (RFC 7396). Objects are merged, other values are replaced, and `null` removes
/// a member.
pub fn merged(base: Value, changes: &Value) -> Value {
    match (base, changes) {
        (Value::Object(mut base), Value::Object(changes)) => {
            for (name, change) in changes {
                if change.is_null() {
                    base.shift_remove(name);
                } else {
                    let member = base.entry(name).or_insert(Value::Null);
                    *member = merged(member.take(), change);
                }
            }
            Value::Object(base)
        }
        (_, Value::Object(changes)) => {
            merged(Value::Object(serde_json::Map::new()), &Value::Object(changes.clone()))
        }
        (_, change) => change.clone(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn members_are_merged_and_null_removes() {
        let base = json!({"a": {"b": 1, "c": [1, 2]}, "d": 1});
        let changes = json!({"a": {"b": 2, "c": [3], "e": {"f": null}}, "d": null});
        let merged = merged(base, &changes).to_string();
        assert_eq!(merged, r#"{"a":{"b":2,"c":[3],"e":{}}}"#);
    }
}
