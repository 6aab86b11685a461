"""The senders of webhooks, each signing as its own package does, or the OpenSSL program where it has none.

`SENDERS` is what Placet must take; `mutations` is what it must refuse.
"""

from signers.commands import SENDERS as COMMANDS
from signers.mutations import garbage, mutations
from signers.packages import SENDERS as PACKAGES
from signers.sender import PUBLIC_URL, Delivery, Sender, now

SENDERS = PACKAGES + COMMANDS
BY_SOURCE = {sender.source: sender for sender in SENDERS}

__all__ = ["BY_SOURCE", "PUBLIC_URL", "SENDERS", "Delivery", "Sender", "garbage", "mutations", "now"]
