"""The GitLab stand-in through python-gitlab: who somebody is, what they see and what they may do."""
import base64
import re
import subprocess

import pytest
import requests

from standin import client, gitlab, graphql, status, url  # noqa: F401  (url is a fixture)

DEMO = ["earth/flood-model", "earth/land-cover", "earth/sentinel-patches", "earth/tools/ndvi", "lab/secret-model"]


@pytest.mark.parametrize("account", ["maintainer", "developer", "reporter", "guest", "outsider"])
@pytest.mark.parametrize("suffix", ["", "-ro"])
def test_identity_and_scopes(url, account, suffix):
    gl = client(url, account, suffix)
    gl.auth()
    assert gl.user.username == account
    own = gl.personal_access_tokens.get("self")
    assert own.user_id == gl.user.id
    assert own.scopes == (["read_api"] if suffix else ["api"])
    assert own.active and not own.revoked


def test_bearer_is_a_credential_too(url):
    gl = gitlab.Gitlab(url, oauth_token="glpat-local-guest")
    gl.auth()
    assert gl.user.username == "guest"


def test_a_bad_token_is_401(url):
    gl = gitlab.Gitlab(url, private_token="glpat-nobody")
    with pytest.raises(gitlab.GitlabAuthenticationError) as error:
        gl.auth()
    assert (error.value.response_code, error.value.error_message) == (401, "401 Unauthorized")
    assert status(gl.projects.get, 2) == 401, "also where anonymous callers may read"
    assert status(gitlab.Gitlab(url, job_token="x").projects.get, 2) == 401
    headers = {"Authorization": "Bearer glpat-nobody"}
    answer = requests.post(f"{url}/api/graphql", json={"query": "{ currentUser { id } }"}, headers=headers, timeout=10)
    assert (answer.status_code, answer.json()) == (401, {"errors": [{"message": "Invalid token"}]})


def test_version_and_metadata(url):
    gl = client(url, "guest")
    version, revision = gl.version()
    assert re.fullmatch(r"\d+\.\d+\.\d+", version)
    assert gl.http_get("/metadata")["version"] == version
    assert client(url).version() == ("unknown", "unknown"), "python-gitlab's word for a refusal"


VISIBLE = {
    None: {2, 3},
    "maintainer": {1, 2, 3, 4},
    "developer": {1, 2, 3, 4},
    "reporter": {1, 2, 3, 4},
    "guest": {1, 2, 3, 4},
    "outsider": {2, 3, 4, 5},
}


@pytest.mark.parametrize("account", VISIBLE)
def test_visibility(url, account):
    gl = client(url, account)
    assert {project.id for project in gl.projects.list(get_all=True)} == VISIBLE[account]
    for number, path in enumerate(DEMO, start=1):
        expected = 200 if number in VISIBLE[account] else 404
        assert status(gl.projects.get, number) == expected
        assert status(gl.projects.get, path) == expected
        found = graphql(url, account, "query($p: ID!) { project(fullPath: $p) { id fullPath } }", p=path)["project"]
        assert found == ({"id": f"gid://gitlab/Project/{number}", "fullPath": path} if expected == 200 else None)


def test_a_hidden_project_answers_as_a_missing_one(url):
    gl = client(url, "developer")
    messages = []
    for name in ["lab/secret-model", "lab/no-such", "no-such/at-all", 5, 999]:
        with pytest.raises(gitlab.GitlabGetError) as error:
            gl.projects.get(name)
        messages.append((error.value.response_code, error.value.error_message))
    assert set(messages) == {(404, "404 Project Not Found")}


def test_project_attributes(url):
    project = client(url, "developer").projects.get("earth/tools/ndvi")
    assert (project.id, project.visibility, project.name) == (4, "internal", "NDVI")
    assert project.path_with_namespace == "earth/tools/ndvi"
    assert project.name_with_namespace == "Earth / Tools / NDVI"
    assert project.namespace["full_path"] == "earth/tools"
    assert project.topics == ["sharinghub:processor", "vegetation"]
    assert project.permissions == {
        "project_access": None,
        "group_access": {"access_level": 30, "notification_level": 3},
    }
    assert not hasattr(client(url).projects.get(2), "permissions"), "anonymous callers see less"


@pytest.mark.parametrize("options", [{}, {"pagination": "keyset", "order_by": "id", "sort": "asc"}])
def test_pages(url, options):
    gl = client(url, "guest", per_page=1)
    projects = gl.projects.list(membership=True, iterator=True, **options)
    assert sorted(project.id for project in projects) == [1, 2, 3, 4]


def test_page_totals(url):
    projects = client(url, "guest").projects.list(membership=True, per_page=3, iterator=True)
    assert (projects.total, projects.total_pages, projects.per_page, projects.next_page) == (4, 2, 3, 2)


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({"membership": True}, {5}),
        ({"owned": True}, {5}),
        ({"visibility": "public"}, {2, 3}),
        ({"topic": "sharinghub:aimodel"}, {2, 5}),
        ({"search": "patch"}, {3}),
        ({"min_access_level": gitlab.const.AccessLevel.DEVELOPER}, {5}),
    ],
)
def test_filters(url, options, expected):
    assert {project.id for project in client(url, "outsider").projects.list(get_all=True, **options)} == expected


def test_members(url):
    members = client(url, "guest").projects.get(4).members_all.list(get_all=True)
    levels = {member.username: member.access_level for member in members}
    assert levels == {"maintainer": 40, "developer": 30, "reporter": 20, "guest": 10}


def test_groups(url):
    assert [group.full_path for group in client(url).groups.list(get_all=True)] == ["earth", "earth/tools"]
    outsider = client(url, "outsider")
    assert {group.full_path for group in outsider.groups.list(get_all=True)} == {"earth", "earth/tools", "lab"}
    assert [group.full_path for group in outsider.groups.list(owned=True, get_all=True)] == ["lab"]
    assert client(url, "guest").groups.get("earth/tools").parent_id == client(url).groups.get("earth").id
    assert status(client(url, "guest").groups.get, "lab") == 404


def test_repository(url):
    project = client(url, "reporter").projects.get(1)
    top = project.repository_tree(get_all=True)
    assert [(entry["type"], entry["path"]) for entry in top] == [
        ("tree", "data"),
        ("tree", "src"),
        ("blob", "LICENSE"),
        ("blob", "README.md"),
        ("blob", "model.json"),
        ("blob", "preview.png"),
    ]
    everything = project.repository_tree(recursive=True, per_page=2, iterator=True)
    assert "data/backscatter.csv" in [entry["path"] for entry in everything]
    assert [entry["name"] for entry in project.repository_tree(path="src", get_all=True)] == ["train.py"]

    file = project.files.get("data/backscatter.csv", ref="main")
    raw = project.files.raw("data/backscatter.csv", ref="main")
    assert raw.startswith(b"vv_db,vh_db,water\n")
    assert file.decode() == raw == base64.b64decode(file.content)
    assert (file.size, file.file_name) == (len(raw), "backscatter.csv")
    head = project.files.head("data/backscatter.csv", ref="main")
    assert head["X-Gitlab-Blob-Id"] == file.blob_id
    git = subprocess.run(["git", "hash-object", "--stdin"], input=raw, capture_output=True, check=True)
    assert file.blob_id == git.stdout.decode().strip()
    assert status(project.files.get, "no.csv", ref="main") == 404
    assert status(project.files.get, "README.md", ref="other") == 404


def test_code_of_a_private_project_needs_a_reporter(url):
    guest = client(url, "guest")
    assert status(guest.projects.get(1).repository_tree) == 403
    assert status(guest.projects.get(1).files.raw, "README.md", ref="main") == 403
    assert status(guest.projects.get(2).repository_tree) == 200


PERMISSIONS = {
    "maintainer": (True, True, True, 40, "MAINTAINER"),
    "developer": (True, True, False, 30, "DEVELOPER"),
    "reporter": (True, False, False, 20, "REPORTER"),
    "guest": (False, False, False, 10, "GUEST"),
}


@pytest.mark.parametrize("account", PERMISSIONS)
def test_graphql_permissions(url, account):
    query = """
      query($path: ID!) {
        currentUser { username }
        project(fullPath: $path) {
          userPermissions { downloadCode pushCode adminProject readProject }
          maxAccessLevel { integerValue stringValue }
        }
      }"""
    answer = graphql(url, account, query, path="earth/flood-model")
    assert answer["currentUser"] == {"username": account}
    download, push, admin, number, name = PERMISSIONS[account]
    assert answer["project"] == {
        "userPermissions": {
            "downloadCode": download,
            "pushCode": push,
            "adminProject": admin,
            "readProject": True,
        },
        "maxAccessLevel": {"integerValue": number, "stringValue": name},
    }


def test_graphql_pages(url):
    query = """
      query($after: String) {
        projects(membership: true, first: 3, after: $after, sort: "id_asc") {
          nodes { id }
          pageInfo { hasNextPage endCursor }
        }
      }"""
    ids, after = [], None
    while True:
        page = graphql(url, "developer", query, after=after)["projects"]
        ids += [node["id"] for node in page["nodes"]]
        if not page["pageInfo"]["hasNextPage"]:
            break
        after = page["pageInfo"]["endCursor"]
    assert ids == [f"gid://gitlab/Project/{number}" for number in range(1, 5)]


def test_graphql_errors_come_with_status_200(url):
    answer = requests.post(f"{url}/api/graphql", json={"query": "{ project(fullPath: \"x\") { nope } }"}, timeout=10)
    assert answer.status_code == 200
    assert "nope" in answer.json()["errors"][0]["message"]
    assert "data" not in answer.json()
