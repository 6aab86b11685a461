"""Every sample event gets the answer in the table of `events/README.md`."""

import json
import platform
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from conftest import BINARY, ROOT, run

sys.path.insert(0, str(ROOT / "events"))
import invoke  # noqa: E402
import local  # noqa: E402

SAMPLES = invoke.samples()
# One event for each function. The event of the worker needs the webhook before it.
IN_CONTAINERS = ["approval-create", "webhook-github", "inbox-style", "worker-poison", "calls-delivery", "timer-schedule"]
PARAMETERS = ("--parameter-overrides", "Architecture=x86_64") if platform.machine() == "x86_64" else ()
IMAGE = f"public.ecr.aws/lambda/provided:al2023-{platform.machine().replace('aarch64', 'arm64')}"


@pytest.fixture(scope="module")
def answers(packages, tmp_path_factory):
    """The answers of the packaged functions, in the order of the table, on new engines."""
    folder = tmp_path_factory.mktemp("events")
    env_file = folder / "env.json"
    programs = invoke.packages(packages)
    with invoke.engines(BINARY, env_file), invoke.functions(programs, env_file, folder) as emulators:
        asked = {name: invoke.ask(sample, emulators) for name, sample in SAMPLES.items()}
        yield {name: invoke.ANEW.join(outcome for outcome, _ in replies) for name, replies in asked.items()}


@pytest.mark.parametrize("name", SAMPLES)
def test_a_sample_event_is_answered_as_the_readme_says(answers, name):
    assert answers[name] == SAMPLES[name].answer


def test_the_table_has_every_sample_event_once_with_its_function():
    files = sorted(path.stem for path in (ROOT / "events").glob("*.json"))
    assert sorted(SAMPLES) == files
    assert (ROOT / "events/README.md").read_text().count(".json` |") == len(files)
    assert all(name.startswith(f"{sample.function}-") for name, sample in SAMPLES.items())


def test_the_readme_shows_the_output_of_the_runner(packages, tmp_path, capsys):
    env_file = tmp_path / "env.json"
    programs = invoke.packages(packages)
    with invoke.engines(BINARY, env_file), invoke.functions(programs, env_file, tmp_path) as emulators:
        chosen = [SAMPLES["approval-health"], SAMPLES["approval-get"]]
        assert invoke.run(chosen, emulators, 100) == ["approval-get"], "the call does not exist yet"
    printed = capsys.readouterr().out
    assert "events/README.md says: 200" in printed
    first = "approval-health: GET /healthz\n        200 {\"status\":\"ok\"}\n"
    assert first in printed and first in (ROOT / "events/README.md").read_text()


def test_a_function_that_cannot_start_says_why(packages, tmp_path):
    """A folder in PLACET_BLOBS stops every packaged function from starting."""
    env_file = tmp_path / "env.json"
    program = {"inbox": invoke.packages(packages)["inbox"]}
    with invoke.engines(BINARY, env_file) as variables:
        env_file.write_text(json.dumps({"Parameters": variables | {"PLACET_BLOBS": "/tmp/blobs"}}))
        with invoke.functions(program, env_file, tmp_path) as emulators:
            with pytest.raises(invoke.Failure, match="PLACET_BLOBS is `/tmp/blobs`: it must be s3://<bucket>"):
                emulators["inbox"].invoke(SAMPLES["inbox-style"].event)


def docker(*command):
    program = shutil.which("docker")
    done = program and subprocess.run([program, *command], capture_output=True, timeout=600)
    return done and done.returncode == 0


@pytest.fixture(scope="module")
def in_containers(packages, tmp_path_factory):
    """A function that runs `sam local invoke` with the environment that local.py writes for containers."""
    if not docker("info"):
        pytest.skip("sam local invoke (no Docker engine answers)")
    if not docker("image", "inspect", IMAGE) and not docker("pull", IMAGE):
        pytest.skip(f"sam local invoke (the image {IMAGE} is missing and cannot be pulled)")
    env_file = tmp_path_factory.mktemp("containers") / "env.json"
    host = local.BRIDGE if sys.platform == "linux" else local.VIRTUAL_MACHINE
    with invoke.engines(BINARY, env_file, host):

        def invoked(name):
            printed = run(
                *("sam", "local", "invoke", f"{name.split('-')[0].capitalize()}Function"),
                *("--template", packages / "template.yaml", "--event", ROOT / f"events/{name}.json"),
                *("--env-vars", env_file, "--skip-pull-image", *PARAMETERS),
                timeout=300,
            )
            return printed.splitlines()

        yield invoked


@pytest.mark.parametrize("name", IN_CONTAINERS)
def test_sam_local_invoke_answers_as_the_readme_says(in_containers, name):
    printed = in_containers(name)
    replies = [json.loads(line) for line in printed if line.startswith("{") and "timestamp" not in line]
    [reply] = replies or [printed]
    assert invoke.outcome(SAMPLES[name].function, reply) == SAMPLES[name].answer
