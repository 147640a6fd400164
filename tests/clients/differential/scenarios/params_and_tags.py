"""Params (write once) and tags (last write wins) of a run, with their limits and names."""

from ..call import experiment, get, post, run, scenario

MISSING = "0123456789abcdef0123456789abcdef"
GOOD_KEYS = ("a", "a.b", "a/b", "a b", "a-b", "a:b", "a_b", "A", "größe", "洪水", ".hidden", "a/.b", "1", "k" * 250)
BAD_KEYS = ("a//b", "/a", "a/", ".", "..", "./a", "../a", "a/../b", "a/./b", "a#b", "a?b", "a\\b", "a\"b", "a\nb", "a=b", "a(b)", "a@b", "k" * 251)


def _named(key: str) -> str:
    return f"{len(key)} letters" if len(key) > 20 else repr(key)


@scenario
def params():
    yield experiment("e", "params")
    yield run("r", "{e}")
    path = "runs/log-parameter"
    yield post("first", path, {"run_id": "{r}", "key": "lr", "value": "0.1"})
    yield post("same value again", path, {"run_id": "{r}", "key": "lr", "value": "0.1"})
    yield post("other value", path, {"run_id": "{r}", "key": "lr", "value": "0.2"})
    yield post("empty value", path, {"run_id": "{r}", "key": "empty", "value": ""})
    yield post("no value", path, {"run_id": "{r}", "key": "absent"})
    yield post("unicode", path, {"run_id": "{r}", "key": "größe", "value": "洪水"})
    yield post("by run_uuid", path, {"run_uuid": "{r}", "key": "uuid", "value": "1"})
    yield get("all params", "runs/get", {"run_id": "{r}"})
    yield post("longest value", path, {"run_id": "{r}", "key": "long", "value": "v" * 6000})
    yield post("value is cut", path, {"run_id": "{r}", "key": "longer", "value": "v" * 6001})
    yield post("cut value again", path, {"run_id": "{r}", "key": "longer", "value": "v" * 6001})
    yield get("values after the cut", "runs/get", {"run_id": "{r}"})
    yield post("no key", path, {"run_id": "{r}", "value": "1"})
    yield post("empty key", path, {"run_id": "{r}", "key": "", "value": "1"})
    yield post("no run", path, {"key": "a", "value": "1"})
    yield post("missing run", path, {"run_id": MISSING, "key": "a", "value": "1"})
    yield post("number as value", path, {"run_id": "{r}", "key": "n", "value": 1})
    yield post("null value", path, {"run_id": "{r}", "key": "n", "value": None})
    yield post("bool as value", path, {"run_id": "{r}", "key": "n", "value": True})


@scenario
def param_keys():
    yield experiment("e", "param-keys")
    yield run("r", "{e}")
    for key in GOOD_KEYS:
        yield post(f"good {_named(key)}", "runs/log-parameter", {"run_id": "{r}", "key": key, "value": "1"})
    for key in BAD_KEYS:
        yield post(f"bad {_named(key)}", "runs/log-parameter", {"run_id": "{r}", "key": key, "value": "1"})
    yield get("what was stored", "runs/get", {"run_id": "{r}"})


@scenario
def tags():
    yield experiment("e", "run-tags")
    yield run("r", "{e}")
    path = "runs/set-tag"
    yield post("first", path, {"run_id": "{r}", "key": "team", "value": "water"})
    yield post("other value", path, {"run_id": "{r}", "key": "team", "value": "fire"})
    yield post("empty value", path, {"run_id": "{r}", "key": "empty", "value": ""})
    yield post("no value", path, {"run_id": "{r}", "key": "absent"})
    yield post("by run_uuid", path, {"run_uuid": "{r}", "key": "uuid", "value": "1"})
    yield post("longest value", path, {"run_id": "{r}", "key": "long", "value": "v" * 8000})
    yield post("value is cut", path, {"run_id": "{r}", "key": "longer", "value": "v" * 8001})
    yield get("all tags", "runs/get", {"run_id": "{r}"})
    yield post("no key", path, {"run_id": "{r}", "value": "1"})
    yield post("no run", path, {"key": "a", "value": "1"})
    yield post("missing run", path, {"run_id": MISSING, "key": "a", "value": "1"})
    yield post("number as value", path, {"run_id": "{r}", "key": "n", "value": 1})
    path = "runs/delete-tag"
    yield post("delete", path, {"run_id": "{r}", "key": "team"})
    yield post("delete again", path, {"run_id": "{r}", "key": "team"})
    yield post("delete without key", path, {"run_id": "{r}"})
    yield post("delete in missing run", path, {"run_id": MISSING, "key": "team"})
    yield post("delete without run", path, {"key": "team"})
    yield get("tags left", "runs/get", {"run_id": "{r}"})


@scenario
def tag_keys():
    yield experiment("e", "tag-keys")
    yield run("r", "{e}")
    for key in GOOD_KEYS:
        yield post(f"good {_named(key)}", "runs/set-tag", {"run_id": "{r}", "key": key, "value": "1"})
    for key in BAD_KEYS:
        yield post(f"bad {_named(key)}", "runs/set-tag", {"run_id": "{r}", "key": key, "value": "1"})
    yield get("what was stored", "runs/get", {"run_id": "{r}"})


@scenario
def metric_keys():
    yield experiment("e", "metric-keys")
    yield run("r", "{e}")
    for key in GOOD_KEYS:
        yield post(f"good {_named(key)}", "runs/log-metric", {"run_id": "{r}", "key": key, "value": 1, "timestamp": 1})
    for key in BAD_KEYS:
        yield post(f"bad {_named(key)}", "runs/log-metric", {"run_id": "{r}", "key": key, "value": 1, "timestamp": 1})
    yield get("what was stored", "runs/get", {"run_id": "{r}"})


@scenario
def empty_name():
    yield experiment("e", "empty-name")
    yield run("r", "{e}")
    tag = {"key": "mlflow.runName", "value": ""}
    yield post("set-tag", "runs/set-tag", {"run_id": "{r}", **tag})
    yield get("after set-tag", "runs/get", {"run_id": "{r}"})
    yield post("log-batch", "runs/log-batch", {"run_id": "{r}", "tags": [tag]})
    yield get("after log-batch", "runs/get", {"run_id": "{r}"})
