"""Plain HTTP calls to a hub as one account or another, and the things that the access tests call for."""

from __future__ import annotations

from dataclasses import dataclass

import requests

from servers import FOREIGN_PROJECT, PROJECT, Perigee, token

API, TWIN = "/api/2.0", "/ajax-api/2.0"


def bearer(value: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {value}"}


DEVELOPER = bearer(token("developer"))
MAINTAINER = bearer(token("maintainer"))
REPORTER = bearer(token("reporter"))
GUEST = bearer(token("guest"))
OUTSIDER = bearer(token("outsider"))
READ_ONLY_DEVELOPER = bearer(token("developer", read_only=True))


@dataclass(frozen=True)
class Things:
    """An experiment with a run, a metric, a param, a tag, a dataset and a file, in one project."""

    project: str
    view: str
    experiment: str
    experiment_name: str
    run: str

    @property
    def root(self) -> str:
        """Where the run's artifacts are in the artifact proxy."""
        return f"{self.experiment}/{self.run}/artifacts"


@dataclass(frozen=True)
class Route:
    """One request that is made in many roles: `json` is the body, `params` the query."""

    method: str
    path: str
    json: dict | None = None
    params: dict | None = None
    data: bytes | None = None
    writes: bool = False

    def send(self, base: str, headers: dict[str, str], method: str | None = None) -> requests.Response:
        return requests.request(
            method or self.method, base + self.path, json=self.json, params=self.params, data=self.data, headers=headers, timeout=30, allow_redirects=False
        )

    def twin(self) -> Route:
        return Route(self.method, self.path.replace("/api/", "/ajax-api/", 1), self.json, self.params, self.data, self.writes)

    def __str__(self) -> str:
        return f"{self.method} {self.path}"


def post(base: str, path: str, body: dict, headers: dict[str, str], status: int = 200) -> dict:
    """A call that must be answered with this status, in the JSON of it."""
    answer = requests.post(f"{base}{API}/mlflow/{path}", json=body, headers=headers, timeout=30)
    assert answer.status_code == status, f"{path}: {answer.status_code} {answer.text}"
    return answer.json()


def get(base: str, path: str, params: dict, headers: dict[str, str], status: int = 200) -> dict:
    answer = requests.get(f"{base}{API}/mlflow/{path}", params=params, headers=headers, timeout=30)
    assert answer.status_code == status, f"{path}: {answer.status_code} {answer.text}"
    return answer.json()


def make_things(hub: Perigee, project: str, headers: dict[str, str], name: str) -> Things:
    view = hub.project_view(project)
    experiment = post(view, "experiments/create", {"name": name}, headers)["experiment_id"]
    run = post(view, "runs/create", {"experiment_id": experiment, "start_time": 1, "run_name": "r"}, headers)["run"]["info"]["run_id"]
    batch = {
        "run_id": run,
        "metrics": [{"key": "loss", "value": 0.5, "timestamp": 1, "step": 0}],
        "params": [{"key": "secret", "value": f"param of {project}"}],
        "tags": [{"key": "secret", "value": f"tag of {project}"}],
    }
    post(view, "runs/log-batch", batch, headers)
    dataset = {"name": "data", "digest": "d1", "source_type": "local", "source": "{}"}
    post(view, "runs/log-inputs", {"run_id": run, "datasets": [{"dataset": dataset}]}, headers)
    made = Things(project, view, experiment, name, run)
    put = requests.put(f"{view}{API}/mlflow-artifacts/artifacts/{made.root}/secret.txt", data=b"file of " + project.encode(), headers=headers, timeout=30)
    assert put.status_code == 200, put.text
    return made


def routes(things: Things) -> list[Route]:
    """Every kind of tracking and artifact call about these things; the writes change nothing that matters."""
    run, experiment = things.run, things.experiment
    rpc, files = f"{API}/mlflow", f"{API}/mlflow-artifacts/artifacts"
    dataset = {"name": "data", "digest": "d1", "source_type": "local", "source": "{}"}
    return [
        Route("GET", f"{rpc}/experiments/get", params={"experiment_id": experiment}),
        Route("GET", f"{rpc}/runs/get", params={"run_id": run}),
        Route("POST", f"{rpc}/runs/search", json={"experiment_ids": [experiment]}),
        Route("GET", f"{rpc}/metrics/get-history", params={"run_id": run, "metric_key": "loss"}),
        Route("GET", f"{rpc}/metrics/get-history-bulk-interval", params={"run_ids": run, "metric_key": "loss"}),
        Route("GET", f"{rpc}/artifacts/list", params={"run_id": run}),
        Route("POST", f"{rpc}/logged-models/search", json={"experiment_ids": [experiment]}),
        Route("GET", files, params={"path": things.root}),
        Route("GET", f"{files}/{things.root}/secret.txt"),
        Route("POST", f"{rpc}/experiments/set-experiment-tag", json={"experiment_id": experiment, "key": "k", "value": "v"}, writes=True),
        Route("POST", f"{rpc}/experiments/update", json={"experiment_id": experiment, "new_name": things.experiment_name}, writes=True),
        Route("POST", f"{rpc}/experiments/restore", json={"experiment_id": experiment}, writes=True),
        Route("POST", f"{rpc}/runs/create", json={"experiment_id": experiment, "start_time": 1}, writes=True),
        Route("POST", f"{rpc}/runs/update", json={"run_id": run, "status": "FINISHED"}, writes=True),
        Route("POST", f"{rpc}/runs/restore", json={"run_id": run}, writes=True),
        Route("POST", f"{rpc}/runs/set-tag", json={"run_id": run, "key": "k", "value": "v"}, writes=True),
        Route("POST", f"{rpc}/runs/log-metric", json={"run_id": run, "key": "m", "value": 1.5, "timestamp": 1}, writes=True),
        Route("POST", f"{rpc}/runs/log-parameter", json={"run_id": run, "key": "p", "value": "1"}, writes=True),
        Route("POST", f"{rpc}/runs/log-batch", json={"run_id": run, "tags": [{"key": "k", "value": "v"}]}, writes=True),
        Route("POST", f"{rpc}/runs/log-inputs", json={"run_id": run, "datasets": [{"dataset": dataset}]}, writes=True),
        Route("POST", f"{rpc}/logged-models", json={"experiment_id": experiment, "name": "m"}, writes=True),
        Route("PUT", f"{files}/{things.root}/other.txt", data=b"x", writes=True),
        Route("DELETE", f"{files}/{things.root}/other.txt", writes=True),
    ]


def ui_only_routes(things: Things) -> list[Route]:
    """Reads that exist at one path only."""
    return [
        Route("GET", f"{TWIN}/mlflow/metrics/get-history-bulk", params={"run_id": things.run, "metric_key": "loss"}),
        Route("POST", f"{TWIN}/mlflow/experiments/search-datasets", json={"experiment_ids": [things.experiment]}),
        Route("GET", "/get-artifact", params={"path": "secret.txt", "run_id": things.run}),
        Route("GET", "/get-artifact", params={"path": "secret.txt", "run_uuid": things.run}),
    ]


def all_routes(things: Things) -> list[Route]:
    both = [route for one in routes(things) for route in (one, one.twin())]
    return both + ui_only_routes(things)


def make_own_and_foreign(hub: Perigee, suffix: str) -> tuple[Things, Things]:
    """The same things in the developer's project and in one that only `outsider` may see."""
    own = make_things(hub, PROJECT, DEVELOPER, f"own {suffix}")
    return own, make_things(hub, FOREIGN_PROJECT, OUTSIDER, f"foreign {suffix}")


def state_of(foreign) -> tuple:
    run = get(foreign.view, "runs/get", {"run_id": foreign.run}, OUTSIDER)
    experiment = get(foreign.view, "experiments/get", {"experiment_id": foreign.experiment}, OUTSIDER)
    files = get(foreign.view, "artifacts/list", {"run_id": foreign.run}, OUTSIDER)
    text = requests.get(f"{foreign.view}/get-artifact", params={"path": "secret.txt", "run_id": foreign.run}, headers=OUTSIDER, timeout=30).text
    return run, experiment, files, text


def both_views(perigee, own, foreign) -> list[str]:
    """Every base under which somebody may try to reach foreign things."""
    return [own.view, foreign.view, perigee.global_view]
