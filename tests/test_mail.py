"""Mail through a real SMTP server and through a stand-in for Amazon SES, read with Python's own parser."""

import base64
import datetime
import email
import email.policy
import email.utils
import ipaddress
import json
import ssl
import stat
import subprocess
from urllib.parse import urlsplit

import boto3
import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from conftest import BINARY, REPLY, SHIPPED, Page, Placet, Target
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

HOSTILE = 'Hi\r\nBcc: all@example.org\r\n\r\n<img src="https://evil.example/x.png">\u202e'


class Inbox:
    """Takes mail as a server does. `answers` are its answers to recipients."""

    def __init__(self):
        self.mails, self.answers = [], {}

    async def handle_RCPT(self, server, session, envelope, address, options):
        answer = self.answers.get(address, "250 ok")
        if answer.startswith("250"):
            envelope.rcpt_tos.append(address)
        return answer

    async def handle_DATA(self, server, session, envelope):
        self.mails.append(envelope)
        return "250 2.0.0 queued as 7"

    @property
    def tested(self):
        """The mails of `placet mail test`. Placet itself mails to others."""
        return [mail for mail in self.mails if "ann@example.org" in mail.rcpt_tos]

    def last(self):
        """Returns the last mail of `placet mail test`, parsed."""
        return email.message_from_bytes(self.tested[-1].content, policy=email.policy.default)


class Server(Controller):
    """An SMTP server on a free port of this machine."""

    def __init__(self, **options):
        self.inbox = Inbox()
        super().__init__(self.inbox, hostname="127.0.0.1", port=0, **options)

    def _trigger_server(self):
        self.port = self.server.sockets[0].getsockname()[1]
        super()._trigger_server()

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *_):
        self.stop()


def smtp(server, settings="tls: none"):
    return f'\nmail:\n  from: "Placet <approvals@example.com>"\n  smtp: {{host: 127.0.0.1, port: {server.port}, {settings}}}\n'


def send(placet, *options, to="ann@example.org", **variables):
    """Runs `placet mail test`, and returns its exit code and what it printed."""
    done = subprocess.run(
        [BINARY, "mail", "test", to, *options], cwd=placet.folder, env=placet.environment | variables,
        timeout=2 * REPLY, capture_output=True, text=True, stdin=subprocess.DEVNULL,
    )
    return done.returncode, done.stdout + done.stderr


def sent(placet, *options, **rest):
    code, said = send(placet, *options, **rest)
    assert code == 0, said
    return said


def parts(message):
    """Returns the text part and the HTML part."""
    assert message.get_content_type() == "multipart/alternative"
    text, html = message.iter_parts()
    assert (text.get_content_type(), html.get_content_type()) == ("text/plain", "text/html")
    assert not message.defects and not text.defects and not html.defects
    return text.get_content(), html.get_content()


@pytest.fixture(scope="module")
def server():
    with Server() as server:
        yield server


@pytest.fixture(scope="module")
def placet(tmp_path_factory, server):
    with Placet(tmp_path_factory.mktemp("mail"), config=SHIPPED + smtp(server)) as placet:
        yield placet


def request(placet, call_id, fn="order_planks", kwargs=None, **contact):
    """Requests an operation whose approver is reached by e-mail."""
    channel = {"email": {"address": "asked@example.org", **contact}} if contact else None
    spec = {"fn": fn, "kwargs": kwargs or {}, "channel": channel}
    reply = placet.api("POST", "/function_calls", json={"run_id": "tests", "call_id": call_id, "spec": spec})
    assert reply.status_code == 200, reply.text


def test_a_test_mail_reaches_its_address(placet, server):
    assert "The mail server accepted the mail: 2.0.0 queued as 7" in sent(placet)
    envelope, message = server.inbox.tested[-1], server.inbox.last()
    assert (envelope.mail_from, envelope.rcpt_tos) == ("approvals@example.com", ["ann@example.org"])
    assert (message["From"], message["To"]) == ("Placet <approvals@example.com>", "ann@example.org")
    assert message["Subject"] == "Test mail from Placet"
    assert message["Auto-Submitted"] == "auto-generated"
    assert message["Message-ID"].startswith("<test_") and message["Message-ID"].endswith("@example.com>")
    age = datetime.datetime.now(datetime.UTC) - email.utils.parsedate_to_datetime(message["Date"])
    assert age < datetime.timedelta(hours=1)
    text, html = parts(message)
    assert text.startswith("Mail from Placet reaches you.") and "Mail from Placet reaches you." in Page("", html).text


def test_the_mail_about_a_request_shows_every_argument(placet, server):
    kwargs = {"wood": "oak", "quantity": 1200, "note": "x" * 4711, "lines": "one\ntwo"}
    request(placet, "mail-1", kwargs=kwargs)
    sent(placet, "--operation", "mail-1")
    message = server.inbox.last()
    assert message["Subject"].startswith("Approve order_planks? Requested by ")
    text, html = parts(message)
    page = f"{placet.url}/inbox/mail-1"
    for line in ("wood: oak", "quantity: 1200", f"note: {'x' * 500}… 4,211 more characters", "    two", page):
        assert line in text.replace("\r\n", "\n").split("\n"), text
    assert Page("", html).links == [page]
    assert "4,211 more characters" in html and placet.call("mail-1")["status"].get("approved") is None


def test_no_text_of_a_requester_adds_a_header_or_a_tag(placet, server):
    request(placet, "mail-2", fn=HOSTILE, kwargs={HOSTILE: HOSTILE}, subject=HOSTILE, in_reply_to_message_id=HOSTILE)
    sent(placet, "--operation", "mail-2")
    message = server.inbox.last()
    assert message["Subject"] == 'Hi Bcc: all@example.org <img src="https://evil.example/x.png">'
    assert message["Bcc"] is None and message["Cc"] is None
    assert server.inbox.tested[-1].rcpt_tos == ["ann@example.org"]
    names = [name for name in message.keys()]
    assert sorted(names) == sorted(set(names)), names
    _, html = parts(message)
    assert "<img" not in html and "[right-to-left override U+202E]" in html
    for loading in ("<script", "<link", "@import", "url("):
        assert loading not in html


def test_mails_about_one_operation_are_one_thread(placet, server):
    threads = {"experimental_in_reply_to_message_id": "<a2@x.example>", "references_message_id": "<a1@x.example>"}
    request(placet, "mail-3", **threads, experimental_subject_line="Your order")
    sent(placet, "--operation", "mail-3")
    first = server.inbox.last()
    assert (first["Subject"], first["In-Reply-To"]) == ("Your order", "<a2@x.example>")
    assert first["References"] == "<a1@x.example> <a2@x.example>"
    for event in ("reminded", "escalated", "expired", "failed", "blocked", "unknown", "completed"):
        sent(placet, "--operation", "mail-3", "--event", event)
        later = server.inbox.last()
        assert (later["Subject"], later["In-Reply-To"]) == ("Re: Your order", first["Message-ID"])
        assert later["References"].split()[-1] == first["Message-ID"] != later["Message-ID"]
        parts(later)


def test_a_template_of_the_requester_is_rendered_or_replaced(placet, server):
    template = "<b>{{ event.spec.fn }}</b><a href='{{ urls.base_url }}?approve=true'>{{ type }}</a>"
    request(placet, "mail-4", template=template)
    sent(placet, "--operation", "mail-4")
    _, html = parts(server.inbox.last())
    assert html.startswith("<b>order_planks</b>")
    page = Page("", html)
    assert (page.links, page.text) == ([f"{placet.url}/inbox/mail-4?approve=true"], "order_planks v1beta2.function_call")
    request(placet, "mail-5", template="{% for i in range(99999) %}{% for j in range(99999) %}x{% endfor %}{% endfor %}")
    said = sent(placet, "--operation", "mail-5")
    _, html = parts(server.inbox.last())
    assert "order_planks" in html and html.startswith("<!DOCTYPE html>"), said


@pytest.mark.parametrize(("answer", "words"), [
    ("550 5.1.1 no such user", "the mail is refused permanently"),
    ("451 4.3.0 come back later", "another attempt may succeed"),
])
def test_a_refusal_is_told_with_what_it_means(placet, server, answer, words):
    server.inbox.answers["nobody@example.org"] = answer
    before = len(server.inbox.tested)
    code, said = send(placet, to="nobody@example.org")
    assert code == 1 and words in said and answer[:3] in said, said
    assert len(server.inbox.tested) == before


def test_an_address_that_is_none_is_refused(placet):
    for address in ("ann", "ann@example.org, ben@example.org", "a@example.org\nBcc: b@example.org"):
        code, said = send(placet, to=address)
        assert code == 1 and "is not an e-mail address" in said, said


# TLS and accounts


def certificate(folder):
    """Makes a certificate for 127.0.0.1 that signs itself."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "127.0.0.1")])
    now = datetime.datetime.now(datetime.UTC)
    made = (
        x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1)).not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), False)
        .sign(key, hashes.SHA256())
    )
    chain, private = folder / "server.pem", folder / "server.key"
    chain.write_bytes(made.public_bytes(serialization.Encoding.PEM))
    private.write_bytes(key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption(),
    ))
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(chain, private)
    return chain, context


def account(server, session, envelope, mechanism, data):
    right = (data.login, data.password) == (b"placet", b"correct horse")
    return AuthResult(success=right, handled=False)


@pytest.mark.parametrize("tls", ["starttls", "implicit"])
def test_an_account_is_used_over_tls_only_with_a_certificate_that_holds(tmp_path, tls):
    chain, context = certificate(tmp_path)
    encrypted = {"ssl_context": context} if tls == "implicit" else {"tls_context": context, "require_starttls": True}
    options = encrypted | {"authenticator": account, "auth_required": True, "auth_require_tls": tls == "starttls"}
    settings = f"tls: {tls}, username: placet, password: env:PLACET_SECRET_MAIL"
    with Server(**options) as server:
        placet = Placet(tmp_path, config=SHIPPED + smtp(server, settings))
        trusted = {"SSL_CERT_FILE": str(chain)}
        sent(placet, PLACET_SECRET_MAIL="correct horse", **trusted)
        assert server.inbox.last()["Subject"] == "Test mail from Placet"
        code, said = send(placet, PLACET_SECRET_MAIL="wrong", **trusted)
        assert code == 1 and "it does not let us in" in said and "wrong" not in said, said
        code, said = send(placet, PLACET_SECRET_MAIL="correct horse")
        assert code == 1 and "another attempt may succeed" in said, said
        code, said = send(placet, **trusted)
        assert code == 1 and "PLACET_SECRET_MAIL is not set" in said, said
        assert len(server.inbox.mails) == 1


# Amazon SES

REGION = "eu-west-1"
KEYS = {"AWS_ACCESS_KEY_ID": "AKIDEXAMPLE", "AWS_SECRET_ACCESS_KEY": "the secret", "AWS_SESSION_TOKEN": "the token"}
SES = SHIPPED + f"\nmail:\n  from: Placet <approvals@example.com>\n  ses: {{region: {REGION}}}\n"


def by_botocore(url, body):
    """The same call as botocore makes it: its method, path and JSON."""
    session = boto3.session.Session(*KEYS.values(), region_name=REGION)
    client = session.client("sesv2", endpoint_url=url)
    calls = []

    def stop(request, **_):
        calls.append(request)
        raise InterruptedError

    client.meta.events.register("before-send.sesv2.SendEmail", stop)
    destination = {"ToAddresses": ["ann@example.org"], "CcAddresses": [], "BccAddresses": []}
    with pytest.raises(InterruptedError):
        client.send_email(
            FromEmailAddress="approvals@example.com", Destination=destination, Content={"Raw": {"Data": body}},
        )
    return calls[0]


def signature(received, url):
    """The signature that botocore computes for these headers and this body."""
    signed = dict(part.split("=", 1) for part in received.headers["authorization"].split(" ", 1)[1].split(", "))
    names = signed["SignedHeaders"].split(";")
    headers = {name: received.headers[name] for name in names if name != "host"}
    request = AWSRequest("POST", url, data=received.body, headers=headers)
    request.context["timestamp"] = received.headers["x-amz-date"]
    auth = SigV4Auth(Credentials(*KEYS.values()), "ses", REGION)
    auth.timestamp = received.headers["x-amz-date"]
    text = auth.string_to_sign(request, auth.canonical_request(request))
    return signed["Signature"], auth.signature(text, request)


def test_a_mail_through_ses_is_the_call_of_botocore(tmp_path):
    target = Target()
    target.behave = lambda received: (200, {"MessageId": "0100"})
    url = target.url.removesuffix("/run")
    placet = Placet(tmp_path, config=SES)
    assert "message id 0100" in sent(placet, **KEYS, AWS_ENDPOINT_URL_SESV2=url)
    (received,) = target.received
    raw = base64.b64decode(received.json["Content"]["Raw"]["Data"])
    message = email.message_from_bytes(raw, policy=email.policy.default)
    assert message["Subject"] == "Test mail from Placet" and parts(message)
    same = by_botocore(url, raw)
    assert received.json == json.loads(same.body)
    assert urlsplit(same.url).path == "/v2/email/outbound-emails"
    ours, theirs = signature(received, same.url)
    assert ours == theirs
    assert received.headers["x-amz-security-token"] == "the token"
    assert received.headers["content-type"] == same.headers["Content-Type"].decode()


@pytest.mark.parametrize(("status", "code", "words"), [
    (400, "MessageRejected", "another attempt may succeed"),
    (400, "BadRequestException", "the mail is refused permanently"),
    (429, "TooManyRequestsException", "another attempt may succeed"),
    (400, "SendingPausedException", "another attempt may succeed"),
])
def test_what_ses_answers_is_told_with_what_it_means(tmp_path, status, code, words):
    target = Target()
    target.behave = lambda received: (status, {"__type": code, "message": "Email address is not verified."})
    placet = Placet(tmp_path, config=SES)
    done, said = send(placet, **KEYS, AWS_ENDPOINT_URL_SESV2=target.url.removesuffix("/run"))
    assert done == 1 and words in said and f"{code}: Email address is not verified." in said, said
    assert "the secret" not in said


# The mailbox of the local system


def test_a_newcomer_sees_in_the_browser_what_a_colleague_would_get(tmp_path):
    with Placet(tmp_path) as placet:
        assert "No mail yet" in placet.page("/mail").text
        request(placet, "mail-9", fn=HOSTILE, kwargs={"wood": "oak"})
        assert "`" in sent(placet, "--operation", "mail-9")
        (address,) = [link for link in placet.page("/mail").links if link.startswith("/mail/")]
        page = placet.page(address)
        assert "wood: oak" in page.text and "<img src=" not in page.html
        assert 'sandbox="allow-popups allow-popups-to-escape-sandbox"' in page.html
        policy = placet.get(address, headers={"Accept": "text/html"}).headers["Content-Security-Policy"]
        assert "script-src" not in policy and "default-src 'none'" in policy
        source = placet.get(f"{address}/source")
        assert source.headers["Content-Type"] == "text/plain; charset=utf-8"
        text, _ = parts(email.message_from_string(source.text, policy=email.policy.default))
        assert "wood: oak" in text
        folder = tmp_path / ".placet/mail"
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700
        assert [file.name for file in folder.glob("*.eml")] == [f"{address.removeprefix('/mail/')}.eml"]
        foreign = placet.get("/mail", headers={"Host": "rebound.example"})
        assert foreign.status_code == 403 or foreign.status_code == 421, foreign.status_code
        assert placet.post(address).status_code == 405
        assert placet.get("/mail/..%2Fplacet.sqlite", headers={"Accept": "text/html"}).status_code == 404
