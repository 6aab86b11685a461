"""A restart while an agent waits: a GET fails only while the server does not listen."""

import http.client
import json
import select
import threading
import time
from dataclasses import dataclass
from urllib.parse import urlsplit

import pytest
import requests
from conftest import REPLY, Placet, eventually

EVERY = 0.02
HELD = "?wait=25"

KINDS = pytest.mark.parametrize("kind", ["function_call", "human_contact"])
BODIES = {
    "function_call": ("/function_calls", {"fn": "deploy", "kwargs": {}}, {"approved": True}),
    "human_contact": ("/contact_requests", {"msg": "Deploy?"}, {"response": "yes"}),
}


@dataclass
class Poll:
    began: float
    ended: float
    status: int | None


class Item:
    """A call or a question with its routes."""

    def __init__(self, placet, kind):
        self.placet = placet
        self.create, spec, self.verdict = BODIES[kind]
        self.respond = f"/agent/{kind}s/waits/respond"
        self.path = f"/humanlayer/v1{self.create}/waits"
        self.headers = {"Authorization": f"Bearer {placet.key}"}
        asked = placet.api("POST", self.create, json={"run_id": "tests", "call_id": "waits", "spec": spec})
        assert asked.status_code == 200, asked.text

    def answer(self):
        reply = self.placet.api("POST", self.respond, json=self.verdict)
        assert reply.status_code == 200, reply.text

    def answered(self, read):
        return read["status"].items() >= self.verdict.items()


class Poller(threading.Thread):
    """Polls over a new connection each time, as the SDK does, but more often. A failure does not stop it."""

    def __init__(self, item):
        super().__init__(daemon=True)
        self.item, self.url = item, item.placet.url + item.path
        self.polls, self.over = [], threading.Event()

    def run(self):
        while not self.over.wait(EVERY):
            began = time.monotonic()
            try:
                reply = requests.get(self.url, headers=self.item.headers, timeout=REPLY)
                status, answered = reply.status_code, reply.status_code == 200 and self.item.answered(reply.json())
            except requests.RequestException:
                status, answered = None, False
            self.polls.append(Poll(began, time.monotonic(), status))
            if answered:
                return

    def more(self, count):
        """Waits for `count` more polls."""
        enough = len(self.polls) + count
        eventually(lambda: len(self.polls) >= enough)


def keep_port(placet):
    """Makes the server listen on the same port after a restart."""
    placet.environment["PLACET_ADDR"] = urlsplit(placet.url).netloc


@KINDS
def test_polls_fail_only_during_the_restart(placet, kind):
    keep_port(placet)
    item = Item(placet, kind)
    poller = Poller(item)
    poller.start()
    try:
        poller.more(5)
        down = time.monotonic()
        assert placet.stop() == 0
        placet.start()
        up = time.monotonic()
        poller.more(5)
        item.answer()
        poller.join(REPLY)
    finally:
        poller.over.set()
    assert not poller.is_alive(), "the answer did not reach the poller"
    failed = [poll for poll in poller.polls if poll.status != 200]
    print(f"{len(poller.polls)} polls, {len(failed)} failed, down for {up - down:.2f} s")
    for poll in failed:
        assert poll.ended >= down and poll.began <= up, (poll, down, up)


def hold(item):
    """Returns a connection with a GET that the server has received and not yet answered."""
    held = http.client.HTTPConnection(urlsplit(item.placet.url).netloc, timeout=REPLY)
    held.request("GET", item.path + HELD, headers=item.headers)
    for _ in range(20):  # The server answers these later requests while it holds the GET.
        assert item.placet.get("/healthz").status_code == 200
    answered, _, _ = select.select([held.sock], [], [], 0)
    assert not answered, "the server does not hold the GET"
    return held


@KINDS
def test_a_held_poll_is_answered_when_the_server_stops(tmp_path, kind):
    with Placet(tmp_path, long_poll="8s") as placet:
        keep_port(placet)
        item = Item(placet, kind)
        held = hold(item)
        assert placet.stop() == 0
        before = outcome(held)
        assert before["call_id"] == "waits" and not item.answered(before)

        placet.start()
        held = hold(item)
        item.answer()
        assert item.answered(outcome(held))


def outcome(held):
    reply = held.getresponse()
    assert (reply.status, reply.headers["Content-Type"].split(";")[0]) == (200, "application/json")
    return json.loads(reply.read())
