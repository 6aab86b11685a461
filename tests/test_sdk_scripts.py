"""Scripts that use the unmodified released SDKs of HumanLayer against Placet, with and without long polling.

Each runs with the local key, which is a self-approval key, and once more with a key for the agent and another for the
person who decides."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from conftest import BINARY, REPLY, ROOT, Placet

SDK, NPM = ROOT / "tests/sdk", ROOT / "tests/npm"
RELEASES = (SDK / "releases.txt").read_text().split()
INSTALLED = Path(sys.prefix) / "humanlayer"


@pytest.fixture(scope="module", params=["0s", "1s"], ids=["at once", "held"])
def placet(request, tmp_path_factory):
    with Placet(tmp_path_factory.mktemp("sdk"), long_poll=request.param) as running:
        yield running


@pytest.fixture(params=["one key", "two keys"])
def keys(request, placet):
    """The environment variables with the keys of the agent and of the person."""
    if request.param == "one key":
        return {}
    return {"HUMANLAYER_API_KEY": key(placet, "agent"), "PERSON_KEY": key(placet, "responder")}


def key(placet, role):
    made = subprocess.run(
        [BINARY, "key", "create", "--role", role], cwd=placet.folder, env=placet.environment, timeout=REPLY,
        capture_output=True, text=True, stdin=subprocess.DEVNULL,
    )
    assert re.fullmatch(r"placet_[A-Za-z0-9_-]{43}\n", made.stdout), made.stderr
    return made.stdout.strip()


def run(placet, *command, cwd=SDK, **environment):
    """Runs a script, checks that it succeeds, and returns its output. Its users set only the two HumanLayer variables."""
    settings = {"HUMANLAYER_API_KEY": placet.key, "HUMANLAYER_API_BASE": placet.url + "/humanlayer/v1"}
    machine = {"PATH": os.environ["PATH"], "HOME": str(placet.folder), "NO_PROXY": "127.0.0.1"}
    script = subprocess.run(
        command, cwd=cwd, env=machine | settings | environment, timeout=180,
        capture_output=True, text=True, stdin=subprocess.DEVNULL,
    )
    assert script.returncode == 0, script.stdout + script.stderr
    return script.stdout.splitlines()[-1]


def test_python(placet, keys):
    assert run(placet, sys.executable, "smoke.py", **keys) == "humanlayer 0.7.9 ok"


def older(placet, release, **keys):
    packages = INSTALLED / release
    assert packages.exists(), "run `cargo xtask test`: it installs the older releases"
    assert run(placet, sys.executable, "older.py", PYTHONPATH=str(packages), **keys) == f"humanlayer {release} ok"


@pytest.mark.parametrize("release", RELEASES)
def test_older_python(placet, keys, release):
    older(placet, release, **keys)


def test_the_oldest_python_sdk_works_with_the_longest_long_poll(tmp_path):
    """The oldest SDK stops waiting after ten seconds. The newer SDKs wait for thirty."""
    with Placet(tmp_path, long_poll="8s") as placet:
        older(placet, RELEASES[0])


@pytest.mark.parametrize("package", ["@humanlayer/sdk", "humanlayer"])
def test_typescript(placet, keys, package):
    node = shutil.which("node")
    installed = (NPM / "node_modules" / package).exists()
    assert node and installed, "run `cargo xtask test`, or `npm ci` in tests/npm (Node 18 or later)"
    assert run(placet, node, "smoke.mjs", package, cwd=NPM, **keys) == f"{package} ok"
