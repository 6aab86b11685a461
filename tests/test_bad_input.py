"""Bad input causes a clear error and nothing else: no state change, no panic, no dead process."""

import json
import secrets
from dataclasses import dataclass, field

import pytest
from conftest import Placet

JSON = {"Content-Type": "application/json"}
FORM = {"Content-Type": "application/x-www-form-urlencoded"}
KEY = {"Authorization": "Bearer KEY"}
SEVEN_MEGABYTES = 7 * 1024 * 1024
DEEP = "[" * 10_000 + "]" * 10_000
CREATE, RESPOND = "/humanlayer/v1/function_calls", "/humanlayer/v1/agent/function_calls/waits/respond"


@dataclass
class Case:
    """A request, and the statuses that may refuse it."""

    name: str
    path: str
    body: str | bytes | dict | list | None = None
    expected: tuple = (400, 422)
    method: str = "POST"
    headers: dict = field(default_factory=lambda: JSON | KEY)


def call(**changes):
    """Returns the body of a creation with wrong members."""
    return {"run_id": "r", "call_id": "bad", "spec": {"fn": "f", "kwargs": {}}} | changes


def spec(**changes):
    return call(spec={"fn": "f", "kwargs": {}} | changes)


PURCHASES = [
    Case(f"purchase: {name}", "/purchase-materials", body, headers=JSON)
    for name, body in {
        "malformed": '{"material":',
        "not JSON": "material=wood",
        "two values": "{} {}",
        "an array": [],
        "a text": '"wood"',
        "null": "null",
        "unknown field": {"material": "wood", "colour": "red"},
        "misspelt field": {"Material": "wood"},
        "material a number": {"material": 7},
        "material empty": {"material": ""},
        "material blank": {"material": "   "},
        "material long": {"material": "x" * 100_000},
        "quantity a text": {"quantity": "ten"},
        "quantity zero": {"quantity": 0},
        "quantity negative": {"quantity": -1},
        "quantity a fraction": {"quantity": 1.5},
        "quantity over 32 bits": {"quantity": 2**32},
        "quantity over 64 bits": '{"quantity": 18446744073709551616}',
        "quantity infinite": '{"quantity": 1e999}',
        "quantity not a number": '{"quantity": NaN}',
        "nested": '{"material": ' + DEEP + "}",
        "invalid UTF-8": b'{"material": "\xff\xfe"}',
        "half a surrogate": '{"material": "\\ud800"}',
        "a control character": b'{"material": "a\x00b"}',
    }.items()
] + [
    Case("purchase: form, quantity a text", "/purchase-materials", "material=wood&quantity=ten", headers=FORM),
    Case("purchase: form, unknown field", "/purchase-materials", "material=wood&quantity=1&colour=red", headers=FORM),
    Case("purchase: form, invalid UTF-8", "/purchase-materials", "material=%ff", headers=FORM),
    Case("purchase: form, half an escape", "/purchase-materials", "material=%f", headers=FORM),
    Case("purchase: form, bad id", "/purchase-materials", "material=wood&quantity=1&call_id=a%2Fb", headers=FORM),
    Case("purchase: 7 MB", "/purchase-materials", '{"material":"' + "x" * SEVEN_MEGABYTES + '"}', (413,), headers=JSON),
]

CREATIONS = [
    Case(f"create: {name}", CREATE, body)
    for name, body in {
        "malformed": '{"run_id": "r",',
        "empty": "",
        "an array": [],
        "no run": {"call_id": "bad", "spec": {"fn": "f"}},
        "run a number": call(run_id=7),
        "run long": call(run_id="r" * 300),
        "no spec": {"run_id": "r", "call_id": "bad"},
        "spec a text": call(spec="f"),
        "no fn": call(spec={"kwargs": {}}),
        "fn a number": spec(fn=7),
        "state an array": spec(state=[1]),
        "channel a text": spec(channel="slack"),
        "reject options without names": spec(reject_options=[{"title": "Later"}]),
        "kwargs nested": '{"run_id":"r","call_id":"bad","spec":{"fn":"f","kwargs":{"a":' + DEEP + "}}}",
        "kwargs infinite": '{"run_id":"r","call_id":"bad","spec":{"fn":"f","kwargs":{"a":1e999}}}',
        "invalid UTF-8": b'{"run_id":"r","call_id":"bad","spec":{"fn":"\xff","kwargs":{}}}',
        "id with a slash": call(call_id="a/b"),
        "id with a question mark": call(call_id="x?y"),
        "id with a hash": call(call_id="x#y"),
        "id with a percent sign": call(call_id="a%2Fb"),
        "id with a backslash": call(call_id="a\\b"),
        "id empty": call(call_id=""),
        "id long": call(call_id="x" * 300),
        "id a number": call(call_id=7),
        "id with a line break": call(call_id="a\nb"),
        "id with a zero": call(call_id="a\0b"),
        "id a dot": call(call_id=".."),
    }.items()
] + [
    Case("create: 7 MB", CREATE, spec(kwargs={"a": "x" * SEVEN_MEGABYTES}), (413,)),
    Case("create: more than an item holds", CREATE, spec(kwargs={"a": "x" * 500_000}), (413, 422)),
]

ANSWERS = [
    Case(f"respond: {name}", RESPOND, body)
    for name, body in {
        "no verdict": {},
        "null verdict": {"approved": None, "comment": "x"},
        "a word": {"approved": "yes"},
        "a number": {"approved": 1},
        "malformed": '{"approved": true',
        "an array": [True],
        "comment a number": {"approved": True, "comment": 7},
        "comment long": {"approved": True, "comment": "x" * 100_000},
        "option a list": {"approved": False, "reject_option_name": ["later"]},
        "nested": '{"approved": ' + DEEP + "}",
    }.items()
]

KEYS = [
    Case(f"key: {name}, {method} {path}", path, body, (401,), method, JSON | headers)
    for name, headers in {
        "missing": {},
        "foreign": {"Authorization": "Bearer somebody-else"},
        "empty": {"Authorization": "Bearer "},
        "basic": {"Authorization": "Basic a2V5OmtleQ=="},
        "bare": {"Authorization": "KEY"},
        "in the wrong header": {"X-Api-Key": "KEY"},
        "not ASCII": {"Authorization": "Bearer schlüssel".encode("latin-1")},
        "long": {"Authorization": "Bearer " + "x" * 8000},
    }.items()
    for method, path, body in [
        ("POST", CREATE, call()),
        ("GET", CREATE + "/waits", None),
        ("GET", CREATE + "/no-such-call", None),
        ("POST", RESPOND, {"approved": True}),
        ("GET", "/v1/operations", None),
    ]
]

METHODS = [
    Case(f"{method} {path}", path, "{}", (405,), method)
    for method, path in [
        ("DELETE", "/purchase-materials"),
        ("PUT", "/purchases"),
        ("POST", "/purchases"),
        ("POST", "/healthz"),
        ("GET", CREATE),
        ("DELETE", CREATE + "/waits"),
        ("PATCH", CREATE + "/waits"),
        ("GET", RESPOND),
        ("DELETE", "/webhook/inbound"),
        ("PUT", "/webhook/inbound"),
    ]
]

UNKNOWN = [
    Case(f"{method} {path[:60]}", path, '{"approved": true}', (404,), method)
    for method, path in [
        ("POST", "/humanlayer/v1/agent/function_calls/no-such-call/respond"),
        ("GET", CREATE + "/no-such-call"),
        ("GET", CREATE + "/" + "x" * 3000),
        ("GET", "/humanlayer/v1/no-such-route"),
        ("GET", "/humanlayer/v2/function_calls/waits"),
        ("GET", "/v1/no-such-route"),
        ("POST", "/webhooks/nobody"),
        ("GET", "/no-such-page"),
        ("GET", "/%ff"),
        ("GET", "/../../etc/passwd"),
    ]
]

# These answers go to a person, so they may be pages.
PAGES = [
    Case(f"inbox: {name}", "/inbox/waits", body, tuple(range(400, 500)), headers=FORM)
    for name, body in {
        "nothing": "",
        "no digest": "verdict=approve&comment=",
        "no verdict": "comment=x",
        "unknown verdict": "verdict=perhaps&digest=DIGEST",
        "other digest": "verdict=approve&comment=&digest=" + "0" * 64,
        "garbled digest": "verdict=approve&comment=&digest=abc",
        "invalid UTF-8": "verdict=approve&comment=%ff&digest=DIGEST",
        "comment long": "verdict=approve&digest=DIGEST&comment=" + "x" * 100_000,
        "settled before it ran": "settlement=run_again&comment=&digest=DIGEST",
        "JSON": '{"verdict": "approve"}',
    }.items()
] + [
    Case("inbox: deleted", "/inbox", None, (405,), "DELETE"),
    Case("inbox: a call replaced", "/inbox/waits", "verdict=approve", (405,), "PUT", FORM),
    Case("inbox: a call deleted", "/inbox/waits", None, (405,), "DELETE"),
    Case("inbox: a long id", "/inbox/" + "x" * 3000, "verdict=approve&digest=DIGEST", (404,), headers=FORM),
    Case("link: made up", "/d/made-up-token", "verdict=approve", tuple(range(400, 500)), headers=FORM),
    Case("link: made up, read", "/d/made-up-token", None, tuple(range(400, 500)), "GET", {}),
    Case("inbox: unknown call", "/inbox/no-such-call", "verdict=approve&digest=DIGEST", (404,), headers=FORM),
]


@pytest.fixture(scope="module")
def placet(tmp_path_factory):
    """One process for all cases, so that a later case sees any change by an earlier case."""
    with Placet(tmp_path_factory.mktemp("placet")) as running:
        running.ask("waits", fn="deploy", version=7)
        running.buy(material="oak")
        yield running


def everything(placet):
    return placet.waiting(), placet.purchases(), placet.call("waits")


def send(placet, case):
    digest = next(iter(placet.purchases().values()))["digest"]
    for form in placet.page("/inbox/waits").forms:
        digest = form.values.get("digest", digest)
    body = json.dumps(case.body) if isinstance(case.body, dict | list) else case.body
    if isinstance(body, str):
        body = body.replace("DIGEST", digest).encode()
    headers = {
        name: value.replace("KEY", placet.key) if isinstance(value, str) else value for name, value in case.headers.items()
    }
    return placet.request(case.method, case.path, data=body, headers=headers, allow_redirects=False)


@pytest.mark.parametrize("case", PURCHASES + CREATIONS + ANSWERS + KEYS + METHODS + UNKNOWN, ids=lambda case: case.name)
def test_bad_input_is_refused_with_a_reason_and_changes_nothing(placet, case):
    before = everything(placet)
    reply = send(placet, case)
    assert reply.status_code in case.expected, reply.text[:500]
    assert reply.headers["Content-Type"].split(";")[0] in ("application/json", "application/problem+json")
    # Over 6 MB Lambda itself answers, with the member `Message`, and calls no function.
    reason = [reply.json().get(name) for name in ("detail", "code", "Message")]
    assert any(reason), reply.text
    assert placet.key not in reply.text
    assert everything(placet) == before
    assert placet.process.poll() is None and placet.get("/healthz").status_code == 200


@pytest.mark.parametrize("case", PAGES, ids=lambda case: case.name)
def test_a_form_with_invalid_fields_changes_nothing(placet, case):
    before = everything(placet)
    reply = send(placet, case)
    assert reply.status_code in case.expected, reply.text[:500]
    assert everything(placet) == before
    assert placet.process.poll() is None and placet.get("/healthz").status_code == 200


@pytest.mark.parametrize("kwargs, shown", [
    ({}, {}),
    (None, {}),
    ("plain", "plain"),
    ([1, "two", None], [1, "two", None]),
    (7, 7),
    (False, False),
    ({"": {"": None}, "ü😀": "\u0000\u202e"}, {"": {"": None}, "ü😀": "\u0000\u202e"}),
    ({"n": [0.1, -0.0, 1e300, 2**53, -(2**63), 2**64 - 1]}, {"n": [0.1, -0.0, 1e300, 2**53, -(2**63), 2**64 - 1]}),
], ids=repr)
def test_odd_arguments_are_kept_and_never_null(placet, kwargs, shown):
    """The TypeScript SDK sends any first argument. The Python SDK cannot read null."""
    call_id = f"odd-{secrets.token_hex(4)}"
    created = placet.api("POST", "/function_calls", json=call(call_id=call_id, spec={"fn": "f", "kwargs": kwargs}))
    assert created.status_code == 200
    for reply in (created.json(), placet.call(call_id)):
        assert reply["spec"]["kwargs"] == shown and reply["spec"]["kwargs"] is not None
    assert placet.page(f"/inbox/{call_id}").forms, "a person can still decide"


def test_absent_arguments_are_an_empty_object(placet):
    created = placet.api("POST", "/function_calls", json=call(call_id="no-arguments", spec={"fn": "f"}))
    assert created.json()["spec"]["kwargs"] == {}


def test_a_requester_cannot_approve_itself(placet):
    status = {"approved": True, "comment": "me", "responded_at": "2026-11-21T09:00:00Z", "requested_at": "1999-01-01T00:00:00Z"}
    created = placet.api("POST", "/function_calls", json=call(call_id="smuggled", status=status))
    assert created.status_code == 200
    for reply in (created.json(), placet.call("smuggled")):
        assert reply["status"].get("approved") is None
        assert reply["status"].get("responded_at") is None
        assert not reply["status"]["requested_at"].startswith("1999")


def test_markup_in_arguments_is_shown_as_text(placet):
    attack = "<script>document.title='owned'</script><img src=x onerror=alert(1)>\"'><b>"
    placet.ask("markup", fn=f"f{attack[:40]}", **{attack: attack})
    for path in ("/inbox", "/inbox/markup"):
        html = placet.page(path).html
        html = html.replace('<script src="/inbox/assets/app.js" defer></script>', "", 1)
        assert "<script" not in html and "<img" not in html and "<b>" not in html.replace('<b class="mark">', "")
    headers = placet.get("/inbox/markup", headers={"Accept": "text/html"}).headers
    assert "default-src 'none'" in headers["Content-Security-Policy"]
