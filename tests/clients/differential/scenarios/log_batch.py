"""runs/log-batch: everything at once, its limits, and what remains when a part is refused."""

from ..call import experiment, get, post, run, scenario

MISSING = "0123456789abcdef0123456789abcdef"


def _metrics(amount: int):
    return [{"key": f"m{i % 10}", "value": float(i), "timestamp": 1_000 + i, "step": i} for i in range(amount)]


def _pairs(amount: int, prefix: str):
    return [{"key": f"{prefix}{i}", "value": str(i)} for i in range(amount)]


@scenario
def accepted():
    yield experiment("e", "batch")
    yield run("r", "{e}")
    body = {
        "run_id": "{r}",
        "metrics": [{"key": "loss", "value": 0.5, "timestamp": 1, "step": 1}, {"key": "loss", "value": "NaN", "timestamp": "2"}],
        "params": [{"key": "lr", "value": "0.1"}, {"key": "empty", "value": ""}],
        "tags": [{"key": "team", "value": "water"}, {"key": "empty", "value": ""}],
    }
    yield post("all three", "runs/log-batch", body)
    yield get("all three stored", "runs/get", {"run_id": "{r}"})
    yield post("the same again", "runs/log-batch", body)
    yield post("empty lists", "runs/log-batch", {"run_id": "{r}", "metrics": [], "params": [], "tags": []})
    yield post("nothing", "runs/log-batch", {"run_id": "{r}"})
    twice = [{"key": "t", "value": "first"}, {"key": "t", "value": "second"}]
    yield post("same tag twice", "runs/log-batch", {"run_id": "{r}", "tags": twice})
    same = [{"key": "p", "value": "1"}, {"key": "p", "value": "1"}]
    yield post("same param twice", "runs/log-batch", {"run_id": "{r}", "params": same})
    yield post("100 params", "runs/log-batch", {"run_id": "{r}", "params": _pairs(100, "q")})
    yield post("100 tags", "runs/log-batch", {"run_id": "{r}", "tags": _pairs(100, "u")})
    yield post("1000 metrics", "runs/log-batch", {"run_id": "{r}", "metrics": _metrics(1000)})
    full = {"run_id": "{r}", "metrics": _metrics(800), "params": _pairs(100, "q"), "tags": _pairs(100, "u")}
    yield post("1000 of all kinds", "runs/log-batch", full)
    yield get("everything stored", "runs/get", {"run_id": "{r}"})
    yield get("history of a batch", "metrics/get-history", {"run_id": "{r}", "metric_key": "m3"})
    longer = [{"key": "long", "value": "v" * 6001}]
    yield post("long param is cut", "runs/log-batch", {"run_id": "{r}", "params": longer})
    yield post("long tag is cut", "runs/log-batch", {"run_id": "{r}", "tags": [{"key": "long", "value": "v" * 8001}]})
    yield get("after the cut", "runs/get", {"run_id": "{r}"})


@scenario
def refused():
    yield experiment("e", "batch-refused")
    yield run("r", "{e}")
    path = "runs/log-batch"
    yield post("101 params", path, {"run_id": "{r}", "params": _pairs(101, "p")})
    yield post("101 tags", path, {"run_id": "{r}", "tags": _pairs(101, "t")})
    yield post("1001 metrics", path, {"run_id": "{r}", "metrics": _metrics(1001)})
    full = {"run_id": "{r}", "metrics": _metrics(900), "params": _pairs(51, "q"), "tags": _pairs(50, "u")}
    yield post("1001 of all kinds", path, full)
    yield post("no run", path, {"tags": _pairs(1, "t")})
    yield post("missing run", path, {"run_id": MISSING, "tags": _pairs(1, "t")})
    yield post("run_uuid is no id here", path, {"run_uuid": "{r}", "tags": _pairs(1, "t")})
    yield post("strange run id", path, {"run_id": "../x", "tags": _pairs(1, "t")})
    yield post("two values for one param", path, {"run_id": "{r}", "params": [{"key": "p", "value": "1"}, {"key": "p", "value": "2"}]})
    for label, metric in (
        ("metric without key", {"value": 1, "timestamp": 1}),
        ("metric without value", {"key": "m", "timestamp": 1}),
        ("metric without timestamp", {"key": "m", "value": 1}),
        ("metric with negative timestamp", {"key": "m", "value": 1, "timestamp": -1}),
        ("metric with bad key", {"key": "a//b", "value": 1, "timestamp": 1}),
        ("metric with long key", {"key": "k" * 251, "value": 1, "timestamp": 1}),
        ("metric that is a text", "loss"),
    ):
        yield post(label, path, {"run_id": "{r}", "metrics": [metric]})
    for kind in ("params", "tags"):
        yield post(f"{kind} not a list", path, {"run_id": "{r}", kind: "x"})
        yield post(f"{kind} without key", path, {"run_id": "{r}", kind: [{"value": "v"}]})
        yield post(f"{kind} with bad key", path, {"run_id": "{r}", kind: [{"key": "a#b", "value": "v"}]})
        yield post(f"{kind} with long key", path, {"run_id": "{r}", kind: [{"key": "k" * 251, "value": "v"}]})
    yield get("nothing stored", "runs/get", {"run_id": "{r}"})


@scenario
def wrong_types_inside():
    """The stock server drops or zeroes what it cannot read and answers 200, so nothing may be read back here."""
    yield experiment("e", "batch-types")
    yield run("r", "{e}")
    for label, metric in (
        ("metric with value of letters", {"key": "m", "value": "high", "timestamp": 1}),
        ("metric with decimal timestamp", {"key": "m", "value": 1, "timestamp": 1.5}),
    ):
        yield post(label, "runs/log-batch", {"run_id": "{r}", "metrics": [metric]})
    for kind in ("params", "tags"):
        yield post(f"{kind} with number", "runs/log-batch", {"run_id": "{r}", kind: [{"key": "k", "value": 1}]})


@scenario
def param_conflict_writes_nothing():
    yield experiment("e", "batch-conflict")
    yield run("r", "{e}")
    yield post("first value", "runs/log-parameter", {"run_id": "{r}", "key": "lr", "value": "0.1"})
    body = {
        "run_id": "{r}",
        "metrics": [{"key": "loss", "value": 0.5, "timestamp": 1, "step": 1}],
        "params": [{"key": "new", "value": "1"}, {"key": "lr", "value": "0.2"}],
        "tags": [{"key": "team", "value": "water"}],
    }
    yield post("conflict", "runs/log-batch", body)
    yield get("nothing was written", "runs/get", {"run_id": "{r}"})
    yield post("without the conflict", "runs/log-batch", {**body, "params": [{"key": "lr", "value": "0.1"}]})
    yield get("now written", "runs/get", {"run_id": "{r}"})


@scenario
def model_history():
    yield experiment("e", "batch-log-model")
    yield run("r", "{e}")
    model = '{"run_id": "{r}", "artifact_path": "model", "utc_time_created": "2026-01-01 00:00:00", "flavors": {"python_function": {}}}'
    yield post("log-model", "runs/log-model", {"run_id": "{r}", "model_json": model})
    yield get("kept as a tag", "runs/get", {"run_id": "{r}"})
    yield post("a second one", "runs/log-model", {"run_id": "{r}", "model_json": model.replace('"model"', '"other"')})
    yield get("both kept", "runs/get", {"run_id": "{r}"})
    yield post("no json", "runs/log-model", {"run_id": "{r}"})
    yield post("not json", "runs/log-model", {"run_id": "{r}", "model_json": "x{"})
    yield post("json without the fields", "runs/log-model", {"run_id": "{r}", "model_json": '{"x": 1}'})
    yield post("json that is a list", "runs/log-model", {"run_id": "{r}", "model_json": "[]"})
    yield post("no run", "runs/log-model", {"model_json": model})
    yield post("missing run", "runs/log-model", {"run_id": MISSING, "model_json": model})
