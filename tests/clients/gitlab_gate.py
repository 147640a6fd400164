"""A proxy between a hub and GitLab that counts the calls, can refuse a token, and can rename a project."""

from __future__ import annotations

import contextlib
import http.server
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field

import requests

HOP_BY_HOP = {"connection", "content-length", "transfer-encoding", "host", "content-encoding", "accept-encoding"}


@dataclass
class Gate:
    """What the proxy does, changed by tests while it runs. `calls` lists method and path of every call."""

    target: str
    url: str = ""
    calls: list[str] = field(default_factory=list)
    # Answers nothing while true: the connection closes.
    is_down: bool = False
    refused_tokens: set[str] = field(default_factory=set)
    # New full path of a project -> the one that GitLab itself knows.
    renamed: dict[str, str] = field(default_factory=dict)

    def inward(self, text: bytes) -> bytes:
        for new, old in self.renamed.items():
            text = _swap(text, old, "gone/nobody-knows-where")
            text = _swap(text, new, old)
        return text

    def outward(self, text: bytes) -> bytes:
        for new, old in self.renamed.items():
            text = _swap(text, old, new)
        return text


def _swap(text: bytes, old: str, new: str) -> bytes:
    encoded = old.replace("/", "%2F"), new.replace("/", "%2F")
    return text.replace(old.encode(), new.encode()).replace(encoded[0].encode(), encoded[1].encode())


def _handler(gate: Gate) -> type[http.server.BaseHTTPRequestHandler]:
    class Handler(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self):
            gate.calls.append(f"{self.command} {self.path}")
            if gate.is_down:
                self.close_connection = True
                return None
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            credentials = f"{self.headers.get('Authorization', '')} {self.headers.get('PRIVATE-TOKEN', '')}".split()
            if gate.refused_tokens & set(credentials):
                return self.answer(401, {"Content-Type": "application/json"}, b'{"message":"401 Unauthorized"}')
            headers = {k: v for k, v in self.headers.items() if k.lower() not in HOP_BY_HOP}
            path = gate.inward(self.path.encode()).decode()
            reply = requests.request(self.command, gate.target + path, data=gate.inward(body), headers=headers, timeout=30)
            kept = {k: v for k, v in reply.headers.items() if k.lower() not in HOP_BY_HOP}
            return self.answer(reply.status_code, kept, gate.outward(reply.content))

        do_POST = do_HEAD = do_GET

        def answer(self, status: int, headers: dict[str, str], body: bytes) -> None:
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(body)

        def log_message(self, *args):
            pass

    return Handler


@contextlib.contextmanager
def open_gate(target: str) -> Iterator[Gate]:
    gate = Gate(target)
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), _handler(gate))
    gate.url = f"http://127.0.0.1:{server.server_port}"
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield gate
    finally:
        server.shutdown()
        server.server_close()
