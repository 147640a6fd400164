"""One run of schemathesis against the hub: the document about things that exist, and what came of it."""

from __future__ import annotations

import json
import pathlib
import re
import subprocess
import sys
from dataclasses import dataclass
from urllib.parse import urlsplit

import requests

from servers import PROJECT, Perigee, token

DEVELOPER = {"Authorization": f"Bearer {token('developer')}"}
DEVELOPER_HEADER = f"Authorization: {DEVELOPER['Authorization']}"
# What operations say that only GitLab's webhooks may call.
WEBHOOK = [{"webhook": []}]
CHECKS = (
    "not_a_server_error",
    "status_code_conformance",
    "content_type_conformance",
    "response_headers_conformance",
    "response_schema_conformance",
    "unsupported_method",
    "ignored_auth",
)
# What these do to the things of a run would leave nothing for the others.
DESTRUCTIVE = re.compile(
    r"(delete_(experiment|run|logged_model|registered_model|model_version|artifact)|rename_registered_model"
    r"|(update|restore)_experiment|restore_run|abort_multipart_upload)$"
)


@dataclass(frozen=True)
class Things:
    """What the examples of the document speak of, made in the hub."""

    suffix: str
    experiment: str
    run: str
    model: str
    upload: str

    @property
    def folder(self) -> str:
        return f"{self.experiment}/{self.run}/artifacts"

    def named(self) -> dict[str, list[str]]:
        """Values of fields and parameters that lead to something, by name."""
        name = f"flood-segmenter{self.suffix}"
        return {
            "experiment_id": [self.experiment],
            "experiment_ids": [self.experiment],
            "experiment_name": [f"flood mapping{self.suffix}"],
            "run_id": [self.run],
            "run_uuid": [self.run],
            "run_ids": [self.run],
            "model_id": [self.model],
            "metric_key": ["loss"],
            "key": ["task", "quality", "loss"],
            "tag_key": ["quality"],
            "name": [name],
            "version": ["1", "3"],
            "alias": ["champion"],
            "artifact_file_path": ["MLmodel"],
            "upload_id": [self.upload],
            "file": ["start.js"],
            "collection": ["aimodel"],
            "item": [PROJECT],
        }


def make_things(hub: Perigee, suffix: str) -> Things:
    """An experiment, a run, a logged model, a registered model with three versions and their files."""
    root = f"{hub.project_view()}/api/2.0"

    def post(path: str, body: dict) -> dict:
        answer = requests.post(f"{root}/{path}", json=body, headers=DEVELOPER, timeout=30)
        assert answer.status_code == 200, (path, answer.text)
        return answer.json()

    def put(path: str) -> None:
        url = f"{root}/mlflow-artifacts/artifacts/{path}"
        answer = requests.put(url, data=b"content", headers=DEVELOPER, timeout=30)
        assert answer.status_code == 200, (path, answer.text)

    # The project's view takes names with its id behind them, too.
    experiment = post("mlflow/experiments/create", {"name": f"flood mapping{suffix}"})["experiment_id"]
    run = post("mlflow/runs/create", {"experiment_id": experiment})["run"]["info"]["run_id"]
    post("mlflow/runs/log-metric", {"run_id": run, "key": "loss", "value": 0.5, "timestamp": 1767225600000})
    body = {"experiment_id": experiment, "name": "segmenter", "tags": [{"key": "quality", "value": "good"}]}
    model = post("mlflow/logged-models", body)["model"]["info"]["model_id"]
    name = f"flood-segmenter{suffix}"
    post("mlflow/registered-models/create", {"name": name, "tags": [{"key": "task", "value": "x"}]})
    post("mlflow/registered-models/create", {"name": f"water-finder{suffix}"})
    for _ in range(3):
        post("mlflow/model-versions/create", {"name": name, "source": f"runs:/{run}/model", "run_id": run})
    post("mlflow/registered-models/alias", {"name": name, "alias": "champion", "version": "3"})
    put(f"{experiment}/{run}/artifacts/model/MLmodel")
    put(f"{experiment}/{run}/artifacts/model/weights.bin")
    put(f"{experiment}/models/{model}/artifacts/MLmodel")
    begun = post(f"mlflow-artifacts/mpu/create/{experiment}/{run}/artifacts", {"path": "weights.bin", "num_parts": 1})
    # The content that has the tag of the example.
    assert requests.put(begun["credentials"][0]["url"], data=b"content", timeout=30).status_code == 200
    return Things(suffix, experiment, run, model, begun["upload_id"])


def about(things: Things, document: dict, view: str) -> dict:
    """The document with examples that exist, at the paths of one view, without what is not served."""
    text = json.dumps(document)
    for example, real in {
        "7a0c0ffee1234567890abcdef1234567": things.run,
        "m-0123456789abcdef0123456789abcdef": things.model,
        "flood-segmenter": f"flood-segmenter{things.suffix}",
        "water-finder": f"water-finder{things.suffix}",
        "water-segmenter": f"water-segmenter{things.suffix}",
        "flood mapping": f"flood mapping{things.suffix}",
        '"experiment_id": "1"': f'"experiment_id": "{things.experiment}"',
        '"experiment_ids": ["1"]': f'"experiment_ids": ["{things.experiment}"]',
        '"example": "1"': f'"example": "{things.experiment}"',
        '"path": "1/': f'"path": "{things.experiment}/',
        '"example": "1/': f'"example": "{things.experiment}/',
        "1f2e3d": things.upload,
    }.items():
        text = text.replace(example, real)
    document = json.loads(text)
    named = things.named()
    for schema in document["components"]["schemas"].values():
        for name, field in schema.get("properties", {}).items():
            schema["properties"][name] = _leading_somewhere(field, named.get(name))
    paths = {}
    for path, item in document["paths"].items():
        kept = {method: operation for method, operation in item.items() if "501" not in operation["responses"]}
        # These take another credential: see `webhooks`.
        kept = {method: operation for method, operation in kept.items() if operation["security"] != WEBHOOK}
        for method, operation in kept.items():
            # Other credentials than the developer's would only be refused.
            if operation["security"]:
                operation["security"] = [way for way in operation["security"] if way in ({}, {"bearer": []})]
            if operation["operationId"] in ("create_experiment", "create_registered_model"):
                example = operation["requestBody"]["content"]["application/json"]["example"]
                example["name"] = f"new {example['name']}"
            for parameter in operation["parameters"]:
                values = named.get(parameter["name"])
                if parameter["name"] == "path" and parameter["in"] == "path":
                    # Uploads in parts name the directory.
                    file = "/model/new.txt" if method == "put" else "/model/MLmodel"
                    values = [things.folder if "/mpu/" in path else things.folder + file]
                if path.startswith(("/api/download/", "/api/check/")) and parameter["in"] == "path":
                    values = {"project": [PROJECT], "file": ["model.json"], "format": ["zip"]}.get(parameter["name"], values)
                if values and "array" not in str(parameter["schema"].get("type")):
                    parameter.setdefault("example", values[0])
                parameter["schema"] = _leading_somewhere(parameter["schema"], values)
        if kept:
            paths[path.replace("/mlflow", view, 1)] = kept
    return document | {"paths": paths}


def webhooks(document: dict) -> dict:
    """The document with GitLab's webhooks alone."""
    paths = {}
    for path, item in document["paths"].items():
        kept = {method: operation for method, operation in item.items() if operation["security"] == WEBHOOK}
        if kept:
            paths[path] = kept
    return document | {"paths": paths}


def _leading_somewhere(schema: dict, values: list[str] | None) -> dict:
    """The same schema, which a generator of data fills in with one of these values now and then."""
    if not values or "$ref" in schema:
        return schema
    if schema.get("type") == "array":
        return schema | {"items": _leading_somewhere(schema["items"], values)}
    if schema.get("type") != "string" or "enum" in schema:
        return schema
    return {"anyOf": [{"enum": values}, {"type": "string"}]}


@dataclass(frozen=True)
class Outcome:
    """What schemathesis found, and which operations succeeded at least once."""

    passed: bool
    text: str
    calls: int
    succeeded: set[str]


def schemathesis(
    hub: Perigee, document: dict, folder: pathlib.Path, examples: int, destructive: bool, credential: str = DEVELOPER_HEADER
) -> Outcome:
    """Tries every operation, or those alone that destroy what they are about, with some examples of each kind."""
    ids = [operation["operationId"] for item in document["paths"].values() for operation in item.values()]
    file, har = folder / "document.json", folder / f"calls-{destructive}.har"
    file.write_text(json.dumps(document))
    command = [str(pathlib.Path(sys.executable).with_name("schemathesis")), "run", str(file), "--url", hub.root]
    command += ["--phases", "examples,coverage,fuzzing", "--max-examples", str(examples), "--seed", "1"]
    command += ["--workers", "1", "--generation-database", "none", "--no-color", "--checks", ",".join(CHECKS), "--warnings", "off"]
    command += ["--header", credential]
    command += ["--report", "har", "--report-har-path", str(har)]
    for name in ids:
        if bool(DESTRUCTIVE.match(name)) == destructive:
            command += ["--include-operation-id", name]
    ended = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=600)
    entries = json.loads(har.read_text())["log"]["entries"] if har.exists() else []
    return Outcome(ended.returncode == 0, ended.stdout + ended.stderr, len(entries), _succeeded(document, entries))


def _succeeded(document: dict, entries: list[dict]) -> set[str]:
    """The ids of operations with at least one answer 2xx or 3xx."""
    patterns = []
    for path, item in document["paths"].items():
        # Slashes in a variable are sent encoded.
        pattern = re.compile("".join("[^/]+" if part.startswith("{") else re.escape(part) for part in re.split(r"({\w+})", path)))
        patterns += [(path.count("{"), method, pattern, operation["operationId"]) for method, operation in item.items()]
    patterns.sort(key=lambda known: known[0])
    found = set()
    for entry in entries:
        path, method = urlsplit(entry["request"]["url"]).path, entry["request"]["method"].lower()
        if 200 <= entry["response"]["status"] < 400:
            found.update(next(([p[3]] for p in patterns if p[1] == method and p[2].fullmatch(path)), []))
    return found
