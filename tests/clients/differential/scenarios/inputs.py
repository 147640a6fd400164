"""Datasets and models as inputs and outputs of runs, and search-datasets."""

from ..call import experiment, get, post, run, scenario

MISSING = "0123456789abcdef0123456789abcdef"
SUMMARIES = "/ajax-api/2.0/mlflow/experiments/search-datasets"


def _dataset(name: str, digest: str = "d1", tags=None, **fields):
    dataset = {"name": name, "digest": digest, "source_type": "local", "source": '{"uri": "file"}', **fields}
    return {"dataset": dataset} if tags is None else {"dataset": dataset, "tags": tags}


def _inputs(label: str, run_id: str, *datasets):
    return post(label, "runs/log-inputs", {"run_id": run_id, "datasets": list(datasets)})


TRAIN = [{"key": "mlflow.data.context", "value": "train"}]


@scenario
def datasets():
    yield experiment("e", "inputs")
    yield run("r", "{e}")
    yield _inputs("one", "{r}", _dataset("iris", tags=TRAIN, schema="s", profile="p"))
    yield get("one stored", "runs/get", {"run_id": "{r}"})
    yield _inputs("same again with other tags", "{r}", _dataset("iris", tags=[{"key": "mlflow.data.context", "value": "eval"}], schema="other"))
    yield get("first tags stay", "runs/get", {"run_id": "{r}"})
    yield _inputs("two more", "{r}", _dataset("iris", "d2"), _dataset("wine", tags=[]))
    yield get("three stored", "runs/get", {"run_id": "{r}"})
    yield run("s", "{e}", 2_000)
    yield _inputs("same dataset in another run", "{s}", _dataset("iris", schema="different"))
    yield get("first schema stays", "runs/get", {"run_id": "{s}"})
    yield _inputs("no dataset", "{r}")
    yield post("no list", "runs/log-inputs", {"run_id": "{r}"})
    yield post("summaries", SUMMARIES, {"experiment_ids": ["{e}"]}, unordered=True)


@scenario
def datasets_refused():
    yield experiment("e", "inputs-refused")
    yield run("r", "{e}")
    yield _inputs("no run", "", _dataset("iris"))
    yield _inputs("missing run", MISSING, _dataset("iris"))
    yield _inputs("strange run id", "../x", _dataset("iris"))
    yield _inputs("name too long", "{r}", _dataset("n" * 501))
    yield _inputs("digest too long", "{r}", _dataset("iris", "d" * 37))
    yield _inputs("source too long", "{r}", _dataset("iris", source="s" * 65536))
    yield _inputs("tag key too long", "{r}", _dataset("iris", tags=[{"key": "k" * 256, "value": "v"}]))
    yield _inputs("tag value too long", "{r}", _dataset("iris", tags=[{"key": "k", "value": "v" * 501}]))
    yield post("datasets not a list", "runs/log-inputs", {"run_id": "{r}", "datasets": "iris"})
    yield get("nothing stored", "runs/get", {"run_id": "{r}"})


@scenario
def incomplete_datasets():
    """The stock server takes a dataset without name, digest or source and stores an empty text."""
    yield experiment("e", "inputs-incomplete")
    yield run("r", "{e}")
    for field in ("name", "digest", "source_type", "source"):
        dataset = _dataset("iris")
        del dataset["dataset"][field]
        yield _inputs(f"no {field}", "{r}", dataset)
        yield _inputs(f"empty {field}", "{r}", _dataset(**{"name": "iris", field: ""}))
    yield _inputs("no dataset in the input", "{r}", {"tags": TRAIN})
    yield _inputs("tag without key", "{r}", _dataset("iris", tags=[{"value": "v"}]))


@scenario
def summaries():
    yield experiment("e", "summaries-e")
    yield experiment("f", "summaries-f")
    yield run("r", "{e}")
    yield run("s", "{f}")
    yield _inputs("in e", "{r}", _dataset("iris", tags=TRAIN), _dataset("wine"))
    yield _inputs("in f", "{s}", _dataset("iris", tags=[{"key": "mlflow.data.context", "value": "test"}]))
    yield post("of both", SUMMARIES, {"experiment_ids": ["{e}", "{f}"]}, unordered=True)
    yield post("of one", SUMMARIES, {"experiment_ids": ["{f}"]}, unordered=True)
    yield post("of none", SUMMARIES, {"experiment_ids": []})
    yield post("no list", SUMMARIES, {})
    yield post("21 experiments", SUMMARIES, {"experiment_ids": [str(9_000_000_000 + i) for i in range(21)]})
    yield post("missing experiment", SUMMARIES, {"experiment_ids": ["123456789012"]})
    yield post("not a list", SUMMARIES, {"experiment_ids": "{e}"})
    yield post("delete the run", "runs/delete", {"run_id": "{s}"})
    yield post("of a deleted run", SUMMARIES, {"experiment_ids": ["{f}"]}, unordered=True)


@scenario
def models():
    yield experiment("e", "inputs-models")
    yield run("r", "{e}")
    yield post("setup: model", "logged-models", {"experiment_id": "{e}", "name": "net"}, save={"m": "model.info.model_id"})
    yield post("model input", "runs/log-inputs", {"run_id": "{r}", "models": [{"model_id": "{m}"}]})
    yield post("model output", "runs/outputs", {"run_id": "{r}", "models": [{"model_id": "{m}", "step": 3}]})
    yield get("both stored", "runs/get", {"run_id": "{r}"})
    yield post("model output without step", "runs/outputs", {"run_id": "{r}", "models": [{"model_id": "{m}"}]})
    yield post("found with the run", "runs/search", {"experiment_ids": ["{e}"]})
    yield post("output without run", "runs/outputs", {"models": [{"model_id": "{m}"}]})
    yield post("output of missing run", "runs/outputs", {"run_id": MISSING, "models": [{"model_id": "{m}"}]})
    yield post("output without models", "runs/outputs", {"run_id": "{r}"})
    yield post("output of no model id", "runs/outputs", {"run_id": "{r}", "models": [{"step": 1}]})


@scenario
def searched_by_dataset():
    yield experiment("e", "inputs-search")
    yield run("r", "{e}", 1_000)
    yield run("s", "{e}", 2_000)
    yield _inputs("in r", "{r}", _dataset("iris", "d1", tags=TRAIN))
    yield _inputs("in s", "{s}", _dataset("Iris-2", "d2", tags=[{"key": "mlflow.data.context", "value": "test"}]))
    for clause in (
        "dataset.name = 'iris'",
        "datasets.name = 'iris'",
        "dataset.name != 'iris'",
        "dataset.digest = 'd2'",
        "dataset.context = 'train'",
        "dataset.context = 'train' AND dataset.name = 'iris'",
        "dataset.name LIKE 'ir%'",
        "dataset.name ILIKE 'IRIS%'",
        "dataset.name IN ('iris', 'x')",
        "dataset.name NOT IN ('iris')",
        "dataset.digest IN ('d1', 'd2')",
        "dataset.context LIKE 't%'",
        "dataset.nosuch = 'x'",
        "dataset.name > 'x'",
        "dataset.name = 1",
        "dataset = 'x'",
        "dataset.name IS NULL",
    ):
        yield post(clause, "runs/search", {"experiment_ids": ["{e}"], "filter": clause}, compare_message=False)
