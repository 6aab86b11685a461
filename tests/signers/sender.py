"""A sender: how it writes an event, where it puts the time and the signature, and which answer it expects."""

import json
import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from itertools import count
from typing import Any

# The address of Placet for the senders. Some senders sign it, so Placet takes it from its configuration, not from `Host`.
PUBLIC_URL = "https://hooks.example.com"

NUMBERS = count(1 + secrets.randbelow(2**40) * 1000)


def now():
    return time.time()


# Formats of a time

def seconds(at):
    return str(int(at))


def milliseconds(at):
    return str(int(at * 1000))


def rfc3339(at):
    return datetime.fromtimestamp(int(at), UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


@dataclass(frozen=True)
class Delivery:
    """One HTTP request with its exact bytes."""

    path: str
    headers: tuple[tuple[str, str], ...]
    body: bytes = b""
    method: str = "POST"

    def header(self, name):
        return next(value for given, value in self.headers if given.lower() == name.lower())

    def with_header(self, name, *values):
        """Returns a copy with this header. No value removes the header, several values repeat it."""
        others = tuple(one for one in self.headers if one[0].lower() != name.lower())
        return replace(self, headers=others + tuple((name, value) for value in values))


@dataclass(frozen=True)
class Message:
    """The parts of a delivery that a sender signs."""

    number: int
    body: bytes
    url: str
    time: str
    key: Any

    @property
    def text(self):
        return self.body.decode()


@dataclass(frozen=True)
class Signature:
    """The place of the signature: its header, the text before it (a pattern), and its encoding."""

    header: str
    before: str = ""
    encoding: str = "hex"
    # Replacements that make the header invalid: (old, new), once.
    wrong: tuple[tuple[str, str], ...] = ()
    # Replacements that put a useless element before a valid signature in a list.
    garbage: tuple[tuple[str, str], ...] = ()
    # HTTP joins repeated headers with a comma. For this sender the result is a longer valid list of signatures.
    repeatable: bool = False


@dataclass(frozen=True)
class Answer:
    """The answer that the sender expects to an accepted delivery."""

    status: int = 200
    body: bytes = b'{"status":"ok"}'
    content_type: str = "application/json"


EMPTY = Answer(body=b"", content_type="")


def text_key():
    return secrets.token_hex(20)


def event(number, time, key):
    """Returns an event whose spaces, escapes and letters no serialiser writes, so that any rewriting changes its bytes."""
    return f'{{"id":"evt_{number}", "type":"order.paid",\r\n "note" : "sch\\u00f6n, schön ♥ \\/",\t"amount":12.50}}\n'.encode()


@dataclass(kw_only=True)
class Sender:
    """`sign` returns the headers with the signature. The other fields tell how to make and how to change a delivery."""

    source: str
    sign: Callable[[Message], dict[str, str]]
    signature: Signature | None = None
    preset: str | None = None
    body: Callable[[int, str, Any], bytes] = event
    headers: Callable[[int], dict[str, str]] = lambda number: {}
    content_type: str = "application/json"
    query: str = ""
    answer: Answer = Answer()
    # The key of the sender, and the secret in Placet's configuration.
    make_key: Callable[[], Any] = text_key
    told: Callable[[Any], str] = str
    # The format of the signed time, and the separate header with the time.
    time: Callable[[float], str] | None = None
    time_header: str | None = None
    odd_times: Callable[[str], dict[str, str]] | None = None
    oldest: int = 300
    latest: int = 290
    # The parts that the signature covers.
    signs_body: bool = True
    signs_url: bool = False
    id_header: str | None = None
    # A retry has a new signature and the same id; the id is not the signature.
    identified: bool = False
    key: Any = field(init=False)
    other_key: Any = field(init=False)

    def __post_init__(self):
        self.key, self.other_key = self.make_key(), self.make_key()
        if self.time and not self.odd_times:
            self.odd_times = odd_numbers

    def __str__(self):
        return self.source

    @property
    def variable(self):
        """Returns the environment variable with the secret of the sender."""
        return "PLACET_SECRET_" + self.source.upper().replace("-", "_")

    @property
    def secret(self):
        return self.told(self.key)

    @property
    def path(self):
        return f"/webhooks/{self.source}"

    def send(self, number=None, *, at=None, time=None, key=None, body=None, query=None, headers=None):
        """Returns a delivery, signed now or at `at`. `time` replaces the signed text of the time."""
        number = number or next(NUMBERS)
        if time is None:
            time = self.time(at or now()) if self.time else ""
        key = self.key if key is None else key
        body = self.body(number, time, key) if body is None else body
        query = self.query if query is None else query
        path = self.path + ("?" + query if query else "")
        message = Message(number, body, PUBLIC_URL + path, time, key)
        all_headers = {"Content-Type": self.content_type} | self.headers(number) | (headers or {}) | self.sign(message)
        return Delivery(path, tuple(all_headers.items()), body)


def odd_numbers(right):
    """Returns unusual spellings of the right time. Some parsers accept them. Placet must refuse them even if signed."""
    return {
        "plus": "+" + right, "space": " " + right, "fraction": right + ".5", "exponent": right[:-2] + "e2",
        "twenty_digits": right.rjust(20, "0"), "minus": "-" + right, "hexadecimal": hex(int(right)), "empty": "",
    }


def odd_dates(right):
    return {
        "plus": "+" + right, "space": " " + right, "no_zone": right.removesuffix("Z"), "unix": str(int(now())),
        "date_only": right[:10], "twenty_digits": "0" * 4 + right, "empty": "",
    }


def odd_json(right):
    """Returns unusual spellings of a time in JSON."""
    odd = {name: json.dumps(text) for name, text in odd_numbers(right).items()}
    return odd | {"bare_fraction": right + ".5", "null": "null", "list": f"[{right}]"}
