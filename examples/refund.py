"""An HTTP endpoint for the operation refund_payment: one refund for each idempotency key. See docs/OPERATIONS.md."""

import json
from http.server import BaseHTTPRequestHandler, HTTPServer

refunds = {}


class Refund(BaseHTTPRequestHandler):
    def do_POST(self):
        call = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        key = self.headers["Idempotency-Key"]
        if key not in refunds:
            refunds[key] = {"refund": f"R-{len(refunds) + 1}"}
            print("refunded", call["kwargs"], flush=True)
        body = json.dumps(refunds[key]).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


HTTPServer(("127.0.0.1", 9000), Refund).serve_forever()
