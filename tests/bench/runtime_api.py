"""Lambda's runtime API on loopback: starts a bootstrap, hands it events, and tells what it used.

One process, one event at a time, as in an execution environment of Lambda's.
"""

from __future__ import annotations

import http.server
import json
import os
import pathlib
import queue
import subprocess
import threading
import time
from dataclasses import dataclass

# Longer than any invocation here takes; a bootstrap that hangs ends the measurement.
PATIENCE = 30


@dataclass(frozen=True)
class Used:
    """What a process has used since it was started: seconds passed, seconds of CPU time, bytes of memory at most."""

    wall: float
    cpu: float
    peak: int


class Instance:
    """A running bootstrap. To be closed."""

    def __init__(self, bootstrap: pathlib.Path, environment: dict[str, str]) -> None:
        self._events: queue.Queue = queue.Queue()
        self._news: queue.Queue = queue.Queue()
        instance = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            # Small answers are not to wait for anything.
            disable_nagle_algorithm = True

            def log_message(self, *_):
                pass

            def do_GET(self):
                instance._news.put(("next", instance.used()))
                event = instance._events.get()
                if event is None:
                    self.close_connection = True
                    return
                body = json.dumps(event).encode()
                self._answer(
                    200,
                    body,
                    {
                        "Lambda-Runtime-Aws-Request-Id": "8476a536-e9f4-11e8-9739-2dfe598c3fcd",
                        "Lambda-Runtime-Deadline-Ms": str(int((time.time() + PATIENCE) * 1000)),
                        "Lambda-Runtime-Invoked-Function-Arn": "arn:aws:lambda:us-east-1:000000000000:function:measured",
                        "Lambda-Runtime-Trace-Id": "Root=1-5bef4de7-ad49b0e87f6ef6c87fc2e700;Parent=9a9197af755a6419;Sampled=0",
                    },
                )

            def do_POST(self):
                if "chunked" in self.headers.get("Transfer-Encoding", ""):
                    body = b"".join(iter(self._chunk, b""))
                else:
                    body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
                kind = "response" if self.path.endswith("/response") else "error"
                instance._news.put((kind, body))
                self._answer(202, b"{}", {})

            def _chunk(self):
                size = int(self.rfile.readline(), 16)
                chunk = self.rfile.read(size)
                self.rfile.readline()
                return chunk

            def _answer(self, status, body, headers):
                self.send_response(status)
                for name, value in headers.items():
                    self.send_header(name, value)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        variables = environment | {
            "AWS_LAMBDA_RUNTIME_API": f"127.0.0.1:{self._server.server_port}",
            "AWS_LAMBDA_FUNCTION_NAME": "measured",
            "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "512",
            "AWS_LAMBDA_FUNCTION_VERSION": "$LATEST",
            "AWS_LAMBDA_LOG_GROUP_NAME": "/measured",
            "AWS_LAMBDA_LOG_STREAM_NAME": "measured",
        }
        self._began = time.monotonic()
        self._process = subprocess.Popen([bootstrap], env=variables, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        # Only now: a bootstrap's first request needs `_process`.
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()
        self._log: list[bytes] = []
        threading.Thread(target=lambda: self._log.extend(self._process.stdout), daemon=True).start()

    def used(self) -> Used:
        """What the process has used by now."""
        # The CPU clock of another process, all its threads together: see clock_getcpuclockid(3).
        cpu = time.clock_gettime((~self._process.pid << 3) | 2)
        status = pathlib.Path(f"/proc/{self._process.pid}/status").read_text()
        peak = next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmHWM:"))
        return Used(time.monotonic() - self._began, cpu, peak * 1024)

    def ready(self) -> Used:
        """Waits until the bootstrap asks for an event."""
        return self._take("next")

    def invoke(self, event: dict) -> tuple[dict, Used]:
        """Hands an event to a bootstrap that is ready: its answer, and what it has used when it is ready again."""
        self._events.put(event)
        body = self._take("response")
        return json.loads(body), self._take("next")

    def log(self) -> str:
        return b"".join(self._log).decode(errors="replace")

    def close(self) -> None:
        """Ends the bootstrap."""
        self._process.kill()
        self._process.wait()
        self._events.put(None)
        self._server.shutdown()
        self._server.server_close()

    def _take(self, expected: str):
        deadline = time.monotonic() + PATIENCE
        while True:
            try:
                kind, news = self._news.get(timeout=0.2)
            except queue.Empty:
                if self._process.poll() is None and time.monotonic() < deadline:
                    continue
                raise RuntimeError(f"no {expected} (exit code {self._process.poll()}):\n{self.log()}") from None
            if kind == expected:
                return news
            raise RuntimeError(f"a {kind} instead of a {expected}: {news}\n{self.log()}")


def recorded(path: pathlib.Path) -> dict:
    """A recorded event."""
    return json.loads(path.read_text())


def request(path: str, token: str, query: str = "") -> dict:
    """A GET as API Gateway's HTTP API tells of it, payload version 2."""
    headers = {"host": "a1b2c3d4e5.execute-api.us-east-1.amazonaws.com", "accept": "*/*"}
    headers |= {"authorization": f"Bearer {token}"} if token else {}
    return {
        "version": "2.0",
        "routeKey": "$default",
        "rawPath": path,
        "rawQueryString": query,
        "headers": headers,
        "requestContext": {
            "accountId": "123456789012",
            "apiId": "a1b2c3d4e5",
            "domainName": headers["host"],
            "domainPrefix": "a1b2c3d4e5",
            "http": {"method": "GET", "path": path, "protocol": "HTTP/1.1", "sourceIp": "203.0.113.7", "userAgent": "measure"},
            "requestId": os.urandom(8).hex(),
            "routeKey": "$default",
            "stage": "$default",
            "time": "17/Aug/2026:11:42:06 +0000",
            "timeEpoch": 1786966926000,
        },
        "isBase64Encoded": False,
    }
