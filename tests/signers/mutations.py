"""Mutations that make a valid delivery invalid. A mutation is a name and a function from a sender to a delivery."""

import base64
import re
from dataclasses import replace

from signers.sender import now

# A delivery gets older on its way, so a delivery from the future has a margin.
TOO_NEW = 310


def flip(raw, place, bit=1):
    changed = bytearray(raw)
    changed[place] ^= bit
    return bytes(changed)


class Proof:
    """The parts of the signature of a delivery."""

    def __init__(self, sender, delivery):
        shape = sender.signature
        self.shape, self.delivery = shape, delivery
        self.value = delivery.header(shape.header)
        self.before = re.match(shape.before, self.value).group()
        self.text = self.value[len(self.before):]

    @property
    def raw(self):
        decode = {"hex": bytes.fromhex, "base64": base64.b64decode, "text": str.encode}
        return decode[self.shape.encoding](self.text)

    def write(self, raw):
        encode = {"hex": bytes.hex, "base64": lambda raw: base64.b64encode(raw).decode(), "text": bytes.decode}
        return encode[self.shape.encoding](raw)

    def header(self, *values):
        return self.delivery.with_header(self.shape.header, *values)

    def of(self, raw):
        return self.header(self.before + self.write(raw))

    def said(self, text):
        return self.header(self.before + text)


def of_body(sender):
    if not sender.signs_body:
        return

    def changed(change):
        def make():
            good = sender.send()
            return replace(good, body=change(good.body))
        return make

    yield "body-first-bit", changed(lambda body: flip(body, 0))
    yield "body-middle-bit", changed(lambda body: flip(body, len(body) // 2))
    yield "body-last-bit", changed(lambda body: flip(body, -1))
    yield "body-high-bit", changed(lambda body: flip(body, len(body) // 3, 0x80))
    yield "body-longer", changed(lambda body: body + b"\n")
    yield "body-shorter", changed(lambda body: body[:-1])
    yield "body-empty", changed(lambda body: b"")
    yield "body-of-another", changed(lambda body: sender.send().body)


def of_signature(sender):
    if not sender.signature:
        return

    def changed(change):
        return lambda: change(Proof(sender, sender.send()))

    yield "signature-missing", changed(lambda proof: proof.header())
    yield "signature-empty", changed(lambda proof: proof.header(""))
    yield "signature-first-bit", changed(lambda proof: proof.of(flip(proof.raw, 0)))
    yield "signature-middle-bit", changed(lambda proof: proof.of(flip(proof.raw, len(proof.raw) // 2)))
    yield "signature-last-bit", changed(lambda proof: proof.of(flip(proof.raw, -1)))
    yield "signature-cut-by-a-byte", changed(lambda proof: proof.of(proof.raw[:-1]))
    yield "signature-cut-to-four-bytes", changed(lambda proof: proof.of(proof.raw[:4]))
    yield "signature-cut-by-a-letter", changed(lambda proof: proof.said(proof.text.rstrip("=")[:-1]))
    yield "signature-cut-to-its-prefix", changed(lambda proof: proof.header(proof.before.rstrip() or ","))
    yield "signature-longer", changed(lambda proof: proof.of(proof.raw + b"0"))
    yield "signature-twice-in-one", changed(lambda proof: proof.of(proof.raw * 2))
    yield "signature-not-in-its-alphabet", changed(lambda proof: proof.said("~" + proof.text[1:]))
    yield "signature-zeroes", changed(lambda proof: proof.said("0" * len(proof.text)))
    yield "key-of-another", lambda: sender.send(key=sender.other_key)
    for place, (old, new) in enumerate(sender.signature.wrong):
        yield f"prefix-wrong-{place}", changed(lambda proof, old=old, new=new: proof.header(proof.value.replace(old, new, 1)))
    if not sender.signature.repeatable:
        bad = {"good-then-bad": lambda good, bad: (good, bad), "bad-then-good": lambda good, bad: (bad, good)}
        for name, order in bad.items():
            yield f"signature-repeated-{name}", changed(
                lambda proof, order=order: proof.header(*order(proof.value, proof.before + proof.write(flip(proof.raw, 0)))),
            )


def of_time(sender):
    if not sender.time:
        return

    yield "time-too-old", lambda: sender.send(at=now() - sender.oldest - 1)
    yield "time-too-new", lambda: sender.send(at=now() + TOO_NEW)
    yield "time-years-ago", lambda: sender.send(at=1_600_000_000)
    for name in sender.odd_times(sender.time(now())):
        yield f"time-odd-{name}", lambda name=name: sender.send(time=sender.odd_times(sender.time(now()))[name])
    if not sender.time_header:
        return

    def changed(change):
        def make():
            good = sender.send()
            return good.with_header(sender.time_header, *change(good.header(sender.time_header)))
        return make

    earlier = sender.time(now() - 2)
    yield "time-changed", changed(lambda right: [earlier])
    yield "time-missing", changed(lambda right: [])
    yield "time-repeated-right-first", changed(lambda right: [right, earlier])
    yield "time-repeated-right-last", changed(lambda right: [earlier, right])


def of_url(sender):
    if not sender.signs_url:
        return

    def at(query):
        return lambda: replace(sender.send(), path=sender.path + query)

    yield "url-without-query", at("")
    yield "url-with-more-query", at(f"?{sender.query}&more=1")
    yield "url-with-other-query", at(f"?{sender.query}1")
    yield "url-with-empty-query", lambda: replace(sender.send(query=""), path=sender.path + "?more=1")


def of_id(sender):
    if not sender.id_header:
        return

    yield "id-changed", lambda: sender.send().with_header(sender.id_header, "msg_other")
    yield "id-missing", lambda: sender.send().with_header(sender.id_header)
    yield "id-empty", lambda: sender.send().with_header(sender.id_header, "")


def mutations(sender):
    for kind in (of_body, of_signature, of_time, of_url, of_id):
        yield from kind(sender)


def garbage(sender):
    """Yields deliveries that must be accepted: a useless element precedes the valid signature in the list."""
    for old, new in sender.signature.garbage if sender.signature else ():
        def make(old=old, new=new):
            good = sender.send()
            header = sender.signature.header
            return good.with_header(header, good.header(header).replace(old, new, 1))
        yield make
