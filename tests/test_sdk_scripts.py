"""Scripts that use the unmodified released SDKs of HumanLayer against Placet, with and without long polling."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from conftest import ROOT, Placet

SDK, NPM = ROOT / "tests/sdk", ROOT / "tests/npm"
RELEASES = (SDK / "releases.txt").read_text().split()
INSTALLED = Path(sys.prefix) / "humanlayer"


@pytest.fixture(scope="module", params=["0s", "1s"], ids=["at once", "held"])
def placet(request, tmp_path_factory):
    with Placet(tmp_path_factory.mktemp("sdk"), long_poll=request.param) as running:
        yield running


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


def test_python(placet):
    assert run(placet, sys.executable, "smoke.py") == "humanlayer 0.7.9 ok"


def older(placet, release):
    packages = INSTALLED / release
    assert packages.exists(), "run `cargo xtask test`: it installs the older releases"
    assert run(placet, sys.executable, "older.py", PYTHONPATH=str(packages)) == f"humanlayer {release} ok"


@pytest.mark.parametrize("release", RELEASES)
def test_older_python(placet, release):
    older(placet, release)


def test_the_oldest_python_sdk_works_with_the_longest_long_poll(tmp_path):
    """The oldest SDK stops waiting after ten seconds. The newer SDKs wait for thirty."""
    with Placet(tmp_path, long_poll="8s") as placet:
        older(placet, RELEASES[0])


@pytest.mark.parametrize("package", ["@humanlayer/sdk", "humanlayer"])
def test_typescript(placet, package):
    node = shutil.which("node")
    installed = (NPM / "node_modules" / package).exists()
    assert node and installed, "run `cargo xtask test`, or `npm ci` in tests/npm (Node 18 or later)"
    assert run(placet, node, "smoke.mjs", package, cwd=NPM) == f"{package} ok"
