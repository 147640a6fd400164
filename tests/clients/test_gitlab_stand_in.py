"""The GitLab stand-in, seen by python-gitlab, a client that we did not write."""

import pytest
import requests

from servers import run_gitlab, token

gitlab = pytest.importorskip("gitlab", reason="python-gitlab is in the environment of MLflow 3 only")


@pytest.fixture(scope="module")
def url():
    with run_gitlab() as url:
        yield url


def _client(url: str, account: str, **options) -> "gitlab.Gitlab":
    return gitlab.Gitlab(url, private_token=token(account), **options)


@pytest.mark.parametrize("account", ["maintainer", "developer", "reporter", "guest", "outsider"])
def test_accounts(url, account):
    client = _client(url, account)
    client.auth()
    assert client.user.username == account


def test_oauth_style_header(url):
    client = gitlab.Gitlab(url, oauth_token=token("developer"))
    client.auth()
    assert client.user.username == "developer"


def test_token_scopes(url):
    assert _client(url, "developer").personal_access_tokens.get("self").scopes == ["api"]
    read_only = gitlab.Gitlab(url, private_token=token("developer", read_only=True))
    assert read_only.personal_access_tokens.get("self").scopes == ["read_api"]


@pytest.mark.parametrize(
    ("number", "path", "visibility"),
    [
        (1, "earth/flood-model", "private"),
        (2, "earth/land-cover", "public"),
        (3, "earth/sentinel-patches", "public"),
        (4, "earth/tools/ndvi", "internal"),
    ],
)
def test_projects(url, number, path, visibility):
    project = _client(url, "developer").projects.get(path)
    assert (project.id, project.path_with_namespace, project.visibility) == (number, path, visibility)
    assert _client(url, "developer").projects.get(number).path_with_namespace == path


def test_a_hidden_project_is_missing(url):
    for project in ("lab/secret-model", 5, "no/such", 999):
        with pytest.raises(gitlab.exceptions.GitlabGetError) as refused:
            _client(url, "developer").projects.get(project)
        assert refused.value.response_code == 404
    assert _client(url, "outsider").projects.get("lab/secret-model").id == 5


def test_a_bad_token_is_refused(url):
    with pytest.raises(gitlab.exceptions.GitlabAuthenticationError) as refused:
        gitlab.Gitlab(url, private_token="glpat-local-nobody").auth()
    assert refused.value.response_code == 401


def test_memberships(url):
    mine = _client(url, "developer").projects.list(membership=True, get_all=True)
    assert {project.path_with_namespace for project in mine} == {"earth/flood-model", "earth/land-cover", "earth/sentinel-patches", "earth/tools/ndvi"}
    theirs = _client(url, "outsider").projects.list(membership=True, get_all=True)
    assert {project.path_with_namespace for project in theirs} == {"lab/secret-model"}


def test_graphql(url):
    query = "query($path: ID!) { project(fullPath: $path) { id fullPath visibility } }"
    answer = requests.post(
        f"{url}/api/graphql",
        json={"query": query, "variables": {"path": "earth/flood-model"}},
        headers={"Authorization": f"Bearer {token('developer')}"},
        timeout=10,
    ).json()
    assert answer["data"]["project"]["fullPath"] == "earth/flood-model"
    assert answer["data"]["project"]["id"] == "gid://gitlab/Project/1"
