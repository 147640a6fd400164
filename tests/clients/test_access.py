"""Who may do what, seen from outside: every route, as nobody, stranger, reader and writer."""

import base64
import uuid

import pytest
import requests

from calls import (
    API,
    DEVELOPER,
    GUEST,
    MAINTAINER,
    OUTSIDER,
    READ_ONLY_DEVELOPER,
    REPORTER,
    TWIN,
    Route,
    all_routes,
    bearer,
    get,
    make_own_and_foreign,
    make_things,
    post,
)
from servers import PROJECT, PUBLIC_PROJECT, token

# No MLflow client takes part, so one of the two environments is enough.
pytestmark = pytest.mark.mlflow3

WRITERS = {"developer": DEVELOPER, "maintainer": MAINTAINER}
READERS = {"guest": GUEST, "reporter": REPORTER, "read-only token of a developer": READ_ONLY_DEVELOPER}


@pytest.fixture(scope="module")
def things(perigee):
    return make_own_and_foreign(perigee, uuid.uuid4().hex[:8])


@pytest.fixture(scope="module")
def own(things):
    return things[0]


@pytest.fixture(scope="module")
def foreign(things):
    return things[1]


def _error(answer: requests.Response) -> tuple[int, str | None]:
    assert answer.headers["Content-Type"].startswith("application/json"), answer.text
    assert answer.json()["message"], "an error says what is wrong"
    return answer.status_code, answer.json()["error_code"]


def _wrong(answers: dict[Route, tuple]) -> list[str]:
    return [f"{route}: {seen}" for route, seen in answers.items()]


def test_nobody_gets_401(own):
    wrong = {}
    for route in all_routes(own):
        answer = route.send(own.view, {})
        if _error(answer) != (401, "UNAUTHENTICATED") or answer.headers.get("WWW-Authenticate") != 'Bearer realm="mlflow"':
            wrong[str(route)] = answer.status_code, answer.text[:200], answer.headers.get("WWW-Authenticate")
    assert not wrong


def test_nobody_may_ask_how_the_server_is(perigee, own):
    for base in (perigee.global_view, own.view):
        assert requests.get(f"{base}/health", timeout=10).text == "OK"
        assert requests.get(f"{base}/version", timeout=10).text == "3.17.2"
        for prefix in ("/api/3.0", "/ajax-api/3.0"):
            assert requests.get(f"{base}{prefix}/mlflow/server-info", timeout=10).json()["store_type"] == "SqlStore"


def _basic(name: str, password: str) -> dict[str, str]:
    return {"Authorization": "Basic " + base64.b64encode(f"{name}:{password}".encode()).decode()}


@pytest.mark.parametrize(
    "carry",
    [
        bearer,
        lambda value: {"Authorization": f"bearer {value}"},
        lambda value: {"X-Gitlab-Token": value},
        lambda value: {"PRIVATE-TOKEN": value},
        lambda value: _basic("developer", value),
        lambda value: _basic("", value),
        lambda value: _basic("whatever", value),
    ],
    ids=["Bearer", "bearer", "X-Gitlab-Token", "PRIVATE-TOKEN", "Basic", "Basic without name", "Basic with any name"],
)
def test_every_way_to_carry_a_token(own, carry):
    route = Route("GET", f"{API}/mlflow/runs/get", params={"run_id": own.run})
    good = route.send(own.view, carry(token("developer")))
    assert (good.status_code, good.json()["run"]["info"]["run_id"]) == (200, own.run)
    assert _error(route.send(own.view, carry("glpat-local-nobody"))) == (401, "UNAUTHENTICATED")
    assert _error(route.send(own.view, carry(""))) == (401, "UNAUTHENTICATED")


@pytest.mark.parametrize(
    "headers",
    [
        bearer("glpat-local-developerx"),
        bearer("glpat-local-developer glpat-local-developer"),
        bearer("x" * 5_000),
        {"Authorization": "Bearer"},
        {"Authorization": "Digest abc"},
        {"Authorization": "Basic !!!"},
        {"Authorization": "Basic " + base64.b64encode(b"no colon").decode()},
        {"Authorization": "Basic " + base64.b64encode(b"\xff\xfe:\xff").decode()},
        {"Cookie": "mlflow-session=glpat-local-developer"},
    ],
    ids=["unknown", "two tokens", "very long", "Bearer alone", "Digest", "no base64", "Basic without colon", "Basic not utf-8", "cookie"],
)
def test_a_bad_credential_gets_401(own, headers):
    for route in all_routes(own):
        assert _error(route.send(own.view, headers)) == (401, "UNAUTHENTICATED"), route


def test_a_stranger_gets_404(own):
    answers = {str(route): _error(route.send(own.view, OUTSIDER)) for route in all_routes(own)}
    assert {seen for seen in answers.values()} == {(404, "RESOURCE_DOES_NOT_EXIST")}, answers


def _comparable(answer: requests.Response, *names: str) -> tuple:
    text = answer.text
    for name in names:
        text = text.replace(name, "<name>")
    headers = {k.lower(): v for k, v in answer.headers.items() if k.lower() not in ("date", "content-length", "x-request-id", "x-amzn-requestid")}
    return answer.status_code, text, headers


def test_a_hidden_project_looks_like_a_missing_one(perigee, own):
    missing = "earth/no-such-thing"
    for route in all_routes(own):
        hidden = _comparable(route.send(own.view, OUTSIDER), own.project)
        nothing = _comparable(route.send(perigee.project_view(missing), OUTSIDER), missing)
        assert hidden == nothing, route


def test_a_foreign_thing_looks_like_a_missing_one(own, foreign):
    """In one's own project view, an id of another project's and an id of nobody's are answered alike."""
    nobody = foreign.__class__(foreign.project, foreign.view, "987654321", "no such experiment", "0" * 32)
    for theirs, nothing in zip(all_routes(foreign), all_routes(nobody)):
        seen = _comparable(theirs.send(own.view, DEVELOPER), foreign.run, foreign.experiment)
        expected = _comparable(nothing.send(own.view, DEVELOPER), nobody.run, nobody.experiment)
        assert seen == expected, theirs
        assert f"of {foreign.project}" not in seen[1]


@pytest.mark.parametrize("role", READERS)
def test_a_reader_reads_and_does_not_write(own, role):
    before = get(own.view, "runs/get", {"run_id": own.run}, DEVELOPER)
    wrong = {}
    for route in all_routes(own):
        answer = route.send(own.view, READERS[role])
        good = answer.status_code == 200 if not route.writes else _error(answer) == (403, "PERMISSION_DENIED")
        if not good:
            wrong[str(route)] = answer.status_code, answer.text[:200]
    assert not wrong
    assert get(own.view, "runs/get", {"run_id": own.run}, DEVELOPER) == before


@pytest.mark.parametrize("role", WRITERS)
def test_a_writer_writes(perigee, role):
    mine = make_things(perigee, PROJECT, WRITERS[role], f"written {uuid.uuid4().hex[:8]}")
    wrong = {}
    for route in all_routes(mine):
        answer = route.send(mine.view, WRITERS[role])
        if answer.status_code != 200 and not route.path.endswith("/experiments/restore"):
            wrong[str(route)] = answer.status_code, answer.text[:200]
    assert not wrong


def test_a_reader_does_not_create_experiments(perigee):
    for headers in READERS.values():
        refused = post(perigee.project_view(), "experiments/create", {"name": f"x {uuid.uuid4().hex}"}, headers, status=403)
        assert refused["error_code"] == "PERMISSION_DENIED"


def test_a_public_project_is_read_by_strangers_and_not_written(perigee):
    public = make_things(perigee, PUBLIC_PROJECT, DEVELOPER, f"public {uuid.uuid4().hex[:8]}")
    for route in all_routes(public):
        answer = route.send(public.view, OUTSIDER)
        expected = (403, "PERMISSION_DENIED") if route.writes else (200, None)
        assert (answer.status_code, None if answer.ok else answer.json()["error_code"]) == expected, route
        assert route.send(public.view, {}).status_code == 401, route


def test_head_passes_the_same_check(own, foreign):
    for route in all_routes(own):
        if route.method != "GET":
            continue
        assert route.send(own.view, {}, "HEAD").status_code == 401, route
        assert route.send(own.view, OUTSIDER, "HEAD").status_code == 404, route
        answer = route.send(own.view, GUEST, "HEAD")
        assert (answer.status_code, answer.content) == (200, b""), route
    for route in all_routes(foreign):
        if route.method == "GET" and "bulk" not in route.path:
            assert route.send(own.view, DEVELOPER, "HEAD").status_code == route.send(own.view, DEVELOPER).status_code, route


@pytest.mark.parametrize("encoded", ["earth%2Fflood-model", "earth%2fflood-model"])
def test_the_project_path_may_be_encoded(perigee, own, encoded):
    route = Route("GET", f"{TWIN}/mlflow/runs/get", params={"run_id": own.run})
    base = f"{perigee.root}/mlflow/{encoded}/tracking"
    assert route.send(base, DEVELOPER).json()["run"]["info"]["run_id"] == own.run
    assert route.send(base, OUTSIDER).status_code == 404


def test_global_view(perigee, own, foreign):
    """Without a project in the URL an id decides, and everything shows its owner."""
    mine = get(perigee.global_view, "experiments/get", {"experiment_id": own.experiment}, DEVELOPER)["experiment"]
    assert mine["name"] == f"{own.experiment_name} (1)"
    assert {"key": "project", "value": own.project} in mine["tags"]
    assert get(perigee.global_view, "runs/get", {"run_id": own.run}, GUEST)["run"]["info"]["run_id"] == own.run
    for theirs in (foreign.experiment, "987654321", "0"):
        missing = get(perigee.global_view, "experiments/get", {"experiment_id": theirs}, DEVELOPER, status=404)
        assert missing["error_code"] == "RESOURCE_DOES_NOT_EXIST"
    seen = all_routes(own)
    for route in seen:
        assert route.send(perigee.global_view, {}).status_code == 401, route
        stranger = route.send(perigee.global_view, OUTSIDER)
        assert stranger.status_code == 404 or stranger.json() in ({}, {"metrics": []}), route
        if route.writes:
            assert _error(route.send(perigee.global_view, GUEST)) == (403, "PERMISSION_DENIED"), route


def test_a_global_create_names_its_project(perigee):
    name = f"global {uuid.uuid4().hex[:8]}"
    by_suffix = post(perigee.global_view, "experiments/create", {"name": f"{name} (1)"}, DEVELOPER)["experiment_id"]
    stored = get(perigee.project_view(), "experiments/get", {"experiment_id": by_suffix}, DEVELOPER)["experiment"]
    assert stored["name"] == name
    assert "tags" not in stored, "the owner shows in the global view only"
    for value in (PROJECT, "1"):
        body = {"name": f"{name} tagged {value}", "tags": [{"key": "project", "value": value}]}
        made = post(perigee.global_view, "experiments/create", body, DEVELOPER)["experiment_id"]
        get(perigee.project_view(), "experiments/get", {"experiment_id": made}, DEVELOPER)
    assert post(perigee.global_view, "experiments/create", {"name": name}, DEVELOPER, status=400)["error_code"] == "INVALID_PARAMETER_VALUE"
    post(perigee.global_view, "experiments/create", {"name": f"{name} (5)"}, DEVELOPER, status=404)
    post(perigee.global_view, "experiments/create", {"name": f"{name} guest (1)"}, GUEST, status=403)


def test_a_global_search_covers_the_callers_projects(perigee, own, foreign):
    found = post(perigee.global_view, "experiments/search", {"max_results": 1000}, DEVELOPER)["experiments"]
    ids = {experiment["experiment_id"] for experiment in found}
    assert own.experiment in ids and foreign.experiment not in ids
    theirs = post(perigee.global_view, "experiments/search", {"max_results": 1000}, OUTSIDER)["experiments"]
    ids = {experiment["experiment_id"] for experiment in theirs}
    assert foreign.experiment in ids and own.experiment not in ids
