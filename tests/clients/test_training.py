"""The stock MLflow client, unmodified, logs real trainings with scikit-learn, and reads everything back."""

import json
import math
import os
import subprocess
import sys

import mlflow
import mlflow.sklearn
import numpy as np
import pandas as pd
import pytest
from sklearn.datasets import load_breast_cancer, load_digits, load_wine
from sklearn.linear_model import LogisticRegression, SGDClassifier
from sklearn.metrics import accuracy_score, log_loss
from sklearn.model_selection import train_test_split

from servers import token

EPOCHS = 12


def _wine():
    """Real measurements of 178 wines, brought to one scale and split: train, test, and their labels."""
    data = load_wine(as_frame=True)
    scaled = (data.data - data.data.mean()) / data.data.std()
    return train_test_split(scaled, data.target, test_size=0.3, random_state=0, stratify=data.target)


def _epochs(features, labels):
    """Trains in epochs and yields the model after each one."""
    model = SGDClassifier(loss="log_loss", random_state=0)
    for _ in range(EPOCHS):
        yield model.partial_fit(features, labels, classes=sorted(set(labels)))


def test_a_training_is_read_back_in_full(client, experiment):
    train, test, train_labels, test_labels = _wine()
    losses = []
    with mlflow.start_run(run_name="sgd on wine", description="logistic loss", tags={"team": "water"}) as run:
        mlflow.log_params({"loss": "log_loss", "epochs": EPOCHS, "rows": len(train)})
        for epoch, model in enumerate(_epochs(train, train_labels)):
            losses.append(log_loss(train_labels, model.predict_proba(train)))
            mlflow.log_metric("train_loss", losses[-1], step=epoch)
        accuracy = accuracy_score(test_labels, model.predict(test))
        mlflow.log_metrics({"accuracy": accuracy, "classes": 3})
        mlflow.set_tags({"stage": "test", "data": "wine"})
        mlflow.set_tag("team", "fire")

    assert accuracy > 0.8, "the training is real"
    stored = client.get_run(run.info.run_id)
    assert stored.info.status == "FINISHED"
    assert stored.info.run_name == "sgd on wine"
    assert stored.info.start_time <= stored.info.end_time
    assert stored.info.lifecycle_stage == "active"
    assert stored.data.params == {"loss": "log_loss", "epochs": str(EPOCHS), "rows": str(len(train))}
    assert stored.data.metrics == {"train_loss": losses[-1], "accuracy": accuracy, "classes": 3.0}
    tags = stored.data.tags
    assert (tags["stage"], tags["data"], tags["team"]) == ("test", "wine", "fire")
    assert tags["mlflow.runName"] == "sgd on wine"
    assert tags["mlflow.note.content"] == "logistic loss"
    assert tags["mlflow.source.type"] == "LOCAL"
    history = client.get_metric_history(run.info.run_id, "train_loss")
    assert [point.step for point in history] == list(range(EPOCHS))
    assert [point.value for point in history] == losses
    assert all(point.timestamp >= stored.info.start_time for point in history)


def test_nested_runs(client, experiment):
    train, test, train_labels, test_labels = _wine()
    with mlflow.start_run(run_name="sweep") as parent:
        for strength in (0.01, 0.1, 1.0):
            with mlflow.start_run(run_name=f"C={strength}", nested=True):
                mlflow.log_param("C", strength)
                model = LogisticRegression(C=strength, max_iter=200).fit(train, train_labels)
                mlflow.log_metric("accuracy", model.score(test, test_labels))
        best = mlflow.search_runs(
            filter_string=f"tags.`mlflow.parentRunId` = '{parent.info.run_id}'", order_by=["metrics.accuracy DESC"]
        )
        mlflow.log_metric("best", best.iloc[0]["metrics.accuracy"])
    assert len(best) == 3
    assert sorted(best["params.C"]) == ["0.01", "0.1", "1.0"]
    assert list(best["metrics.accuracy"]) == sorted(best["metrics.accuracy"], reverse=True)
    assert client.get_run(parent.info.run_id).data.metrics["best"] == best["metrics.accuracy"].max()
    child = client.get_run(best.iloc[0]["run_id"])
    assert child.data.tags["mlflow.parentRunId"] == parent.info.run_id
    assert mlflow.get_parent_run(child.info.run_id).info.run_name == "sweep"


def test_asynchronous_logging(client, experiment):
    with mlflow.start_run() as run:
        pending = [mlflow.log_metric("loss", 1 / (step + 1), step=step, synchronous=False) for step in range(200)]
        pending.append(mlflow.log_params({"a": 1, "b": "x"}, synchronous=False))
        pending.append(mlflow.log_metrics({"m1": 1.5, "m2": 2.5}, step=3, synchronous=False))
        pending.append(mlflow.set_tag("late", "yes", synchronous=False))
        for operation in pending:
            operation.wait()
    stored = client.get_run(run.info.run_id)
    assert stored.data.params == {"a": "1", "b": "x"}
    assert stored.data.metrics == {"loss": 1 / 200, "m1": 1.5, "m2": 2.5}
    assert stored.data.tags["late"] == "yes"
    history = client.get_metric_history(run.info.run_id, "loss")
    assert sorted((p.step, p.value) for p in history) == [(s, 1 / (s + 1)) for s in range(200)]


def test_batches_of_a_long_training(client, experiment):
    metric = mlflow.entities.Metric
    with mlflow.start_run() as run:
        for start in range(0, 3_000, 1_000):
            points = [metric("loss", 1.0 / (step + 1), 1_700_000_000_000 + step, step) for step in range(start, start + 1_000)]
            client.log_batch(run.info.run_id, metrics=points)
    history = client.get_metric_history(run.info.run_id, "loss")
    assert [p.step for p in history] == list(range(3_000))
    assert client.get_run(run.info.run_id).data.metrics["loss"] == 1.0 / 3_000


def test_special_values(client, experiment):
    with mlflow.start_run() as run:
        mlflow.log_metric("nan", math.nan)
        mlflow.log_metric("inf", math.inf)
        mlflow.log_metric("minus_inf", -math.inf)
        mlflow.log_metric("tiny", 5e-324)
        mlflow.log_metric("third", 1 / 3, step=-4)
        mlflow.log_param("long", "x" * 6_000)
        mlflow.log_param("umlaut", "Größe 洪水")
    data = client.get_run(run.info.run_id).data
    assert math.isnan(data.metrics["nan"])
    assert data.metrics["inf"] > 1e308 and data.metrics["minus_inf"] < -1e308
    assert data.metrics["tiny"] == 5e-324
    assert data.metrics["third"] == 1 / 3
    assert data.params == {"long": "x" * 6_000, "umlaut": "Größe 洪水"}
    assert client.get_metric_history(run.info.run_id, "third")[0].step == -4


def test_a_failed_training(client, experiment):
    with pytest.raises(ZeroDivisionError):
        with mlflow.start_run() as run:
            mlflow.log_metric("loss", 1 / 0)
    stored = client.get_run(run.info.run_id)
    assert stored.info.status == "FAILED"
    assert stored.data.metrics == {}


def test_a_run_is_resumed(client, experiment):
    with mlflow.start_run() as run:
        mlflow.log_metric("loss", 2.0, step=0)
    with mlflow.start_run(run_id=run.info.run_id):
        assert client.get_run(run.info.run_id).info.status == "RUNNING"
        mlflow.log_metric("loss", 1.0, step=1)
    stored = client.get_run(run.info.run_id)
    assert stored.info.status == "FINISHED"
    assert stored.data.metrics == {"loss": 1.0}


def test_a_param_is_written_once(client, experiment):
    with mlflow.start_run() as run:
        mlflow.log_param("lr", 0.1)
        mlflow.log_param("lr", 0.1)
        with pytest.raises(mlflow.exceptions.MlflowException) as refused:
            mlflow.log_param("lr", 0.2)
    assert refused.value.error_code == "INVALID_PARAMETER_VALUE"
    assert "'0.1'" in str(refused.value) and "'0.2'" in str(refused.value)
    assert client.get_run(run.info.run_id).data.params == {"lr": "0.1"}


def test_datasets(client, experiment):
    frame = load_wine(as_frame=True).frame
    table = mlflow.data.from_pandas(frame, source="sklearn/wine", name="wine", targets="target")
    digits = load_digits()
    array = mlflow.data.from_numpy(digits.data, source="sklearn/digits", name="digits", targets=digits.target)
    with mlflow.start_run() as run:
        mlflow.log_input(table, context="training", tags={"fold": "1"})
        mlflow.log_input(array, context="testing")
    inputs = {i.dataset.name: i for i in client.get_run(run.info.run_id).inputs.dataset_inputs}
    assert inputs.keys() == {"wine", "digits"}
    assert inputs["wine"].dataset.digest == table.digest
    assert json.loads(inputs["wine"].dataset.profile)["num_rows"] == len(frame)
    assert len(json.loads(inputs["wine"].dataset.schema)["mlflow_colspec"]) == len(frame.columns)
    tags = {tag.key: tag.value for tag in inputs["wine"].tags}
    assert tags == {"mlflow.data.context": "training", "fold": "1"}
    found = mlflow.search_runs(filter_string="dataset.name = 'wine' AND dataset.context = 'training'")
    assert list(found["run_id"]) == [run.info.run_id]
    assert mlflow.search_runs(filter_string="dataset.name = 'iris'").empty


@pytest.fixture
def automatic_logging():
    # Models are the subject of tests of their own; the rest of autologging is under test here.
    mlflow.sklearn.autolog(log_models=False, silent=True)
    yield
    mlflow.sklearn.autolog(disable=True, silent=True)


def test_autolog(client, experiment, automatic_logging):
    data = load_breast_cancer(as_frame=True)
    features = (data.data - data.data.mean()) / data.data.std()
    with mlflow.start_run() as run:
        LogisticRegression(C=0.5, max_iter=200).fit(features, data.target)
    stored = client.get_run(run.info.run_id)
    assert stored.data.params["C"] == "0.5"
    assert stored.data.params["max_iter"] == "200"
    assert stored.data.metrics["training_accuracy_score"] > 0.9
    assert stored.data.tags["estimator_name"] == "LogisticRegression"
    paths = {file.path for file in client.list_artifacts(run.info.run_id)}
    assert any(path.startswith("training_") for path in paths) or "estimator.html" in paths
    assert len(stored.inputs.dataset_inputs) == 1


WITHOUT_EXPERIMENT = """
import mlflow
with mlflow.start_run(run_name="plain") as run:
    mlflow.log_param("a", 1)
    mlflow.log_metric("m", 2.5, step=1)
    mlflow.log_text("hello", "note.txt")
print("RESULT", run.info.run_id, run.info.experiment_id)
"""


def test_a_run_without_an_experiment_goes_to_the_default(client, tracking_uri, tmp_path):
    environment = {k: v for k, v in os.environ.items() if not k.startswith("MLFLOW_")}
    environment |= {"MLFLOW_TRACKING_URI": tracking_uri, "MLFLOW_TRACKING_TOKEN": token("developer")}
    environment |= {"MLFLOW_DISABLE_TELEMETRY": "true"}
    done = subprocess.run([sys.executable, "-c", WITHOUT_EXPERIMENT], env=environment, cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    run_id, experiment_id = next(line for line in done.stdout.splitlines() if line.startswith("RESULT")).split()[1:]
    assert experiment_id == "0"
    stored = client.get_run(run_id)
    assert stored.info.experiment_id == "0"
    assert stored.data.params == {"a": "1"}
    assert mlflow.artifacts.load_text(f"runs:/{run_id}/note.txt") == "hello"
    assert run_id in [run.info.run_id for run in client.search_runs(["0"])]
    assert client.get_experiment("0").name == "Default"
    assert not (tmp_path / "mlruns").exists(), "nothing was written beside the server"


def _assert_predicts_alike(loaded, model, features: pd.DataFrame) -> None:
    assert np.array_equal(np.asarray(loaded.predict(features)), model.predict(features))


@pytest.mark.mlflow3
def test_a_logged_model_of_mlflow_3(client, experiment):
    train, test, train_labels, test_labels = _wine()
    with mlflow.start_run() as run:
        model = LogisticRegression(max_iter=200).fit(train, train_labels)
        about = {"params": {"max_iter": "200"}, "tags": {"team": "water"}, "pip_requirements": ["scikit-learn"]}
        logged = mlflow.sklearn.log_model(model, name="wines", input_example=train.head(2), **about)
        mlflow.log_metric("accuracy", model.score(test, test_labels), model_id=logged.model_id)
    stored = client.get_logged_model(logged.model_id)
    assert stored.name == "wines"
    assert str(stored.status) == "READY"
    assert stored.source_run_id == run.info.run_id
    assert stored.params["max_iter"] == "200"
    assert stored.tags["team"] == "water"
    assert {m.key: m.value for m in stored.metrics} == {"accuracy": model.score(test, test_labels)}
    found = mlflow.search_logged_models(experiment_ids=[run.info.experiment_id], output_format="list")
    assert [m.model_id for m in found] == [logged.model_id]
    by_metric = mlflow.search_logged_models(
        experiment_ids=[run.info.experiment_id], filter_string="metrics.accuracy > 0.5 AND name = 'wines'", output_format="list"
    )
    assert [m.model_id for m in by_metric] == [logged.model_id]
    outputs = client.get_run(run.info.run_id).outputs.model_outputs
    assert [output.model_id for output in outputs] == [logged.model_id]
    _assert_predicts_alike(mlflow.pyfunc.load_model(logged.model_uri), model, test)


@pytest.mark.mlflow2
def test_a_logged_model_of_mlflow_2(client, experiment):
    train, test, train_labels, _ = _wine()
    with mlflow.start_run() as run:
        model = LogisticRegression(max_iter=200).fit(train, train_labels)
        logged = mlflow.sklearn.log_model(model, artifact_path="wines", input_example=train.head(2), pip_requirements=["scikit-learn"])
    assert logged.model_uri == f"runs:/{run.info.run_id}/wines"
    history = json.loads(client.get_run(run.info.run_id).data.tags["mlflow.log-model.history"])
    assert [(entry["artifact_path"], entry["run_id"]) for entry in history] == [("wines", run.info.run_id)]
    paths = {file.path for file in client.list_artifacts(run.info.run_id, "wines")}
    assert {"wines/MLmodel", "wines/model.pkl", "wines/requirements.txt"} <= paths
    _assert_predicts_alike(mlflow.pyfunc.load_model(logged.model_uri), model, test)
