//! The worker function of Placet as a Lambda binary.

use placet_worker::{Functions, Worker};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_runtime::Error> {
    let build = |runtime| Worker::new(runtime, Functions::shipped());
    let handle = |worker: Worker, event| async move { Ok(worker.handle(event).await) };
    placet_runtime::lambda::serve(build, handle).await
}
