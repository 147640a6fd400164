"""How requests are read: content types, broken JSON, spellings of fields, types."""

from ..call import experiment, get, post, run, scenario

JSON = {"Content-Type": "application/json"}


@scenario
def content_types():
    yield experiment("e", "parsing-types")
    for label, kind in (
        ("charset", "application/json; charset=utf-8"),
        ("capital letters", "Application/JSON"),
        ("text", "text/plain"),
        ("form", "application/x-www-form-urlencoded"),
        ("none", ""),
        ("json suffix", "application/vnd.api+json"),
        ("multipart", "multipart/form-data"),
    ):
        body = {"experiment_id": "{e}", "key": "k", "value": "v"}
        yield post(label, "experiments/set-experiment-tag", body, headers={"Content-Type": kind})
    yield get("get with a content type", "experiments/get", {"experiment_id": "{e}"}, headers={"Content-Type": "text/plain"})


@scenario
def bodies():
    yield experiment("e", "parsing-bodies")
    path = "experiments/set-experiment-tag"
    for label, raw in (
        ("broken json", '{"experiment_id": '),
        ("no json", "hello"),
        ("empty", ""),
        ("empty object", "{}"),
        ("null", "null"),
        ("list", "[]"),
        ("number", "5"),
        ("true", "true"),
        ("trailing comma", '{"experiment_id": "{e}", "key": "k", "value": "v",}'),
        ("two documents", '{"experiment_id": "{e}", "key": "k", "value": "v"} {}'),
        ("json in a string", '"{\\"experiment_id\\": \\"{e}\\", \\"key\\": \\"k\\", \\"value\\": \\"v\\"}"'),
        ("string that is no json", '"hello"'),
        ("white space", ' \n {"experiment_id": "{e}", "key": "k", "value": "v"} \n '),
        ("same key twice", '{"experiment_id": "{e}", "key": "k1", "key": "k2", "value": "v"}'),
        ("byte order mark", '\ufeff{"experiment_id": "{e}", "key": "k", "value": "v"}'),
        ("bare NaN", '{"experiment_id": "{e}", "key": "k", "value": NaN}'),
        ("escaped letters", '{"experiment_id": "{e}", "key": "esc", "value": "\\u00e4\\ud83d\\ude00"}'),
    ):
        yield post(label, path, raw=raw)
    yield post("not utf-8", path, raw=b'{"experiment_id": "\xff\xfe"}')
    yield get("tags in the end", "experiments/get", {"experiment_id": "{e}"})


def _metric(run_id: str, key: str, value: str, timestamp: str) -> str:
    return f'{{"run_id": "{{{run_id}}}", "key": "{key}", "value": {value}, "timestamp": {timestamp}}}'


@scenario
def bare_numbers():
    yield experiment("e", "parsing-numbers")
    yield run("r", "{e}")
    for label, value in (("exponent", "1E3"), ("many digits", "0.1000000000000000055511151231257827")):
        yield post(f"value {label}", "runs/log-metric", raw=_metric("r", f"m {label}", value, "1"))
    for label, value in (("whole decimal", "1000.0"), ("exponent", "1e3"), ("as text with spaces", '" 5 "')):
        yield post(f"timestamp {label}", "runs/log-metric", raw=_metric("r", f"t {label}", "1.5", value))
    yield get("what was stored", "runs/get", {"run_id": "{r}"})
    yield run("s", "{e}")
    for label, value in (("NaN", "NaN"), ("Infinity", "Infinity"), ("-Infinity", "-Infinity"), ("overflow", "1e999")):
        yield post(f"value {label}", "runs/log-metric", raw=_metric("s", f"m {label}", value, "1"))
    for label, value in (("too big", "9223372036854775808"), ("as decimal text", '"5.0"')):
        yield post(f"timestamp {label}", "runs/log-metric", raw=_metric("s", f"t {label}", "1.5", value))


@scenario
def numbers_as_texts():
    yield experiment("e", "parsing-number-texts")
    yield run("r", "{e}")
    for text in ("inf", "-inf", "INF", "1e400", " 5 ", "-5e-1", "nan"):
        yield post(f"value {text!r}", "runs/log-metric", raw=_metric("r", f"m {text.strip()}", f'"{text}"', "1"))
    for text in ("1e3", "5.0"):
        yield post(f"timestamp {text!r}", "runs/log-metric", raw=_metric("r", f"t {text}", "1.5", f'"{text}"'))
    yield get("what was stored", "runs/get", {"run_id": "{r}"})


@scenario
def nulls():
    """Inside lists, and for enums."""
    yield experiment("e", "parsing-nulls", tags=[{"key": "a", "value": None}])
    yield get("the experiment", "experiments/get", {"experiment_id": "{e}"})
    yield run("r", "{e}", tags=[{"key": "a", "value": None}])
    yield get("the run", "runs/get", {"run_id": "{r}"})
    for view in (None, ""):
        yield post(f"runs in view {view!r}", "runs/search", {"experiment_ids": ["{e}"], "run_view_type": view})
        body = {"max_results": 9, "view_type": view, "filter": "name = '{u}.parsing-nulls'"}
        yield post(f"experiments in view {view!r}", "experiments/search", body)


@scenario
def spellings():
    yield experiment("e", "parsing-spellings")
    yield run("r", "{e}")
    yield run("s", "{e}")
    yield post("both spellings, same", "runs/update", {"run_id": "{r}", "runId": "{r}", "status": "FAILED"})
    yield post("both spellings, different", "runs/update", {"run_id": "{r}", "runId": "{s}", "status": "FAILED"})
    yield post("id and uuid, same", "runs/update", {"run_id": "{r}", "run_uuid": "{r}", "status": "FAILED"})
    yield post("id and uuid, different", "runs/set-tag", {"run_id": "{r}", "run_uuid": "{s}", "key": "who", "value": "r"})
    yield post("other letters", "runs/update", {"RUN_ID": "{r}", "status": "FINISHED"})
    yield get("run r", "runs/get", {"run_id": "{r}"})
    yield get("run s", "runs/get", {"run_id": "{s}"})
    yield get("parameter twice", "runs/get", [("run_id", "{r}"), ("run_id", "{s}")])
    mine = ("filter", "name = '{u}.parsing-spellings'")
    yield get("parameter in brackets", "experiments/search", [("max_results", "1"), ("order_by[]", "name"), mine])
    yield run("a", "{e}")
    yield run("b", "{e}")
    body = {"run_uuid": "{a}", "runId": "{b}", "key": "who", "value": "r"}
    yield post("own uuid, foreign camel case id", "runs/log-parameter", body)
    yield get("run a", "runs/get", {"run_id": "{a}"})
    yield get("run b", "runs/get", {"run_id": "{b}"})


@scenario
def camel_case():
    """JSON fields have two spellings; the stock server finds its required ones under the first only."""
    yield experiment("e", "parsing-camel")
    yield run("r", "{e}")
    yield post("experiments/update", "experiments/update", {"experimentId": "{e}", "newName": "{u}.camel"})
    yield post("log-parameter", "runs/log-parameter", {"runId": "{r}", "key": "camel", "value": "1"})
    yield post("set-tag", "runs/set-tag", {"runId": "{r}", "key": "camel", "value": "1"})
    yield post("log-metric", "runs/log-metric", {"runId": "{r}", "key": "camel", "value": 1.5, "timestamp": 1})
    yield post("log-batch", "runs/log-batch", {"runId": "{r}", "tags": [{"key": "camel", "value": "1"}]})
    yield post("logged-models", "logged-models", {"experimentId": "{e}", "name": "camel", "modelType": "t"})
    yield get("query of experiments/get", "experiments/get", {"experimentId": "{e}"})
    yield get("query of get-by-name", "experiments/get-by-name", {"experimentName": "{u}.camel"})
    yield get("query of experiments/search", "experiments/search", {"maxResults": 2})
    yield get("query of runs/get", "runs/get", {"runId": "{r}"})
    yield get("query of get-history", "metrics/get-history", {"runId": "{r}", "metricKey": "loss"})
    yield get("query of artifacts/list", "artifacts/list", {"runId": "{r}"})


@scenario
def types():
    yield experiment("e", "parsing-wrong-types")
    yield run("r", "{e}")
    for label, value in (("number", 5), ("bool", True), ("list", ["x"]), ("object", {"a": 1}), ("null", None)):
        yield post(f"key is a {label}", "runs/set-tag", {"run_id": "{r}", "key": value, "value": "v"})
        yield post(f"run is a {label}", "runs/set-tag", {"run_id": value, "key": "k", "value": "v"})
    for label, value in (("list", [1]), ("object", {"a": 1}), ("empty text", ""), ("null", None)):
        yield post(f"end_time is a {label}", "runs/update", {"run_id": "{r}", "end_time": value})
    yield get("after all", "runs/get", {"run_id": "{r}"})
    yield post("end_time is a bool", "runs/update", {"run_id": "{r}", "end_time": True})
    for label, value in (("bool", True), ("list", [1]), ("object", {"a": 1}), ("empty text", ""), ("null", None)):
        yield post(f"max_results is a {label}", "runs/search", {"experiment_ids": ["{e}"], "max_results": value})
