use std::time::Duration;

use placet_core::Timestamp;
use placet_core::operation::OperationKind;
use serde::Deserialize;
use serde_json::json;

use super::*;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
#[allow(dead_code, reason = "only errors are looked at")]
struct Sample {
    name: Text<1, 5>,
    id: Option<CallId>,
    comment: Option<Comment>,
    list: Option<Vec<Inner>>,
    kind: Option<OperationKind>,
    flag: Option<bool>,
    count: Option<u64>,
    members: Option<Map<String, Value>>,
    #[serde(default)]
    nothing: (),
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
#[allow(dead_code, reason = "only errors are looked at")]
struct Inner {
    #[serde(rename = "a/b~c")]
    odd: u64,
}

/// The error for a body in which only this member is wrong.
fn wrong(member: &str, value: Value) -> String {
    let mut body = json!({"name": "n"});
    body[member] = value;
    let wrong = super::value::<Sample>(body).unwrap_err();
    let problem = Problem::from(wrong);
    assert_eq!((problem.status.as_u16(), problem.code), (422, "invalid_body"));
    problem.detail
}

#[test]
fn an_error_names_the_wrong_member_with_its_pointer() {
    let long = "x".repeat(300);
    let cases = [
        wrong("name", json!(7)),
        wrong("name", json!("")),
        wrong("name", json!("123456")),
        wrong("name", Value::Null),
        wrong("id", json!("a/b")),
        wrong("id", json!(long)),
        wrong("comment", json!("x".repeat(16 * 1024))),
        wrong("list", json!({})),
        wrong("list", json!([{"a/b~c": 1}, {"a/b~c": "x"}])),
        wrong("list", json!([{}])),
        wrong("list", json!([{"a/b~c": 1, "d": null}])),
        wrong("list", json!(["text"])),
        wrong("list", json!([[1]])),
        wrong("kind", json!("dance")),
        wrong("kind", json!({"function_call": null})),
        wrong("flag", json!("yes")),
        wrong("count", json!(-1)),
        wrong("count", json!(1.5)),
        wrong("members", json!([])),
        wrong("nothing", json!("something")),
        wrong("colour/~", json!(long)),
    ];
    insta::assert_snapshot!(cases.join("\n"), @r#"
    /name: must be a string, not a whole number
    /name: must not be empty
    /name: must have at most 5 bytes, not 6
    /name: must be a string, not null
    /id: must have 1 to 255 bytes, none of / \ ? # % or control characters, no space at either end, and must not be . or .. or pending
    /id: must have 1 to 255 bytes, none of / \ ? # % or control characters, no space at either end, and must not be . or .. or pending
    /comment: must have at most 16 KB, as JSON
    /list: must be a list, not an object
    /list/1/a~1b~0c: must be a whole number from 0, not a string
    /list/0/a~1b~0c: is missing
    /list/0/d: is unknown; use one of a/b~c
    /list/0: must be an object, not a string
    /list/0: must be an object, not a list
    /kind: must be one of function_call, human_contact
    /kind: must be a string, not an object
    /flag: must be true or false, not a string
    /count: must be a whole number from 0
    /count: must be a whole number from 0, not a fraction
    /members: must be an object, not a list
    /nothing: must be null, not a string
    /colour~1~0: is unknown; use one of name, id, comment, list, kind, flag, count, members, nothing
    "#);
}

#[test]
fn a_missing_member_is_named() {
    let problem = Problem::from(super::value::<Sample>(json!({})).unwrap_err());
    assert_eq!(problem.errors[0].pointer, "/name");
    assert_eq!(problem.detail, "/name: is missing");
}

#[test]
fn a_list_is_not_read_as_a_struct_nor_an_object_as_an_enum() {
    let list = Problem::from(super::value::<Sample>(json!(["n"])).unwrap_err());
    assert_eq!(list.errors[0].pointer, "");
    assert_eq!(list.detail, "the body: must be an object, not a list");
    assert!(super::value::<Sample>(json!({"name": "n", "list": [[1]]})).is_err());
    assert!(super::value::<OperationKind>(json!("function_call")).is_ok());
    assert!(super::value::<OperationKind>(json!({"function_call": null})).is_err());
}

#[test]
fn a_body_is_one_unambiguous_object() {
    let refused = |body: &str| {
        let problem = object(body.as_bytes()).unwrap_err();
        format!("{} {}: {}", problem.status.as_u16(), problem.code, problem.detail)
    };
    let bodies = [
        "",
        "{",
        "{} {}",
        "[]",
        "\"text\"",
        "null",
        r#"{"a": 1, "a": 2}"#,
        r#"{"n": 18446744073709551616}"#,
    ];
    insta::assert_snapshot!(bodies.map(refused).join("\n"), @r#"
    400 malformed_json: the body is not acceptable JSON: EOF while parsing a value at line 1 column 0
    400 malformed_json: the body is not acceptable JSON: EOF while parsing an object at line 1 column 1
    400 malformed_json: the body is not acceptable JSON: trailing characters at line 1 column 4
    422 invalid_body: the body: must be a JSON object
    422 invalid_body: the body: must be a JSON object
    422 invalid_body: the body: must be a JSON object
    400 malformed_json: the body is not acceptable JSON: the member "a" occurs twice at line 1 column 12
    400 malformed_json: the body is not acceptable JSON: the number 18446744073709551616 at line 1 column 7 would be rounded: send it as a string
    "#);
    assert!(object(b"\xff").is_err());
    assert!(object(&b"[".repeat(100_000)).is_err());
    assert_eq!(object(b" {\"a\": [1]} ").unwrap().len(), 1);
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Parameters {
    limit: Option<Number<1, 100>>,
    offset: Option<Number<0, { usize::MAX }>>,
    since: Option<When>,
    wait: Option<Seconds>,
    text: Option<String>,
}

#[test]
fn a_query_is_read_into_its_struct() {
    let read: Parameters = query("limit=7&since=24h&text=a+b%2B%C3%A9&wait=2.5&offset=0").unwrap();
    assert_eq!((read.limit.unwrap().0, read.offset.unwrap().0), (7, 0));
    assert_eq!(read.text.as_deref(), Some("a b+é"));
    assert_eq!(read.wait.unwrap().0, Duration::from_millis(2500));
    let now = Timestamp::from_millis(86_400_000 + 5);
    assert_eq!(read.since.unwrap().at(now).millis(), 5);
    let read: Parameters = query("since=1970-01-01T00:00:01Z").unwrap();
    assert_eq!(read.since.unwrap().at(now).millis(), 1000);
    let none: Parameters = query("").unwrap();
    assert!(none.limit.is_none() && none.text.is_none());
}

#[test]
fn a_wrong_parameter_is_named() {
    let refused = |text: &str| {
        let problem = query::<Parameters>(text).unwrap_err();
        assert_eq!((problem.status.as_u16(), problem.code), (400, "invalid_query"));
        problem.detail
    };
    let queries = [
        "limit=0",
        "limit=101",
        "limit=x",
        "limit=",
        "limit=-1",
        "offset=-1",
        "since=yesterday",
        "since=0h",
        "since=",
        "wait=26",
        "wait=-1",
        "wait=NaN",
        "limit=1&limit=1",
        "text=%ff",
        "text=%4",
        "colour=red",
    ];
    insta::assert_snapshot!(queries.map(refused).join("\n"), @r#"
    limit must be a whole number from 1 to 100
    limit must be a whole number from 1 to 100
    limit must be a whole number from 1 to 100
    limit must be a whole number from 1 to 100
    limit must be a whole number from 1 to 100
    offset must be a whole number from 0
    since must be a time in RFC 3339 format, or a duration such as 24h
    since must be a time in RFC 3339 format, or a duration such as 24h
    since must be a time in RFC 3339 format, or a duration such as 24h
    wait must be a number of seconds from 0 to 25
    wait must be a number of seconds from 0 to 25
    wait must be a number of seconds from 0 to 25
    limit is given more than once
    the query cannot be decoded: it must be percent-encoded UTF-8
    the query cannot be decoded: it must be percent-encoded UTF-8
    colour is unknown; use one of limit, offset, since, wait, text
    "#);
}
