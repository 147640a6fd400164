"""What a scenario is made of: calls, with placeholders for everything that a server chooses.

`{name}` in a path, parameter or body stands for a value saved from an earlier answer of the same server;
`{u}` stands for a text that is unique to this test run.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

RPC = "/api/2.0/mlflow/"


@dataclass(frozen=True)
class Call:
    """One HTTP request. A `path` without a leading slash is below `/api/2.0/mlflow/`."""

    label: str
    method: str
    path: str
    json: Any = None
    params: dict[str, Any] | list[tuple[str, Any]] | None = None
    # A body that is sent as it is, instead of `json`.
    raw: str | bytes | None = None
    headers: dict[str, str] = field(default_factory=dict)
    # Name of the placeholder -> where its value is in the answer, such as `run.info.run_id`.
    save: dict[str, str] = field(default_factory=dict)
    # False when the stock server's text holds nothing that a client could use (a Python traceback, a list of types).
    compare_message: bool = True
    # True when the order of the answer's list is not defined.
    unordered: bool = False

    @property
    def full_path(self) -> str:
        return self.path if self.path.startswith("/") else RPC + self.path


def get(label: str, path: str, params: Any = None, **options: Any) -> Call:
    return Call(label, "GET", path, params=params, **options)


def post(label: str, path: str, json: Any = None, **options: Any) -> Call:
    return Call(label, "POST", path, json=json, **options)


def patch(label: str, path: str, json: Any = None, **options: Any) -> Call:
    return Call(label, "PATCH", path, json=json, **options)


def delete(label: str, path: str, json: Any = None, **options: Any) -> Call:
    return Call(label, "DELETE", path, json=json, **options)


def put(label: str, path: str, raw: str | bytes, **options: Any) -> Call:
    return Call(label, "PUT", path, raw=raw, **options)


@dataclass(frozen=True)
class Scenario:
    """Calls that build on each other, in order. Scenarios do not depend on one another."""

    name: str
    calls: tuple[Call, ...]

    def case(self, call: Call) -> str:
        return f"{self.name}/{call.label}"


SCENARIOS: dict[str, Scenario] = {}


def scenario(function: Callable[[], Iterator[Call]]) -> Callable[[], Iterator[Call]]:
    """Registers a generator of calls under the name of its file and its own."""
    name = f"{function.__module__.rsplit('.', 1)[-1]}.{function.__name__}"
    calls = tuple(function())
    labels = [call.label for call in calls]
    repeated = {label for label in labels if labels.count(label) > 1}
    if repeated or name in SCENARIOS:
        raise ValueError(f"{name}: labels must be unique: {sorted(repeated)}")
    SCENARIOS[name] = Scenario(name, calls)
    return function


def experiment(placeholder: str, name: str, **fields: Any) -> Call:
    """Creates an experiment and saves its id."""
    return post(
        f"setup: experiment {placeholder}",
        "experiments/create",
        {"name": f"{{u}}.{name}", **fields},
        save={placeholder: "experiment_id"},
    )


def run(placeholder: str, experiment_id: str, start_time: int = 1_000, **fields: Any) -> Call:
    """Creates a run with a fixed name and saves its id."""
    body = {"experiment_id": experiment_id, "start_time": start_time, "run_name": f"run {placeholder}", **fields}
    return post(f"setup: run {placeholder}", "runs/create", body, save={placeholder: "run.info.run_id"})


def registered_model(name: str, **fields: Any) -> Call:
    """Creates a registered model."""
    return post(f"setup: model {name}", "registered-models/create", {"name": f"{{u}}.{name}", **fields})


def model_version(name: str, number: int, **fields: Any) -> Call:
    """Creates the next version of a registered model: `number` says which one it will be."""
    body = {"name": f"{{u}}.{name}", "source": f"s3://bucket/{name}/{number}", **fields}
    return post(f"setup: version {number} of {name}", "model-versions/create", body)
