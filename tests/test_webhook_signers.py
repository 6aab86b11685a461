"""Every sender of webhooks against a running Placet: signed webhooks are stored, all others get the same refusal."""

from dataclasses import replace

import pytest
from ingress import ROTATED, Ingress
from signers import BY_SOURCE, SENDERS, Delivery, garbage, mutations, now

EACH = pytest.mark.parametrize("sender", SENDERS, ids=str)
MUTATIONS = [
    pytest.param(sender, make, id=f"{sender}-{name}") for sender in SENDERS for name, make in mutations(sender)
]
LISTS = [pytest.param(sender, make, id=f"{sender}-{place}") for sender in SENDERS for place, make in enumerate(garbage(sender))]
TIMED = pytest.mark.parametrize("sender", [sender for sender in SENDERS if sender.time], ids=str)
IDENTIFIED = pytest.mark.parametrize("sender", [sender for sender in SENDERS if sender.identified], ids=str)


@pytest.fixture(scope="module")
def ingress(tmp_path_factory):
    with Ingress(tmp_path_factory.mktemp("open")) as running:
        yield running


@pytest.fixture(scope="module")
def closed(tmp_path_factory):
    with Ingress(tmp_path_factory.mktemp("closed"), open_sources=False) as running:
        yield running


@pytest.fixture(scope="module")
def refusal(ingress):
    """The only answer to a delivery without a valid signature."""
    reply = ingress.deliver(Delivery("/webhooks/github", (), b"{}"))
    assert reply.status == 401
    return reply.shape


def accepted(ingress, sender, delivery):
    """Posts a delivery, checks that it is accepted, and returns the ids of the new receipts."""
    before = ingress.receipts(sender.source)
    reply = ingress.deliver(delivery)
    assert (reply.status, reply.body) == (sender.answer.status, sender.answer.body)
    assert reply.content_type == sender.answer.content_type or not reply.body
    return ingress.receipts(sender.source) - before


@EACH
def test_a_signed_delivery_is_stored_once_and_byte_for_byte(ingress, sender):
    delivery = sender.send()
    [receipt] = accepted(ingress, sender, delivery)
    assert receipt.startswith(sender.source + ".")
    assert ingress.kept(receipt) == delivery.body
    assert accepted(ingress, sender, delivery) == set(), "a repeated delivery made a receipt"
    assert len(accepted(ingress, sender, sender.send())) == 1, "another delivery made no receipt"


@pytest.mark.parametrize("sender, make", MUTATIONS)
def test_a_delivery_without_a_valid_signature_is_refused(ingress, refusal, sender, make):
    assert ingress.deliver(make()).shape == refusal


@EACH
def test_refusals_leave_nothing_behind(ingress, sender):
    """Posts all mutations again; the list of receipts does not change."""
    before = ingress.receipts(sender.source)
    for _, make in mutations(sender):
        ingress.deliver(make())
    assert ingress.receipts(sender.source) == before


@pytest.mark.parametrize("sender, make", LISTS)
def test_a_useless_element_before_a_good_signature_does_no_harm(ingress, sender, make):
    assert len(accepted(ingress, sender, make())) == 1


@TIMED
def test_clocks_may_differ_a_little(ingress, sender):
    assert len(accepted(ingress, sender, sender.send(at=now() - 290))) == 1
    assert len(accepted(ingress, sender, sender.send(at=now() + sender.latest))) == 1


@IDENTIFIED
def test_a_retry_with_a_new_signature_is_the_same_delivery(ingress, sender):
    first = sender.send(number=7)
    again = sender.send(number=7, at=now() - 5) if sender.time else first
    assert again != first
    accepted(ingress, sender, first)
    assert accepted(ingress, sender, again) == set()


@pytest.mark.parametrize("source, header", [
    ("github", "X-GitHub-Delivery"), ("shopify", "X-Shopify-Webhook-Id"), ("sentry", "Request-ID"),
])
def test_a_source_that_only_logs_keeps_the_same_signature_under_each_unsigned_id(ingress, source, header):
    sender = BY_SOURCE[source]
    first = sender.send()
    other = first.with_header(header, "0b0a3a5e-7c1e-4d29-9a3c-000000000001")
    assert [len(accepted(ingress, sender, delivery)) for delivery in (first, other, first, other)] == [1, 1, 0, 0]


def test_an_unsigned_id_makes_no_second_event_where_equal_content_is_one(ingress):
    sender = replace_source(BY_SOURCE["github"], "once")
    first = sender.send()
    assert len(accepted(ingress, sender, first)) == 1
    [other] = accepted(ingress, sender, first.with_header("X-GitHub-Delivery", "0b0a3a5e-7c1e-4d29-9a3c-000000000001"))
    assert ingress.v1(f"/receipts/{other}").json()["state"] == "duplicate"
    assert accepted(ingress, sender, first) == set()


@EACH
def test_a_source_without_a_secret_is_closed(closed, refusal, sender):
    assert closed.deliver(sender.send()).shape == refusal
    assert closed.receipts(sender.source) == set()


def test_both_keys_of_a_rotation_are_valid(ingress):
    sender = replace_source(BY_SOURCE["github"], "rotated")
    for key in (BY_SOURCE["github"].key, ROTATED):
        assert len(accepted(ingress, sender, sender.send(key=key))) == 1
    assert ingress.deliver(sender.send(key="the key after that")).status == 401


def replace_source(sender, source):
    other = replace(sender, source=source)
    other.key = sender.key
    return other


@pytest.mark.parametrize("body", [
    b"", b"\xff\xfe\x00\n", b"not JSON", b"{", b"\0" * 1000, "﻿{}".encode(), b'{"a":1,"a":2}', b"[" * 5000, bytes(range(256)) * 40,
], ids=["empty", "not-utf8", "text", "half", "zeroes", "mark", "twice", "deep", "all-bytes"])
@pytest.mark.parametrize("source", ["github", "hmac", "mux", "api-key"])
def test_any_bytes_are_stored_unchanged(ingress, source, body):
    """A signature covers bytes. Only a target reads their meaning."""
    sender = BY_SOURCE[source]
    delivery = sender.send(body=body)
    before = ingress.receipts(source)
    assert ingress.deliver(delivery).status == 200
    new = ingress.receipts(source) - before
    assert [ingress.kept(receipt) for receipt in new] == [body]


@EACH
def test_a_probe_is_answered_and_not_stored(ingress, sender):
    before = ingress.receipts(sender.source)
    reply = ingress.deliver(Delivery(sender.path, (), method="HEAD"))
    assert (reply.status, reply.body) == (200, b"")
    assert ingress.receipts(sender.source) == before


@EACH
def test_other_methods_and_paths_are_refused(ingress, sender):
    delivery = sender.send()
    assert ingress.deliver(replace(delivery, method="OPTIONS")).status == 405
    assert ingress.deliver(replace(delivery, path=sender.path + "/more")).status == 404
    assert ingress.deliver(replace(delivery, path=sender.path + "x")).status == 404
