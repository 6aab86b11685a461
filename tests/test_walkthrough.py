"""The steps of a new user, with the headers of a browser and with those of a program."""

import json
import os
import subprocess

import pytest
from conftest import BINARY, Placet, eventually

HTML = {"Accept": "text/html"}


def settled(placet, call_id):
    """Waits until the state of the purchase is final and returns the purchase."""
    return eventually(lambda: (one := placet.purchases()[call_id])["state"] in ("succeeded", "denied", "failed") and one)


def test_the_banner_shows_everything_that_a_new_user_needs(tmp_path):
    with Placet(tmp_path, key=None) as placet:
        banner = "".join(eventually(lambda: len(placet.banner) > 4 and placet.banner))
        for part in (placet.url, ".placet", "local-dev-key", f"{placet.url}/inbox"):
            assert part in banner
        assert (tmp_path / ".placet").is_dir()
        lines = eventually(lambda: [line.strip(" $\n") for line in placet.banner if line.strip(" $").startswith("curl")])
        assert len(lines) == 2, banner
        for line in lines:
            subprocess.run(["sh", "-c", line], check=True, timeout=20, stdin=subprocess.DEVNULL)
        assert placet.purchases(), "the pasted lines have requested nothing"


def test_healthz_and_version(placet):
    assert placet.get("/healthz").json() == {"status": "ok"}
    assert placet.get("/version").status_code == 200


def test_a_purchase_is_approved_in_the_inbox_and_finalised_once(placet):
    asked = placet.post("/purchase-materials", json={"material": "oak", "quantity": 3}).json()
    call_id = asked["call_id"]
    assert asked["state"] == "pending"
    assert placet.purchases()[call_id]["status"] == "pending"

    inbox = placet.page("/inbox")
    assert "purchase_materials" in inbox.text
    (link,) = placet.waiting()
    assert link.endswith(call_id)

    page = placet.page(link)
    for part in ("purchase_materials", "material", "oak", "quantity", "3", "ago", "Deadline"):
        assert part in page.text, part
    answer = placet.press(page, "Approve", comment="go ahead")
    assert answer.status_code == 200 and "text/html" in answer.headers["Content-Type"]

    bought = settled(placet, call_id)
    assert (bought["status"], bought["material"], bought["quantity"]) == ("finalised", "oak", 3)
    assert bought["comment"] == "go ahead" and bought["result"]
    assert "finalised" in placet.page("/purchases").text
    assert placet.waiting() == []
    assert placet.call(call_id)["status"]["approved"] is True

    again = placet.press(page, "Deny", comment="too late")
    assert again.status_code == 409, "a second decision was accepted"
    assert placet.purchases()[call_id] == bought


def test_a_denial_shows_its_comment_and_runs_nothing(placet):
    call_id = placet.buy()
    denied = placet.press(placet.page(f"/inbox/{call_id}"), "Deny", comment="not this month")
    assert denied.status_code == 200
    purchase = settled(placet, call_id)
    assert (purchase["status"], purchase["comment"]) == ("denied", "not this month")
    assert (purchase["material"], purchase["quantity"]) == ("wood", 10), "the defaults"
    assert not purchase.get("result")
    text = placet.page("/purchases").text
    assert "denied" in text and "not this month" in text


def test_the_button_of_the_demo_page_requests_a_purchase(placet):
    page = placet.page("/purchase-materials")
    assert [form.method for form in page.forms] == ["post"] and len(page.forms[0].buttons) == 1
    assert placet.purchases() == {}, "opening the page has requested a purchase"
    after = placet.press(page, "")
    assert after.status_code == 200 and "pending" in after.text
    (purchase,) = placet.purchases().values()
    assert (purchase["material"], purchase["quantity"], purchase["state"]) == ("wood", 10, "pending")


def test_purchases_are_json_for_programs_and_a_page_for_browsers(placet):
    call_id = placet.buy(material="<b>bold</b>")
    assert placet.get("/purchases").headers["Content-Type"].startswith("application/json")
    assert placet.get("/purchases", headers={"Accept": "application/json"}).json()["purchases"][0]["call_id"] == call_id
    browser = {"Accept": "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"}
    page = placet.get("/purchases", headers=browser)
    assert page.headers["Content-Type"].startswith("text/html")
    assert "<b>bold</b>" not in page.text and "&lt;b&gt;" in page.text.replace("&#60;", "&lt;").replace("&#62;", "&gt;")


def test_get_and_head_change_nothing(placet):
    """Mail scanners and browsers open every link, often many times."""
    pending = placet.buy(material="oak")
    done = placet.buy(material="elm")
    placet.respond(done, approved=True)
    settled(placet, done)
    placet.ask("other-1", fn="deploy", version=7)

    def everything():
        calls = [placet.call(call_id) for call_id in (pending, done, "other-1")]
        pages = sorted(placet.page("/purchases").links), placet.waiting()
        return json.dumps([placet.purchases(), calls, pages], sort_keys=True)

    before = everything()
    paths, seen = ["/inbox", "/purchases", "/purchase-materials", f"/inbox/{done}", "/healthz", "/version"], set()
    paths.append(placet.link(pending))
    while paths:
        path = paths.pop()
        if path in seen or not path.startswith("/"):
            continue
        seen.add(path)
        reply = placet.get(path, headers=HTML)
        assert reply.status_code == 200, path
        if "html" in reply.headers["Content-Type"]:
            paths += placet.page(path).links
    assert f"/inbox/{pending}" in seen

    for path in sorted(seen):
        for method in ("GET", "HEAD"):
            for accept in ("text/html", "application/json"):
                for _ in range(50):
                    reply = placet.request(method, path, headers={"Accept": accept}, allow_redirects=False)
                    assert reply.status_code < 500, f"{method} {path}"
    for path in ("/d/not-a-token", f"/inbox/{pending}?verdict=approve", f"/inbox/{pending}?approve=true"):
        placet.get(path, headers=HTML)
    assert everything() == before


def test_a_decision_link_decides_once_and_other_links_stop_working(placet):
    call_id = placet.buy(material="oak")
    link, sibling = placet.link(call_id), placet.link(call_id, "7d")
    assert link.startswith("/d/") and link != sibling
    page, late = placet.page(link), placet.page(sibling)
    assert "oak" in page.text
    assert placet.press(page, "Approve", comment="by mail").status_code == 200
    bought = settled(placet, call_id)
    assert (bought["status"], bought["comment"]) == ("finalised", "by mail")
    for used in (page, late):
        again = placet.press(used, "Deny", comment="too late")
        assert 400 <= again.status_code < 500
    assert placet.purchases()[call_id] == bought
    assert link.removeprefix("/d/") not in placet.log.read_text(), "a link that can decide is in the log"


def test_a_link_that_is_changed_or_too_old_opens_nothing(placet):
    call_id = placet.buy(material="oak")
    link, other = placet.link(call_id), placet.link(placet.buy(material="elm"))
    page = placet.page(link)
    form, pressed = page.button("Approve")
    middle = len(link) // 2
    for wrong in (link[:-1], link + "A", link[:middle] + ("A" if link[middle] != "A" else "B") + link[middle + 1 :], other):
        assert wrong == other or placet.get(wrong, headers=HTML).status_code in (400, 401, 403, 404, 410)
        posted = placet.post(wrong, data=form.values | pressed, headers=HTML)
        assert 400 <= posted.status_code < 500, wrong
    short = placet.link(call_id, "300ms")
    eventually(lambda: placet.get(short, headers=HTML).status_code in (401, 403, 404, 410))
    assert 400 <= placet.post(short, data=form.values | pressed, headers=HTML).status_code < 500
    assert {one["state"] for one in placet.purchases().values()} == {"pending"}


@pytest.mark.parametrize(
    "foreign",
    [
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Origin": "http://127.0.0.1:1"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Host": "rebound.example"},
    ],
    ids=lambda headers: " ".join(headers.values()),
)
def test_pages_of_other_sites_cannot_post(placet, foreign):
    call_id = placet.buy()
    page = placet.page(f"/inbox/{call_id}")
    form, pressed = page.button("Approve")
    decision = placet.post(form.action, data=form.values | pressed, headers=HTML | foreign)
    assert 400 <= decision.status_code < 500
    asked = placet.post("/purchase-materials", data={"material": "gold", "quantity": "1"}, headers=HTML | foreign)
    assert 400 <= asked.status_code < 500
    plain = {"Content-Type": "text/plain"} | foreign
    assert 400 <= placet.post("/purchase-materials", data='{"material": "gold"}', headers=plain).status_code < 500
    (purchase,) = placet.purchases().values()
    assert purchase["state"] == "pending"


def test_a_name_that_resolves_to_loopback_reads_nothing(placet):
    placet.buy(material="secret-oak")
    for path in ("/inbox", "/purchases"):
        for accept in ("text/html", "application/json"):
            reply = placet.get(path, headers={"Accept": accept, "Host": "rebound.example"})
            assert 400 <= reply.status_code < 500 and "secret-oak" not in reply.text


def test_unknown_calls_and_pages_are_404(placet):
    assert placet.get("/inbox/no-such-call", headers=HTML).status_code == 404
    assert placet.get("/no-such-page").status_code == 404
    assert placet.api("GET", "/function_calls/no-such-call").status_code == 404
    assert placet.respond("no-such-call", approved=True).status_code == 404


def test_nothing_is_lost_by_kill_9_or_stop(tmp_path):
    with Placet(tmp_path) as placet:
        waits, denied, bought = (placet.buy(material=material) for material in ("oak", "elm", "ash"))
        placet.respond(denied, approved=False, comment="no")
        placet.respond(bought, approved=True, comment="yes")
        placet.kill9()
        placet.restart()
        assert settled(placet, bought)["status"] == "finalised"
        before = placet.purchases()
        assert [before[one]["state"] for one in (waits, denied, bought)] == ["pending", "denied", "succeeded"]

        assert placet.stop() == 0
        placet.restart()
        assert placet.purchases() == before
        placet.press(placet.page(f"/inbox/{waits}"), "Approve")
        assert settled(placet, waits)["status"] == "finalised"


def test_the_log_is_json_lines(placet):
    call_id = placet.buy()
    placet.respond(call_id, approved=True)
    settled(placet, call_id)
    lines = placet.log.read_text().splitlines()
    assert lines and all(isinstance(json.loads(line), dict) for line in lines)


def test_a_dotenv_file_is_read_and_the_environment_wins(tmp_path):
    (tmp_path / ".env").write_text("PLACET_LOCAL_KEY=from-the-file\nPLACET_DATA_DIR=elsewhere\n")
    with Placet(tmp_path) as placet:
        assert (tmp_path / "elsewhere").is_dir()
        placet.ask("call-1")
        placet.key = "from-the-file"
        assert placet.api("GET", "/function_calls/call-1").status_code == 401


def test_only_one_process_can_use_a_folder(placet):
    second = subprocess.run(
        [BINARY], cwd=placet.folder, env=placet.environment, timeout=30,
        capture_output=True, text=True, stdin=subprocess.DEVNULL,
    )
    assert second.returncode != 0 and ".placet" in second.stderr + second.stdout
    assert placet.get("/healthz").status_code == 200


def test_the_error_of_a_wrong_configuration_names_its_line(tmp_path):
    (tmp_path / "placet.yaml").write_text("project: x\ncolour: red\n")
    environment = {**os.environ, "PLACET_ADDR": "127.0.0.1:0"}
    ended = subprocess.run(
        [BINARY], cwd=tmp_path, env=environment, timeout=30,
        capture_output=True, text=True, stdin=subprocess.DEVNULL,
    )
    said = ended.stderr + ended.stdout
    assert ended.returncode != 0 and "colour" in said and "line" in said and "panicked" not in said
