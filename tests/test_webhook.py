"""Completed function calls in the format of HumanLayer's cloud, signed by foreign libraries."""

import json
from datetime import UTC, datetime, timedelta
from itertools import count

import pytest
import standardwebhooks
import svix.webhooks
from conftest import Placet, eventually

NUMBERS = count(1)

# Both libraries and both sets of header names.
SIGNERS = [
    pytest.param(svix.webhooks.Webhook, "svix", id="svix"),
    pytest.param(svix.webhooks.Webhook, "webhook", id="svix-webhook-headers"),
    pytest.param(standardwebhooks.Webhook, "webhook", id="standardwebhooks"),
    pytest.param(standardwebhooks.Webhook, "svix", id="standardwebhooks-svix-headers"),
]


def completed(call_id, approved=True, comment="from the cloud", fn="order_timber", kwargs=None):
    """Returns the body of the cloud: the whole call with its status."""
    return {
        "run_id": "buyer-9", "call_id": call_id,
        "spec": {"fn": fn, "kwargs": {"planks": 12} if kwargs is None else kwargs, "channel": None, "state": {"ticket": 41}},
        "status": {
            "requested_at": "2026-11-21T09:00:00.000000", "responded_at": "2026-11-21T09:04:10.500000",
            "approved": approved, "comment": comment, "reject_option_name": None, "slack_message_ts": None,
            "user_info": {"display_name": "Ana", "username": "ana@example.com", "source": "Web"},
        },
    }


def envelope(event):
    return {"is_test": False, "type": "function_call.completed", "event": event}


def signed(secret, body, signer=standardwebhooks.Webhook, prefix="webhook", at=None, message=None):
    """Returns the headers of a delivery."""
    at = at or datetime.now(UTC)
    message = message or f"msg_{next(NUMBERS)}"
    return {
        "Content-Type": "application/json",
        f"{prefix}-id": message,
        f"{prefix}-timestamp": str(int(at.timestamp())),
        f"{prefix}-signature": signer(secret).sign(message, at, body),
    }


def deliver(placet, body, headers=None, path="/webhook/inbound"):
    body = body if isinstance(body, str) else json.dumps(body)
    headers = headers or signed(placet.webhook_secret, body)
    return placet.post(path, data=body.encode(), headers=headers)


def ask(placet, call_id):
    placet.ask(call_id, fn="order_timber", planks=12)


def decided(placet, call_id):
    """Waits for a decision and returns the status of the call."""
    return eventually(lambda: (status := placet.call(call_id)["status"]).get("approved") is not None and status)


def wait_for_all_receipts(placet):
    """Sends a new webhook and waits for its effect. Receipts are processed about in order, so all earlier ones are done."""
    call_id = f"barrier-{next(NUMBERS)}"
    ask(placet, call_id)
    assert deliver(placet, completed(call_id)).status_code == 200
    decided(placet, call_id)


@pytest.mark.parametrize("signer, prefix", SIGNERS)
@pytest.mark.parametrize("wrap", [lambda event: event, envelope], ids=["bare", "envelope"])
@pytest.mark.parametrize("approved", [True, False], ids=["approves", "denies"])
def test_a_signed_delivery_decides(placet, signer, prefix, wrap, approved):
    ask(placet, "call-1")
    body = json.dumps(wrap(completed("call-1", approved)))
    reply = deliver(placet, body, signed(placet.webhook_secret, body, signer, prefix))
    assert reply.status_code == 200 and reply.headers["Content-Type"] == "application/json"
    status = decided(placet, "call-1")
    assert (status["approved"], status["comment"]) == (approved, "from the cloud")


def test_an_approval_by_webhook_runs_the_purchase(placet):
    call_id = placet.buy(material="oak", quantity=3)
    kwargs = {"material": "oak", "quantity": 3}
    assert deliver(placet, completed(call_id, fn="purchase_materials", kwargs=kwargs)).status_code == 200
    eventually(lambda: placet.purchases()[call_id]["status"] == "finalised")


def test_the_source_has_its_own_path_too(placet):
    ask(placet, "call-1")
    assert deliver(placet, completed("call-1"), path="/webhooks/humanlayer").status_code == 200
    decided(placet, "call-1")
    assert deliver(placet, completed("call-1"), path="/webhooks/nobody").status_code == 404


def unsigned(secret, body):
    return {"Content-Type": "application/json"}


def wrong_secret(secret, body):
    return signed("whsec_" + "QUFB" * 8, body)


def too_old(secret, body):
    return signed(secret, body, at=datetime.now(UTC) - timedelta(seconds=301))


def too_new(secret, body):
    return signed(secret, body, at=datetime.now(UTC) + timedelta(seconds=310))


def other_body(secret, body):
    return signed(secret, body.replace("from the cloud", "from the crowd"))


def other_time(secret, body):
    headers = signed(secret, body)
    return headers | {"webhook-timestamp": str(int(headers["webhook-timestamp"]) - 1)}


def other_id(secret, body):
    return signed(secret, body) | {"webhook-id": "msg_other"}


def mixed_sets(secret, body):
    headers = signed(secret, body)
    return {name.replace("webhook-s", "svix-s"): value for name, value in headers.items()}


def contradicting_sets(secret, body):
    return signed(secret, body) | signed(secret, body, prefix="svix")


def other_version(secret, body):
    headers = signed(secret, body)
    return headers | {"webhook-signature": headers["webhook-signature"].replace("v1,", "v2,")}


def cut_signature(secret, body):
    headers = signed(secret, body)
    return headers | {"webhook-signature": headers["webhook-signature"][:-8]}


def empty_signature(secret, body):
    return signed(secret, body) | {"webhook-signature": ""}


def no_number(secret, body):
    return signed(secret, body) | {"webhook-timestamp": "now"}


@pytest.mark.parametrize("headers", [
    unsigned, wrong_secret, too_old, too_new, other_body, other_time, other_id, mixed_sets,
    contradicting_sets, other_version, cut_signature, empty_signature, no_number,
])
def test_a_delivery_without_a_valid_signature_changes_nothing(placet, headers):
    ask(placet, "call-1")
    body = json.dumps(completed("call-1"))
    reply = deliver(placet, body, headers(placet.webhook_secret, body))
    plain = deliver(placet, body, unsigned(None, body))
    assert reply.status_code == 401 and reply.headers["Content-Type"].startswith("application/")
    assert reply.text == plain.text, "the answer shows the reason of the refusal"
    wait_for_all_receipts(placet)
    assert placet.approved("call-1") is None


def test_every_byte_is_signed(placet):
    """The same JSON with other spacing is another body."""
    ask(placet, "call-1")
    body = json.dumps(completed("call-1"))
    headers = signed(placet.webhook_secret, body)
    for changed in (body + " ", body.replace(": ", ":"), " " + body, body[:-1], body.replace("12", "13"), ""):
        assert deliver(placet, changed, headers).status_code == 401, changed
    assert placet.approved("call-1") is None
    assert deliver(placet, body, headers).status_code == 200
    decided(placet, "call-1")


def test_unusual_bytes_are_accepted_unchanged(placet):
    ask(placet, "call-1")
    event = json.dumps(completed("call-1", comment="COMMENT"), indent=3).replace("COMMENT", "schön \\u00e4 😀 \\n\\/")
    assert deliver(placet, "\r\n\t" + event + "\n\n").status_code == 200
    assert decided(placet, "call-1")["comment"] == "schön ä 😀 \n/"


def test_another_signature_beside_the_valid_one_does_no_harm(placet):
    ask(placet, "call-1")
    body = json.dumps(completed("call-1"))
    headers = signed(placet.webhook_secret, body)
    other = signed("whsec_" + "QUFB" * 8, body, message=headers["webhook-id"])["webhook-signature"]
    headers["webhook-signature"] = f"v1a,abc {other} {headers['webhook-signature']}"
    assert deliver(placet, body, headers).status_code == 200
    decided(placet, "call-1")


def test_a_repeated_delivery_is_accepted_and_changes_nothing(placet):
    call_id = placet.buy()
    event = completed(call_id, fn="purchase_materials", kwargs={"material": "wood", "quantity": 10})
    body = json.dumps(event)
    headers = signed(placet.webhook_secret, body)
    assert [deliver(placet, body, headers).status_code for _ in range(5)] == [200] * 5
    bought = eventually(lambda: (one := placet.purchases()[call_id])["state"] == "succeeded" and one)
    answer = decided(placet, call_id)

    assert deliver(placet, body, headers).status_code == 200
    later = signed(placet.webhook_secret, body, message=headers["webhook-id"], at=datetime.now(UTC) + timedelta(seconds=5))
    assert deliver(placet, body, later).status_code == 200, "a retry with a new signature is refused"
    wait_for_all_receipts(placet)
    assert placet.purchases()[call_id] == bought
    assert placet.call(call_id)["status"] == answer
    history = placet.page(f"/inbox/{call_id}").text
    assert history.count("webhook humanlayer") <= 2, "the call was decided twice"


def test_the_first_of_two_different_decisions_stays(placet):
    ask(placet, "call-1")
    placet.respond("call-1", approved=False, comment="no")
    before = placet.call("call-1")
    assert deliver(placet, completed("call-1", approved=True)).status_code == 200
    wait_for_all_receipts(placet)
    assert placet.call("call-1") == before


@pytest.mark.parametrize("seen", [
    {"kwargs": {"planks": 13}},
    {"kwargs": {"planks": "12"}},
    {"kwargs": {"planks": 12, "express": True}},
    {"kwargs": {}},
    {"fn": "order_gold"},
], ids=str)
def test_a_decision_about_other_arguments_is_not_applied(placet, seen):
    """Shown = approved = executed: the person saw other arguments than the stored ones."""
    ask(placet, "call-1")
    assert deliver(placet, completed("call-1", **seen)).status_code == 200
    wait_for_all_receipts(placet)
    assert placet.approved("call-1") is None


def test_deliveries_that_decide_nothing_are_accepted(placet):
    ask(placet, "call-1")
    event = completed("call-1")
    for body in (
        completed("no-such-call"),
        envelope(event) | {"is_test": True},
        envelope(event) | {"type": "agent_email.received"},
        {"hello": "world"},
        event | {"status": {"approved": None}},
        "not JSON at all",
    ):
        assert deliver(placet, body).status_code == 200, body
    wait_for_all_receipts(placet)
    assert placet.approved("call-1") is None
    assert placet.api("GET", "/function_calls/no-such-call").status_code == 404


def test_without_a_secret_the_source_is_closed(tmp_path):
    with Placet(tmp_path, signed=False) as placet:
        ask(placet, "call-1")
        body = json.dumps(completed("call-1"))
        for headers in (unsigned(None, body), signed("whsec_" + "QUFB" * 8, body)):
            assert deliver(placet, body, headers).status_code == 401
        assert placet.approved("call-1") is None


def test_an_accepted_delivery_survives_kill_9(tmp_path):
    with Placet(tmp_path) as placet:
        for number in range(20):
            ask(placet, f"call-{number}")
        for number in range(20):
            assert deliver(placet, completed(f"call-{number}")).status_code == 200
        placet.kill9()
        placet.restart()
        eventually(lambda: all(placet.approved(f"call-{number}") for number in range(20)), within=90)
