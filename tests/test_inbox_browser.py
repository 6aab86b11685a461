"""A person decides in the inbox, with a browser on a phone and on a desktop."""

import re

import pytest
from browser import VIEWPORTS, browser, decide, person, see, visitor  # noqa: F401: two of them are fixtures
from conftest import Placet, eventually
from playwright.sync_api import expect
from test_keys import CONFIG, create


def status_on_purchases(page, material):
    page.goto("/purchases")
    return page.get_by_role("row").filter(has_text=material).inner_text()


def test_a_purchase_is_requested_approved_and_finalised(person, placet):
    person.goto("/inbox")
    person.picture("1-empty-inbox")

    person.goto("/purchase-materials")
    person.get_by_label("Material").fill("oak, planed")
    person.get_by_label("Quantity").fill("12")
    person.picture("2-buy")
    person.get_by_role("main").get_by_role("button").click()
    see(person, "oak, planed", "pending")
    person.picture("3-pending")

    person.get_by_role("link", name="Inbox").click()
    see(person, "purchase_materials", re.compile("ago"))
    person.picture("4-inbox")
    person.get_by_role("link", name="purchase_materials").click()
    see(person, "purchase_materials", "material", "oak, planed", "quantity", "12", re.compile("ago"), "Deadline")
    person.picture("5-open")

    decide(person, "Approve", "fits the plan")
    expect(person.get_by_role("button", name=re.compile("Approve"))).to_have_count(0)
    person.picture("6-approved")

    row = eventually(lambda: "finalised" in (text := status_on_purchases(person, "oak, planed")) and text)
    assert "12" in row and "fits the plan" in row
    person.picture("7-finalised")
    assert placet.waiting() == []


def test_a_purchase_is_denied(person, placet):
    call_id = placet.buy(material="gold", quantity=1)
    person.goto(f"/inbox/{call_id}")
    decide(person, "Deny", "too shiny\nreally")
    see(person, re.compile("Denied"), re.compile("too shiny"))
    person.picture("8-denied")
    row = status_on_purchases(person, "gold")
    assert "denied" in row and "too shiny" in row
    person.picture("9-denied-purchase")


def test_hostile_and_long_arguments_stay_readable(person, placet):
    arguments = {
        "markup": "<b>bold</b><script>alert(1)</script>",
        "one_long_word": "x" * 2000,
        "lines": "first\nsecond\tthird",
        "direction": "evil\u202etxt.exe",
        "nested": {"list": [1, None, True, {"deep": "value"}], "n": 10**15},
        "a_name_that_is_quite_long_and_has_no_space_in_it_at_all_so_that_it_must_be_broken": 1,
    }
    placet.ask("hostile", fn="deploy_everything_to_every_region_without_asking_anybody_first_because_why_not", **arguments)
    person.goto("/inbox")
    person.picture("10-hostile-inbox")
    person.goto("/inbox/hostile")
    see(person, "<b>bold</b><script>alert(1)</script>", re.compile("right-to-left override"))
    person.picture("11-hostile")
    assert person.locator("main b:not(.mark)").count() == 0


def test_enter_in_a_field_decides_nothing(person, placet):
    """Only a click on a button decides."""
    call_id = placet.buy()
    person.goto(f"/inbox/{call_id}")
    person.get_by_role("textbox").first.press("Enter")
    person.goto("/inbox")
    assert placet.purchases()[call_id]["state"] == "pending"


def test_back_and_a_second_click_change_nothing(person, placet):
    call_id = placet.buy()
    person.goto(f"/inbox/{call_id}")
    decide(person, "Approve", "once")
    bought = eventually(lambda: (one := placet.purchases()[call_id])["state"] == "succeeded" and one)
    person.go_back()
    if person.get_by_role("button", name=re.compile("Deny")).count():
        decide(person, "Deny", "twice")
    assert placet.purchases()[call_id] == bought


OPTIONS = [
    {"name": "ship", "title": "Go ahead", "description": "The release goes out tonight", "prompt_fill": "Yes, ship it tonight."},
    {"name": "stop", "title": "Stop"},
    {"name": "later", "title": "Later", "prompt_fill": "Not before Monday, because ...", "interactive": True},
]


def question(placet, call_id, msg="Shall release 7 go out tonight?\n\nAll tests pass, but Ann is away.", **spec):
    asked = placet.api("POST", "/contact_requests", json={"run_id": "release-bot", "call_id": call_id, "spec": {"msg": msg} | spec})
    assert asked.status_code == 200, asked.text
    return asked.json()


def answer(placet, call_id):
    """Returns the response and the option that the requester reads."""
    status = placet.api("GET", f"/contact_requests/{call_id}").json()["status"]
    return status.get("response"), status.get("response_option_name")


def test_a_question_is_answered_with_a_typed_text(person, placet):
    question(placet, "own", subject="Release 7", state={"ticket": 41}, channel={"email": {"address": "ann@example.com"}})
    placet.ask("call", fn="deploy", release=7)
    person.goto("/inbox")
    see(person, "Release 7", "Shall release 7 go out", "deploy", "release: 7", "local")
    person.picture("20-both-kinds")
    person.get_by_role("link", name="Release 7").click()
    see(person, "Release 7", "Shall release 7 go out tonight?", "local", "Deadline")
    person.get_by_text("Details").click()
    see(person, "release-bot")
    person.get_by_text("What else the requester sent").click()
    see(person, "ticket", "ann@example.com")
    person.picture("21-question")

    person.get_by_role("button", name="Answer", exact=True).click()
    assert answer(placet, "own") == (None, None), "the browser sent an empty answer"
    person.get_by_label("Your answer").fill("No.\nAnn has to look at it.")
    person.get_by_role("button", name="Answer", exact=True).click()
    see(person, "Answered", "through the inbox", re.compile("Ann has to look"))
    expect(person.get_by_role("button")).to_have_count(0)
    person.picture("22-answered")
    assert answer(placet, "own") == ("No.\nAnn has to look at it.", None)
    assert placet.waiting() == ["/inbox/call"]


def test_one_click_answers_with_the_text_of_an_option(person, placet):
    question(placet, "fill", response_options=OPTIONS)
    question(placet, "title", response_options=OPTIONS)
    person.goto("/inbox/questions/fill")
    choice = person.get_by_role("button", name="Go ahead")
    expect(choice).to_have_accessible_description("The release goes out tonight The requester reads: “Yes, ship it tonight.”")
    person.picture("23-options")
    choice.click()
    see(person, "Answered", "Chosen: Go ahead")
    person.picture("24-chosen")
    person.goto("/inbox/questions/title")
    person.get_by_role("button", name="Stop").click()
    see(person, "Answered")
    assert answer(placet, "fill") == ("Yes, ship it tonight.", "ship")
    assert answer(placet, "title") == ("Stop", "stop")


def test_an_interactive_option_is_edited_before_it_is_sent(person, placet):
    question(placet, "edited", response_options=OPTIONS)
    person.goto("/inbox/questions/edited")
    person.get_by_role("link", name="Later… (edit before you send)").click()
    expect(person.get_by_label("Your answer")).to_have_value("Not before Monday, because ...")
    person.picture("25-edited")
    assert answer(placet, "edited") == (None, None), "following a link answers nothing"
    person.get_by_role("link", name="Choose something else").click()
    expect(person.get_by_label("Your answer")).to_have_value("")
    person.get_by_role("link", name="Later… (edit before you send)").click()
    person.get_by_label("Your answer").fill("Not before Tuesday.")
    person.get_by_role("button", name="Answer", exact=True).click()
    see(person, "Answered", "Chosen: Later", "Not before Tuesday.")
    assert answer(placet, "edited") == ("Not before Tuesday.", "later")


def test_a_reason_is_edited_before_a_denial_is_sent(person, placet):
    options = [{"name": "dear", "title": "Too dear", "prompt_fill": "At most 5", "interactive": True}, {"name": "no", "title": "Not now"}]
    spec = {"fn": "order", "kwargs": {"planks": 12}, "reject_options": options}
    placet.api("POST", "/function_calls", json={"run_id": "buyer", "call_id": "deny", "spec": spec})
    person.goto("/inbox/deny")
    person.picture("26-reasons")
    person.get_by_role("link", name="Too dear… (edit before you send)").click()
    expect(person.get_by_role("button", name="Approve")).to_have_count(0)
    person.get_by_label("Comment").fill("At most 7")
    person.picture("27-edited-reason")
    person.get_by_role("button", name="Deny").click()
    see(person, "Denied: nothing runs", "At most 7")
    status = placet.call("deny")["status"]
    assert (status["approved"], status["comment"], status["reject_option_name"]) == (False, "At most 7", "dear")


def test_an_escalated_question_is_marked(person, placet):
    question(placet, "urgent", subject="The door is open")
    question(placet, "calm", msg="Which colour?")
    for message in ("Please look", "The customer is on the phone"):
        told = placet.api("POST", "/agent/human_contacts/urgent/escalate_email", json={"escalation_msg": message})
        assert told.status_code == 200, told.text
    person.goto("/inbox")
    rows = person.get_by_role("listitem")
    expect(rows.filter(has_text="The door is open")).to_contain_text(re.compile("Escalated twice.*The customer is on the phone"))
    expect(rows.filter(has_text="Which colour?")).not_to_contain_text("Escalated")
    person.picture("28-escalated")
    person.get_by_role("link", name="The door is open").click()
    see(person, "Escalated twice", "The customer is on the phone")
    person.get_by_text("History").click()
    see(person, "Please look")
    person.picture("29-escalated-question")


def test_hostile_and_long_questions_stay_readable(person, placet):
    hostile = "<b>bold</b><script>alert(1)</script> pay\u202egnp.exe\u200b " + "x" * 2000 + "\n\tindented\n" + "words " * 400
    options = [{"name": f"option-{n}", "title": hostile[:300], "description": hostile[:600], "prompt_fill": hostile[:600], "interactive": n == 1} for n in range(2)]
    question(placet, "hostile", msg=hostile, subject=hostile[:300], response_options=options)
    placet.api("POST", "/agent/human_contacts/hostile/escalate_email", json={"escalation_msg": hostile[:900]})
    person.goto("/inbox")
    person.picture("30-hostile-inbox")
    person.goto("/inbox/questions/hostile")
    see(person, re.compile("right-to-left override"))
    person.picture("31-hostile-question")
    assert person.locator("main b:not(.mark)").count() == 0
    person.goto("/inbox/questions/hostile?option=option-1")
    person.picture("32-hostile-option")


def test_a_link_to_a_question_answers_it(person, placet):
    question(placet, "same-id", response_options=OPTIONS)
    placet.ask("same-id", fn="deploy")
    person.goto(placet.link("human_contact/same-id"))
    see(person, "Shall release 7 go out tonight?")
    person.get_by_role("link", name="Later… (edit before you send)").click()
    person.get_by_label("Your answer").fill("Tomorrow.")
    person.get_by_role("button", name="Answer", exact=True).click()
    see(person, "Answered", "through the decision link")
    assert answer(placet, "same-id") == ("Tomorrow.", "later")
    assert placet.approved("same-id") is None
    person.goto(placet.link("same-id"))
    see(person, "deploy")


@pytest.mark.parametrize("device", VIEWPORTS)
def test_each_project_has_an_inbox(browser, tmp_path, device):
    with Placet(tmp_path, config=CONFIG) as placet:
        question(placet, "ours", msg="Ours?")
        own, (placet.key, _) = placet.key, create(placet, "--project", "team-a", "--role", "admin")
        question(placet, "theirs", msg="Theirs?")
        link = placet.link("theirs", "--project", "team-a")
        with visitor(browser, placet, device, color_scheme="dark") as person:
            person.goto("/inbox")
            expect(person.get_by_text("Theirs?")).to_have_count(0)
            person.get_by_role("link", name="team-a").click()
            expect(person.get_by_text("Ours?")).to_have_count(0)
            person.picture("33-project")
            person.get_by_role("link", name="Theirs?").click()
            person.picture("34-project-question")
            person.get_by_label("Your answer").fill("Yes.")
            person.get_by_role("button", name="Answer", exact=True).click()
            see(person, "Answered", "Yes.")
            person.get_by_role("link", name="Inbox").click()
            see(person, "Nothing is waiting for you")
            person.goto(link)
            see(person, "Answered")
        assert answer(placet, "theirs") == ("Yes.", None)
        placet.key = own
        assert answer(placet, "ours") == (None, None)
