"""`placet webhook explain`, `sign` and `send`, as an operator uses them."""

import base64
import json
import re
import secrets
import subprocess
import time

import pytest
import yaml
from conftest import BINARY, REPLY, SHIPPED, Placet, eventually

SOURCES = list(yaml.safe_load(SHIPPED)["sources"])
# The public keys of senders that sign with private keys.
PRIVATE = {
    "discord": "ab" * 32,
    "discord-events": "ab" * 32,
    "sendgrid": "MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAE83T4O/n84iotIvIW4mdBgQ/7dAfSmpqIM8kF9mN1flpVKS3GRqe62gw+2fNNRaINXvVpiglSI8eNEc6wEA3F+g==",
    "sns": "arn:aws:sns:eu-central-1:123456789012:events",
}
SIGNABLE = [source for source in SOURCES if source not in PRIVATE]
PUBLIC_URL = "https://hooks.example.com"


def variable(source):
    return "PLACET_SECRET_" + source.upper().replace("-", "_")


def secret_of(source):
    noise = secrets.token_bytes(24)
    if source in ("standard", "svix", "humanlayer"):
        return "whsec_" + base64.b64encode(noise).decode()
    return f"user:{noise.hex()}" if source == "basic" else noise.hex()


def body_of(source, secret, text="it's \"so\" $HOME `x`\n\\ 'end'\n"):
    """Returns a body of the sender that holds this text."""
    body = {"id": f"evt-{secrets.token_hex(8)}", "text": text}
    if source == "linear":
        body["webhookTimestamp"] = int(time.time() * 1000)
    if source == "microsoft-graph":
        body = {"value": [{"id": body["id"], "clientState": secret, "text": text}]}
    return json.dumps(body, indent=1, ensure_ascii=False)


def tool(placet, *arguments, settings=None, **options):
    return subprocess.run(
        [BINARY, "webhook", *arguments], cwd=placet.folder, env=placet.environment | (settings or {}),
        capture_output=True, text=True, timeout=REPLY, **options,
    )


def receipts(placet, query=""):
    reply = placet.get(f"/v1/receipts{query}", headers={"Authorization": f"Bearer {placet.key}"})
    assert reply.status_code == 200, reply.text
    return reply.json()["items"]


def kept(placet, source, body):
    """Waits for the processed receipt with exactly this body and returns it."""
    def raw(receipt):
        path = f"/v1/receipts/{receipt['id']}/body"
        return placet.get(path, headers={"Authorization": f"Bearer {placet.key}"}).content

    def done():
        found = receipts(placet, f"?source={source}")
        return [one for one in found if one["state"] != "received" and raw(one) == body.encode()]
    (one,) = eventually(done)
    return one


@pytest.fixture(scope="module")
def running(tmp_path_factory):
    placet = Placet(tmp_path_factory.mktemp("tools"))
    placet.secrets = {source: secret_of(source) for source in SIGNABLE}
    placet.environment |= {variable(source): secret for source, secret in placet.secrets.items()}
    placet.environment["PLACET_WEBHOOK_URL"] = PUBLIC_URL
    with placet:
        yield placet


def test_the_shipped_sources_are_found():
    assert len(SOURCES) >= 34 and PRIVATE.keys() < set(SOURCES)


@pytest.mark.parametrize("source", SOURCES)
def test_every_source_is_explained_without_its_secret(running, source):
    explained = tool(running, "explain", source, stdin=subprocess.DEVNULL)
    assert explained.returncode == 0, explained.stderr
    for part in (f"source {source}", f"/webhooks/{source}", "checks:", variable(source), "identity", "targets"):
        assert part in explained.stdout
    assert ("open\n" in explained.stdout) == (source in SIGNABLE)
    for secret in running.secrets.values():
        assert secret not in explained.stdout + explained.stderr


@pytest.mark.parametrize("source", SIGNABLE)
def test_a_sent_webhook_is_accepted_and_stored(running, tmp_path, source):
    body = body_of(source, running.secrets[source])
    file = tmp_path / "body"
    file.write_text(body)
    sent = tool(running, "send", source, "--file", file, "--url", running.url, stdin=subprocess.DEVNULL)
    assert sent.returncode == 0, sent.stdout + sent.stderr
    assert re.match(r"2\d\d ", sent.stdout)
    receipt = kept(running, source, body)
    assert receipt["size"] == len(body.encode()) and receipt["verified"]["key"] == 1


@pytest.mark.parametrize("text", ["it's \"so\" $HOME `x` !x\n\\ 'end'\n", "carriage\r\nreturn\ttab", "@file \u00e9 \U0001f680"])
@pytest.mark.parametrize("source", ["standard", "stripe", "twilio", "square", "hubspot", "basic", "shopify"])
def test_the_printed_line_is_accepted_by_a_shell(tmp_path, source, text):
    secret = secret_of(source)
    placet = Placet(tmp_path)
    placet.environment |= {variable(source): secret, "PLACET_WEBHOOK_URL": PUBLIC_URL}
    with placet:
        body = json.dumps({"id": "evt-1"}) + "\n" + text
        printed = tool(placet, "sign", source, "--url", placet.url, input=body)
        assert printed.returncode == 0, printed.stderr
        ran = subprocess.run(["bash", "-c", printed.stdout], capture_output=True, text=True, timeout=REPLY)
        assert re.search(r"^HTTP/1\.1 2\d\d", ran.stdout), printed.stdout + ran.stdout + ran.stderr
        kept(placet, source, body)


def test_an_id_makes_two_requests_one_event(running, tmp_path):
    file = tmp_path / "body"
    file.write_text('{"type": "x"}')
    before = len(receipts(running, "?source=shopify"))
    for _ in range(2):
        sent = tool(running, "send", "shopify", "--file", file, "--id", "twice", "--url", running.url)
        assert sent.returncode == 0, sent.stdout + sent.stderr
    assert len(receipts(running, "?source=shopify")) == before + 1
    refused = tool(running, "send", "stripe", "--file", file, "--id", "x", "--url", running.url)
    assert refused.returncode == 1 and "json:/id" in refused.stderr


@pytest.mark.parametrize("source", PRIVATE)
def test_the_error_says_that_only_the_sender_can_sign(running, source):
    printed = tool(running, "sign", source, settings={variable(source): PRIVATE[source]}, input="{}")
    assert printed.returncode == 1 and not printed.stdout
    assert "private key" in printed.stderr


def test_a_webhook_that_cannot_be_sent_is_a_clear_error(running, tmp_path):
    file = tmp_path / "body"
    file.write_text("{}")
    for arguments, code, parts in [
        (["explain", "nobody"], 1, ["nobody", *SOURCES]),
        (["sign", "nobody"], 1, ["nobody", *SOURCES]),
        (["send", "stripe"], 2, ["--file"]),
        (["send", "stripe", "--file", tmp_path / "missing"], 1, ["missing"]),
        (["send", "stripe", "--colour", "red"], 2, ["--colour"]),
        (["send", "linear", "--file", file], 1, ["webhookTimestamp"]),
        (["send", "sns", "--file", file], 1, ["closed", "PLACET_SECRET_SNS"]),
        (["send", "stripe", "--file", file, "--url", "http://127.0.0.1:1"], 1, ["127.0.0.1:1"]),
        (["sign"], 2, ["SOURCE"]),
    ]:
        failed = tool(running, *arguments, stdin=subprocess.DEVNULL)
        assert failed.returncode == code, arguments
        for part in parts:
            assert part in failed.stderr, (arguments, failed.stderr)
    refused = tool(running, "send", "stripe", "--file", file, "--url", running.url + "/elsewhere")
    assert refused.returncode == 1 and "404" in refused.stdout
