"""Webhooks signed by packages from npm, posted unchanged and changed to a running Placet, and GitHub's catalogue."""

import base64
import json
import os
import shutil
import subprocess
from collections import defaultdict
from dataclasses import dataclass, replace
from itertools import pairwise

import pytest
from conftest import ROOT
from ingress import Ingress
from signers import PUBLIC_URL, Delivery

# Senders that expect another status than 200.
SUCCESS = {"discord-events": 204}


@dataclass(frozen=True)
class Signed:
    name: str
    source: str
    signature: str
    delivery: Delivery


@pytest.fixture(scope="module")
def signed():
    """The environment, and the webhooks that `npm/sign.mjs` has just signed."""
    node = shutil.which("node")
    packages = ROOT / "tests/npm/node_modules"
    assert node and packages.exists(), "run `cargo xtask test`, or `npm ci` in tests/npm (Node 18 or later)"
    script = subprocess.run(
        [node, "sign.mjs", PUBLIC_URL], cwd=ROOT / "tests/npm", capture_output=True, text=True, timeout=60,
        stdin=subprocess.DEVNULL, env={"PATH": os.environ["PATH"]},
    )
    assert script.returncode == 0, script.stderr
    environment, *lines = map(json.loads, script.stdout.splitlines())
    deliveries = [
        Signed(one["name"], one["source"], one["signature"],
               Delivery(one["path"], tuple(one["headers"].items()), base64.b64decode(one["body"])))
        for one in lines
    ]
    return environment, deliveries


@pytest.fixture(scope="module")
def ingress(signed, tmp_path_factory):
    ingress = Ingress(tmp_path_factory.mktemp("npm"), open_sources=False)
    ingress.environment |= signed[0]
    with ingress as running:
        yield running


@pytest.fixture(scope="module")
def catalogue(signed):
    """GitHub's payloads from the catalogue of Octokit."""
    return [one for one in signed[1] if one.source == "github"]


@pytest.fixture(scope="module")
def others(signed):
    return [one for one in signed[1] if one.source != "github"]


def changed(one):
    """Yields copies of a webhook, each with one error."""
    good, right = one.delivery, one.delivery.header(one.signature)
    middle = len(right) // 2
    other = right[:middle] + ("b" if right[middle] == "a" else "a") + right[middle + 1:]
    yield "body", replace(good, body=good.body + b" ")
    yield "body bit", replace(good, body=good.body[:-1] + bytes([good.body[-1] ^ 1]))
    yield "no body", replace(good, body=b"")
    yield "signature", good.with_header(one.signature, other)
    yield "half a signature", good.with_header(one.signature, right[:middle])
    yield "empty signature", good.with_header(one.signature, "")
    yield "no signature", good.with_header(one.signature)


def test_a_changed_webhook_is_refused_and_a_signed_webhook_is_stored(ingress, others):
    refused = {ingress.deliver(Delivery("/webhooks/stripe", (), b"{}")).shape}
    sent = defaultdict(list)
    for one in others:
        for what, delivery in changed(one):
            reply = ingress.deliver(delivery)
            assert reply.status == 401, (one.name, what)
            refused.add(reply.shape)
    assert len(refused) == 1, "invalid signatures get different answers"
    for one in others:
        for _ in range(2):
            reply = ingress.deliver(one.delivery)
            assert reply.status == SUCCESS.get(one.source, 200), one.name
        sent[one.source].append(one.delivery.body)
    assert len(sent) >= 10
    for source, bodies in sent.items():
        assert kept(ingress, source) == sorted(bodies), source


def test_every_payload_of_github_is_stored_byte_for_byte(ingress, catalogue):
    assert len(catalogue) == 329
    for one in catalogue:
        reply = ingress.deliver(one.delivery)
        assert (reply.status, reply.body) == (200, b'{"status":"ok"}'), one.name
    # The catalogue has some payloads twice, under two ids.
    assert kept(ingress, "github") == sorted(one.delivery.body for one in catalogue)


def test_no_payload_of_github_passes_with_the_signature_of_another(ingress, catalogue):
    before = ingress.receipts("github")
    for one, another in pairwise(catalogue):
        if one.delivery.body != another.delivery.body:
            assert ingress.deliver(replace(one.delivery, body=another.delivery.body)).status == 401
    assert ingress.receipts("github") == before


def kept(ingress, source):
    return sorted(ingress.kept(receipt) for receipt in ingress.receipts(source))
