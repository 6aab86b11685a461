"""Starts Placet as a new user does and calls it over HTTP. Nothing here depends on its implementation."""

import base64
import json
import os
import platform
import re
import secrets
import signal
import subprocess
import sys
import threading
import time
from dataclasses import dataclass, field
from html.parser import HTMLParser
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import urljoin

import pytest
import requests

ROOT = Path(__file__).resolve().parent.parent
BINARY = Path(os.environ.get("PLACET_BIN", ROOT / "target/debug/placet"))

SHIPPED = (ROOT / "placet.yaml").read_text()

# Timeouts in seconds, far above the normal times: a machine may be busy, and a test must not hang.
START, REPLY, EVENT, STOP = 30, 20, 30, 20
BUILD = 1200

# The SDKs under test use proxy variables, but all servers of the tests are on this machine.
os.environ["NO_PROXY"] = os.environ["no_proxy"] = "127.0.0.1,localhost"


def pytest_addoption(parser):
    parser.addoption("--quick", action="store_true", help="leave out the tests that need packaged functions")


def pytest_collection_modifyitems(config, items):
    """Gives every test a timeout. The first test that needs the packages waits for their build."""
    needs_packages = [item for item in items if "packages" in item.fixturenames]
    if config.getoption("quick"):
        config.hook.pytest_deselected(items=needs_packages)
        items[:] = [item for item in items if item not in needs_packages]
    for item in items:
        if item.get_closest_marker("timeout") is None:
            item.add_marker(pytest.mark.timeout(BUILD + 60 if item in needs_packages else 900))


def pytest_terminal_summary(terminalreporter):
    """Names the tests that were not run; pytest only counts them."""
    reasons = [report.longrepr[-1] for report in terminalreporter.getreports("skipped")]
    for reason in dict.fromkeys(reasons):
        terminalreporter.write_line(f"not run: {reason.removeprefix('Skipped: ')}")


def eventually(read, within=EVENT):
    """Calls `read` until it returns a true value, and returns the value."""
    deadline = time.monotonic() + within
    while True:
        value = read()
        if value:
            return value
        assert time.monotonic() < deadline, f"not within {within} s: {read.__name__}, last {value!r}"
        time.sleep(0.05)


class Placet:
    """The `placet` program with its own folder for configuration, data and log."""

    def __init__(
        self, folder: Path, *,
        config: str | None = None, key: str | None = "random", signed: bool = True, long_poll: str = "0s",
    ):
        self.folder = folder
        self.key = f"key-{secrets.token_hex(12)}" if key == "random" else key or "local-dev-key"
        self.webhook_secret = "whsec_" + base64.b64encode(secrets.token_bytes(24)).decode() if signed else None
        (folder / "placet.yaml").write_text(config or SHIPPED)
        self.log = folder / "placet.log"
        ours = {
            "PLACET_ADDR": "127.0.0.1:0",
            "PLACET_LOCAL_KEY": self.key if key else None,
            "PLACET_LONG_POLL": long_poll,
            "PLACET_SECRET_HUMANLAYER": self.webhook_secret,
        }
        inherited = {name: value for name, value in os.environ.items() if not name.startswith(("PLACET_", "AWS_"))}
        self.environment = inherited | {name: value for name, value in ours.items() if value is not None}
        self.session = requests.Session()
        self.session.trust_env = False

    # Start and stop

    def start(self):
        assert BINARY.exists(), f"{BINARY} is missing: run `cargo build --workspace --bins`"
        self.process = subprocess.Popen(
            [BINARY], cwd=self.folder, env=self.environment, text=True,
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=self.log.open("a"),
        )
        self.banner = []
        threading.Thread(target=lambda out: self.banner.extend(out), args=[self.process.stdout], daemon=True).start()
        self.url = eventually(self._address, START)
        eventually(self._ready, START)
        return self

    def _address(self):
        assert self.process.poll() is None, f"placet ended with {self.process.returncode}:\n{self.log.read_text()}"
        found = re.search(r"address\s+(http://127\.0\.0\.1:\d+)", "".join(self.banner))
        return found and found.group(1)

    def _ready(self):
        try:
            return self.get("/healthz").status_code == 200
        except requests.ConnectionError:
            return False

    def kill9(self):
        self.process.send_signal(signal.SIGKILL)
        self.process.wait(STOP)

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(STOP)

    def restart(self):
        return self.start()

    def __enter__(self):
        return self.start()

    def __exit__(self, failed, *_):
        alive = self.process.poll() is None
        try:
            if alive:
                self.stop()
        finally:
            self.process.kill()
            self.session.close()
        log = self.log.read_text()
        print("the end of the log:", *log.splitlines()[-40:], sep="\n")
        if not failed:
            assert alive, "placet died during the test"
            assert "panicked" not in log
            for secret in (self.key, self.webhook_secret):
                assert secret is None or secret == "local-dev-key" or secret not in log, "a secret is in the log"

    # Requests

    def request(self, method, path, **options):
        return self.session.request(method, self.url + path, timeout=REPLY, **options)

    def get(self, path, **options):
        return self.request("GET", path, **options)

    def post(self, path, **options):
        return self.request("POST", path, **options)

    def api(self, method, path, **options):
        """Sends a request to HumanLayer's API with the key."""
        return self.request(method, "/humanlayer/v1" + path, headers={"Authorization": f"Bearer {self.key}"}, **options)

    # Actions of users

    def buy(self, **purchase):
        """POST /purchase-materials; returns the call id."""
        reply = self.post("/purchase-materials", json=purchase)
        assert reply.status_code == 200, reply.text
        return reply.json()["call_id"]

    def purchases(self):
        """GET /purchases, by call id."""
        return {one["call_id"]: one for one in self.get("/purchases").json()["purchases"]}

    def ask(self, call_id, fn="anything", **kwargs):
        """Requests approval of a function call in HumanLayer's format."""
        call = {"run_id": "tests", "call_id": call_id, "spec": {"fn": fn, "kwargs": kwargs}}
        reply = self.api("POST", "/function_calls", json=call)
        assert reply.status_code == 200, reply.text
        return reply.json()

    def request_run(self, call_id, fn, **kwargs):
        """Requests approval of a function call that Placet runs, in Placet's own API."""
        call = {"kind": "function_call", "run_id": "tests", "call_id": call_id, "fn": fn, "kwargs": kwargs}
        reply = self.post("/v1/operations", json=call, headers={"Authorization": f"Bearer {self.key}"})
        assert reply.status_code == 201, reply.text
        return reply.json()

    def call(self, call_id):
        return self.api("GET", f"/function_calls/{call_id}").json()

    def approved(self, call_id):
        """Returns True, False, or None before a decision."""
        return self.call(call_id)["status"].get("approved")

    def respond(self, call_id, **answer):
        return self.api("POST", f"/agent/function_calls/{call_id}/respond", json=answer)

    def link(self, call_id, *options):
        """Returns the path of a signed decision link from `placet link`."""
        printed = subprocess.run(
            [BINARY, "link", call_id, *options], cwd=self.folder, env=self.environment, timeout=REPLY,
            capture_output=True, text=True, stdin=subprocess.DEVNULL,
        )
        assert printed.returncode == 0, printed.stderr
        return printed.stdout.strip().removeprefix(self.url)

    def page(self, path):
        reply = self.get(path, headers={"Accept": "text/html"})
        assert reply.status_code == 200 and reply.headers["Content-Type"].startswith("text/html"), reply.text
        return Page(path, reply.text)

    def waiting(self):
        """Returns the addresses of the operations in the inbox."""
        return sorted(link for link in self.page("/inbox").links if link.startswith("/inbox/"))

    def press(self, page, button, **fields):
        """Submits the form with this button as a browser does, with all its fields and the typed values."""
        form, pressed = page.button(button)
        values = form.values | pressed | fields
        headers = {"Accept": "text/html", "Origin": self.url, "Sec-Fetch-Site": "same-origin"}
        return self.post(urljoin(page.path, form.action or page.path), data=values, headers=headers)


@dataclass
class Form:
    action: str
    method: str
    values: dict = field(default_factory=dict)
    buttons: list = field(default_factory=list)


class Page(HTMLParser):
    """An HTML page: its visible text, its links, its forms."""

    def __init__(self, path, html):
        super().__init__()
        self.path, self.html = path, html
        self.links, self.forms, self.words = [], [], []
        self._open, self._form, self._label, self._textarea = [], None, None, None
        self.feed(html)
        self.text = " ".join(" ".join(self.words).split())

    def button(self, name):
        """Returns the form and the value of the button with the text `name`."""
        for form in self.forms:
            for value, label in form.buttons:
                if name.lower() in "".join(label).lower():
                    return form, value
        raise AssertionError(f"no button {name!r} on {self.path}: {self.text}")

    def handle_starttag(self, tag, attributes):
        given = dict(attributes)
        if tag == "a" and given.get("href"):
            self.links.append(given["href"])
        elif tag == "form":
            self._form = Form(given.get("action", ""), given.get("method", "get").lower())
            self.forms.append(self._form)
        elif self._form is None or "disabled" in given:
            return
        elif tag == "button" or (tag == "input" and given.get("type") == "submit"):
            value = {given["name"]: given.get("value", "")} if "name" in given else {}
            self._label = [given.get("value", "")]
            self._form.buttons.append((value, self._label))
        elif tag == "input" and "name" in given:
            choice = given.get("type") in ("radio", "checkbox")
            if not choice or "checked" in given:
                self._form.values[given["name"]] = given.get("value", "")
        elif tag == "textarea":
            self._textarea = given["name"]
            self._form.values[self._textarea] = ""

    def handle_endtag(self, tag):
        if tag == "form":
            self._form = None
        elif tag == "button":
            self._label = None
        elif tag == "textarea":
            self._textarea = None

    def handle_data(self, data):
        self.words.append(data)
        if self._label is not None:
            self._label.append(data)
        if self._textarea is not None:
            self._form.values[self._textarea] += data


@dataclass
class Received:
    headers: dict
    body: bytes

    @property
    def json(self):
        return json.loads(self.body)


class Target:
    """An HTTP endpoint. It keeps every POST and answers with the result of `behave`.

    `behave(received)` returns a status and a JSON value, or None to close the connection unanswered.
    """

    def __init__(self, address=("127.0.0.1", 0)):
        self.received: list[Received] = []
        self.behave = lambda received: (200, {"done": True})
        target = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self):
                body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
                received = Received({name.lower(): value for name, value in self.headers.items()}, body)
                target.received.append(received)
                answer = target.behave(received)
                self.close_connection = True
                if answer is None:
                    return
                try:
                    raw = json.dumps(answer[1]).encode()
                    self.send_response(answer[0])
                    self.send_header("Content-Type", "application/json")
                    self.send_header("Content-Length", str(len(raw)))
                    self.end_headers()
                    self.wfile.write(raw)
                except OSError:
                    pass  # The caller was killed in the meantime.

            def log_message(self, *_):
                pass

        self.server = ThreadingHTTPServer(address, Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}/run"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def of(self, call_id):
        """Returns the requests for one operation."""
        return [one for one in list(self.received) if one.json["call_id"] == call_id]

    def close(self):
        self.server.shutdown()
        self.server.server_close()


def run(*command, timeout=120, **variables):
    """Runs a tool of the virtualenv in the repository and returns its output."""
    tools = Path(sys.executable).parent
    path = f"{tools}{os.pathsep}{os.environ['PATH']}"
    environment = os.environ | {"PATH": path, "SAM_CLI_TELEMETRY": "0"} | variables
    done = subprocess.run(
        [tools / command[0], *command[1:]], cwd=ROOT, env=environment, timeout=timeout, text=True,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
    )
    assert done.returncode == 0, done.stdout
    return done.stdout


@pytest.fixture(scope="session")
def packages(tmp_path_factory):
    """A real `sam build` of every function, without optimisation, which takes most of the time."""
    folder = tmp_path_factory.mktemp("packages")
    quick = {"OPT_LEVEL": "0", "LTO": "off", "CODEGEN_UNITS": "16"}
    run(
        *("sam", "build", "--config-env", "x86_64" if platform.machine() == "x86_64" else "default"),
        *("--build-dir", str(folder)),
        timeout=BUILD,
        **{f"CARGO_PROFILE_RELEASE_{key}": value for key, value in quick.items()},
    )
    return folder


@pytest.fixture
def placet(tmp_path):
    with Placet(tmp_path) as running:
        yield running


@pytest.fixture
def target():
    target = Target()
    yield target
    target.close()
