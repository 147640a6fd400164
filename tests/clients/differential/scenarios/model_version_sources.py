"""Where model versions come from: sources, runs, logged models, other versions."""

from ..call import delete, experiment, get, model_version, patch, post, registered_model, run, scenario

CREATE, GET = "model-versions/create", "model-versions/get"
DELETE, URI = "model-versions/delete", "model-versions/get-download-uri"
NO_RUN, NO_MODEL = "0" * 32, "m-" + "0" * 32


@scenario
def free_sources():
    """Sources that belong to no run: those that are stored, and those that are not."""
    yield registered_model("free")
    for source in (
        "s3://bucket/path",
        "s3://bucket",
        "s3://bucket/",
        "s3://bucket/a//b",
        "s3://bucket/a b",
        "s3://bucket/a%20b",
        "s3://bucket/./a",
        "s3://bucket/a/.",
        "s3://bucket/größe",
        "S3://bucket/a",
        "gs://bucket/path",
        "wasbs://container@account.blob.core.windows.net/path",
        "abfss://container@account.dfs.core.windows.net/path",
        "hdfs://host/path",
        "dbfs:/path",
        "ftp://host/path",
        "http://host/path",
        "https://host/path?query=1#fragment",
        "https://host",
        "dummy-source",
        "relative/path",
        "./relative",
        "/absolute/path",
        "//host/path",
        "/",
        ".",
        "..",
        "~",
        "C:\\models",
        "file:///absolute/path",
        "file:/absolute/path",
        "file:relative",
        "file://host/path",
        "file://localhost/path",
        "FILE:///absolute/path",
        "s3://bucket/../other",
        "s3://bucket/a/..",
        "s3://bucket/%2e%2e/other",
        "s3://bucket/%252e%252e/other",
        "s3://bucket/..%2fother",
        "s3://bucket/a%00",
        "s3://bucket/a..b",
        "s3://bucket/a?x=../b",
        "s3://bucket/a#../b",
        "https://host/../path",
        "mlflow-artifacts:/1",
        "mlflow-artifacts:/",
        "mlflow-artifacts:",
        "mlflow-artifacts://host/path",
        "MLFLOW-ARTIFACTS:/1/a",
        "http://host/api/2.0/mlflow-artifacts/artifacts/1/a",
        "https://host/prefix/api/2.0/mlflow-artifacts/artifacts/1/a",
        "https://host/api%2F2.0/mlflow-artifacts/artifacts/1/a",
        "https://host/ajax-api/2.0/mlflow-artifacts/artifacts/1/a",
        f"runs:/{NO_RUN}/model",
        "runs:/",
        "runs://host/a/b",
        "models:/",
        "models://host/a/1",
        "models:/nobody/1",
        "models:/a/b/c",
        f"models:/{NO_MODEL}",
        "prompts:/a/1",
        "javascript:alert(1)",
        " ",
        "a b",
        "sqlite:///a",
        "databricks://profile",
    ):
        # Where a scheme names a host, the stock server goes on to advise a setting of its own.
        names_a_host = source.startswith(("http", "ftp", "hdfs", "abfss", "mlflow-artifacts://"))
        yield post(f"source {source!r}", CREATE, {"name": "{u}.free", "source": source}, compare_message=not names_a_host)


@scenario
def sources_of_a_run():
    yield experiment("e", "sources of a run")
    yield run("r", "{e}")
    yield run("s", "{e}")
    yield registered_model("ofrun")
    name = {"name": "{u}.ofrun", "run_id": "{r}"}
    root = "mlflow-artifacts:/{e}/{r}/artifacts"
    for label, source in (
        ("its artifacts", f"{root}/model"),
        ("its root", root),
        ("its root with a slash", f"{root}/"),
        ("two slashes", f"{root}//model"),
        ("encoded letters", f"{root}/mod%65l"),
        ("encoded root", "mlflow-artifacts:/{e}/{r}/%61rtifacts/model"),
        ("a runs uri", "runs:/{r}/model"),
        ("a runs uri without path", "runs:/{r}"),
        ("a runs uri of deep path", "runs:/{r}/a/b/c"),
        ("foreign storage", "s3://bucket/a"),
        ("a foreign web server", "https://host/a"),
        ("the other run", "mlflow-artifacts:/{e}/{s}/artifacts/model"),
        ("the other run's uri", "runs:/{s}/model"),
        ("the experiment", "mlflow-artifacts:/{e}"),
        ("a folder beside its artifacts", "mlflow-artifacts:/{e}/{r}/artifacts2/model"),
        ("the run's folder", "mlflow-artifacts:/{e}/{r}"),
        ("out of it", f"{root}/../../{{s}}/artifacts/model"),
        ("out of it, encoded", f"{root}/%2e%2e/%2e%2e/{{s}}/artifacts/model"),
        ("out of it, encoded twice", f"{root}/%252e%252e/{{s}}"),
        ("a dot inside", f"{root}/./model"),
        ("two slashes and dots", f"{root}//../a"),
        ("backslash dots", f"{root}\\..\\a"),
        ("a zero byte", f"{root}/a%00"),
        ("a query", f"{root}/model?x=1"),
        ("a fragment", f"{root}/model#x"),
        ("an authority", "mlflow-artifacts://host/{e}/{r}/artifacts/model"),
        ("scheme in capitals", "MLFLOW-ARTIFACTS:/{e}/{r}/artifacts/model"),
        ("the proxy's url", "http://host/api/2.0/mlflow-artifacts/artifacts/{e}/{r}/artifacts/model"),
        ("a local path", "/{e}/{r}/artifacts/model"),
        ("a file uri", "file:///{e}/{r}/artifacts/model"),
        ("a runs uri with dots", "runs:/{r}/../{s}/model"),
        ("a runs uri with encoded dots", "runs:/{r}/%2e%2e/{s}/model"),
        ("a runs uri with a host", "runs://host/{r}/model"),
        ("dummy-source", "dummy-source"),
    ):
        # The stock server tells of its own folders, or advises a setting of its own.
        comparable = not source.startswith(("/", "file:", "dummy", "http", "mlflow-artifacts://"))
        yield post(label, CREATE, {**name, "source": source}, compare_message=comparable)
    yield get("what was made", "model-versions/search", {"filter": "name = '{u}.ofrun'", "order_by": "version_number"})
    yield get("found by run", "model-versions/search", {"filter": "run_id = '{r}'", "order_by": "version_number"})
    for number in ("1", "2", "3"):
        yield get(f"download uri of {number}", URI, {"name": "{u}.ofrun", "version": number})
    yield post("no run for its artifacts", CREATE, {"name": "{u}.ofrun", "source": f"{root}/model"})
    yield post("no run for a runs uri", CREATE, {"name": "{u}.ofrun", "source": "runs:/{r}/model"})
    yield post("empty run for a runs uri", CREATE, {"name": "{u}.ofrun", "run_id": "", "source": "runs:/{r}/model"})
    yield post("setup: delete the other run", "runs/delete", {"run_id": "{s}"})
    deleted = {"name": "{u}.ofrun", "run_id": "{s}"}
    yield post("deleted run's artifacts", CREATE, {**deleted, "source": "mlflow-artifacts:/{e}/{s}/artifacts/model"})
    yield post("deleted run with s3", CREATE, {**deleted, "source": "s3://bucket/a"})


@scenario
def unknown_runs():
    yield experiment("e", "unknown runs")
    yield run("r", "{e}")
    yield registered_model("unknown")
    artifacts = "mlflow-artifacts:/{e}/{r}/artifacts/model"
    for label, run_id in (("zeros", NO_RUN), ("letters", "abc"), ("slash", "a/b"), ("long", "a" * 300)):
        for kind, source in (("s3", "s3://bucket/a"), ("artifacts", artifacts), ("runs uri", f"runs:/{run_id}/model")):
            body = {"name": "{u}.unknown", "run_id": run_id, "source": source}
            yield post(f"{label} with {kind}", CREATE, body, compare_message=False)


@scenario
def logged_models():
    yield experiment("e", "sources of a model")
    yield run("r", "{e}")
    yield run("s", "{e}")
    for name, fields in (("m", {"source_run_id": "{r}"}), ("n", {}), ("o", {})):
        body = {"experiment_id": "{e}", "name": f"net {name}", **fields}
        yield post(f"setup: {name}", "logged-models", body, save={name: "model.info.model_id"})
    yield registered_model("oflm")
    yield registered_model("second")
    name = {"name": "{u}.oflm"}
    root = "mlflow-artifacts:/{e}/models/{m}/artifacts"
    for label, fields in (
        ("a models uri", {"model_id": "{m}", "source": "models:/{m}"}),
        ("a models uri and its run", {"model_id": "{m}", "run_id": "{r}", "source": "models:/{m}"}),
        ("a models uri and another run", {"model_id": "{m}", "run_id": "{s}", "source": "models:/{m}"}),
        ("its artifacts", {"model_id": "{m}", "source": root}),
        ("below its artifacts", {"model_id": "{m}", "source": f"{root}/a/b"}),
        ("its artifacts and its run", {"model_id": "{m}", "run_id": "{r}", "source": root}),
        ("foreign storage", {"model_id": "{m}", "source": "s3://bucket/a"}),
        ("a model without a run", {"model_id": "{n}", "source": "models:/{n}"}),
        ("a model without a run, and a run", {"model_id": "{n}", "run_id": "{r}", "source": "models:/{n}"}),
        ("no model id for a models uri", {"source": "models:/{m}"}),
        ("only the run for a models uri", {"run_id": "{r}", "source": "models:/{m}"}),
        ("only the run for its artifacts", {"run_id": "{r}", "source": root}),
        ("no model id for its artifacts", {"source": root}),
        ("another model's uri", {"model_id": "{n}", "source": "models:/{m}"}),
        ("another model's artifacts", {"model_id": "{n}", "source": root}),
        ("the run's artifacts", {"model_id": "{m}", "run_id": "{r}", "source": "mlflow-artifacts:/{e}/{r}/artifacts/a"}),
        ("a runs uri", {"model_id": "{m}", "run_id": "{r}", "source": "runs:/{r}/a"}),
        ("out of it", {"model_id": "{m}", "source": f"{root}/../../{{n}}/artifacts"}),
        ("a local path", {"model_id": "{m}", "source": "/{e}/models/{m}"}),
        ("a models uri with a path", {"model_id": "{m}", "source": "models:/{m}/a/b"}),
    ):
        yield post(label, CREATE, {**name, **fields})
    yield get("what was made", "model-versions/search", {"filter": "name = '{u}.oflm'", "order_by": "version_number"})
    for number in ("1", "2", "4", "5"):
        yield get(f"version {number}", GET, {**name, "version": number})
        yield get(f"download uri of {number}", URI, {**name, "version": number})
    yield get("the logged model tells its versions", "logged-models/{m}")
    yield get("so does the one without a run", "logged-models/{n}")
    yield post("in a second registered model", CREATE, {"name": "{u}.second", "model_id": "{o}", "source": "models:/{o}"})
    yield get("told by the logged model", "logged-models/{o}")
    yield post("and again", CREATE, {"name": "{u}.second", "model_id": "{o}", "source": "models:/{o}"})
    yield get("both told", "logged-models/{o}")
    yield delete("setup: delete a version", DELETE, {"name": "{u}.second", "version": "1"})
    yield get("after a deletion", "logged-models/{o}")
    yield post("setup: rename", "registered-models/rename", {"name": "{u}.second", "new_name": "{u}.third"})
    yield get("after a renaming", "logged-models/{o}")
    yield delete("setup: delete the registered model", "registered-models/delete", {"name": "{u}.third"})
    yield get("after the model's deletion", "logged-models/{o}")
    yield delete("setup: delete the logged model", "logged-models/{m}")
    yield get("a version outlives its logged model", GET, {**name, "version": "1"})
    yield get("and has its download uri", URI, {**name, "version": "1"})
    yield post("a deleted logged model", CREATE, {**name, "model_id": "{m}", "source": "models:/{m}"})


@scenario
def versions_noted_on_a_logged_model():
    """The client notes a version there too, with its number as a text: neither side's notes get lost."""
    yield experiment("e", "noted versions")
    yield post("setup: m", "logged-models", {"experiment_id": "{e}", "name": "net"}, save={"m": "model.info.model_id"})
    yield registered_model("noted")
    version = {"name": "{u}.noted", "model_id": "{m}", "source": "models:/{m}"}
    tag = {"key": "mlflow.modelVersions", "value": '[{"name": "{u}.noted", "version": 1}, {"name": "{u}.noted", "version": "1"}]'}
    yield post("first", CREATE, version)
    yield patch("the client's note", "logged-models/{m}/tags", {"model_id": "{m}", "tags": [tag]})
    yield post("second", CREATE, version)
    yield get("three notes", "logged-models/{m}")
    yield patch("an empty list", "logged-models/{m}/tags", {"model_id": "{m}", "tags": [{**tag, "value": "[]"}]})
    yield post("third", CREATE, version)
    yield get("one note", "logged-models/{m}")
    yield patch("no list", "logged-models/{m}/tags", {"model_id": "{m}", "tags": [{**tag, "value": "none"}]})
    yield post("fourth", CREATE, version)


@scenario
def unknown_logged_models():
    yield experiment("e", "unknown models")
    yield run("r", "{e}")
    yield post("setup: m", "logged-models", {"experiment_id": "{e}", "name": "net"}, save={"m": "model.info.model_id"})
    yield registered_model("unknown lm")
    for label, fields in (
        ("with s3", {"model_id": NO_MODEL, "source": "s3://bucket/a"}),
        ("and a run with s3", {"model_id": NO_MODEL, "run_id": "{r}", "source": "s3://bucket/a"}),
        ("with its uri", {"model_id": NO_MODEL, "source": f"models:/{NO_MODEL}"}),
        ("with artifacts", {"model_id": NO_MODEL, "source": "mlflow-artifacts:/{e}/models/{m}/artifacts"}),
        ("of letters with s3", {"model_id": "abc", "source": "s3://bucket/a"}),
    ):
        yield post(label, CREATE, {"name": "{u}.unknown lm", **fields}, compare_message=False)


@scenario
def sources_of_other_versions():
    """`models:/name/version` as a source: a copy of that version, wherever it is stored."""
    yield experiment("e", "copies")
    yield run("r", "{e}")
    yield post("setup: logged model", "logged-models", {"experiment_id": "{e}", "name": "net", "source_run_id": "{r}"}, save={"m": "model.info.model_id"})
    yield registered_model("origin")
    yield registered_model("copy")
    yield registered_model("empty")
    yield model_version("origin", 1, run_id="{r}", source="mlflow-artifacts:/{e}/{r}/artifacts/model")
    yield model_version("origin", 2)
    yield post("setup: version 3 of origin", CREATE, {"name": "{u}.origin", "model_id": "{m}", "source": "models:/{m}"})
    yield post("setup: alias", "registered-models/alias", {"name": "{u}.origin", "alias": "champion", "version": "1"})
    yield post("setup: stage", "model-versions/transition-stage", {"name": "{u}.origin", "version": "2", "stage": "Staging"})
    name = {"name": "{u}.copy"}
    for label, fields in (
        ("of a version with a run", {"source": "models:/{u}.origin/1"}),
        ("of a version without one", {"source": "models:/{u}.origin/2"}),
        ("of a logged model's version", {"source": "models:/{u}.origin/3"}),
        ("of an alias", {"source": "models:/{u}.origin@champion"}),
        ("of a stage", {"source": "models:/{u}.origin/Staging"}),
        ("of a stage in small letters", {"source": "models:/{u}.origin/staging"}),
        ("of the latest", {"source": "models:/{u}.origin/latest"}),
        ("of a padded version", {"source": "models:/{u}.origin/01"}),
        ("of a copy", {"source": "models:/{u}.copy/1"}),
        ("with the same run", {"source": "models:/{u}.origin/1", "run_id": "{r}"}),
        ("with another run", {"source": "models:/{u}.origin/1", "run_id": NO_RUN}),
        ("with an empty run", {"source": "models:/{u}.origin/1", "run_id": ""}),
        ("with a run where there is none", {"source": "models:/{u}.origin/2", "run_id": "{r}"}),
        ("with a model id", {"source": "models:/{u}.origin/1", "model_id": "{m}"}),
        ("with the model id", {"source": "models:/{u}.origin/3", "model_id": "{m}"}),
        ("of a missing version", {"source": "models:/{u}.origin/99"}),
        ("of a missing alias", {"source": "models:/{u}.origin@nosuch"}),
        ("of a missing stage", {"source": "models:/{u}.origin/Production"}),
        ("of an unknown stage", {"source": "models:/{u}.origin/nosuch"}),
        ("of a missing model", {"source": "models:/{u}.nobody/1"}),
        ("of a model without versions", {"source": "models:/{u}.empty/latest"}),
        ("with a slash more", {"source": "models:/{u}.origin/1/"}),
        ("with two slashes", {"source": "models:///{u}.origin/1"}),
        ("without a slash", {"source": "models:{u}.origin/1"}),
        ("with dots", {"source": "models:/{u}.origin/../1"}),
        ("encoded", {"source": "models:/{u}%2Eorigin/1"}),
    ):
        yield post(label, CREATE, {**name, **fields})
    yield get("what was made", "model-versions/search", {"filter": "name = '{u}.copy'", "order_by": "version_number"})
    for number in ("1", "2", "3", "4"):
        yield get(f"download uri of {number}", URI, {**name, "version": number})
    yield get("the logged model tells its versions", "logged-models/{m}")
    yield delete("setup: delete the origin", "registered-models/delete", {"name": "{u}.origin"})
    yield get("the copy's download uri stays", URI, {**name, "version": "1"})
