"""Experiments: create, get, get-by-name, update, delete, restore, tags."""

from ..call import experiment, get, post, scenario

MISSING = "123456789012"


@scenario
def create():
    yield post("minimal", "experiments/create", {"name": "{u}.exp"}, save={"e": "experiment_id"})
    yield get("get it", "experiments/get", {"experiment_id": "{e}"})
    yield post("same name again", "experiments/create", {"name": "{u}.exp"})
    tags = [{"key": "team", "value": "water"}, {"key": "stage", "value": "1"}]
    yield post("with tags", "experiments/create", {"name": "{u}.exp tagged", "tags": tags}, save={"f": "experiment_id"})
    yield get("get it with tags", "experiments/get", {"experiment_id": "{f}"})
    yield post("tag without value", "experiments/create", {"name": "{u}.exp t2", "tags": [{"key": "k"}]}, save={"g": "experiment_id"})
    yield get("get it with empty tag", "experiments/get", {"experiment_id": "{g}"})
    twice = [{"key": "k", "value": "first"}, {"key": "k", "value": "second"}]
    yield post("same tag twice", "experiments/create", {"name": "{u}.exp t3", "tags": twice}, save={"h": "experiment_id"})
    yield post("unicode name", "experiments/create", {"name": "{u}.Überflutung 洪水"}, save={"i": "experiment_id"})
    yield get("get unicode by name", "experiments/get-by-name", {"experiment_name": "{u}.Überflutung 洪水"})
    yield post("name with slashes and quotes", "experiments/create", {"name": "{u}./a/'b'/\"c\"/"}, save={"j": "experiment_id"})
    yield get("get slashes by name", "experiments/get-by-name", {"experiment_name": "{u}./a/'b'/\"c\"/"})
    yield post("name of spaces", "experiments/create", {"name": "  {u}. spaces  "}, save={"k": "experiment_id"})
    yield get("get it untrimmed", "experiments/get", {"experiment_id": "{k}"})
    yield post("unknown field is ignored", "experiments/create", {"name": "{u}.exp x", "colour": "red"}, save={"l": "experiment_id"})


@scenario
def create_refused():
    yield post("no name", "experiments/create", {})
    yield post("empty name", "experiments/create", {"name": ""})
    yield post("null name", "experiments/create", {"name": None})
    yield post("number as name", "experiments/create", {"name": 7})
    yield post("list as name", "experiments/create", {"name": ["a"]})
    yield post("tags not a list", "experiments/create", {"name": "{u}.r1", "tags": "x"})
    yield post("tag without key", "experiments/create", {"name": "{u}.r2", "tags": [{"value": "v"}]})
    yield post("tag key too long", "experiments/create", {"name": "{u}.r3", "tags": [{"key": "k" * 251, "value": "v"}]})
    yield post("tag value too long", "experiments/create", {"name": "{u}.r4", "tags": [{"key": "k", "value": "v" * 20001}]})
    yield post("tag key with bad characters", "experiments/create", {"name": "{u}.r5", "tags": [{"key": "a#b", "value": "v"}]})
    yield post("name too long", "experiments/create", {"name": "n" * 501})
    yield post("the name Default", "experiments/create", {"name": "Default"})
    for label, location in (
        ("fragment", "s3://bucket/a#b"),
        ("dots in query", "s3://bucket/a?x=../b"),
        ("runs scheme", "runs:/abc/x"),
        ("too long", "s3://bucket/" + "a" * 2048),
    ):
        body = {"name": f"{{u}}.loc {label}", "artifact_location": location}
        yield post(f"location: {label}", "experiments/create", body)


@scenario
def artifact_location():
    body = {"name": "{u}.own location", "artifact_location": "s3://somebody/elsewhere"}
    yield post("create at s3", "experiments/create", body, save={"e": "experiment_id"})
    body = {"name": "{u}.own location 4", "artifact_location": "s3://somebody/else;where"}
    yield post("create at s3 with semicolon", "experiments/create", body, save={"h": "experiment_id"})
    yield get("location is kept", "experiments/get", {"experiment_id": "{e}"})
    run = {"experiment_id": "{e}", "start_time": 1, "run_name": "r"}
    yield post("its run", "runs/create", run, save={"r": "run.info.run_id"})
    body = {"name": "{u}.own location 2", "artifact_location": "s3://somebody/elsewhere/"}
    yield post("create at s3 with slash", "experiments/create", body, save={"f": "experiment_id"})
    yield get("trailing slash", "experiments/get", {"experiment_id": "{f}"})
    yield post("its run with slash", "runs/create", {**run, "experiment_id": "{f}"}, save={"s": "run.info.run_id"})
    yield post("empty location is the default", "experiments/create", {"name": "{u}.loc3", "artifact_location": ""}, save={"g": "experiment_id"})
    yield get("default location", "experiments/get", {"experiment_id": "{g}"})


@scenario
def read():
    yield experiment("e", "read")
    yield get("by id", "experiments/get", {"experiment_id": "{e}"})
    yield get("by name", "experiments/get-by-name", {"experiment_name": "{u}.read"})
    yield get("by name, other case", "experiments/get-by-name", {"experiment_name": "{u}.READ"})
    yield get("missing id", "experiments/get", {"experiment_id": MISSING})
    yield get("missing name", "experiments/get-by-name", {"experiment_name": "{u}.nobody"})
    yield get("no id", "experiments/get")
    yield get("empty id", "experiments/get", {"experiment_id": ""})
    yield get("no name", "experiments/get-by-name")
    yield get("id of letters", "experiments/get", {"experiment_id": "abc"})
    yield get("negative id", "experiments/get", {"experiment_id": "-1"})
    yield get("decimal id", "experiments/get", {"experiment_id": "1.5"})
    yield get("unknown parameter is ignored", "experiments/get", {"experiment_id": "{e}", "x": "1"})


@scenario
def update():
    yield experiment("e", "before")
    yield experiment("f", "taken")
    yield post("rename", "experiments/update", {"experiment_id": "{e}", "new_name": "{u}.after"})
    yield get("renamed", "experiments/get", {"experiment_id": "{e}"})
    yield get("old name is gone", "experiments/get-by-name", {"experiment_name": "{u}.before"})
    yield post("old name is free", "experiments/create", {"name": "{u}.before"}, save={"g": "experiment_id"})
    yield post("to a taken name", "experiments/update", {"experiment_id": "{e}", "new_name": "{u}.taken"})
    yield post("to its own name", "experiments/update", {"experiment_id": "{e}", "new_name": "{u}.after"})
    yield post("no new name", "experiments/update", {"experiment_id": "{e}"})
    yield post("empty new name", "experiments/update", {"experiment_id": "{e}", "new_name": ""})
    yield post("no id", "experiments/update", {"new_name": "{u}.x"})
    yield post("missing experiment", "experiments/update", {"experiment_id": MISSING, "new_name": "{u}.x"})
    yield post("new name too long", "experiments/update", {"experiment_id": "{e}", "new_name": "n" * 501})


@scenario
def delete_and_restore():
    yield experiment("e", "mortal")
    yield post("delete", "experiments/delete", {"experiment_id": "{e}"})
    yield get("deleted is still read by id", "experiments/get", {"experiment_id": "{e}"})
    yield get("deleted is still read by name", "experiments/get-by-name", {"experiment_name": "{u}.mortal"})
    yield post("delete twice", "experiments/delete", {"experiment_id": "{e}"})
    yield post("its name stays taken", "experiments/create", {"name": "{u}.mortal"})
    yield post("rename deleted", "experiments/update", {"experiment_id": "{e}", "new_name": "{u}.undead"})
    yield post("tag deleted", "experiments/set-experiment-tag", {"experiment_id": "{e}", "key": "k", "value": "v"})
    yield post("untag deleted", "experiments/delete-experiment-tag", {"experiment_id": "{e}", "key": "k"})
    yield post("run in deleted", "runs/create", {"experiment_id": "{e}", "start_time": 1})
    yield post("restore", "experiments/restore", {"experiment_id": "{e}"})
    yield get("restored", "experiments/get", {"experiment_id": "{e}"})
    yield post("restore twice", "experiments/restore", {"experiment_id": "{e}"})
    for action in ("delete", "restore"):
        yield post(f"{action} without id", f"experiments/{action}", {})
        yield post(f"{action} missing", f"experiments/{action}", {"experiment_id": MISSING})
        yield post(f"{action} id of letters", f"experiments/{action}", {"experiment_id": "abc"})


@scenario
def tags():
    yield experiment("e", "tags")
    path = "experiments/set-experiment-tag"
    yield post("set", path, {"experiment_id": "{e}", "key": "team", "value": "water"})
    yield post("set again", path, {"experiment_id": "{e}", "key": "team", "value": "fire"})
    yield post("empty value", path, {"experiment_id": "{e}", "key": "empty", "value": ""})
    yield post("no value", path, {"experiment_id": "{e}", "key": "absent"})
    yield post("unicode", path, {"experiment_id": "{e}", "key": "größe", "value": "洪水"})
    yield post("key with dots and slash", path, {"experiment_id": "{e}", "key": "a/b.c d:e-f_g", "value": "v"})
    yield post("note", path, {"experiment_id": "{e}", "key": "mlflow.note.content", "value": "# hi\n"})
    yield get("all tags", "experiments/get", {"experiment_id": "{e}"})
    yield post("no key", path, {"experiment_id": "{e}", "value": "v"})
    yield post("no id", path, {"key": "k", "value": "v"})
    yield post("missing experiment", path, {"experiment_id": MISSING, "key": "k", "value": "v"})
    yield post("key too long", path, {"experiment_id": "{e}", "key": "k" * 251, "value": "v"})
    yield post("longest key", path, {"experiment_id": "{e}", "key": "k" * 250, "value": "v"})
    yield post("value too long", path, {"experiment_id": "{e}", "key": "k", "value": "v" * 20001})
    yield post("longest value", path, {"experiment_id": "{e}", "key": "k", "value": "v" * 20000})
    yield post("key not in normal form", path, {"experiment_id": "{e}", "key": "a//b", "value": "v"})
    yield post("key with bad characters", path, {"experiment_id": "{e}", "key": "a#b", "value": "v"})
    yield post("number as value", path, {"experiment_id": "{e}", "key": "k", "value": 1})
    path = "experiments/delete-experiment-tag"
    yield post("delete one", path, {"experiment_id": "{e}", "key": "team"})
    yield post("delete it again", path, {"experiment_id": "{e}", "key": "team"})
    yield post("delete without key", path, {"experiment_id": "{e}"})
    yield post("delete in missing experiment", path, {"experiment_id": MISSING, "key": "k"})
    yield post("delete longest key", path, {"experiment_id": "{e}", "key": "k" * 250})
    yield post("delete longest value", path, {"experiment_id": "{e}", "key": "k"})
    yield get("tags left", "experiments/get", {"experiment_id": "{e}"})


@scenario
def default_experiment():
    yield get("get", "experiments/get", {"experiment_id": "0"})
    yield get("get by name", "experiments/get-by-name", {"experiment_name": "Default"})
    yield post("run", "runs/create", {"experiment_id": "0", "start_time": 5, "run_name": "plain"}, save={"r": "run.info.run_id"})
    yield get("run is in it", "runs/get", {"run_id": "{r}"})
    body = {"experiment_ids": ["0"], "filter": "attributes.run_id = '{r}'"}
    yield post("search in it", "runs/search", body)
    yield post("log to it", "runs/log-metric", {"run_id": "{r}", "key": "m", "value": 1, "timestamp": 1})
    yield post("tag it", "experiments/set-experiment-tag", {"experiment_id": "0", "key": "{u}", "value": "v"})
    yield post("untag it", "experiments/delete-experiment-tag", {"experiment_id": "0", "key": "{u}"})
    yield post("find it", "experiments/search", {"max_results": 5, "filter": "name = 'Default'"})
    yield post("find it by id", "experiments/search", {"max_results": 5, "filter": "experiment_id = '0'"})
    yield get("its artifacts", "artifacts/list", {"run_id": "{r}"})
    yield post("a model in it", "logged-models", {"experiment_id": "0", "name": "m"}, save={"m": "model.info.model_id"})
    yield get("its datasets", "experiments/get", {"experiment_id": "0"})
