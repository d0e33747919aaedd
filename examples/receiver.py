"""Receive webhooks and print what they tell: `python examples/receiver.py whsec_… 9000`; docs/webhooks.md."""

import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from standardwebhooks import Webhook, WebhookVerificationError

secret, port = sys.argv[1], int((*sys.argv[2:], "9000")[0])
seen = set()  # ids of events; a real receiver keeps them where it keeps its results


class Receiver(BaseHTTPRequestHandler):
    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        try:
            event = Webhook(secret).verify(body, dict(self.headers))
        except WebhookVerificationError as error:
            self.send_error(400, f"not from Stenocast: {error}")
            return
        if event["id"] not in seen:  # else a copy of what was received before
            data = event["data"]
            print(event["type"], event["subject"], *(f"{name}={data[name]}" for name in data if name == "revision"))
            if event["type"] in ("transcript.published.v1", "transcript.revised.v1"):
                print(f"  {data['word_count']} words by {data['speaker_count']} speakers: {data['document_uri']}")
            sys.stdout.flush()
            seen.add(event["id"])
        self.send_response(204)  # at once: what takes longer than 15 s is done after the answer
        self.end_headers()


ThreadingHTTPServer(("127.0.0.1", port), Receiver).serve_forever()
