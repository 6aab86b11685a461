"""The roles in the template allow every call that the functions make while all sample events run.

The local engines check no roles, so without this test a missing permission would fail only on AWS.
"""

import http.client
import json
import os
import sys
import threading
from collections import defaultdict
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from conftest import BINARY, ROOT
from test_template import ALLOWED, ENDPOINTS, QUEUES, WORKERS

sys.path.insert(0, str(ROOT / "events"))
import invoke  # noqa: E402

BIN_DIR = ROOT / os.environ.get("PLACET_BIN_DIR", BINARY.parent)
SERVICES = {name: name.rpartition("_")[2].lower() for name in ENDPOINTS}
S3 = {"PUT": "s3:PutObject", "GET": "s3:GetObject", "DELETE": "s3:DeleteObject"}
ALL_QUEUES = QUEUES | {"PLACET_DEAD_LETTER_QUEUE_URL": "DeadLetterQueue"}


class Recorder:
    """Forwards the requests of one function to one engine, and records the permission that each request needs."""

    def __init__(self, service, variables, needed):
        self.service, self.variables, self.needed = service, variables, needed
        self.engine = urlsplit(variables[f"AWS_ENDPOINT_URL_{service.upper()}"]).netloc
        recorder = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def forward(self):
                body = self.rfile.read(int(self.headers.get("content-length") or 0))
                resource, action = recorder.permission(self.command, self.path, self.headers, body)
                recorder.needed[resource].add(action)
                engine = http.client.HTTPConnection(recorder.engine, timeout=invoke.INVOKE_SECONDS)
                engine.request(self.command, self.path, body, dict(self.headers))
                answer = engine.getresponse()
                content = answer.read()
                engine.close()
                self.send_response(answer.status)
                for name, value in answer.getheaders():
                    if name.lower() not in ("content-length", "transfer-encoding", "connection"):
                        self.send_header(name, value)
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)

            do_GET = do_POST = do_PUT = do_DELETE = forward

            def log_message(self, *_):
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def permission(self, method, path, headers, body):
        """Returns the resource and the action, in the form of the table in test_template.py."""
        if self.service == "s3":
            key = urlsplit(path).path.removeprefix("/" + self.variables["PLACET_BLOBS"].removeprefix("s3://")).lstrip("/")
            return (key.partition("/")[0], S3[method]) if key else ("Blobs", "s3:ListBucket")
        action, sent = headers["x-amz-target"].partition(".")[2], json.loads(body)
        if self.service == "dynamodb":
            return sent.get("IndexName", "Table"), f"dynamodb:{action}"
        [queue] = [name for variable, name in ALL_QUEUES.items() if self.variables[variable] == sent["QueueUrl"]]
        return queue, f"sqs:{action.removesuffix('Batch')}"

    def close(self):
        self.server.shutdown()
        self.server.server_close()


@pytest.fixture(scope="module")
def needed(tmp_path_factory):
    """The permissions that each function needs, by resource."""
    folder = tmp_path_factory.mktemp("permissions")
    env_file, rie = folder / "env.json", invoke.emulator()
    needed = {function: defaultdict(set) for function in invoke.PROGRAMS}
    emulators, recorders = {}, []
    with invoke.engines(BIN_DIR / "placet", env_file) as variables:
        given = invoke.environments(env_file)
        try:
            for function, program in invoke.programs(BIN_DIR).items():
                own = {name: Recorder(service, variables, needed[function]) for name, service in SERVICES.items()}
                recorders += own.values()
                environment = given[function] | {name: recorder.url for name, recorder in own.items()}
                log = folder / f"{function}.log"
                emulators[function] = invoke.Emulator(rie, function, program, environment, log)
            for sample in invoke.samples().values():
                answers = [answer for answer, _ in invoke.ask(sample, emulators)]
                assert invoke.ANEW.join(answers) == sample.answer, sample.name
        finally:
            for emulator in emulators.values():
                invoke.stop(emulator.process)
            for recorder in recorders:
                recorder.close()
    return needed


@pytest.mark.parametrize("function", ALLOWED)
def test_a_function_needs_no_permission_that_the_template_lacks(needed, function):
    assert needed[function]["Table"], "nothing was recorded"
    for resource, actions in needed[function].items():
        assert actions <= ALLOWED[function].get(resource, set()), resource
