//! `--help` of every command, and the completions.

use super::placet;

#[test]
fn help_of_placet() {
    insta::assert_snapshot!(placet("--help"), @r"
    exit code 0
    Hold an operation until the right person has approved it, then run it once.

    Without a command, `placet dev` runs. Settings are environment variables or lines in `.env`. docs/SETTINGS.md lists them.

    Usage: placet [COMMAND]

    Commands:
      dev          Run the whole system on this machine (the default)
      watch        Show webhooks, decisions, executions and deliveries as they happen
      init         Write a placet.yaml with comments and examples
      check        Read placet.yaml and print what needs attention and what it means
      invite       Print a link with which a person signs in to the inbox, once
      session      List and end the sessions of people
      link         Print a link with which a person decides an operation, or settles an unknown outcome; or revoke one
      settle       Settle the unknown outcomes of many operations in the same way
      key          Create, list and revoke API keys
      mail         Send a test mail
      webhook      Explain a webhook source, or send what its sender would send
      engines      Run only the embedded DynamoDB, SQS and S3, in memory, until stopped
      completions  Print the completions of a shell
      help         Print this message or the help of the given subcommand(s)

    Options:
      -h, --help
              Print help (see a summary with '-h')

      -V, --version
              Print version
    ");
}

#[test]
fn help_of_dev() {
    insta::assert_snapshot!(placet("dev --help"), @r"
    exit code 0
    Run the whole system on this machine (the default)

    Usage: placet dev [OPTIONS]

    Options:
          --port <PORT>        The port to listen on; that of `PLACET_ADDR` if left out, and else 8000
          --addr <IP>          The IP address to listen on; that of `PLACET_ADDR` if left out, and else 127.0.0.1
          --data-dir <FOLDER>  The folder of the data; `PLACET_DATA_DIR` if left out, and else .placet
          --debug              Log more; the same as `PLACET_LOG=debug`
      -h, --help               Print help
      -V, --version            Print version
    ");
}

#[test]
fn help_of_watch() {
    insta::assert_snapshot!(placet("watch --help"), @r"
    exit code 0
    Show webhooks, decisions, executions and deliveries as they happen

    Usage: placet watch [OPTIONS]

    Options:
          --project <NAME>     Only this project; may be repeated; all projects of the server if left out
          --data-dir <FOLDER>  The folder of the data; `PLACET_DATA_DIR` if left out, and else .placet
      -h, --help               Print help
      -V, --version            Print version
    ");
}

#[test]
fn help_of_init() {
    insta::assert_snapshot!(placet("init --help"), @r"
    exit code 0
    Write a placet.yaml with comments and examples

    Usage: placet init

    Options:
      -h, --help     Print help
      -V, --version  Print version
    ");
}

#[test]
fn help_of_check() {
    insta::assert_snapshot!(placet("check --help"), @r"
    exit code 0
    Read placet.yaml and print what needs attention and what it means

    Usage: placet check

    Options:
      -h, --help     Print help
      -V, --version  Print version
    ");
}

#[test]
fn help_of_link() {
    insta::assert_snapshot!(placet("link --help"), @r"
    exit code 0
    Print a link with which a person decides an operation, or settles an unknown outcome; or revoke one

    Usage: placet link [OPTIONS] <CALL_ID> [TIME]

    Arguments:
      <CALL_ID>  The id of the operation; `function_call/ID` or `human_contact/ID` if a call and a question share it
      [TIME]     How long the link is valid [default: 24h]

    Options:
          --for <PERSON>       The person who may use the link; needed if placet.yaml lists people
          --revoke <LINK>      Revoke the link with this id instead, so that it decides nothing any more
          --project <PROJECT>  The project; the one of placet.yaml if left out
          --data-dir <FOLDER>  The folder of the data; `PLACET_DATA_DIR` if left out, and else .placet
      -h, --help               Print help
      -V, --version            Print version
    ");
}

#[test]
fn help_of_settle() {
    insta::assert_snapshot!(placet("settle --help"), @r"
    exit code 0
    Settle the unknown outcomes of many operations in the same way

    Usage: placet settle [OPTIONS] <SETTLEMENT>

    Arguments:
      <SETTLEMENT>  What you found out about all of these operations [possible values: happened, did_not_happen, run_again]

    Options:
          --fn <NAME>          Only calls of this function
          --kind <KIND>        Only operations of this kind [possible values: function_call, human_contact]
          --run-id <ID>        Only operations of this run
          --since <TIME>       Only operations that were requested at this time or later, as in 24h or 2026-11-30T20:00:00Z
          --until <TIME>       Only operations that were requested at this time or earlier
          --comment <TEXT>     What the histories of the operations say
          --yes                Settle; without it, the command only prints what it would settle
          --project <PROJECT>  The project; the one of placet.yaml if left out
          --data-dir <FOLDER>  The folder of the data; `PLACET_DATA_DIR` if left out, and else .placet
      -h, --help               Print help
      -V, --version            Print version
    ");
}

#[test]
fn help_of_key() {
    insta::assert_snapshot!(placet("key --help"), @r"
    exit code 0
    Create, list and revoke API keys

    Usage: placet key [OPTIONS] <COMMAND>

    Commands:
      create  Create an API key and print it, this once
      list    List the API keys of a project, never the keys themselves
      revoke  Revoke an API key
      help    Print this message or the help of the given subcommand(s)

    Options:
          --data-dir <FOLDER>  The folder of the data; `PLACET_DATA_DIR` if left out, and else .placet
      -h, --help               Print help
      -V, --version            Print version
    ");
}

#[test]
fn help_of_key_create() {
    insta::assert_snapshot!(placet("key create --help"), @r"
    exit code 0
    Create an API key and print it, this once

    Usage: placet key create [OPTIONS] --role <ROLE>

    Options:
          --project <PROJECT>  The project; the one of placet.yaml if left out
          --name <NAME>        Its name in lists and histories; its id if left out
          --role <ROLE>        What it may do [possible values: agent, responder, admin]
          --data-dir <FOLDER>  The folder of the data; `PLACET_DATA_DIR` if left out, and else .placet
          --self-approval      The key may decide the operations that it created; only with the role admin
          --expires <TIME>     How long it is valid, as in 90d; without end if left out
          --channel <NUMBER>   The contact channel of what it requests, by its number in placet.yaml
      -h, --help               Print help
      -V, --version            Print version
    ");
}

#[test]
fn help_of_key_list() {
    insta::assert_snapshot!(placet("key list --help"), @r"
    exit code 0
    List the API keys of a project, never the keys themselves

    Usage: placet key list [OPTIONS]

    Options:
          --project <PROJECT>  The project; the one of placet.yaml if left out
          --data-dir <FOLDER>  The folder of the data; `PLACET_DATA_DIR` if left out, and else .placet
      -h, --help               Print help
      -V, --version            Print version
    ");
}

#[test]
fn help_of_key_revoke() {
    insta::assert_snapshot!(placet("key revoke --help"), @r"
    exit code 0
    Revoke an API key

    Usage: placet key revoke [OPTIONS] <ID>

    Arguments:
      <ID>  The id of the key, as `placet key list` prints it

    Options:
          --project <PROJECT>  The project; the one of placet.yaml if left out
          --data-dir <FOLDER>  The folder of the data; `PLACET_DATA_DIR` if left out, and else .placet
      -h, --help               Print help
      -V, --version            Print version
    ");
}

#[test]
fn help_of_webhook() {
    insta::assert_snapshot!(placet("webhook --help"), @r"
    exit code 0
    Explain a webhook source, or send what its sender would send

    Usage: placet webhook <COMMAND>

    Commands:
      explain  Print what a webhook source verifies, with its preset expanded
      sign     Print a curl line that sends the body on standard input as the sender would
      send     Send a file as the sender would
      help     Print this message or the help of the given subcommand(s)

    Options:
      -h, --help     Print help
      -V, --version  Print version
    ");
}

#[test]
fn help_of_mail() {
    insta::assert_snapshot!(placet("mail --help"), @r"
    exit code 0
    Send a test mail

    Usage: placet mail <COMMAND>

    Commands:
      test  Send a test mail through the configured server, and print what the server answered
      help  Print this message or the help of the given subcommand(s)

    Options:
      -h, --help     Print help
      -V, --version  Print version
    ");
}

#[test]
fn help_of_mail_test() {
    insta::assert_snapshot!(placet("mail test --help"), @r"
    exit code 0
    Send a test mail through the configured server, and print what the server answered

    Usage: placet mail test [OPTIONS] <ADDRESS>

    Arguments:
      <ADDRESS>  The address that gets the mail

    Options:
          --operation <CALL_ID>  Send the mail about this call, without a decision link; `human_contact/ID` names a question
          --event <EVENT>        What has happened to it: requested, reminded, escalated, completed, expired, failed, blocked or unknown [default: requested]
          --project <PROJECT>    The project of the operation; the one of placet.yaml if left out
          --data-dir <FOLDER>    The folder of the data; `PLACET_DATA_DIR` if left out, and else .placet
      -h, --help                 Print help
      -V, --version              Print version
    ");
}

#[test]
fn help_of_webhook_explain() {
    insta::assert_snapshot!(placet("webhook explain --help"), @r"
    exit code 0
    Print what a webhook source verifies, with its preset expanded

    Usage: placet webhook explain <SOURCE>

    Arguments:
      <SOURCE>  The source, by its name in placet.yaml

    Options:
      -h, --help     Print help
      -V, --version  Print version
    ");
}

#[test]
fn help_of_webhook_sign() {
    insta::assert_snapshot!(placet("webhook sign --help"), @r"
    exit code 0
    Print a curl line that sends the body on standard input as the sender would

    Usage: placet webhook sign [OPTIONS] <SOURCE>

    Arguments:
      <SOURCE>  The source, by its name in placet.yaml

    Options:
          --id <ID>            The id of the event, for a sender that puts it into a header; a new one if left out
          --type <TYPE>        The type of the event, for a sender that puts it into a header
          --url <URL>          Where Placet is reached; where it runs on this machine if left out
          --data-dir <FOLDER>  The folder of the data; `PLACET_DATA_DIR` if left out, and else .placet
      -h, --help               Print help
      -V, --version            Print version
    ");
}

#[test]
fn help_of_webhook_send() {
    insta::assert_snapshot!(placet("webhook send --help"), @r"
    exit code 0
    Send a file as the sender would

    Usage: placet webhook send [OPTIONS] --file <FILE> <SOURCE>

    Arguments:
      <SOURCE>  The source, by its name in placet.yaml

    Options:
          --id <ID>            The id of the event, for a sender that puts it into a header; a new one if left out
          --type <TYPE>        The type of the event, for a sender that puts it into a header
          --url <URL>          Where Placet is reached; where it runs on this machine if left out
          --data-dir <FOLDER>  The folder of the data; `PLACET_DATA_DIR` if left out, and else .placet
          --file <FILE>        The file with the body
      -h, --help               Print help
      -V, --version            Print version
    ");
}

#[test]
fn help_of_engines() {
    insta::assert_snapshot!(placet("engines --help"), @r"
    exit code 0
    Run only the embedded DynamoDB, SQS and S3, in memory, until stopped

    Usage: placet engines

    Options:
      -h, --help     Print help
      -V, --version  Print version
    ");
}

#[test]
fn help_of_completions() {
    insta::assert_snapshot!(placet("completions --help"), @r"
    exit code 0
    Print the completions of a shell

    Usage: placet completions <SHELL>

    Arguments:
      <SHELL>  The shell, as in `source <(placet completions bash)` [possible values: bash, elvish, fish, powershell, zsh]

    Options:
      -h, --help     Print help
      -V, --version  Print version
    ");
}

#[test]
fn completions_name_the_commands() {
    for shell in ["bash", "elvish", "fish", "powershell", "zsh"] {
        let printed = placet(&format!("completions {shell}"));
        assert!(printed.starts_with("exit code 0\n"), "{shell}: {printed}");
        for name in ["watch", "data-dir"] {
            assert!(printed.contains(name), "{shell} lacks {name}");
        }
    }
}
