"""One of the two servers: sends calls, remembers what its placeholders stand for, and makes its answers comparable."""

from __future__ import annotations

import json
import re
import time
import urllib.parse
from dataclasses import dataclass
from typing import Any

import requests

from .call import Call

PLACEHOLDER = re.compile(r"\{([a-z][a-z0-9_]*)\}")
RANDOM_RUN_NAME = re.compile(r"[a-z]+-[a-z]+-\d{1,4}")
SERVER_TIMES = {
    "creation_time": "last_update_time",
    "creation_timestamp_ms": "last_updated_timestamp_ms",
    "creation_timestamp": "last_updated_timestamp",
}
COMPARED_HEADERS = ("Content-Disposition", "X-Content-Type-Options", "Allow")
DAY_MS = 86_400_000


@dataclass(frozen=True)
class Answer:
    """What a server said: `body` is parsed JSON when it was JSON, else text."""

    status: int
    content_type: str
    headers: dict[str, str]
    body: Any
    is_json: bool

    @property
    def error_code(self) -> str | None:
        return self.body.get("error_code") if self.is_json and isinstance(self.body, dict) else None

    def short(self) -> str:
        text = json.dumps(self.body) if self.is_json else str(self.body)
        return f"{self.status} {text[:300]}"


def at(body: Any, path: str) -> Any:
    """The value at a dotted path; numbers index lists. Raises LookupError when there is none."""
    for part in path.split("."):
        body = body[int(part)] if isinstance(body, list) else body[part]
    return body


class Side:
    """A server and what it called its things. Make a new one for each scenario."""

    def __init__(self, base: str, unique: str, headers: dict[str, str], session: requests.Session):
        self.base = base
        self.headers = headers
        self.session = session
        self.values: dict[str, str] = {"u": unique}
        self.experiments: set[str] = set()

    def fill(self, value: Any) -> Any:
        """`value` with every placeholder replaced by what this server calls it."""
        if isinstance(value, str):
            return PLACEHOLDER.sub(lambda match: self.values[match.group(1)], value)
        if isinstance(value, dict):
            return {self.fill(k): self.fill(v) for k, v in value.items()}
        if isinstance(value, (list, tuple)):
            return [self.fill(item) for item in value]
        return value

    def send(self, call: Call) -> Answer:
        """Sends the call as it is written and saves what it asks to save."""
        headers = dict(self.headers)
        data = call.raw.encode() if isinstance(call.raw, str) else call.raw
        if isinstance(call.raw, str):
            data = self.fill(call.raw).encode()
        elif call.json is not None:
            data = json.dumps(self.fill(call.json)).encode()
        if data is not None and call.method != "PUT":
            headers["Content-Type"] = "application/json"
        headers |= call.headers
        parameters = list(call.params.items()) if isinstance(call.params, dict) else list(call.params or [])
        query = urllib.parse.urlencode([(k, self.fill(v)) for k, v in parameters], doseq=True)
        url = self.base + self.fill(call.full_path) + (f"?{query}" if query else "")
        request = requests.Request(call.method, url, data=data, headers=headers).prepare()
        request.url = url  # as written: the library would tidy `..` away
        response = self.session.send(request, timeout=60, allow_redirects=False)
        answer = self._read(response)
        for name, path in call.save.items():
            self._save(name, path, answer)
        return answer

    def _read(self, response: requests.Response) -> Answer:
        content_type = response.headers.get("Content-Type", "")
        headers = {name: response.headers[name] for name in COMPARED_HEADERS if name in response.headers}
        if content_type.startswith("application/json"):
            return Answer(response.status_code, content_type, headers, response.json(), True)
        return Answer(response.status_code, content_type, headers, response.text, False)

    def _save(self, name: str, path: str, answer: Answer) -> None:
        try:
            value = str(at(answer.body, path))
        except (LookupError, TypeError, ValueError):
            # The scenario goes on; what builds on the value will differ and be reported.
            value = f"nothing-saved-as-{name}"
        self.values[name] = value
        if path.endswith("experiment_id"):
            self.experiments.add(name)

    def comparable(self, value: Any, key: str = "") -> Any:
        """`value` with ids, tokens, times and random names replaced by what both servers have in common."""
        if isinstance(value, dict):
            named = {k: self.comparable(v, k) for k, v in value.items()}
            return self._without_times(value, named)
        if isinstance(value, list):
            return [self.comparable(item, key) for item in value]
        if isinstance(value, str):
            return self._named(value, key)
        return value

    def _without_times(self, value: dict[str, Any], named: dict[str, Any]) -> dict[str, Any]:
        now = time.time() * 1000
        for made, updated in SERVER_TIMES.items():
            for name in (made, updated):
                if isinstance(value.get(name), int) and abs(value[name] - now) < DAY_MS:
                    named[name] = "<time>"
            if named.get(updated) == "<time>" and isinstance(value.get(made), int) and value[updated] > value[made]:
                named[updated] = "<later time>"
        return named

    def _named(self, text: str, key: str) -> str:
        if RANDOM_RUN_NAME.fullmatch(text):
            return "<random name>"
        for name, value in sorted(self.values.items(), key=lambda pair: -len(pair[1])):
            if name in self.experiments:
                text = self._name_experiment(text, value, name, key)
            else:
                text = text.replace(value, f"{{{name}}}")
        return text

    def _name_experiment(self, text: str, number: str, name: str, key: str) -> str:
        # A short decimal number: only where it can be nothing else than this experiment.
        if key == "experiment_id":
            return f"{{{name}}}" if text == number else text
        if key == "message":
            return re.sub(rf"(?<![\w.-]){re.escape(number)}(?![\w-])", f"{{{name}}}", text)
        return re.sub(rf"^(mlflow-artifacts:/){re.escape(number)}(?=/|$)", rf"\g<1>{{{name}}}", text, flags=re.IGNORECASE)
