"""What the AWS Parameters and Secrets Lambda extension answers on loopback, for functions that run without layers.

The layer is AWS's own program. Here its wire is spoken to all functions at once, and Secrets Manager is asked anew each time.
"""

from __future__ import annotations

import contextlib
import http.server
import json
import threading
from collections.abc import Iterator
from urllib.parse import parse_qs, urlsplit

import botocore.exceptions


@contextlib.contextmanager
def serve(port: int, client, session_token: str) -> Iterator[None]:
    """Serves `/secretsmanager/get` on a port of loopback, to functions of that session."""

    class Handler(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        # Head and body are sent apart.
        disable_nagle_algorithm = True

        def log_message(self, *_):
            pass

        def do_GET(self):
            url = urlsplit(self.path)
            wanted = parse_qs(url.query).get("secretId", [])
            if self.headers.get("X-Aws-Parameters-Secrets-Token") != session_token:
                return self.answer(401, {"message": "X-Aws-Parameters-Secrets-Token is not the session's token"})
            if url.path != "/secretsmanager/get" or len(wanted) != 1:
                return self.answer(400, {"message": "not a question for a secret"})
            try:
                found = client.get_secret_value(SecretId=wanted[0])
            except botocore.exceptions.ClientError as error:
                return self.answer(error.response["ResponseMetadata"]["HTTPStatusCode"], {"message": str(error)})
            return self.answer(200, {name: found[name] for name in ("ARN", "Name", "VersionId", "SecretString")})

        def answer(self, status: int, body: dict) -> None:
            text = json.dumps(body).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(text)))
            self.end_headers()
            self.wfile.write(text)

    server = http.server.ThreadingHTTPServer(("127.0.0.1", port), Handler)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield
    finally:
        server.shutdown()
        server.server_close()
