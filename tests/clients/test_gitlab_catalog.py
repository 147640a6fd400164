"""What the catalog shows of projects, read from the stand-in by python-gitlab: stars, releases, registries, refs, LFS."""
import re

import pytest

from standin import client, graphql, status, url  # noqa: F401  (url is a fixture)

COMPOSITE = "63c1c2a2a418b031214fe2e8e957a923c85d074547db5141519dca8fe5969e73"


def test_project_facts(url):
    project = client(url, "developer").projects.get("earth/flood-model", license=True)
    assert (project.default_branch, project.empty_repo, project.archived) == ("main", False, False)
    assert (project.created_at, project.last_activity_at) == ("2025-02-03T09:12:44.000Z", "2025-06-11T07:45:02.000Z")
    assert (project.license["key"], project.license["name"]) == ("apache-2.0", "Apache License 2.0")
    assert project.license_url == f"{url}/earth/flood-model/-/blob/main/LICENSE"
    assert project.repository_access_level == "enabled"
    plain = client(url, "developer").projects.get("earth/flood-model")
    assert not hasattr(plain, "license"), "only who asks is told"
    assert client(url, "guest").projects.get(4, license=True).license["key"] == "mit"
    assert client(url, "guest").projects.get(2, license=True).license is None
    assert not hasattr(client(url, "guest").projects.get(1, license=True), "license"), "it is part of the code"


def test_projects_of_a_topic_by_keyset(url):
    gl = client(url, "catalog")
    options = {"topic": "sharinghub:aimodel", "order_by": "id", "sort": "asc", "pagination": "keyset"}
    assert [project.id for project in gl.projects.list(get_all=True, per_page=2, **options)] == [1, 2, 5]
    assert [project.id for project in gl.projects.list(get_all=True, id_after=1, **options)] == [2, 5]
    assert gl.projects.list(get_all=True, **{**options, "topic": "sharinghub"}) == []


def test_order_by_activity_and_stars(url):
    gl = client(url, "guest")
    ids = [project.id for project in gl.projects.list(order_by="last_activity_at", get_all=True)]
    assert ids == [1, 2, 3, 4]
    ids = [project.id for project in gl.projects.list(order_by="star_count", get_all=True)]
    assert ids[:2] == [2, 1]


def test_stars(url):
    gl = client(url, "reporter")
    gl.auth()
    project = gl.projects.get(3)
    before = project.star_count
    project.star()
    try:
        assert gl.projects.get(3).star_count == before + 1
        assert [starred.id for starred in gl.projects.list(starred=True, get_all=True)] == [3]
        own = gl.users.get(gl.user.id, lazy=True).starred_projects.list(get_all=True)
        assert [starred.id for starred in own] == [3]
        answer = graphql(url, "reporter", "{ currentUser { starredProjects { count nodes { fullPath } } } }")
        assert answer["currentUser"]["starredProjects"] == {"count": 1, "nodes": [{"fullPath": "earth/sentinel-patches"}]}
    finally:
        project.unstar()
    assert gl.projects.get(3).star_count == before
    assert status(client(url, "reporter", "-ro").projects.get(3, lazy=True).star) == 403


def test_releases(url):
    project = client(url, "developer").projects.get(1)
    releases = project.releases.list(get_all=True)
    assert [(release.tag_name, release.name) for release in releases] == [("v1.1.0", "Summer floods"), ("v1.0.0", "First")]
    assert releases[0].description == "Fitted anew with the samples of July 2021."
    assert project.releases.get("v1.0.0").released_at == "2025-03-01T12:00:00.000Z"
    assert status(project.releases.get, "v9") == 404
    hidden = client(url, "guest").projects.get(1).releases.list(get_all=True)
    assert not any("tag_name" in release.attributes for release in hidden), "the tag is part of the code"
    assert client(url).projects.get(2).releases.list(get_all=True)[0].tag_name == "2025.1"


def test_packages(url):
    project = client(url, "developer").projects.get(1)
    packages = project.packages.list(order_by="created_at", sort="desc", get_all=True)
    assert [(package.name, package.version) for package in packages] == [("flood-model", "1.1.0"), ("flood-model", "1.0.0")]
    assert {package.package_type for package in packages} == {"pypi"}
    assert packages[0]._links["web_path"].startswith("/earth/flood-model/-/packages/")
    assert project.packages.list(package_type="maven", get_all=True) == []
    assert status(client(url, "guest").projects.get(1).packages.list) == 403


def test_container_images(url):
    project = client(url, "developer").projects.get(1)
    (image,) = project.repositories.list(get_all=True)
    assert (image.name, image.location) == ("predict", "registry.example.com/earth/flood-model/predict")
    assert [tag.name for tag in image.tags.list(get_all=True)] == ["latest", "v1.0.0", "v1.1.0"], "by name"
    query = """
      query($id: ContainerRepositoryID!) {
        containerRepository(id: $id) { name tags(first: 2, sort: PUBLISHED_AT_DESC) { nodes { name } } }
      }"""
    gid = f"gid://gitlab/ContainerRepository/{image.id}"
    found = graphql(url, "developer", query, id=gid)["containerRepository"]
    assert found == {"name": "predict", "tags": {"nodes": [{"name": "latest"}, {"name": "v1.1.0"}]}}, "newest first"
    assert graphql(url, "guest", query, id=gid) == {"containerRepository": None}
    assert status(client(url, "guest").projects.get(1).repositories.list) == 403


def test_topics(url):
    topics = {topic.name: topic.total_projects_count for topic in client(url).topics.list(get_all=True)}
    assert topics["sentinel-2"] == 2
    assert topics["flood"] == 0, "private projects are not counted"
    assert [topic.name for topic in client(url).topics.list(search="land", get_all=True)] == ["land-cover"]


@pytest.mark.parametrize("paging", [{}, {"pagination": "keyset", "order_by": "id"}])
def test_trees_in_pages(url, paging):
    project = client(url, "developer").projects.get(1)
    whole = [entry["path"] for entry in project.repository_tree(recursive=True, get_all=True)]
    paged = project.repository_tree(recursive=True, per_page=3, iterator=True, **paging)
    assert [entry["path"] for entry in paged] == whole
    assert whole == ["data", "src", "LICENSE", "README.md", "data/backscatter.csv", "model.json", "preview.png", "src/train.py"]


@pytest.mark.parametrize("reference", ["main", "HEAD", "v1.0.0", "refs/heads/main", "refs/tags/v1.1.0"])
def test_refs(url, reference):
    project = client(url, "developer").projects.get(1)
    commit = project.files.get("model.json", ref="main").commit_id
    assert re.fullmatch("[0-9a-f]{40}", commit)
    assert project.files.get("model.json", ref=reference).commit_id == commit
    assert project.files.get("model.json", ref=commit).commit_id == commit
    assert status(project.files.get, "model.json", ref="v1") == 404


def test_lfs(url):
    project = client(url).projects.get(3)
    paths = [entry["path"] for entry in project.repository_tree(recursive=True, get_all=True)]
    assert "patches/composite.tif" in paths and not any(".lfs" in path for path in paths)
    pointer = project.files.raw("patches/composite.tif", ref="main").decode()
    assert pointer == f"version https://git-lfs.github.com/spec/v1\noid sha256:{COMPOSITE}\nsize 7192\n"
    query = """
      query($path: ID!, $paths: [String!]!) {
        project(fullPath: $path) { repository { blobs(paths: $paths, ref: "main") { nodes { size rawSize lfsOid } } } }
      }"""
    answer = graphql(url, None, query, path="earth/sentinel-patches", paths=["patches/composite.tif", "none"])
    (blob,) = answer["project"]["repository"]["blobs"]["nodes"]
    assert blob == {"size": str(len(pointer)), "rawSize": "7192", "lfsOid": COMPOSITE}
    hidden = graphql(url, "guest", query, path="earth/flood-model", paths=["README.md"])
    assert hidden["project"] == {"repository": None}
