"""The stock MLflow client against the deployed functions, through the gateway."""

import hashlib
import pathlib
import random
import uuid

import mlflow
import pytest
import requests
from mlflow.entities import Metric, Param
from mlflow.exceptions import MlflowException
from servers import token


def test_a_training_run(client, tmp_path):
    (tmp_path / "notes.txt").write_text("night floods")
    experiment = mlflow.set_experiment(f"training {uuid.uuid4().hex[:8]}")
    with mlflow.start_run(run_name="first") as run:
        mlflow.log_params({"threshold": -15.5, "window": "3 × 3"})
        for step in range(5):
            mlflow.log_metrics({"loss": 1 / (step + 1), "accuracy": 0.8 + step / 100}, step=step)
        mlflow.set_tag("team", "hydrology")
        mlflow.log_artifact(str(tmp_path / "notes.txt"), "größe 1")
        mlflow.log_dict({"a": [1, 2]}, "conf/settings.json")
    stored = client.get_run(run.info.run_id)
    assert (stored.info.status, stored.info.run_name) == ("FINISHED", "first")
    assert stored.data.params == {"threshold": "-15.5", "window": "3 × 3"}
    assert stored.data.metrics == {"loss": 0.2, "accuracy": 0.8 + 4 / 100}
    assert stored.data.tags["team"] == "hydrology"
    history = client.get_metric_history(run.info.run_id, "loss")
    assert [(one.step, one.value) for one in history] == [(step, 1 / (step + 1)) for step in range(5)]
    assert sorted(one.path for one in client.list_artifacts(run.info.run_id)) == ["conf", "größe 1"]
    assert mlflow.artifacts.load_text(f"runs:/{run.info.run_id}/größe 1/notes.txt") == "night floods"
    found = client.search_runs([experiment.experiment_id], "metrics.loss < 0.5 and params.threshold = '-15.5'")
    assert [one.info.run_id for one in found] == [run.info.run_id]


def test_a_batch_as_large_as_the_api_takes(client):
    experiment = client.create_experiment(f"batch {uuid.uuid4().hex[:8]}")
    run = client.create_run(experiment).info.run_id
    metrics = [Metric("loss", float(step), 1_700_000_000_000 + step, step) for step in range(900)]
    client.log_batch(run, metrics, [Param(f"p{number}", "v" * 200) for number in range(100)])
    assert [one.value for one in client.get_metric_history(run, "loss")] == [float(step) for step in range(900)]
    assert len(client.get_run(run).data.params) == 100


def test_an_artifact_that_the_gateway_would_not_carry(client, tmp_path, monkeypatch):
    """In parts from 4 MB on, by presigned URLs, and back."""
    monkeypatch.setenv("MLFLOW_MULTIPART_UPLOAD_CHUNK_SIZE", "5242880")
    source = tmp_path / "weights 1.bin"
    source.write_bytes(random.Random(0).randbytes(12_000_001))
    mlflow.set_experiment("large")
    with mlflow.start_run() as run:
        mlflow.log_artifact(str(source), "model")
    (listed,) = client.list_artifacts(run.info.run_id, "model")
    assert (listed.path, listed.file_size) == ("model/weights 1.bin", 12_000_001)
    back = tmp_path / "back"
    back.mkdir()
    path = client.download_artifacts(run.info.run_id, listed.path, str(back))
    assert digest(pathlib.Path(path)) == digest(source)


def digest(path: pathlib.Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


@pytest.mark.parametrize("view", ["client", "global_client"])
def test_the_life_of_a_model(request, view):
    """In a project's view it is `mlflow-project` that answers, in the global one three other functions."""
    client = request.getfixturevalue(view)
    name = f"floods {uuid.uuid4().hex[:8]}"
    tags = {"project": "earth/flood-model"} if view == "global_client" else {}
    experiment = client.create_experiment(f"of {name}", tags=tags)
    run = client.create_run(experiment).info.run_id
    client.log_text(run, "weights", "model/weights.txt")
    model = client.create_registered_model(name, tags=tags).name
    source = f"{client.get_run(run).info.artifact_uri}/model"
    version = client.create_model_version(model, source, run)
    assert (int(version.version), version.run_id) == (1, run)
    client.set_registered_model_alias(model, "champion", version.version)
    found = client.get_model_version_by_alias(model, "champion")
    assert (found.name, found.run_id, found.aliases) == (model, run, ["champion"])
    local = mlflow.artifacts.download_artifacts(f"models:/{model}@champion/weights.txt")
    assert pathlib.Path(local).read_text() == "weights"
    assert [one.name for one in client.search_registered_models(f"name = '{model}'")] == [model]
    client.delete_registered_model(model)
    with pytest.raises(MlflowException, match="RESOURCE_DOES_NOT_EXIST"):
        client.get_registered_model(model)


def test_who_may_do_what(stack):
    """Every function renders errors in MLflow's form, on the paths that the gateway gives it."""
    api = "api/2.0/mlflow"
    flood, secret = "mlflow/earth/flood-model/tracking", "mlflow/lab/secret-model/tracking"
    for account, path, status, code in [
        (None, f"mlflow/{api}/experiments/search?max_results=1", 401, "UNAUTHENTICATED"),
        ("nobody", f"{flood}/{api}/experiments/search?max_results=1", 401, "UNAUTHENTICATED"),
        ("developer", f"{secret}/{api}/experiments/search?max_results=1", 404, "RESOURCE_DOES_NOT_EXIST"),
        ("developer", f"mlflow/{api}/experiments/search?max_results=1", 200, None),
        ("developer", f"mlflow/{api}/registered-models/get?name=none", 404, "RESOURCE_DOES_NOT_EXIST"),
        ("developer", f"mlflow/{api}-artifacts/artifacts/1/none", 404, "RESOURCE_DOES_NOT_EXIST"),
        ("developer", f"mlflow/{api}/nothing/here", 404, "ENDPOINT_NOT_FOUND"),
        ("developer", f"mlflow/{api}/registered-models/nothing/here", 404, "ENDPOINT_NOT_FOUND"),
        ("developer", "mlflow/graphql", 501, "NOT_IMPLEMENTED"),
        ("developer", f"{flood}/api/3.0/mlflow/traces", 501, "NOT_IMPLEMENTED"),
    ]:
        headers = {"Authorization": f"Bearer {token(account)}"} if account else {}
        answer = requests.get(f"{stack.root}/{path}", headers=headers, timeout=30)
        body = answer.json()
        assert (answer.status_code, body.get("error_code")) == (status, code), f"{account} {path}: {body}"
        assert ("www-authenticate" in answer.headers) == (status == 401), path


def test_a_guest_reads_and_does_not_write(stack):
    url = f"{stack.root}/mlflow/earth/flood-model/tracking/api/2.0/mlflow/experiments"
    headers = {"Authorization": f"Bearer {token('guest')}"}
    assert requests.get(f"{url}/search?max_results=1", headers=headers, timeout=30).status_code == 200
    refused = requests.post(f"{url}/create", json={"name": "by a guest"}, headers=headers, timeout=30)
    assert (refused.status_code, refused.json()["error_code"]) == (403, "PERMISSION_DENIED")


def test_health_and_version_need_no_token(stack):
    for prefix in ("mlflow", "mlflow/earth/flood-model/tracking"):
        assert requests.get(f"{stack.root}/{prefix}/health", timeout=30).text == "OK"
        assert requests.get(f"{stack.root}/{prefix}/version", timeout=30).text[0].isdigit()
