//! The worker function of Placet as a Lambda binary. It is deployed once per queue.

use placet_core::item::Lane;
use placet_runtime::Environment;
use placet_worker::{Functions, LANE, Shipped, Worker};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_runtime::Error> {
    let name = Environment::process().get(LANE).unwrap_or_default();
    let lane =
        Lane::parse(&name).ok_or_else(|| format!("{LANE} is not a lane: use work or calls"))?;
    let build = |runtime| Worker::new(runtime, Functions::shipped());
    let handle =
        move |worker: Worker, event| async move { Ok(worker.handle::<Shipped>(lane, event).await) };
    placet_runtime::lambda::serve(build, handle).await
}
