//! The inbox function of Placet as a Lambda binary.

use placet_inbox::Inbox;
use placet_runtime::Access;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_runtime::Error> {
    let build = |runtime| Inbox::new(runtime, Access::Closed);
    let handle = |inbox: Inbox, event| async move { Ok(inbox.handle(event).await) };
    placet_runtime::lambda::serve(build, handle).await
}
