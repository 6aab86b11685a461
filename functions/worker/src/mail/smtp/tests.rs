//! The exchange with a server that answers each command as the test says.

use placet_runtime::Config;
use placet_runtime::config::Transport;
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::TcpListener;

use super::super::message;
use super::super::testing::{mail, sender};
use super::super::{Mail, Recipients};
use super::*;

/// The answers of the scripted server to commands that begin like this. Any other command is accepted.
type Script = &'static [(&'static str, &'static str)];

/// What the server got, and what the mailer made of its answers.
struct Exchange {
    said: Vec<String>,
    result: Result<Answer, Refused>,
}

/// Serves one connection, and returns the lines that it got.
async fn serve(listener: TcpListener, script: Script) -> Vec<String> {
    let (stream, _) = listener.accept().await.unwrap();
    let (read, mut write) = stream.into_split();
    let mut lines = BufReader::new(read).lines();
    let mut said = Vec::new();
    let mut in_data = false;
    write.write_all(b"220 mail.example.org\r\n").await.unwrap();
    while let Ok(Some(line)) = lines.next_line().await {
        said.push(line.clone());
        if in_data && line != "." {
            continue;
        }
        let scripted = script.iter().find(|(command, _)| line.starts_with(command));
        let usual = match line.as_str() {
            "DATA" => "354 go on",
            "." => "250 2.0.0 queued as 7",
            line if line.starts_with("EHLO") => "250-mail.example.org\r\n250 AUTH PLAIN LOGIN",
            _ => "250 ok",
        };
        let answer = scripted.map_or(usual, |(_, answer)| answer);
        in_data = line == "DATA" && answer.starts_with('3');
        if write.write_all(format!("{answer}\r\n").as_bytes()).await.is_err() {
            break;
        }
    }
    said
}

fn server(smtp: &str, port: u16) -> Result<Server, SecretError> {
    let text = format!(
        "project: x\nmail:\n  from: approvals@example.com\n  smtp: {{host: 127.0.0.1, port: {port}, {smtp}}}"
    );
    let config = Config::parse(&text).unwrap();
    let environment = [("PASSWORD".to_owned(), "hunter2".to_owned())].into_iter().collect();
    match config.mail.unwrap().transport {
        Transport::Smtp(smtp) => Server::new(&smtp, &config.outbound, &environment),
        Transport::Ses(_) => panic!("the configuration names an SMTP server"),
    }
}

async fn exchange(smtp: &str, mail: &Mail, script: Script) -> Exchange {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let server = server(smtp, listener.local_addr().unwrap().port()).unwrap();
    let message = message::message(mail, &sender()).unwrap();
    let serving = tokio::spawn(serve(listener, script));
    let result = server.send(message.envelope(), &message.formatted()).await;
    Exchange { said: serving.await.unwrap(), result }
}

fn to(addresses: &[&str]) -> Mail {
    let to = addresses.iter().map(|address| (*address).to_owned()).collect();
    Mail { recipients: Recipients { to, ..Recipients::default() }, ..mail() }
}

#[tokio::test]
async fn a_server_that_accepts_the_mail_gets_it_once() {
    let mail = Mail { text: ".hidden\n.\nQUIT\n".to_owned(), ..to(&["ann@example.org"]) };
    let Exchange { said, result } = exchange(
        "tls: none, username: placet, password: env:PASSWORD",
        &mail,
        &[("AUTH", "235 hello")],
    )
    .await;
    let Answer::Status { status: 250, body, .. } = result.unwrap() else { panic!("not accepted") };
    assert_eq!(String::from_utf8(body).unwrap(), "2.0.0 queued as 7");
    assert_eq!(said[0], "EHLO example.com");
    assert_eq!(said[1], "AUTH PLAIN AHBsYWNldABodW50ZXIy");
    assert_eq!(
        said[2..5],
        ["MAIL FROM:<approvals@example.com>", "RCPT TO:<ann@example.org>", "DATA"]
    );
    // A line with a full stop alone would end the mail.
    assert!(said.contains(&"..hidden".to_owned()) && said.contains(&"..".to_owned()), "{said:?}");
    assert_eq!(said.last().unwrap(), "QUIT");
}

#[tokio::test]
async fn what_is_final_and_what_is_tried_again() {
    const NOBODY: &str = "550 5.1.1 no such user";
    const BUSY: &str = "451 4.3.0 come back later";
    let cases: [(Script, &str, Option<bool>); 10] = [
        (&[("RCPT", NOBODY)], "it does not accept ann@example.org", Some(true)),
        (&[("DATA", "554 no mail here")], "it takes no mail", Some(true)),
        (&[(".", "552 too large")], "it does not accept the mail", Some(true)),
        (&[("RCPT", BUSY)], "it does not accept ann@example.org", Some(false)),
        (&[("DATA", BUSY)], "it takes no mail", Some(false)),
        (&[(".", BUSY)], "it does not accept the mail", Some(false)),
        (&[(".", "354 go on")], "it answered the mail with 354, not with 250", Some(false)),
        (&[("MAIL", "553 not your address")], "it does not accept our sender", Some(false)),
        (&[("EHLO", "554 go away")], "no connection", Some(false)),
        (&[("RCPT", "no SMTP at all")], "it does not accept ann@example.org", Some(false)),
    ];
    for (script, reason, is_final) in cases {
        let Exchange { result, .. } =
            exchange("tls: none", &to(&["ann@example.org"]), script).await;
        let (said, refused) = match result {
            Err(Refused(reason)) => (reason, Some(true)),
            Ok(Answer::Nothing(reason)) => (reason, Some(false)),
            Ok(other) => panic!("{script:?}: {other:?}"),
        };
        assert!(said.starts_with("the mail server 127.0.0.1: "), "{said}");
        assert!(said.contains(reason), "{script:?}: {said}");
        assert_eq!(refused, is_final, "{script:?}: {said}");
    }
}

#[tokio::test]
async fn a_recipient_that_does_not_exist_does_not_stop_the_others() {
    let mail = to(&["ann@example.org", "ben@example.org"]);
    let script: Script = &[("RCPT TO:<ann", "550 no such user")];
    let Exchange { said, result } = exchange("tls: none", &mail, script).await;
    let Answer::Status { body, .. } = result.unwrap() else { panic!("not accepted") };
    let body = String::from_utf8(body).unwrap();
    assert!(body.starts_with("2.0.0 queued as 7; it does not accept ann@example.org"), "{body}");
    assert!(said.contains(&"DATA".to_owned()));
}

#[tokio::test]
async fn nobody_gets_the_mail_while_a_recipient_has_to_wait() {
    let mail = to(&["ann@example.org", "ben@example.org"]);
    let script: Script = &[("RCPT TO:<ben", "450 greylisted")];
    let Exchange { said, result } = exchange("tls: none", &mail, script).await;
    assert!(matches!(result, Ok(Answer::Nothing(_))), "{result:?}");
    assert!(!said.contains(&"DATA".to_owned()), "{said:?}");
}

#[tokio::test]
async fn the_password_is_not_sent_without_tls_and_never_shown() {
    let smtp = "tls: starttls, username: placet, password: env:PASSWORD";
    let Exchange { said, result } = exchange(smtp, &to(&["ann@example.org"]), &[]).await;
    let Ok(Answer::Nothing(reason)) = result else { panic!("accepted") };
    assert!(reason.contains("it does not switch to TLS"), "{reason}");
    assert!(!said.iter().any(|line| line.starts_with("AUTH")), "{said:?}");
    let refused: Script = &[("AUTH", "535 5.7.8 wrong password")];
    let smtp = "tls: none, username: placet, password: env:PASSWORD";
    let Exchange { result, .. } = exchange(smtp, &to(&["ann@example.org"]), refused).await;
    let Ok(Answer::Nothing(reason)) = result else { panic!("accepted") };
    assert!(reason.contains("it does not let us in") && !reason.contains("hunter2"), "{reason}");
    let missing = server("tls: none, username: placet, password: env:OTHER", 25);
    assert_eq!(missing.err(), Some(SecretError::Missing("OTHER".to_owned())));
}

#[tokio::test]
async fn a_closed_port_is_tried_again() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    drop(listener);
    let message = message::message(&mail(), &sender()).unwrap();
    let result = server("tls: none", port).unwrap().send(message.envelope(), b"").await;
    assert!(
        matches!(&result, Ok(Answer::Nothing(reason)) if reason.contains("no connection")),
        "{result:?}"
    );
}

#[tokio::test(start_paused = true)]
async fn a_server_that_says_nothing_costs_the_timeout() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let message = message::message(&mail(), &sender()).unwrap();
    let result = server("tls: none", port).unwrap().send(message.envelope(), b"").await;
    assert!(
        matches!(&result, Ok(Answer::TimedOut(reason)) if reason.contains("longer than 20 s")),
        "{result:?}"
    );
}
