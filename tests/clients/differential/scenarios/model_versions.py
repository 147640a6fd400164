"""Model versions: create, get, update, delete, tags, numbers, files."""

from ..call import delete, experiment, get, model_version, patch, post, put, registered_model, run, scenario

CREATE, GET, UPDATE = "model-versions/create", "model-versions/get", "model-versions/update"
DELETE, URI = "model-versions/delete", "model-versions/get-download-uri"
SET_TAG, DELETE_TAG = "model-versions/set-tag", "model-versions/delete-tag"
WRONG_TYPES = {"number": 7, "decimal": 1.5, "bool": True, "list": ["a"], "object": {"a": "b"}}
NO_RUN = "0" * 32


@scenario
def create():
    yield registered_model("mv")
    name = {"name": "{u}.mv"}
    yield post("minimal", CREATE, {**name, "source": "s3://bucket/a"})
    yield get("get minimal", GET, {**name, "version": "1"})
    tags = [{"key": "team", "value": "water"}, {"key": "empty", "value": ""}, {"key": "absent"}]
    full = {**name, "source": "s3://bucket/b", "description": "# Second\n", "run_link": "https://somewhere/run", "tags": tags}
    yield post("full", CREATE, full)
    yield get("get full", GET, {**name, "version": "2"})
    yield post("same source again", CREATE, {**name, "source": "s3://bucket/a"})
    yield post("empty fields", CREATE, {**name, "source": "s3://bucket/a", "description": "", "run_id": "", "run_link": "", "model_id": ""})
    yield get("get with empty fields", GET, {**name, "version": "4"})
    nulls = {"description": None, "run_id": None, "run_link": None, "model_id": None, "tags": None}
    yield post("null fields", CREATE, {**name, "source": "s3://bucket/a", **nulls})
    twice = [{"key": "k", "value": "first"}, {"key": "k", "value": "second"}]
    yield post("same tag twice", CREATE, {**name, "source": "s3://bucket/a", "tags": twice})
    yield post("long description", CREATE, {**name, "source": "s3://bucket/a", "description": "d" * 6000})
    yield post("long source", CREATE, {**name, "source": "s3://bucket/" + "a" * 600})
    yield post("unknown field is ignored", CREATE, {**name, "source": "s3://bucket/a", "version": "77", "colour": "red"})
    yield post("model parameters are ignored", CREATE, {**name, "source": "s3://bucket/a", "model_params": [{"name": "a", "value": "b"}]})
    yield post("ui twin", "/ajax-api/2.0/mlflow/model-versions/create", {**name, "source": "s3://bucket/ui"})
    yield get("all in the model", "registered-models/get", name)


@scenario
def create_refused():
    yield registered_model("refuse")
    name = {"name": "{u}.refuse"}
    yield post("no name", CREATE, {"source": "s3://bucket/a"})
    yield post("empty name", CREATE, {"name": "", "source": "s3://bucket/a"})
    yield post("blank name", CREATE, {"name": " ", "source": "s3://bucket/a"})
    yield post("name with a slash", CREATE, {"name": "a/b", "source": "s3://bucket/a"})
    yield post("missing model", CREATE, {"name": "{u}.nobody", "source": "s3://bucket/a"})
    yield post("no source", CREATE, name)
    yield post("empty source", CREATE, {**name, "source": ""})
    yield post("null source", CREATE, {**name, "source": None})
    yield post("nothing", CREATE, {})
    for label, value in WRONG_TYPES.items():
        for field in ("name", "source", "run_id", "description", "run_link", "model_id"):
            body = {**name, "source": "s3://bucket/a", field: value}
            yield post(f"{field} is a {label}", CREATE, body)
    yield post("tags is a text", CREATE, {**name, "source": "s3://bucket/a", "tags": "x"})
    for label, tag in (
        ("without key", {"value": "v"}),
        ("with bad characters", {"key": "a#b", "value": "v"}),
        ("not in normal form", {"key": "./a", "value": "v"}),
        ("with a long key", {"key": "k" * 251, "value": "v"}),
        ("with a long value", {"key": "k", "value": "v" * 100_001}),
    ):
        yield post(f"tag {label}", CREATE, {**name, "source": "s3://bucket/a", "tags": [tag]})
    yield get("no version was made", "model-versions/search", {"filter": "name = '{u}.refuse'"})
    numeric = {"key": "k", "value": 1}
    yield post("tag with number as value", CREATE, {**name, "source": "s3://bucket/a", "tags": [numeric]})


@scenario
def numbers():
    yield registered_model("numbered")
    name = {"name": "{u}.numbered"}
    for number in (1, 2, 3):
        yield model_version("numbered", number)
    for version in ("1", "01", "+1", " 1", "1 ", "1_0", "0", "-1", "1.0", "1e0", "abc", "None", "latest", "999", "9" * 30, "", "١"):
        yield get(f"get {version!r}", GET, {**name, "version": version})
    yield get("get without version", GET, name)
    yield get("get without name", GET, {"version": "1"})
    yield get("get of missing model", GET, {"name": "{u}.nobody", "version": "1"})
    yield get("get with a bad name", GET, {"name": "a/b", "version": "1"})
    yield delete("delete the middle one", DELETE, {**name, "version": "2"})
    yield get("the middle one is gone", GET, {**name, "version": "2"})
    yield delete("delete it again", DELETE, {**name, "version": "2"})
    yield post("next is 4", CREATE, {**name, "source": "s3://bucket/4"})
    yield delete("delete the last one", DELETE, {**name, "version": "4"})
    yield post("next is 5", CREATE, {**name, "source": "s3://bucket/5"})
    for number in ("1", "3", "5"):
        yield delete(f"delete {number}", DELETE, {**name, "version": number})
    yield get("model without versions", "registered-models/get", name)
    yield post("next is 6", CREATE, {**name, "source": "s3://bucket/6"})
    yield get("versions now", "model-versions/search", {"filter": "name = '{u}.numbered'"})


@scenario
def delete_version():
    yield registered_model("del")
    name = {"name": "{u}.del"}
    for number in (1, 2):
        yield model_version("del", number, tags=[{"key": "k", "value": str(number)}])
    for alias in ("champion", "best"):
        yield post(f"setup: {alias}", "registered-models/alias", {**name, "alias": alias, "version": "1"})
    yield post("setup: other alias", "registered-models/alias", {**name, "alias": "other", "version": "2"})
    for version in ("abc", "0", "-1", "1.0", "99", "9" * 30):
        yield delete(f"delete {version!r}", DELETE, {**name, "version": version})
    yield delete("no version", DELETE, name)
    yield delete("empty version", DELETE, {**name, "version": ""})
    yield delete("number as version", DELETE, {**name, "version": 1})
    yield delete("no name", DELETE, {"version": "1"})
    yield delete("bad name", DELETE, {"name": "a/b", "version": "1"})
    yield delete("missing model", DELETE, {"name": "{u}.nobody", "version": "1"})
    yield delete("delete it", DELETE, {**name, "version": "1"})
    for label, method, path, fields in (
        ("update", patch, UPDATE, {"description": "x"}),
        ("set-tag", post, SET_TAG, {"key": "k", "value": "v"}),
        ("delete-tag", delete, DELETE_TAG, {"key": "k"}),
        ("stage", post, "model-versions/transition-stage", {"stage": "Staging"}),
        ("alias", post, "registered-models/alias", {"alias": "a"}),
    ):
        yield method(f"{label} for the deleted one", path, {**name, "version": "1", **fields})
    yield get("download uri of the deleted one", URI, {**name, "version": "1"})
    yield get("alias of the deleted one", "registered-models/alias", {**name, "alias": "champion"})
    yield get("other alias", "registered-models/alias", {**name, "alias": "other"})
    yield get("aliases left", "registered-models/get", name)
    for clause in ("name = '{u}.del'", "version_number = 1 AND name = '{u}.del'", "tags.k = '1' AND name = '{u}.del'"):
        yield get(f"search {clause}", "model-versions/search", {"filter": clause})


@scenario
def update():
    yield registered_model("upd")
    name = {"name": "{u}.upd"}
    yield model_version("upd", 1, description="first", tags=[{"key": "k", "value": "v"}])
    one = {**name, "version": "1"}
    yield patch("description", UPDATE, {**one, "description": "second"})
    yield get("described", GET, one)
    yield patch("empty", UPDATE, {**one, "description": ""})
    yield get("emptied", GET, one)
    yield patch("setup: again", UPDATE, {**one, "description": "third"})
    yield patch("null", UPDATE, {**one, "description": None})
    yield get("after null", GET, one)
    yield patch("setup: once more", UPDATE, {**one, "description": "fourth"})
    yield patch("absent", UPDATE, one)
    yield get("after absent", GET, one)
    yield get("in the model", "registered-models/get", name)
    yield patch("long", UPDATE, {**one, "description": "d" * 6000})
    yield patch("padded version", UPDATE, {**name, "version": "01", "description": "padded"})
    yield patch("version in letters", UPDATE, {**name, "version": "abc", "description": "x"})
    yield patch("number as version", UPDATE, {**name, "version": 1, "description": "x"})
    yield patch("missing version", UPDATE, {**name, "version": "7", "description": "x"})
    yield patch("no version", UPDATE, {**name, "description": "x"})
    yield patch("no name", UPDATE, {"version": "1", "description": "x"})
    yield patch("bad name", UPDATE, {"name": "a:b", "version": "1", "description": "x"})
    yield patch("missing model", UPDATE, {"name": "{u}.nobody", "version": "1", "description": "x"})
    for label, value in WRONG_TYPES.items():
        yield patch(f"description is a {label}", UPDATE, {**one, "description": value})


@scenario
def tags():
    yield registered_model("vt")
    yield model_version("vt", 1)
    one = {"name": "{u}.vt", "version": "1"}
    yield post("set", SET_TAG, {**one, "key": "team", "value": "water"})
    yield post("set again", SET_TAG, {**one, "key": "team", "value": "fire"})
    yield post("empty value", SET_TAG, {**one, "key": "empty", "value": ""})
    yield post("no value", SET_TAG, {**one, "key": "absent"})
    yield post("unicode", SET_TAG, {**one, "key": "größe", "value": "洪水"})
    yield get("all tags", GET, one)
    yield get("all tags in the model", "registered-models/get", {"name": "{u}.vt"})
    yield post("longest key", SET_TAG, {**one, "key": "k" * 250, "value": "v"})
    yield post("key too long", SET_TAG, {**one, "key": "k" * 251, "value": "v"})
    yield post("longest value", SET_TAG, {**one, "key": "long", "value": "v" * 100_000})
    yield post("value too long", SET_TAG, {**one, "key": "long", "value": "v" * 100_001})
    yield post("key not in normal form", SET_TAG, {**one, "key": "a/", "value": "v"})
    yield post("key with bad characters", SET_TAG, {**one, "key": "a#b", "value": "v"})
    yield post("no key", SET_TAG, {**one, "value": "v"})
    yield post("no version", SET_TAG, {"name": "{u}.vt", "key": "k", "value": "v"})
    yield post("no name", SET_TAG, {"version": "1", "key": "k", "value": "v"})
    yield post("version in letters", SET_TAG, {**one, "version": "abc", "key": "k", "value": "v"})
    yield post("number as version", SET_TAG, {**one, "version": 1, "key": "k", "value": "v"})
    yield post("missing version", SET_TAG, {**one, "version": "7", "key": "k", "value": "v"})
    yield post("missing model", SET_TAG, {"name": "{u}.nobody", "version": "1", "key": "k", "value": "v"})
    yield post("number as value", SET_TAG, {**one, "key": "k", "value": 1})
    yield delete("delete one", DELETE_TAG, {**one, "key": "team"})
    yield delete("delete it again", DELETE_TAG, {**one, "key": "team"})
    yield delete("delete longest key", DELETE_TAG, {**one, "key": "k" * 250})
    yield delete("delete longest value", DELETE_TAG, {**one, "key": "long"})
    yield delete("delete without key", DELETE_TAG, one)
    yield delete("delete bad key", DELETE_TAG, {**one, "key": "a#b"})
    yield delete("delete in missing version", DELETE_TAG, {**one, "version": "7", "key": "k"})
    yield delete("delete in missing model", DELETE_TAG, {"name": "{u}.nobody", "version": "1", "key": "k"})
    yield get("tags left", GET, one)


@scenario
def download_uri():
    yield registered_model("uri")
    yield model_version("uri", 1)
    name = {"name": "{u}.uri"}
    yield get("of a version", URI, {**name, "version": "1"})
    yield get("of a padded version", URI, {**name, "version": "01"})
    yield get("of a missing version", URI, {**name, "version": "7"})
    yield get("of a version in letters", URI, {**name, "version": "abc"})
    yield get("of no version", URI, name)
    yield get("of an empty version", URI, {**name, "version": ""})
    yield get("of no name", URI, {"version": "1"})
    yield get("of nothing", URI)
    yield get("of a missing model", URI, {"name": "{u}.nobody", "version": "1"})
    yield get("of a bad name", URI, {"name": "a/b", "version": "1"})


@scenario
def files():
    """/model-versions/get-artifact: what the web page shows of a version."""
    yield experiment("e", "files of versions")
    yield run("r", "{e}")
    root = "{e}/{r}/artifacts"
    for path in ("model/MLmodel", "model/data/a.txt", "beside.txt"):
        yield put(f"setup: {path}", f"/api/2.0/mlflow-artifacts/artifacts/{root}/{path}", f"this is {path}")
    yield post("setup: logged model", "logged-models", {"experiment_id": "{e}", "name": "net", "source_run_id": "{r}"}, save={"m": "model.info.model_id"})
    yield put("setup: its file", "/api/2.0/mlflow-artifacts/artifacts/{e}/models/{m}/artifacts/MLmodel", "of the logged model")
    yield registered_model("files")
    name = {"name": "{u}.files"}
    yield post("setup: of the run", CREATE, {**name, "run_id": "{r}", "source": f"mlflow-artifacts:/{root}/model"})
    yield post("setup: of the run's uri", CREATE, {**name, "run_id": "{r}", "source": "runs:/{r}/model"})
    yield post("setup: of the logged model", CREATE, {**name, "model_id": "{m}", "source": "models:/{m}"})
    yield post("setup: of a version", CREATE, {**name, "source": "models:/{u}.files/1"})
    for number in ("1", "2", "3", "4"):
        yield get(f"MLmodel of {number}", "/model-versions/get-artifact", {**name, "version": number, "path": "MLmodel"})
    one = {**name, "version": "1"}
    for path in ("data/a.txt", "nosuch.txt", "../beside.txt", "/MLmodel", "data/../MLmodel", "%2e%2e/beside.txt", "data", ""):
        # What is missing is told with the stock server's own folders.
        yield get(f"path {path!r}", "/model-versions/get-artifact", {**one, "path": path}, compare_message=False)
    yield get("no path", "/model-versions/get-artifact", one, compare_message=False)
    yield get("no version", "/model-versions/get-artifact", {**name, "path": "MLmodel"}, compare_message=False)
    yield get("no name", "/model-versions/get-artifact", {"version": "1", "path": "MLmodel"})
    yield get("missing version", "/model-versions/get-artifact", {**name, "version": "9", "path": "MLmodel"})
    yield get("missing model", "/model-versions/get-artifact", {"name": "{u}.nobody", "version": "1", "path": "MLmodel"})
    yield get("version in letters", "/model-versions/get-artifact", {**name, "version": "abc", "path": "MLmodel"})
    yield get("bad name", "/model-versions/get-artifact", {"name": "a/b", "version": "1", "path": "MLmodel"})


@scenario
def spellings():
    yield registered_model("camel")
    yield experiment("e", "spellings of versions")
    yield run("r", "{e}")
    body = {"name": "{u}.camel", "source": "s3://bucket/a"}
    yield post("runId and runLink", CREATE, {**body, "runId": "{r}", "runLink": "https://somewhere"})
    yield post("both spellings of the run", CREATE, {**body, "runId": "{r}", "run_id": "{r}"})
    yield post("both spellings, two runs", CREATE, {**body, "runId": "{r}", "run_id": NO_RUN})
    yield post("archiveExistingVersions", "model-versions/transition-stage", {"name": "{u}.camel", "version": "1", "stage": "Staging", "archiveExistingVersions": True})
    yield get("what was made", "model-versions/search", {"filter": "name = '{u}.camel'"})
    yield get("create by get", CREATE, body)
    yield post("update by post", UPDATE, {"name": "{u}.camel", "version": "1"})
    yield post("broken json", CREATE, raw='{"name": "{u}.camel", "source": ')
