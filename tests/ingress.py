"""A running Placet with secrets for its webhook sources, and a client that posts the exact bytes of a sender."""

import http.client
import json
from dataclasses import dataclass
from urllib.parse import quote, urlsplit

import yaml
from conftest import REPLY, SHIPPED, Placet
from signers import PUBLIC_URL, SENDERS

# Additional sources: a shipped preset with another kind of key, with two keys, and with a key that is not set.
MORE = """
  gitlab-signed: {preset: gitlab, secret: env:PLACET_SECRET_GITLAB_SIGNED, targets: [log]}
  standard-ed25519: {preset: standard, secret: env:PLACET_SECRET_STANDARD_ED25519, targets: [log]}
  svix-ed25519: {preset: svix, secret: env:PLACET_SECRET_SVIX_ED25519, targets: [log]}
  once: {preset: github, secret: env:PLACET_SECRET_GITHUB, equal_content: one_event, targets: [log]}
  rotated: {preset: github, secrets: [env:PLACET_SECRET_GITHUB, env:PLACET_SECRET_ROTATED], targets: [log]}
"""

VERIFY_TOKENS = {source: f"verify {source} ♥" for source in ("meta", "whatsapp")}
ROTATED = "the key that comes after"
TOPIC = "arn:aws:sns:eu-central-1:123456789012:orders"


@dataclass(frozen=True)
class Reply:
    status: int
    headers: dict
    body: bytes

    @property
    def content_type(self):
        return self.headers.get("content-type", "").partition(";")[0]

    @property
    def shape(self):
        """Returns everything that a sender sees, except the values that differ in every answer."""
        varying = ("date", "x-request-id", "x-amzn-requestid")
        return self.status, self.body, tuple(sorted((k, v) for k, v in self.headers.items() if k not in varying))


class Ingress(Placet):
    """Placet with all secrets set, or with none."""

    def __init__(self, folder, *, open_sources=True):
        config = yaml.safe_load(SHIPPED)
        config["sources"] |= yaml.safe_load(MORE)
        super().__init__(folder, config=json.dumps(config), signed=False)
        self.environment["PLACET_WEBHOOK_URL"] = PUBLIC_URL
        if open_sources:
            self.environment |= {sender.variable: sender.secret for sender in SENDERS}
            self.environment |= {f"PLACET_SECRET_{name.upper()}_VERIFY_TOKEN": token for name, token in VERIFY_TOKENS.items()}
            self.environment |= {"PLACET_SECRET_ROTATED": ROTATED, "PLACET_SECRET_SNS": TOPIC}
        self.connection = None

    def __exit__(self, failed, *details):
        super().__exit__(failed, *details)
        if not failed:
            log = self.log.read_text()
            leaked = [name for name, value in self.environment.items() if is_secret(name) and value in log]
            assert not leaked, f"in the log: {leaked}"

    def deliver(self, delivery):
        """Sends exactly this path, these header lines and these bytes."""
        connection = self.connection = self.connection or http.client.HTTPConnection(urlsplit(self.url).netloc, timeout=REPLY)
        try:
            connection.putrequest(delivery.method, delivery.path, skip_accept_encoding=True)
            for name, value in delivery.headers:
                connection.putheader(name, value.encode())
            if delivery.method not in ("GET", "HEAD"):
                connection.putheader("Content-Length", str(len(delivery.body)))
            connection.endheaders(delivery.body or None)
            answer = connection.getresponse()
            headers = {name.lower(): value for name, value in answer.getheaders()}
            return Reply(answer.status, headers, answer.read())
        except (OSError, http.client.HTTPException):
            connection.close()
            raise

    def v1(self, path):
        reply = self.get("/v1" + path, headers={"Authorization": f"Bearer {self.key}"})
        assert reply.status_code == 200, reply.text
        return reply

    def receipts(self, source):
        """Returns the ids of all receipts of a source."""
        found, cursor = [], ""
        while cursor is not None:
            page = self.v1(f"/receipts?source={source}&limit=100" + (f"&cursor={quote(cursor, safe='')}" if cursor else "")).json()
            found += [item["id"] for item in page["items"]]
            cursor = page["next"]
        assert len(found) == len(set(found)), "two pages show the same receipt"
        return set(found)

    def kept(self, receipt):
        """Returns the body of a receipt."""
        return self.v1(f"/receipts/{receipt}/body").content


def is_secret(name):
    """Whether the value must not be in the log: not the name of a topic, but also a public key."""
    return name.startswith("PLACET_SECRET_") and name != "PLACET_SECRET_SNS"
