"""Logged models: create, get, finalize, search, tags, params."""

from ..call import delete, experiment, get, patch, post, run, scenario

MISSING = "m-0123456789abcdef0123456789abcdef"


@scenario
def create():
    yield experiment("e", "models-create")
    yield run("r", "{e}")
    path = "logged-models"
    yield post("named", path, {"experiment_id": "{e}", "name": "net"}, save={"m": "model.info.model_id"})
    yield get("get named", "logged-models/{m}")
    full = {
        "experiment_id": "{e}",
        "name": "full",
        "model_type": "classifier",
        "source_run_id": "{r}",
        "params": [{"key": "depth", "value": "3"}, {"key": "empty", "value": ""}],
        "tags": [{"key": "team", "value": "water"}],
    }
    yield post("full", path, full, save={"f": "model.info.model_id"})
    yield get("get full", "logged-models/{f}")
    yield post("same name again", path, {"experiment_id": "{e}", "name": "net"}, save={"n": "model.info.model_id"})
    yield post("no name", path, {"experiment_id": "{e}"}, save={"o": "model.info.model_id"})
    yield post("no experiment", path, {"name": "net"})
    yield post("missing experiment", path, {"experiment_id": "123456789012", "name": "net"})
    for name in ("a/b", "a:b", "a.b", "a%b", 'a"b', "a'b"):
        yield post(f"bad name {name}", path, {"experiment_id": "{e}", "name": name})
    yield post("missing run", path, {"experiment_id": "{e}", "name": "net", "source_run_id": "0" * 32}, save={"q": "model.info.model_id"})
    yield post("params not a list", path, {"experiment_id": "{e}", "name": "net", "params": "x"})
    yield get("get missing", f"logged-models/{MISSING}")
    yield get("ui twin", "/ajax-api/2.0/mlflow/logged-models/{m}")


@scenario
def finalize():
    yield experiment("e", "models-finalize")
    for name in ("a", "b", "c"):
        body = {"experiment_id": "{e}", "name": f"net {name}"}
        yield post(f"setup: {name}", "logged-models", body, save={name: "model.info.model_id"})
    yield patch("ready", "logged-models/{a}", {"model_id": "{a}", "status": "LOGGED_MODEL_READY"})
    yield patch("failed", "logged-models/{b}", {"model_id": "{b}", "status": "LOGGED_MODEL_UPLOAD_FAILED"})
    yield patch("by number", "logged-models/{c}", {"model_id": "{c}", "status": 2})
    yield get("is ready", "logged-models/{a}")
    yield get("has failed", "logged-models/{b}")
    yield patch("failed after ready", "logged-models/{a}", {"model_id": "{a}", "status": "LOGGED_MODEL_UPLOAD_FAILED"})
    yield patch("no status", "logged-models/{a}", {"model_id": "{a}"})
    yield patch("unknown status", "logged-models/{a}", {"model_id": "{a}", "status": "BOGUS"})
    yield patch("missing model", f"logged-models/{MISSING}", {"model_id": MISSING, "status": "LOGGED_MODEL_READY"})


@scenario
def tags():
    yield experiment("e", "models-tags")
    body = {"experiment_id": "{e}", "name": "net", "tags": [{"key": "team", "value": "water"}]}
    yield post("setup: model", "logged-models", body, save={"m": "model.info.model_id"})
    new = [{"key": "team", "value": "fire"}, {"key": "k", "value": ""}]
    yield patch("set two", "logged-models/{m}/tags", {"model_id": "{m}", "tags": new})
    yield get("tags now", "logged-models/{m}")
    yield patch("set none", "logged-models/{m}/tags", {"model_id": "{m}", "tags": []})
    yield patch("missing model", f"logged-models/{MISSING}/tags", {"model_id": MISSING, "tags": new})
    yield delete("delete one", "logged-models/{m}/tags/k")
    yield delete("delete it again", "logged-models/{m}/tags/k")
    yield delete("delete of missing model", f"logged-models/{MISSING}/tags/k")
    yield get("tags left", "logged-models/{m}")


@scenario
def params():
    yield experiment("e", "models-params")
    yield post("setup: model", "logged-models", {"experiment_id": "{e}", "name": "net"}, save={"m": "model.info.model_id"})
    two = [{"key": "depth", "value": "3"}, {"key": "lr", "value": "0.1"}]
    yield post("two", "logged-models/{m}/params", {"model_id": "{m}", "params": two})
    yield get("params now", "logged-models/{m}")
    yield post("none", "logged-models/{m}/params", {"model_id": "{m}", "params": []})
    yield post("missing model", f"logged-models/{MISSING}/params", {"model_id": MISSING, "params": two})


@scenario
def any_keys():
    """Logged models have none of the rules of runs for params and tags."""
    yield experiment("e", "models-any-keys")
    pairs = [
        {"key": "a#b", "value": "x" * 6_500},
        {"key": "k" * 300, "value": "long key"},
        {"key": "../c", "value": "1"},
        {"key": "none", "value": None},
    ]
    body = {"experiment_id": "{e}", "name": "net", "params": pairs, "tags": pairs}
    yield post("create", "logged-models", body, save={"m": "model.info.model_id"})
    yield get("created", "logged-models/{m}", unordered=True)
    more = [{"key": "later#", "value": "y" * 6_500}]
    yield post("more params", "logged-models/{m}/params", {"model_id": "{m}", "params": more})
    yield patch("more tags", "logged-models/{m}/tags", {"model_id": "{m}", "tags": more})
    yield get("has them", "logged-models/{m}", unordered=True)


@scenario
def search_for_any_keys():
    yield experiment("e", "models-search-keys")
    yield run("r", "{e}")
    body = {"experiment_id": "{e}", "name": "net", "params": [{"key": "a/b", "value": "1"}, {"key": "n", "value": "5"}]}
    body["tags"] = [{"key": "k/v", "value": "w"}, {"key": "a b", "value": "c"}]
    yield post("setup: model", "logged-models", body, save={"m": "model.info.model_id"})
    for key in ("val/loss", "val-loss"):
        point = {"run_id": "{r}", "key": key, "value": 0.75, "timestamp": 1, "model_id": "{m}"}
        yield post(f"setup: {key}", "runs/log-metric", point)
    for clause in (
        "metrics.val/loss > 0.5",
        "metrics.val-loss < 0.5",
        "metrics.val-loss > 0.5 AND metrics.val/loss = 0.75",
        "params.a/b = '1'",
        "params.a/b != '1'",
        "params.a/b IN ('1')",
        "params.n IN (5,'x')",
        "params.n NOT IN (5,'x')",
        "tags.k/v = 'w'",
        "tags.k/v LIKE '%'",
        "tags.a b = 'c'",
        "tags.a b NOT IN ('x', 'y')",
        "tags.a b IN ('c')",
    ):
        body = {"experiment_ids": ["{e}"], "filter": clause}
        yield post(clause, "logged-models/search", body, compare_message=False)


@scenario
def deleted():
    yield experiment("e", "models-deleted-points")
    yield run("r", "{e}")
    yield post("setup: model", "logged-models", {"experiment_id": "{e}", "name": "net"}, save={"m": "model.info.model_id"})
    yield delete("delete", "logged-models/{m}")
    yield delete("again", "logged-models/{m}")
    point = {"key": "loss", "value": 0.5, "timestamp": 1, "model_id": "{m}"}
    yield post("log-metric", "runs/log-metric", {"run_id": "{r}", **point})
    yield post("log-batch", "runs/log-batch", {"run_id": "{r}", "metrics": [{**point, "timestamp": 2}]})
    yield get("the run has them", "metrics/get-history", {"run_id": "{r}", "metric_key": "loss"})
    yield patch("finalize", "logged-models/{m}", {"model_id": "{m}", "status": "LOGGED_MODEL_READY"})
    yield patch("tags", "logged-models/{m}/tags", {"model_id": "{m}", "tags": [{"key": "a", "value": "b"}]})
    yield post("params", "logged-models/{m}/params", {"model_id": "{m}", "params": [{"key": "a", "value": "b"}]})


@scenario
def metrics():
    yield experiment("e", "models-metrics")
    yield run("r", "{e}")
    yield post("setup: model", "logged-models", {"experiment_id": "{e}", "name": "net", "source_run_id": "{r}"}, save={"m": "model.info.model_id"})
    point = {"run_id": "{r}", "key": "acc", "value": 0.5, "timestamp": 1_000, "step": 1, "model_id": "{m}"}
    yield post("metric of the model", "runs/log-metric", point)
    on = {"dataset_name": "iris", "dataset_digest": "d1"}
    yield post("metric on a dataset", "runs/log-metric", {**point, "key": "f1", **on})
    batch = [{"key": "acc", "value": 0.75, "timestamp": 2_000, "step": 2, "model_id": "{m}", "run_id": "{r}"}]
    yield post("batch of the model", "runs/log-batch", {"run_id": "{r}", "metrics": batch})
    yield get("model has them", "logged-models/{m}", unordered=True)
    yield get("run has them", "runs/get", {"run_id": "{r}"})
    yield get("history has them", "metrics/get-history", {"run_id": "{r}", "metric_key": "acc"})


@scenario
def search():
    yield experiment("e", "models-search")
    yield run("r", "{e}")
    for index, (name, kind, accuracy) in enumerate((("alpha", "tree", 0.5), ("beta", "net", 0.9), ("gamma", None, None))):
        body = {"experiment_id": "{e}", "name": name, "source_run_id": "{r}", "params": [{"key": "depth", "value": str(index)}]}
        body |= {"model_type": kind, "tags": [{"key": "team", "value": name}]} if kind else {}
        yield post(f"setup: {name}", "logged-models", body, save={name: "model.info.model_id"})
        if accuracy is not None:
            point = {"run_id": "{r}", "key": "acc", "value": accuracy, "timestamp": 1, "model_id": f"{{{name}}}"}
            yield post(f"setup: metric of {name}", "runs/log-metric", point)
    yield patch("setup: ready", "logged-models/{alpha}", {"model_id": "{alpha}", "status": "LOGGED_MODEL_READY"})
    path = "logged-models/search"
    ids = {"experiment_ids": ["{e}"]}
    yield post("all", path, ids)
    for clause in (
        "name = 'alpha'",
        "attributes.name = 'alpha'",
        "name != 'alpha'",
        "name LIKE '%a'",
        "name ILIKE 'AL%'",
        "name IN ('alpha', 'beta')",
        "model_id = '{beta}'",
        "attributes.model_id IN ('{beta}', '{gamma}')",
        "model_type = 'net'",
        "source_run_id = '{r}'",
        "params.depth = '1'",
        "params.depth != '1'",
        "tags.team = 'alpha'",
        "tags.`team` LIKE 'be%'",
        "metrics.acc > 0.6",
        "metrics.acc <= 0.5",
        "metrics.acc > 0.1 AND name = 'beta'",
        "creation_timestamp > 0",
        "nosuch = 'x'",
        "nosuch.x = 'y'",
        "metrics.acc > 'x'",
        "name = alpha",
        "name > 'a'",
        "name = 'a' OR name = 'b'",
        "name = 'alpha",
    ):
        yield post(clause, path, {**ids, "filter": clause}, compare_message=False)
    for label, order in (
        ("creation_time", [{"field_name": "creation_time", "ascending": True}]),
        ("creation_timestamp down", [{"field_name": "creation_timestamp", "ascending": False}]),
        ("name down", [{"field_name": "name", "ascending": False}]),
        ("name, default direction", [{"field_name": "name"}]),
        ("metric down", [{"field_name": "metrics.acc", "ascending": False}]),
        ("metric up", [{"field_name": "metrics.acc", "ascending": True}]),
        ("unknown field", [{"field_name": "nosuch"}]),
    ):
        yield post(f"order by {label}", path, {**ids, "order_by": order})
    body = {**ids, "max_results": 2, "order_by": [{"field_name": "name"}]}
    yield post("page 1", path, body, save={"p1": "next_page_token"})
    yield post("page 2", path, {**body, "page_token": "{p1}"})
    yield post("page 2 of another filter", path, {**body, "filter": "name = 'beta'", "page_token": "{p1}"})
    yield post("garbage token", path, {**body, "page_token": "garbage"})
    yield post("no experiments", path, {})
    yield post("empty experiments", path, {"experiment_ids": []})
    yield post("missing experiment", path, {"experiment_ids": ["123456789012"]})
    yield post("max_results zero", path, {**ids, "max_results": 0})
    yield post("ui twin", "/ajax-api/2.0/mlflow/logged-models/search", {**ids, "order_by": [{"field_name": "creation_time", "ascending": False}]})


@scenario
def delete_model():
    yield experiment("e", "models-delete")
    yield post("setup: model", "logged-models", {"experiment_id": "{e}", "name": "net"}, save={"m": "model.info.model_id"})
    yield delete("delete", "logged-models/{m}")
    yield get("is gone", "logged-models/{m}")
    yield post("not found by search", "logged-models/search", {"experiment_ids": ["{e}"]})
    yield delete("delete missing", f"logged-models/{MISSING}")
