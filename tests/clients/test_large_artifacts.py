"""Artifacts beyond what the gateway carries: they go to S3 and come from there without passing through the hub."""

import hashlib
import os
import pathlib
import random

import mlflow
import pytest
import requests
from mlflow.exceptions import MlflowException

from servers import run_perigee, token

# What the README tells users to set.
MINIMUM = "4000000"


@pytest.fixture(scope="module")
def hub():
    """A hub of its own, whose memory nothing else has used."""
    with run_perigee() as hub:
        yield hub


@pytest.fixture
def large(hub, monkeypatch) -> mlflow.MlflowClient:
    """A client of that hub, set up as the README says."""
    monkeypatch.setenv("MLFLOW_TRACKING_TOKEN", token("developer"))
    monkeypatch.setenv("MLFLOW_MULTIPART_UPLOAD_MINIMUM_FILE_SIZE", MINIMUM)
    if mlflow.version.VERSION.startswith("2."):
        monkeypatch.setenv("MLFLOW_ENABLE_PROXY_MULTIPART_UPLOAD", "true")
    # A refusal is seen at once.
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "1")
    mlflow.set_tracking_uri(hub.project_view())
    mlflow.set_experiment("large")
    yield mlflow.MlflowClient()
    while mlflow.active_run():
        mlflow.end_run()


def _write(path: pathlib.Path, size: int) -> str:
    """Makes a file of which no two pieces are equal; its SHA-256."""
    noise = random.Random(0).randbytes(1024 * 1024)
    digest = hashlib.sha256()
    with path.open("wb") as file:
        for number in range(-(-size // len(noise))):
            piece = (number.to_bytes(8, "big") + noise[8:])[: size - number * len(noise)]
            digest.update(piece)
            file.write(piece)
    return digest.hexdigest()


def _digest(path: str) -> str:
    digest = hashlib.sha256()
    with open(path, "rb") as file:
        while piece := file.read(1024 * 1024):
            digest.update(piece)
    return digest.hexdigest()


@pytest.mark.mlflow3
def test_a_gigabyte_there_and_back(hub, large, tmp_path):
    source = tmp_path / "weights.bin"
    digest = _write(source, 1_000_000_000)
    with mlflow.start_run() as run:
        mlflow.log_artifact(str(source), "model/größe 1")
    os.remove(source)
    (listed,) = large.list_artifacts(run.info.run_id, "model/größe 1")
    assert (listed.path, listed.file_size) == ("model/größe 1/weights.bin", 1_000_000_000)
    path = large.download_artifacts(run.info.run_id, listed.path, str(tmp_path))
    assert _digest(path) == digest
    os.remove(path)
    assert hub.peak_memory() < 100_000_000, f"{hub.peak_memory() / 1e6:.0f} MB"


def test_thirty_megabytes_there_and_back(hub, large, tmp_path):
    source = tmp_path / "weights 1.bin"
    digest = _write(source, 30_000_001)
    with mlflow.start_run() as run:
        mlflow.log_artifact(str(source))
        mlflow.log_text("small", "small.txt")
    back = tmp_path / "back"
    back.mkdir()
    path = large.download_artifacts(run.info.run_id, "", str(back))
    assert _digest(f"{path}/weights 1.bin") == digest
    assert pathlib.Path(path, "small.txt").read_text() == "small"
    assert hub.peak_memory() < 100_000_000, f"{hub.peak_memory() / 1e6:.0f} MB"


def test_a_file_just_above_the_limit_and_one_just_below(large, tmp_path):
    digests = {name: _write(tmp_path / name, size) for name, size in [("below", 3_999_999), ("above", 4_500_001)]}
    with mlflow.start_run() as run:
        mlflow.log_artifacts(str(tmp_path), "both")
    back = tmp_path / "back"
    back.mkdir()
    path = large.download_artifacts(run.info.run_id, "both", str(back))
    assert {name: _digest(f"{path}/{name}") for name in digests} == digests


def test_without_the_setting_the_refusal_names_it(large, tmp_path, monkeypatch):
    monkeypatch.delenv("MLFLOW_MULTIPART_UPLOAD_MINIMUM_FILE_SIZE")
    _write(tmp_path / "weights.bin", 5_000_000)
    with mlflow.start_run() as run, pytest.raises((MlflowException, requests.HTTPError)) as refused:
        mlflow.log_artifact(str(tmp_path / "weights.bin"))
    assert "413" in str(refused.value)
    assert "MLFLOW_MULTIPART_UPLOAD_MINIMUM_FILE_SIZE=4000000" in str(refused.value)
    assert "MLFLOW_ENABLE_PROXY_MULTIPART_UPLOAD=true" in str(refused.value)
    assert large.list_artifacts(run.info.run_id) == []


def test_a_large_file_by_its_address(hub, large, tmp_path):
    """What curl and browsers do: the hub sends them on, and S3 gives the file as a download."""
    digest = _write(tmp_path / "page.html", 6_000_000)
    with mlflow.start_run() as run:
        mlflow.log_artifact(str(tmp_path / "page.html"))
    url = f"{hub.project_view()}/get-artifact"
    parameters, headers = {"run_id": run.info.run_id, "path": "page.html"}, {"Authorization": f"Bearer {token('developer')}"}
    answer = requests.get(url, parameters, headers=headers, timeout=60)
    assert [hop.status_code for hop in answer.history] == [302]
    assert "Authorization" not in answer.request.headers
    assert answer.headers["Content-Disposition"] == "attachment; filename=page.html"
    assert answer.headers["Content-Type"] == "text/html"
    assert hashlib.sha256(answer.content).hexdigest() == digest
    head = requests.head(url, params=parameters, headers=headers, timeout=60)
    assert (head.status_code, head.headers["Content-Length"]) == (200, "6000000")
    again = requests.get(url, parameters, headers={**headers, "If-None-Match": head.headers["ETag"]}, timeout=60)
    assert (again.status_code, again.content) == (304, b"")
