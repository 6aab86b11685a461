//! Webhooks as a sender makes them: each has its own id, the current time and a signature.

use std::time::{SystemTime, UNIX_EPOCH};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use placet_core::Timestamp;
use placet_core::webhook::{parse_secret, sign};
use serde_json::{Value, json};

use crate::error::Error;
use crate::workspace::Workspace;

/// The source in `placet.yaml` for these webhooks. It must have the scheme of Standard Webhooks.
const SOURCE: &str = "standard";
/// The environment variable with the secret of the source.
pub const SECRET_VARIABLE: &str = "PLACET_SECRET_STANDARD";
/// A secret for this measurement only.
pub const SECRET: &str = "whsec_YSB3ZWJob29rIHNlY3JldCBmb3IgYSBtZWFzdXJlbWVudA==";

/// How an event holds the body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Carried {
    /// As text: Lambda's form for JSON.
    Text,
    /// In base64: Lambda's form for most other content types.
    Base64,
}

/// A kind of webhook.
#[derive(Clone, Copy, Debug)]
pub struct Delivery {
    /// Length of the body in bytes.
    pub bytes: usize,
    /// How the event holds the body.
    pub carried: Carried,
}

impl Delivery {
    /// `count` Function URL events, each with another webhook of this kind.
    ///
    /// # Errors
    ///
    /// If the sample event cannot be read.
    pub fn events(self, workspace: &Workspace, count: usize) -> Result<Vec<Vec<u8>>, Error> {
        let path = workspace.root.join("events/webhook-unsigned.json");
        let sample = std::fs::read(&path).map_err(Error::file(&path))?;
        let sample: Value =
            serde_json::from_slice(&sample).map_err(|source| Error::Json { path, source })?;
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        (0..count)
            .map(|number| {
                let id = format!("msg_{:x}_{number}", now.as_nanos());
                let at = Timestamp::from_millis(i64::try_from(now.as_millis()).unwrap_or_default());
                self.event(sample.clone(), &id, at)
            })
            .collect()
    }

    fn event(self, mut event: Value, id: &str, at: Timestamp) -> Result<Vec<u8>, Error> {
        let body = body(id, self.bytes);
        event["rawPath"] = json!(format!("/webhooks/{SOURCE}"));
        event["requestContext"]["http"]["path"] = event["rawPath"].clone();
        event["headers"]["content-length"] = json!(body.len().to_string());
        event["headers"]["webhook-id"] = json!(id);
        event["headers"]["webhook-timestamp"] = json!(at.seconds().to_string());
        event["headers"]["webhook-signature"] =
            json!(sign(&parse_secret(SECRET)?, id, at, body.as_bytes()));
        event["isBase64Encoded"] = json!(self.carried == Carried::Base64);
        event["body"] = match self.carried {
            Carried::Text => json!(body),
            Carried::Base64 => json!(STANDARD.encode(body)),
        };
        Ok(event.to_string().into_bytes())
    }
}

/// A JSON document of exactly `length` bytes, at least 100. It holds different lines of an order.
fn body(id: &str, length: usize) -> String {
    let mut text = format!(r#"{{"id":"{id}","type":"order.paid","lines":["#);
    let end = |text: &str| format!(r#"{{}}],"note":"{}"}}"#, "x".repeat(length - text.len() - 14));
    let mut noise = 1_u64;
    loop {
        noise = noise.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        let (sku, quantity) = (noise >> 20, noise >> 60);
        let line = format!(r#"{{"sku":"{sku:011x}","name":"oak board","quantity":{quantity}}},"#);
        if text.len() + line.len() + 14 > length {
            return text.clone() + &end(&text);
        }
        text += &line;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bodies_are_json_of_the_requested_length() {
        for length in [200, 1000, 1001, 20_000] {
            let body = body("msg_1", length);
            assert_eq!(body.len(), length);
            let value: Value = serde_json::from_str(&body).unwrap();
            assert_eq!(value["id"], "msg_1");
        }
    }
}
