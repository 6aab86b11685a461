"""The applications of the seed documents against the shipped `placet.yaml`: one approval is one purchase.

Both sides could buy: the application when the webhook comes, and Placet, which has an executor for the same function.
"""

import base64
import re
import secrets
import socket
import subprocess
import sys
import textwrap

import pytest
import requests
from conftest import REPLY, ROOT, SHIPPED, START, STOP, Placet, eventually
from test_example_purchases import App

SEEDS = ROOT.parent / "shared/seeds"

ENDPOINT = """
endpoints:
  app: {url: "http://ADDRESS/PATH", secrets: [env:PLACET_SECRET_APP], events: [function_call.completed]}
outbound: {allow_hosts: [127.0.0.1]}
"""

# What the documents leave out of their applications: the imports, the route that requests, and the purchase.
AROUND = '''
from typing import Dict
from fastapi import FastAPI
from humanlayer import AsyncHumanLayer, FunctionCall, FunctionCallSpec

app, hl = FastAPI(), AsyncHumanLayer()
purchases, operations, bought = {}, {}, []


def finalize_purchase(material, quantity):
    bought.append([material, quantity])


async def execute_operation(fn, kwargs):
    assert fn == "purchase_materials"
    finalize_purchase(**kwargs)


@app.get("/bought")
async def list_bought():
    return bought


@app.get("/purchase-materials")
async def purchase_materials():
REQUEST
    return {"call_id": call_id}


HANDLER
'''


def cut(document, start, end):
    """The part of a seed document from one text to another, both included."""
    found = re.search(f"^{re.escape(start)}.*?{re.escape(end)}", (SEEDS / document).read_text(), re.MULTILINE | re.DOTALL)
    assert found, f"{document} has no longer: {start}"
    return found.group()


def handler(document, path):
    return cut(document, f'@app.post("{path}")', '    return {"status": "ok"}')


class SeedApp:
    """An application made of the snippets of the documents, with the SDK that they use."""

    def __init__(self, folder, document, path):
        request = cut(
            "humanlayer-response-webhooks.txt", "pending_approval = await hl", "call_id = pending_approval.call_id"
        )
        code = AROUND.replace("REQUEST", textwrap.indent(request, "    ")).replace("HANDLER", handler(document, path))
        (folder / "seed_app.py").write_text(code)
        self.folder = folder
        self.socket = socket.socket()
        self.socket.bind(("127.0.0.1", 0))
        self.address = f"127.0.0.1:{self.socket.getsockname()[1]}"

    def start(self, placet):
        environment = placet.environment | {
            "HUMANLAYER_API_BASE": placet.url + "/humanlayer/v1", "HUMANLAYER_API_KEY": placet.key,
        }
        fd = self.socket.fileno()
        self.process = subprocess.Popen(
            [sys.executable, "-m", "uvicorn", "seed_app:app", "--fd", str(fd)],
            cwd=self.folder, env=environment, pass_fds=[fd], stdin=subprocess.DEVNULL,
        )
        eventually(self._ready, START)

    def _ready(self):
        assert self.process.poll() is None
        try:
            return self.get("/bought") == []
        except requests.ConnectionError:
            return None

    def close(self):
        self.process.terminate()
        self.process.wait(STOP)
        self.socket.close()

    def get(self, path):
        reply = requests.get(f"http://{self.address}{path}", timeout=REPLY)
        assert reply.status_code == 200, reply.text
        return reply.json()


def config(address, path):
    return SHIPPED + ENDPOINT.replace("ADDRESS", address).replace("/PATH", path)


def ended(placet, call_id):
    """The operation, once the application has taken its webhook."""
    key = {"Authorization": f"Bearer {placet.key}"}
    operation = placet.get(f"/v1/operations/function_call/{call_id}", headers=key).json()
    return operation["webhooks"][0]["state"] == "delivered" and operation


def bought_by_placet(placet):
    return [one for one in placet.purchases().values() if "result" in one]


def assert_placet_runs_nothing(placet, call_id):
    operation = eventually(lambda: ended(placet, call_id))
    assert (operation["state"], operation["attempts"]) == ("approved", 0), operation
    assert [entry["event"] for entry in operation["history"]] == ["created", "approved"]
    # All that was still to be done is done at a start.
    placet.kill9()
    placet.restart()
    assert bought_by_placet(placet) == []


@pytest.mark.skipif(not SEEDS.exists(), reason="the applications of the seed documents (../shared/seeds is not there)")
@pytest.mark.parametrize(("document", "path"), [
    ("humanlayer-fastapi-webhooks.txt", "/webhook/inbound"),
    ("humanlayer-response-webhooks.txt", "/webhook/function-call-completed"),
], ids=["fastapi", "response webhooks"])
def test_an_approval_in_the_application_of_a_seed_document_is_one_purchase(tmp_path, document, path):
    app = SeedApp(tmp_path, document, path)
    placet = Placet(tmp_path, config=config(app.address, path))
    placet.environment["PLACET_SECRET_APP"] = "whsec_" + base64.b64encode(secrets.token_bytes(24)).decode()
    with placet:
        app.start(placet)
        try:
            call_id, denied = (app.get("/purchase-materials")["call_id"] for _ in range(2))
            assert placet.press(placet.page(f"/inbox/{denied}"), "Deny", comment="no").status_code == 200
            assert placet.press(placet.page(f"/inbox/{call_id}"), "Approve").status_code == 200
            assert_placet_runs_nothing(placet, call_id)
            assert app.get("/bought") == [["wood", 10]]
        finally:
            app.close()


def test_an_approval_in_the_example_is_one_purchase(tmp_path):
    app = App(tmp_path)
    with Placet(tmp_path, config=config(app.address, "/webhook/inbound"), key=None) as placet:
        app.start(placet.url)
        try:
            call_id = app.buy(material="oak", quantity=3)
            assert placet.press(placet.page(f"/inbox/{call_id}"), "Approve").status_code == 200
            app.becomes(call_id, "finalized")
            assert_placet_runs_nothing(placet, call_id)
            assert (app.said("Bought 3 of oak"), app.said("Bought")) == (1, 1)
        finally:
            app.close()


def test_an_approval_of_the_demo_is_one_purchase(placet):
    call_id = placet.buy(material="elm", quantity=2)
    assert placet.press(placet.page(f"/inbox/{call_id}"), "Approve").status_code == 200
    eventually(lambda: bought_by_placet(placet))
    placet.kill9()
    placet.restart()
    assert [one["call_id"] for one in bought_by_placet(placet)] == [call_id]
