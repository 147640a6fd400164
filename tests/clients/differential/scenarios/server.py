"""What is no resource: health, version, server-info, unknown paths, wrong methods."""

from ..call import delete, get, patch, post, put, scenario


@scenario
def about():
    yield get("health", "/health")
    yield get("version", "/version")
    yield get("server-info", "/api/3.0/mlflow/server-info")
    yield get("server-info of the ui", "/ajax-api/3.0/mlflow/server-info")


@scenario
def unknown_paths():
    yield get("no such rpc", "nosuch/thing")
    yield post("no such rpc by post", "nosuch/thing", {})
    yield get("no such version", "/api/9.0/mlflow/experiments/get", {"experiment_id": "0"})
    yield get("no such action", "experiments/nosuch")
    yield post("bulk history is only for the ui", "experiments/search-datasets", {"experiment_ids": ["0"]})


@scenario
def wrong_methods():
    yield get("get of a post", "runs/create")
    yield get("get of log-metric", "runs/log-metric")
    yield get("get of runs/search", "runs/search")
    yield post("post of a get", "runs/get", {})
    yield post("post of get-history", "metrics/get-history", {})
    yield patch("patch of a post", "runs/update", {})
    yield delete("delete of a post", "experiments/delete", {})
    yield put("put of a post", "experiments/create", "{}", headers={"Content-Type": "application/json"})
    yield post("post of an artifact", "/api/2.0/mlflow-artifacts/artifacts/1/2/3", {})
