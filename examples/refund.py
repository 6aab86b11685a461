"""An HTTP endpoint for the operation refund_payment: one refund for each idempotency key. See docs/OPERATIONS.md.

The example does not verify the signature of a request. A real endpoint must do that first.
"""

import json
from http.server import BaseHTTPRequestHandler, HTTPServer

refunds = {}


class Refund(BaseHTTPRequestHandler):
    def do_POST(self):
        call = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        if self.path != "/refund":
            return self.answer(404, {"error": f"nothing is at {self.path}"})
        if "kwargs" not in call:
            return self.answer(400, {"error": "the body has no kwargs"})
        key = self.headers["Idempotency-Key"]
        if key not in refunds:
            refunds[key] = {"refund": f"R-{len(refunds) + 1}"}
            print("refunded", call["kwargs"], flush=True)
        return self.answer(200, refunds[key])

    def answer(self, status, value):
        body = json.dumps(value).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


print("listening on http://127.0.0.1:9000/refund", flush=True)
HTTPServer(("127.0.0.1", 9000), Refund).serve_forever()
