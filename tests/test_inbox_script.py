"""What the pages do with JavaScript: they refresh, keep what a person typed, take keys, and notice the deadline."""

import re

import pytest
from browser import VIEWPORTS, browser, decide, see, visitor  # noqa: F401: one of them is a fixture
from conftest import ROOT, Placet, eventually
from playwright.sync_api import expect
from test_inbox_browser import OPTIONS, question

AXE = ROOT / "tests/npm/node_modules/axe-core/axe.min.js"


@pytest.fixture
def person(browser, placet):
    with visitor(browser, placet, "desktop", script=True) as page:
        yield page


def soon(page):
    """Makes the page refresh now, as it does when a person comes back to it."""
    page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")


def test_a_list_shows_new_operations(person, placet):
    person.goto("/inbox")
    see(person, "Nothing is waiting for you")
    placet.ask("first", fn="deploy")
    soon(person)
    see(person, "deploy")
    expect(person).to_have_title(re.compile(r"^\(1\) For you"))


def test_a_page_shows_a_decision_that_was_made_elsewhere(person, placet):
    placet.ask("call", fn="deploy")
    person.goto("/inbox/call")
    placet.respond("call", approved=False, comment="not today")
    soon(person)
    see(person, "Denied: nothing runs", "not today")
    expect(person.get_by_role("button", name="Approve")).to_have_count(0)


def test_typed_text_is_kept_when_somebody_else_decides(person, placet):
    """The page of a stale tab says so, and the text stays where the person wrote it."""
    placet.ask("call", fn="deploy")
    person.goto("/inbox/call")
    person.get_by_label("Comment").fill("let us wait")
    placet.respond("call", approved=True)
    soon(person)
    see(person, "This operation has changed meanwhile.")
    expect(person.get_by_label("Comment")).to_have_value("let us wait")
    person.get_by_role("button", name=re.compile("Deny")).click()
    see(person, re.compile("Your denial did not count. It was approved"))
    expect(person.get_by_label(re.compile("Your text was not saved"))).to_have_value("let us wait")


def test_the_deadline_passes_while_the_page_is_open(browser, tmp_path):
    with Placet(tmp_path, config="project: default\ndefaults: {deadline: 3s}\n") as placet:
        with visitor(browser, placet, "phone", script=True) as person:
            placet.ask("call", fn="deploy")
            person.goto("/inbox/call")
            person.get_by_label("Comment").fill("almost")
            see(person, "The deadline has passed.")
            for name in ("Approve", "Deny"):
                expect(person.get_by_role("button", name=name)).to_be_disabled()
            expect(person.get_by_label("Comment")).to_have_value("almost")
            person.picture("50-deadline-passed")
            person.get_by_role("button", name="Show what happened").click()
            see(person, "Expired: nobody decided before the deadline")


def test_keys_move_open_and_decide_after_a_question(person, placet):
    for n in range(3):
        placet.ask(f"call-{n}", fn=f"deploy_{n}")
    person.goto("/inbox")
    for key, focused in [("j", "deploy_0"), ("j", "deploy_1"), ("k", "deploy_0"), ("k", "deploy_0")]:
        person.keyboard.press(key)
        expect(person.locator(":focus")).to_have_text(focused)
    person.keyboard.press("Enter")
    see(person, "Your decision")
    person.keyboard.press("a")
    expect(person.get_by_role("dialog")).to_contain_text("Approve deploy_0?")
    person.picture("51-confirm")
    person.keyboard.press("Escape")
    expect(person.get_by_role("dialog")).to_have_count(0)
    assert placet.approved("call-0") is None
    person.keyboard.press("d")
    expect(person.get_by_role("dialog")).to_contain_text("Deny deploy_0?")
    person.keyboard.press("Enter")
    see(person, "Denied: nothing runs", "2 more wait:")
    assert placet.approved("call-0") is False
    person.picture("52-next")
    person.keyboard.press("n")
    see(person, "deploy_1")


def test_letters_in_a_field_are_no_keys(person, placet):
    placet.ask("call", fn="deploy")
    person.goto("/inbox/call")
    person.get_by_label("Comment").press_sequentially("add a dad")
    expect(person.get_by_label("Comment")).to_have_value("add a dad")
    expect(person.get_by_role("dialog")).to_have_count(0)


def test_the_digest_can_be_copied(person, placet):
    placet.ask("call", fn="deploy")
    person.context.grant_permissions(["clipboard-read", "clipboard-write"])
    person.goto("/inbox/call")
    person.get_by_text("Details").click()
    person.get_by_role("button", name="Copy Digest").click()
    expect(person.get_by_role("button", name="Copy Digest")).to_have_text("Copied")
    digest = person.locator("input[name=digest]").first.get_attribute("value")
    assert person.evaluate("navigator.clipboard.readText()") == digest


def test_a_search_finds_an_operation_by_its_parts_and_by_its_id(person, placet):
    for n in range(3):
        placet.ask(f"call-{n}", fn=f"deploy_{n}")
    placet.respond("call-2", approved=False, comment="no")
    person.goto("/inbox?list=decided")
    see(person, "deploy_2")
    person.get_by_text("Search and filter").click()
    person.get_by_label("Function or subject").fill("DEPLOY_1")
    person.get_by_role("button", name="Search").click()
    see(person, "Nothing found")
    person.picture("53-nothing-found")
    person.get_by_role("link", name="All waiting").click()
    person.get_by_text("Search and filter").click()
    person.get_by_label("Function or subject").fill("DEPLOY_1")
    person.get_by_role("button", name="Search").click()
    expect(person.get_by_role("listitem")).to_have_count(1)
    person.get_by_label("Exact id").fill("call-2")
    person.get_by_role("button", name="Search").click()
    see(person, "Denied: nothing runs")


def fill(placet):
    """Every kind of page: short, long and hostile operations, questions, decisions and failures."""
    options = [{"name": "dear", "title": "Too dear", "prompt_fill": "At most 5", "interactive": True}, {"name": "no", "title": "Not now"}]
    spec = {"fn": "order", "kwargs": {"planks": 12, "total": 12500000}, "reject_options": options}
    placet.api("POST", "/function_calls", json={"run_id": "buyer", "call_id": "reasons", "spec": spec})
    placet.ask("hostile", fn="deploy", host="р\u0430ура\u006c.com", direction="txt\u202eexe", n="10", body="words " * 900)
    question(placet, "options", subject="Release 7", response_options=OPTIONS)
    question(placet, "free", msg="Which colour?")
    placet.api("POST", "/agent/human_contacts/options/escalate_email", json={"escalation_msg": "The customer waits"})
    placet.ask("denied", fn="order")
    placet.respond("denied", approved=False, comment="no")
    return [
        "/inbox", "/inbox?list=waiting", "/inbox?list=decided", "/inbox?list=problems", "/inbox?fn=nothing", "/inbox?since=x",
        "/inbox/reasons", "/inbox/reasons?option=dear", "/inbox/hostile", "/inbox/questions/options", "/inbox/questions/free",
        "/inbox/denied", "/inbox/no-such-call", "/purchases", "/purchase-materials", placet.link("reasons"), "/d/wrong",
    ]


def violations(person, paths):
    """What axe-core finds on these pages, with everything unfolded."""
    assert AXE.exists(), "run `cargo xtask test`, or `npm ci` in tests/npm"
    found = {}
    for path in paths:
        person.goto(path)
        person.evaluate("document.querySelectorAll('main details').forEach(one => one.open = true)")
        person.evaluate(AXE.read_text())
        tags = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
        result = person.evaluate("tags => axe.run(document, {runOnly: tags})", tags)
        for one in result["violations"]:
            found[path, one["id"]] = [(node["html"][:160], node["failureSummary"][:300]) for node in one["nodes"][:3]]
    return found


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("device", VIEWPORTS)
def test_axe_finds_nothing_on_any_page(browser, placet, device, scheme):
    pages = fill(placet)
    placet.buy()
    with visitor(browser, placet, device, script=True, color_scheme=scheme) as person:
        assert violations(person, pages) == {}


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_while_something_goes_wrong(browser, tmp_path, target, scheme):
    """An unknown outcome, an operation that failed, and a notification that the endpoint does not accept."""
    secret = "secret: 'env:PLACET_SECRET_HUMANLAYER'"
    pay = f"pay: {{executor: {{http: {{url: '{target.url}', {secret}}}}}}}"
    app = f"app: {{url: '{target.url}', secrets: ['env:PLACET_SECRET_HUMANLAYER'], events: [function_call.completed]}}"
    target.behave = lambda received: (422, {}) if b"call-failed" in received.body else None
    with Placet(tmp_path, config=f"project: default\noperations:\n  {pay}\nendpoints:\n  {app}\noutbound: {{allow_hosts: [127.0.0.1]}}\n") as placet:
        for call_id in ("call-failed", "call-unknown"):
            placet.request_run(call_id, "pay", amount=5)
            placet.respond(call_id, approved=True, comment="fine")
        with visitor(browser, placet, "phone", script=True, color_scheme=scheme) as person:
            person.goto("/inbox?list=problems")
            for words in ("Outcome unknown: find out", "Failed, or being tried again", "Notifications that do not get through"):
                expect(person.get_by_role("heading", name=words)).to_be_visible(timeout=30_000)
            person.picture("54-problems")
            delivery = person.locator("a[href^='/inbox/deliveries/']").first.get_attribute("href")
            pages = ["/inbox?list=problems", "/inbox/call-failed", "/inbox/call-unknown", delivery]
            assert violations(person, pages) == {}
            person.picture("55-notification")


def test_the_running_page_follows_the_operation(browser, tmp_path, target):
    config = f"project: default\noperations:\n  pay: {{executor: {{http: {{url: '{target.url}', secret: 'env:PLACET_SECRET_HUMANLAYER'}}}}}}\n"
    with Placet(tmp_path, config=config) as placet, visitor(browser, placet, "desktop", script=True) as person:
        placet.request_run("call", "pay", amount=5)
        person.goto("/inbox/call")
        decide(person, "Approve", "fine")
        see(person, "Done")
        eventually(lambda: target.of("call"))
