//! Data as YAML for a person: objects as blocks, lists in one line.

use serde_json::{Map, Value};

/// The lines of an object's members.
pub(super) fn block(members: &Map<String, Value>, indent: usize) -> String {
    let line = |(name, value): (&String, &Value)| {
        let name = format!("{:indent$}{}:", "", scalar(name));
        match value {
            Value::Object(members) if !members.is_empty() => {
                format!("{name}\n{}", block(members, indent + 2))
            }
            value => format!("{name} {}\n", flow(value)),
        }
    };
    members.iter().map(line).collect()
}

fn flow(value: &Value) -> String {
    match value {
        Value::Array(elements) => {
            format!("[{}]", elements.iter().map(flow).collect::<Vec<_>>().join(", "))
        }
        Value::Object(members) => {
            let member =
                |(name, value): (&String, &Value)| format!("{}: {}", scalar(name), flow(value));
            format!("{{{}}}", members.iter().map(member).collect::<Vec<_>>().join(", "))
        }
        Value::String(text) => scalar(text),
        other => other.to_string(),
    }
}

/// A text without quotes only if nothing else could be read in it; JSON's quotes are YAML's too.
fn scalar(text: &str) -> String {
    const WORDS: [&str; 9] = ["true", "false", "null", "yes", "no", "on", "off", "y", "n"];
    let starts = text.starts_with(|first: char| first.is_ascii_alphabetic() || first == '/');
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"_./:*@-".contains(&byte);
    let harmless = starts
        && text.bytes().all(plain)
        && !text.ends_with(':')
        && !WORDS.contains(&text.to_ascii_lowercase().as_str());
    if harmless { text.to_owned() } else { Value::from(text).to_string() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn data_is_written_as_yaml() {
        let data = serde_json::json!({
            "a": {"at": "header:*-id", "b": ["x", "5m", "lit:v0:", "no", 1, {"c": "d e"}], "e": {}},
            "f": "it's: \"x\"\n", "g": true, "1": null,
        });
        let expected = "a:
  at: header:*-id
  b: [x, \"5m\", \"lit:v0:\", \"no\", 1, {c: \"d e\"}]
  e: {}
f: \"it's: \\\"x\\\"\\n\"
g: true
\"1\": null
";
        assert_eq!(block(data.as_object().unwrap(), 0), expected);
    }
}
