"""The program of an agent waits in the unmodified SDK until a person answers in the inbox with a browser."""

import re
import threading

import pytest
from browser import browser, decide, person, see  # noqa: F401: two of them are fixtures
from clients import finish
from humanlayer import AsyncHumanLayer, HumanLayer, ResponseOption

ANSWER_WITHIN = 30
KINDS = {"sync": HumanLayer, "async": AsyncHumanLayer}
REASONS = [
    ResponseOption(name="later", title="Not this month", prompt_fill="ask again in December"),
    ResponseOption(name="much", title="Too expensive"),
]
WOODS = [ResponseOption(name="oak", title="Oak", prompt_fill="oak, planed"), ResponseOption(name="pine", title="Pine")]


class Agent(threading.Thread):
    """A program that sends a request and waits. The SDK polls at its own rate."""

    def __init__(self, placet, kind, call_id, ask):
        super().__init__(daemon=True)
        self.humanlayer = KINDS[kind](
            run_id="agent", genid=lambda _: call_id, api_key=placet.key, api_base_url=placet.url + "/humanlayer/v1",
        )
        self.ask, self.got = ask, None

    def run(self):
        try:
            self.got = finish(self.ask(self.humanlayer))
        except Exception as failure:
            self.got = failure

    def answer(self):
        self.join(ANSWER_WITHIN)
        assert not self.is_alive(), "the agent still waits"
        return self.got


@pytest.fixture
def agents(placet):
    """A function that starts an agent of each kind for each of these names."""

    def start(names, ask):
        started = {f"{name}-{kind}": Agent(placet, kind, f"{name}-{kind}", ask) for name in names for kind in KINDS}
        for agent in started.values():
            agent.start()
        return started

    return start


def listed(person, path):
    """Waits for the request of the agent and returns the link to the item in the inbox."""
    link = person.locator(f'main a[href="{path}"]')
    for _ in range(100):
        person.goto("/inbox")
        if link.count():
            return link
        person.wait_for_timeout(50)
    raise AssertionError(f"{path} is not in the inbox")


def test_a_function_waits_for_approval(person, placet, agents):
    ran = []

    def pay(humanlayer):
        @humanlayer.require_approval(reject_options=REASONS)
        def pay(amount: int):
            """Pays."""
            ran.append(amount)
            return f"paid {amount}"

        return pay(amount=12)

    waiting = agents(["approve", "deny", "reason"], pay)
    for call_id, agent in waiting.items():
        listed(person, f"/inbox/{call_id}").click()
        see(person, "pay", "amount", "12")
        assert agent.is_alive() and agent.got is None
        if call_id.startswith("approve"):
            decide(person, "Approve", "")
        elif call_id.startswith("deny"):
            decide(person, "Deny", "not with this card")
        else:
            person.get_by_label(re.compile(REASONS[0].title)).check()
            person.picture("pause-1-reason")
            decide(person, "Deny", "")
            see(person, re.compile("ask again in December"))
            person.picture("pause-2-denied")

    answers = {call_id: agent.answer() for call_id, agent in waiting.items()}
    for kind in KINDS:
        assert answers[f"approve-{kind}"] == "paid 12"
        assert answers[f"deny-{kind}"] == "User denied pay with message: not with this card"
        assert answers[f"reason-{kind}"] == "User denied pay with message: ask again in December"
        assert placet.call(f"reason-{kind}")["status"]["reject_option_name"] == "later"
    assert ran == [12, 12]
    assert placet.waiting() == []


def test_a_question_waits_for_an_answer(person, placet, agents):
    def colour(humanlayer):
        return humanlayer.human_as_tool()(message="Which colour?")

    def wood(humanlayer):
        return humanlayer.human_as_tool(response_options=WOODS)(message="Which wood?")

    waiting = agents(["free"], colour) | agents(["oak", "pine"], wood)
    for call_id, agent in waiting.items():
        link = listed(person, f"/inbox/questions/{call_id}")
        person.picture("pause-3-inbox")
        link.click()
        assert agent.is_alive() and agent.got is None
        if call_id.startswith("free"):
            see(person, "Which colour?")
            field = person.locator("textarea[name=response]")
            person.get_by_label(re.compile("answer", re.I)).and_(field).fill("blue,\nor green")
            person.picture("pause-4-question")
            person.get_by_role("button", name=re.compile(r"\bAnswer\b")).click()
            see(person, re.compile("or green"))
            person.picture("pause-5-answered")
        else:
            see(person, "Which wood?")
            person.picture("pause-6-options")
            person.get_by_role("button", name=re.compile("Oak" if call_id.startswith("oak") else "Pine")).click()
        assert person.locator("textarea[name=response]").count() == 0, "the page still offers to answer"

    answers = {call_id: agent.answer() for call_id, agent in waiting.items()}
    for kind in KINDS:
        assert answers[f"free-{kind}"] == "blue,\nor green"
        assert answers[f"oak-{kind}"] == "oak, planed"
        assert answers[f"pine-{kind}"] == "Pine"
        status = placet.api("GET", f"/contact_requests/oak-{kind}").json()["status"]
        assert status["response_option_name"] == "oak"
    assert placet.waiting() == []
