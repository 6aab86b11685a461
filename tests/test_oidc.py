"""Sign-in at an OpenID Connect provider: the package `oidc-provider` of npm, on this machine."""

import os
import re
import shutil
import subprocess
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest
import requests
from conftest import REPLY, ROOT, START, Placet

PEOPLE = """
project: default
people:
  ana: {name: Ana Ruiz, email: Ana@example.com}
  una: {email: unverified@example.com}
  odo: {email: audience@example.com}
outbound: {allow_hosts: [127.0.0.1]}
"""
SECRET = "a secret of the client for a test"


class Provider:
    """The provider in `npm/oidc.mjs`."""

    def __init__(self, callback):
        node = shutil.which("node")
        assert node and (ROOT / "tests/npm/node_modules/oidc-provider").exists(), "run `cargo xtask test`"
        self.process = subprocess.Popen(
            [node, "oidc.mjs"], cwd=ROOT / "tests/npm", text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env={"PATH": os.environ["PATH"], "CLIENT_SECRET": SECRET, "CALLBACK": callback},
        )
        self.issuer = self.process.stdout.readline().strip()

    def stop(self):
        self.process.stdin.close()
        self.process.wait(START)


@pytest.fixture(scope="module")
def placet(tmp_path_factory):
    """A Placet that requires a sign-in, with the provider in its configuration."""
    folder = tmp_path_factory.mktemp("oidc")
    placet = Placet(folder)
    with placet:
        address = placet.url
    provider = Provider(f"{address}/sign-in/oidc/callback")
    oidc = f"{{issuer: '{provider.issuer}', client_id: placet, client_secret: env:OIDC_SECRET, name: Example}}"
    (folder / "placet.yaml").write_text(PEOPLE + f"sign_in: {{oidc: {oidc}}}\n")
    placet.environment |= {
        "PLACET_ADDR": urlsplit(address).netloc, "PLACET_SIGN_IN": "required", "OIDC_SECRET": SECRET,
    }
    try:
        with placet as running:
            yield running
        assert SECRET not in placet.log.read_text()
    finally:
        provider.stop()


class Browser:
    """A browser without scripts. It follows the redirects of the provider one by one."""

    def __init__(self, placet):
        self.placet, self.session = placet, requests.Session()
        self.session.trust_env = False

    def get(self, url):
        return self.session.get(url, timeout=REPLY, allow_redirects=False)

    def post(self, url, **fields):
        return self.session.post(url, data=fields, timeout=REPLY, allow_redirects=False)

    def ask(self):
        """Returns the address at the provider to which Placet sends the browser."""
        asked = self.get(self.placet.url + "/sign-in/oidc")
        assert asked.status_code == 303, asked.text
        return asked.headers["location"]

    def log_in(self, address, login):
        """Logs in at the provider, and returns the code and the state that it sends back."""
        answer = self.get(address)
        for _ in range(12):
            if answer.is_redirect:
                address = requests.compat.urljoin(address, answer.headers["location"])
                if "/sign-in/oidc/callback" in address:
                    query = parse_qs(urlsplit(address).query)
                    assert "code" in query, address
                    return {name: query[name][0] for name in ("code", "state")}
                answer = self.get(address)
                continue
            assert answer.status_code == 200, answer.text
            action = re.search(r'action="([^"]+)"', answer.text).group(1)
            prompt = re.search(r'name="prompt" value="([^"]+)"', answer.text).group(1)
            address = requests.compat.urljoin(address, action)
            answer = self.post(address, prompt=prompt, login=login, password="any")
        raise AssertionError(address)

    def answer(self, **fields):
        """Submits the form to which the provider sent the browser back."""
        return self.post(self.placet.url + "/sign-in/oidc/callback", **fields)

    def is_signed_in(self):
        return self.get(self.placet.url + "/inbox").status_code == 200


def changed(address, **parameters):
    """The address with other values of these parameters."""
    parts = urlsplit(address)
    query = {name: values[0] for name, values in parse_qs(parts.query).items()} | parameters
    return parts._replace(query=urlencode(query)).geturl()


def refused(reply, placet, reason):
    assert (reply.status_code, "Not signed in" in reply.text) == (403, True), reply.text
    assert any(reason in line for line in placet.log.read_text().splitlines()[-5:]), reason


def test_a_listed_person_signs_in_and_decides(placet):
    placet.ask("by-oidc", "anything", amount=3)
    browser = Browser(placet)
    assert "Sign in with Example" in browser.get(placet.url + "/sign-in").text
    answer = browser.log_in(browser.ask(), "ana@example.com")
    # The answer of the provider is a GET, which changes nothing.
    page = browser.get(placet.url + "/sign-in/oidc/callback?" + urlencode(answer))
    assert page.status_code == 200 and "Finish sign-in" in page.text
    assert not browser.is_signed_in()
    signed_in = browser.answer(**answer)
    assert (signed_in.status_code, signed_in.headers["location"]) == (303, "/inbox")
    operation = browser.get(placet.url + "/inbox/by-oidc").text
    fields = dict(re.findall(r'name="(digest|csrf)" value="([^"]+)"', operation))
    decided = browser.post(placet.url + "/inbox/by-oidc", verdict="approve", comment="", **fields)
    assert decided.status_code == 303, decided.text
    assert placet.approved("by-oidc") is True
    decision = placet.get(
        "/v1/operations/function_call/by-oidc", headers={"Authorization": f"Bearer {placet.key}"}
    ).json()["decision"]
    person = {"id": "ana", "name": "Ana Ruiz", "proof": "oidc", "from": "127.0.0.1"}
    assert decision["by"] == {"channel": "inbox", "person": person}


def test_a_code_is_used_once(placet):
    browser = Browser(placet)
    answer = browser.log_in(browser.ask(), "ana@example.com")
    cookie = browser.session.cookies["placet-attempt"]
    assert browser.answer(**answer).status_code == 303
    replay = Browser(placet)
    replay.session.cookies.set("placet-attempt", cookie)
    refused(replay.answer(**answer), placet, "the code was refused")
    assert not replay.is_signed_in()


@pytest.mark.parametrize(
    ("login", "reason"),
    [
        ("unverified@example.com", "the provider has not verified the e-mail address"),
        ("audience@example.com", "the id token: "),
        ("eve@example.com", "placet.yaml lists nobody with this e-mail address"),
    ],
)
def test_an_identity_that_does_not_count_is_refused(placet, login, reason):
    browser = Browser(placet)
    refused(browser.answer(**browser.log_in(browser.ask(), login)), placet, reason)
    assert not browser.is_signed_in()


def test_another_nonce_is_refused(placet):
    browser = Browser(placet)
    address = changed(browser.ask(), nonce="another")
    refused(browser.answer(**browser.log_in(address, "ana@example.com")), placet, "the id token: ")


def test_an_answer_counts_only_in_the_browser_that_asked(placet):
    browser, other = Browser(placet), Browser(placet)
    answer = browser.log_in(browser.ask(), "ana@example.com")
    refused(other.answer(**answer), placet, "this browser has no attempt")
    other.ask()
    refused(other.answer(**answer), placet, "the state is that of another attempt")
    other.session.cookies.clear()
    other.session.cookies.set("placet-attempt", "forged.token")
    refused(other.answer(**answer), placet, "the token is malformed")
    assert browser.answer(**answer).status_code == 303


def test_an_answer_without_a_code_is_refused(placet):
    browser = Browser(placet)
    browser.ask()
    reply = browser.get(placet.url + "/sign-in/oidc/callback?error=access_denied")
    refused(reply, placet, "the provider sent no code")
