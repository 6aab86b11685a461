"""The Lambda binaries under AWS's own runtime interface emulator, fed with variations of `events/*.json`.

Engines, emulator and environment are those of `cargo xtask events`. The emulator knows no event source
mapping, so `work_off` hands the queue's messages to the worker, as Lambda would.
"""

import base64
import hashlib
import json
import os
import re
import sys
from pathlib import Path
from urllib.parse import parse_qs

import boto3
import pytest
import yaml
from botocore.config import Config

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "events"))
import invoke  # noqa: E402
import sign  # noqa: E402

EVENTS = {path.stem: path for path in sorted((ROOT / "events").glob("*.json"))}
BIN = os.environ.get("PLACET_BIN", "target/debug/placet")
BIN_DIR = ROOT / os.environ.get("PLACET_BIN_DIR", Path(BIN).parent)
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


def event(name):
    return json.loads(EVENTS[name].read_text())


def renamed(name, suffix):
    """The sample event for an operation of a test's own; some ids are made from idempotency keys."""
    keys = (f"operation-{one}".encode() for one in ("sample", suffix))
    old, new = (hashlib.sha256(key).hexdigest()[:32] for key in keys)
    return json.loads(EVENTS[name].read_text().replace(old, new).replace("-sample", f"-{suffix}"))


class System:
    """The five functions over one table and one queue; `variables` lead to them."""

    def __init__(self, variables, emulators):
        self.variables = variables
        self.emulators = emulators
        self.sqs = self.client("sqs")

    def client(self, service):
        return boto3.client(
            service,
            endpoint_url=self.variables[f"AWS_ENDPOINT_URL_{service.upper()}"],
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
        queue = self.variables["PLACET_QUEUE_URL"]
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
def system(tmp_path_factory):
    """With the environment that `sam local invoke` would give the functions."""
    folder = tmp_path_factory.mktemp("functions")
    env_file = folder / "env.json"
    with (
        invoke.engines(BIN_DIR / "placet", env_file) as variables,
        invoke.functions(invoke.programs(BIN_DIR), env_file, folder) as emulators,
    ):
        yield System(variables, emulators)


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


def test_a_large_body_is_kept_in_the_bucket(system):
    body = os.urandom(300_000)
    push = event("webhook-github") | {"body": base64.b64encode(body).decode(), "isBase64Encoded": True}
    push["headers"]["x-github-delivery"] = "large"
    assert system.http("webhook", sign.signed_webhook(push))[0] == 200
    s3, place = system.client("s3"), {"Bucket": system.variables["PLACET_BLOBS"].removeprefix("s3://")}
    [kept] = s3.list_objects_v2(Prefix="bodies/", **place)["Contents"]
    assert kept["Key"] == f"bodies/{hashlib.sha256(body).hexdigest()}"
    assert s3.get_object(Key=kept["Key"], **place)["Body"].read() == body
    assert system.work_off() == ["process"]


def test_one_poison_record_does_not_hold_up_its_batch(system):
    _, bad = event("worker-poison")["Records"]
    failures = [{"itemIdentifier": bad["messageId"]}]
    assert system.invoke("worker-poison") == {"batchItemFailures": failures}


def test_the_local_table_and_queue_are_those_of_the_template(system):
    loader = type("Loader", (yaml.SafeLoader,), {})
    loader.add_multi_constructor("!", lambda *_: None)
    resources = yaml.load((ROOT / "template.yaml").read_text(), loader)["Resources"]
    wanted = resources["Table"]["Properties"]
    table = system.client("dynamodb").describe_table(TableName=system.variables["PLACET_TABLE"])["Table"]
    assert table["KeySchema"] == wanted["KeySchema"]

    def indexes(described):
        keys = ("IndexName", "KeySchema", "Projection")
        chosen = [{key: index[key] for key in keys} for index in described]
        return sorted(chosen, key=lambda index: index["IndexName"])

    assert indexes(table["GlobalSecondaryIndexes"]) == indexes(wanted["GlobalSecondaryIndexes"])
    queue = system.sqs.get_queue_attributes(
        QueueUrl=system.variables["PLACET_QUEUE_URL"], AttributeNames=["All"]
    )["Attributes"]
    wanted = resources["WorkQueue"]["Properties"]
    assert int(queue["VisibilityTimeout"]) == wanted["VisibilityTimeout"]
    redrive = json.loads(queue["RedrivePolicy"])
    assert int(redrive["maxReceiveCount"]) == wanted["RedrivePolicy"]["maxReceiveCount"]
