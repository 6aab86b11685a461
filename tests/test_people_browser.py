"""People: they get mail, sign in, see what is theirs, and decide it on a phone or a desktop."""

import email
import email.policy
import re
import subprocess

import pytest
import requests
from browser import browser, decide, see, visitor  # noqa: F401: one of them is a fixture
from conftest import BINARY, REPLY, Placet, eventually
from playwright.sync_api import expect
from test_inbox_browser import OPTIONS, question
from test_mail import Server, parts, smtp

PEOPLE = """
project: default
people:
  ana: {name: Ana Ruiz, email: ana@example.com}
  bo: {name: Bo Lind, email: bo@example.com, rights: [decide, operate]}
operations: {refund: {approvers: [ana]}}
outbound: {allow_hosts: [127.0.0.1]}
"""


@pytest.fixture(scope="module")
def server():
    with Server() as server:
        yield server


@pytest.fixture
def placet(tmp_path, server):
    server.inbox.mails.clear()
    placet = Placet(tmp_path, config=PEOPLE + smtp(server))
    placet.environment["PLACET_SIGN_IN"] = "required"
    with placet as running:
        yield running


def command(placet, *arguments):
    done = subprocess.run(
        [BINARY, *arguments], cwd=placet.folder, env=placet.environment, timeout=REPLY,
        capture_output=True, text=True, stdin=subprocess.DEVNULL,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def sign_in(page, placet, person):
    page.goto(command(placet, "invite", person).removeprefix(placet.url))
    page.get_by_role("button", name="Sign in").click()
    expect(page).to_have_url(f"{placet.url}/inbox")


def mails_to(server, address):
    """The mails that this address got, parsed."""
    mails = [mail for mail in server.inbox.mails if address in mail.rcpt_tos]
    return [email.message_from_bytes(mail.content, policy=email.policy.default) for mail in mails]


def link_in(mail):
    text, html = parts(mail)
    link = re.search(r"http://\S+/d/\S+", text).group(0)
    assert link in html
    return link


@pytest.mark.parametrize("device", ["phone", "desktop"])
def test_from_the_invitation_to_decisions(browser, placet, device):
    for n in range(2):
        placet.ask(f"call-{n}", fn="deploy", version=n)
    question(placet, "wood", "Oak or pine?", response_options=OPTIONS)
    placet.ask("not-for-bo", fn="refund", amount=3)
    with visitor(browser, placet, device) as page:
        page.goto("/inbox/call-0")
        see(page, "Sign in")
        sign_in(page, placet, "bo")
        see(page, "deploy")
        page.picture("60-signed-in")
        expect(page.get_by_text("Bo Lind")).to_be_visible()
        page.goto("/inbox/call-0")
        decide(page, "Approve", "go ahead")
        see(page, re.compile("Approved"))
        page.goto("/inbox/call-1")
        decide(page, "Deny", "too early")
        see(page, re.compile("Denied"), "too early")
        page.goto("/inbox?fn=refund&list=waiting")
        see(page, "refund")
        page.goto("/inbox/not-for-bo")
        expect(page.get_by_role("button", name="Approve")).to_have_count(0)
        page.get_by_role("button", name="Sign out").click()
        see(page, "Sign in")
    assert [placet.approved(f"call-{n}") for n in range(2)] == [True, False]
    assert placet.approved("not-for-bo") is None


def test_a_mail_decides_on_a_phone_and_scanners_do_not(browser, placet, server):
    placet.ask("call", fn="refund", amount=7)
    mail = eventually(lambda: mails_to(server, "ana@example.com"))[0]
    assert mails_to(server, "bo@example.com") == [], "only Ana decides refunds"
    links = set(re.findall(r'https?://[^\s"<>]+', "".join(parts(mail))))
    assert link_in(mail) in links
    for link in links:
        for _ in range(50):
            requests.get(link, timeout=REPLY)
            requests.head(link, timeout=REPLY)
    assert placet.approved("call") is None
    with visitor(browser, placet, "phone") as page:
        page.goto(link_in(mail).removeprefix(placet.url))
        page.picture("61-link-in-a-mail")
        see(page, "refund")
        decide(page, "Approve", "it is due")
        see(page, re.compile("Approved"), re.compile("Ana Ruiz"))
    assert placet.approved("call") is True


def test_a_revoked_session_and_a_revoked_link_end_at_once(browser, placet, server):
    placet.ask("call", fn="refund", amount=7)
    link = link_in(eventually(lambda: mails_to(server, "ana@example.com"))[0])
    made = command(placet, "link", "call", "--for", "ana")
    assert made != link
    with visitor(browser, placet, "desktop") as page:
        sign_in(page, placet, "ana")
        listed = command(placet, "session", "list")
        assert "ana" in listed and "open until" in listed
        command(placet, "session", "revoke", "ana")
        page.goto("/inbox")
        see(page, "Sign in")
    history = placet.get(
        "/v1/operations/function_call/call", headers={"Authorization": f"Bearer {placet.key}"}
    ).json()["history"]
    identity = next(entry["detail"]["link"] for entry in history if entry["event"] == "linked")
    command(placet, "link", "call", "--revoke", identity)
    assert requests.get(made, timeout=REPLY).status_code == 403
    assert requests.get(link, timeout=REPLY).status_code == 200


def test_a_person_who_is_removed_is_out_after_the_restart(browser, placet, server):
    placet.ask("call", fn="deploy")
    link = link_in(eventually(lambda: mails_to(server, "ana@example.com"))[0])
    with visitor(browser, placet, "desktop") as page:
        sign_in(page, placet, "ana")
        placet.environment["PLACET_ADDR"] = placet.url.removeprefix("http://")
        placet.stop()
        config = placet.folder / "placet.yaml"
        removed = [line for line in config.read_text().splitlines(True) if "ana" not in line]
        config.write_text("".join(removed))
        placet.restart()
        page.goto("/inbox")
        see(page, "Sign in")
    assert requests.get(link, timeout=REPLY).status_code == 403
