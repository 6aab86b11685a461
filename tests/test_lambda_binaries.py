"""The Lambda binaries under AWS's runtime interface emulator, with variations of `events/*.json`.

Engines, emulator and environment are those of `cargo xtask events`. The emulator has no event source
mapping, so `process_messages` passes the messages of each queue to its worker, as Lambda does.
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
# The function of each queue and its batch size, as in template.yaml.
WORKERS = {"work": ("worker", 10), "calls": ("calls", 1)}
DONE = {"batchItemFailures": []}
# The answers to the sample events of the API, one after the other.
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
    """Returns the sample event with an id of the test. Some ids come from idempotency keys."""
    api_key = hashlib.sha256(b"local-dev-key").hexdigest()
    keys = ([api_key, f"operation-{one}"] for one in ("sample", suffix))
    pairs = (json.dumps(pair, separators=(",", ":")).encode() for pair in keys)
    old, new = (hashlib.sha256(pair).hexdigest()[:32] for pair in pairs)
    return json.loads(EVENTS[name].read_text().replace(old, new).replace("-sample", f"-{suffix}"))


class System:
    """The functions with one table and their queues. `variables` holds the endpoints."""

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
        """Returns the reply to a sample event or to `payload`. The name begins with the function."""
        return self.emulators[name.split("-")[0]].invoke(payload or event(name))

    def http(self, name, payload=None):
        """Returns the status and the body of the HTTP response. A JSON body is parsed."""
        reply = self.invoke(name, payload)
        headers = {key.lower(): value for key, value in reply["headers"].items()}
        is_json = "json" in headers["content-type"]
        return reply["statusCode"], json.loads(reply["body"]) if is_json else reply["body"]

    def queue(self, name):
        return self.variables[f"PLACET_{name.upper()}_QUEUE_URL"]

    def receive(self, name, most):
        """Returns up to `most` messages of a queue. Lambda deletes messages after they are processed."""
        received = self.sqs.receive_message(
            QueueUrl=self.queue(name), MaxNumberOfMessages=most, MessageSystemAttributeNames=["All"]
        )
        return received.get("Messages", [])

    def process_messages(self):
        """Passes all messages to their workers. Returns the lanes and kinds of their items, such as `calls operation`.

        Several messages may point to one item. This does no harm.
        """
        pointed = set()
        for _ in range(100):
            received = {lane: self.receive(lane, most) for lane, (_, most) in WORKERS.items()}
            if not any(received.values()):
                return pointed
            for lane, messages in received.items():
                if messages:
                    assert self.invoke(WORKERS[lane][0], sqs_event(lane, messages)) == DONE
                for message in messages:
                    pointed.add(f"{lane} {json.loads(message['Body'])['item']}")
                    self.sqs.delete_message(QueueUrl=self.queue(lane), ReceiptHandle=message["ReceiptHandle"])
        raise AssertionError(f"the queues do not become empty: {pointed}")

    def purchase(self, call_id):
        status, body = self.http("approval-purchases")
        assert status == 200
        return next(one for one in body["purchases"] if one["call_id"] == call_id)


def sqs_event(lane, messages):
    """Returns the event that an event source mapping makes of received messages."""
    constant = {
        "messageAttributes": {},
        "eventSource": "aws:sqs",
        "eventSourceARN": f"arn:aws:sqs:us-east-1:000000000000:placet-{lane}",
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
    """The functions with the environment of `sam local invoke`."""
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
    system.process_messages()


def test_a_call_is_requested_and_decided_by_webhook_and_its_agent_runs_it(system):
    webhook = renamed("webhook-inbound", "story")
    webhook["headers"]["svix-id"] = "msg_story"
    create, get = renamed("approval-create", "story"), renamed("approval-get", "story")
    status, call = system.http("approval", create)
    assert (status, call["call_id"]) == (200, "call-story")
    assert call["status"].get("approved") is None
    assert system.http("approval", get)[1] == call

    system.process_messages()
    assert system.http("webhook", webhook)[0] == 401, "signed too long ago"
    signed = sign.signed_webhook(webhook)
    assert system.http("webhook", signed)[0] == 200
    assert system.http("webhook", signed)[0] == 200, "the repeated delivery is refused"
    assert system.http("approval", get)[1] == call, "the decision was applied before the worker ran"

    assert system.process_messages() == {"work receipt"}
    decided = system.http("approval", get)[1]["status"]
    assert (decided["approved"], decided["comment"]) == (True, "go ahead")
    assert system.purchase("call-story")["state"] == "approved"

    status, refusal = system.http("approval", renamed("approval-respond", "story"))
    assert status == 409
    assert refusal["detail"].startswith("call already has a response")
    assert system.process_messages() == set()


def test_a_purchase_is_requested_decided_by_link_and_run(system):
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
    assert system.purchase("purchase-story")["status"] == "pending", "opening the page has changed something"

    system.process_messages()
    assert system.http("inbox", decide)[0] == 303
    assert system.process_messages() == {"calls operation"}
    bought = system.purchase("purchase-story")
    assert (bought["status"], bought["comment"]) == ("finalised", "enough wood for the roof")
    assert system.http("inbox", decide)[0] == 409, "a link decides once"
    assert system.process_messages() == set()


def test_a_question_is_asked_and_answered_by_link(system):
    look, answer = event("inbox-link-question"), event("inbox-link-answer")
    digest = parse_qs(base64.b64decode(answer["body"]).decode())["digest"][0]
    path = "/d/" + sign.link_token("human_contact/question-story", digest)
    for link in (look, answer):
        link["rawPath"] = link["requestContext"]["http"]["path"] = path
    get, late = renamed("approval-contact-get", "story"), renamed("worker-operation", "story")

    assert system.http("approval", renamed("approval-contact-create", "story"))[0] == 200
    status, page = system.http("inbox", look)
    assert status == 200 and "Oak or pine" in page and digest[:4] in page
    assert "response" not in system.http("approval", get)[1]["status"], "opening the page has changed something"
    assert system.http("inbox", answer)[0] == 303
    assert system.http("approval", get)[1]["status"]["response"] == "oak, like the old one"
    assert system.http("inbox", answer)[0] == 409, "a link answers once"
    assert system.process_messages() == set(), "the answer needs no notification"
    assert system.invoke("worker", late) == DONE


def test_the_sample_links_are_for_the_sample_operations(system):
    for ask, look, decide in [
        ("approval-purchase", "inbox-link", "inbox-link-decide"),
        ("approval-contact-create", "inbox-link-question", "inbox-link-answer"),
    ]:
        assert system.http(ask)[0] == 200
        assert system.http(look)[0] == 200, "the sample link is not valid: sign it again with events/sign.py"
        assert event(look)["rawPath"] == event(decide)["rawPath"]


def test_every_route_needs_a_key_a_link_or_a_signature(system):
    open_to_all = set()
    for name in filter(re.compile("approval-").match, EVENTS):
        keyless = event(name)
        if keyless["headers"].pop("authorization", None):
            assert system.http(name, keyless)[0] == 401, name
        else:
            open_to_all.add(name.removeprefix("approval-"))
    assert open_to_all == {"health", "version", "status", "openapi"}
    for name in ("list", "operation", "question", "delivery", "purchase-page", "purchases-page"):
        assert system.http(f"inbox-{name}")[0] == 303, name
    for name in ("decide", "answer", "delivery-send", "sign-out"):
        assert system.http(f"inbox-{name}")[0] == 401, name
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
    assert system.process_messages() == {"work receipt"}


def test_a_large_body_is_stored_in_the_bucket(system):
    body = os.urandom(300_000)
    push = event("webhook-github") | {"body": base64.b64encode(body).decode(), "isBase64Encoded": True}
    push["headers"]["x-github-delivery"] = "large"
    assert system.http("webhook", sign.signed_webhook(push))[0] == 200
    s3, place = system.client("s3"), {"Bucket": system.variables["PLACET_BLOBS"].removeprefix("s3://")}
    [kept] = s3.list_objects_v2(Prefix="bodies/", **place)["Contents"]
    assert kept["Key"] == f"bodies/{hashlib.sha256(body).hexdigest()}"
    assert s3.get_object(Key=kept["Key"], **place)["Body"].read() == body
    assert system.process_messages() == {"work receipt"}


def test_an_unreadable_message_does_not_delay_its_batch(system):
    _, unreadable = event("worker-poison")["Records"]
    assert system.http("webhook-github")[0] == 200
    assert system.invoke("worker-poison") == DONE
    assert system.http("approval-receipt")[1]["state"] == "processed", "the other record was not processed"
    assert [message["Body"] for message in system.receive("dead_letter", 10)] == [unreadable["body"]]
    system.process_messages()


def test_a_pointer_to_nothing_is_received_again_until_its_fifth_receive(system):
    pointer = event("calls-delivery")
    [record] = pointer["Records"]
    for receive in range(1, 6):
        record["attributes"]["ApproximateReceiveCount"] = str(receive)
        failures = [{"itemIdentifier": record["messageId"]}] if receive < 5 else []
        assert system.invoke("calls", pointer) == {"batchItemFailures": failures}, receive


def test_the_local_table_and_queues_equal_those_of_the_template(system):
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
    for lane in WORKERS:
        attributes = system.sqs.get_queue_attributes(QueueUrl=system.queue(lane), AttributeNames=["All"])["Attributes"]
        wanted = resources[f"{lane.capitalize()}Queue"]["Properties"]
        assert int(attributes["VisibilityTimeout"]) == wanted["VisibilityTimeout"]
        limit = json.loads(attributes["RedrivePolicy"])["maxReceiveCount"]
        assert int(limit) == wanted["RedrivePolicy"]["maxReceiveCount"]
