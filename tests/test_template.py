"""The SAM template: linted, transformed as CloudFormation does, and built."""

import base64
import hashlib
import json
import os
import platform
import re
import stat
import subprocess
import sys
import threading
import urllib.request
import zipfile
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from conftest import run
from samcli.lib.package.utils import make_zip_with_lambda_permissions
from samcli.yamlhelper import yaml_parse
from samtranslator.parser.parser import Parser
from samtranslator.translator.translator import Translator

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "events"))
import sign  # noqa: E402

TEMPLATE = ROOT / "template.yaml"
EVENTS = sorted((ROOT / "events").glob("*.json"))
SIGNED = [path for path in EVENTS if "-signature" in path.read_text()]

FUNCTIONS = ["webhook", "approval", "inbox", "worker", "calls", "timer"]
PUBLIC = ["webhook", "approval", "inbox"]
# The queue and the batch size of each worker.
WORKERS = {"worker": ("work", 10), "calls": ("calls", 1)}
QUEUES = {"PLACET_WORK_QUEUE_URL": "WorkQueue", "PLACET_CALLS_QUEUE_URL": "CallsQueue"}
VARIABLES = {"PLACET_TABLE", "PLACET_BLOBS", "PLACET_CONFIG", "PLACET_LOG", "MALLOC_MMAP_THRESHOLD_"} | QUEUES.keys()
ENDPOINTS = {
    "AWS_ENDPOINT_URL_DYNAMODB": "DynamodbEndpoint",
    "AWS_ENDPOINT_URL_SQS": "SqsEndpoint",
    "AWS_ENDPOINT_URL_S3": "S3Endpoint",
}
OWN = {
    "approval": {"PLACET_LONG_POLL", "PLACET_DEMO", "PLACET_LINK_SECRET", "PLACET_INBOX_URL"},
    "webhook": {"PLACET_SECRET_HUMANLAYER", "PLACET_SECRETS", "PLACET_WEBHOOK_URL"},
    "inbox": {"PLACET_LINK_SECRET", "PLACET_DEMO", "PLACET_SECRET_OIDC"},
    "worker": {"PLACET_LANE", "PLACET_DEAD_LETTER_QUEUE_URL", "PLACET_SECRETS"},
    "calls": {
        "PLACET_LANE", "PLACET_DEAD_LETTER_QUEUE_URL", "PLACET_SECRETS", "PLACET_INBOX_URL", "PLACET_LINK_SECRET",
    },
}
SEND, LOOK = {"sqs:SendMessage"}, {"sqs:GetQueueAttributes"}
RECEIVE = {"sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:ChangeMessageVisibility"} | LOOK
READ_WRITE = {"dynamodb:GetItem", "dynamodb:PutItem"}
LIST = {"s3:ListBucket"}
# The permissions of each function, by resource: the table, its indexes, the queues, the folders of the bucket.
# At its start a function reads attributes of the queue `work` to open the connection.
ALLOWED = {
    "webhook": {
        "Table": READ_WRITE,
        "WorkQueue": SEND | LOOK,
        "bodies": {"s3:PutObject"},
        "spool": {"s3:PutObject"},
    },
    "approval": {
        "Table": READ_WRITE | {"dynamodb:BatchGetItem", "dynamodb:DeleteItem"},
        "due": {"dynamodb:Query"},
        "list": {"dynamodb:Query"},
        "WorkQueue": SEND | LOOK,
        "CallsQueue": SEND,
        "bodies": {"s3:GetObject"},
        "Blobs": LIST,
    },
    "inbox": {
        "Table": READ_WRITE | {"dynamodb:BatchGetItem"},
        "due": {"dynamodb:Query"},
        "list": {"dynamodb:Query"},
        "WorkQueue": LOOK,
        "CallsQueue": SEND,
    },
    "worker": {
        "Table": READ_WRITE,
        "WorkQueue": SEND | RECEIVE,
        "CallsQueue": SEND,
        "DeadLetterQueue": SEND,
        "bodies": {"s3:GetObject", "s3:PutObject"},
        "Blobs": LIST,
    },
    "calls": {
        "Table": READ_WRITE,
        "WorkQueue": SEND | LOOK,
        "CallsQueue": SEND | RECEIVE,
        "DeadLetterQueue": SEND,
        "bodies": {"s3:GetObject"},
        "Blobs": LIST,
    },
    "timer": {
        "Table": READ_WRITE,
        "due": {"dynamodb:Query"},
        "WorkQueue": SEND | LOOK,
        "CallsQueue": SEND | LOOK,
        "bodies": {"s3:PutObject"},
        "spool": {"s3:GetObject", "s3:DeleteObject"},
        "spool-damaged": {"s3:PutObject"},
        "Blobs": LIST,
    },
}
TOKEN = r"[\w-]+\.[\w-]+"
OPENAPI = json.loads((ROOT / "functions/approval/openapi.json").read_text())


def api_routes():
    """Returns the routes of the API. Two spellings of a path are one route."""
    for path, methods in OPENAPI["paths"].items():
        path = re.sub(r"\{\w+\}", "[^/]+", path)
        path = re.sub("contact_requests|human_contacts", "(contact_requests|human_contacts)", path)
        yield from (f"{method.upper()} {path}" for method in methods)


ROUTES = {
    "approval": sorted(set(api_routes())),
    "inbox": [
        "GET /inbox",
        "GET /inbox/[^/.]+",
        "POST /inbox/[^/.]+",
        "GET /inbox/questions/[^/]+",
        "POST /inbox/questions/[^/]+",
        f"GET /d/{TOKEN}",
        f"POST /d/{TOKEN}",
        "GET /inbox/deliveries/[^/]+",
        "POST /inbox/deliveries/[^/]+",
        "GET /sign-in",
        f"GET /sign-in/{TOKEN}",
        f"POST /sign-in/{TOKEN}",
        "POST /sign-out",
        "GET /purchase-materials",
        "GET /purchases",
        r"GET /inbox/assets/style\.css",
    ],
    "webhook": ["POST /webhook/inbound", *(f"{method} /webhooks/[^/]+" for method in ("POST", "GET", "HEAD"))],
}
KINDS = {"operation", "receipt", "delivery"}


@pytest.fixture(scope="module")
def resources():
    """The resources of the transformed template, with SAM's defaults and generated resources."""
    os.environ.setdefault("AWS_DEFAULT_REGION", "us-east-1")
    template = yaml_parse(TEMPLATE.read_text())
    for resource in template["Resources"].values():
        for local_path in {"CodeUri", "ContentUri"} & resource["Properties"].keys():
            resource["Properties"][local_path] = "s3://bucket/key"
    parameters = {"LinkSecret": "x" * 32}
    return Translator({}, Parser()).translate(template, parameters)["Resources"]


def of_type(resources, kind):
    found = {name: one["Properties"] for name, one in resources.items() if one["Type"] == kind}
    assert found, kind
    return found


def as_list(value):
    return value if isinstance(value, list) else [value]


def statements(role):
    for policy in role.get("Policies", []):
        yield from as_list(policy["PolicyDocument"]["Statement"])


def granted(role, function):
    """Returns the allowed actions by resource. The key of an index is its name."""
    actions = {}
    for statement in statements(role):
        assert statement["Effect"] == "Allow"
        for resource in as_list(statement["Resource"]):
            name = resource["Fn::GetAtt"][0] if "Fn::GetAtt" in resource else resource["Fn::Sub"]
            name = name.removeprefix("${Table.Arn}/index/")
            name = name.removeprefix("${Blobs.Arn}/").removesuffix("/*")
            actions.setdefault(name, set()).update(as_list(statement["Action"]))
    logs = actions.pop(f"{function.capitalize()}Logs")
    assert logs == {"logs:CreateLogStream", "logs:PutLogEvents"}
    return actions


def test_sam_finds_nothing():
    assert "is a valid SAM Template" in run("sam", "validate", "--lint")


def test_cfn_lint_finds_nothing():
    assert run("cfn-lint", "template.yaml") == ""


@pytest.mark.parametrize("function", FUNCTIONS)
def test_a_function_has_its_variables_and_no_other_secret(resources, function):
    properties = of_type(resources, "AWS::Lambda::Function")[f"{function.capitalize()}Function"]
    variables = set(properties["Environment"]["Variables"])
    assert variables == VARIABLES | ENDPOINTS.keys() | OWN.get(function, set())
    assert (properties["Runtime"], properties["Handler"]) == ("provided.al2023", "bootstrap")
    assert properties["LoggingConfig"]["LogFormat"] == "JSON"
    log_group = properties["LoggingConfig"]["LogGroup"]["Ref"]
    assert "RetentionInDays" in of_type(resources, "AWS::Logs::LogGroup")[log_group]


def test_only_the_calls_function_may_mail_and_only_from_its_identity(resources):
    policies = of_type(resources, "AWS::IAM::RolePolicy")
    assert policies.keys() == {"CallsMailPolicy"}
    assert resources["CallsMailPolicy"]["Condition"] == "MailGoesThroughSes"
    policy = policies["CallsMailPolicy"]
    assert policy["RoleName"] == {"Ref": "CallsRole"}
    (statement,) = policy["PolicyDocument"]["Statement"]
    assert set(statement["Action"]) == {"ses:SendEmail", "ses:SendRawEmail"}
    identity = "arn:${AWS::Partition}:ses:*:${AWS::AccountId}:identity/${MailIdentity}"
    assert statement["Resource"] == {"Fn::Sub": identity}


@pytest.mark.parametrize("function", FUNCTIONS)
def test_a_function_has_an_endpoint_only_if_one_is_given(resources, function):
    properties = of_type(resources, "AWS::Lambda::Function")[f"{function.capitalize()}Function"]
    template = yaml_parse(TEMPLATE.read_text())
    for variable, parameter in ENDPOINTS.items():
        condition, given, absent = properties["Environment"]["Variables"][variable]["Fn::If"]
        assert (given, absent) == ({"Ref": parameter}, {"Ref": "AWS::NoValue"})
        empty = {"Fn::Equals": [{"Ref": parameter}, ""]}
        assert template["Conditions"][condition] == {"Fn::Not": [empty]}
        assert template["Parameters"][parameter]["Default"] == ""


@pytest.mark.parametrize("function", FUNCTIONS)
def test_a_function_has_exactly_the_permissions_of_the_table(resources, function):
    role = of_type(resources, "AWS::IAM::Role")[f"{function.capitalize()}Role"]
    assert granted(role, function) == ALLOWED[function]


def test_no_policy_has_a_wildcard(resources):
    for name, role in of_type(resources, "AWS::IAM::Role").items():
        assert not role.get("ManagedPolicyArns"), f"{name} has managed policies"
        for statement in statements(role):
            written = json.dumps([statement["Action"], statement["Resource"]])
            assert "*" not in re.sub(r"\$\{Blobs.Arn\}/[\w-]+/\*", "", written), name


def test_function_urls_are_public_with_both_permissions(resources):
    urls = of_type(resources, "AWS::Lambda::Url").values()
    names = {f"{function.capitalize()}Function" for function in PUBLIC}
    assert {url["TargetFunctionArn"]["Ref"] for url in urls} == names
    permissions = of_type(resources, "AWS::Lambda::Permission").values()
    for name in names:
        own = [one for one in permissions if one["FunctionName"] == {"Ref": name}]
        actions = {one["Action"]: one.get("InvokedViaFunctionUrl") for one in own}
        assert actions == {"lambda:InvokeFunctionUrl": None, "lambda:InvokeFunction": True}


def condition_of(name):
    return yaml_parse(TEMPLATE.read_text())["Conditions"][name]


def is_off_by_default(parameter, value, then):
    """Whether the value is `then` if the parameter is not 0, and absent by default."""
    condition, given, absent = value["Fn::If"]
    assert (given, absent) == (then, {"Ref": "AWS::NoValue"})
    assert condition_of(condition) == {"Fn::Not": [{"Fn::Equals": [{"Ref": parameter}, "0"]}]}
    assert yaml_parse(TEMPLATE.read_text())["Parameters"][parameter]["Default"] == "0"


@pytest.mark.parametrize("function", ["webhook", "timer"])
def test_a_reservation_is_off_by_default(resources, function):
    """A new account refuses every reservation."""
    functions = of_type(resources, "AWS::Lambda::Function")
    reserved = functions[f"{function.capitalize()}Function"]["ReservedConcurrentExecutions"]
    parameter = f"{function.capitalize()}Concurrency"
    is_off_by_default(parameter, reserved, {"Ref": parameter})


@pytest.mark.parametrize("function", WORKERS)
def test_the_limit_of_a_worker_is_off_by_default(resources, function):
    name = f"{function.capitalize()}Function"
    assert "ReservedConcurrentExecutions" not in of_type(resources, "AWS::Lambda::Function")[name]
    mapping = of_type(resources, "AWS::Lambda::EventSourceMapping")[f"{name}Queue"]
    parameter = f"{function.capitalize()}Concurrency"
    is_off_by_default(parameter, mapping["ScalingConfig"], {"MaximumConcurrency": {"Ref": parameter}})


def test_a_parameter_refuses_a_number_that_lambda_refuses():
    parameters = yaml_parse(TEMPLATE.read_text())["Parameters"]
    for function in WORKERS:
        pattern = parameters[f"{function.capitalize()}Concurrency"]["AllowedPattern"]
        allowed = [number for number in range(1100) if re.fullmatch(pattern, str(number))]
        assert allowed == [0, *range(2, 1001)]


def test_only_the_queue_calls_can_be_switched_off(resources):
    mappings = of_type(resources, "AWS::Lambda::EventSourceMapping")
    assert mappings["CallsFunctionQueue"]["Enabled"] == {"Fn::If": ["CallsArePolled", True, False]}
    assert condition_of("CallsArePolled") == {"Fn::Equals": [{"Ref": "CallsEnabled"}, "true"]}
    assert yaml_parse(TEMPLATE.read_text())["Parameters"]["CallsEnabled"]["Default"] == "true"
    assert mappings["WorkerFunctionQueue"].get("Enabled", True) is True


@pytest.mark.parametrize("function", WORKERS)
def test_a_worker_gets_the_messages_of_its_lane(resources, function):
    lane, most = WORKERS[function]
    name, queue = f"{function.capitalize()}Function", f"{lane.capitalize()}Queue"
    worker = of_type(resources, "AWS::Lambda::Function")[name]
    variables = worker["Environment"]["Variables"]
    assert variables["PLACET_LANE"] == lane
    assert {one: variables[one]["Ref"] for one in QUEUES} == QUEUES
    mapping = of_type(resources, "AWS::Lambda::EventSourceMapping")[f"{name}Queue"]
    assert mapping["EventSourceArn"] == {"Fn::GetAtt": [queue, "Arn"]}
    assert (mapping["BatchSize"], mapping["FunctionResponseTypes"]) == (most, ["ReportBatchItemFailures"])
    visible = of_type(resources, "AWS::SQS::Queue")[queue]["VisibilityTimeout"]
    assert visible >= 6 * worker["Timeout"], "messages become visible again before their worker has ended"


def test_messages_reach_the_dead_letter_queue(resources):
    """A worker moves a message that it cannot read. SQS moves a message that was received again and again."""
    queues = of_type(resources, "AWS::SQS::Queue")
    sources = [arn["Fn::Sub"] for arn in queues["DeadLetterQueue"]["RedriveAllowPolicy"]["sourceQueueArns"]]
    here = "arn:${AWS::Partition}:sqs:${AWS::Region}:${AWS::AccountId}:"
    assert sorted(sources) == sorted(here + queues[name]["QueueName"]["Fn::Sub"] for name in QUEUES.values())
    for name in QUEUES.values():
        redrive = queues[name]["RedrivePolicy"]
        assert redrive["deadLetterTargetArn"] == {"Fn::GetAtt": ["DeadLetterQueue", "Arn"]}
        assert redrive["maxReceiveCount"] == 1000, "a short outage would move messages"
    functions = of_type(resources, "AWS::Lambda::Function")
    for function in WORKERS:
        variables = functions[f"{function.capitalize()}Function"]["Environment"]["Variables"]
        assert variables["PLACET_DEAD_LETTER_QUEUE_URL"] == {"Ref": "DeadLetterQueue"}


def test_the_layer_is_the_configuration_and_nothing_else(tmp_path):
    packed = make_zip_with_lambda_permissions(str(tmp_path / "layer"), ROOT / "infra/layers/config")
    with zipfile.ZipFile(packed) as layer:
        assert layer.namelist() == ["placet.yaml"]
        assert stat.S_ISREG(layer.infolist()[0].external_attr >> 16)
        assert layer.read("placet.yaml") == (ROOT / "placet.yaml").read_bytes()


def route_of(path):
    """Returns the route of a sample event of an HTTP function."""
    event = json.loads(path.read_text())
    http = event["requestContext"]["http"]
    assert event["rawPath"] == http["path"]
    return f"{http['method']} {http['path']}"


@pytest.mark.parametrize("path", EVENTS, ids=lambda path: path.stem)
def test_a_sample_event_is_for_a_known_route(path):
    event = json.loads(path.read_text())
    function = path.stem.split("-")[0]
    if function in WORKERS:
        lane, most = WORKERS[function]
        assert 1 <= len(event["Records"]) <= most
        for record in event["Records"]:
            assert record["eventSource"] == "aws:sqs" and record["eventSourceARN"].endswith(f":placet-{lane}")
            assert record["md5OfBody"] == hashlib.md5(record["body"].encode()).hexdigest()
    elif function == "timer":
        assert event["detail-type"] == "Scheduled Event"
    else:
        route = route_of(path)
        assert any(re.fullmatch(known, route) for known in ROUTES[function]), route


@pytest.mark.parametrize("function", PUBLIC)
def test_every_route_has_a_sample_event(function):
    asked = [route_of(path) for path in EVENTS if path.stem.split("-")[0] == function]
    missing = [one for one in ROUTES[function] if not any(re.fullmatch(one, route) for route in asked)]
    assert missing == []


def test_every_kind_of_item_has_a_sample_event():
    batches = [json.loads(path.read_text())["Records"] for path in EVENTS if path.stem.split("-")[0] in WORKERS]
    bodies = "".join(record["body"] for batch in batches for record in batch)
    assert set(re.findall(r'"item":"(\w+)"', bodies)) == KINDS


LINKS = [path for path in EVENTS if json.loads(path.read_text()).get("rawPath", "").startswith("/d/")]


@pytest.mark.parametrize("path", LINKS, ids=lambda path: path.stem)
def test_a_sample_link_is_signed_by_the_script(path):
    token = json.loads(path.read_text())["rawPath"].removeprefix("/d/")
    payload = token.partition(".")[0]
    link = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
    operation = f"{link['k']}/{link['c']}" if "k" in link else link["c"]
    assert sign.link_token(operation, link["d"]) == token


@pytest.mark.parametrize("path", SIGNED, ids=lambda path: path.stem)
def test_a_signed_sample_event_is_signed_by_the_script(path):
    event = json.loads(path.read_text())
    sent_at = event["requestContext"]["timeEpoch"] // 1000
    assert sign.signed_webhook(event, sent_at) == event


class Engine(BaseHTTPRequestHandler):
    """Answers with the path of the request."""

    def do_GET(self):
        self.send_response(200)
        self.end_headers()
        self.wfile.write(self.path.encode())

    def log_message(self, *_):
        pass


@pytest.fixture
def ports():
    """The ports of three engines on loopback."""
    servers = [ThreadingHTTPServer(("127.0.0.1", 0), Engine) for _ in range(3)]
    for server in servers:
        threading.Thread(target=server.serve_forever).start()
    yield [server.server_port for server in servers]
    for server in servers:
        server.shutdown()
        server.server_close()


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux has 127.0.0.2 without configuration")
def test_sam_local_reaches_the_engines(resources, ports, tmp_path):
    """127.0.0.2 replaces the address of Docker's bridge."""
    dynamodb, sqs, s3 = (f"http://127.0.0.1:{port}" for port in ports)
    engines = {"dynamodb_url": dynamodb, "sqs_url": sqs, "s3_url": s3}
    engines |= {f"{name}_queue_url": f"{sqs}/{name}" for name in ("work", "calls", "dead_letter")}
    engines |= {"table": "t", "bucket": "b"}
    env_file = tmp_path / "env.json"
    command = [sys.executable, ROOT / "events/local.py", "127.0.0.2", env_file]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    with subprocess.Popen(command, **pipes) as process:
        print(json.dumps(engines), file=process.stdin, flush=True)
        assert "env.json" in process.stdout.readline()
        given = json.loads(env_file.read_text())["Parameters"]
        direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        assert given["PLACET_BLOBS"] == "s3://b"
        for name in (*ENDPOINTS, *QUEUES, "PLACET_DEAD_LETTER_QUEUE_URL"):
            assert given[name].startswith("http://127.0.0.2:")
            with direct.open(f"{given[name]}/asked", timeout=10) as answer:
                assert answer.read().endswith(b"/asked")
        process.stdin.close()
        assert process.wait(10) == 0, "the process does not end with the engines"

    functions = of_type(resources, "AWS::Lambda::Function").values()
    declared = set().union(*(one["Environment"]["Variables"] for one in functions))
    assert given.keys() <= declared, "SAM sets only variables that the template declares"


def test_sam_builds_every_function(packages):
    for function in FUNCTIONS:
        bootstrap = packages / f"{function.capitalize()}Function" / "bootstrap"
        program = bootstrap.read_bytes()
        assert program[:4] == b"\x7fELF" and os.access(bootstrap, os.X_OK)
        assert int.from_bytes(program[18:20], "little") == (62 if platform.machine() == "x86_64" else 183)
        newest = max(int(minor) for minor in re.findall(rb"GLIBC_2\.(\d+)", program))
        assert newest <= 34, "Amazon Linux 2023 has glibc 2.34"
