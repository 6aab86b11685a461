"""Refusals on every route of HumanLayer's API are JSON, because the asynchronous client reads only JSON."""

import pytest
from clients import (  # noqa: F401: two of them are fixtures
    ANSWER_CALL,
    ANSWER_CONTACT,
    CALLS,
    CONTACTS,
    call,
    call_id,
    contact,
    good,
    placet,
    refused,
)
from humanlayer import HumanContactSpec, HumanLayer

SEVEN_MEGABYTES = 7 * 1024 * 1024
READS = [
    CALLS + "/{id}", "/agent/function_calls/{id}", "/contact_requests/{id}", "/human_contacts/{id}",
    "/agent/function_calls/pending", "/agent/human_contacts/pending", "/project", "/contact_channel/{id}",
]
CREATES = {CALLS: call, "/contact_requests": contact, "/human_contacts": contact}
ACTS = {
    ANSWER_CALL: {"approved": True},
    ANSWER_CONTACT: {"response": "this"},
    "/agent/function_calls/{id}/escalate_email": {"escalation_msg": "hurry"},
    "/agent/human_contacts/{id}/escalate_email": {"escalation_msg": "hurry"},
}
WRITES = {path: item("new") for path, item in CREATES.items()} | ACTS
ROUTES = [("GET", path) for path in READS] + [("POST", path) for path in WRITES]
PAGES = {"Accept": "text/html"}


def bare(placet, method, path, authorization=None, **options):
    """Sends a request that does not ask for JSON, as a browser or a proxy may send it."""
    key = {} if authorization is None else {"Authorization": authorization}
    return placet.request(method, "/humanlayer/v1" + path, headers=PAGES | key, allow_redirects=False, **options)


@pytest.mark.parametrize("method, path", ROUTES)
def test_401(placet, method, path):
    """The answer is 401 for existing and for missing items."""
    placet.ask("there")
    said = [
        refused(bare(placet, method, path.format(id=call_id), key, json=WRITES.get(path)), 401)
        for call_id in ("there", "not-there")
        for key in (None, "Bearer somebody-else", f"Basic {placet.key}", placet.key, "Bearer ")
    ]
    assert len(set(said)) == 1 and isinstance(said[0], str)


@pytest.mark.parametrize("method, path", [route for route in ROUTES if "{id}" in route[1]] + [
    ("GET", "/no-such-route"),
    ("GET", "/"),
    ("POST", "/agent/function_calls"),
    ("GET", "/agent/function_calls/{id}/respond/more"),
])
@pytest.mark.parametrize("missing", ["no-such-id", "x" * 3000, "%ff"], ids=["unknown", "long", "not UTF-8"])
def test_404(placet, method, path, missing):
    reply = bare(placet, method, path.format(id=missing), f"Bearer {placet.key}", json=WRITES.get(path))
    assert isinstance(refused(reply, 404), str)


@pytest.mark.parametrize("method, path", [("DELETE", path) for path in [*READS, *WRITES, "/status"]] + [
    ("GET", CALLS),
    ("GET", "/human_contacts"),
    ("GET", ANSWER_CONTACT),
    ("PUT", ANSWER_CALL),
    ("POST", CONTACTS + "/{id}"),
    ("POST", "/project"),
])
def test_405(placet, method, path):
    placet.ask("there")
    assert isinstance(refused(bare(placet, method, path.format(id="there"), f"Bearer {placet.key}", json={}), 405), str)


@pytest.mark.parametrize("path", CREATES)
def test_409_if_an_id_is_in_use(placet, call_id, path):
    item, key = CREATES[path], f"Bearer {placet.key}"
    first = good(bare(placet, "POST", path, key, json=item(call_id)))
    other = item(call_id, state={"n": 1})
    assert isinstance(refused(bare(placet, "POST", path, key, json=other), 409), str)
    assert good(bare(placet, "GET", f"{path}/{call_id}", key)) == first


@pytest.mark.parametrize("path", CREATES)
@pytest.mark.parametrize("size", [500_000, SEVEN_MEGABYTES], ids=["an item", "a request"])
def test_413_if_a_body_is_too_large(placet, call_id, path, size):
    body = CREATES[path](call_id, state={"x": "x" * size})
    reply = bare(placet, "POST", path, f"Bearer {placet.key}", json=body)
    assert reply.status_code == 413 and reply.headers["Content-Type"].split(";")[0] == "application/json"
    # Over 6 MB Lambda itself answers, with the member `Message`, and calls no function.
    assert reply.json().get("detail") or reply.json()["Message"]
    assert bare(placet, "GET", f"{path}/{call_id}", f"Bearer {placet.key}").status_code == 404


NO_BODIES = {
    "empty": "", "half": "{", "an array": "[]", "a text": '"text"', "null": "null",
    "no field": "{}", "no such field": '{"x": 7}', "not UTF-8": b'{"\xff": 1}', "deep": "[" * 10_000,
}


@pytest.mark.parametrize("path", WRITES)
@pytest.mark.parametrize("body", NO_BODIES.values(), ids=NO_BODIES)
def test_422(placet, path, body):
    placet.ask("there")
    placet.api("POST", CONTACTS, json=contact("there"))
    reply = bare(placet, "POST", path.format(id="there"), f"Bearer {placet.key}", data=body)
    for wrong in refused(reply, 422):
        assert wrong["loc"][0] == "body" and wrong["msg"] and wrong["type"]


@pytest.mark.parametrize("spec", [
    {"msg": None}, {"msg": 7}, {"subject": 7}, {"state": [1]}, {"channel": "slack"},
    {"response_options": {}}, {"response_options": [{"title": "Oak"}]}, {"response_options": ["oak"]},
], ids=repr)
def test_a_question_that_no_client_could_read_is_refused(placet, call_id, spec):
    (wrong,) = refused(placet.api("POST", CONTACTS, json=contact(call_id, **spec)), 422)
    assert wrong["loc"][:3] == ["body", "spec", next(iter(spec))]
    assert placet.api("GET", f"{CONTACTS}/{call_id}").status_code == 404


def test_the_sync_client_can_read_a_refusal(placet):
    humanlayer = HumanLayer(run_id="tests", api_key=placet.key, api_base_url=placet.url + "/humanlayer/v1")
    with pytest.raises(Exception) as error:
        humanlayer.create_human_contact(HumanContactSpec(msg="Which?"), call_id="a/b")
    assert "422" in str(error.value) and "call_id" in str(error.value)
