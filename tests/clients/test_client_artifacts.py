"""Artifacts through the stock client: every way to log them, to list them and to get them back."""

import pathlib

import mlflow
import numpy as np
import pandas as pd
import pytest
from mlflow.exceptions import MlflowException


def _paths(client, run_id: str, folder: str | None = None) -> dict[str, int | None]:
    return {file.path: None if file.is_dir else file.file_size for file in client.list_artifacts(run_id, folder)}


def test_files_and_folders(client, experiment, tmp_path):
    source = tmp_path / "results"
    (source / "deep" / "er").mkdir(parents=True)
    (source / "a.txt").write_text("alpha\n")
    (source / "deep" / "b.bin").write_bytes(bytes(range(256)) * 16)
    (source / "deep" / "er" / "größe 洪水.csv").write_text("x,y\n1,2\n")
    with mlflow.start_run() as run:
        mlflow.log_artifact(str(source / "a.txt"))
        mlflow.log_artifact(str(source / "a.txt"), artifact_path="copies/one")
        mlflow.log_artifacts(str(source), artifact_path="all")
    run_id = run.info.run_id
    assert _paths(client, run_id) == {"a.txt": 6, "all": None, "copies": None}
    assert _paths(client, run_id, "all") == {"all/a.txt": 6, "all/deep": None}
    assert _paths(client, run_id, "all/deep") == {"all/deep/b.bin": 4096, "all/deep/er": None}
    assert _paths(client, run_id, "all/deep/er") == {"all/deep/er/größe 洪水.csv": 8}
    assert _paths(client, run_id, "a.txt") == {}
    assert _paths(client, run_id, "nosuch") == {}

    target = pathlib.Path(client.download_artifacts(run_id, "", str(tmp_path)))
    assert (target / "all/deep/b.bin").read_bytes() == bytes(range(256)) * 16
    assert (target / "all/deep/er/größe 洪水.csv").read_text() == "x,y\n1,2\n"
    assert (target / "copies/one/a.txt").read_text() == "alpha\n"
    one = mlflow.artifacts.download_artifacts(run_id=run_id, artifact_path="all/deep")
    assert sorted(p.name for p in pathlib.Path(one).iterdir()) == ["b.bin", "er"]


def test_texts_dicts_tables_and_arrays(client, experiment):
    with mlflow.start_run() as run:
        mlflow.log_text("# Report\n", "report.md")
        mlflow.log_dict({"a": [1, 2], "b": {"c": None}}, "config/settings.json")
        mlflow.log_dict({"a": [1, 2]}, "config/settings.yaml")
        mlflow.log_table(pd.DataFrame({"x": [1, 2], "y": ["a", "b"]}), "tables/answers.json")
        mlflow.log_image(np.zeros((4, 4, 3), dtype=np.uint8), "images/black.png")
    root = f"runs:/{run.info.run_id}"
    assert mlflow.artifacts.load_text(f"{root}/report.md") == "# Report\n"
    assert mlflow.artifacts.load_dict(f"{root}/config/settings.json") == {"a": [1, 2], "b": {"c": None}}
    assert mlflow.artifacts.load_text(f"{root}/config/settings.yaml").split() == ["a:", "-", "1", "-", "2"]
    table = mlflow.load_table("tables/answers.json", run_ids=[run.info.run_id])
    assert table.to_dict("list") == {"x": [1, 2], "y": ["a", "b"]}
    assert mlflow.artifacts.load_image(f"{root}/images/black.png").size == (4, 4)


def test_an_artifact_is_replaced(client, experiment):
    with mlflow.start_run() as run:
        mlflow.log_text("first", "note.txt")
        mlflow.log_text("second, longer", "note.txt")
    assert mlflow.artifacts.load_text(f"runs:/{run.info.run_id}/note.txt") == "second, longer"
    assert _paths(client, run.info.run_id) == {"note.txt": 14}


def test_an_empty_file(client, experiment, tmp_path):
    with mlflow.start_run() as run:
        mlflow.log_text("", "empty.txt")
    path = pathlib.Path(client.download_artifacts(run.info.run_id, "empty.txt", str(tmp_path)))
    assert path.read_bytes() == b""


def test_a_file_of_four_megabytes(client, experiment, tmp_path):
    content = np.random.default_rng(0).bytes(4_000_000)
    (tmp_path / "weights.bin").write_bytes(content)
    with mlflow.start_run() as run:
        mlflow.log_artifact(str(tmp_path / "weights.bin"), "model")
    assert _paths(client, run.info.run_id, "model") == {"model/weights.bin": 4_000_000}
    path = client.download_artifacts(run.info.run_id, "model/weights.bin", str(tmp_path))
    assert pathlib.Path(path).read_bytes() == content


def test_a_missing_artifact(client, experiment, tmp_path):
    with mlflow.start_run() as run:
        mlflow.log_text("x", "there.txt")
    with pytest.raises((MlflowException, OSError)):
        client.download_artifacts(run.info.run_id, "missing.txt", str(tmp_path))


def test_artifact_uris(client, experiment):
    with mlflow.start_run() as run:
        mlflow.log_text("x", "a/b.txt")
        assert mlflow.get_artifact_uri("a/b.txt") == f"{run.info.artifact_uri}/a/b.txt"
    home = client.get_experiment_by_name(experiment)
    assert run.info.artifact_uri == f"{home.artifact_location}/{run.info.run_id}/artifacts"
    assert mlflow.artifacts.load_text(f"{run.info.artifact_uri}/a/b.txt") == "x"
