use lambda_http::Body;
use lambda_http::http::Method;
use lambda_http::http::header::HOST;
use placet_core::Timestamp;
use placet_runtime::{Clock, Config, Environment, Runtime};

use super::*;

const NOW: Timestamp = Timestamp::from_millis(1_795_165_200_000);

/// An inbox over engines that nobody serves, with one mail in its mailbox.
fn inbox(access: Access) -> Inbox {
    let environment: Environment = [
        ("AWS_REGION", "us-east-1"),
        ("AWS_ACCESS_KEY_ID", "local"),
        ("AWS_SECRET_ACCESS_KEY", "local"),
        ("PLACET_TABLE", "placet"),
        ("PLACET_BLOBS", "s3://bucket"),
    ]
    .into_iter()
    .collect();
    let config = Config::parse("project: x").unwrap();
    let runtime = Runtime::new(environment, config, Clock::manual(NOW)).unwrap();
    let mailbox = Mailbox::memory();
    let mail = KeptMail {
        at: NOW,
        recipients: vec!["ann@example.org".to_owned()],
        subject: "<b>Approve?</b>".to_owned(),
        text: "Decide <now>.".to_owned(),
        html: "<p>Decide \"now\".</p><script>".to_owned(),
        message: b"Subject: x\r\n".to_vec(),
    };
    mailbox.keep("msg_1", mail).unwrap();
    Inbox::new(runtime, access).with_mailbox(mailbox)
}

fn reply(access: Access, method: Method, host: &str, path: &[&str]) -> (u16, String) {
    let mut request = Request::new(Body::Empty);
    *request.method_mut() = method;
    request.headers_mut().insert(HOST, host.parse().unwrap());
    let response = inbox(access).mail(path, &request);
    let Body::Text(text) = response.body() else { panic!("the body is no text") };
    (response.status().as_u16(), text.clone())
}

#[test]
fn a_mail_is_shown_in_a_frame_that_runs_nothing() {
    let name = "20261120T090000.000Z-msg_1";
    let read = |path: &[&str]| reply(Access::Loopback, Method::GET, "127.0.0.1:8000", path);
    let (status, list) = read(&[]);
    assert_eq!(status, 200);
    assert!(list.contains(&format!("href=\"/mail/{name}\"")), "{list}");
    assert!(list.contains("&#60;b&#62;Approve?") && !list.contains("<b>Approve"), "{list}");
    let (status, one) = read(&[name]);
    assert_eq!(status, 200);
    assert!(one.contains("srcdoc=\"&#60;p&#62;Decide &#34;now&#34;."), "{one}");
    assert!(one.contains("Decide &#60;now&#62;.") && one.matches("<script").count() == 1, "{one}");
    assert!(!one.contains("allow-scripts") && !one.contains("allow-same-origin"), "{one}");
    assert_eq!(read(&[name, "source"]), (200, "Subject: x\r\n".to_owned()));
    for path in [&["20261120T090000.000Z-msg_2"][..], &["..", "source"], &[name, "source", "x"]] {
        assert_eq!(read(path).0, 404, "{path:?}");
    }
}

#[test]
fn only_the_person_at_this_machine_reads_the_mails() {
    let status = |access, method, host| reply(access, method, host, &[]).0;
    assert_eq!(status(Access::Loopback, Method::GET, "localhost:8000"), 200);
    assert_eq!(status(Access::Loopback, Method::GET, "rebound.example"), 403);
    assert_eq!(status(Access::Loopback, Method::POST, "localhost:8000"), 405);
    assert_eq!(status(Access::Closed, Method::GET, "localhost:8000"), 404);
}
