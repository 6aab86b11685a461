//! The ledger of real effects.

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::types::AttributeValue;
use placet_core::operation::{Failure, Report};
use placet_local::engines::TABLE;
use placet_worker::{Call, Functions};
use serde_json::json;
use uuid::Uuid;

/// The real effects of functions, as rows in the engine. The functions write them through the client with
/// faults. So a crash can come before an effect, or after it and before its answer.
#[derive(Clone, Default)]
pub struct Ledger(std::sync::Arc<std::sync::OnceLock<Client>>);

impl Ledger {
    pub fn open(&self, client: Client) {
        self.0.set(client).ok();
    }

    /// Adds the functions of the ledger to these functions.
    pub fn functions(&self, functions: Functions) -> Functions {
        let (charge, charge_once) = (self.clone(), self.clone());
        functions
            .with("charge", move |call| {
                let (ledger, row) = (charge.clone(), call.idempotency_key.clone());
                async move { ledger.write(call, row).await }
            })
            .with("charge_once", move |call| {
                let ledger = charge_once.clone();
                let row = Uuid::new_v4().to_string();
                async move { ledger.write(call, row).await }
            })
            .with("panics", |_| async { panic!("a bug in a function") })
    }

    /// Writes an effect: one row is one effect. An idempotent function writes all its attempts to one row.
    async fn write(&self, call: Call, row: String) -> Report {
        let put = self.0.get().unwrap().put_item().table_name(TABLE);
        let put = put.item("pk", AttributeValue::S(format!("LEDGER#{}", call.call_id)));
        match put.item("sk", AttributeValue::S(row)).send().await {
            Ok(_) => Report::Succeeded(json!({"charged": call.kwargs["amount"]})),
            Err(_) => Report::Unclear(Failure {
                code: "lost".to_owned(),
                message: "no answer".to_owned(),
            }),
        }
    }
}
