"""What an approver sees without scrolling, on a phone and on a desktop."""

from browser import VIEWPORTS, browser, person, visitor  # noqa: F401: two of them are fixtures
import pytest
from conftest import Placet
from test_inbox_browser import OPTIONS, question

EIGHT = {
    "to": "Sawmill Ltd", "iban": "DE89370400440532013000", "amount": 1249.5, "currency": "EUR",
    "invoice": "2026-118", "due_date": "2026-12-24", "reference": "Planks, oak", "urgent": False,
}
LONG = "The release goes out tonight and everybody is very happy about it. "


def covered(page, locator):
    """Why a person does not see all of an element without scrolling; None if they do."""
    box, size = locator.bounding_box(), page.viewport_size
    bar = page.locator(".bar").first
    bottom = size["height"]
    if bar.count() and bar.evaluate("bar => getComputedStyle(bar).position") == "fixed":
        inside = locator.evaluate("one => one.closest('.bar') !== null")
        bottom = bottom if inside else bar.bounding_box()["y"]
    if box["y"] < 0 or box["y"] + box["height"] > bottom or box["x"] < 0 or box["x"] + box["width"] > size["width"]:
        return f"{box} is not in {size} above {bottom}"
    return None


def shows(page, *locators):
    for locator in locators:
        assert locator.count() > 0, locator
        for one in locator.all():
            assert covered(page, one) is None, (locator, covered(page, one))


def test_a_short_operation_is_decided_without_scrolling(person, placet):
    placet.ask("transfer", fn="transfer_money", **EIGHT)
    person.goto("/inbox/transfer")
    person.picture("40-first-screen")
    title, decision = person.locator("h1"), person.locator(".decide button[name=verdict]")
    shows(person, title, person.locator(".by strong"), person.locator(".deadline strong"), decision)
    names, values = person.locator(".fields .name"), person.locator(".fields .value")
    assert (names.count(), values.count(), decision.count()) == (8, 8, 2)
    shows(person, names, values)


def test_a_long_operation_shows_its_decision_without_scrolling(person, placet):
    placet.ask("long", fn="send_email", body=LONG * 60, **{f"argument_{n}": LONG for n in range(30)})
    person.goto("/inbox/long")
    person.picture("41-long")
    shows(person, person.locator("h1"), person.locator(".by strong"), person.locator(".deadline strong"))
    shows(person, person.locator(".decide button[name=verdict]"))


def test_a_long_value_is_folded_and_complete(person, placet):
    placet.ask("long", fn="send_email", body=LONG * 60 + "THE END", to="team@example.com")
    person.goto("/inbox/long")
    end = person.get_by_text("THE END")
    assert not end.is_visible()
    person.get_by_text("Show all 4027 characters").click()
    end.wait_for(state="visible")
    person.picture("42-unfolded")


def test_a_question_shows_its_answers_without_scrolling(person, placet):
    question(placet, "short", msg="Which colour should the door have?")
    person.goto("/inbox/questions/short")
    shows(person, person.locator("h1"), person.locator(".words .value"), person.get_by_role("button", name="Answer"))
    question(placet, "options", response_options=OPTIONS)
    person.goto("/inbox/questions/options")
    shows(person, person.locator(".words .value"), person.get_by_role("button", name="Go ahead"))
    question(placet, "long", msg=LONG * 8, subject="Release 7", response_options=OPTIONS)
    person.goto("/inbox/questions/long")
    person.picture("43-long-question")
    answer = person.locator(".narrow a") if person.viewport_size["width"] < 960 else person.get_by_role("button", name="Go ahead")
    shows(person, answer)


@pytest.mark.parametrize("device", VIEWPORTS)
def test_a_warning_about_the_executor_stands_beside_the_decision(browser, tmp_path, device):
    config = "project: default\noperations:\n  ship: {executor: {http: {url: 'http://127.0.0.1:9/run', secret: 'env:NOT_SET'}}}\n"
    with Placet(tmp_path, config=config) as placet, visitor(browser, placet, device) as person:
        placet.request_run("ship", "ship", parcel=7)
        person.goto("/inbox/ship")
        person.picture("44-cannot-run")
        warning = person.locator(".decide .warning")
        assert "NOT_SET is not set" in warning.inner_text()
        shows(person, warning)
