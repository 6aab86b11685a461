"""Signs the sample events anew, with the throw-away secrets below. Needs nothing but Python.

    python3 events/sign.py events/webhook-inbound.json     the event with a signature of this moment
    python3 events/sign.py CALL_ID DIGEST                  a decision link that never expires
"""

import base64
import hashlib
import hmac
import json
import sys
import time
from pathlib import Path

WEBHOOK_SECRET = "whsec_cGxhY2V0LXNhbXBsZS13ZWJob29rLXNlY3JldA=="
LINK_SECRET = "placet-sample-link-secret-0000000"
YEAR_2100 = 4_102_444_800_000


def signed_webhook(event, now=None):
    """A copy of a webhook event, signed as Svix and Standard Webhooks sign; the id stays."""
    event = json.loads(json.dumps(event))
    timestamp = str(int(time.time() if now is None else now))
    key = base64.b64decode(WEBHOOK_SECRET.removeprefix("whsec_"))
    signed = f"{event['headers']['svix-id']}.{timestamp}.{event['body']}"
    mac = hmac.digest(key, signed.encode(), hashlib.sha256)
    event["headers"]["svix-timestamp"] = timestamp
    event["headers"]["svix-signature"] = "v1," + base64.b64encode(mac).decode()
    return event


def link_token(call_id, digest, expires_at=YEAR_2100, tenant="default"):
    """The token of a decision link `/d/{token}`; `expires_at` in milliseconds since 1970."""
    link = {"t": tenant, "c": call_id, "d": digest, "e": expires_at}
    payload = json.dumps(link, separators=(",", ":")).encode()
    signed = b"placet decision link v1\n" + payload
    mac = hmac.digest(LINK_SECRET.encode(), signed, hashlib.sha256)
    return ".".join(base64.urlsafe_b64encode(part).decode().rstrip("=") for part in (payload, mac))


if __name__ == "__main__":
    match sys.argv[1:]:
        case [path]:
            print(json.dumps(signed_webhook(json.loads(Path(path).read_text())), indent=2))
        case [call_id, digest]:
            print("/d/" + link_token(call_id, digest))
        case _:
            sys.exit(__doc__)
