"""Uses `require_approval` and `human_as_tool`, which every release of the Python SDK has.

Needs HUMANLAYER_API_KEY and HUMANLAYER_API_BASE. The person who answers uses the key in PERSON_KEY; without it
both use one key, which must be a self-approval key. Prints "ok" at the end.
"""

import os
import uuid
from importlib.metadata import version

from humanlayer import FunctionCallStatus, HumanContactStatus, HumanLayer

made, answers = [], []


def genid(prefix):
    made.append(f"{prefix}-{uuid.uuid4().hex[:8]}")
    return made[-1]


def sleep(_):
    """While the SDK sleeps, a person answers its last request or does not answer."""
    answer = answers.pop(0)
    if answer:
        store, status = answer
        store.respond(made[-1], status)


hl = HumanLayer(run_id="older", genid=genid, sleep=sleep)
human = HumanLayer(run_id="person", api_key=os.environ.get("PERSON_KEY", os.environ["HUMANLAYER_API_KEY"]))
calls, contacts = human.backend.functions(), human.backend.contacts()


@hl.require_approval()
def double(x: int):
    return 2 * x


answers += [None, (calls, FunctionCallStatus(approved=True))]
assert double(x=4) == 8
answers += [(calls, FunctionCallStatus(approved=False, comment="nope"))]
denied = double(x=4)
assert denied.startswith("User denied double") and denied.endswith("nope"), denied
answers += [(contacts, HumanContactStatus(response="blue"))]
assert hl.human_as_tool()("colour?") == "blue"
print("humanlayer", version("humanlayer"), "ok")
