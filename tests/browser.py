"""A person with a browser, with or without JavaScript. Writes pictures to target/screenshots/."""

import os
import re
import shutil
from contextlib import contextmanager
from pathlib import Path

import pytest
from conftest import ROOT
from playwright.sync_api import expect, sync_playwright

SCREENSHOTS = Path(os.environ.get("PLACET_SCREENSHOTS", ROOT / "target/screenshots"))
VIEWPORTS = {"phone": {"width": 390, "height": 844}, "desktop": {"width": 1280, "height": 800}}
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
    """A page in a new browser profile. `picture` saves a screenshot."""
    with visitor(browser, placet, request.param) as page:
        yield page


@contextmanager
def visitor(browser, placet, device, script=False, **profile):
    size = VIEWPORTS[device]
    context = browser.new_context(base_url=placet.url, viewport=size, java_script_enabled=script, **profile)
    context.set_default_timeout(20_000)
    page = context.new_page()
    outside = []
    page.on("request", lambda asked: asked.url.startswith(placet.url) or outside.append(asked.url))

    def picture(name):
        SCREENSHOTS.mkdir(parents=True, exist_ok=True)
        page.screenshot(path=SCREENSHOTS / f"{device}-{name}.png", full_page=True)
        width = page.evaluate("document.documentElement.scrollWidth")
        assert width <= size["width"], f"{name} is wider than the screen: {width} px"

    page.picture = picture
    yield page
    context.close()
    assert outside == [], "a page loads something from another server"


def see(page, *texts):
    for text in texts:
        expect(page.locator("main").get_by_text(text).first).to_be_visible()


def decide(page, verdict, comment):
    button = page.get_by_role("button", name=re.compile(verdict))
    form = page.locator("form").filter(has=button)
    form.get_by_role("textbox").first.fill(comment)
    button.click()
