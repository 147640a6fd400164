"""A model's whole life with the stock client: trained on real data, registered, given an alias, loaded, used."""

import json
import pathlib
import uuid

import mlflow
import mlflow.sklearn
import numpy as np
import pandas as pd
import pytest
from sklearn.datasets import load_digits, load_wine
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import train_test_split
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import PolynomialFeatures

MAJOR = int(mlflow.version.VERSION.split(".")[0])


def _wine() -> tuple[pd.DataFrame, pd.DataFrame, pd.Series, pd.Series]:
    data = load_wine(as_frame=True)
    scaled = (data.data - data.data.mean()) / data.data.std()
    return train_test_split(scaled, data.target, test_size=0.3, random_state=0, stratify=data.target)


def _log(model, registered_as: str, **options):
    """Logs and registers a model under the name of the argument that this client has for its place."""
    place = {"name": "wines"} if MAJOR >= 3 else {"artifact_path": "wines"}
    return mlflow.sklearn.log_model(model, registered_model_name=registered_as, pip_requirements=["scikit-learn"], **place, **options)


@pytest.fixture
def registered() -> str:
    return f"wines {uuid.uuid4().hex[:8]}"


def _predictions(uri: str, features) -> np.ndarray:
    return np.asarray(mlflow.pyfunc.load_model(uri).predict(features))


def test_from_training_to_prediction(client, experiment, registered):
    train, test, train_labels, test_labels = _wine()
    models = []
    for strength in (0.001, 1.0):
        with mlflow.start_run() as run:
            model = LogisticRegression(C=strength, max_iter=200).fit(train, train_labels)
            mlflow.log_metric("accuracy", model.score(test, test_labels))
            _log(model, registered, input_example=train.head(2))
        models.append((run.info.run_id, model))
    weak, strong = (model.predict(test) for _, model in models)
    assert (weak != strong).any(), "the two trainings can be told apart"

    versions = {int(v.version): v for v in client.search_model_versions(f"name = '{registered}'")}
    assert {number: version.run_id for number, version in versions.items()} == {1: models[0][0], 2: models[1][0]}
    client.set_registered_model_alias(registered, "champion", "1")
    assert np.array_equal(_predictions(f"models:/{registered}@champion", test), weak)
    client.set_registered_model_alias(registered, "champion", "2")
    assert np.array_equal(_predictions(f"models:/{registered}@champion", test), strong)
    assert np.array_equal(_predictions(f"models:/{registered}/1", test), weak)
    assert np.array_equal(_predictions(f"models:/{registered}/latest", test), strong)
    loaded = mlflow.sklearn.load_model(f"models:/{registered}@champion")
    assert np.array_equal(loaded.coef_, models[1][1].coef_)

    found = client.search_model_versions(f"run_id = '{models[0][0]}'")
    assert [(v.name, int(v.version)) for v in found] == [(registered, 1)]
    client.delete_model_version(registered, "2")
    with pytest.raises(mlflow.exceptions.MlflowException):
        mlflow.pyfunc.load_model(f"models:/{registered}@champion")
    assert np.array_equal(_predictions(f"models:/{registered}/latest", test), weak)


def test_the_global_view_serves_the_same_model(perigee, client, experiment, registered):
    train, test, train_labels, _ = _wine()
    with mlflow.start_run():
        model = LogisticRegression(max_iter=200).fit(train, train_labels)
        _log(model, registered)
    client.set_registered_model_alias(registered, "champion", "1")
    mlflow.set_tracking_uri(perigee.global_view)
    assert np.array_equal(_predictions(f"models:/{registered} (1)@champion", test), model.predict(test))


@pytest.mark.mlflow3
def test_a_logged_model_knows_its_versions(client, experiment, registered):
    train, _, train_labels, _ = _wine()
    with mlflow.start_run() as run:
        logged = _log(LogisticRegression(max_iter=200).fit(train, train_labels), registered)
    mlflow.register_model(logged.model_uri, registered)
    known = json.loads(client.get_logged_model(logged.model_id).tags["mlflow.modelVersions"])
    # Server and client both note each version, one as a number, the other as a text.
    assert {(version["name"], int(version["version"])) for version in known} == {(registered, 1), (registered, 2)}
    version = client.get_model_version(registered, "2")
    assert (version.source, version.run_id) == (logged.model_uri, run.info.run_id)
    assert client.get_model_version_download_uri(registered, "2") == client.get_logged_model(logged.model_id).artifact_location


@pytest.mark.multipart
def test_a_model_of_many_megabytes(client, experiment, registered, monkeypatch, tmp_path):
    """Files above the gateway's limit go to the store in parts, once the user has set the client so."""
    monkeypatch.setenv("MLFLOW_MULTIPART_UPLOAD_MINIMUM_FILE_SIZE", "4000000")
    monkeypatch.setenv("MLFLOW_ENABLE_PROXY_MULTIPART_UPLOAD", "true")
    digits = load_digits()
    # Such a model holds the data it was trained on: 500 digits of 2145 features.
    model = make_pipeline(PolynomialFeatures(2), KNeighborsClassifier(algorithm="brute"))
    model.fit(digits.data[:500], digits.target[:500])
    with mlflow.start_run():
        _log(model, registered)
    folder = pathlib.Path(mlflow.artifacts.download_artifacts(f"models:/{registered}/1", dst_path=str(tmp_path)))
    assert max(path.stat().st_size for path in folder.rglob("*") if path.is_file()) > 6_000_000
    unseen = digits.data[500:600]
    assert np.array_equal(_predictions(f"models:/{registered}/1", unseen), model.predict(unseen))
