"""The unmodified `pip install humanlayer` 0.7.9, synchronous and asynchronous, against Placet."""

import asyncio
import itertools
import queue
import threading

import pytest
from clients import Client, client, finish, kind, status_of  # noqa: F401: two of them are fixtures
from humanlayer import (
    AsyncHumanLayer,
    ContactChannel,
    EmailContactChannel,
    FunctionCallSpec,
    FunctionCallStatus,
    HumanLayer,
    ResponseOption,
    SlackContactChannel,
)

ANSWER_WITHIN = 20
SPEC = FunctionCallSpec(fn="wipe_disk", kwargs={"disk": "sda", "nested": {"x": [1, None]}}, state={"n": 1})


def test_a_call_is_pending_until_somebody_answers(client):
    created = client.create_function_call(SPEC, call_id="call-1")
    assert (created.call_id, created.run_id) == ("call-1", "tests")
    read = client.get_function_call("call-1")
    assert read.spec == created.spec == SPEC
    assert read.status.approved is None and read.status.responded_at is None
    assert read.status.requested_at is not None


def test_approve(client):
    client.create_function_call(SPEC, call_id="call-1")
    answered = client.respond_to_function_call("call-1", FunctionCallStatus(approved=True, comment="fine"))
    assert answered.status.approved is True and answered.status.comment == "fine"
    read = client.get_function_call("call-1")
    assert read.status == answered.status and read.status.responded_at is not None


def test_a_denial_without_a_comment_has_an_empty_comment(client):
    client.create_function_call(SPEC, call_id="call-1")
    client.respond_to_function_call("call-1", FunctionCallStatus(approved=False))
    status = client.get_function_call("call-1").status
    assert (status.approved, status.comment) == (False, "")


def test_deny_with_a_reject_option(client):
    options = [ResponseOption(name="later", title="Later", prompt_fill="try later", interactive=True)]
    spec = FunctionCallSpec(fn="pay", kwargs={}, reject_options=options)
    assert client.create_function_call(spec, call_id="call-1").spec.reject_options == options
    client.respond_to_function_call("call-1", FunctionCallStatus(approved=False, comment="no", reject_option_name="later"))
    status = client.get_function_call("call-1").status
    assert (status.approved, status.comment, status.reject_option_name) == (False, "no", "later")


@pytest.mark.parametrize("first", [True, False])
def test_the_first_answer_stays(client, placet, first):
    client.create_function_call(SPEC, call_id="call-1")
    client.respond_to_function_call("call-1", FunctionCallStatus(approved=first, comment="first"))
    before = placet.call("call-1")
    for second in (first, not first):
        with pytest.raises(Exception) as error:
            client.respond_to_function_call("call-1", FunctionCallStatus(approved=second, comment="second"))
        if isinstance(client.humanlayer, HumanLayer):
            assert "call already has a response" in str(error.value)
        assert "409" in status_of(error)
    assert placet.respond("call-1", approved=True).json()["detail"].startswith("call already has a response")
    assert placet.call("call-1") == before


def test_creating_again_is_safe(client):
    created = client.create_function_call(SPEC, call_id="call-1")
    assert client.create_function_call(SPEC, call_id="call-1") == created
    client.respond_to_function_call("call-1", FunctionCallStatus(approved=True))
    again = client.create_function_call(SPEC, call_id="call-1")
    assert again.status.approved is True, "the reply does not show the current state"


def test_the_same_id_for_another_call_is_409(client):
    created = client.create_function_call(SPEC, call_id="call-1")
    for other in (
        FunctionCallSpec(fn="wipe_disk", kwargs={"disk": "sdb"}),
        FunctionCallSpec(fn="format_disk", kwargs=SPEC.kwargs, state=SPEC.state),
        FunctionCallSpec(fn="wipe_disk", kwargs=SPEC.kwargs, state={"n": 2}),
    ):
        with pytest.raises(Exception) as error:
            client.create_function_call(other, call_id="call-1")
        assert "409" in status_of(error)
    assert client.get_function_call("call-1") == created


def test_unknown_calls_are_404(client):
    for attempt in (
        lambda: client.get_function_call("no-such-call"),
        lambda: client.respond_to_function_call("no-such-call", FunctionCallStatus(approved=True)),
    ):
        with pytest.raises(Exception) as error:
            attempt()
        assert "404" in status_of(error)


def test_a_wrong_key_is_401(kind, placet):
    placet.ask("call-1")
    stranger = Client(kind, placet, key="not-the-key")
    for attempt in (
        lambda: stranger.create_function_call(SPEC, call_id="call-2"),
        lambda: stranger.get_function_call("call-1"),
        lambda: stranger.get_function_call("no-such-call"),
        lambda: stranger.respond_to_function_call("call-1", FunctionCallStatus(approved=True)),
    ):
        with pytest.raises(Exception) as error:
            attempt()
        assert "401" in status_of(error)
    assert placet.approved("call-1") is None
    assert placet.api("GET", "/function_calls/call-2").status_code == 404


@pytest.mark.parametrize("base", ["/humanlayer/v1/", "//humanlayer//v1", "//humanlayer/v1//"])
def test_slashes_in_the_base_address_do_not_matter(kind, placet, base):
    client = Client(kind, placet, base=base)
    client.create_function_call(SPEC, call_id="call-1")
    client.respond_to_function_call("call-1", FunctionCallStatus(approved=True))
    assert client.get_function_call("call-1").status.approved is True


def test_ids_of_language_models_are_kept(client):
    for call_id in ("toolu_01A09q90qw90lq917835lq9", "call_-_-abc", "x" * 255, "é", "a b"):
        assert client.create_function_call(SPEC, call_id=call_id).call_id == call_id
        assert client.get_function_call(call_id).call_id == call_id


def test_a_bot_token_is_never_returned(client, placet):
    slack = SlackContactChannel(channel_or_user_id="C1", context_about_channel_or_user="ops", bot_token="xoxb-secret")
    channel = ContactChannel(slack=slack, email=EmailContactChannel(address="a@example.com", subject="Disk"))
    spec = FunctionCallSpec(fn="pay", kwargs={}, channel=channel)
    created = client.create_function_call(spec, call_id="call-1")
    assert created.spec.channel.slack.bot_token is None
    assert created.spec.channel.slack.context_about_channel_or_user == "ops"
    assert created.spec.channel.email.address == "a@example.com"
    everything = placet.api("GET", "/function_calls/call-1").text + placet.page("/inbox/call-1").html
    assert "xoxb-secret" not in everything + placet.log.read_text()


class Person(threading.Thread):
    """Answers each call from another thread, when the client that requested it begins to sleep."""

    def __init__(self, placet, answers):
        super().__init__(daemon=True)
        self.placet, self.answers = placet, answers
        self.asked, self.answered, self.failure = queue.Queue(), threading.Event(), None
        self.last, numbers = None, itertools.count(1)
        self.genid = lambda prefix: self._named(f"{prefix}-{next(numbers)}")

    def _named(self, call_id):
        self.last = call_id
        return call_id

    def wait(self, seconds):
        """Replaces the `sleep` of the client: waits for the person and not for three seconds."""
        assert seconds == 3
        self.answered.clear()
        self.asked.put(self.last)
        assert self.answered.wait(ANSWER_WITHIN)

    def run(self):
        human = HumanLayer(run_id="person", api_key=self.placet.key, api_base_url=self.placet.url + "/humanlayer/v1")
        try:
            for answer in self.answers:
                human.respond_to_function_call(self.asked.get(timeout=ANSWER_WITHIN), answer)
                self.answered.set()
        except Exception as failure:
            self.failure = failure


def test_require_approval(kind, placet):
    person = Person(placet, [
        FunctionCallStatus(approved=True),
        FunctionCallStatus(approved=False, comment="nope"),
        FunctionCallStatus(approved=False),
    ])
    person.start()

    async def sleep(seconds):
        await asyncio.to_thread(person.wait, seconds)

    hooks = {"genid": person.genid, "sleep": sleep if kind is AsyncHumanLayer else person.wait}
    humanlayer = kind(run_id="agent", api_key=placet.key, api_base_url=placet.url + "/humanlayer/v1", **hooks)
    ran = []

    @humanlayer.require_approval()
    def double(x: int):
        """Doubles."""
        ran.append(x)
        return 2 * x

    assert finish(double(x=4)) == 8
    assert finish(double(x=5)) == "User denied double with message: nope"
    assert finish(double(x=6)) == "User denied double with message: "
    person.join(ANSWER_WITHIN)
    assert person.failure is None and ran == [4]
    assert placet.call("call-2")["spec"]["kwargs"] == {"x": 5}


def test_an_approval_in_the_inbox_reaches_the_client(client, placet):
    client.create_function_call(SPEC, call_id="call-1")
    page = placet.page("/inbox/call-1")
    assert "wipe_disk" in page.text and "sda" in page.text
    placet.press(page, "Deny", comment="keep it")
    status = client.get_function_call("call-1").status
    assert (status.approved, status.comment) == (False, "keep it")
