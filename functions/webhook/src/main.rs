//! The webhook function of Placet as a Lambda binary.

use placet_webhook::Webhook;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_runtime::Error> {
    let start = |runtime| {
        let webhook = Webhook::new(runtime);
        webhook.log_closed();
        webhook
    };
    let handle = |webhook: Webhook, event| async move { Ok(webhook.handle(event).await) };
    placet_runtime::lambda::serve(start, handle).await
}
