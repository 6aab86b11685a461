"""An S3 on this machine. It checks every signature with botocore; Placet signs with another library."""

import hashlib
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, unquote, urlsplit
from xml.sax.saxutils import escape

from botocore.auth import S3SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

REGION, ACCESS_KEY, SECRET_KEY, BUCKET = "eu-central-1", "AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY", "placet-test"


class S3:
    """Objects by key. While `down` is set, every answer is 503."""

    def __init__(self):
        self.objects, self.down, self.refused = {}, False, []
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), handler(self))
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    @property
    def environment(self):
        return {
            "PLACET_BLOBS": f"s3://{BUCKET}",
            "AWS_ENDPOINT_URL_S3": self.url,
            "AWS_REGION": REGION,
            "AWS_ACCESS_KEY_ID": ACCESS_KEY,
            "AWS_SECRET_ACCESS_KEY": SECRET_KEY,
        }

    def close(self):
        self.server.shutdown()
        self.server.server_close()


def signed(method, url, headers, body):
    """Whether the Authorization header equals the header that botocore computes."""
    given = headers.get("authorization", "")
    names = given.partition("SignedHeaders=")[2].partition(",")[0].split(";")
    request = AWSRequest(method, url, {name: headers[name] for name in names}, body)
    request.context["timestamp"] = headers["x-amz-date"]
    auth = S3SigV4Auth(Credentials(ACCESS_KEY, SECRET_KEY), "s3", REGION)
    canonical = auth.canonical_request(request)
    signature = auth.signature(auth.string_to_sign(request, canonical), request)
    hashed = headers["x-amz-content-sha256"] in ("UNSIGNED-PAYLOAD", hashlib.sha256(body).hexdigest())
    return hashed and given.endswith(f"Signature={signature}")


def handler(s3):
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_message(self, *_):
            pass

        def answer(self, status, body=b"", **headers):
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name.replace("_", "-"), value)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(body)

        def handle_any(self):
            body = self.rfile.read(int(self.headers.get("content-length") or 0))
            headers = {name.lower(): value for name, value in self.headers.items()}
            if s3.down:
                return self.answer(503)
            if not signed(self.command, s3.url + self.path, headers, body):
                s3.refused.append(self.path)
                return self.answer(403)
            parts = urlsplit(self.path)
            key = unquote(parts.path).removeprefix(f"/{BUCKET}").lstrip("/")
            if self.command == "PUT":
                s3.objects[key] = body
                return self.answer(200, ETag='"1"')
            if self.command == "DELETE":
                s3.objects.pop(key, None)
                return self.answer(204)
            if not key:
                return self.answer(200, listing(s3, parse_qs(parts.query).get("prefix", [""])[0]))
            if key not in s3.objects:
                return self.answer(404, b"<Error><Code>NoSuchKey</Code></Error>")
            self.answer(200, s3.objects[key], ETag='"1"', Last_Modified="Sat, 21 Nov 2026 09:00:00 GMT")

        do_GET = do_PUT = do_DELETE = do_HEAD = do_POST = handle_any

    return Handler


def listing(s3, prefix):
    found = "".join(
        f"<Contents><Key>{escape(key)}</Key><LastModified>2026-11-21T09:00:00.000Z</LastModified>"
        f"<ETag>1</ETag><Size>{len(body)}</Size></Contents>"
        for key, body in sorted(s3.objects.items())
        if key.startswith(prefix)
    )
    return f"<ListBucketResult><IsTruncated>false</IsTruncated>{found}</ListBucketResult>".encode()
