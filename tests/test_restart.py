"""A restart as a waiting agent sees it: a GET fails while nothing listens, and at no other time."""

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
    """A call or a question, by its routes."""

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
    """Polls as the SDK does, over a new connection each time, but more often; and a failure does not stop it."""

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
        """Waits for so many polls from now on."""
        enough = len(self.polls) + count
        eventually(lambda: len(self.polls) >= enough)


def keep_port(placet):
    """After a restart it is where it was."""
    placet.environment["PLACET_ADDR"] = urlsplit(placet.url).netloc


@KINDS
def test_polls_fail_only_while_it_restarts(placet, kind):
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
    """A connection whose GET the server has, and does not answer yet."""
    held = http.client.HTTPConnection(urlsplit(item.placet.url).netloc, timeout=REPLY)
    held.request("GET", item.path + HELD, headers=item.headers)
    for _ in range(20):  # What came later was answered meanwhile.
        assert item.placet.get("/healthz").status_code == 200
    answered, _, _ = select.select([held.sock], [], [], 0)
    assert not answered, "it is not held"
    return held


@KINDS
def test_a_held_poll_outlives_the_server(tmp_path, kind):
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
