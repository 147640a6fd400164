"""The same weaknesses, tried on the model registry, and those that are its own (W5, W6, W7, W15, W20)."""

import uuid
from dataclasses import dataclass

import pytest
import requests

from calls import API, DEVELOPER, GUEST, OUTSIDER, READ_ONLY_DEVELOPER, Route, Things, bearer, get, post, both_views, state_of
from servers import FOREIGN_PROJECT, PROJECT

# No MLflow client takes part, so one of the two environments is enough.
pytestmark = pytest.mark.mlflow3


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


@pytest.mark.parametrize("spelling", ["plain", "global"])
def test_w03_no_route_of_the_registry_lacks_a_check(perigee, own, foreign, models, spelling):
    """Whatever the view and the spelling of its name: nobody gets 401, a foreign model is a missing one."""
    _, theirs = models
    name = theirs.name if spelling == "plain" else theirs.global_name
    before = _models_state(foreign.view, theirs.name, OUTSIDER)
    for base in both_views(perigee, own, foreign):
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
    state = state_of(foreign)
    for base, name in ((own.view, mine.name), (perigee.global_view, mine.global_name)):
        for fields in _foreign_sources(own, foreign, theirs):
            answer = requests.post(f"{base}{API}/mlflow/model-versions/create", json={"name": name, **fields}, headers=DEVELOPER, timeout=30)
            assert _refusal(answer) in ((400, "INVALID_PARAMETER_VALUE"), (404, "RESOURCE_DOES_NOT_EXIST")), f"{fields}: {answer.text}"
    assert _models_state(own.view, mine.name, DEVELOPER) == before
    assert state_of(foreign) == state


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
