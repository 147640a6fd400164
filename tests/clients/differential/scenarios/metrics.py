"""Metrics: single points, the latest value, and the three forms of history."""

from ..call import experiment, get, post, run, scenario

MISSING = "0123456789abcdef0123456789abcdef"
BULK = "/ajax-api/2.0/mlflow/metrics/get-history-bulk"
INTERVAL = "/ajax-api/2.0/mlflow/metrics/get-history-bulk-interval"


def _point(run_id: str, key: str, value, timestamp, step=None):
    body = {"run_id": run_id, "key": key, "value": value, "timestamp": timestamp}
    return body if step is None else {**body, "step": step}


def _batch(label: str, run_id: str, points):
    metrics = [{"key": k, "value": v, "timestamp": t, "step": s} for k, v, t, s in points]
    return post(label, "runs/log-batch", {"run_id": run_id, "metrics": metrics})


@scenario
def log():
    yield experiment("e", "metrics-log")
    yield run("r", "{e}")
    path = "runs/log-metric"
    for label, key, value, timestamp, step in (
        ("integer", "int", 1, 1_000, 0),
        ("decimal", "dec", 0.25, 1_000, 1),
        ("no step", "nostep", 2.5, 1_000, None),
        ("negative step", "neg", 1.5, 1_000, -3),
        ("big step", "bigstep", 1.5, 1_000, 2**53 + 1),
        ("largest step", "maxstep", 1.5, 1_000, 2**63 - 1),
        ("smallest step", "minstep", 1.5, 1_000, -(2**63)),
        ("time zero", "zero", 1.5, 0, 0),
        ("numbers as text", "text", "0.5", "1000", "7"),
        ("NaN", "nan", "NaN", 1_000, 0),
        ("Infinity", "inf", "Infinity", 1_000, 0),
        ("-Infinity", "minusinf", "-Infinity", 1_000, 0),
        ("tiny", "tiny", 5e-324, 1_000, 0),
        ("huge", "huge", 1.7976931348623157e308, 1_000, 0),
        ("minus zero", "mzero", -0.0, 1_000, 0),
        ("long fraction", "pi", 3.141592653589793, 1_000, 0),
        ("many digits", "digits", 0.1 + 0.2, 1_000, 0),
        ("exponent", "exp", 1e-7, 1_000, 0),
        ("large whole", "whole", 1e22, 1_000, 0),
    ):
        yield post(label, path, _point("{r}", key, value, timestamp, step))
    yield post("by run_uuid", path, {"run_uuid": "{r}", "key": "uuid", "value": 1.5, "timestamp": 1})
    yield get("all latest", "runs/get", {"run_id": "{r}"})
    for key in ("int", "nan", "inf", "minusinf", "maxstep", "text", "mzero", "digits"):
        yield get(f"history of {key}", "metrics/get-history", {"run_id": "{r}", "metric_key": key})


@scenario
def log_refused():
    yield experiment("e", "metrics-refused")
    yield run("r", "{e}")
    path = "runs/log-metric"
    good = _point("{r}", "m", 1.5, 1_000, 0)
    for name in ("run_id", "key", "value", "timestamp"):
        yield post(f"no {name}", path, {k: v for k, v in good.items() if k != name})
        yield post(f"null {name}", path, {**good, name: None})
    yield post("missing run", path, {**good, "run_id": MISSING})
    yield post("empty key", path, {**good, "key": ""})
    for label, change in (
        ("value of letters", {"value": "high"}),
        ("value bool", {"value": True}),
        ("value list", {"value": [1]}),
        ("value empty", {"value": ""}),
        ("timestamp of letters", {"timestamp": "noon"}),
        ("timestamp decimal", {"timestamp": 1.5}),
        ("timestamp negative", {"timestamp": -1}),
        ("timestamp bool", {"timestamp": True}),
        ("step of letters", {"step": "first"}),
        ("step decimal", {"step": 1.5}),
        ("step too big", {"step": 2**63}),
        ("key as number", {"key": 5}),
    ):
        yield post(label, path, {**good, **change})


@scenario
def latest():
    yield experiment("e", "metrics-latest")
    yield run("r", "{e}")
    for key, points in {
        "higher step wins": ((9.0, 100, 0), (1.0, 50, 1)),
        "step out of order": ((1.0, 50, 5), (9.0, 100, 2)),
        "then later time": ((1.0, 200, 1), (9.0, 100, 1)),
        "then larger value": ((9.0, 100, 1), (1.0, 100, 1)),
        "NaN counts as zero": (("NaN", 100, 1), (-1.0, 100, 1)),
        "NaN below positive": (("NaN", 100, 1), (1.0, 100, 1)),
        "NaN by step": ((1.0, 100, 1), ("NaN", 100, 2)),
        "negative steps": ((1.0, 100, -2), (2.0, 100, -5)),
    }.items():
        for index, (value, time, step) in enumerate(points):
            yield post(f"{key}: {index}", "runs/log-metric", _point("{r}", key, value, time, step))
    yield get("latest of each", "runs/get", {"run_id": "{r}"})
    batch = [("batched", 1.0, 100, 1), ("batched", 3.0, 100, 3), ("batched", 2.0, 100, 2)]
    yield _batch("several steps in one batch", "{r}", batch)
    yield get("latest of the batch", "runs/get", {"run_id": "{r}"})


@scenario
def history():
    yield experiment("e", "metrics-history")
    yield run("r", "{e}")
    points = [("loss", 3.0, 300, 2), ("loss", 1.0, 100, 0), ("loss", 2.0, 200, 1), ("loss", 2.5, 200, 1), ("loss", 2.5, 200, 0)]
    yield _batch("points out of order", "{r}", points)
    yield _batch("exact repeat", "{r}", points[:2])
    yield post("repeat by log-metric", "runs/log-metric", _point("{r}", "loss", 3.0, 300, 2))
    query = {"run_id": "{r}", "metric_key": "loss"}
    path = "metrics/get-history"
    yield get("all", path, query)
    yield get("by run_uuid", path, {"run_uuid": "{r}", "metric_key": "loss"})
    yield get("page 1", path, {**query, "max_results": 2}, save={"p1": "next_page_token"})
    yield get("page 2", path, {**query, "max_results": 2, "page_token": "{p1}"}, save={"p2": "next_page_token"})
    yield get("page 3", path, {**query, "max_results": 2, "page_token": "{p2}"})
    yield get("exactly all", path, {**query, "max_results": 5})
    yield get("more than all", path, {**query, "max_results": 25000})
    yield get("garbage token", path, {**query, "max_results": 2, "page_token": "garbage"})
    yield get("max_results of letters", path, {**query, "max_results": "two"})
    yield get("unknown metric", path, {"run_id": "{r}", "metric_key": "none"})
    yield get("unknown run", path, {"run_id": MISSING, "metric_key": "loss"})
    yield get("no run", path, {"metric_key": "loss"})
    yield get("no key", path, {"run_id": "{r}"})
    yield post("NaN point", "runs/log-metric", _point("{r}", "loss", "NaN", 200, 1))
    yield post("NaN point again", "runs/log-metric", _point("{r}", "loss", "NaN", 200, 1))
    yield get("with NaN", path, query)


@scenario
def history_bulk():
    yield experiment("e", "metrics-bulk")
    yield run("a", "{e}", 1_000)
    yield _batch("points of a", "{a}", [("loss", float(i), 100 + i, i) for i in range(4)])
    query = [("run_id", "{a}"), ("metric_key", "loss")]
    yield get("one run", BULK, query)
    yield get("limited", BULK, [*query, ("max_results", 2)])
    yield get("unknown metric", BULK, [("run_id", "{a}"), ("metric_key", "none")])
    yield get("unknown run", BULK, [("run_id", MISSING), ("metric_key", "loss")])
    yield get("no run", BULK, [("metric_key", "loss")])
    yield get("no key", BULK, [("run_id", "{a}")])
    yield get("101 runs", BULK, [*(("run_id", f"{i:032x}") for i in range(101)), ("metric_key", "loss")])
    yield get("max_results of letters", BULK, [*query, ("max_results", "two")])
    yield run("b", "{e}", 2_000)
    yield _batch("points of b", "{b}", [("loss", 10.0 + i, 100 + i, i) for i in range(3)])
    # Sorted by run id, which is random: only that both are there is the same on both sides.
    yield get("two runs", BULK, [("run_id", "{a}"), ("run_id", "{b}"), ("metric_key", "loss")], unordered=True)


@scenario
def history_bulk_interval():
    yield experiment("e", "metrics-interval")
    yield run("a", "{e}", 1_000)
    yield _batch("points of a", "{a}", [("loss", float(i), 1_000 + i, i) for i in range(20)])
    query = [("run_ids", "{a}"), ("metric_key", "loss")]
    yield get("all", INTERVAL, query)
    yield get("rest path", "metrics/get-history-bulk-interval", query)
    for amount in (1, 2, 3, 5, 7, 10, 19, 20, 2500):
        yield get(f"sampled to {amount}", INTERVAL, [*query, ("max_results", amount)])
    yield get("part", INTERVAL, [*query, ("start_step", 5), ("end_step", 9)])
    yield get("part, sampled", INTERVAL, [*query, ("start_step", 2), ("end_step", 17), ("max_results", 4)])
    yield get("nothing in the part", INTERVAL, [*query, ("start_step", 50), ("end_step", 60)])
    yield get("only start", INTERVAL, [*query, ("start_step", 5)])
    yield get("only end", INTERVAL, [*query, ("end_step", 5)])
    yield get("start after end", INTERVAL, [*query, ("start_step", 9), ("end_step", 5)])
    yield get("max_results zero", INTERVAL, [*query, ("max_results", 0)])
    yield get("max_results 2501", INTERVAL, [*query, ("max_results", 2501)])
    yield get("max_results of letters", INTERVAL, [*query, ("max_results", "two")])
    yield get("unknown metric", INTERVAL, [("run_ids", "{a}"), ("metric_key", "none")])
    yield get("unknown run", INTERVAL, [("run_ids", MISSING), ("metric_key", "loss")])
    yield get("no run", INTERVAL, [("metric_key", "loss")])
    yield get("no key", INTERVAL, [("run_ids", "{a}")])
    yield get("101 runs", INTERVAL, [*(("run_ids", f"{i:032x}") for i in range(101)), ("metric_key", "loss")])
    yield run("b", "{e}", 2_000)
    yield _batch("points of b", "{b}", [("loss", 10.0 + i, 1_000 + i, i * 3) for i in range(8)])
    two = [("run_ids", "{a}"), ("run_ids", "{b}"), ("metric_key", "loss")]
    yield get("two runs", INTERVAL, two, unordered=True)
    yield get("two runs, sampled", INTERVAL, [*two, ("max_results", 4)], unordered=True)
    yield get("two runs, part", INTERVAL, [*two, ("start_step", 3), ("end_step", 12)], unordered=True)
