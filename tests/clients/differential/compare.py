"""Finds the differences between two answers to one call, and explains them in a table."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import Any

from .call import Call
from .known_differences import Difference
from .side import Answer, Side

TOKENS = {"next_page_token", "page_token"}


@dataclass(frozen=True)
class Mismatch:
    """One field in which ours is not what it must be."""

    case: str
    field: str
    stock: str
    ours: str


def _sort_key(item: Any) -> str:
    return json.dumps(item, sort_keys=True, default=str)


def _settle(value: Any, unordered: bool, inside: str = "") -> Any:
    """Removes what no client may rely on: tokens, and the order of things that have none."""
    if isinstance(value, dict):
        return {k: "<token>" if k in TOKENS else _settle(v, unordered, f"{inside}.{k}") for k, v in value.items()}
    if isinstance(value, list):
        items = [_settle(item, unordered, inside) for item in value]
        has_no_order = inside.endswith((".tags", ".params", ".data.metrics", "_inputs", "_outputs", ".aliases", ".latest_versions"))
        return sorted(items, key=_sort_key) if unordered or has_no_order else items
    return value


def _same(a: Any, b: Any) -> bool:
    """Equality of JSON values in which 1, 1.0 and true are three different things."""
    return type(a) is type(b) and a == b


def _differences(stock: Any, ours: Any, path: str) -> list[tuple[str, Any, Any]]:
    if isinstance(stock, dict) and isinstance(ours, dict):
        found = []
        for key in sorted(stock.keys() | ours.keys()):
            where = f"{path}.{key}" if path else key
            if key not in ours or key not in stock:
                found.append((where, stock.get(key, "<absent>"), ours.get(key, "<absent>")))
            else:
                found += _differences(stock[key], ours[key], where)
        return found
    if isinstance(stock, list) and isinstance(ours, list) and len(stock) == len(ours):
        pairs = enumerate(zip(stock, ours))
        return [hit for i, (a, b) in pairs for hit in _differences(a, b, f"{path}[{i}]")]
    return [] if _same(stock, ours) else [(path or "body", stock, ours)]


def _message(side: Side, answer: Answer) -> str:
    """The error's text without what tells of Python or of SQL: the order of a set, an address, a statement."""
    text = side.comparable(answer.body.get("message", "<absent>"), "message")
    text = re.sub(r"\s*(Error: )?(\(raised as a result of [^)]*\)\s*)?\(sqlite3\.[\s\S]*", "", text)
    text = re.sub(r"\{('[^{}]*')\}", lambda found: "{" + ", ".join(sorted(found.group(1).split(", "))) + "}", text)
    return re.sub(r"0x[0-9a-f]{6,}", "0x..", text)


def _error_differences(call: Call, sides: tuple[Side, Side], answers: tuple[Answer, Answer]) -> list[tuple[str, Any, Any]]:
    stock, ours = answers
    found = []
    if stock.error_code != ours.error_code:
        found.append(("error_code", stock.error_code, ours.error_code))
    if call.compare_message and stock.error_code and ours.error_code:
        messages = _message(sides[0], stock), _message(sides[1], ours)
        # A number that happens to be an experiment's on one side only leaves the plain texts equal.
        if messages[0] != messages[1] and stock.body.get("message") != ours.body.get("message"):
            found.append(("message", *messages))
    return found


def _content_type(answer: Answer) -> str:
    return answer.content_type.replace(" ", "").lower().removesuffix(";charset=utf-8")


def compare(case: str, call: Call, sides: tuple[Side, Side], answers: tuple[Answer, Answer]) -> list[Mismatch]:
    """What differs between stock's answer (first) and ours (second), apart from what each server may choose."""
    stock, ours = answers
    if stock.status != ours.status:
        return [Mismatch(case, "status", stock.short(), ours.short())]
    if stock.status >= 400:
        found = _error_differences(call, sides, answers)
    else:
        bodies = [_settle(side.comparable(answer.body), call.unordered) for side, answer in zip(sides, answers)]
        found = _differences(*bodies, "")
        if _content_type(stock) != _content_type(ours):
            found.append(("Content-Type", stock.content_type, ours.content_type))
        if stock.headers != ours.headers:
            found.append(("headers", stock.headers, ours.headers))
    return [Mismatch(case, field, _text(a), _text(b)) for field, a, b in found]


def check_stock(case: str, difference: Difference, stock: Answer) -> list[Mismatch]:
    """That stock still has the recorded accident: else the entry has outlived its reason."""
    if (stock.status, stock.error_code) == difference.stock:
        return []
    return [Mismatch(case, "stock's recorded accident", str(difference.stock), f"stock now: {stock.short()}")]


def check_ours(case: str, difference: Difference, stock: Answer, ours: Answer) -> list[Mismatch]:
    """That ours is the clean answer where stock's is an accident."""
    held = all(ours.is_json and ours.body.get(key) == value for key, value in (difference.body or {}).items())
    if (ours.status, ours.error_code) == difference.ours and held:
        return []
    clean = f"{stock.short()}\n      clean: {difference.ours} {difference.body or ''}"
    return [Mismatch(case, f"known difference: {difference.reason}", clean, ours.short())]


def _text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, sort_keys=True, default=str)


def table(mismatches: list[Mismatch]) -> str:
    """The mismatches, one block each: call, field, what stock says, what ours says."""
    blocks = [f"{m.case}\n    {m.field}\n      stock: {m.stock}\n      ours:  {m.ours}" for m in mismatches]
    return "\n".join(blocks)
