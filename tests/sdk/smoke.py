"""Makes every call of the Python SDK 0.7.9, synchronous and asynchronous, as its users do.

Needs HUMANLAYER_API_KEY and HUMANLAYER_API_BASE. The person who answers uses the key in PERSON_KEY; without it
both use one key, which must be a self-approval key. Prints "ok" at the end.
"""

import asyncio
import os
import threading
import time
import uuid
from importlib.metadata import version

from humanlayer import (
    AsyncHumanLayer,
    ContactChannel,
    EmailContactChannel,
    Escalation,
    FunctionCallSpec,
    FunctionCallStatus,
    HumanContactSpec,
    HumanContactStatus,
    HumanLayer,
    ResponseOption,
)

RUN = uuid.uuid4().hex[:6]
NAP, PATIENCE = 0.2, 20


class Ids:
    """The SDK's `genid`. It tells the person the next id."""

    made = 0

    def __call__(self, prefix):
        self.made += 1
        return f"{prefix}-{RUN}-{self.made}"

    def next(self, prefix):
        return f"{prefix}-{RUN}-{self.made + 1}"


ids = Ids()
person_key = os.environ.get("PERSON_KEY", os.environ["HUMANLAYER_API_KEY"])
human = HumanLayer(run_id=f"human-{RUN}", api_key=person_key)
async_human = AsyncHumanLayer(run_id=f"ahuman-{RUN}", api_key=person_key)


def soon(respond, call_id, status):
    """A person, who answers from another thread as soon as the call exists."""

    def answer():
        deadline = time.monotonic() + PATIENCE
        while True:
            time.sleep(NAP)
            try:
                return respond(call_id, status)
            except Exception as error:
                if "404" not in str(error) or time.monotonic() > deadline:
                    raise

    threading.Thread(target=answer, daemon=True).start()


def decide(**status):
    soon(human.respond_to_function_call, ids.next("call"), FunctionCallStatus(**status))


def reply(text):
    soon(human.respond_to_human_contact, ids.next("call"), HumanContactStatus(response=text))


def calls(hl):
    later = ResponseOption(name="later")
    spec = FunctionCallSpec(fn="wipe_disk", kwargs={"disk": "sda"}, state={"n": 1}, reject_options=[later])
    asked = hl.create_function_call(spec)
    assert asked.status is None or asked.status.approved is None
    assert hl.get_function_call(asked.call_id).spec.state == {"n": 1}
    denial = FunctionCallStatus(approved=False, comment="no", reject_option_name="later")
    status = human.respond_to_function_call(asked.call_id, denial).status
    assert status.approved is False and status.reject_option_name == "later" and status.responded_at
    try:
        human.respond_to_function_call(asked.call_id, FunctionCallStatus(approved=True))
    except Exception as error:
        assert "already has a response" in str(error), error
    else:
        raise AssertionError("a second answer was taken")
    hl.escalate_email_function_call(asked.call_id, Escalation(escalation_msg="still waiting"))


def contacts(hl):
    channel = ContactChannel(email=EmailContactChannel(address="ops@example.com", subject="disk"))
    asked = hl.create_human_contact(HumanContactSpec(msg="Which disk?", channel=channel))
    hl.escalate_email_human_contact(asked.call_id, Escalation(escalation_msg="still waiting"))
    status = human.respond_to_human_contact(asked.call_id, HumanContactStatus(response="sdb")).status
    assert status.response == "sdb"


def helpers(hl):
    @hl.require_approval()
    def double(x: int):
        return 2 * x

    decide(approved=True)
    assert double(x=4) == 8
    decide(approved=False, comment="nope")
    assert double(x=4) == "User denied double with message: nope"
    reply("blue")
    assert hl.human_as_tool()("colour?") == "blue"


async def asynchronous(hl):
    asked = await hl.create_function_call(FunctionCallSpec(fn="a", kwargs={}))
    approval = FunctionCallStatus(approved=True)
    assert (await async_human.respond_to_function_call(asked.call_id, approval)).status.approved
    assert (await hl.get_function_call(asked.call_id)).status.approved

    @hl.require_approval()
    async def triple(x):
        return 3 * x

    decide(approved=True)
    assert await triple(x=2) == 6
    reply("red")
    assert await hl.human_as_tool()(message="colour?") == "red"
    try:
        await hl.get_function_call("no-such-call")
    except Exception as error:
        assert "404" in str(error), error
    else:
        raise AssertionError("a call that nobody made was found")


async def nap(_):
    await asyncio.sleep(NAP)


synchronous = HumanLayer(run_id=f"smoke-{RUN}", genid=ids, sleep=lambda _: time.sleep(NAP))
calls(synchronous)
contacts(synchronous)
helpers(synchronous)
asyncio.run(asynchronous(AsyncHumanLayer(run_id=f"asmoke-{RUN}", genid=ids, sleep=nap)))
print("humanlayer", version("humanlayer"), "ok")
