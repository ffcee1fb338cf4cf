"""Receives Hamlet's webhooks and believes only what is signed. Python 3.9 or newer, standard library only.

    WEBHOOK_SECRET=whsec_... python3 receiver.py 8080

Take `verify` into your blog; the server below it is for trying things out. The specification is Standard Webhooks 1.0.
"""

import base64
import hashlib
import hmac
import json
import os
import sys
import time
from http.server import BaseHTTPRequestHandler, HTTPServer

TOLERANCE_SECONDS = 300  # an old webhook that somebody kept is worth nothing
BODY_BYTES_MAX = 1 << 20


def verify(secret, headers, body, now=None):
    """The event, or ValueError. `secret` begins with whsec_, `headers` finds names in any case, `body` is the bytes as they came."""
    webhook_id, sent = headers.get("webhook-id", ""), headers.get("webhook-timestamp", "")
    if not (webhook_id and sent.isascii() and sent.isdigit()):
        raise ValueError("no webhook")
    if abs((time.time() if now is None else now) - int(sent)) > TOLERANCE_SECONDS:
        raise ValueError("too old, or a clock is wrong")
    key = base64.b64decode(secret.removeprefix("whsec_"), validate=True)
    mac = hmac.new(key, f"{webhook_id}.{sent}.".encode() + body, hashlib.sha256).digest()
    expected = "v1," + base64.b64encode(mac).decode()
    # Several signatures stand there while the secret is being changed; one must be ours.
    given = headers.get("webhook-signature", "").split(" ")
    if not any([hmac.compare_digest(expected.encode(), one.encode()) for one in given]):
        raise ValueError("not signed with our secret")
    return json.loads(body)


class Receiver(BaseHTTPRequestHandler):
    def do_POST(self):
        length = int(self.headers.get("content-length") or 0)
        try:
            if length > BODY_BYTES_MAX:
                raise ValueError("too long")
            event = verify(os.environ["WEBHOOK_SECRET"], self.headers, self.rfile.read(length))
        except ValueError as error:
            self.answer(401, str(error))
            return
        # Any webhook may come twice (the same webhook-id): setting a status twice does no harm.
        print(event["type"], event["data"]["id"], event["data"]["status"], flush=True)
        self.answer(204)

    def answer(self, status, text=""):
        self.send_response(status)
        self.end_headers()
        self.wfile.write(text.encode())


if __name__ == "__main__":
    HTTPServer(("127.0.0.1", int(sys.argv[1])), Receiver).serve_forever()
