"""Tests of the senders themselves: foreign verifiers accept their signatures, and known signatures are equal."""

from types import SimpleNamespace

import discord_interactions
import nacl.signing
import pytest
import standardwebhooks
import stripe
import svix.webhooks
import yaml
from conftest import SHIPPED
from hubspot.utils.signature import Signature as HubSpotSignature
from paddle_billing.Notifications import Secret, Verifier
from sendgrid.helpers.eventwebhook import EventWebhook
from signers import BY_SOURCE, PUBLIC_URL, SENDERS
from signers.openssl import hexadecimal
from signers.packages import Form
from slack_sdk.signature import SignatureVerifier
from square.utils.webhooks_helper import verify_signature as square_verifies
from twilio.request_validator import RequestValidator


def refuses(call):
    """Whether the verifier refuses. Most verifiers raise their own exception."""
    try:
        return call() is False
    except Exception:
        return True


def standard(library, prefix):
    def verify(delivery, key, header):
        headers = {f"webhook-{name}": header(f"{prefix}-{name}") for name in ("id", "timestamp", "signature")}
        library(key).verify(delivery.body.decode(), headers)
        return True
    return verify


def ed25519(prefix):
    def verify(delivery, key, header):
        content = f"{header(f'{prefix}-id')}.{header(f'{prefix}-timestamp')}.".encode() + delivery.body
        signature = standardwebhooks.webhooks.base64.b64decode(header(f"{prefix}-signature").removeprefix("v1a,"))
        public = key.public_key().public_bytes_raw()
        return nacl.signing.VerifyKey(public).verify(content, signature) == content
    return verify


def discord(delivery, key, header):
    public = key.verify_key.encode().hex()
    return discord_interactions.verify_key(delivery.body, header("X-Signature-Ed25519"), header("X-Signature-Timestamp"), public)


def paddle(delivery, key, header):
    request = SimpleNamespace(headers=dict(delivery.headers), body=delivery.body)
    return Verifier().verify(request, Secret(key))


VERIFIERS = {
    "standard": standard(svix.webhooks.Webhook, "webhook"),
    "svix": standard(standardwebhooks.Webhook, "svix"),
    "humanlayer": standard(standardwebhooks.Webhook, "svix"),
    "gitlab-signed": standard(svix.webhooks.Webhook, "webhook"),
    "standard-ed25519": ed25519("webhook"),
    "svix-ed25519": ed25519("svix"),
    "stripe": lambda delivery, key, header: stripe.Webhook.construct_event(
        delivery.body, header("Stripe-Signature"), key) is not None,
    "slack": lambda delivery, key, header: SignatureVerifier(key).is_valid_request(delivery.body, dict(delivery.headers)),
    "twilio": lambda delivery, key, header: RequestValidator(key).validate(
        PUBLIC_URL + delivery.path, Form.of(delivery.body), header("X-Twilio-Signature")),
    "hubspot": lambda delivery, key, header: HubSpotSignature.is_valid(
        header("X-HubSpot-Signature-v3"), key, delivery.body.decode(), PUBLIC_URL + delivery.path, "POST", "v3",
        header("X-HubSpot-Request-Timestamp")),
    "paddle": paddle,
    "discord": discord,
    "discord-events": discord,
    "sendgrid": lambda delivery, key, header: EventWebhook().verify_signature(
        delivery.body.decode(), header("X-Twilio-Email-Event-Webhook-Signature"),
        header("X-Twilio-Email-Event-Webhook-Timestamp"), key.public_key()),
    "square": lambda delivery, key, header: square_verifies(
        request_body=delivery.body.decode(), signature_header=header("x-square-hmacsha256-signature"),
        signature_key=key, notification_url=PUBLIC_URL + delivery.path),
}


@pytest.mark.parametrize("source", VERIFIERS)
def test_the_senders_own_verifier_accepts_the_delivery(source, monkeypatch):
    monkeypatch.delenv("TEST_MODE", raising=False)
    sender, verify = BY_SOURCE[source], VERIFIERS[source]
    good = sender.send()
    assert not refuses(lambda: verify(good, sender.key, good.header))
    assert refuses(lambda: verify(good, sender.other_key, good.header))
    strange = sender.send(key=sender.other_key)
    assert refuses(lambda: verify(strange, sender.key, strange.header))


# Signatures with the key, the body and the time of the next test. Python and OpenSSL both gave these values.
SHA256 = "44b3ea5dead8d603fa15b6782d912bb061e3eab933c092bc5412863903d35b35"
SHA256_BASE64 = "RLPqXerY1gP6FbZ4LZErsGHj6rkzwJK8VBKGOQPTWzU="
COLON = "893eb7993476b9d262af5c21dca1fbc5ee4624082cec16c344de78728c461290"
DOT = "4a13c63cc9b60395a6acef7b36ee554e2d087e533345770521bce3c66c2cf718"
VECTORS = {
    "github": "sha256=" + SHA256, "meta": "sha256=" + SHA256, "whatsapp": "sha256=" + SHA256, "hmac": "sha256=" + SHA256,
    "linear": SHA256, "dropbox": SHA256, "sentry": SHA256, "pagerduty": "v1=" + SHA256,
    "shopify": SHA256_BASE64, "x": "sha256=" + SHA256_BASE64,
    "intercom": "sha1=de504739cbf43f90928dd4eab8b1280579f5d73b",
    "slack": "v0=" + COLON, "zoom": "v0=" + COLON,
    "stripe": "t=1700000000,v1=" + DOT, "mux": "t=1700000000,v1=" + DOT,
    "paddle": "ts=1700000000;h1=ce82f8a4f57b74230731413281c07b710462926d0d4acc73208ce6abbeb330a1",
}


@pytest.mark.parametrize("source", VECTORS)
def test_the_signature_equals_the_known_signature(source):
    sender = BY_SOURCE[source]
    delivery = sender.send(key="s3cr3t", body=b'{"id":"evt_1","type":"ping"}', time="1700000000")
    assert delivery.header(sender.signature.header) == VECTORS[source]


def test_a_date_is_signed_as_it_is_written():
    sender = BY_SOURCE["zendesk"]
    body, time = b'{"event":"ticket.updated","id":123}', "2021-03-25T05:09:27Z"
    delivery = sender.send(key="dGhpc19zZWNyZXRfaXNfZm9yX3Rlc3Rpbmdfb25seQ==", body=body, time=time)
    assert delivery.header("X-Zendesk-Webhook-Signature") == "S/RDdU2ERmj7LHDDoWJ2onPYH+t7/f2+LTM4dL7UiLM="


def test_openssl_signs_any_bytes():
    assert hexadecimal("s3cr3t", b"") == "3c81cc9496e1c25250f6ccb85f697c1bb623e3480d6538ad8cb6a6648142777d"
    assert hexadecimal("s3cr3t", b"\xff\xfe\x00\n") == "8e2d44c44aade597dcf7ec978c5968fbbab11c5c764d50b6988128bbf2a37b32"


def test_no_sender_is_missing():
    """The tests cover every shipped source. SNS has its own tests, because its key comes from Amazon."""
    sources = yaml.safe_load(SHIPPED)["sources"].items()
    shipped = {(source or {}).get("preset", name) for name, source in sources}
    assert shipped == {sender.preset or sender.source for sender in SENDERS} | {"sns"}
