use placet_core::item::Kind;
use placet_core::operation::{Operation, State};
use placet_core::{FieldError, receipt};
use serde_json::{Value, json};

use super::*;
use crate::testing::read;

fn store() -> StoreError {
    StoreError::Service { action: "GetItem", cause: "no route to host".to_owned() }
}

/// The replies of both APIs.
fn replies(error: impl Fn() -> Error) -> Value {
    let replies = [Api::Placet, Api::HumanLayer].map(|api| {
        let response = error().into_response(api);
        let (status, _, body) = read(&response);
        let retry = response.headers().contains_key("retry-after");
        json!({"status": status, "retry": retry, "body": body})
    });
    assert_eq!(replies[0]["status"], replies[1]["status"]);
    json!({"status": replies[0]["status"], "retry": replies[0]["retry"],
        "code": replies[0]["body"]["code"], "detail": replies[1]["body"]["detail"]})
}

#[test]
fn every_error_has_its_reply() {
    let change = |error: ChangeError<operation::Refusal>| -> Error { error.into() };
    let (kind, id) = (Operation::NAME, "function_call/c".to_owned());
    let cases = [
        replies(|| Error::Unauthorized("key 123 is revoked".to_owned())),
        replies(|| Error::ForeignHost),
        replies(|| Error::Forbidden {
            project: "p".to_owned(),
            role: Role::Agent,
            right: Right::Decide,
        }),
        replies(|| Error::TooOften {
            project: "p".to_owned(),
            limit: TooOften {
                rate: Rate { per_second: 100, burst: 200 },
                wait: std::time::Duration::from_millis(10),
            },
        }),
        replies(|| Unauthorized::Store(store()).into()),
        replies(|| change(ChangeError::NotFound { kind, id: id.clone() })),
        replies(|| {
            let refusal = operation::Refusal::AlreadyDecided { state: State::Denied };
            change(ChangeError::Refused(refusal))
        }),
        replies(|| ChangeError::Refused(receipt::Refusal::UnderWay).into()),
        replies(|| change(ChangeError::Unclear { kind, id: id.clone() })),
        replies(|| change(ChangeError::Busy { kind, id: id.clone() })),
        replies(|| change(ChangeError::Store(store()))),
        replies(|| CreateError::Conflict("c".to_owned()).into()),
        replies(|| CreateError::TooLarge { size: 300_000 }.into()),
        replies(|| CreateError::TooManyValues { values: 12_000 }.into()),
        replies(|| CreateError::Store(store()).into()),
        replies(|| SendError::UnknownEndpoint("billing".to_owned()).into()),
        replies(|| SendError::Store(store()).into()),
        replies(|| store().into()),
    ];
    insta::assert_snapshot!(cases.map(|case| case.to_string()).join("\n"), @r#"
    {"status":401,"retry":false,"code":"unauthorized","detail":"send a valid API key, as in: Authorization: Bearer <key>"}
    {"status":403,"retry":false,"code":"foreign_host","detail":"this local system accepts only the host names localhost, 127.0.0.1 and [::1]"}
    {"status":403,"retry":false,"code":"forbidden","detail":"the key has the role agent; this route needs a key with the role responder or admin"}
    {"status":429,"retry":true,"code":"too_many_requests","detail":"this key may write 100 times a second, and 200 times at once after a pause: send the request again after 1 s"}
    {"status":503,"retry":true,"code":"unavailable","detail":"an internal service is unavailable: retry in a few seconds"}
    {"status":404,"retry":false,"code":"not_found","detail":"there is no operation with id function_call/c"}
    {"status":409,"retry":false,"code":"already_decided","detail":"call already has a response: it is denied"}
    {"status":409,"retry":false,"code":"under_way","detail":"the receipt is not processed yet: replay it after it is processed"}
    {"status":503,"retry":true,"code":"unavailable","detail":"an internal service is unavailable: retry in a few seconds"}
    {"status":503,"retry":true,"code":"unavailable","detail":"an internal service is unavailable: retry in a few seconds"}
    {"status":503,"retry":true,"code":"unavailable","detail":"an internal service is unavailable: retry in a few seconds"}
    {"status":409,"retry":false,"code":"id_taken","detail":"call_id c already exists with other content: choose a new id"}
    {"status":413,"retry":false,"code":"too_large","detail":"the specification has 300000 bytes; the limit is 204800 bytes"}
    {"status":413,"retry":false,"code":"too_large","detail":"the specification has 12000 JSON values; the limit is 10000"}
    {"status":503,"retry":true,"code":"unavailable","detail":"an internal service is unavailable: retry in a few seconds"}
    {"status":404,"retry":false,"code":"not_found","detail":"placet.yaml has no endpoint billing in this project"}
    {"status":503,"retry":true,"code":"unavailable","detail":"an internal service is unavailable: retry in a few seconds"}
    {"status":503,"retry":true,"code":"unavailable","detail":"an internal service is unavailable: retry in a few seconds"}
    "#);
}

#[test]
fn a_wrong_body_in_humanlayers_format_gets_an_error_in_fastapis_format() {
    let field = FieldError {
        loc: vec!["body".to_owned(), "run_id".to_owned()],
        msg: "Field required".to_owned(),
        kind: "missing",
    };
    let field = read(&Error::from(field).into_response(Api::HumanLayer));
    let json =
        read(&Error::from(InvalidBody::Json("EOF".to_owned())).into_response(Api::HumanLayer));
    assert_eq!((field.0, json.0), (422, 422));
    insta::assert_snapshot!(format!("{}\n{}", field.2, json.2), @r#"
    {"detail":[{"loc":["body","run_id"],"msg":"Field required","type":"missing"}]}
    {"detail":[{"loc":["body"],"msg":"the body is not acceptable JSON: EOF","type":"json_invalid"}]}
    "#);
}

#[test]
fn roles_with_returns_the_roles_that_have_the_right() {
    assert_eq!(roles_with(Right::Create), ["agent", "admin"]);
    assert_eq!(roles_with(Right::Read), ["agent", "responder", "admin"]);
    assert_eq!(roles_with(Right::Decide), ["responder", "admin"]);
    assert_eq!(roles_with(Right::Operate), ["admin"]);
}
