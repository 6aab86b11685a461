"""The process dies at any moment and the endpoint fails in every way. Nothing is lost, and nothing runs twice."""

import os
import random
import threading
import time
from itertools import count

import pytest
import requests
import standardwebhooks
from conftest import Placet, eventually

OPERATIONS = 24
KILLS = 5
SETTLED = {"Done": "succeeded", "Outcome unknown": "unknown", "Failed": "failed", "Denied": "denied"}

# `charge` may be repeated under its idempotency key, `charge_once` may not.
CONFIG = """
project: default
defaults: {deadline: 1h, run_for: [humanlayer]}
outbound: {allow_hosts: [127.0.0.1]}
operations:
  charge:
    executor: {http: {url: "ENDPOINT", timeout: 1s, secret: "env:TARGET_SECRET"}}
    idempotent: true
    max_attempts: 20
  charge_once:
    executor: {http: {url: "ENDPOINT", timeout: 1s, secret: "env:TARGET_SECRET"}}
    idempotent: false
    max_attempts: 20
"""
SECRET = "whsec_dGhlIHNlY3JldCBvZiB0aGUgdGVzdCB0YXJnZXQ="


@pytest.fixture
def charging(tmp_path, target):
    """Placet with the two operations above. The target executes both."""
    placet = Placet(tmp_path, config=CONFIG.replace("ENDPOINT", target.url))
    placet.environment["TARGET_SECRET"] = SECRET
    with placet:
        yield placet


def outcome(placet, call_id):
    """Returns the final state on the page of the operation; None before its end."""
    above_the_arguments = placet.page(f"/inbox/{call_id}").text.split("Arguments")[0]
    found = [state for words, state in SETTLED.items() if words in above_the_arguments]
    return found[0] if found else None


def ended(placet, call_id, within=60):
    return eventually(lambda: outcome(placet, call_id), within)


def run(placet, call_id, fn):
    placet.ask(call_id, fn=fn, amount=7)
    assert placet.respond(call_id, approved=True).status_code == 200


def test_kill_9_at_random_moments(charging, target):
    seed = int(os.environ.get("PLACET_TEST_SEED") or time.time_ns() % 2**32)
    print(f"PLACET_TEST_SEED={seed}")
    chance, fates = random.Random(seed), random.Random(seed + 1)
    pause, lock = threading.Event(), threading.Lock()

    def behave(received):
        """Answers slowly, so that many kills hit a call. Sometimes fails or hangs up."""
        with lock:
            delay, fate = fates.uniform(0, 0.4), fates.random()
        pause.wait(delay)
        return None if fate < 0.05 else (503, {}) if fate < 0.1 else (200, {"charged": received.json["call_id"]})

    target.behave = behave
    amounts = {f"{fn}-{number}": (fn, number) for number in range(OPERATIONS // 2) for fn in ("charge", "charge_once")}
    for call_id, (fn, amount) in amounts.items():
        charging.ask(call_id, fn=fn, amount=amount)

    waits = list(amounts)
    chance.shuffle(waits)
    for death in range(KILLS):
        # Approve operations while the process is about to die. A request without an answer is repeated later.
        killer = threading.Timer(chance.uniform(0, 0.6), charging.kill9)
        killer.start()
        approved = 0
        while approved < OPERATIONS // KILLS + 1 and waits:
            try:
                answer = charging.respond(waits[0], approved=True)
            except requests.RequestException:
                break
            assert answer.status_code == 200 or "already has a response" in answer.text, answer.text
            waits.pop(0)
            approved += 1
        killer.join()
        charging.restart()
    for call_id in waits:
        charging.respond(call_id, approved=True)

    outcomes = {call_id: ended(charging, call_id, within=180) for call_id in amounts}
    print(outcomes, f"{len(target.received)} calls of the target")

    keys = set()
    for call_id, (fn, amount) in amounts.items():
        calls = target.of(call_id)
        assert charging.approved(call_id) is True
        assert all(one.json == {"call_id": call_id, "fn": fn, "kwargs": {"amount": amount}} for one in calls)
        own_keys = {one.headers["idempotency-key"] for one in calls}
        if fn == "charge":
            assert outcomes[call_id] == "succeeded", call_id
            assert len(own_keys) == 1, call_id
        else:
            assert outcomes[call_id] in ("succeeded", "unknown"), call_id
            assert len(calls) <= 1, f"{call_id} ran twice"
            assert calls or outcomes[call_id] == "unknown", f"{call_id} succeeded without being called"
        assert not own_keys & keys, "two operations share a key"
        keys |= own_keys


def test_the_target_gets_the_approved_call_with_a_signature(charging, target):
    run(charging, "call-1", "charge")
    assert ended(charging, "call-1") == "succeeded"
    (received,) = target.received
    assert received.json == {"call_id": "call-1", "fn": "charge", "kwargs": {"amount": 7}}
    assert received.headers["content-type"] == "application/json"
    assert received.headers["idempotency-key"]
    standardwebhooks.Webhook(SECRET).verify(received.body, received.headers)


def refuses(received):
    return 422, {"detail": "no such account"}


def fails(received):
    return 500, {}


def hangs_up(received):
    return None


def redirects(received):
    return 308, {}


def answers_with_another_page(received):
    return 303, {}


def is_busy(received):
    return 429, {}


def hangs(received):
    threading.Event().wait(5)


# The first behaviour of the endpoint. Then the number of calls if the endpoint works afterwards, and the final state:
# for a repeatable operation and for a non-repeatable operation.
BEHAVIOURS = [
    (refuses, (1, "failed"), (1, "failed")),
    (redirects, (1, "failed"), (1, "failed")),
    (answers_with_another_page, (2, "succeeded"), (1, "unknown")),
    (is_busy, (2, "succeeded"), (2, "succeeded")),
    (fails, (2, "succeeded"), (1, "unknown")),
    (hangs_up, (2, "succeeded"), (1, "unknown")),
    (hangs, (2, "succeeded"), (1, "unknown")),
]


@pytest.mark.parametrize("behaviour, repeatable, once", BEHAVIOURS, ids=[case[0].__name__ for case in BEHAVIOURS])
def test_an_endpoint_that_does_not_work(charging, target, behaviour, repeatable, once):
    numbers = {"charge": count(1), "charge_once": count(1)}

    def behave(received):
        first = next(numbers[received.json["call_id"]]) == 1
        return behaviour(received) if first else (200, {"done": True})

    target.behave = behave
    for fn, (calls, state) in (("charge", repeatable), ("charge_once", once)):
        run(charging, fn, fn)
        assert ended(charging, fn) == state, fn
        assert len(target.of(fn)) == calls, fn
        assert len({one.headers["idempotency-key"] for one in target.of(fn)}) == 1


def test_an_endpoint_that_is_down_is_called_when_it_is_back(tmp_path, target):
    """A refused connection certainly had no effect, so Placet retries even an operation that must not run twice."""
    address = target.server.server_address
    target.close()
    placet = Placet(tmp_path, config=CONFIG.replace("ENDPOINT", target.url))
    placet.environment["TARGET_SECRET"] = SECRET
    with placet:
        run(placet, "call-1", "charge_once")
        eventually(lambda: "unreachable" in placet.page("/inbox/call-1").text)
        again = type(target)(address)
        try:
            assert ended(placet, "call-1") == "succeeded"
            assert len(again.of("call-1")) == 1
        finally:
            again.close()


def test_an_unknown_outcome_waits_for_a_person(charging, target):
    target.behave = hangs_up
    run(charging, "call-1", "charge_once")
    assert ended(charging, "call-1") == "unknown"
    assert "/inbox/call-1" in charging.page("/inbox?list=problems").links, "the inbox does not show the operation"
    charging.kill9()
    charging.restart()
    target.behave = lambda received: (200, {})
    charging.press(charging.page("/inbox/call-1"), "Run it again")
    assert ended(charging, "call-1") == "succeeded"
    assert len(target.of("call-1")) == 2
