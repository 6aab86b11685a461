//! Requests of HumanLayer's API, as its clients make them.

use http::StatusCode;
use placet_core::operation::OperationKind;
use serde_json::{Value, json};

use super::{Client, Draft, call};
use crate::request::Reply;
use crate::world::World;

impl World {
    /// Creates a call of this function through HumanLayer's API.
    pub async fn create(&self, call_id: &str, function: &str) -> Reply {
        self.client().request_approval(&call(call_id, function)).await
    }

    /// Approves or denies a call through HumanLayer's API.
    pub async fn respond(&self, call_id: &str, approved: bool) -> Reply {
        self.client().respond(call_id, approved).await
    }

    /// Creates and approves a call.
    pub async fn approved(&self, call_id: &str, function: &str) {
        assert_eq!(self.create(call_id, function).await.status, StatusCode::OK);
        assert_eq!(self.respond(call_id, true).await.status, StatusCode::OK);
    }
}

impl Client<'_> {
    /// Creates an operation.
    pub async fn request_approval(&self, draft: &Draft) -> Reply {
        let path = match draft.kind {
            OperationKind::FunctionCall => "/humanlayer/v1/function_calls",
            OperationKind::HumanContact => "/humanlayer/v1/contact_requests",
        };
        self.world.post(path).key(self.key).json(&draft.humanlayer()).send().await
    }

    /// Approves or denies a call.
    pub async fn respond(&self, call_id: &str, approved: bool) -> Reply {
        let path = format!("/humanlayer/v1/agent/function_calls/{call_id}/respond");
        let body = json!({"approved": approved, "comment": "because"});
        self.world.post(&path).key(self.key).json(&body).send().await
    }

    /// Answers a question.
    pub async fn answer(&self, call_id: &str, body: &Value) -> Reply {
        let path = format!("/humanlayer/v1/agent/human_contacts/{call_id}/respond");
        self.world.post(&path).key(self.key).json(body).send().await
    }

    /// Escalates a question.
    pub async fn escalate(&self, call_id: &str, body: &Value) -> Reply {
        let path = format!("/humanlayer/v1/agent/human_contacts/{call_id}/escalate_email");
        self.world.post(&path).key(self.key).json(body).send().await
    }

    /// Reads a call.
    pub async fn function_call(&self, call_id: &str) -> Value {
        self.world
            .get(&format!("/humanlayer/v1/function_calls/{call_id}"))
            .key(self.key)
            .send()
            .await
            .json()
    }

    /// Reads a question.
    pub async fn contact_request(&self, call_id: &str) -> Value {
        self.world
            .get(&format!("/humanlayer/v1/contact_requests/{call_id}"))
            .key(self.key)
            .send()
            .await
            .json()
    }
}
