"""A person with a browser, on a phone and at a desk, without JavaScript. Leaves pictures in target/screenshots/."""

import os
import re
import shutil
from pathlib import Path

import pytest
from conftest import ROOT, eventually
from playwright.sync_api import expect, sync_playwright

SCREENSHOTS = Path(os.environ.get("PLACET_SCREENSHOTS", ROOT / "target/screenshots"))
VIEWPORTS = {"phone": {"width": 390, "height": 844}, "desktop": {"width": 1280, "height": 900}}
FLAGS = [
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
]


def chromium():
    names = ("chromium", "chromium-browser", "google-chrome", "chrome")
    found = os.environ.get("PLACET_CHROMIUM") or next(filter(None, map(shutil.which, names)), None)
    return found or pytest.fail("Chromium is missing: apt-get install chromium, or set PLACET_CHROMIUM")


@pytest.fixture(scope="module")
def browser():
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium(), args=FLAGS)
        yield browser
        browser.close()


@pytest.fixture(params=VIEWPORTS)
def person(request, browser, placet):
    """A page in a fresh browser profile, and `picture`, which saves what is seen."""
    size = VIEWPORTS[request.param]
    context = browser.new_context(base_url=placet.url, viewport=size, java_script_enabled=False)
    context.set_default_timeout(20_000)
    page = context.new_page()
    outside = []
    page.on("request", lambda asked: asked.url.startswith(placet.url) or outside.append(asked.url))

    def picture(name):
        SCREENSHOTS.mkdir(parents=True, exist_ok=True)
        page.screenshot(path=SCREENSHOTS / f"{request.param}-{name}.png", full_page=True)
        width = page.evaluate("document.documentElement.scrollWidth")
        assert width <= size["width"], f"{name} has to be scrolled sideways: {width} px"

    page.picture = picture
    yield page
    context.close()
    assert outside == [], "a page loads something from elsewhere"


def see(page, *texts):
    for text in texts:
        expect(page.locator("main").get_by_text(text).first).to_be_visible()


def decide(page, verdict, comment):
    button = page.get_by_role("button", name=re.compile(verdict))
    form = page.locator("form").filter(has=button)
    form.get_by_role("textbox").first.fill(comment)
    button.click()


def status_on_purchases(page, material):
    page.goto("/purchases")
    return page.get_by_role("row").filter(has_text=material).inner_text()


def test_a_purchase_is_asked_for_approved_and_finalised(person, placet):
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
    """A decision is a click on a button that says what it does."""
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
