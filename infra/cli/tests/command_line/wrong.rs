//! Arguments that cannot be meant: one message, and exit code 2.

use super::placet;

#[test]
fn an_unknown_command() {
    insta::assert_snapshot!(placet("deploy"), @r"
    exit code 2
    error: unrecognized subcommand 'deploy'

    Usage: placet [COMMAND]

    For more information, try '--help'.
    ");
}

#[test]
fn a_command_that_is_almost_right() {
    insta::assert_snapshot!(placet("chek"), @r"
    exit code 2
    error: unrecognized subcommand 'chek'

      tip: a similar subcommand exists: 'check'

    Usage: placet [COMMAND]

    For more information, try '--help'.
    ");
}

#[test]
fn an_unknown_option() {
    insta::assert_snapshot!(placet("dev --colour"), @r"
    exit code 2
    error: unexpected argument '--colour' found

    Usage: placet dev [OPTIONS]

    For more information, try '--help'.
    ");
}

#[test]
fn a_port_that_is_none() {
    insta::assert_snapshot!(placet("dev --port http"), @r"
    exit code 2
    error: invalid value 'http' for '--port <PORT>': invalid digit found in string

    For more information, try '--help'.
    ");
}

#[test]
fn an_address_that_is_none() {
    insta::assert_snapshot!(placet("dev --addr somewhere"), @r"
    exit code 2
    error: invalid value 'somewhere' for '--addr <IP>': invalid IP address syntax

    For more information, try '--help'.
    ");
}

#[test]
fn too_much() {
    insta::assert_snapshot!(placet("check placet.yaml"), @r"
    exit code 2
    error: unexpected argument 'placet.yaml' found

    Usage: placet check

    For more information, try '--help'.
    ");
}

#[test]
fn a_group_without_a_command() {
    insta::assert_snapshot!(placet("key"), @r"
    exit code 2
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
fn a_role_that_is_none() {
    insta::assert_snapshot!(placet("key create --role both"), @r"
    exit code 2
    error: invalid value 'both' for '--role <ROLE>'
      [possible values: agent, responder, admin]

    For more information, try '--help'.
    ");
}

#[test]
fn a_key_without_its_role() {
    insta::assert_snapshot!(placet("key create --name ci"), @r"
    exit code 2
    error: the following required arguments were not provided:
      --role <ROLE>

    Usage: placet key create --role <ROLE> --name <NAME>

    For more information, try '--help'.
    ");
}

#[test]
fn a_time_that_is_none() {
    insta::assert_snapshot!(placet("key create --expires soon"), @r#"
    exit code 2
    error: invalid value 'soon' for '--expires <TIME>': "soon" is not a length of time: write 250ms, 20s, 15m, 24h or 7d

    For more information, try '--help'.
    "#);
}

#[test]
fn a_name_that_is_none() {
    insta::assert_snapshot!(placet("key create --name a/b"), @r#"
    exit code 2
    error: invalid value 'a/b' for '--name <NAME>': "a/b" is not a name: 1 to 64 letters, digits, - _ .

    For more information, try '--help'.
    "#);
}

#[test]
fn a_channel_that_is_none() {
    insta::assert_snapshot!(placet("key create --channel general"), @r"
    exit code 2
    error: invalid value 'general' for '--channel <NUMBER>': invalid digit found in string

    For more information, try '--help'.
    ");
}

#[test]
fn a_key_without_its_id() {
    insta::assert_snapshot!(placet("key revoke"), @r"
    exit code 2
    error: the following required arguments were not provided:
      <ID>

    Usage: placet key revoke <ID>

    For more information, try '--help'.
    ");
}

#[test]
fn a_link_to_nothing() {
    insta::assert_snapshot!(placet("link"), @r"
    exit code 2
    error: the following required arguments were not provided:
      <CALL_ID>

    Usage: placet link <CALL_ID> [TIME]

    For more information, try '--help'.
    ");
}

#[test]
fn a_link_for_no_time() {
    insta::assert_snapshot!(placet("link call-1 forever"), @r#"
    exit code 2
    error: invalid value 'forever' for '[TIME]': "forever" is not a length of time: write 250ms, 20s, 15m, 24h or 7d

    For more information, try '--help'.
    "#);
}

#[test]
fn a_source_without_a_name() {
    insta::assert_snapshot!(placet("webhook explain"), @r"
    exit code 2
    error: the following required arguments were not provided:
      <SOURCE>

    Usage: placet webhook explain <SOURCE>

    For more information, try '--help'.
    ");
}

#[test]
fn a_webhook_without_a_body() {
    insta::assert_snapshot!(placet("webhook send stripe"), @r"
    exit code 2
    error: the following required arguments were not provided:
      --file <FILE>

    Usage: placet webhook send --file <FILE> <SOURCE>

    For more information, try '--help'.
    ");
}

#[test]
fn a_shell_that_is_none() {
    insta::assert_snapshot!(placet("completions tcsh"), @r"
    exit code 2
    error: invalid value 'tcsh' for '<SHELL>'
      [possible values: bash, elvish, fish, powershell, zsh]

      tip: a similar value exists: 'zsh'

    For more information, try '--help'.
    ");
}

#[test]
fn a_group_with_an_unknown_command() {
    insta::assert_snapshot!(placet("key delete") + &placet("webhook receive") + &placet("help deploy"), @r"
    exit code 2
    error: unrecognized subcommand 'delete'

    Usage: placet key [OPTIONS] <COMMAND>

    For more information, try '--help'.
    exit code 2
    error: unrecognized subcommand 'receive'

    Usage: placet webhook <COMMAND>

    For more information, try '--help'.
    exit code 2
    error: unrecognized subcommand 'deploy'

    Usage: placet [COMMAND]

    For more information, try '--help'.
    ");
}

#[test]
fn webhooks_without_a_command() {
    insta::assert_snapshot!(placet("webhook"), @r"
    exit code 2
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
fn a_webhook_to_sign_without_its_source() {
    insta::assert_snapshot!(placet("webhook sign"), @r"
    exit code 2
    error: the following required arguments were not provided:
      <SOURCE>

    Usage: placet webhook sign <SOURCE>

    For more information, try '--help'.
    ");
}

#[test]
fn a_project_without_its_name() {
    insta::assert_snapshot!(placet("watch --project") + &placet("key list --project"), @r"
    exit code 2
    error: a value is required for '--project <NAME>' but none was supplied

    For more information, try '--help'.
    exit code 2
    error: a value is required for '--project <PROJECT>' but none was supplied

    For more information, try '--help'.
    ");
}

#[test]
fn completions_of_nothing() {
    insta::assert_snapshot!(placet("completions"), @r"
    exit code 2
    error: the following required arguments were not provided:
      <SHELL>

    Usage: placet completions <SHELL>

    For more information, try '--help'.
    ");
}
