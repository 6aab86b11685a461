"""The memory of the webhook function as a process, under large requests that nobody signed. Anyone may send them."""

import base64
import http.server
import json
import os
import queue
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).resolve().parent.parent
BIN = os.environ.get("PLACET_BIN", "target/debug/placet")
BIN_DIR = ROOT / os.environ.get("PLACET_BIN_DIR", Path(BIN).parent)
# A packaged function starts with 9 MB (docs/COSTS.md) and has 32 MB. A test build starts with more, so the test
# bounds what comes on top.
MOST_GROWTH_KB = 22 * 1024
LARGEST = 4_600_000
FORM, JSON = "application/x-www-form-urlencoded", "application/json"
KEY = "0123456789abcdef0123456789abcdef"
SECRETS = {
    "github": KEY, "huma": KEY, "linear": KEY, "microsoft-graph": KEY, "slack": KEY, "twilio": KEY,
    "sns": "arn:aws:sns:us-east-1:123456789012:topic",
}
SIGNATURES = {
    "linear-signature": "00" * 32, "x-hub-signature-256": "sha256=" + "00" * 32, "x-slack-signature": "v0=" + "00" * 32,
    "x-slack-request-timestamp": str(int(time.time())), "x-twilio-signature": base64.b64encode(bytes(20)).decode(),
    "x-amz-sns-message-type": "Notification", "authorization": "Bearer wrong",
}
BODIES = [
    (JSON, b'{"a":"' + b'\\"' * 1_100_000 + b'"}'),
    (JSON, b"{" + b",".join(b'"a%d":1' % n for n in range(380_000)) + b"}"),
    (JSON, b"[" * LARGEST),
    (JSON, b'{"a":"' + b"x" * LARGEST),
    (FORM, b"&".join(b"a%d=%%41" % n for n in range(380_000))),
]


class RuntimeApi(http.server.ThreadingHTTPServer):
    """The Runtime API of Lambda: gives one event after the other, and keeps the answers."""

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Handler)
        self.events, self.answers = queue.Queue(), queue.Queue()
        threading.Thread(target=self.serve_forever, daemon=True).start()

    def answer(self, event):
        self.events.put(json.dumps(event).encode())
        return json.loads(self.answers.get(timeout=60))


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        event = self.server.events.get()
        self.send_response(200)
        self.send_header("Lambda-Runtime-Aws-Request-Id", "r")
        self.send_header("Lambda-Runtime-Deadline-Ms", str(int(time.time() * 1000) + 60_000))
        self.send_header("Lambda-Runtime-Invoked-Function-Arn", "arn:aws:lambda:us-east-1:1:function:webhook")
        self.send_header("Content-Length", str(len(event)))
        self.end_headers()
        self.wfile.write(event)

    def do_POST(self):
        body = b""
        if length := self.headers.get("Content-Length"):
            body = self.rfile.read(int(length))
        else:
            while size := int(self.rfile.readline(), 16):
                body += self.rfile.read(size)
                self.rfile.readline()
            self.rfile.readline()
        self.send_response(202)
        self.send_header("Content-Length", "0")
        self.end_headers()
        self.server.answers.put(body)

    def log_message(self, *_):
        pass


def event(source, content_type, body, in_base64):
    path = f"/webhooks/{source}"
    text = base64.b64encode(body).decode() if in_base64 else body.decode()
    return {
        "version": "2.0", "rawPath": path, "rawQueryString": "", "isBase64Encoded": in_base64, "body": text,
        "headers": {"content-type": content_type, **SIGNATURES},
        "requestContext": {"http": {"method": "POST", "path": path, "sourceIp": "192.0.2.1"}, "timeEpoch": 0},
    }


def peak_kb(process):
    """Returns the most memory that the process has had."""
    status = Path(f"/proc/{process.pid}/status").read_text()
    return next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmHWM"))


@pytest.mark.skipif(sys.platform != "linux", reason="not run: /proc is a part of Linux")
def test_an_unsigned_request_of_any_size_takes_little_memory(tmp_path):
    template = (ROOT / "template.yaml").read_text()
    threshold = next(line.split('"')[1] for line in template.splitlines() if "MALLOC_MMAP_THRESHOLD_" in line)
    config = tmp_path / "placet.yaml"
    config.write_text(yaml.safe_dump({"project": "default", "sources": {source: {} for source in SECRETS}}))
    api, nowhere = RuntimeApi(), "http://127.0.0.1:9"
    names = {f"PLACET_SECRET_{source.upper().replace('-', '_')}": secret for source, secret in SECRETS.items()}
    environment = {
        "AWS_LAMBDA_RUNTIME_API": f"127.0.0.1:{api.server_address[1]}", "AWS_LAMBDA_FUNCTION_NAME": "webhook",
        "AWS_LAMBDA_FUNCTION_VERSION": "1", "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "256",
        "AWS_LAMBDA_LOG_GROUP_NAME": "test", "AWS_LAMBDA_LOG_STREAM_NAME": "test", "AWS_REGION": "us-east-1",
        "AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test", "AWS_ENDPOINT_URL": nowhere,
        "PLACET_TABLE": "placet", "PLACET_WORK_QUEUE_URL": nowhere, "PLACET_CALLS_QUEUE_URL": nowhere,
        "PLACET_BLOBS": "s3://blobs", "PLACET_CONFIG": str(config), "PLACET_WEBHOOK_URL": "https://hooks.example.com",
        "MALLOC_MMAP_THRESHOLD_": threshold, **names,
    }
    log = (tmp_path / "log").open("w")
    process = subprocess.Popen([BIN_DIR / "placet-webhook"], env=environment, stdout=log, stderr=log)
    try:
        assert api.answer(event("github", JSON, b"{}", False))["statusCode"] == 401
        before = peak_kb(process)
        for content_type, body in BODIES:
            for source in SECRETS:
                for in_base64 in (False, True):
                    sent = event(source, content_type, body[:LARGEST], in_base64)
                    assert api.answer(sent)["statusCode"] in (401, 413), source
        assert peak_kb(process) - before <= MOST_GROWTH_KB
    finally:
        process.kill()
        process.wait()
        log.close()
        api.shutdown()
