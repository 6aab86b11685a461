"""Senders that sign with a foreign package."""

import base64
import secrets
from datetime import UTC, datetime
from urllib.parse import parse_qsl, urlencode

import standardwebhooks
import stripe
import svix.webhooks
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from hubspot.utils.signature import Signature as HubSpotSignature
from nacl.signing import SigningKey
from paddle_billing.Notifications.PaddleSignature import PaddleSignature
from slack_sdk.signature import SignatureVerifier
from twilio.request_validator import RequestValidator

from signers import openssl
from signers.sender import EMPTY, Answer, Sender, Signature, milliseconds, seconds


def base64_text(raw):
    return base64.b64encode(raw).decode()


# Standard Webhooks

def whsec():
    return "whsec_" + base64_text(secrets.token_bytes(32))


def standard(prefix, library):
    """Signs with `library`. The library can write only whole seconds, so OpenSSL signs any other text as time."""
    def sign(message):
        identity = f"msg_{message.number}"
        if message.time.isdigit() and len(message.time) < 12:
            signature = library(message.key).sign(identity, datetime.fromtimestamp(int(message.time), UTC), message.text)
        else:
            key = base64.b64decode(message.key.removeprefix("whsec_"))
            content = f"{identity}.{message.time}.".encode() + message.body
            signature = "v1," + openssl.base64_of(key, content)
        return {f"{prefix}-id": identity, f"{prefix}-timestamp": message.time, f"{prefix}-signature": signature}
    return sign


def ed25519(prefix):
    def sign(message):
        identity = f"msg_{message.number}"
        signature = message.key.sign(f"{identity}.{message.time}.".encode() + message.body)
        return {
            f"{prefix}-id": identity, f"{prefix}-timestamp": message.time,
            f"{prefix}-signature": "v1a," + base64_text(signature),
        }
    return sign


def whpk(key):
    return "whpk_" + base64_text(key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw))


def standard_sender(source, prefix, library=None, **given):
    version = "v1" if library else "v1a"
    keys = {"make_key": whsec} if library else {"make_key": Ed25519PrivateKey.generate, "told": whpk}
    return Sender(
        source=source, sign=standard(prefix, library) if library else ed25519(prefix),
        signature=Signature(
            f"{prefix}-signature", f"{version},", "base64",
            wrong=((f"{version},", ""), (f"{version},", "v2,"), (f"{version},", f"{version}="), (f"{version},", "V1,"),
                   (f"{version},", "v1a," if library else "v1,"), (f"{version},", f"{version}, ")),
            garbage=((f"{version},", f"junk {version},"), (f"{version},", f"{version},!!! {version},"),
                     (f"{version},", f"v9,AAAA , v2 {version},AAAA {version},")),
        ),
        time=seconds, time_header=f"{prefix}-timestamp", id_header=f"{prefix}-id", identified=True, **keys, **given,
    )


# Others with an HMAC

def stripe_header(message):
    """Returns the headers of the package, with any text as time."""
    return {"Stripe-Signature": stripe.WebhookSignature.generate_signature_header(message.text, message.key, message.time)}


def slack_headers(message):
    signature = SignatureVerifier(message.key).generate_signature(timestamp=message.time, body=message.body)
    return {"X-Slack-Request-Timestamp": message.time, "X-Slack-Signature": signature}


def slack_event(number, time, key):
    return (
        f'{{"token":"Jhj5dZrVaK7ZwHHjRyZWjbDl","team_id":"T1","type":"event_callback","event_id":"Ev{number}",'
        f'"event":{{"type":"message","text":"schön \\u2665 ♥","channel":"C1"}}}}'
    ).encode()


class Form(dict):
    """Form fields in the form that web frameworks pass to the package: all values of a name."""

    @classmethod
    def of(cls, body):
        fields = cls()
        for name, value in parse_qsl(body.decode(), keep_blank_values=True):
            fields.setdefault(name, []).append(value)
        return fields

    def getlist(self, name):
        return self[name]


def twilio_headers(message):
    return {"X-Twilio-Signature": RequestValidator(message.key).compute_signature(message.url, Form.of(message.body))}


def twilio_form(number, time, key):
    return urlencode([
        ("MessageSid", f"SM{number}"), ("Body", " hi there, schön ♥ & so = on+ "), ("From", "+15550001111"), ("Empty", ""),
        ("MediaUrl", "b"), ("MediaUrl", "a"), ("MediaUrl", "b"), ("body", "a name in lower case"), ("MessageStatus", "sent"),
    ]).encode()


def hubspot_headers(message):
    signature = HubSpotSignature.get_signature(message.key, message.text, "v3", message.url, "POST", message.time)
    return {"X-HubSpot-Request-Timestamp": message.time, "X-HubSpot-Signature-v3": signature}


def hubspot_events(number, time, key):
    return (
        f'[{{"eventId":{number},"subscriptionId":12,"portalId":62515,"occurredAt":1700000000000,"attemptNumber":0,'
        f'"subscriptionType":"contact.creation","objectId":123,"note":"schön"}}]'
    ).encode()


def paddle_headers(message):
    signature = PaddleSignature.calculate_hmac(message.key, f"{message.time}:".encode() + message.body).hexdigest()
    return {"Paddle-Signature": f"ts={message.time};h1={signature}"}


def paddle_event(number, time, key):
    return (
        f'{{"event_id":"evt_{number}","notification_id":"ntf_{number}","event_type":"transaction.completed",'
        f'"data":{{"name":"schön"}}}}'
    ).encode()


# Public keys

def discord_headers(message):
    signature = message.key.sign(message.time.encode() + message.body).signature
    return {"X-Signature-Timestamp": message.time, "X-Signature-Ed25519": signature.hex()}


def interaction(number, time, key):
    return f'{{"id":"{number}","type":2,"data":{{"name":"schön"}},"token":"t"}}'.encode()


def discord_event(number, time, key):
    return (
        f'{{"version":1,"application_id":"1","type":1,"event":{{"type":"APPLICATION_AUTHORIZED",'
        f'"timestamp":"2026-11-21T09:00:00","data":{{"number":{number}}}}}}}'
    ).encode()


def discord(source, body, answer, **given):
    return Sender(
        source=source, sign=discord_headers, body=body, answer=answer, make_key=SigningKey.generate,
        told=lambda key: key.verify_key.encode().hex(),
        signature=Signature("X-Signature-Ed25519", wrong=(("", "ed25519="), ("", "0x"))),
        time=seconds, time_header="X-Signature-Timestamp", **given,
    )


def sendgrid_headers(message):
    signature = message.key.sign(message.time.encode() + message.body, ec.ECDSA(hashes.SHA256()))
    return {
        "X-Twilio-Email-Event-Webhook-Timestamp": message.time,
        "X-Twilio-Email-Event-Webhook-Signature": base64_text(signature),
    }


def sendgrid_events(number, time, key):
    return f'[{{"email":"schön@example.com","event":"open","sg_event_id":"e{number}","timestamp":1700000000}}]\r\n'.encode()


def spki(key):
    return base64_text(key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo))


SENDERS = [
    standard_sender("standard", "webhook", standardwebhooks.Webhook),
    standard_sender("svix", "svix", svix.webhooks.Webhook),
    standard_sender("humanlayer", "svix", svix.webhooks.Webhook),
    standard_sender("gitlab-signed", "webhook", standardwebhooks.Webhook, preset="gitlab"),
    standard_sender("standard-ed25519", "webhook", preset="standard"),
    standard_sender("svix-ed25519", "svix", preset="svix"),
    Sender(
        source="stripe", sign=stripe_header, make_key=lambda: "whsec_" + secrets.token_urlsafe(24), time=seconds, identified=True,
        signature=Signature(
            "Stripe-Signature", r"t=[^,]*,v1=",
            wrong=(("v1=", "v0="), ("v1=", "v2="), ("v1=", ""), ("v1=", "V1="), ("v1=", "v1,"), ("t=", "T="),
                   ("t=", "t=1,t="), (",v1=", ",t=1,v1=")),
            garbage=(("v1=", "v1=zz,v1="), ("v1=", "v0=00,v1="), ("t=", "junk,=,t="), ("v1=", "v1=" + "00" * 32 + ",v1=")),
        ),
    ),
    Sender(
        source="slack", sign=slack_headers, body=slack_event, answer=EMPTY, identified=True,
        signature=Signature("X-Slack-Signature", "v0=", wrong=(("v0=", ""), ("v0=", "v1="), ("v0=", "v0:"))),
        time=seconds, time_header="X-Slack-Request-Timestamp",
    ),
    Sender(
        source="twilio", sign=twilio_headers, body=twilio_form, query="foo=1&bar=a%20b", signs_url=True,
        content_type="application/x-www-form-urlencoded", answer=Answer(body=b"<Response/>", content_type="text/xml"),
        signature=Signature("X-Twilio-Signature", encoding="base64", wrong=(("", "sha1="),)),
    ),
    Sender(
        source="hubspot", sign=hubspot_headers, body=hubspot_events, query="x=1", signs_url=True,
        signature=Signature("X-HubSpot-Signature-v3", encoding="base64", wrong=(("", "v3="), ("", "sha256="))),
        time=milliseconds, time_header="X-HubSpot-Request-Timestamp",
    ),
    Sender(
        source="paddle", sign=paddle_headers, body=paddle_event, time=seconds, identified=True,
        make_key=lambda: "pdl_ntfset_" + secrets.token_hex(20),
        signature=Signature(
            "Paddle-Signature", r"ts=[^;]*;h1=",
            wrong=(("h1=", "h2="), ("h1=", ""), ("h1=", "H1="), (";", ","), ("ts=", "ts=1;ts="), (";h1=", ";ts=1;h1=")),
            garbage=(("h1=", "h1=dummy;h1="), ("h1=", "h2=00;h1="), ("ts=", "junk;ts="), ("h1=", "h1=" + "00" * 32 + ";h1=")),
        ),
    ),
    # An interaction needs an answer. The answer "thinking" defers the real one.
    discord("discord", interaction, Answer(body=b'{"type":5}'), identified=True),
    discord("discord-events", discord_event, Answer(204, b"", "")),
    Sender(
        source="sendgrid", sign=sendgrid_headers, body=sendgrid_events, told=spki,
        make_key=lambda: ec.generate_private_key(ec.SECP256R1()),
        signature=Signature("X-Twilio-Email-Event-Webhook-Signature", encoding="base64", wrong=(("", "sha256="),)),
        time=seconds, time_header="X-Twilio-Email-Event-Webhook-Timestamp",
    ),
]
