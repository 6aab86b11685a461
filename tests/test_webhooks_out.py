"""Notifications to endpoints: the packages of receivers verify them, and the models of the SDK read them."""

import base64
import json
import os
import secrets
import shutil
import subprocess

import pytest
import standardwebhooks
import svix
from clients import call, contact
from conftest import ROOT, SHIPPED, Placet, Target, eventually
from humanlayer import FunctionCall, HumanContact

FORMATS = ["", "v1beta2.", "v1beta3."]


class Told:
    """A Placet that notifies an endpoint of all events in one format."""

    def __init__(self, folder, prefix, events=("completed",), links=False):
        self.target = Target()
        self.secret = "whsec_" + base64.b64encode(secrets.token_bytes(24)).decode()
        names = [f"{prefix}{kind}.{event}" for event in events for kind in ("function_call", "human_contact")]
        marked = f"events: [{', '.join(names)}], links: {str(links).lower()}"
        config = SHIPPED + f"""
endpoints:
  app: {{url: "{self.target.url}", secrets: [env:PLACET_SECRET_APP], {marked}}}
outbound: {{allow_hosts: [127.0.0.1]}}
"""
        self.placet = Placet(folder, config=config)
        self.placet.environment["PLACET_SECRET_APP"] = self.secret

    def __enter__(self):
        self.placet.__enter__()
        return self

    def __exit__(self, *failed):
        self.placet.__exit__(*failed)
        self.target.close()

    def decide(self):
        """Makes one approval, one denial and one answer, and returns their three webhooks."""
        for kind, body, answer in [
            ("function_calls", call("yes", state={"n": 1}), {"approved": True}),
            ("function_calls", call("no"), {"approved": False, "comment": "too much", "reject_option_name": "fewer"}),
            ("human_contacts", contact("which", subject="Disks"), {"response": "sdb"}),
        ]:
            assert self.placet.api("POST", f"/{kind}", json=body).status_code == 200
            path = f"/agent/{kind}/{body['call_id']}/respond"
            assert self.placet.api("POST", path, json=answer).status_code == 200
        eventually(lambda: len(self.target.received) == 3)
        return list(self.target.received)


@pytest.fixture(params=FORMATS, ids=["v1", "v1beta2", "v1beta3"])
def told(request, tmp_path):
    with Told(tmp_path, request.param) as told:
        told.prefix = request.param
        yield told


def named(headers, prefix):
    return {name: value for name, value in headers.items() if name.startswith(prefix)}


def test_receivers_verify_notifications_and_the_sdk_reads_them(told):
    for received in told.decide():
        body = received.body.decode()
        svix.Webhook(told.secret).verify(body, named(received.headers, "svix-"))
        svix.Webhook(told.secret).verify(body, named(received.headers, "webhook-"))
        standardwebhooks.Webhook(told.secret).verify(body, named(received.headers, "webhook-"))
        with pytest.raises(Exception):
            svix.Webhook(told.secret).verify(body + " ", named(received.headers, "svix-"))
        event = received.json
        if told.prefix:
            assert event["is_test"] is False
            kind, event = event["type"], event["event"]
            assert kind == ("human_contact.completed" if "msg" in event["spec"] else "function_call.completed")
        if told.prefix == "v1beta3.":
            assert event["contact_channel_id"] is None
        item = (HumanContact if "msg" in event["spec"] else FunctionCall).model_validate(event)
        assert item.status.responded_at
        match item.call_id:
            case "yes":
                assert item.status.approved is True and item.spec.state == {"n": 1}
            case "no":
                status = item.status
                assert (status.approved, status.comment, status.reject_option_name) == (False, "too much", "fewer")
            case "which":
                assert (item.status.response, item.spec.subject) == ("sdb", "Disks")


def test_packages_from_npm_verify_notifications(told):
    good = [{"secret": told.secret, "headers": one.headers, "body": one.body.decode()} for one in told.decide()]
    other = "whsec_" + base64.b64encode(secrets.token_bytes(24)).decode()
    bad = [one | change for one in good for change in ({"body": one["body"] + " "}, {"secret": other})]
    done = subprocess.run(
        [shutil.which("node"), "verify.mjs"], cwd=ROOT / "tests/npm", capture_output=True, text=True, timeout=60,
        input="\n".join(map(json.dumps, good + bad)), env={"PATH": os.environ["PATH"]},
    )
    assert done.returncode == 0, done.stderr
    answers = [json.loads(line) for line in done.stdout.splitlines()]
    assert answers == [{"svix": True, "standardwebhooks": True}] * 3 + [{"svix": False, "standardwebhooks": False}] * 6


def test_an_endpoint_that_fails_gets_the_notification_again_under_the_same_id(tmp_path):
    with Told(tmp_path, "") as told:
        told.target.behave = lambda received: (500 if len(told.target.received) == 1 else 200, {})
        told.placet.api("POST", "/function_calls", json=call("yes"))
        told.placet.api("POST", "/agent/function_calls/yes/respond", json={"approved": True})
        eventually(lambda: len(told.target.received) == 2)
        first, second = told.target.received
        assert first.headers["webhook-id"] == second.headers["webhook-id"]
        assert first.body == second.body
        svix.Webhook(told.secret).verify(second.body.decode(), named(second.headers, "svix-"))


@pytest.mark.parametrize("prefix", FORMATS[1:], ids=["v1beta2", "v1beta3"])
def test_the_link_in_a_request_decides_and_a_request_is_no_decision(tmp_path, prefix):
    with Told(tmp_path, prefix, ["requested", "escalated", "completed"], links=True) as told:
        told.placet.api("POST", "/function_calls", json=call("c"))
        eventually(lambda: len(told.target.received) == 1)
        requested = told.target.received[0]
        svix.Webhook(told.secret).verify(requested.body.decode(), named(requested.headers, "svix-"))
        assert requested.json["type"] == "function_call.requested"
        event = requested.json["event"]
        assert FunctionCall.model_validate(event).status.approved is None
        assert told.placet.get(event["page"].removeprefix(told.placet.url)).status_code == 200

        told.placet.api("POST", "/agent/function_calls/c/escalate_email", json={"escalation_msg": "soon"})
        eventually(lambda: len(told.target.received) == 2)
        escalated = told.target.received[1].json["event"]
        assert (escalated["escalation"]["message"], escalated["decision_link"]) == ("soon", event["decision_link"])

        path = event["decision_link"].removeprefix(told.placet.url)
        for _ in range(50):
            assert told.placet.get(path).status_code == 200
        told.placet.press(told.placet.page(path), "Approve")
        eventually(lambda: len(told.target.received) == 3)
        assert told.target.received[2].json["event"]["status"]["approved"] is True
