"""The senders of webhooks. Each signs with its own package, or with the OpenSSL program if it has no package.

Placet must accept the webhooks of `SENDERS` and refuse those of `mutations`.
"""

from signers.commands import SENDERS as COMMANDS
from signers.mutations import garbage, mutations
from signers.packages import SENDERS as PACKAGES
from signers.sender import PUBLIC_URL, Delivery, Sender, now

SENDERS = PACKAGES + COMMANDS
BY_SOURCE = {sender.source: sender for sender in SENDERS}

__all__ = ["BY_SOURCE", "PUBLIC_URL", "SENDERS", "Delivery", "Sender", "garbage", "mutations", "now"]
