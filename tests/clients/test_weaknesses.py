"""What the existing SharingHub stack lets through, and Perigee does not: one test for each numbered weakness.

The numbers are those of the project's weakness list; W14 (revoked tokens) is tested beside the token cache.
"""

import http.server
import threading
import uuid
from dataclasses import dataclass

import pytest
import requests

from calls import API, DEVELOPER, GUEST, OUTSIDER, READ_ONLY_DEVELOPER, TWIN, Route, Things, bearer, get, make_own_and_foreign, make_things, post
from servers import FOREIGN_PROJECT, PROJECT


# No MLflow client takes part, so one of the two environments is enough.
pytestmark = pytest.mark.mlflow3


@pytest.fixture(scope="module")
def things(perigee):
    return make_own_and_foreign(perigee, f"w {uuid.uuid4().hex[:8]}")


@pytest.fixture(scope="module")
def own(things):
    return things[0]


@pytest.fixture(scope="module")
def foreign(things):
    return things[1]


@dataclass(frozen=True)
class Model:
    """A registered model with a version of a run and one of a logged model, and where the global view has it."""

    name: str
    suffix: str
    logged_model: str

    @property
    def global_name(self) -> str:
        return f"{self.name}{self.suffix}"


def _register(perigee, things: Things, headers: dict[str, str], name: str) -> Model:
    shown = get(perigee.global_view, "experiments/get", {"experiment_id": things.experiment}, headers)["experiment"]["name"]
    secret = {"key": "secret", "value": f"tag of {things.project}"}
    body = {"experiment_id": things.experiment, "name": "net", "source_run_id": things.run}
    logged = post(things.view, "logged-models", body, headers)["model"]["info"]["model_id"]
    post(things.view, "registered-models/create", {"name": name, "tags": [secret], "description": f"text of {things.project}"}, headers)
    of_run = {"name": name, "source": f"mlflow-artifacts:/{things.root}", "run_id": things.run, "tags": [secret]}
    post(things.view, "model-versions/create", of_run, headers)
    post(things.view, "model-versions/create", {"name": name, "source": f"models:/{logged}", "model_id": logged}, headers)
    post(things.view, "registered-models/alias", {"name": name, "alias": "champion", "version": "1"}, headers)
    return Model(name, shown.removeprefix(things.experiment_name), logged)


@pytest.fixture(scope="module")
def models(perigee, own, foreign) -> tuple[Model, Model]:
    unique = uuid.uuid4().hex[:8]
    return _register(perigee, own, DEVELOPER, f"own {unique}"), _register(perigee, foreign, OUTSIDER, f"foreign {unique}")


def _registry_routes(name: str, version: str = "1") -> list[Route]:
    """Every call of the registry about one model; none of the writes changes what matters."""
    rpc, one, both = f"{API}/mlflow", {"name": name}, {"name": name, "version": version}
    routes = [
        Route("GET", f"{rpc}/registered-models/get", params=one),
        Route("GET", f"{rpc}/registered-models/alias", params={**one, "alias": "champion"}),
        Route("GET", f"{rpc}/registered-models/get-latest-versions", params=one),
        Route("POST", f"{rpc}/registered-models/get-latest-versions", json=one),
        Route("GET", f"{rpc}/model-versions/get", params=both),
        Route("GET", f"{rpc}/model-versions/get-download-uri", params=both),
        Route("PATCH", f"{rpc}/registered-models/update", json={**one, "description": "stolen"}, writes=True),
        Route("POST", f"{rpc}/registered-models/rename", json={**one, "new_name": name}, writes=True),
        Route("POST", f"{rpc}/registered-models/set-tag", json={**one, "key": "stolen", "value": "v"}, writes=True),
        Route("DELETE", f"{rpc}/registered-models/delete-tag", json={**one, "key": "stolen"}, writes=True),
        Route("POST", f"{rpc}/registered-models/alias", json={**both, "alias": "stolen"}, writes=True),
        Route("DELETE", f"{rpc}/registered-models/alias", json={**one, "alias": "stolen"}, writes=True),
        Route("POST", f"{rpc}/model-versions/create", json={**one, "source": "s3://bucket/stolen"}, writes=True),
        Route("PATCH", f"{rpc}/model-versions/update", json={**both, "description": "stolen"}, writes=True),
        Route("POST", f"{rpc}/model-versions/set-tag", json={**both, "key": "stolen", "value": "v"}, writes=True),
        Route("DELETE", f"{rpc}/model-versions/delete-tag", json={**both, "key": "stolen"}, writes=True),
        Route("POST", f"{rpc}/model-versions/transition-stage", json={**both, "stage": "Staging"}, writes=True),
        Route("DELETE", f"{rpc}/model-versions/delete", json=both, writes=True),
        Route("DELETE", f"{rpc}/registered-models/delete", json=one, writes=True),
    ]
    artifact = Route("GET", "/model-versions/get-artifact", params={**both, "path": "secret.txt"})
    return [*(each for route in routes for each in (route, route.twin())), artifact]


def _refusal(answer: requests.Response) -> tuple[int, str]:
    assert answer.headers["Content-Type"].startswith("application/json"), f"{answer.request.method} {answer.url}: {answer.text[:200]}"
    assert answer.json()["message"]
    return answer.status_code, answer.json()["error_code"]


def _models_state(view: str, name: str, headers: dict[str, str]) -> tuple:
    versions = get(view, "model-versions/search", {"filter": f"name = '{name}'", "order_by": "version_number"}, headers)
    return get(view, "registered-models/get", {"name": name}, headers), versions


def _views(perigee, own, foreign) -> list[str]:
    """Every base under which somebody may try to reach foreign things."""
    return [own.view, foreign.view, perigee.global_view]


def _foreign_state(foreign) -> tuple:
    run = get(foreign.view, "runs/get", {"run_id": foreign.run}, OUTSIDER)
    experiment = get(foreign.view, "experiments/get", {"experiment_id": foreign.experiment}, OUTSIDER)
    files = get(foreign.view, "artifacts/list", {"run_id": foreign.run}, OUTSIDER)
    text = requests.get(f"{foreign.view}/get-artifact", params={"path": "secret.txt", "run_id": foreign.run}, headers=OUTSIDER, timeout=30).text
    return run, experiment, files, text


def test_w01_the_artifact_proxy_is_guarded_under_both_prefixes(perigee, own, foreign):
    """Another project's files can be read, listed, overwritten or deleted under neither prefix and in no view."""
    before = _foreign_state(foreign)
    for base in _views(perigee, own, foreign):
        for prefix in (API, TWIN):
            files = f"{base}{prefix}/mlflow-artifacts/artifacts"
            secret = f"{files}/{foreign.root}/secret.txt"
            for answer in (
                requests.get(secret, headers=DEVELOPER, timeout=30),
                requests.put(secret, data=b"mine now", headers=DEVELOPER, timeout=30),
                requests.delete(secret, headers=DEVELOPER, timeout=30),
                requests.get(files, params={"path": foreign.root}, headers=DEVELOPER, timeout=30),
                requests.delete(f"{files}/{foreign.experiment}", headers=DEVELOPER, timeout=30),
            ):
                assert answer.status_code in (400, 404), f"{answer.request.method} {answer.url}: {answer.status_code}"
                assert "file of" not in answer.text
    assert _foreign_state(foreign) == before


def test_w02_nobody_without_a_credential_reads_or_writes(perigee, own):
    """There is no default token: anonymous get-artifact, listing, upload and log-inputs are all 401."""
    for base in (own.view, perigee.global_view):
        for answer in (
            requests.get(f"{base}/get-artifact", params={"path": "secret.txt", "run_id": own.run}, timeout=30),
            requests.get(f"{base}{TWIN}/mlflow-artifacts/artifacts", params={"path": own.root}, timeout=30),
            requests.get(f"{base}{API}/mlflow-artifacts/artifacts", timeout=30),
            requests.put(f"{base}{TWIN}/mlflow-artifacts/artifacts/{own.root}/x.txt", data=b"x", timeout=30),
            requests.post(f"{base}{API}/mlflow/runs/log-inputs", json={"run_id": own.run, "datasets": []}, timeout=30),
        ):
            assert (answer.status_code, answer.json()["error_code"]) == (401, "UNAUTHENTICATED"), answer.url


W3_ROUTES = [
    ("GET", "/get-artifact?path=secret.txt&run_id={run}"),
    ("GET", "/get-artifact?path=secret.txt&run_uuid={run}"),
    ("GET", "/model-versions/get-artifact?path=MLmodel&name=m&version=1"),
    ("POST", "/ajax-api/2.0/mlflow/upload-artifact?run_uuid={run}&path=x.txt"),
    ("POST", "{api}/mlflow/runs/log-inputs"),
    ("POST", "{api}/mlflow/runs/outputs"),
    ("GET", "/ajax-api/2.0/mlflow/metrics/get-history-bulk?run_id={run}&metric_key=loss"),
    ("GET", "{api}/mlflow/metrics/get-history-bulk-interval?run_ids={run}&metric_key=loss"),
    ("POST", "/ajax-api/2.0/mlflow/experiments/search-datasets"),
    ("GET", "{api}/mlflow/artifacts/list?run_id={run}"),
    ("GET", "{api}/mlflow-artifacts/artifacts?path={root}"),
    ("POST", "{api}/mlflow-artifacts/mpu/create/{root}/x.bin"),
    ("POST", "{api}/mlflow-artifacts/mpu/complete/{root}/x.bin"),
    ("POST", "{api}/mlflow-artifacts/mpu/abort/{root}/x.bin"),
    ("GET", "{api}/mlflow/traces?experiment_ids={experiment}"),
    ("POST", "{api}/mlflow/traces"),
    ("POST", "{api}/mlflow/traces/delete-traces"),
    ("POST", "/ajax-api/2.0/mlflow/runs/create-promptlab-run"),
    ("POST", "/graphql"),
]


@pytest.mark.parametrize(("method", "path"), W3_ROUTES, ids=[f"{m} {p.split('?')[0]}" for m, p in W3_ROUTES])
def test_w03_no_route_lacks_a_check(perigee, own, foreign, method, path):
    """The routes that had no check: nobody gets 401, and foreign things stay foreign, in every view."""
    before = _foreign_state(foreign)
    body = {
        "run_id": foreign.run,
        "run_uuid": foreign.run,
        "experiment_id": foreign.experiment,
        "experiment_ids": [foreign.experiment],
        "datasets": [{"dataset": {"name": "x", "digest": "1", "source_type": "s", "source": "s"}}],
        "models": [{"model_id": "m-" + "0" * 32}],
        "path": "x.bin",
        "num_parts": 1,
        "max_timestamp_millis": 1,
        "query": "query GetRun($data: MlflowGetRunInput!) { mlflowGetRun(input: $data) { run { info { runUuid } } } }",
        "operationName": "GetRun",
        "variables": {"data": {"runId": foreign.run}},
    }
    for base in _views(perigee, own, foreign):
        for prefix in (API, TWIN):
            url = base + path.format(api=prefix, run=foreign.run, root=foreign.root, experiment=foreign.experiment)
            answer = requests.request(method, url, json=body if method == "POST" else None, headers=DEVELOPER, timeout=30)
            assert answer.status_code in (400, 404, 405, 501) or answer.json() in ({}, {"metrics": []}), f"{url}: {answer.status_code} {answer.text[:200]}"
            assert "of lab/secret-model" not in answer.text
            nobody = requests.request(method, url, json=body if method == "POST" else None, timeout=30)
            assert nobody.status_code in (401, 404), f"{url}: {nobody.status_code}"
    assert _foreign_state(foreign) == before


@pytest.mark.parametrize(
    ("path", "fields"),
    [
        ("runs/log-metric", {"key": "stolen", "value": 1.5, "timestamp": 1}),
        ("runs/log-parameter", {"key": "stolen", "value": "1"}),
        ("runs/set-tag", {"key": "stolen", "value": "1"}),
        ("runs/update", {"status": "KILLED"}),
        ("runs/log-batch", {"tags": [{"key": "stolen", "value": "1"}]}),
        ("runs/delete", {}),
    ],
)
def test_w04_the_run_that_is_checked_is_the_run_that_is_written(perigee, own, foreign, path, fields):
    """Two names for the run in one body cannot aim a permitted call at somebody else's run."""
    before = _foreign_state(foreign)
    for base in (own.view, perigee.global_view):
        for body in (
            {"run_uuid": own.run, "runId": foreign.run},
            {"run_id": own.run, "runId": foreign.run},
            {"runUuid": own.run, "run_id": foreign.run},
            {"run_uuid": own.run, "run_id": foreign.run},
        ):
            answer = requests.post(f"{base}{API}/mlflow/{path}", json={**body, **fields}, headers=DEVELOPER, timeout=30)
            assert answer.status_code in (400, 404), f"{body}: {answer.status_code} {answer.text}"
    assert _foreign_state(foreign) == before


@pytest.mark.parametrize("spelling", ["plain", "global"])
def test_w03_no_route_of_the_registry_lacks_a_check(perigee, own, foreign, models, spelling):
    """Whatever the view and the spelling of its name: nobody gets 401, a foreign model is a missing one."""
    _, theirs = models
    name = theirs.name if spelling == "plain" else theirs.global_name
    before = _models_state(foreign.view, theirs.name, OUTSIDER)
    for base in _views(perigee, own, foreign):
        for route in _registry_routes(name):
            assert _refusal(route.send(base, {})) == (401, "UNAUTHENTICATED"), route
            answer = route.send(base, DEVELOPER)
            # In the global view, a name says its project, or it is no name.
            allowed = [(404, "RESOURCE_DOES_NOT_EXIST")] + [(400, "INVALID_PARAMETER_VALUE")] * (base == perigee.global_view and spelling == "plain")
            assert _refusal(answer) in allowed, f"{base} {route}: {answer.text}"
            assert "of lab/secret-model" not in answer.text
    assert _models_state(foreign.view, theirs.name, OUTSIDER) == before


def test_w03_the_registry_asks_for_the_right_to_write(perigee, own, models):
    mine, _ = models
    before = _models_state(own.view, mine.name, DEVELOPER)
    for base, name in ((own.view, mine.name), (perigee.global_view, mine.global_name)):
        for headers in (GUEST, READ_ONLY_DEVELOPER):
            for route in _registry_routes(name):
                answer = route.send(base, headers)
                if route.writes:
                    assert _refusal(answer) == (403, "PERMISSION_DENIED"), route
                else:
                    assert answer.status_code == 200, f"{route}: {answer.text}"
            create = Route("POST", f"{API}/mlflow/registered-models/create", json={"name": f"new {name}"})
            assert _refusal(create.send(base, headers)) == (403, "PERMISSION_DENIED")
        for route in _registry_routes(name):
            assert _refusal(route.send(base, OUTSIDER)) == (404, "RESOURCE_DOES_NOT_EXIST"), route
    assert _models_state(own.view, mine.name, DEVELOPER) == before


def test_w04_the_registry_checks_what_it_stores(perigee, own, foreign, models):
    """Two spellings of one field, one of them permitted, are refused as a whole."""
    mine, theirs = models
    before = _models_state(own.view, mine.name, DEVELOPER)
    root = {"source": f"mlflow-artifacts:/{foreign.root}"}
    for base, name in ((own.view, mine.name), (perigee.global_view, mine.global_name)):
        for path, body in (
            ("model-versions/create", {"name": name, "run_id": own.run, "runId": foreign.run, **root}),
            ("model-versions/create", {"name": name, "runId": own.run, "run_id": foreign.run, **root}),
            ("model-versions/create", {"name": name, "model_id": mine.logged_model, "modelId": theirs.logged_model, "source": f"models:/{theirs.logged_model}"}),
            ("registered-models/rename", {"name": name, "new_name": name, "newName": theirs.global_name}),
        ):
            answer = requests.post(f"{base}{API}/mlflow/{path}", json=body, headers=DEVELOPER, timeout=30)
            assert _refusal(answer) == (400, "INVALID_PARAMETER_VALUE"), body
    assert _models_state(own.view, mine.name, DEVELOPER) == before


def _foreign_sources(own: Things, things: Things, model: Model) -> list[dict[str, str]]:
    """Every way to name the things of another project as the source of a version."""
    root = f"mlflow-artifacts:/{things.root}"
    return [
        {"source": root},
        {"source": f"{root}/secret.txt", "run_id": things.run},
        {"source": root, "run_id": own.run},
        {"source": f"mlflow-artifacts:/{own.root}/../../../{things.root}", "run_id": own.run},
        {"source": f"mlflow-artifacts:/{own.root}/%2e%2e/%252e%252e/%2e%2e/{things.root}", "run_id": own.run},
        {"source": f"runs:/{things.run}/secret.txt", "run_id": things.run},
        {"source": f"runs:/{things.run}", "run_id": own.run},
        {"source": f"runs:/{own.run}/../{things.run}", "run_id": own.run},
        {"source": "s3://bucket/a", "run_id": things.run},
        {"source": f"models:/{model.logged_model}"},
        {"source": f"models:/{model.logged_model}", "model_id": model.logged_model},
        {"source": f"models:/{model.logged_model}", "model_id": model.logged_model, "run_id": own.run},
        {"source": "s3://bucket/a", "model_id": model.logged_model},
        {"source": f"mlflow-artifacts:/{things.experiment}/models/{model.logged_model}/artifacts", "model_id": model.logged_model},
        {"source": f"models:/{model.name}/1"},
        {"source": f"models:/{model.name}/latest"},
        {"source": f"models:/{model.name}@champion"},
        {"source": f"models:/{model.global_name}/1"},
        {"source": f"models:/{model.global_name}@champion"},
    ]


def test_w05_no_model_version_names_a_foreign_source(perigee, own, foreign, models):
    """No version of one's own model is made of another project's run, files, logged model or model version."""
    mine, theirs = models
    before = _models_state(own.view, mine.name, DEVELOPER)
    state = _foreign_state(foreign)
    for base, name in ((own.view, mine.name), (perigee.global_view, mine.global_name)):
        for fields in _foreign_sources(own, foreign, theirs):
            answer = requests.post(f"{base}{API}/mlflow/model-versions/create", json={"name": name, **fields}, headers=DEVELOPER, timeout=30)
            assert _refusal(answer) in ((400, "INVALID_PARAMETER_VALUE"), (404, "RESOURCE_DOES_NOT_EXIST")), f"{fields}: {answer.text}"
    assert _models_state(own.view, mine.name, DEVELOPER) == before
    assert _foreign_state(foreign) == state


def test_w05_a_foreign_source_looks_like_a_missing_one(own, foreign, models):
    mine, theirs = models
    nobody = Things(foreign.project, foreign.view, "987654321", "nobody", "0" * 32)
    nothing = Model("nobody", theirs.suffix, "m-" + "f" * 32)
    answers = []
    for things, model in ((foreign, theirs), (nobody, nothing)):
        seen = []
        for fields in _foreign_sources(own, things, model):
            answer = requests.post(f"{own.view}{API}/mlflow/model-versions/create", json={"name": mine.name, **fields}, headers=DEVELOPER, timeout=30)
            text = answer.text
            for name in (things.run, model.logged_model, model.name, f"/{things.experiment}/"):
                text = text.replace(name, "<it>")
            seen.append((answer.status_code, text))
        answers.append(seen)
    assert answers[0] == answers[1]


def test_w05_a_version_serves_its_own_files_only(perigee, own, foreign, models):
    """Files come from the version's own place in the project; places elsewhere are shown and never opened."""
    mine, _ = models
    url = f"{own.view}/model-versions/get-artifact"
    good = requests.get(url, params={"name": mine.name, "version": "1", "path": "secret.txt"}, headers=DEVELOPER, timeout=30)
    assert (good.status_code, good.text) == (200, f"file of {PROJECT}")
    for path in (f"../../../{foreign.root}/secret.txt", f"%2e%2e/%2e%2e/%2e%2e/{foreign.root}/secret.txt", f"/{foreign.root}/secret.txt", "..", "nosuch.txt"):
        answer = requests.get(url, params={"name": mine.name, "version": "1", "path": path}, headers=DEVELOPER, timeout=30)
        assert _refusal(answer)[0] in (400, 404), path
    name = f"elsewhere {uuid.uuid4().hex[:8]}"
    post(own.view, "registered-models/create", {"name": name}, DEVELOPER)
    version = post(own.view, "model-versions/create", {"name": name, "source": "s3://bucket/elsewhere"}, DEVELOPER)["model_version"]["version"]
    assert get(own.view, "model-versions/get-download-uri", {"name": name, "version": version}, DEVELOPER) == {"artifact_uri": "s3://bucket/elsewhere"}
    answer = requests.get(url, params={"name": name, "version": version, "path": "secret.txt"}, headers=DEVELOPER, timeout=30)
    assert _refusal(answer) == (400, "INVALID_PARAMETER_VALUE")


def test_w06_a_version_without_a_run_harms_no_search(perigee, own, foreign, models):
    mine, theirs = models
    unique = uuid.uuid4().hex[:8]
    for things, headers in ((own, DEVELOPER), (foreign, OUTSIDER)):
        post(things.view, "registered-models/create", {"name": f"runless {unique}"}, headers)
        post(things.view, "model-versions/create", {"name": f"runless {unique}", "source": "s3://bucket/a"}, headers)

    def found(base: str, headers: dict[str, str], clause: str = "") -> set[str]:
        query = {"filter": clause, "max_results": 100_000}
        return {version["name"] for version in get(base, "model-versions/search", query, headers).get("model_versions", [])}

    assert {mine.name, f"runless {unique}"} <= found(own.view, DEVELOPER)
    assert {mine.global_name, f"runless {unique}{mine.suffix}"} <= found(perigee.global_view, DEVELOPER)
    assert {theirs.name, f"runless {unique}"} <= found(foreign.view, OUTSIDER)
    assert not {name for name in found(perigee.global_view, DEVELOPER) if name.endswith(theirs.suffix)}
    assert not {name for name in found(perigee.global_view, OUTSIDER) if name.endswith(mine.suffix)}
    assert found(own.view, DEVELOPER, f"run_id = '{own.run}'") == {mine.name}
    assert found(own.view, DEVELOPER, f"run_id = '{foreign.run}'") == set()
    assert found(perigee.global_view, DEVELOPER, f"run_id = '{foreign.run}'") == set()


@pytest.fixture(scope="module")
def interleaved(own, foreign) -> str:
    """Six models and experiments in each project, made in turn, so that every page of both projects is mixed."""
    unique = f"mixed {uuid.uuid4().hex[:8]}"
    for index in range(6):
        for things, headers in ((own, DEVELOPER), (foreign, OUTSIDER)):
            name = f"{unique}.{index}"
            post(things.view, "registered-models/create", {"name": name}, headers)
            post(things.view, "model-versions/create", {"name": name, "source": "s3://bucket/a"}, headers)
            post(things.view, "experiments/create", {"name": name}, headers)
    return unique


@pytest.mark.parametrize("size", [1, 2, 4, 6, 100])
@pytest.mark.parametrize(
    ("path", "entities", "order"),
    [
        ("registered-models/search", "registered_models", "name ASC"),
        ("registered-models/search", "registered_models", "timestamp ASC"),
        ("model-versions/search", "model_versions", "name ASC"),
        ("model-versions/search", "model_versions", "creation_timestamp ASC"),
        ("experiments/search", "experiments", "name ASC"),
    ],
)
def test_w07_pages_are_right_where_others_are_hidden(perigee, own, models, interleaved, path, entities, order, size):
    suffix = models[0].suffix
    for base, end in ((own.view, ""), (perigee.global_view, suffix)):
        query = {"filter": f"name LIKE '{interleaved}.%'", "order_by": order, "max_results": size}
        seen, pages = [], 0
        while pages == 0 or query.get("page_token"):
            page = get(base, path, query, DEVELOPER)
            assert len(page.get(entities, [])) <= size
            seen += [entity["name"] for entity in page.get(entities, [])]
            query["page_token"] = page.get("next_page_token")
            pages += 1
        assert seen == [f"{interleaved}.{index}{end}" for index in range(6)]
        assert pages <= -(-6 // size) + 1


def test_w08_a_duplicate_is_said_to_be_one(perigee, own):
    """A second create is RESOURCE_ALREADY_EXISTS, on which clients rely, and shows nothing of the storage."""
    for base, name in ((own.view, own.experiment_name), (perigee.global_view, f"{own.experiment_name} (1)")):
        refused = post(base, "experiments/create", {"name": name}, DEVELOPER, status=400)
        assert refused["error_code"] == "RESOURCE_ALREADY_EXISTS"
        for word in ("SQL", "sqlite", "INSERT", "Dynamo", "Conditional", "Transaction"):
            assert word.lower() not in refused["message"].lower()


def test_w08_a_taken_model_name_is_said_to_be_one(perigee, own, models):
    mine, _ = models
    other = f"other {uuid.uuid4().hex[:8]}"
    post(own.view, "registered-models/create", {"name": other}, DEVELOPER)
    for base, name, second in ((own.view, mine.name, other), (perigee.global_view, mine.global_name, f"{other}{mine.suffix}")):
        for path, body in (("create", {"name": name}), ("rename", {"name": second, "new_name": name})):
            refused = post(base, f"registered-models/{path}", body, DEVELOPER, status=400)
            assert refused["error_code"] == "RESOURCE_ALREADY_EXISTS"
            for word in ("SQL", "sqlite", "INSERT", "UPDATE", "Dynamo", "Conditional", "Transaction"):
                assert word.lower() not in refused["message"].lower()


def test_w09_a_project_tag_moves_no_model(perigee, own, foreign):
    name = f"stays {uuid.uuid4().hex[:8]}"
    post(own.view, "registered-models/create", {"name": name, "tags": [{"key": "project", "value": FOREIGN_PROJECT}]}, DEVELOPER)
    tag = {"name": name, "key": "project", "value": FOREIGN_PROJECT}
    for base, called in ((own.view, name), (perigee.global_view, f"{name} (1)")):
        requests.post(f"{base}{API}/mlflow/registered-models/set-tag", json={**tag, "name": called}, headers=DEVELOPER, timeout=30)
    get(foreign.view, "registered-models/get", {"name": name}, OUTSIDER, status=404)
    assert get(own.view, "registered-models/get", {"name": name}, DEVELOPER)["registered_model"]["name"] == name
    shown = get(perigee.global_view, "registered-models/get", {"name": f"{name} (1)"}, DEVELOPER)["registered_model"]
    assert {"key": "project", "value": PROJECT} in shown["tags"]


def test_w10_every_request_stands_for_itself(own):
    """A session that was let in once lets nobody else in: there is no cookie, and a bad token is refused at once."""
    with requests.Session() as session:
        url, query = f"{own.view}{API}/mlflow/runs/get", {"run_id": own.run}
        good = session.get(url, params=query, headers=DEVELOPER, timeout=30)
        assert good.status_code == 200
        assert "Set-Cookie" not in good.headers
        assert session.get(url, params=query, headers=bearer("garbage"), timeout=30).status_code == 401
        assert session.get(url, params=query, timeout=30).status_code == 401
        assert session.get(url, params=query, headers=OUTSIDER, timeout=30).status_code == 404
        assert session.get(url, params=query, headers=DEVELOPER, timeout=30).status_code == 200


def test_w13_a_read_only_token_does_not_write(perigee, own):
    """The scope of a token counts, not only the role of its owner."""
    for base in (own.view, perigee.global_view):
        get(base, "runs/get", {"run_id": own.run}, READ_ONLY_DEVELOPER)
        refused = post(base, "runs/set-tag", {"run_id": own.run, "key": "k", "value": "v"}, READ_ONLY_DEVELOPER, status=403)
        assert refused["error_code"] == "PERMISSION_DENIED"
        put = requests.put(f"{base}{API}/mlflow-artifacts/artifacts/{own.root}/ro.txt", data=b"x", headers=READ_ONLY_DEVELOPER, timeout=30)
        assert (put.status_code, put.json()["error_code"]) == (403, "PERMISSION_DENIED")


@pytest.mark.parametrize("body", [{}, {"name": None}, {"name": ""}, {"tags": []}, {"name": 7}])
def test_w16_a_missing_name_is_a_clients_mistake(perigee, body):
    """No 500, which clients would repeat for minutes."""
    for base in (perigee.project_view(), perigee.global_view):
        assert post(base, "experiments/create", body, DEVELOPER, status=400)["error_code"] == "INVALID_PARAMETER_VALUE"
        for path in ("experiments/update", "experiments/delete", "runs/create", "runs/log-batch", "runs/delete-tag"):
            assert post(base, path, {}, DEVELOPER, status=400)["error_code"] == "INVALID_PARAMETER_VALUE"


@pytest.mark.parametrize("view", ["project", "global"])
def test_w15_a_renaming_does_not_leave_the_project(perigee, own, foreign, models, view):
    """Whatever the new name says, the model stays where it is, or the renaming is refused."""
    mine, theirs = models
    mark = f"renamed {uuid.uuid4().hex[:8]}"
    post(own.view, "registered-models/create", {"name": mark, "tags": [{"key": "mark", "value": mark}]}, DEVELOPER)
    base = own.view if view == "project" else perigee.global_view
    for new_name in (f"{mark}{theirs.suffix}", f"{mark}{mine.suffix}{theirs.suffix}", f"{mark}{theirs.suffix}\n", f"{mark}x", theirs.global_name, f"{mark} (987654)", mark):
        found = get(base, "registered-models/search", {"filter": f"tags.mark = '{mark}'"}, DEVELOPER)["registered_models"]
        assert len(found) == 1, new_name
        body = {"name": found[0]["name"], "new_name": new_name}
        answer = requests.post(f"{base}{API}/mlflow/registered-models/rename", json=body, headers=DEVELOPER, timeout=30)
        assert answer.status_code in (200, 400, 403, 404), answer.text
        here = get(own.view, "registered-models/search", {"filter": f"tags.mark = '{mark}'"}, DEVELOPER)["registered_models"]
        assert len(here) == 1, new_name
        everywhere = get(perigee.global_view, "registered-models/search", {"filter": f"tags.mark = '{mark}'"}, DEVELOPER)["registered_models"]
        assert [model["name"] for model in everywhere] == [f"{here[0]['name']}{mine.suffix}"], new_name
        for there in (foreign.view, perigee.global_view):
            assert get(there, "registered-models/search", {"filter": f"tags.mark = '{mark}'"}, OUTSIDER) == {}, new_name


@pytest.mark.parametrize("body", [{}, {"name": None}, {"name": ""}, {"name": " "}, {"name": 7}, {"name": ["a"]}])
def test_w16_a_missing_model_name_is_a_clients_mistake(perigee, body):
    """No 500, which clients would repeat for minutes."""
    for base in (perigee.project_view(), perigee.global_view):
        for route in (*_registry_routes("a"), Route("POST", f"{API}/mlflow/registered-models/create", json={})):
            if route.json is not None:
                fields = {key: value for key, value in route.json.items() if key != "name"} | body
                asked = Route(route.method, route.path, json=fields)
            elif not isinstance(body.get("name", ""), str):
                continue
            else:
                asked = Route(route.method, route.path, params={key: value for key, value in route.params.items() if key != "name"} | body)
            assert _refusal(asked.send(base, DEVELOPER)) == (400, "INVALID_PARAMETER_VALUE"), f"{asked} {body}"


@pytest.fixture
def listener():
    """A web server that nobody should ever call, and what it was asked."""
    asked = []

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            asked.append(self.path)
            self.send_response(200)
            self.end_headers()

        do_PUT = do_HEAD = do_DELETE = do_POST = do_GET

        def log_message(self, *args):
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}", asked
    server.shutdown()
    server.server_close()


def test_w17_a_clients_artifact_location_is_never_followed(perigee, own, foreign, listener):
    """Such a place is stored at most; our functions touch neither it nor anything of another project through it."""
    url, asked = listener
    locations = ["s3://somebody/elsewhere", "file:///etc", "/etc", "../../../etc", url, f"{url}/a", f"mlflow-artifacts://{url[7:]}/1"]
    locations += [f"mlflow-artifacts:/{foreign.experiment}", f"mlflow-artifacts:/{foreign.root}", "mlflow-artifacts:/"]
    before = _foreign_state(foreign)
    for location in locations:
        body = {"name": f"elsewhere {uuid.uuid4().hex}", "artifact_location": location}
        made = requests.post(f"{own.view}{API}/mlflow/experiments/create", json=body, headers=DEVELOPER, timeout=30)
        if made.status_code == 400:
            continue
        assert made.status_code == 200, f"{location}: {made.text}"
        assert not location.startswith("mlflow-artifacts:/"), f"{location} is not this experiment's own"
        experiment = made.json()["experiment_id"]
        run = post(own.view, "runs/create", {"experiment_id": experiment, "start_time": 1}, DEVELOPER)["run"]["info"]["run_id"]
        for answer in (
            requests.get(f"{own.view}{API}/mlflow/artifacts/list", params={"run_id": run}, headers=DEVELOPER, timeout=30),
            requests.get(f"{own.view}/get-artifact", params={"run_id": run, "path": "passwd"}, headers=DEVELOPER, timeout=30),
            requests.get(f"{own.view}/get-artifact", params={"run_id": run, "path": "secret.txt"}, headers=DEVELOPER, timeout=30),
        ):
            assert (answer.status_code, answer.json()["error_code"]) == (400, "INVALID_PARAMETER_VALUE"), f"{location}: {answer.status_code} {answer.text}"
    assert asked == []
    assert _foreign_state(foreign) == before


def test_w18_head_tells_a_stranger_nothing(perigee, own, foreign):
    """HEAD is checked as GET is: for a stranger, a file that is there and one that is not look the same."""
    for base in _views(perigee, own, foreign):
        for prefix in (API, TWIN):
            files = f"{base}{prefix}/mlflow-artifacts/artifacts/{foreign.root}"
            answers = [requests.head(f"{files}/{name}", headers=DEVELOPER, timeout=30) for name in ("secret.txt", "nosuch.txt")]
            assert [answer.status_code for answer in answers] == [404, 404]
            plain = [{k: v for k, v in answer.headers.items() if k.lower() not in ("date", "x-request-id")} for answer in answers]
            assert plain[0] == plain[1]
            assert requests.head(f"{files}/secret.txt", timeout=30).status_code == 401


def test_w18_head_tells_a_stranger_nothing_of_models(perigee, own, foreign, models):
    _, theirs = models
    for base, name in ((own.view, theirs.name), (foreign.view, theirs.name), (perigee.global_view, theirs.global_name)):
        there = [route for route in _registry_routes(name) if route.method == "GET"]
        missing = [route for route in _registry_routes(name.replace(theirs.name, "nobody")) if route.method == "GET"]
        for one, other in zip(there, missing):
            assert one.send(base, {}, "HEAD").status_code == 401, one
            answers = [route.send(base, DEVELOPER, "HEAD") for route in (one, other)]
            assert [answer.status_code for answer in answers] == [404, 404], one
            assert all(answer.content == b"" for answer in answers)


def test_w20_every_error_of_the_registry_is_json(perigee, own, models):
    mine, _ = models
    for base, name in ((own.view, mine.name), (perigee.global_view, mine.global_name), (perigee.project_view("no/such"), mine.name)):
        of_versions = [*_registry_routes(name, "999"), *_registry_routes(name, "letters")]
        missing = [route for route in of_versions if "version" in (route.json or route.params)]
        for route in (*_registry_routes(f"nobody {name}"), *missing):
            answer = route.send(base, DEVELOPER)
            if not answer.ok:
                assert _refusal(answer)[0] in (400, 404), route
        for route in _registry_routes(name):
            for headers in ({}, bearer("garbage"), OUTSIDER):
                assert _refusal(route.send(base, headers))[0] in (401, 404), route
            for method in ("PUT", "OPTIONS"):
                answer = route.send(base, DEVELOPER, method)
                assert answer.ok or _refusal(answer)[0] in (404, 405), route


def test_a_guest_of_one_project_is_nobody_in_another(perigee, foreign):
    for path, query in (("runs/get", {"run_id": foreign.run}), ("experiments/get", {"experiment_id": foreign.experiment})):
        for base in (foreign.view, perigee.global_view):
            get(base, path, query, GUEST, status=404)


def test_things_of_one_project_are_not_moved_into_another(perigee, own):
    """A `project` tag of the client's own making changes nothing: ownership is no tag."""
    mine = make_things(perigee, PROJECT, DEVELOPER, f"stays {uuid.uuid4().hex[:8]}")
    requests.post(
        f"{perigee.global_view}{API}/mlflow/experiments/set-experiment-tag",
        json={"experiment_id": mine.experiment, "key": "project", "value": "lab/secret-model"},
        headers=DEVELOPER,
        timeout=30,
    )
    get(perigee.global_view, "experiments/get", {"experiment_id": mine.experiment}, OUTSIDER, status=404)
    stored = get(perigee.global_view, "experiments/get", {"experiment_id": mine.experiment}, DEVELOPER)["experiment"]
    assert {"key": "project", "value": PROJECT} in stored["tags"]
