//! The function with services that do not answer, for tests that need no service.

use lambda_http::Body;
use lambda_http::http::Method;
use placet_core::Timestamp;
use placet_runtime::http::{Request, Response};
use placet_runtime::{Access, ApiKey, ApiKeys, Clock, Config, Environment, Role, Runtime};
use serde_json::Value;

use crate::Approval;
use crate::call::{Call, Parameters};

/// The current time in all tests.
pub(crate) const NOW: Timestamp = Timestamp::from_millis(1_795_165_200_000);

const CONFIG: &str = "
project: default
projects: [other]
operations:
  charge: {executor: {function: charge}}
channels:
  17: {slack: {channel_or_user_id: C1}}
endpoints:
  billing: {url: 'https://billing.example', secrets: [env:S], events: [v1beta2.function_call.completed]}
";

/// The function. It knows one key, `key`, which has this role.
pub(crate) fn approval(role: Role, access: Access) -> Approval {
    let nowhere = "http://127.0.0.1:1";
    let environment: Environment = [
        ("PLACET_DEMO", "on"),
        ("AWS_REGION", "us-east-1"),
        ("AWS_ACCESS_KEY_ID", "local"),
        ("AWS_SECRET_ACCESS_KEY", "local"),
        ("AWS_ENDPOINT_URL_DYNAMODB", nowhere),
        ("AWS_ENDPOINT_URL_SQS", nowhere),
        ("PLACET_TABLE", "placet"),
    ]
    .into_iter()
    .collect();
    let config = Config::parse(CONFIG).unwrap();
    let runtime = Runtime::new(environment, config, Clock::manual(NOW)).unwrap();
    let key = ApiKey { role, ..ApiKey::new("default", "ci", NOW) };
    let keys = ApiKeys::new(&runtime).and("key", key);
    Approval::new(runtime, keys, access)
}

/// A request with these headers and no body.
pub(crate) fn request(method: &Method, target: &str, headers: &[(&'static str, &str)]) -> Request {
    let mut request = Request::new(Body::Empty);
    *request.method_mut() = method.clone();
    *request.uri_mut() = target.parse().unwrap();
    for (name, value) in headers {
        request.headers_mut().insert(*name, value.parse().unwrap());
    }
    request
}

/// The input of a handler for a request of the key's holder.
pub(crate) fn call<'a>(app: &'a Approval, request: &'a Request) -> Call<'a> {
    let key = ApiKey::new("default", "ci", NOW);
    Call { app, request, key, key_digest: None, parameters: Parameters::new(std::iter::empty()) }
}

/// Status, media type and JSON body of a response.
pub(crate) fn read(response: &Response) -> (u16, String, Value) {
    let media_type = response.headers()["content-type"].to_str().unwrap().to_owned();
    let body = serde_json::from_slice(response.body()).unwrap_or_default();
    (response.status().as_u16(), media_type, body)
}
