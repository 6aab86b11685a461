use serde_json::{Value, json};

use super::*;

fn read(more: &Value) -> Result<NewDecision, Problem> {
    let mut body = json!({"digest": Digest::of_bytes(b"seen")});
    body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    NewDecision::read(body.to_string().as_bytes())
}

#[test]
fn a_decision_has_the_members_of_its_verdict() {
    for (body, verdict, comment, option) in [
        (json!({"verdict": "approve"}), Verdict::Approve, "", None),
        (
            json!({"verdict": "approve", "comment": "go", "option": null}),
            Verdict::Approve,
            "go",
            None,
        ),
        (
            json!({"verdict": "deny", "comment": "no", "option": "later"}),
            Verdict::Deny,
            "no",
            Some("later"),
        ),
        (json!({"verdict": "deny", "comment": null, "option": null}), Verdict::Deny, "", None),
        (json!({"verdict": "answer", "answer": "oak"}), Verdict::Answer, "oak", None),
        (json!({"verdict": "answer", "option": "oak"}), Verdict::Answer, "", Some("oak")),
    ] {
        let NewDecision { response, seen } = read(&body).unwrap();
        assert_eq!((response.verdict, response.comment.as_str()), (verdict, comment), "{body}");
        assert_eq!(response.option.as_deref(), option, "{body}");
        assert_eq!(seen, Digest::of_bytes(b"seen"));
    }
}

#[test]
fn an_error_names_the_wrong_member_with_its_pointer() {
    let refused = |body: Value| {
        let problem = read(&body).unwrap_err();
        assert_eq!((problem.status.as_u16(), problem.code), (422, "invalid_body"));
        problem.detail
    };
    let bodies = [
        json!({}),
        json!({"verdict": "maybe"}),
        json!({"verdict": 1}),
        json!({"verdict": "approve", "answer": "yes"}),
        json!({"verdict": "approve", "option": "later"}),
        json!({"verdict": "answer"}),
        json!({"verdict": "answer", "answer": ""}),
        json!({"verdict": "answer", "answer": null, "option": null}),
        json!({"verdict": "answer", "comment": "yes"}),
        json!({"verdict": "approve", "digest": null}),
        json!({"verdict": "approve", "digest": "ab"}),
        json!({"verdict": "deny", "comment": "x".repeat(20_000)}),
        json!({"verdict": "deny", "comment": 7}),
        json!({"verdict": "deny", "option": "x".repeat(256)}),
    ];
    insta::assert_snapshot!(bodies.map(refused).join("\n"), @r#"
    /verdict: is missing
    /verdict: must be approve, deny or answer
    /verdict: must be a string
    /answer: is unknown; use one of comment, option, digest
    /option: must be null, not a string
    /answer: must not be empty unless an option is chosen
    /answer: must not be empty unless an option is chosen
    /answer: must not be empty unless an option is chosen
    /comment: is unknown; use one of answer, option, digest
    /digest: must be a string, not null
    /digest: a digest is 64 hexadecimal digits
    /comment: must have at most 16 KB, as JSON
    /comment: must be a string, not a whole number
    /option: must have at most 255 bytes, not 256
    "#);
    let without_digest = NewDecision::read(br#"{"verdict": "approve"}"#).unwrap_err();
    assert_eq!(without_digest.errors[0].pointer, "/digest");
}

#[test]
fn a_cancellation_may_have_no_reason() {
    let reason = |body: &[u8]| Cancellation::read(body).unwrap().reason.unwrap_or_default().0;
    assert_eq!(reason(b" "), "");
    assert_eq!(reason(b"{}"), "");
    assert_eq!(reason(br#"{"reason": null}"#), "");
    assert_eq!(reason(br#"{"reason": "changed my mind"}"#), "changed my mind");
    let pointer =
        |body: &[u8]| Cancellation::read(body).map(|_| ()).unwrap_err().errors.remove(0).pointer;
    assert_eq!((pointer(br#"{"why": "x"}"#), pointer(b"[]")), ("/why".to_owned(), String::new()));
}
