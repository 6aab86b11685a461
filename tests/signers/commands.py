"""Senders without a signing package, for which the OpenSSL program signs, and senders that only send a token."""

import base64
import secrets
from uuid import UUID

from signers.openssl import base64_of, hexadecimal
from signers.sender import EMPTY, Answer, Sender, Signature, milliseconds, odd_dates, odd_json, rfc3339, seconds


def over_body(header, prefix="", write=hexadecimal, digest="sha256"):
    return lambda message: {header: prefix + write(message.key, message.body, digest)}


def plain(source, header, prefix="", digest="sha256", encoding="hex", wrong=(), **given):
    """Returns a sender whose header holds only a MAC of the body."""
    write = {"hex": hexadecimal, "base64": base64_of}[encoding]
    other = "sha1=" if prefix == "sha256=" else "sha256="
    odd = ((prefix, ""), (prefix, other), (prefix, prefix[:-1] + ":")) if prefix else (("", other), ("", "v1="))
    return Sender(
        source=source, sign=over_body(header, prefix, write, digest),
        signature=Signature(header, prefix, encoding, wrong or odd), **given,
    )


def token(source, header, prefix="", encoding="text", write=str, wrong=(("", "Bearer "),), **given):
    return Sender(
        source=source, sign=lambda message: {header: prefix + write(message.key)}, signs_body=False,
        signature=Signature(header, prefix, encoding, wrong), **given,
    )


def guid(number):
    return str(UUID(int=number))


def github_key():
    """Returns a random text: GitHub accepts any text as a secret."""
    return f"It's a Secret to Everybody ♥ {secrets.token_hex(12)}"


def linear_event(number, time, key):
    return f'{{"action":"create","type":"Issue","data":{{"id":"{guid(number)}","title":"schön"}},"webhookTimestamp":{time}}}'.encode()


def pagerduty_event(number, time, key):
    return f'{{"event":{{"id":"01{number}","event_type":"incident.triggered","data":{{"title":"schön"}}}}}}'.encode()


def zendesk_headers(message):
    return {
        "X-Zendesk-Webhook-Signature-Timestamp": message.time,
        "X-Zendesk-Webhook-Signature": base64_of(message.key, message.time.encode() + message.body),
    }


def telegram_update(number, time, key):
    return f'{{"update_id":{number},"message":{{"text":"schön \\u2665"}}}}'.encode()


def whatsapp_change(number, time, key):
    """Returns an event as Meta writes it, in ASCII only."""
    return (
        f'{{"object":"whatsapp_business_account","entry":[{{"id":"1","changes":[{{"field":"messages","value":{{"messages":'
        f'[{{"id":"wamid.{number}","text":{{"body":"sch\\u00f6n \\u2665"}}}}]}}}}]}}]}}'
    ).encode()


def graph_notifications(number, time, key):
    states = [key, key]
    changes = ",".join(
        f'{{"id":"n{number}-{place}","subscriptionId":"s{place}","clientState":"{state}","changeType":"created","resource":"me/messages"}}'
        for place, state in enumerate(states)
    )
    return f'{{"value":[{changes}]}}'.encode()


def intercom_event(number, time, key):
    return f'{{"type":"notification_event","id":"notif_{number}","topic":"conversation.user.created"}}'.encode()


def dropbox_accounts(number, time, key):
    return f'{{"list_folder":{{"accounts":["dbid:{number}"]}},"delta":{{"users":[{number}]}}}}'.encode()


def mux_header(message):
    return {"Mux-Signature": f"t={message.time},v1=" + hexadecimal(message.key, f"{message.time}.".encode() + message.body)}


def zoom_headers(message):
    signature = "v0=" + hexadecimal(message.key, f"v0:{message.time}:".encode() + message.body)
    return {"x-zm-request-timestamp": message.time, "x-zm-signature": signature}


def zoom_event(number, time, key):
    return f'{{"event":"meeting.started","event_ts":{number},"payload":{{"object":{{"topic":"schön"}}}}}}'.encode()


def x_event(number, time, key):
    return f'{{"for_user_id":"1","tweet_create_events":[{{"id":{number},"text":"sch\\u00f6n"}}]}}'.encode()


def huma_question(number, time, key):
    return (
        f'{{"question_status":"succeeded","question":"Top sponsors in NSCLC? schön","ticket_number":"{number % 16**24:024x}",'
        f'"links":[{{"rel":"result","href":"/v1/questions/1/result"}}]}}'
    ).encode()


def square_headers(message):
    return {"x-square-hmacsha256-signature": base64_of(message.key, message.url.encode() + message.body)}


def square_event(number, time, key):
    return f'{{"merchant_id":"M","type":"payment.created","event_id":"{guid(number)}","created_at":"2026-11-21T09:00:00Z"}}'.encode()


def base64_bytes(text):
    return base64.b64encode(text.encode()).decode()


BEARER = (("Bearer ", ""), ("Bearer ", "Basic "), ("Bearer ", "Token "))
BASIC = (("Basic ", ""), ("Basic ", "Bearer "))

SENDERS = [
    plain(
        "github", "X-Hub-Signature-256", "sha256=", make_key=github_key,
        headers=lambda number: {"X-GitHub-Delivery": guid(number), "X-GitHub-Event": "issues"},
    ),
    plain(
        "shopify", "X-Shopify-Hmac-SHA256", encoding="base64",
        headers=lambda number: {
            "X-Shopify-Webhook-Id": guid(number), "X-Shopify-Topic": "orders/create", "X-Shopify-Shop-Domain": "a.myshopify.com",
        },
    ),
    plain(
        "linear", "Linear-Signature", body=linear_event, time=milliseconds, odd_times=odd_json, oldest=8 * 3600, latest=50,
        headers=lambda number: {"Linear-Delivery": guid(number), "Linear-Event": "Issue"},
    ),
    token(
        "gitlab", "X-Gitlab-Token",
        headers=lambda number: {"X-Gitlab-Event": "Push Hook", "Idempotency-Key": guid(number)},
    ),
    Sender(
        source="pagerduty", sign=over_body("X-PagerDuty-Signature", "v1="), body=pagerduty_event,
        signature=Signature(
            "X-PagerDuty-Signature", "v1=", repeatable=True, wrong=(("v1=", ""), ("v1=", "v0="), ("v1=", "v2="), ("v1=", "sha256=")),
            garbage=(("v1=", "v1=zz,v1="), ("v1=", "v2=00,junk,v1="), ("v1=", "v1=" + "00" * 32 + ",v1=")),
        ),
    ),
    Sender(
        source="zendesk", sign=zendesk_headers, make_key=lambda: base64.b64encode(secrets.token_bytes(30)).decode(),
        headers=lambda number: {"X-Zendesk-Webhook-Invocation-Id": guid(number)},
        signature=Signature("X-Zendesk-Webhook-Signature", encoding="base64", wrong=(("", "sha256="), ("", "v1="))),
        time=rfc3339, time_header="X-Zendesk-Webhook-Signature-Timestamp", odd_times=odd_dates,
    ),
    token("telegram", "X-Telegram-Bot-Api-Secret-Token", body=telegram_update, answer=EMPTY),
    plain("meta", "X-Hub-Signature-256", "sha256=", body=whatsapp_change),
    plain("whatsapp", "X-Hub-Signature-256", "sha256=", body=whatsapp_change),
    Sender(
        source="microsoft-graph", sign=lambda message: {}, body=graph_notifications, signs_body=False, answer=Answer(202, b"", ""),
    ),
    plain("intercom", "X-Hub-Signature", "sha1=", "sha1", body=intercom_event),
    plain("dropbox", "X-Dropbox-Signature", body=dropbox_accounts),
    Sender(
        source="square", sign=square_headers, body=square_event, query="x=1", signs_url=True,
        signature=Signature("x-square-hmacsha256-signature", encoding="base64", wrong=(("", "sha256="),)),
    ),
    Sender(
        source="mux", sign=mux_header, time=seconds, identified=True,
        signature=Signature(
            "Mux-Signature", r"t=[^,]*,v1=",
            wrong=(("v1=", "v0="), ("v1=", ""), ("t=", "t=1,t=")), garbage=(("v1=", "v1=zz,v1="), ("t=", "junk,t=")),
        ),
    ),
    plain("sentry", "Sentry-Hook-Signature", headers=lambda number: {"Sentry-Hook-Resource": "issue", "Request-ID": guid(number)}),
    Sender(
        source="zoom", sign=zoom_headers, body=zoom_event, answer=EMPTY,
        signature=Signature("x-zm-signature", "v0=", wrong=(("v0=", ""), ("v0=", "v1="))),
        time=seconds, time_header="x-zm-request-timestamp",
    ),
    plain("x", "x-twitter-webhooks-signature", "sha256=", encoding="base64", body=x_event),
    token("huma", "Authorization", "Token ", body=huma_question, answer=Answer(body=b"{}"), wrong=(("Token ", ""),)),
    plain("hmac", "x-webhook-signature", "sha256=", wrong=(("sha256=", "sha1="), ("sha256=", "sha512="), ("sha256=", "v1="))),
    token("bearer", "Authorization", "Bearer ", wrong=BEARER),
    token(
        "basic", "Authorization", "Basic ", "base64", base64_bytes, BASIC,
        make_key=lambda: f"warehouse:{secrets.token_hex(12)}:with:colons",
    ),
    token("api-key", "x-api-key"),
]
