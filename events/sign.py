"""Signs the sample events anew, with the throw-away secrets below. Needs nothing but Python.

    python3 events/sign.py events/webhook-inbound.json     the event with a signature of this moment
    python3 events/sign.py CALL_ID DIGEST                  a decision link, good until 2100; a question
                                                           is human_contact/CALL_ID
"""

import base64
import hashlib
import hmac
import json
import sys
import time
from pathlib import Path

WEBHOOK_SECRETS = {
    "PLACET_SECRET_HUMANLAYER": "whsec_cGxhY2V0LXNhbXBsZS13ZWJob29rLXNlY3JldA==",
    "PLACET_SECRET_GITHUB": "placet-sample-github-secret",
    "PLACET_SECRET_STRIPE": "whsec_placet-sample-stripe-secret",
    "PLACET_SECRET_SLACK": "placet-sample-slack-secret",
    "PLACET_SECRET_META": "placet-sample-meta-secret",
    "PLACET_SECRET_META_VERIFY_TOKEN": "placet-sample-verify-token",
}
LINK_SECRET = "placet-sample-link-secret-0000000"
YEAR_2100 = 4_102_444_800_000


def signed_webhook(event, now=None):
    """A copy of a webhook event, signed as its sender signs; what tells it from another stays."""
    event = json.loads(json.dumps(event))
    body = event.get("body", "").encode()
    body = base64.b64decode(body) if event["isBase64Encoded"] else body
    sender = SENDERS.get(event["rawPath"].removeprefix("/webhooks/"), humanlayer)
    event["headers"] |= sender(event["headers"], str(int(now or time.time())), body)
    event["headers"] = dict(sorted(event["headers"].items()))
    return event


def mac(secret, *parts):
    key = WEBHOOK_SECRETS[f"PLACET_SECRET_{secret}"]
    # Of these, only Svix and Standard Webhooks mean the bytes behind the base64.
    key = base64.b64decode(key.removeprefix("whsec_")) if secret == "HUMANLAYER" else key.encode()
    return hmac.digest(key, b"".join(parts), hashlib.sha256)


def humanlayer(headers, at, body):
    signed = f"{headers['svix-id']}.{at}.".encode()
    signature = base64.b64encode(mac("HUMANLAYER", signed, body)).decode()
    return {"svix-timestamp": at, "svix-signature": f"v1,{signature}"}


def github(_, _at, body):
    return {"x-hub-signature-256": f"sha256={mac('GITHUB', body).hex()}"}


def stripe(_, at, body):
    return {"stripe-signature": f"t={at},v1={mac('STRIPE', f'{at}.'.encode(), body).hex()}"}


def slack(_, at, body):
    signature = mac("SLACK", f"v0:{at}:".encode(), body).hex()
    return {"x-slack-request-timestamp": at, "x-slack-signature": f"v0={signature}"}


SENDERS = {"github": github, "stripe": stripe, "slack": slack}


def link_token(operation, digest, expires_at=YEAR_2100, project="default"):
    """The token of a decision link `/d/{token}` for `CALL_ID`, a function call, or `KIND/CALL_ID`;
    `expires_at` in milliseconds since 1970."""
    kind, _, call_id = operation.rpartition("/")
    link = {"p": project} | ({"k": kind} if kind else {})
    link |= {"c": call_id, "d": digest, "e": expires_at}
    payload = json.dumps(link, separators=(",", ":")).encode()
    signed = b"placet decision link v1\n" + payload
    mac = hmac.digest(LINK_SECRET.encode(), signed, hashlib.sha256)
    return ".".join(base64.urlsafe_b64encode(part).decode().rstrip("=") for part in (payload, mac))


if __name__ == "__main__":
    match sys.argv[1:]:
        case [path]:
            print(json.dumps(signed_webhook(json.loads(Path(path).read_text())), indent=2))
        case [operation, digest]:
            print("/d/" + link_token(operation, digest))
        case _:
            sys.exit(__doc__)
