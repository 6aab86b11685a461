"""An endpoint that prints the webhooks which Placet sends. See docs/WEBHOOKS.md.

The example does not verify the signature of a webhook. A real endpoint must do that first.
"""

from http.server import BaseHTTPRequestHandler, HTTPServer


class Receiver(BaseHTTPRequestHandler):
    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        print(self.path, self.headers["webhook-id"], body.decode(errors="replace"), flush=True)
        self.send_response(204)
        self.end_headers()


print("listening on http://127.0.0.1:9001/hooks", flush=True)
HTTPServer(("127.0.0.1", 9001), Receiver).serve_forever()
