//! The timer function of Placet as a Lambda binary.

use placet_timer::Timer;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_runtime::Error> {
    let handle = |timer: Timer, _: serde_json::Value| async move { Ok(timer.handle().await?) };
    placet_runtime::lambda::serve(Timer::new, handle).await
}
