"""Runs: create, get, update, delete, restore, and the rules of a run's life."""

from ..call import experiment, get, post, run, scenario

MISSING = "0123456789abcdef0123456789abcdef"


@scenario
def create():
    yield experiment("e", "runs-create")
    first = {"experiment_id": "{e}"}
    yield post("minimal", "runs/create", first, save={"a": "run.info.run_id"})
    yield get("get minimal", "runs/get", {"run_id": "{a}"})
    full = {
        "experiment_id": "{e}",
        "user_id": "ada",
        "run_name": "my run",
        "start_time": 1_700_000_000_000,
        "tags": [{"key": "mlflow.source.name", "value": "train.py"}, {"key": "empty", "value": ""}, {"key": "novalue"}],
    }
    yield post("full", "runs/create", full, save={"b": "run.info.run_id"})
    yield get("get full", "runs/get", {"run_id": "{b}"})
    named = [{"key": "mlflow.runName", "value": "by tag"}]
    yield post("name by tag", "runs/create", {**first, "tags": named}, save={"c": "run.info.run_id"})
    yield post("name twice, same", "runs/create", {**first, "run_name": "by tag", "tags": named}, save={"d": "run.info.run_id"})
    yield post("name twice, different", "runs/create", {**first, "run_name": "other", "tags": named})
    yield post("empty name", "runs/create", {**first, "run_name": ""}, save={"f": "run.info.run_id"})
    yield post("same name again", "runs/create", {**first, "run_name": "my run"}, save={"g": "run.info.run_id"})
    yield post("start time as text", "runs/create", {**first, "run_name": "s", "start_time": "1700000000001"}, save={"h": "run.info.run_id"})
    yield post("start time zero", "runs/create", {**first, "run_name": "s", "start_time": 0}, save={"i": "run.info.run_id"})
    yield post("negative start time", "runs/create", {**first, "run_name": "s", "start_time": -5}, save={"j": "run.info.run_id"})
    yield post("camel case", "runs/create", {"experimentId": "{e}", "runName": "camel", "startTime": 5, "userId": "u"}, save={"k": "run.info.run_id"})
    twice = [{"key": "k", "value": "first"}, {"key": "k", "value": "second"}]
    yield post("same tag twice", "runs/create", {**first, "run_name": "s", "tags": twice}, save={"l": "run.info.run_id"})
    child = [{"key": "mlflow.parentRunId", "value": "{a}"}]
    yield post("child", "runs/create", {**first, "run_name": "child", "tags": child}, save={"m": "run.info.run_id"})
    yield post("unicode name", "runs/create", {**first, "run_name": "Lauf 洪水"}, save={"n": "run.info.run_id"})
    yield post("long name", "runs/create", {**first, "run_name": "n" * 250}, save={"o": "run.info.run_id"})


@scenario
def create_refused():
    yield experiment("e", "runs-refused")
    yield post("tag without key", "runs/create", {"experiment_id": "{e}", "start_time": 1, "tags": [{"value": "v"}]}, save={"x0": "run.info.run_id"})
    yield post("no experiment", "runs/create", {"start_time": 1})
    yield post("empty experiment", "runs/create", {"experiment_id": "", "start_time": 1})
    yield post("missing experiment", "runs/create", {"experiment_id": "123456789012"})
    yield post("experiment of letters", "runs/create", {"experiment_id": "abc"})
    yield post("experiment as number", "runs/create", {"experiment_id": 7})
    yield post("start time of letters", "runs/create", {"experiment_id": "{e}", "start_time": "noon"})
    yield post("start time decimal", "runs/create", {"experiment_id": "{e}", "start_time": 1.5}, save={"x1": "run.info.run_id"})
    yield post("tags not a list", "runs/create", {"experiment_id": "{e}", "tags": {"a": "b"}}, save={"x2": "run.info.run_id"})
    for label, key in (("too long", "k" * 251), ("not in normal form", "../k"), ("with bad characters", "a#b")):
        body = {"experiment_id": "{e}", "run_name": "n", "tags": [{"key": key, "value": "v"}]}
        yield post(f"tag key {label}", "runs/create", body, save={f"t{len(key)}": "run.info.run_id"})
    yield post("user as number", "runs/create", {"experiment_id": "{e}", "user_id": 7}, save={"x3": "run.info.run_id"})
    yield post("name as list", "runs/create", {"experiment_id": "{e}", "run_name": ["a"]})


@scenario
def read():
    yield experiment("e", "runs-read")
    yield run("r", "{e}")
    yield get("by run_id", "runs/get", {"run_id": "{r}"})
    yield get("by run_uuid", "runs/get", {"run_uuid": "{r}"})
    yield get("by both", "runs/get", {"run_id": "{r}", "run_uuid": "{r}"})
    yield get("missing", "runs/get", {"run_id": MISSING})
    yield get("missing by run_uuid", "runs/get", {"run_uuid": MISSING})
    yield get("no id", "runs/get")
    yield get("empty id", "runs/get", {"run_id": ""})
    yield get("strange id", "runs/get", {"run_id": "no such/run"})
    yield get("ui twin", "/ajax-api/2.0/mlflow/runs/get", {"run_id": "{r}"})


@scenario
def update():
    yield experiment("e", "runs-update")
    yield run("r", "{e}")
    yield post("finish", "runs/update", {"run_id": "{r}", "status": "FINISHED", "end_time": 2_000})
    yield get("finished", "runs/get", {"run_id": "{r}"})
    for status in ("RUNNING", "SCHEDULED", "FAILED", "KILLED", 3, 1):
        yield post(f"status {status!r}", "runs/update", {"run_id": "{r}", "status": status})
    yield post("only the end", "runs/update", {"run_id": "{r}", "end_time": "3000"})
    yield post("rename", "runs/update", {"run_id": "{r}", "run_name": "new name"})
    yield get("renamed, tag too", "runs/get", {"run_id": "{r}"})
    yield post("empty name changes nothing", "runs/update", {"run_id": "{r}", "run_name": ""})
    yield post("by run_uuid", "runs/update", {"run_uuid": "{r}", "status": "FAILED"})
    yield post("nothing to change", "runs/update", {"run_id": "{r}"})
    yield post("rename by tag", "runs/set-tag", {"run_id": "{r}", "key": "mlflow.runName", "value": "tag name"})
    yield get("renamed by tag", "runs/get", {"run_id": "{r}"})
    yield post("rename by batch", "runs/log-batch", {"run_id": "{r}", "tags": [{"key": "mlflow.runName", "value": "batch name"}]})
    yield get("renamed by batch", "runs/get", {"run_id": "{r}"})
    yield post("remove the name tag", "runs/delete-tag", {"run_id": "{r}", "key": "mlflow.runName"})
    yield get("name without tag", "runs/get", {"run_id": "{r}"})
    yield post("no id", "runs/update", {"status": "FINISHED"})
    yield post("missing", "runs/update", {"run_id": MISSING, "status": "FINISHED"})
    yield post("unknown status", "runs/update", {"run_id": "{r}", "status": "BOGUS"})
    yield post("unknown status number", "runs/update", {"run_id": "{r}", "status": 99})
    yield post("status in small letters", "runs/update", {"run_id": "{r}", "status": "finished"})
    yield post("end of letters", "runs/update", {"run_id": "{r}", "end_time": "noon"})
    yield post("status as list", "runs/update", {"run_id": "{r}", "status": ["FINISHED"]})


@scenario
def deleted():
    yield experiment("e", "runs-deleted")
    yield run("r", "{e}")
    yield post("tag first", "runs/set-tag", {"run_id": "{r}", "key": "k", "value": "v"})
    yield post("delete", "runs/delete", {"run_id": "{r}"})
    yield get("still readable", "runs/get", {"run_id": "{r}"})
    yield post("delete again", "runs/delete", {"run_id": "{r}"})
    yield post("update", "runs/update", {"run_id": "{r}", "status": "FAILED"})
    yield post("metric", "runs/log-metric", {"run_id": "{r}", "key": "m", "value": 1, "timestamp": 1})
    yield post("param", "runs/log-parameter", {"run_id": "{r}", "key": "p", "value": "1"})
    yield post("tag", "runs/set-tag", {"run_id": "{r}", "key": "k", "value": "w"})
    yield post("untag", "runs/delete-tag", {"run_id": "{r}", "key": "k"})
    yield post("batch", "runs/log-batch", {"run_id": "{r}", "tags": [{"key": "k", "value": "w"}]})
    data = [{"dataset": {"name": "d", "digest": "1", "source_type": "s", "source": "x"}}]
    yield post("inputs", "runs/log-inputs", {"run_id": "{r}", "datasets": data})
    yield get("history", "metrics/get-history", {"run_id": "{r}", "metric_key": "m"})
    yield post("hidden from search", "runs/search", {"experiment_ids": ["{e}"]})
    yield post("seen by a search of deleted", "runs/search", {"experiment_ids": ["{e}"], "run_view_type": "DELETED_ONLY"})
    yield post("restore", "runs/restore", {"run_id": "{r}"})
    yield get("restored", "runs/get", {"run_id": "{r}"})
    yield post("restore again", "runs/restore", {"run_id": "{r}"})
    for action in ("delete", "restore"):
        yield post(f"{action} missing", f"runs/{action}", {"run_id": MISSING})
        yield post(f"{action} no id", f"runs/{action}", {})
    yield post("run_uuid is no id for delete", "runs/delete", {"run_uuid": "{r}"})


@scenario
def with_the_experiment():
    yield experiment("e", "runs-cascade")
    yield run("a", "{e}", 1_000)
    yield run("b", "{e}", 2_000)
    yield post("delete b alone", "runs/delete", {"run_id": "{b}"})
    yield post("delete the experiment", "experiments/delete", {"experiment_id": "{e}"})
    yield get("a is deleted too", "runs/get", {"run_id": "{a}"})
    yield post("write to a", "runs/log-parameter", {"run_id": "{a}", "key": "p", "value": "1"})
    yield post("search of active", "runs/search", {"experiment_ids": ["{e}"]})
    yield post("search of deleted", "runs/search", {"experiment_ids": ["{e}"], "run_view_type": "DELETED_ONLY"})
    yield post("search of all", "runs/search", {"experiment_ids": ["{e}"], "run_view_type": "ALL"})
    yield post("restore the experiment", "experiments/restore", {"experiment_id": "{e}"})
    yield get("a is back", "runs/get", {"run_id": "{a}"})
    yield get("b is back as well", "runs/get", {"run_id": "{b}"})
    yield post("both are found", "runs/search", {"experiment_ids": ["{e}"]})
    yield post("write to a again", "runs/log-parameter", {"run_id": "{a}", "key": "p", "value": "1"})


@scenario
def one_run_of_a_deleted_experiment():
    yield experiment("e", "runs-restore-one")
    yield run("a", "{e}", 1_000)
    yield run("b", "{e}", 2_000)
    yield post("delete the experiment", "experiments/delete", {"experiment_id": "{e}"})
    yield post("restore a alone", "runs/restore", {"run_id": "{a}"})
    yield get("a is active", "runs/get", {"run_id": "{a}"})
    yield post("write to a", "runs/set-tag", {"run_id": "{a}", "key": "k", "value": "v"})
    yield post("search of active", "runs/search", {"experiment_ids": ["{e}"]})
    yield post("search of deleted", "runs/search", {"experiment_ids": ["{e}"], "run_view_type": "DELETED_ONLY"})
