//! Who the key belongs to, and which channels are stored for it.

use lambda_http::http::StatusCode;
use placet_core::humanlayer::FieldError;
use placet_runtime::ApiKey;
use placet_runtime::http::{Response, json};
use placet_runtime::problem::Problem;
use serde_json::{Map, Value, json};

use super::failed::Failed;
use crate::Approval;

/// A deployment is one organization.
const ORGANIZATION: &str = "placet";

impl Approval {
    /// All the names that clients look for: its command line reads three of them, its controller two.
    pub(super) fn project(&self, key: &ApiKey) -> Response {
        let project = key.tenant.as_str();
        let found = json!({
            "name": project,
            "slug": project,
            "organization": ORGANIZATION,
            "project_slug": project,
            "org_slug": ORGANIZATION,
        });
        json(StatusCode::OK, &found)
    }

    /// Whether a channel is stored for the key's project.
    pub(super) fn channel(&self, key: &ApiKey, id: &str) -> Result<Response, Failed> {
        let number: Option<u64> = id.parse().ok();
        let stored = number.filter(|id| self.runtime.config.channel(&key.tenant, *id).is_some());
        let missing = || Problem::not_found(format!("there is no contact channel {id}"));
        let id = stored.ok_or_else(missing)?;
        let found = json!({"id": id, "org_slug": ORGANIZATION, "project_slug": key.tenant});
        Ok(json(StatusCode::OK, &found))
    }

    /// The channel of what is asked: a stored one has to be there. Without one it is that of the key,
    /// if it has one; else whoever looks into the inbox is asked.
    pub(crate) fn with_channel(
        &self,
        key: &ApiKey,
        mut extras: Map<String, Value>,
    ) -> Result<Map<String, Value>, FieldError> {
        if let (None, Some(channel)) = (extras.get("channel"), key.channel) {
            extras.insert("channel".to_owned(), json!({"channel_id": channel}));
        }
        let id = extras.get("channel").and_then(|channel| channel.get("channel_id")?.as_u64());
        match id.filter(|id| self.runtime.config.channel(&key.tenant, *id).is_none()) {
            None => Ok(extras),
            Some(id) => Err(FieldError {
                loc: ["body", "spec", "channel", "channel_id"].map(str::to_owned).into(),
                msg: format!("There is no contact channel {id} in placet.yaml"),
                kind: "value_error",
            }),
        }
    }
}
