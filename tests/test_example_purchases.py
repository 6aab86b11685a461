"""The two commands of `examples/fastapi-purchases`: its `./run`, and Placet in the same folder."""

import json
import os
import shutil
import socket
import subprocess
import sys
import uuid
from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest
import requests
from conftest import REPLY, ROOT, START, STOP, Placet, eventually
from standardwebhooks import Webhook

EXAMPLE = ROOT / "examples/fastapi-purchases"
EVENTS = "[function_call.completed, human_contact.completed]"


class App:
    """The application in a copy of its folder. The test holds the port, so that the port is the same after a restart."""

    def __init__(self, folder: Path):
        assert Path(sys.prefix, "bin/uvicorn").exists(), "uvicorn is missing: install tests/requirements.txt"
        self.folder, self.log = folder, folder / "app.log"
        shutil.copytree(EXAMPLE, folder, ignore=shutil.ignore_patterns(".*", "__pycache__"), dirs_exist_ok=True)
        (folder / ".venv").symlink_to(sys.prefix)
        ours = ("PLACET_", "HUMANLAYER_", "PORT")
        self.environment = {name: value for name, value in os.environ.items() if not name.startswith(ours)}
        self.socket = socket.socket()
        self.socket.bind(("127.0.0.1", 0))
        self.address = f"127.0.0.1:{self.socket.getsockname()[1]}"
        self._run("--version").wait(START)
        self.secret = (folder / ".env").read_text().partition("PLACET_SECRET_APP=")[2].strip()
        assert self.secret.startswith("whsec_")

    def _run(self, *arguments):
        return subprocess.Popen(
            ["./run", *arguments], cwd=self.folder, env=self.environment, pass_fds=[self.socket.fileno()],
            stdin=subprocess.DEVNULL, stdout=self.log.open("a"), stderr=subprocess.STDOUT,
        )

    def start(self, placet_url="http://127.0.0.1:9"):
        self.environment["HUMANLAYER_API_BASE"] = placet_url + "/humanlayer/v1"
        self.process = self._run("--fd", str(self.socket.fileno()))
        eventually(self._ready, START)

    def _ready(self):
        assert self.process.poll() is None, self.log.read_text()
        try:
            return self.get("/purchases")
        except requests.ConnectionError:
            return None

    def stop(self):
        self.process.terminate()
        self.process.wait(STOP)

    def close(self):
        try:
            self.stop()
        finally:
            self.process.kill()
            self.socket.close()
        print("the application:", self.log.read_text(), sep="\n")
        assert self.secret not in self.log.read_text(), "the secret is in the log"

    # Actions of users

    def get(self, path):
        reply = requests.get(f"http://{self.address}{path}", timeout=REPLY)
        assert reply.status_code == 200, reply.text
        return reply.json()

    def buy(self, **purchase):
        reply = requests.post(f"http://{self.address}/purchase-materials", json=purchase, timeout=REPLY)
        assert reply.status_code == 200, reply.text
        return reply.json()["call_id"]

    def purchase(self, call_id):
        return next((one for one in self.get("/purchases")["purchases"] if one["call_id"] == call_id), None)

    def question(self, call_id):
        return next((one for one in self.get("/questions")["questions"] if one["call_id"] == call_id), None)

    def becomes(self, call_id, status):
        return eventually(lambda: (one := self.purchase(call_id)) and one["status"] == status and one)

    def said(self, words):
        return self.log.read_text().count(words)

    # Actions of a sender

    def webhook(self, payload, *, message=None, secret=None, at=None):
        """Returns the body and the headers of a signed webhook."""
        body, message = json.dumps(payload).encode(), message or f"msg_{uuid.uuid4().hex}"
        at = at or datetime.now(timezone.utc)
        signature = Webhook(secret or self.secret).sign(message, at, body.decode())
        stamp = str(int(at.timestamp()))
        return body, {"webhook-id": message, "webhook-timestamp": stamp, "webhook-signature": signature}

    def send(self, body, headers):
        headers = {"Content-Type": "application/json"} | headers
        return requests.post(f"http://{self.address}/webhook/inbound", data=body, headers=headers, timeout=REPLY)


@pytest.fixture
def app(tmp_path):
    """The application alone, without Placet."""
    app = App(tmp_path)
    app.start()
    yield app
    app.close()


@pytest.fixture
def system(tmp_path, request):
    """Placet with the configuration of the example, and the application. Webhooks have the format of the parameter."""
    app = App(tmp_path)
    config = (tmp_path / "placet.yaml").read_text()
    assert "127.0.0.1:8001" in config and EVENTS in config
    prefix = getattr(request, "param", "")
    events = f"[{prefix}function_call.completed, {prefix}human_contact.completed]"
    config = config.replace("127.0.0.1:8001", app.address).replace(EVENTS, events)
    with Placet(tmp_path, config=config, key=None) as placet:
        app.start(placet.url)
        try:
            yield placet, app
        finally:
            app.close()
        assert app.secret not in placet.log.read_text(), "the application's secret is in the log"


def decided(call_id="call-1", approved=True, fn="buy_materials"):
    """Returns a decided function call in the v1 format."""
    spec = {"fn": fn, "kwargs": {"material": "oak", "quantity": 3}, "state": {"for": "workshop"}}
    status = {"requested_at": "2026-11-21T09:00:00Z", "responded_at": "2026-11-21T09:04:10Z", "approved": approved}
    return {"run_id": "purchases-1", "call_id": call_id, "spec": spec, "status": status | {"comment": "as you like"}}


def test_the_tests_use_the_versions_that_the_example_pins():
    pins = (EXAMPLE / "requirements.txt").read_text().split()
    assert pins and set(pins) <= set((ROOT / "tests/requirements.txt").read_text().splitlines())


@pytest.mark.parametrize("system", ["", "v1beta2.", "v1beta3."], ids=["v1", "v1beta2", "v1beta3"], indirect=True)
def test_the_walkthrough(system):
    placet, app = system
    asked = app.get("/purchase-materials")
    wanted, unwanted = asked["call_id"], app.buy(material="gold", quantity=1)
    assert (asked["material"], asked["quantity"], asked["status"]) == ("wood", 10, "pending")
    assert [one["status"] for one in app.get("/purchases")["purchases"]] == ["pending", "pending"]

    page = placet.page(f"/inbox/{wanted}")
    for part in ("buy_materials", "wood", "10"):
        assert part in page.text, part
    assert placet.press(page, "Approve", comment="go ahead").status_code == 200
    bought = app.becomes(wanted, "finalized")
    assert (bought["comment"], bought["state"]) == ("go ahead", {"for": "workshop"})
    assert app.purchase(unwanted)["status"] == "pending"

    assert placet.press(placet.page(f"/inbox/{unwanted}"), "Deny", comment="too dear").status_code == 200
    assert app.becomes(unwanted, "denied")["comment"] == "too dear"
    assert (app.said("Bought 10 of wood"), app.said("Bought"), app.said("dropped")) == (1, 1, 1)

    question = app.get("/ask")
    assert question["answer"] is None
    page = placet.page(f"/inbox/questions/{question['call_id']}")
    assert question["question"] in page.text
    assert placet.press(page, "Oak").status_code == 200
    answered = eventually(lambda: (one := app.question(question["call_id"]))["answer"] and one)
    assert (answered["answer"], answered["state"]) == ("oak", {"for": "shelf"})


def test_a_decision_after_a_restart_of_the_application_is_acted_on(system):
    placet, app = system
    call_id = app.buy(material="ash", quantity=2)
    app.stop()
    app.start(placet.url)
    assert app.purchase(call_id) is None, "the application still remembers the purchase"
    placet.press(placet.page(f"/inbox/{call_id}"), "Approve")
    bought = app.becomes(call_id, "finalized")
    assert (bought["material"], bought["quantity"], bought["state"]) == ("ash", 2, {"for": "workshop"})


def test_a_repeated_delivery_buys_nothing(system):
    placet, app = system
    call_id = app.buy()
    placet.press(placet.page(f"/inbox/{call_id}"), "Approve")
    app.becomes(call_id, "finalized")
    key = {"Authorization": "Bearer local-dev-key"}
    (webhook,) = placet.get(f"/v1/operations/function_call/{call_id}", headers=key).json()["webhooks"]
    before = app.get("/purchases")
    assert placet.post(f"/v1/deliveries/{webhook['delivery_id']}/redeliver", headers=key).status_code == 202
    eventually(lambda: app.said("POST /webhook/inbound") == 2)
    assert app.get("/purchases") == before and app.said("Bought") == 1


@pytest.mark.parametrize("shape", ["bare", "envelope"])
def test_a_duplicate_and_a_test_event_change_nothing(app, shape):
    def event(item, is_test=False):
        bare = item | {"is_test": True} if is_test else item
        envelope = {"is_test": is_test, "type": "function_call.completed", "event": item}
        return bare if shape == "bare" else envelope

    assert app.send(*app.webhook(event(decided("call-0"), is_test=True))).json() == {"status": "test"}
    assert app.get("/purchases") == {"purchases": []}

    webhook = app.webhook(event(decided()))
    assert app.send(*webhook).json() == {"status": "ok"}
    before = app.get("/purchases")
    assert app.send(*webhook).json() == {"status": "duplicate"}
    assert app.send(*app.webhook(event(decided(approved=False)))).status_code == 200, "another message about the same call is refused"
    assert app.get("/purchases") == before and app.said("Bought 3 of oak") == 1

    assert app.send(*app.webhook(event(decided("call-2", fn="wipe_disk")))).json() == {"status": "ok"}
    assert app.send(*app.webhook({"type": "agent_email.received", "event": {}})).json() == {"status": "ok"}
    assert app.get("/purchases") == before


def test_a_webhook_that_placet_did_not_sign_is_401(app):
    body, headers = app.webhook(decided())
    other = "whsec_" + "A" * 32
    old = datetime.now(timezone.utc) - timedelta(minutes=6)
    for forged_body, forged_headers in (
        (body, {}),
        (body + b" ", headers),
        (b"\xff", headers),
        (body, headers | {"webhook-id": "msg_other"}),
        (body, headers | {"webhook-timestamp": "soon"}),
        (body, headers | {"webhook-signature": "nonsense"}),
        (body, headers | {"webhook-signature": "v1,%"}),
        app.webhook(decided(), secret=other),
        app.webhook(decided(), at=old),
    ):
        refused = app.send(forged_body, forged_headers)
        assert refused.status_code == 401 and app.secret not in refused.text, refused.text
    assert app.get("/purchases") == {"purchases": []}
    assert app.send(body, headers).status_code == 200, "the unchanged webhook is refused"
