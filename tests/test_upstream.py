"""Two systems: the unmodified SDK requests approval at one, and a person decides in the inbox of the other."""

import subprocess
import threading

import pytest
from conftest import BINARY, REPLY, SHIPPED, Placet, eventually
from humanlayer import FunctionCallSpec, HumanLayer

# Placet polls the upstream approver half a minute after the request, and the SDK polls every three seconds.
ANSWERED = 120
SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"

ALLOW = "outbound: {allow_hosts: [127.0.0.1]}\n"
ENDPOINT = "endpoints: {requester: {url: 'URL', secrets: [env:TO_REQUESTER], events: [v1beta2.function_call.completed]}}\n"
SHIPPED_APPROVER = "approver: {webhook: humanlayer}"
APPROVER = "approver: {humanlayer: {base_url: 'URL/humanlayer/v1', api_key: env:THEIR_KEY, webhook: humanlayer}}"


def system(tmp_path, name, config, **environment):
    folder = tmp_path / name
    folder.mkdir()
    placet = Placet(folder, config=config + ALLOW)
    placet.environment |= environment
    return placet


@pytest.fixture
def person(tmp_path, target):
    """The system of the person. It sends its events to the target, because it starts before the requesting system."""
    with system(tmp_path, "person", SHIPPED + ENDPOINT.replace("URL", target.url), TO_REQUESTER=SECRET) as placet:
        yield placet


@pytest.fixture
def requester(tmp_path, person):
    """The system that requests approval from the system of the person."""
    config = SHIPPED.replace(SHIPPED_APPROVER, APPROVER.replace("URL", person.url))
    with system(tmp_path, "requester", config, THEIR_KEY=person.key, PLACET_SECRET_HUMANLAYER=SECRET) as placet:
        yield placet
        assert person.key not in placet.log.read_text(), "the key is in the log"


@pytest.mark.parametrize(("webhook", "approved"), [(True, True), (True, False), (False, True)])
def test_the_sdk_gets_the_decision_of_the_upstream_approver(requester, person, target, webhook, approved):
    def relay(received):
        if not webhook:
            return 200, {}
        names = ("content-type", "svix-id", "svix-timestamp", "svix-signature")
        headers = {name: received.headers[name] for name in names}
        return requester.post("/webhook/inbound", data=received.body, headers=headers).status_code, {}

    target.behave = relay
    client = HumanLayer(run_id="tests", api_key=requester.key, api_base_url=requester.url + "/humanlayer/v1")
    spec = FunctionCallSpec(fn="wipe_disk", kwargs={"disk": "sda", "nested": {"x": [1, None]}}, state={"n": 1})
    answers = []
    threading.Thread(target=lambda: answers.append(client.fetch_approval(spec).as_completed()), daemon=True).start()

    [path] = eventually(person.waiting)
    page = person.page(path)
    assert "wipe_disk" in page.text and "sda" in page.text
    pressed = person.press(page, "Approve" if approved else "Deny", comment="seen elsewhere")
    assert pressed.ok, pressed.text

    [answer] = eventually(lambda: answers, ANSWERED)
    assert (answer.approved, answer.comment) == (approved, "seen elsewhere")
    assert requester.waiting() == [] == person.waiting()
    call = requester.call(path.removeprefix("/inbox/"))
    by = "webhook humanlayer" if webhook else f"upstream {person.url.removeprefix('http://')}"
    assert call["status"]["user_info"]["source"].startswith(by)
    assert call["spec"]["state"] == {"n": 1}


def test_check_names_the_upstream_approver_and_whether_its_key_is_set(requester, person):
    def check(environment):
        printed = subprocess.run(
            [BINARY, "check"], cwd=requester.folder, env=environment, timeout=REPLY,
            capture_output=True, text=True, stdin=subprocess.DEVNULL,
        )
        assert printed.returncode == 0, printed.stderr
        return printed.stdout

    base = f"{person.url}/humanlayer/v1 with the key THEIR_KEY"
    assert check(requester.environment).count(f"{base} (set)") == 2
    without = {name: value for name, value in requester.environment.items() if name != "THEIR_KEY"}
    assert check(without).count(f"{base} (not set)") == 2
