"""Schemathesis sends requests that /openapi.json allows, and requests that it forbids, to a running system."""

import hmac
import os
import subprocess
import sys

import pytest
from conftest import ROOT, SHIPPED, Placet

SEED = int(os.environ.get("PLACET_TEST_SEED", "20261121"))
# The number of requests for each route. Schemathesis tests the boundary values first.
EXAMPLES = 25
# Valid requests that Placet refuses for their meaning: an option that was not offered, an unknown cursor,
# an Idempotency-Key with another body, a number beyond 64 bits.
EXCLUDED = "positive_data_acceptance"

ENDPOINTS = """
endpoints:
  billing:
    url: {url}
    secrets: [env:PLACET_SECRET_BILLING]
    events: [v1beta2.function_call.completed, human_contact.completed]
outbound: {{allow_hosts: [127.0.0.1]}}
"""


@pytest.fixture
def running(tmp_path, target):
    """A system with all resources that the examples of the document name."""
    placet = Placet(tmp_path, config=SHIPPED + ENDPOINTS.format(url=target.url))
    placet.environment |= {
        "PLACET_SECRET_BILLING": placet.webhook_secret, "PLACET_SECRET_GITHUB": "open-sesame", "PLACET_LOG": "warn",
    }
    with placet:
        yield placet


def native(placet, method, path, **options):
    return placet.request(method, "/v1" + path, headers={"Authorization": f"Bearer {placet.key}"}, **options)


def receive(placet):
    """Sends a webhook, so that a receipt exists."""
    body = b'{"action": "opened"}'
    signature = hmac.new(b"open-sesame", body, "sha256").hexdigest()
    headers = {"X-Hub-Signature-256": f"sha256={signature}", "X-GitHub-Event": "issues", "X-GitHub-Delivery": "guid-1"}
    assert placet.post("/webhooks/github", data=body, headers=headers).status_code == 200


def test_the_document_describes_every_answer(running, tmp_path):
    receive(running)
    for kind, asks in (("function_call", {"fn": "anything"}), ("human_contact", {"msg": "Oak or pine?"})):
        asked = native(running, "POST", "/operations", json={"kind": kind, "run_id": "run-1", "call_id": "call-1"} | asks)
        assert asked.status_code == 201, asked.text
    (tmp_path / "schemathesis.toml").write_text('[headers]\nAuthorization = "Bearer ${PLACET_KEY}"\n')
    print(f"PLACET_TEST_SEED={SEED} repeats this run")
    ran = subprocess.run(
        [
            sys.executable, "-m", "schemathesis.cli", "run", f"{running.url}/openapi.json",
            "--checks", "all", "--exclude-checks", EXCLUDED,
            "--seed", str(SEED), "--max-examples", str(EXAMPLES), "--generation-database", "none",
            "--continue-on-failure", "--warnings", "off", "--no-color",
        ],
        cwd=tmp_path, env=os.environ | {"PLACET_KEY": running.key}, capture_output=True, text=True, timeout=600, stdin=subprocess.DEVNULL,
    )
    print(ran.stdout[-20_000:], ran.stderr)
    assert ran.returncode == 0, "Schemathesis found errors, see its output above"
