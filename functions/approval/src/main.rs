//! The approval function of Placet as a Lambda binary.

use placet_approval::Approval;
use placet_runtime::{Access, ApiKeys, Runtime};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_runtime::Error> {
    let build = |runtime: Runtime| {
        let keys = ApiKeys::new(&runtime);
        Approval::new(runtime, keys, Access::Closed)
    };
    let handle = |approval: Approval, event| async move { Ok(approval.handle(event).await) };
    placet_runtime::lambda::serve(build, handle).await
}
