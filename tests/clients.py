"""HumanLayer's two Python clients behind one interface, so that the same tests run with both, and its wire format."""

import asyncio
import inspect
import secrets

import pytest
from conftest import Placet
from humanlayer import AsyncHumanLayer, HumanLayer

CALLS, CONTACTS = "/function_calls", "/contact_requests"
ANSWER_CALL, ANSWER_CONTACT = "/agent/function_calls/{id}/respond", "/agent/human_contacts/{id}/respond"


def finish(result):
    """Returns the value of a client call. The asynchronous client returns a coroutine."""
    return asyncio.run(result) if inspect.isawaitable(result) else result


class Client:
    """One of the two clients behind the common interface."""

    def __init__(self, kind, placet, base="/humanlayer/v1", key=None, **options):
        options = {"run_id": "tests", "api_key": key or placet.key, "api_base_url": placet.url + base} | options
        self.humanlayer = kind(**options)

    def __getattr__(self, name):
        method = getattr(self.humanlayer, name)
        return lambda *arguments, **named: finish(method(*arguments, **named))


@pytest.fixture(scope="module")
def placet(tmp_path_factory):
    """One process for all tests of a module. Every test makes its own ids."""
    with Placet(tmp_path_factory.mktemp("placet")) as running:
        yield running


@pytest.fixture
def call_id():
    return f"id-{secrets.token_hex(6)}"


@pytest.fixture(params=[HumanLayer, AsyncHumanLayer], ids=["sync", "async"])
def kind(request):
    return request.param


@pytest.fixture
def client(kind, placet):
    return Client(kind, placet)


def status_of(error):
    """Returns the status of an error. The sync client puts the reply into the exception, the async client only the status."""
    return str(error.value)


def call(call_id, **spec):
    return {"run_id": "tests", "call_id": call_id, "spec": {"fn": "f", "kwargs": {}} | spec}


def contact(call_id, **spec):
    return {"run_id": "tests", "call_id": call_id, "spec": {"msg": "Which?"} | spec}


def good(reply):
    """Returns the item of a successful reply."""
    assert reply.status_code == 200, reply.text
    assert reply.headers["Content-Type"].split(";")[0] == "application/json"
    return reply.json()


def refused(reply, status):
    """Returns the detail of a refusal and checks the form that every client can read."""
    assert reply.status_code == status, reply.text[:500]
    assert reply.headers["Content-Type"].split(";")[0] == "application/json"
    return reply.json()["detail"]
