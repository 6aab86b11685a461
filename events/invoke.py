"""Runs the sample events as `sam local invoke` does, but without Docker.

    cargo xtask events [NAME...]     which is:
    .venv/bin/python events/invoke.py --programs target/debug [NAME...]

Starts fresh engines, lets local.py write the environment file, and starts each function under AWS's
runtime interface emulator with the environment that SAM's own code makes of template.yaml and that
file. Then it invokes the events, all in the order of the table in README.md or the named ones in the
order given, and compares each answer with the table. Needs Linux: the emulator is a Linux program.
"""

import argparse
import base64
import contextlib
import ipaddress
import json
import os
import platform
import re
import secrets
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import warnings
from dataclasses import dataclass
from pathlib import Path

import requests
import samcli
from samcli.commands.local.lib.local_lambda import LocalLambdaRunner
from samcli.lib.providers.sam_function_provider import SamFunctionProvider
from samcli.lib.providers.sam_stack_provider import SamLocalStackProvider

import sign

EVENTS = Path(__file__).resolve().parent
ROOT = EVENTS.parent
# Each function and its program; the worker is deployed once for each queue.
PROGRAMS = {name: f"placet-{name}" for name in ("webhook", "approval", "inbox", "worker", "timer")}
PROGRAMS |= {"calls": PROGRAMS["worker"]}
WORKERS = ("worker", "calls")
LOOPBACK = "127.0.0.1"
START_SECONDS, INVOKE_SECONDS, STOP_SECONDS = 30, 60, 10
ANEW = ", signed anew "
WIDTH = 100  # of a reply, when all events are run


class Failure(Exception):
    """Something did not start, or broke. The message names it and the fix."""


# The table of README.md


@dataclass(frozen=True)
class Sample:
    """A row of the table: a file of this folder, its function, and the answer to it."""

    name: str
    function: str
    answer: str

    @property
    def event(self):
        return json.loads((EVENTS / f"{self.name}.json").read_text())


def samples():
    """The sample events by name, in the order of the table."""
    row = re.compile(r"^\| `([\w-]+)\.json` \| (\w+)Function \| ([^|]+) \|", re.MULTILINE)
    rows = row.findall((EVENTS / "README.md").read_text())
    return {name: Sample(name, function.lower(), answer) for name, function, answer in rows}


def outcome(function, reply):
    """What the table calls this reply of a function."""
    if function in WORKERS:
        again = len(reply["batchItemFailures"])
        return {0: "done", 1: "one record fails"}.get(again, f"{again} records fail")
    if function == "timer":
        return f"{reply['failed']} items failed" if reply["failed"] else "done"
    return str(reply["statusCode"])


# What SAM gives a function


class Runner(LocalLambdaRunner):
    """SAM's own, without credentials of this machine: SAM puts placeholders in their place."""

    def get_aws_creds(self):
        return {}


def environments(env_file):
    """The variables that `sam local invoke --env-vars env_file` gives the container of each function.

    SAM would prefer a variable of the shell to the template; here the shell does not count. /opt, where a
    container has the layer, is the folder of the layer.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # SAM uses what it deprecates itself.
        stacks, _ = SamLocalStackProvider.get_stacks(str(ROOT / "template.yaml"))
        provider = SamFunctionProvider(stacks, ignore_code_extraction_warnings=True)
    given = json.loads(Path(env_file).read_text())
    runner = Runner(None, provider, str(ROOT), str(ROOT), env_vars_values=given)
    made = {}
    for function in provider.get_all():
        variables = runner.get_invoke_config(function).env_vars
        variables.shell_env_values = {}
        [layer] = function.layers
        here = {"/opt/placet.yaml": str(ROOT / layer.codeuri / "placet.yaml")}
        made[function.name.removesuffix("Function").lower()] = {
            name: here.get(value, value) for name, value in variables.resolve().items()
        }
    return made


# Engines and functions


def stop(process):
    process.terminate()
    try:
        process.wait(STOP_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


@contextlib.contextmanager
def engines(program, env_file, host=LOOPBACK):
    """`placet engines | python3 events/local.py HOST FILE`; yields the variables in the file."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("PLACET_", "AWS_"))}
    pipes = {"cwd": ROOT, "env": clean, "stdout": subprocess.PIPE}
    with contextlib.ExitStack() as running:

        def start(*command, **stdin):
            process = running.enter_context(subprocess.Popen(command, **stdin, **pipes))
            running.callback(stop, process)
            return process

        embedded = start(program, "engines", stdin=subprocess.DEVNULL)
        local = start(sys.executable, EVENTS / "local.py", host, env_file, stdin=embedded.stdout)
        embedded.stdout.close()
        if not local.stdout.readline():
            raise Failure(f"`{program} engines` or events/local.py did not start; see above")
        yield json.loads(Path(env_file).read_text())["Parameters"]


def emulator():
    """AWS's runtime interface emulator, which SAM's wheel brings."""
    if sys.platform != "linux":
        raise Failure("AWS's emulator is a Linux program: use `sam local invoke` here, see events/README.md")
    machine = {"x86_64": "x86_64", "aarch64": "arm64"}.get(platform.machine())
    if machine is None:
        raise Failure(f"AWS's emulator is for x86_64 and arm64, and this machine is {platform.machine()}")
    rie = Path(samcli.__file__).parent / f"local/rapid/aws-lambda-rie-{machine}"
    if not os.access(rie, os.X_OK):  # A wheel can be unpacked without modes.
        rie.chmod(0o755)
    return rie


def free_address():
    """A port on a loopback address that nobody else uses, so the port is still free a moment later."""
    host = str(ipaddress.IPv4Address("127.1.0.0") + secrets.randbelow(2**22))
    with socket.socket() as probe:
        probe.bind((host, 0))
        return probe.getsockname()


class Emulator:
    """One function under the emulator. What it logs is in `log`."""

    def __init__(self, rie, function, program, environment, log):
        address, runtime_address = free_address(), free_address()
        self.function, self.log = function, log
        self.url = "http://{}:{}/2015-03-31/functions/function/invocations".format(*address)
        self.session = requests.Session()
        self.session.trust_env = False
        flags = [
            *("--log-level", "warning"),
            *("--runtime-interface-emulator-address", "{}:{}".format(*address)),
            *("--runtime-api-address", "{}:{}".format(*runtime_address)),
        ]
        with log.open("w") as out:
            command = [rie, *flags, Path(program).resolve()]
            self.process = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=out, stderr=out)
        self.wait_for(address)

    def wait_for(self, address):
        deadline = time.monotonic() + START_SECONDS
        while True:
            try:
                socket.create_connection(address, 1).close()
                return
            except OSError:
                if self.process.poll() is not None or time.monotonic() > deadline:
                    stop(self.process)
                    raise self.failure("the emulator did not start") from None
                time.sleep(0.01)

    def failure(self, what):
        return Failure(f"{self.function}: {what}\n{self.log.read_text()}")

    def invoke(self, event):
        """What the function returns. One that did not start, or that fails, is a `Failure` with its log."""
        answer = self.session.post(self.url, data=json.dumps(event), timeout=INVOKE_SECONDS)
        try:
            reply = answer.json()
        except ValueError:
            raise self.failure(f"the function did not start or did not answer {answer.text}") from None
        if not answer.ok or "errorType" in reply:
            raise self.failure(f"the function failed: {reply}")
        return reply


def programs(folder):
    """The function programs of a Cargo target folder."""
    return {function: Path(folder) / program for function, program in PROGRAMS.items()}


def packages(folder):
    """The function programs of a `sam build`."""
    return {function: Path(folder) / f"{function.capitalize()}Function/bootstrap" for function in PROGRAMS}


@contextlib.contextmanager
def functions(programs, env_file, logs):
    """An emulator for each of these programs; yields them by the name of the function."""
    rie, given = emulator(), environments(env_file)
    with contextlib.ExitStack() as running:
        started = {}
        for name, program in programs.items():
            log = Path(logs) / f"{name}.log"
            started[name] = Emulator(rie, name, program, given[name], log)
            running.callback(stop, started[name].process)
        yield started


# One event after the other


def ask(sample, emulators):
    """Invokes a sample event; yields each outcome with its reply, the second of an event signed anew."""
    function, event = emulators[sample.function], sample.event
    reply = function.invoke(event)
    yield outcome(sample.function, reply), reply
    if ANEW in sample.answer:
        reply = function.invoke(sign.signed_webhook(event))
        yield outcome(sample.function, reply), reply


def described(event):
    """An event in a line: what is asked for."""
    if "Records" in event:
        return ", ".join(record["body"] for record in event["Records"])
    http = event.get("requestContext", {}).get("http")
    return f"{http['method']} {http['path']}" if http else event["detail-type"]


def shown(reply, width):
    """A reply in a line: of one that is HTTP the body, of a page its title."""
    text = reply["body"] if "statusCode" in reply else json.dumps(reply)
    if reply.get("isBase64Encoded"):
        text = base64.b64decode(text).decode(errors="replace")
    title = re.search("<title>(.*)</title>", text)
    text = " ".join((title.group(1) if title else text).split())
    return text if width is None or len(text) <= width else text[: width - 1] + "…"


def run(chosen, emulators, width):
    """Invokes these, prints each, and returns the names of those with another answer than the table's."""
    differ = []
    for count, sample in enumerate(chosen, 1):
        print(f"[{count:2}/{len(chosen)}] {sample.name}: {described(sample.event)}", flush=True)
        outcomes = []
        for answer, reply in ask(sample, emulators):
            print(f"        {'signed anew: ' if outcomes else ''}{answer} {shown(reply, width)}", flush=True)
            outcomes.append(answer)
        if ANEW.join(outcomes) != sample.answer:
            print(f"        events/README.md says: {sample.answer}", flush=True)
            differ.append(sample.name)
    return differ


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--programs", type=Path, required=True, help="the folder of placet and placet-*")
    parser.add_argument("names", nargs="*", metavar="NAME", help="as in approval-create; all if none")
    options = parser.parse_args()
    known = samples()
    names = [Path(name).stem for name in options.names] or known
    unknown = [name for name in names if name not in known]
    if unknown:
        raise Failure(f"events/README.md has no sample event {', '.join(unknown)}")
    placet = options.programs / "placet"
    if not placet.exists():
        raise Failure(f"{placet} is missing: run `cargo build --workspace --bins`")
    folder = Path(tempfile.mkdtemp(prefix="placet-events-"))
    env_file = folder / "env.json"
    with (
        engines(placet, env_file),
        functions(programs(options.programs), env_file, folder) as emulators,
    ):
        differ = run([known[name] for name in names], emulators, None if options.names else WIDTH)
    if differ:
        hint = "\nThe table is true for all events in its order: an event may need those before it."
        raise Failure(
            f"{len(differ)} of {len(names)} differ: {', '.join(differ)}. The logs of the functions are in {folder}."
            f"{hint if options.names else ''}"
        )
    shutil.rmtree(folder)
    print(f"{len(names)} of {len(names)} sample events are answered as events/README.md says.")


if __name__ == "__main__":
    try:
        main()
    except Failure as failure:
        sys.exit(f"events: {failure}")
    except KeyboardInterrupt:
        sys.exit(130)
