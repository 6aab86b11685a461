"""The Lambda binaries under AWS's own runtime interface emulator, fed with `events/*.json`.

Table and queue are the embedded engines (`placet engines`), in memory. The emulator knows no event
source mapping, so `work_off` hands the queue's messages to the worker, as Lambda would.
"""

import base64
import hashlib
import json
import os
import platform
import re
import select
import shutil
import socket
import subprocess
import sys
import time
from pathlib import Path
from urllib.parse import parse_qs

import boto3
import pytest
import requests
import samcli
import yaml
from botocore.config import Config

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "events"))
import sign  # noqa: E402

EVENTS = {path.stem: path for path in sorted((ROOT / "events").glob("*.json"))}
FUNCTIONS = ["webhook", "approval", "inbox", "worker", "timer"]
BIN = os.environ.get("PLACET_BIN", "target/debug/placet")
BIN_DIR = ROOT / os.environ.get("PLACET_BIN_DIR", Path(BIN).parent)
START_SECONDS = 30
# What the sample events of the API answer, one after the other.
ANSWERS = {
    "call": "create 200, agent-get 200, pending 200, escalate 200, respond 200, escalate 200, respond 409",
    "question": "contact-get 404, contact-create 200, human-contact-create 200, contact-get 200, "
    "contacts-pending 200, contact-escalate 200, contact-respond 200, contact-respond 409",
    "operation": "operation 404, operation-create 201, operation-create 200, operation 200, operations 200, "
    "operation-decision 200, operation-decision 409, operation-cancel 409",
    "cancelled": "operation-create 201, operation-cancel 200, operation-cancel 200, operation-decision 409",
    "shipped": "project 200, status 200, channel 404, endpoints 200, endpoint-test 404, openapi 200, health 200",
}
CREDENTIALS = {"AWS_ACCESS_KEY_ID": "local", "AWS_SECRET_ACCESS_KEY": "local"}


def event(name):
    return json.loads(EVENTS[name].read_text())


def renamed(name, suffix):
    """The sample event for an operation of a test's own; some ids are made from idempotency keys."""
    keys = (f"operation-{one}".encode() for one in ("sample", suffix))
    old, new = (hashlib.sha256(key).hexdigest()[:32] for key in keys)
    return json.loads(EVENTS[name].read_text().replace(old, new).replace("-sample", f"-{suffix}"))


def stop(process):
    process.terminate()
    try:
        process.wait(10)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Emulator:
    """One function under the runtime interface emulator, on ports of its own."""

    def __init__(self, rie, function, environment):
        port, runtime_port = free_port(), free_port()
        self.function = function
        self.url = f"http://127.0.0.1:{port}/2015-03-31/functions/function/invocations"
        self.session = requests.Session()
        self.session.trust_env = False
        flags = [
            *("--log-level", "warning"),
            *("--runtime-interface-emulator-address", f"127.0.0.1:{port}"),
            *("--runtime-api-address", f"127.0.0.1:{runtime_port}"),
        ]
        command = [rie, *flags, BIN_DIR / f"placet-{function}"]
        self.process = subprocess.Popen(command, cwd=ROOT, env=environment)
        self.wait_for(port)

    def wait_for(self, port):
        deadline = time.monotonic() + START_SECONDS
        while True:
            try:
                socket.create_connection(("127.0.0.1", port), 1).close()
                return
            except OSError:
                assert self.process.poll() is None, f"the emulator of {self.function} ended"
                assert time.monotonic() < deadline, f"the emulator of {self.function} is not up"
                time.sleep(0.01)

    def invoke(self, payload):
        reply = self.session.post(self.url, data=json.dumps(payload), timeout=60)
        body = reply.json()
        assert reply.status_code == 200 and "errorType" not in body, f"{self.function}: {body}"
        return body


class System:
    """The five functions over one table and one queue."""

    def __init__(self, engines, emulators):
        self.engines = engines
        self.emulators = emulators
        self.sqs = self.client("sqs")

    def client(self, service):
        return boto3.client(
            service,
            endpoint_url=self.engines[f"{service}_url"],
            region_name="us-east-1",
            aws_access_key_id="local",
            aws_secret_access_key="local",
            config=Config(proxies={}),
        )

    def invoke(self, name, payload=None):
        """The reply to a sample event, or to `payload`, of the function the name begins with."""
        return self.emulators[name.split("-")[0]].invoke(payload or event(name))

    def http(self, name, payload=None):
        """Status and body of the HTTP response to it; JSON is parsed."""
        reply = self.invoke(name, payload)
        headers = {key.lower(): value for key, value in reply["headers"].items()}
        is_json = "json" in headers["content-type"]
        return reply["statusCode"], json.loads(reply["body"]) if is_json else reply["body"]

    def work_off(self):
        """Hands everything on the queue to the worker and returns the jobs it was asked for."""
        queue = self.engines["queue_url"]
        jobs = []
        for _ in range(100):
            received = self.sqs.receive_message(
                QueueUrl=queue, MaxNumberOfMessages=10, MessageSystemAttributeNames=["All"]
            )
            messages = received.get("Messages", [])
            if not messages:
                return jobs
            assert self.invoke("worker", sqs_event(messages)) == {"batchItemFailures": []}
            for message in messages:
                jobs.append(json.loads(message["Body"])["job"])
                self.sqs.delete_message(QueueUrl=queue, ReceiptHandle=message["ReceiptHandle"])
        raise AssertionError(f"the queue does not become empty: {jobs}")

    def purchase(self, call_id):
        status, body = self.http("approval-purchases")
        assert status == 200
        return next(one for one in body["purchases"] if one["call_id"] == call_id)


def sqs_event(messages):
    """The batch that an event source mapping makes of received messages."""
    constant = {
        "messageAttributes": {},
        "eventSource": "aws:sqs",
        "eventSourceARN": "arn:aws:sqs:us-east-1:000000000000:placet",
        "awsRegion": "us-east-1",
    }
    records = [
        {
            "messageId": message["MessageId"],
            "receiptHandle": message["ReceiptHandle"],
            "body": message["Body"],
            "md5OfBody": message["MD5OfBody"],
            "attributes": message.get("Attributes", {}),
            **constant,
        }
        for message in messages
    ]
    return {"Records": records}


@pytest.fixture(scope="module")
def engines():
    command = [BIN_DIR / "placet", "engines"]
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)
    try:
        ready, _, _ = select.select([process.stdout], [], [], START_SECONDS)
        line = process.stdout.readline() if ready else ""
        assert line, "`placet engines` did not print where it listens"
        yield json.loads(line)
    finally:
        stop(process)


@pytest.fixture(scope="module")
def rie(tmp_path_factory):
    """The emulator that aws-sam-cli brings, executable even if the wheel was unpacked without."""
    machine = {"x86_64": "x86_64", "aarch64": "arm64", "arm64": "arm64"}[platform.machine()]
    source = Path(samcli.__file__).parent / "local/rapid" / f"aws-lambda-rie-{machine}"
    copy = tmp_path_factory.mktemp("rie") / "aws-lambda-rie"
    shutil.copyfile(source, copy)
    copy.chmod(0o755)
    return copy


@pytest.fixture(scope="module")
def system(engines, rie):
    environment = {
        "PATH": os.environ["PATH"],
        "AWS_REGION": "us-east-1",
        **CREDENTIALS,
        "AWS_ENDPOINT_URL_DYNAMODB": engines["dynamodb_url"],
        "AWS_ENDPOINT_URL_SQS": engines["sqs_url"],
        "PLACET_TABLE": engines["table"],
        "PLACET_QUEUE_URL": engines["queue_url"],
        "PLACET_CONFIG": "placet.yaml",
        "PLACET_LOG": "info",
    }
    secrets = {
        "webhook": sign.WEBHOOK_SECRETS,
        "inbox": {"PLACET_LINK_SECRET": sign.LINK_SECRET},
    }
    emulators = {}
    try:
        for function in FUNCTIONS:
            own = environment | secrets.get(function, {})
            emulators[function] = Emulator(rie, function, own)
        yield System(engines, emulators)
    finally:
        for emulator in emulators.values():
            stop(emulator.process)


@pytest.mark.parametrize("name", EVENTS)
def test_every_sample_event_is_answered(system, name):
    reply = system.invoke(name)
    if name.startswith("worker-"):
        assert reply == {"batchItemFailures": []} or name == "worker-poison", reply
    elif name.startswith("timer-"):
        assert reply and all(type(count) is int for count in reply.values()), reply
    else:
        assert reply["statusCode"] < 500, reply
        assert "content-type" in {header.lower() for header in reply["headers"]}


@pytest.mark.parametrize("story", ANSWERS)
def test_sample_events_of_the_api_are_answered_one_after_the_other(system, story):
    for name, wanted in map(str.split, ANSWERS[story].split(", ")):
        status, body = system.http("approval", renamed(f"approval-{name}", story))
        assert str(status) == wanted, (name, body)
    system.work_off()


def test_a_call_is_asked_for_decided_by_webhook_and_run(system):
    webhook = renamed("webhook-inbound", "story")
    webhook["headers"]["svix-id"] = "msg_story"
    create, get = renamed("approval-create", "story"), renamed("approval-get", "story")
    status, call = system.http("approval", create)
    assert (status, call["call_id"]) == (200, "call-story")
    assert call["status"].get("approved") is None
    assert system.http("approval", get)[1] == call

    system.work_off()
    assert system.http("webhook", webhook)[0] == 401, "signed too long ago"
    signed = sign.signed_webhook(webhook)
    assert system.http("webhook", signed)[0] == 200
    assert system.http("webhook", signed)[0] == 200, "the same delivery again"
    assert system.http("approval", get)[1] == call, "the decision waits in the queue"

    jobs = system.work_off()
    assert jobs == ["process", "execute"]
    decided = system.http("approval", get)[1]["status"]
    assert (decided["approved"], decided["comment"]) == (True, "go ahead")
    assert system.purchase("call-story")["status"] == "finalised"

    status, refusal = system.http("approval", renamed("approval-respond", "story"))
    assert status == 409
    assert refusal["detail"].startswith("call already has a response")
    assert system.work_off() == []


def test_a_purchase_is_asked_for_decided_by_link_and_run(system):
    ask, decide = event("approval-purchase"), event("inbox-link-decide")
    ask["headers"]["idempotency-key"] = "purchase-story"
    status, purchase = system.http("approval", ask)
    assert (status, purchase["status"]) == (200, "pending")
    path = "/d/" + sign.link_token("purchase-story", purchase["digest"])
    look = event("inbox-link")
    for link in (look, decide):
        link["rawPath"] = link["requestContext"]["http"]["path"] = path

    status, page = system.http("inbox", look)
    assert status == 200 and "purchase_materials" in page and purchase["digest"][:4] in page
    assert system.purchase("purchase-story")["status"] == "pending", "looking changes nothing"

    system.work_off()
    assert system.http("inbox", decide)[0] == 303
    assert system.work_off() == ["execute"]
    bought = system.purchase("purchase-story")
    assert (bought["status"], bought["comment"]) == ("finalised", "enough wood for the roof")
    assert system.http("inbox", decide)[0] == 409, "a link decides once"
    assert system.work_off() == []


def test_a_question_is_asked_and_answered_by_link(system):
    look, answer = event("inbox-link-question"), event("inbox-link-answer")
    digest = parse_qs(base64.b64decode(answer["body"]).decode())["digest"][0]
    path = "/d/" + sign.link_token("human_contact/question-story", digest)
    for link in (look, answer):
        link["rawPath"] = link["requestContext"]["http"]["path"] = path
    get, tell = renamed("approval-contact-get", "story"), renamed("worker-tell", "story")

    assert system.http("approval", renamed("approval-contact-create", "story"))[0] == 200
    status, page = system.http("inbox", look)
    assert status == 200 and "Oak or pine" in page and digest[:4] in page
    assert "response" not in system.http("approval", get)[1]["status"], "looking changes nothing"
    assert system.http("inbox", answer)[0] == 303
    assert system.http("approval", get)[1]["status"]["response"] == "oak, like the old one"
    assert system.http("inbox", answer)[0] == 409, "a link answers once"
    assert system.work_off() == [], "nobody is to be told"
    assert system.invoke("worker", tell) == {"batchItemFailures": []}


def test_the_sample_links_are_for_the_sample_operations(system):
    for ask, look, decide in [
        ("approval-purchase", "inbox-link", "inbox-link-decide"),
        ("approval-contact-create", "inbox-link-question", "inbox-link-answer"),
    ]:
        assert system.http(ask)[0] == 200
        assert system.http(look)[0] == 200, "sign it anew with events/sign.py"
        assert event(look)["rawPath"] == event(decide)["rawPath"]


def test_nothing_is_open_without_a_key_a_link_or_a_signature(system):
    open_to_all = set()
    for name in filter(re.compile("approval-").match, EVENTS):
        keyless = event(name)
        if keyless["headers"].pop("authorization", None):
            assert system.http(name, keyless)[0] == 401, name
        else:
            open_to_all.add(name.removeprefix("approval-"))
    assert open_to_all == {"health", "version", "status", "openapi"}
    for name in ("list", "operation", "decide", "question", "answer", "purchase-page", "purchases-page"):
        assert system.http(f"inbox-{name}")[0] == 403, name
    assert system.http("webhook-unsigned")[0] == 401
    assert system.http("webhook-inbound")[0] == 401, "signed too long ago"


def test_webhooks_of_other_senders_are_answered_as_they_expect(system):
    def answer(name, payload=None):
        status, body = system.http("webhook", payload or event(name))
        return status, body if isinstance(body, str) else body.get("code", body)

    for name in ("webhook-github", "webhook-github-form"):
        assert answer(name)[0] == 200, f"{name} has no signed time"
    for name in ("webhook-stripe", "webhook-slack"):
        assert answer(name) == (401, "unauthorized"), f"{name} is signed too long ago"
    assert answer("webhook-github-unsigned") == (401, "unauthorized")
    assert answer("webhook-github-head")[0] == 200
    assert answer("webhook-meta") == (200, "1158201444")
    slack = event("webhook-slack")
    challenge = json.loads(slack["body"])["challenge"]
    assert answer("webhook-slack", sign.signed_webhook(slack)) == (200, challenge)
    assert answer("webhook-stripe", sign.signed_webhook(event("webhook-stripe")))[0] == 200
    assert set(system.work_off()) == {"process"}


def test_one_poison_record_does_not_hold_up_its_batch(system):
    _, bad = event("worker-poison")["Records"]
    failures = [{"itemIdentifier": bad["messageId"]}]
    assert system.invoke("worker-poison") == {"batchItemFailures": failures}


def test_the_local_table_and_queue_are_those_of_the_template(system):
    loader = type("Loader", (yaml.SafeLoader,), {})
    loader.add_multi_constructor("!", lambda *_: None)
    resources = yaml.load((ROOT / "template.yaml").read_text(), loader)["Resources"]
    wanted = resources["Table"]["Properties"]
    table = system.client("dynamodb").describe_table(TableName=system.engines["table"])["Table"]
    assert table["KeySchema"] == wanted["KeySchema"]

    def indexes(described):
        keys = ("IndexName", "KeySchema", "Projection")
        chosen = [{key: index[key] for key in keys} for index in described]
        return sorted(chosen, key=lambda index: index["IndexName"])

    assert indexes(table["GlobalSecondaryIndexes"]) == indexes(wanted["GlobalSecondaryIndexes"])
    queue = system.sqs.get_queue_attributes(
        QueueUrl=system.engines["queue_url"], AttributeNames=["All"]
    )["Attributes"]
    wanted = resources["WorkQueue"]["Properties"]
    assert int(queue["VisibilityTimeout"]) == wanted["VisibilityTimeout"]
    redrive = json.loads(queue["RedrivePolicy"])
    assert int(redrive["maxReceiveCount"]) == wanted["RedrivePolicy"]["maxReceiveCount"]
