//! The approval function of Placet as a Lambda binary.

use placet_approval::Approval;
use placet_runtime::Access;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_runtime::Error> {
    let build = |runtime| Approval::new(runtime, Access::Closed);
    let handle = |approval: Approval, event| async move { approval.handle(event).await };
    placet_runtime::lambda::serve(build, handle).await
}
