"""`placet key create`, `list` and `revoke`, as an operator uses them on a running system."""

import json
import re
import select
import subprocess

import pytest
from conftest import BINARY, REPLY, SHIPPED, START, STOP, Placet

CONFIG = SHIPPED.replace("project: default\n", "project: default\nprojects: [team-a]\n")


def tool(placet, *arguments):
    return subprocess.run(
        [BINARY, "key", *arguments], cwd=placet.folder, env=placet.environment, timeout=REPLY,
        capture_output=True, text=True, stdin=subprocess.DEVNULL,
    )


def create(placet, *options):
    """Creates a key and returns the key and its id."""
    made = tool(placet, "create", *options)
    assert made.returncode == 0, made.stderr
    assert re.fullmatch(r"placet_[A-Za-z0-9_-]{43}\n", made.stdout)
    key = made.stdout.strip()
    assert key not in made.stderr
    return key, re.match(r"key ([0-9a-f]{12})\n", made.stderr).group(1)


def listed(placet, *options):
    """Returns the printed lines by id."""
    printed = tool(placet, "list", *options)
    assert printed.returncode == 0, printed.stderr
    return {line.split()[0]: line for line in printed.stdout.splitlines()[1:]}


def ask(placet, key, call_id):
    call = {"run_id": "tests", "call_id": call_id, "spec": {"fn": "anything", "kwargs": {}}}
    headers = {"Authorization": f"Bearer {key}"}
    return placet.post("/humanlayer/v1/function_calls", json=call, headers=headers).status_code


def traces(placet, secret):
    """Returns the files of the system, data and log, that hold the secret."""
    files = [file for file in placet.folder.rglob("*") if file.is_file()]
    assert any(".placet" in file.parts for file in files), files
    return [file.name for file in files if secret.encode() in file.read_bytes()]


@pytest.fixture(scope="module")
def running(tmp_path_factory):
    with Placet(tmp_path_factory.mktemp("keys"), config=CONFIG) as placet:
        yield placet


def test_a_key_is_made_used_listed_and_revoked(running):
    key, key_id = create(running, "--name", "ci", "--role", "agent", "--expires", "90d")
    assert ask(running, key, "by-key") == 200
    line = listed(running)[key_id]
    assert all(word in line.split() for word in ("agent", "good", "ci")), line

    first = tool(running, "revoke", key_id)
    assert first.returncode == 0 and "is revoked" in first.stdout, first
    again = tool(running, "revoke", key_id)
    assert again.returncode == 0 and "was revoked at" in again.stdout, again
    line = listed(running)[key_id]
    assert "revoked" in line and "good" not in line.split(), line


def test_a_key_leaves_no_trace(running):
    key, key_id = create(running, "--name", "quiet", "--role", "agent")
    assert ask(running, key, "quiet") == 200
    tool(running, "revoke", key_id)
    fresh, _ = create(running, "--role", "admin", "--self-approval")
    assert ask(running, fresh, "fresh") == 200
    for secret in (key, fresh):
        printed = tool(running, "list")
        assert secret not in printed.stdout + printed.stderr
        assert traces(running, secret) == []
    assert traces(running, "quiet"), "the search does not find a text that is there"


def test_a_key_belongs_to_its_project(running):
    key, key_id = create(running, "--project", "team-a", "--role", "agent")
    assert key_id in listed(running, "--project", "team-a") and key_id not in listed(running)
    assert ask(running, key, "team-call") == 200
    assert running.api("GET", "/function_calls/team-call").status_code == 404
    assert "has no key of this id" in tool(running, "revoke", key_id).stderr
    assert tool(running, "revoke", key_id, "--project", "team-a").returncode == 0


def test_keys_of_a_deployed_table(tmp_path):
    """With PLACET_TABLE the tool uses a table on AWS. The embedded engine replaces AWS here."""
    placet = Placet(tmp_path, config=CONFIG)
    alone = subprocess.Popen(
        [BINARY, "engines"], cwd=tmp_path, env=placet.environment, stdout=subprocess.PIPE,
        stdin=subprocess.DEVNULL, text=True,
    )
    try:
        assert "no running system" in tool(placet, "list").stderr
        assert select.select([alone.stdout], [], [], START)[0], "the engines did not say where they listen"
        engines = json.loads(alone.stdout.readline())
        placet.environment |= {
            "AWS_ENDPOINT_URL_DYNAMODB": engines["dynamodb_url"], "PLACET_TABLE": engines["table"],
            "AWS_REGION": "us-east-1", "AWS_ACCESS_KEY_ID": "local", "AWS_SECRET_ACCESS_KEY": "local",
        }
        _, key_id = create(placet, "--role", "responder")
        assert "responder" in listed(placet)[key_id]
        assert tool(placet, "revoke", key_id).returncode == 0
        assert "revoked" in listed(placet)[key_id]
    finally:
        alone.terminate()
        alone.wait(STOP)
        alone.stdout.close()


@pytest.mark.parametrize(
    ("arguments", "code", "says"),
    [
        (["create", "--role", "agent", "--project", "team-b"], 1, "add it to projects"),
        (["create"], 2, "--role <ROLE>"),
        (["create", "--role", "agent", "--self-approval"], 1, "use --role admin"),
        (["create", "--role", "both"], 2, "agent, responder, admin"),
        (["create", "--role", "agent", "--expires", "soon"], 2, "not a length of time"),
        (["create", "--role", "agent", "--colour", "red"], 2, "--colour"),
        (["revoke", "placet_not-an-id"], 1, "no key of this id"),
        (["rotate"], 2, "Usage: placet key"),
    ],
)
def test_the_error_names_what_is_wrong(running, arguments, code, says):
    before = listed(running)
    refused = tool(running, *arguments)
    assert refused.returncode == code and refused.stdout == ""
    assert says in refused.stderr and "placet_not-an-id" not in refused.stderr
    assert listed(running) == before
