"""The shortest way through tracking, artifacts and registry: also run by the oldest client that is supported."""

import uuid

import mlflow
import mlflow.sklearn
import numpy as np
from sklearn.datasets import load_iris
from sklearn.linear_model import LogisticRegression


def test_a_model_is_logged_registered_and_loaded(client, experiment):
    features, labels = load_iris(return_X_y=True)
    model = LogisticRegression(C=0.5, max_iter=300).fit(features, labels)
    registered = f"smoke {uuid.uuid4().hex[:8]}"
    with mlflow.start_run(run_name="smoke") as run:
        mlflow.log_param("C", 0.5)
        mlflow.log_metric("accuracy", model.score(features, labels), step=1)
        mlflow.log_text("hello", "note.txt")
        mlflow.sklearn.log_model(model, "iris", registered_model_name=registered, pip_requirements=["scikit-learn"])

    stored = client.get_run(run.info.run_id)
    assert (stored.info.status, stored.info.run_name) == ("FINISHED", "smoke")
    assert stored.data.params == {"C": "0.5"}
    assert stored.data.metrics == {"accuracy": model.score(features, labels)}
    assert mlflow.artifacts.load_text(f"runs:/{run.info.run_id}/note.txt") == "hello"
    assert [run.info.run_id for run in client.search_runs([stored.info.experiment_id])] == [run.info.run_id]

    client.set_registered_model_alias(registered, "champion", "1")
    version = client.get_model_version_by_alias(registered, "champion")
    assert (version.name, int(version.version), version.run_id) == (registered, 1, run.info.run_id)
    loaded = mlflow.pyfunc.load_model(f"models:/{registered}@champion")
    assert np.array_equal(loaded.predict(features), model.predict(features))
