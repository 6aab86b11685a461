use serde::{Deserialize, Serialize};

use super::OperationId;
use crate::Timestamp;
use crate::delivery::Delivery;
use crate::item::Child;

/// An endpoint to notify of a decision, and the event to send.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Notice {
    /// The name of the endpoint in `placet.yaml`.
    pub endpoint: String,
    /// The name of the event, which also selects the format: `v1beta2.function_call.completed`.
    pub event: String,
}

impl Notice {
    /// The id of the delivery that notifies `endpoint` of the decision on this operation.
    pub fn delivery_id(endpoint: &str, id: &OperationId) -> String {
        Delivery::id(endpoint, &format!("decision/{}/{}", id.project, id.path()))
    }

    /// The delivery as a child that must still be created.
    pub(super) fn child(&self, id: &OperationId, now: Timestamp) -> Child {
        let delivery = Delivery::of_decision(&self.endpoint, &self.event, id, now);
        Child::new(Self::delivery_id(&self.endpoint, id), delivery, now)
    }
}
