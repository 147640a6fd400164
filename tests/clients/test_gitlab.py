"""The hub and GitLab: what it asks, how often, and that a project's number owns the data, not its path."""

import time
import uuid

import pytest
import requests

from calls import API, DEVELOPER, MAINTAINER, OUTSIDER, REPORTER, bearer, get, make_things, post
from gitlab_gate import open_gate
from servers import PROJECT, run_gitlab, run_perigee, token


# No MLflow client takes part, so one of the two environments is enough.
pytestmark = pytest.mark.mlflow3


@pytest.fixture(scope="module")
def gitlab_url():
    with run_gitlab() as url:
        yield url


@pytest.fixture
def gate(gitlab_url):
    with open_gate(gitlab_url) as gate:
        yield gate


@pytest.fixture
def hub(gate):
    """A hub of its own, so that nothing is remembered from another test."""
    with run_perigee("--gitlab", gate.url) as hub:
        yield hub


def _status(hub, headers, run) -> int:
    url = f"{hub.project_view()}{API}/mlflow/runs/get"
    return requests.get(url, params={"run_id": run}, headers=headers, timeout=30).status_code


def test_w09_a_renamed_project_keeps_its_data(gate, hub):
    """The owner is GitLab's number: after a move the data are at the new path, and not at the old one."""
    mine = make_things(hub, PROJECT, DEVELOPER, f"moving {uuid.uuid4().hex[:8]}")
    gate.renamed["earth/water-model"] = PROJECT
    # Another account, about whom nothing is remembered yet.
    moved = hub.project_view("earth/water-model")
    assert get(moved, "runs/get", {"run_id": mine.run}, MAINTAINER)["run"]["info"]["run_id"] == mine.run
    assert get(moved, "experiments/get-by-name", {"experiment_name": mine.experiment_name}, MAINTAINER)["experiment"]["experiment_id"] == mine.experiment
    file = requests.get(f"{moved}/get-artifact", params={"path": "secret.txt", "run_id": mine.run}, headers=MAINTAINER, timeout=30)
    assert file.text == f"file of {PROJECT}"
    assert _status(hub, REPORTER, mine.run) == 404

    # A new project at the old path starts empty.
    del gate.renamed["earth/water-model"]
    gate.renamed[PROJECT] = "earth/tools/ndvi"
    fresh = bearer(token("guest"))
    get(hub.project_view(), "runs/get", {"run_id": mine.run}, fresh, status=404)
    get(hub.project_view(), "experiments/get-by-name", {"experiment_name": mine.experiment_name}, fresh, status=404)


def test_w09_a_renamed_project_keeps_its_models(gate, hub):
    name = f"moving {uuid.uuid4().hex[:8]}"
    post(hub.project_view(), "registered-models/create", {"name": name}, DEVELOPER)
    post(hub.project_view(), "model-versions/create", {"name": name, "source": "s3://bucket/a"}, DEVELOPER)
    gate.renamed["earth/water-model"] = PROJECT
    moved = hub.project_view("earth/water-model")
    assert get(moved, "registered-models/get", {"name": name}, MAINTAINER)["registered_model"]["name"] == name
    assert len(get(moved, "model-versions/search", {"filter": f"name = '{name}'"}, MAINTAINER)["model_versions"]) == 1

    # A new project at the old path starts empty.
    del gate.renamed["earth/water-model"]
    gate.renamed[PROJECT] = "earth/tools/ndvi"
    fresh = bearer(token("guest"))
    get(hub.project_view(), "registered-models/get", {"name": name}, fresh, status=404)
    assert get(hub.project_view(), "model-versions/search", {}, fresh) == {}


def test_w11_a_refusal_is_forgotten_soon(gate, hub):
    """A token that GitLab does not know yet, and knows a moment later, is let in within seconds."""
    mine = make_things(hub, PROJECT, MAINTAINER, "refused")
    gate.refused_tokens.add(token("developer"))
    assert _status(hub, DEVELOPER, mine.run) == 401
    gate.refused_tokens.clear()
    deadline = time.monotonic() + 8
    while _status(hub, DEVELOPER, mine.run) != 200:
        assert time.monotonic() < deadline, "still refused"
        time.sleep(0.25)


def test_w12_gitlab_is_not_asked_at_every_request(gate, hub):
    """Who the caller is and what they may do is asked once, and remembered for a short time."""
    mine = make_things(hub, PROJECT, DEVELOPER, "often")
    gate.calls.clear()
    for _ in range(25):
        assert _status(hub, REPORTER, mine.run) == 200
    assert 1 <= len(gate.calls) <= 5, gate.calls


def test_w22_a_search_asks_gitlab_about_projects_not_about_models(gate, hub):
    """However many models there are, a search costs GitLab the same."""
    asked = []
    for amount in (2, 20):
        for index in range(amount):
            name = f"many {amount} {index}"
            post(hub.project_view(), "registered-models/create", {"name": name}, DEVELOPER)
            post(hub.project_view(), "model-versions/create", {"name": name, "source": "s3://bucket/a"}, DEVELOPER)
        gate.calls.clear()
        for path, entities in (("registered-models/search", "registered_models"), ("model-versions/search", "model_versions")):
            found = get(hub.global_view, path, {"filter": f"name LIKE 'many {amount} %'"}, DEVELOPER)
            assert len(found[entities]) == amount
        asked.append(len(gate.calls))
    assert max(asked) <= 6, asked


def test_strangers_cost_the_same_number_of_calls_everywhere(gate, hub):
    """A hidden project and a missing one cannot be told apart by what GitLab is asked."""
    mine = make_things(hub, PROJECT, DEVELOPER, "hidden")
    asked = []
    for project in (PROJECT, "earth/no-such-thing"):
        before = len(gate.calls)
        url = f"{hub.project_view(project)}{API}/mlflow/runs/get"
        assert requests.get(url, params={"run_id": mine.run}, headers=OUTSIDER, timeout=30).status_code == 404
        time.sleep(6)
        assert requests.get(url, params={"run_id": mine.run}, headers=OUTSIDER, timeout=30).status_code == 404
        asked.append(len(gate.calls) - before)
    # The first question also asks who the caller is.
    assert asked[0] - asked[1] in (0, 1, 2), asked


def test_without_gitlab_nobody_new_is_let_in(gate, hub):
    """GitLab out of reach: 503, which clients repeat, and no access."""
    gate.is_down = True
    answer = requests.get(f"{hub.project_view()}{API}/mlflow/runs/get", params={"run_id": "0" * 32}, headers=DEVELOPER, timeout=60)
    assert (answer.status_code, answer.json()["error_code"]) == (503, "TEMPORARILY_UNAVAILABLE")
    assert "Retry-After" in answer.headers
    assert post(hub.project_view(), "runs/search", {}, {}, status=401)["error_code"] == "UNAUTHENTICATED"
