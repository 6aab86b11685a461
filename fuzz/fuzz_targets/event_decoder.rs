//! Passes any bytes to the webhook function as its event from Lambda. The function answers every valid event,
//! and a handler sees the body of the event.
#![no_main]

use aws_lambda_events::lambda_function_urls::LambdaFunctionUrlRequest;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use libfuzzer_sys::fuzz_target;
use placet_fuzz::{Function, at_once};
use placet_runtime::function_url::respond;
use placet_runtime::problem::Problem;

thread_local! {
    static FUNCTION: Function = Function::start();
}

fuzz_target!(|bytes: &[u8]| {
    let Ok(event) = serde_json::from_slice::<LambdaFunctionUrlRequest>(bytes) else {
        return;
    };
    let mut seen = None;
    at_once(respond(event.clone(), |request| {
        seen = Some(request.body().to_vec());
        async { Problem::unavailable().into_response() }
    }));
    if let Some(seen) = seen {
        let text = event.body.clone().unwrap_or_default();
        let sent = if event.is_base64_encoded {
            STANDARD.decode(text).ok()
        } else {
            Some(text.into_bytes())
        };
        assert_eq!(Some(seen), sent);
    }
    FUNCTION.with(|function| function.answer(event));
});
