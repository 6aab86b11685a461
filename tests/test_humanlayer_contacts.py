"""Questions, and what they share with function calls, with the unmodified Python SDK and with plain requests."""

import secrets
from datetime import datetime

import pytest
from clients import (  # noqa: F401: four of them are fixtures
    ANSWER_CALL,
    ANSWER_CONTACT,
    CALLS,
    CONTACTS,
    call,
    call_id,
    client,
    contact,
    finish,
    good,
    kind,
    placet,
    refused,
    status_of,
)
from conftest import Placet
from humanlayer import (
    ContactChannel,
    EmailContactChannel,
    EmailRecipient,
    Escalation,
    FunctionCallSpec,
    HumanContactSpec,
    HumanContactStatus,
    ResponseOption,
    SlackContactChannel,
)

OPTIONS = [
    ResponseOption(name="oak", title="Oak", description="Hard", prompt_fill="oak, please", interactive=True),
    ResponseOption(name="pine"),
]
SPEC = HumanContactSpec(
    msg="Oak or pine?\nBoth are dry.", subject="Timber",
    response_options=OPTIONS, state={"ticket": 41, "deep": [None, {"x": 0.1}]},
)


# Human contacts


def test_a_question_is_open_until_somebody_answers(client, call_id):
    created = client.create_human_contact(SPEC, call_id=call_id)
    assert (created.call_id, created.run_id) == (call_id, "tests")
    read = client.get_human_contact(call_id)
    assert read.spec == created.spec == SPEC
    assert read.status.requested_at is not None
    assert (read.status.response, read.status.response_option_name, read.status.responded_at) == (None, None, None)


@pytest.mark.parametrize("option", [None, "oak"])
def test_the_first_answer_stays(client, placet, call_id, option):
    client.create_human_contact(SPEC, call_id=call_id)
    answer = HumanContactStatus(response="the ♥ of oak\n", response_option_name=option)
    answered = client.respond_to_human_contact(call_id, answer)
    assert (answered.status.response, answered.status.response_option_name) == ("the ♥ of oak\n", option)
    assert answered.status.responded_at >= answered.status.requested_at
    assert client.get_human_contact(call_id) == answered and answered.spec == SPEC
    with pytest.raises(Exception) as error:
        client.respond_to_human_contact(call_id, HumanContactStatus(response="pine"))
    assert "409" in status_of(error)
    again = placet.api("POST", ANSWER_CONTACT.format(id=call_id), json={"response": "pine"})
    assert refused(again, 409).startswith("call already has a response")
    assert client.get_human_contact(call_id) == answered


def test_an_empty_answer_is_refused(client, placet, call_id):
    """The TypeScript SDK would never stop polling after an empty answer."""
    client.create_human_contact(SPEC, call_id=call_id)
    with pytest.raises(Exception) as error:
        client.respond_to_human_contact(call_id, HumanContactStatus(response=""))
    assert "422" in status_of(error)
    for body in ({}, {"response": None}, {"response": 7}, {"response": ["oak"]}, {"response": "a", "response_option_name": 7}):
        refused(placet.api("POST", ANSWER_CONTACT.format(id=call_id), json=body), 422)
    assert client.get_human_contact(call_id).status.response is None


def test_creating_again_is_safe(client, call_id):
    created = client.create_human_contact(SPEC, call_id=call_id)
    assert client.create_human_contact(SPEC, call_id=call_id) == created
    for change in ({"msg": "Oak?"}, {"subject": "Wood"}, {"state": None}, {"response_options": OPTIONS[:1]}):
        with pytest.raises(Exception) as error:
            client.create_human_contact(SPEC.model_copy(update=change), call_id=call_id)
        assert "409" in status_of(error)
    answered = client.respond_to_human_contact(call_id, HumanContactStatus(response="oak"))
    assert client.create_human_contact(SPEC, call_id=call_id) == answered


def test_absent_and_null_are_the_same(placet, call_id):
    """The TypeScript SDK omits members that the Python SDK sends as null."""
    nulls = dict.fromkeys(("subject", "channel", "response_options", "state"))
    created = good(placet.api("POST", CONTACTS, json=contact(call_id)))
    assert good(placet.api("POST", CONTACTS, json=contact(call_id, **nulls) | {"status": None})) == created


@pytest.mark.parametrize("create, read", [
    ("/contact_requests", "/human_contacts/{id}"),
    ("/human_contacts", "/contact_requests/{id}"),
    ("//contact_requests/", "//human_contacts//{id}/"),
    ("/human_contacts/", "/contact_requests//{id}//"),
])
def test_both_spellings_mean_the_same(placet, call_id, create, read):
    created = good(placet.api("POST", create, json=contact(call_id)))
    assert good(placet.api("GET", read.format(id=call_id))) == created
    answered = good(placet.api("POST", "/" + ANSWER_CONTACT.format(id=call_id) + "/", json={"response": "this"}))
    assert good(placet.api("GET", read.format(id=call_id))) == answered


def test_a_call_and_a_question_can_have_the_same_id(client, placet, call_id):
    client.create_human_contact(SPEC, call_id=call_id)
    client.create_function_call(FunctionCallSpec(fn="saw", kwargs={}), call_id=call_id)
    client.respond_to_human_contact(call_id, HumanContactStatus(response="oak"))
    assert placet.approved(call_id) is None
    assert placet.respond(call_id, approved=False, comment="no").status_code == 200
    assert client.get_human_contact(call_id).status.response == "oak"
    assert client.get_function_call(call_id).spec.fn == "saw"


def test_an_answer_in_the_inbox_reaches_the_client(client, placet, call_id):
    client.create_human_contact(HumanContactSpec(msg="Which colour?"), call_id=call_id)
    path = f"/inbox/questions/{call_id}"
    assert path in placet.waiting()
    page = placet.page(path)
    assert "Which colour?" in page.text
    placet.press(page, "Answer", response="blue\r\nor green")
    assert client.get_human_contact(call_id).status.response == "blue\nor green"
    assert path not in placet.waiting()


# Both kinds

BOTH = pytest.mark.parametrize("item, create, read, answer, verdict", [
    (call, CALLS, CALLS + "/{id}", ANSWER_CALL, {"approved": True}),
    (contact, CONTACTS, CONTACTS + "/{id}", ANSWER_CONTACT, {"response": "this"}),
], ids=["call", "contact"])


@BOTH
def test_a_requester_cannot_answer_itself(placet, call_id, item, create, read, answer, verdict):
    smuggled = verdict | {"comment": "me", "responded_at": "2026-11-21T09:00:00Z", "requested_at": "1999-01-01T00:00:00Z"}
    created = good(placet.api("POST", create, json=item(call_id) | {"status": smuggled}))
    for reply in (created, good(placet.api("GET", read.format(id=call_id)))):
        given = {name for name, value in reply["status"].items() if value is not None}
        assert given == {"requested_at"} and not reply["status"]["requested_at"].startswith("1999")
    assert good(placet.api("POST", answer.format(id=call_id), json=verdict))["status"]["responded_at"]


@BOTH
def test_times_come_from_the_server_and_have_a_zone(placet, call_id, item, create, read, answer, verdict):
    good(placet.api("POST", create, json=item(call_id)))
    old = dict.fromkeys(("requested_at", "responded_at"), "1999-01-01T00:00:00Z")
    status = good(placet.api("POST", answer.format(id=call_id), json=verdict | old))["status"]
    asked, answered = (datetime.fromisoformat(status[name]) for name in old)
    assert asked <= answered and asked.year > 1999 and asked.tzinfo is not None


@BOTH
@pytest.mark.parametrize(
    "bad", ["a/b", "x?y", "x#y", "a%2Fb", "a\\b", "a\nb", "a\0b", ".", "..", "", "x" * 256, 7], ids=lambda bad: repr(bad)[:10],
)
def test_ids_that_break_paths_are_refused(placet, item, create, read, answer, verdict, bad):
    reply = placet.api("POST", create, json=item(bad))
    assert refused(reply, 422)[0]["loc"] == ["body", "call_id"]


@BOTH
def test_long_ids_and_no_id(placet, item, create, read, answer, verdict):
    long = secrets.token_hex(127) + "x"
    assert good(placet.api("POST", create, json=item(long)))["call_id"] == long
    minted = good(placet.api("POST", create, json=item(None)))
    assert good(placet.api("GET", read.format(id=minted["call_id"]))) == minted


@BOTH
def test_channels_in_replies_have_no_secrets_and_no_empty_lists(client, placet, call_id, item, create, read, answer, verdict):
    """The Python SDK refuses an empty list in a reply; a bot token is a secret."""
    slack = {"channel_or_user_id": "", "allowed_responder_ids": [], "bot_token": "xoxb-secret", "thread_ts": "1.2"}
    email = {"address": "a@example.com", "experimental_subject_line": "Disk", "template": "<p>{{event.spec.msg}}</p>"}
    created = good(placet.api("POST", create, json=item(call_id, channel={"slack": slack, "email": email})))
    for reply in (created, good(placet.api("GET", read.format(id=call_id)))):
        channel = reply["spec"]["channel"]
        assert channel["slack"].get("allowed_responder_ids") is None and channel["slack"].get("bot_token") is None
        assert channel["slack"]["channel_or_user_id"] == "" and channel["slack"]["thread_ts"] == "1.2"
        assert channel["email"].items() >= email.items()
    read_back = client.get_human_contact(call_id) if item is contact else client.get_function_call(call_id)
    assert read_back.spec.channel.email.subject == "Disk"
    assert "xoxb-secret" not in placet.log.read_text()


def test_a_full_channel_is_returned_completely(client, call_id):
    slack = SlackContactChannel(channel_or_user_id="C1", context_about_channel_or_user="ops", allowed_responder_ids=["U1"])
    cc = EmailRecipient(address="cc@example.com", field="cc")
    channel = ContactChannel(slack=slack, email=EmailContactChannel(address="a@example.com", additional_recipients=[cc]))
    created = client.create_human_contact(HumanContactSpec(msg="Which?", channel=channel), call_id=call_id)
    assert created.spec.channel == client.get_human_contact(call_id).spec.channel == channel


@BOTH
def test_escalating_returns_the_item_and_answers_nothing(kind, placet, call_id, item, create, read, answer, verdict):
    created = good(placet.api("POST", create, json=item(call_id)))
    backend = kind(api_key=placet.key, api_base_url=placet.url + "/humanlayer/v1").backend
    store = backend.contacts() if item is contact else backend.functions()
    email = ContactChannel(email=EmailContactChannel(address="boss@example.com"))
    for escalation in (Escalation(escalation_msg="hurry"), Escalation(escalation_msg="hurry!", channel=email)):
        escalated = finish(store.escalate_email(call_id, escalation))
        assert escalated.call_id == call_id and escalated.status.responded_at is None
    assert good(placet.api("GET", read.format(id=call_id))) == created
    answered = good(placet.api("POST", answer.format(id=call_id), json=verdict))
    escalate = answer.replace("respond", "escalate_email").format(id=call_id)
    assert good(placet.api("POST", escalate, json={"escalation_msg": "too late"})) == answered


def test_a_call_can_be_read_at_the_path_of_its_answer(placet, call_id):
    created = good(placet.api("POST", CALLS, json=call(call_id)))
    assert good(placet.api("GET", f"/agent/function_calls/{call_id}")) == created


# The project


@pytest.mark.parametrize("kind_of, create, answer, verdict, item", [
    ("function_calls", CALLS, ANSWER_CALL, {"approved": False}, call),
    ("human_contacts", CONTACTS, ANSWER_CONTACT, {"response": "this"}, contact),
], ids=["calls", "contacts"])
def test_pending_lists_hold_the_unanswered_operations(tmp_path, kind_of, create, answer, verdict, item):
    path = f"/agent/{kind_of}/pending"
    with Placet(tmp_path) as placet:
        assert good(placet.api("GET", path)) == {"items": [], "total": 0, "limit": 100, "offset": 0, "has_more": False}
        asked = [good(placet.api("POST", create, json=item(f"id-{number}"))) for number in range(3)]
        other, body = (CONTACTS, contact("other")) if item is call else (CALLS, call("other"))
        good(placet.api("POST", other, json=body))
        good(placet.api("POST", answer.format(id="id-1"), json=verdict))
        listed = good(placet.api("GET", path))
        assert by_id(listed["items"]) == [asked[0], asked[2]]
        assert (listed["total"], listed["offset"], listed["has_more"]) == (2, 0, False)
        assert by_id(good(placet.api("GET", path + "?format=array"))) == [asked[0], asked[2]]


def by_id(items):
    return sorted(items, key=lambda one: one["call_id"])


def test_project_and_status(placet):
    project = good(placet.api("GET", "/project"))
    assert all(project[name] for name in ("name", "slug", "organization", "project_slug", "org_slug"))
    assert project["slug"] == project["project_slug"] == "default"
    assert isinstance(good(placet.api("GET", "/status")), dict)
