use super::*;

fn answered(status: u16, header: Option<&str>, body: &str) -> Result<Answer, Refused> {
    let response = Response::builder().status(status);
    let response = match header {
        Some(code) => response.header("x-amzn-errortype", code),
        None => response,
    };
    answer(&response.body(Bytes::from(body.to_owned())).unwrap())
}

#[test]
fn the_call_names_all_recipients() {
    let recipients = Recipients {
        to: vec!["ann@example.org".to_owned()],
        cc: Vec::new(),
        bcc: vec!["dan@example.org".to_owned()],
    };
    insta::assert_snapshot!(request("approvals@example.com", &recipients, b"Subject: x\r\n"), @r#"{"FromEmailAddress":"approvals@example.com","Destination":{"ToAddresses":["ann@example.org"],"CcAddresses":[],"BccAddresses":["dan@example.org"]},"Content":{"Raw":{"Data":"U3ViamVjdDogeA0K"}}}"#);
}

#[test]
fn only_a_rejected_message_is_refused_permanently() {
    let accepted = answered(200, None, r#"{"MessageId":"0100"}"#).unwrap();
    assert!(accepted.is_success());
    let text = r#"{"message":"The content is not allowed."}"#;
    for code in
        ["MessageRejected", "MessageRejected:http://internal.amazon.com/", "BadRequestException"]
    {
        let refused = answered(400, Some(code), text).unwrap_err();
        assert!(refused.0.ends_with(": The content is not allowed."), "{refused}");
    }
    // The owner of the sender can verify it.
    let unverified = r#"{"message":"Email address is not verified."}"#;
    assert!(!answered(400, Some("MessageRejected"), unverified).unwrap().is_success());
    let typed = r#"{"__type":"com.amazonaws.ses#MessageRejected","Message":"no"}"#;
    assert!(answered(400, None, typed).is_err());
    for (status, code) in [
        (429, "TooManyRequestsException"),
        (400, "LimitExceededException"),
        (400, "SendingPausedException"),
        (400, "MailFromDomainNotVerifiedException"),
        (403, "AccessDeniedException"),
        (500, "InternalFailure"),
    ] {
        let again = answered(status, Some(code), text).unwrap();
        assert!(!again.is_success() && !again.is_gone(), "{code}");
    }
    assert!(!answered(502, None, "<html>").unwrap().is_success());
}
