"""Handshakes and other requests of senders besides deliveries, and formats that only some senders have."""

import base64
import hashlib
import json
from dataclasses import replace
from urllib.parse import quote, urlencode

import pytest
from hubspot.utils.signature import Signature as HubSpotSignature
from ingress import TOPIC, VERIFY_TOKENS, Ingress
from signers import BY_SOURCE, PUBLIC_URL, Delivery
from signers.openssl import base64_of, hexadecimal
from signers.packages import Form
from twilio.request_validator import RequestValidator

FORM = {"Content-Type": "application/x-www-form-urlencoded"}


@pytest.fixture(scope="module")
def ingress(tmp_path_factory):
    with Ingress(tmp_path_factory.mktemp("ingress")) as running:
        yield running


@pytest.fixture(scope="module")
def refused(ingress):
    """A function that posts a delivery and tells whether it gets the answer to an invalid signature."""
    shape = ingress.deliver(Delivery("/webhooks/github", (), b"{}")).shape
    assert shape[0] == 401
    return lambda delivery: ingress.deliver(delivery).shape == shape


@pytest.fixture
def new(ingress):
    """A function that returns the receipts of a source from this test."""
    before = {source: ingress.receipts(source) for source in [*BY_SOURCE, "sns"]}
    return lambda source: ingress.receipts(source) - before[source]


def get(path, **query):
    return Delivery(path + ("?" + urlencode(query) if query else ""), (), method="GET")


def tampered(delivery):
    return replace(delivery, body=delivery.body + b" ")


def echoes(reply, text):
    """Checks an answer that repeats unsigned input: plain text that no browser shows as a page."""
    assert (reply.status, reply.body.decode(), reply.content_type) == (200, text, "text/plain")
    assert reply.headers.get("x-content-type-options") == "nosniff"
    return True


# Slack

def test_slack_url_verification_is_answered_only_when_signed(ingress, refused, new):
    body = json.dumps({"token": "t", "challenge": "3eZbrw1aB10 ♥", "type": "url_verification"}).encode()
    delivery = BY_SOURCE["slack"].send(body=body)
    reply = ingress.deliver(delivery)
    answer = json.loads(reply.body)["challenge"] if reply.content_type == "application/json" else reply.body.decode()
    assert (reply.status, answer) == (200, "3eZbrw1aB10 ♥")
    assert refused(tampered(delivery)) and refused(BY_SOURCE["slack"].send(body=body, key="another"))
    assert not new("slack")


def test_slack_ssl_check_is_answered_unsigned(ingress, new):
    reply = ingress.deliver(Delivery("/webhooks/slack", tuple(FORM.items()), b"ssl_check=1&token=t"))
    assert (reply.status, reply.body) == (200, b"")
    assert not new("slack")


@pytest.mark.parametrize("fields", [
    {"token": "t", "command": "/weather", "text": "94070 schön & so", "trigger_id": "13345224609.738474920.1", "ssl_check": "0"},
    {"payload": json.dumps({"type": "block_actions", "trigger_id": "12466734323.1395872398", "actions": [{"value": "schön"}]})},
    {"payload": json.dumps({"type": "view_submission", "trigger_id": "12466734323.1395872399", "view": {}})},
], ids=["command", "block_actions", "view_submission"])
def test_slack_forms_are_deliveries(ingress, refused, new, fields):
    delivery = BY_SOURCE["slack"].send(body=urlencode(fields).encode(), headers=FORM)
    reply = ingress.deliver(delivery)
    assert (reply.status, reply.body) == (200, b""), "a body would be shown to the user"
    [receipt] = new("slack")
    assert ingress.kept(receipt) == delivery.body
    assert refused(tampered(delivery))
    ingress.deliver(delivery)
    assert len(new("slack")) == 1


# Twilio

def twilio_json(body):
    """Returns a JSON delivery. The signature covers the hash of the JSON in the URL."""
    sender = BY_SOURCE["twilio"]
    query = "foo=1&bodySHA256=" + RequestValidator(sender.key).compute_hash(body.decode())
    signature = RequestValidator(sender.key).compute_signature(f"{PUBLIC_URL}{sender.path}?{query}", {})
    return Delivery(f"{sender.path}?{query}", (("Content-Type", "application/json"), ("X-Twilio-Signature", signature)), body)


def test_twilio_json(ingress, refused, new):
    delivery = twilio_json('{"property": "schön", "boolean": true}'.encode())
    validator = RequestValidator(BY_SOURCE["twilio"].key)
    assert validator.validate(PUBLIC_URL + delivery.path, delivery.body.decode(), delivery.header("X-Twilio-Signature"))
    reply = ingress.deliver(delivery)
    assert (reply.status, reply.body, reply.content_type) == (200, b"<Response/>", "text/xml")
    [receipt] = new("twilio")
    assert ingress.kept(receipt) == delivery.body
    assert refused(tampered(delivery)), "the signature covers the URL, not this body"
    assert refused(replace(delivery, body=b""))
    digest = hashlib.sha256(delivery.body + b" ").hexdigest()
    path = delivery.path.partition("bodySHA256=")[0] + "bodySHA256=" + digest
    assert refused(replace(tampered(delivery), path=path)), "the hash fits the body, the signature does not cover the URL"


@pytest.mark.parametrize("port, good", [("", True), (":443", True), (":80", False), (":8443", False)])
def test_twilio_may_sign_the_default_port(ingress, refused, port, good):
    sender = BY_SOURCE["twilio"]
    delivery = sender.send()
    signature = RequestValidator(sender.key).compute_signature(
        PUBLIC_URL + port + delivery.path, Form.of(delivery.body))
    delivery = delivery.with_header("X-Twilio-Signature", signature)
    assert ingress.deliver(delivery).status == 200 if good else refused(delivery)


# Discord

def test_discord_interaction_ping(ingress, refused, new):
    ping = BY_SOURCE["discord"].send(body=b'{"type":1,"id":"1","version":1}')
    reply = ingress.deliver(ping)
    assert (reply.status, json.loads(reply.body), reply.content_type) == (200, {"type": 1}, "application/json")
    assert refused(ping.with_header("X-Signature-Ed25519", "00" * 64)), "Discord sends such pings and expects a refusal"
    assert not new("discord")


def test_discord_events_ping(ingress, refused, new):
    ping = BY_SOURCE["discord-events"].send(body=b'{"version":1,"application_id":"1","type":0}')
    reply = ingress.deliver(ping)
    assert (reply.status, reply.body) == (204, b"")
    assert refused(ping.with_header("X-Signature-Ed25519", "ff" * 64))
    assert not new("discord-events")


# Zoom and X expect a MAC of their challenge

def test_zoom_url_validation(ingress, refused, new):
    sender = BY_SOURCE["zoom"]
    plain = "qgg8vlvZRS6UYooatFL8Aw"
    body = json.dumps({"event": "endpoint.url_validation", "event_ts": 1, "payload": {"plainToken": plain}}).encode()
    delivery = sender.send(body=body)
    reply = ingress.deliver(delivery)
    assert (reply.status, reply.content_type) == (200, "application/json")
    assert json.loads(reply.body) == {"plainToken": plain, "encryptedToken": hexadecimal(sender.key, plain.encode())}
    assert refused(tampered(delivery))
    assert not new("zoom")


def test_x_challenge_response(ingress, new):
    reply = ingress.deliver(get("/webhooks/x", crc_token="abc_DEF-1="))
    assert (reply.status, reply.content_type) == (200, "application/json")
    assert json.loads(reply.body) == {"response_token": "sha256=" + base64_of(BY_SOURCE["x"].key, b"abc_DEF-1=")}
    assert not new("x")


@pytest.mark.parametrize("token", ['{"a":1}', "a b", "", "x" * 3000, "schön", "<script>", "a\n"])
def test_x_challenge_signs_only_valid_tokens(ingress, token):
    """The MAC of a token is the signature of a body with the same bytes."""
    reply = ingress.deliver(get("/webhooks/x", crc_token=token))
    assert 400 <= reply.status < 500 and b"sha256=" not in reply.body


# Echoes

@pytest.mark.parametrize("source", VERIFY_TOKENS)
def test_meta_challenge(ingress, new, source):
    query = {"hub.mode": "subscribe", "hub.verify_token": VERIFY_TOKENS[source], "hub.challenge": "1158201444"}
    assert echoes(ingress.deliver(get(f"/webhooks/{source}", **query)), "1158201444")
    for token in ("wrong", "", VERIFY_TOKENS[source] + " ", VERIFY_TOKENS[source][:-1]):
        reply = ingress.deliver(get(f"/webhooks/{source}", **query | {"hub.verify_token": token}))
        assert reply.status == 403 and b"1158201444" not in reply.body
    reply = ingress.deliver(get(f"/webhooks/{source}", **{"hub.mode": "subscribe", "hub.challenge": "1158201444"}))
    assert reply.status == 403
    assert not new(source)


def test_dropbox_challenge(ingress, new):
    assert echoes(ingress.deliver(get("/webhooks/dropbox", challenge="a<b>&ö c")), "a<b>&ö c")
    assert ingress.deliver(get("/webhooks/dropbox", challenge="x" * 5000)).status in range(400, 500)
    assert not new("dropbox")


def test_graph_validation(ingress, new):
    token = "Validation: Testing client application reachability for subscription Request-Id: 1 & <b>ö</b>"
    path = "/webhooks/microsoft-graph?validationToken=" + quote(token)
    plain = (("Content-Type", "text/plain; charset=utf-8"),)
    assert echoes(ingress.deliver(Delivery(path, plain)), token)
    assert echoes(ingress.deliver(Delivery(path.replace("%20", "+"), plain)), token)
    assert ingress.deliver(Delivery("/webhooks/microsoft-graph?validationToken=" + "x" * 5000, plain)).status in range(400, 500)
    assert not new("microsoft-graph")


def states(*values):
    changes = [{"id": f"n{place}", "clientState": value, "changeType": "created"} for place, value in enumerate(values)]
    return json.dumps({"value": [{name: value for name, value in one.items() if value is not None} for one in changes]})


def test_graph_needs_its_state_in_every_notification(ingress, refused, new):
    sender = BY_SOURCE["microsoft-graph"]
    mine = sender.key
    for body in (
        states(mine, "another"), states("another", mine), states(mine, None), states(None), states(mine, ""), states(mine, 5),
        states(mine, [mine]), states(mine + "x"), states(mine[:-1]), states(), "{}", '{"value":null}', '{"value":{}}',
        json.dumps({"value": {"clientState": mine}}), json.dumps({"value": mine}), json.dumps([{"clientState": mine}]), "", "[", "[]",
        states(mine).replace('"clientState"', '"clientState": "another", "clientState"'),
    ):
        assert refused(sender.send(body=body.encode())), body
    assert not new("microsoft-graph")
    assert ingress.deliver(sender.send(body=states(mine, mine, mine).encode())).status == 202
    assert len(new("microsoft-graph")) == 1


def test_pings_are_ordinary_events(ingress, new):
    sender = BY_SOURCE["github"]
    ping = sender.send(body=b'{"zen":"Design for failure.","hook_id":1}', headers={"X-GitHub-Event": "ping"})
    assert ingress.deliver(ping).status == 200
    assert len(new("github")) == 1
    assert ingress.deliver(get("/webhooks/github", challenge="a", crc_token="a", validationToken="a")).status == 200


# Weaker schemes of the same senders

def test_a_valid_weak_signature_is_refused(refused):
    github, hubspot, stripe = BY_SOURCE["github"], BY_SOURCE["hubspot"], BY_SOURCE["stripe"]
    good = github.send()
    sha1 = "sha1=" + hexadecimal(github.key, good.body, "sha1")
    assert refused(good.with_header("X-Hub-Signature-256").with_header("X-Hub-Signature", sha1))
    assert refused(good.with_header("X-Hub-Signature-256", "sha256=" + "0" * 64).with_header("X-Hub-Signature", sha1))

    good = hubspot.send()
    for version in ("v1", "v2"):
        hashed = HubSpotSignature.get_signature(hubspot.key, good.body.decode(), version, PUBLIC_URL + good.path, "POST")
        old = good.with_header("X-HubSpot-Signature-v3").with_header("X-HubSpot-Signature", hashed)
        assert refused(old.with_header("X-HubSpot-Signature-Version", version))

    good = stripe.send()
    assert refused(good.with_header("Stripe-Signature", good.header("Stripe-Signature").replace("v1=", "v0=")))

    square = BY_SOURCE["square"].send()
    sha1 = base64_of(BY_SOURCE["square"].key, (PUBLIC_URL + square.path).encode() + square.body, "sha1")
    assert refused(square.with_header("x-square-hmacsha256-signature").with_header("x-square-signature", sha1))


def test_gitlab_with_a_signing_token_does_not_fall_back_to_the_token(refused):
    sender = BY_SOURCE["gitlab-signed"]
    assert refused(sender.send().with_header("webhook-signature").with_header("X-Gitlab-Token", sender.key))
    assert refused(sender.send(key=sender.other_key).with_header("X-Gitlab-Token", sender.key))


def test_generic_hmac_needs_no_prefix(ingress, new):
    delivery = BY_SOURCE["hmac"].send()
    bare = delivery.header("x-webhook-signature").removeprefix("sha256=")
    assert ingress.deliver(delivery.with_header("x-webhook-signature", bare)).status == 200
    assert len(new("hmac")) == 1


# SNS: its certificate comes from Amazon, so these tests have only refusals

def sns(**changes):
    message = {
        "Type": "Notification", "MessageId": "22b80b92-fdea-4c2c-8f9d-bdfb0c7bf324", "TopicArn": TOPIC, "Message": "schön",
        "Timestamp": "2026-11-21T09:00:00.000Z", "SignatureVersion": "2", "Signature": base64.b64encode(b"x" * 256).decode(),
        "SigningCertURL": "https://sns.eu-central-1.amazonaws.com/SimpleNotificationService-010a507c1833636cd94bdb98bd93083a.pem",
    } | changes
    body = json.dumps({name: value for name, value in message.items() if value is not None}).encode()
    headers = {"Content-Type": "text/plain; charset=UTF-8", "x-amz-sns-message-type": "Notification", "x-amz-sns-topic-arn": TOPIC}
    return Delivery("/webhooks/sns", tuple(headers.items()), body)


LOOK_ALIKES = [
    "https://sns.eu-central-1.amazonaws.com.example.com/SimpleNotificationService-010a507c1833636cd94bdb98bd93083a.pem",
    "https://example.com/sns.eu-central-1.amazonaws.com/SimpleNotificationService-010a507c1833636cd94bdb98bd93083a.pem",
    "https://sns.eu-central-1.amazonaws.com@example.com/SimpleNotificationService-010a507c1833636cd94bdb98bd93083a.pem",
    "https://sns.eu-central-1.amazonaws.com:8443/SimpleNotificationService-010a507c1833636cd94bdb98bd93083a.pem",
    "http://sns.eu-central-1.amazonaws.com/SimpleNotificationService-010a507c1833636cd94bdb98bd93083a.pem",
    "https://sns-eu-central-1.amazonaws.com/SimpleNotificationService-010a507c1833636cd94bdb98bd93083a.pem",
    "https://bucket.s3.amazonaws.com/SimpleNotificationService-010a507c1833636cd94bdb98bd93083a.pem",
    "https://sns.eu-central-1.amazonaws.com/SimpleNotificationService-010a507c1833636cd94bdb98bd93083a.txt",
    "https://sns.eu-central-1.amazonaws.com\\@example.com/a.pem",
    "https://sns.us-east-1.amazonaws.com/SimpleNotificationService-010a507c1833636cd94bdb98bd93083a.pem", "https://sns.eu-central-1.amazonaws.com/any.pem",
    "https://sns.eu-central-1.amazonaws.com/any/SimpleNotificationService-010a507c1833636cd94bdb98bd93083a.pem", "file:///etc/ssl/cert.pem", "https://127.0.0.1/a.pem", "https://169.254.169.254/a.pem", "", None,
]


@pytest.mark.parametrize("address", LOOK_ALIKES, ids=str)
def test_sns_certificates_come_only_from_amazon(refused, address):
    assert refused(sns(SigningCertURL=address))


@pytest.mark.parametrize("changes", [
    {"TopicArn": TOPIC + "2"}, {"TopicArn": None}, {"TopicArn": [TOPIC]}, {"Signature": ""}, {"Signature": None}, {"SignatureVersion": "3"},
    {"SignatureVersion": None}, {"Type": "SubscriptionConfirmation", "TopicArn": TOPIC + "2"},
], ids=str)
def test_sns_refuses_other_topics_and_forms_without_a_fetch(refused, changes):
    """Placet fetches no certificate for these requests."""
    assert refused(sns(**changes))


def test_sns_raw_delivery_is_unsigned(refused, new):
    raw = Delivery("/webhooks/sns", (("x-amz-sns-rawdelivery", "true"), ("x-amz-sns-topic-arn", TOPIC)), b'{"order":1}')
    assert refused(raw)
    assert not new("sns")
