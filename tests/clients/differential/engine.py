"""Runs a scenario against both servers, once, and keeps what differed for every call."""

from __future__ import annotations

import time
import uuid
from collections.abc import Iterator
from dataclasses import dataclass, field

import requests

from .call import SCENARIOS, Call, Scenario
from .compare import Mismatch, check_ours, check_stock, compare
from .known_differences import KNOWN_DIFFERENCES
from .side import Answer, Side

# Two objects made one after the other never share a millisecond, so orders by time are the same on both sides.
PAUSE_SECONDS = 0.002


@dataclass(frozen=True)
class Outcome:
    """Both servers' answers to a call, and what is wrong with ours."""

    stock: Answer
    ours: Answer
    mismatches: list[Mismatch]


@dataclass
class Pair:
    """Both servers. `self_test` compares stock with stock, so no known difference applies."""

    stock: str
    ours: str
    our_headers: dict[str, str]
    self_test: bool = False
    unique: str = field(default_factory=lambda: f"t{uuid.uuid4().hex[:10]}")
    _sessions: tuple[requests.Session, requests.Session] = field(default_factory=lambda: (requests.Session(), requests.Session()))
    _done: dict[str, dict[str, Outcome]] = field(default_factory=dict)

    def outcome(self, scenario: Scenario, call: Call) -> Outcome:
        """What came of one call; the whole scenario runs at the first question about it."""
        if scenario.name not in self._done:
            self._done[scenario.name] = self._run(scenario)
        return self._done[scenario.name][call.label]

    def _run(self, scenario: Scenario) -> dict[str, Outcome]:
        sides = (
            Side(self.stock, self.unique, {}, self._sessions[0]),
            Side(self.ours, self.unique, {} if self.self_test else self.our_headers, self._sessions[1]),
        )
        found = {}
        for call in scenario.calls:
            case = scenario.case(call)
            answers = (sides[0].send(call), sides[1].send(call))
            difference = KNOWN_DIFFERENCES.get(case)
            mismatches = check_stock(case, difference, answers[0]) if difference else []
            if difference and not self.self_test:
                mismatches += check_ours(case, difference, *answers)
            else:
                mismatches += compare(case, call, sides, answers)
            found[call.label] = Outcome(*answers, mismatches)
            time.sleep(PAUSE_SECONDS)
        return found


def cases(pattern: str = "") -> Iterator[tuple[Scenario, Call]]:
    """Every call of the corpus whose name holds `pattern`."""
    for scenario in SCENARIOS.values():
        for call in scenario.calls:
            if pattern in scenario.case(call):
                yield scenario, call
