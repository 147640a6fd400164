"""The catalog while it changes, and closed to visitors."""

from __future__ import annotations

import time

import pytest
import requests

pytest.importorskip("pystac_client", reason="the environment of the catalog's tests has it")

from catalog_world import CALLERS, Catalog, run_catalog  # noqa: E402

# How long the stand-in's changes may take to reach every page.
SECONDS = 20


@pytest.fixture(scope="module")
def changing() -> Catalog:
    """A hub whose projects are edited here."""
    with run_catalog() as catalog:
        yield catalog


def eventually(question, seconds: float = SECONDS):
    """The first answer that is true."""
    deadline = time.monotonic() + seconds
    while not (answer := question()) and time.monotonic() < deadline:
        time.sleep(0.2)
    return answer


def project_of(catalog: Catalog, visibility: str):
    return next(
        one
        for one in catalog.world.projects
        if one.visibility == visibility
        and one.id > 100
        and not one.code_is_for_members
        and (catalog.folder / one.path).is_dir()
    )


def test_an_edited_readme_shows_up_everywhere(changing):
    project = project_of(changing, "public")
    path = f"/collections/{project.categories[0]}/items/{project.path}"
    before = changing.ask(path)
    other = changing.ask("/collections/dataset/items/earth/sentinel-patches")
    readme = changing.folder / project.path / "README.md"
    readme.write_text(
        "---\ntitle: Edited just now\nextent:\n  spatial: [100, -5, 101, -4]\n---\n\nZephyrs everywhere.\n"
    )
    assert eventually(lambda: changing.ask(path).json()["properties"]["title"] == "Edited just now")
    after = changing.ask(path, headers={"If-None-Match": before.headers["etag"]})
    assert after.status_code == 200 and after.headers["etag"] != before.headers["etag"]
    assert changing.ask(path, headers={"If-None-Match": after.headers["etag"]}).status_code == 304
    for parameters in ({"q": "zephyrs"}, {"bbox": "100.4,-4.6,100.5,-4.5"}, {"filter": "title = 'Edited just now'"}):
        ids = lambda: {
            one["id"] for one in changing.ask("/search", params=parameters).json()["features"]
        }  # noqa: B023, E731
        assert eventually(lambda: ids() == {project.path}), parameters  # noqa: B023
    unchanged = changing.ask("/collections/dataset/items/earth/sentinel-patches")
    assert unchanged.headers["etag"] == other.headers["etag"]


def test_a_readme_that_breaks_breaks_nothing_else(changing):
    project = project_of(changing, "internal")
    path = f"/collections/{project.categories[0]}/items/{project.path}"
    readme = changing.folder / project.path / "README.md"
    for text in (
        b"---\n[[[\n---\n",
        b"\xff\xfe\x00 no text",
        b"---\n- 1\n---",
        b"---\n&a [*a, *a]\n---",
        b"",
        b"---\n" + b"a: {" * 5000 + b"\n---\nBroken for good.",
    ):
        readme.write_bytes(text)
    assert eventually(
        lambda: "Broken for good" in changing.ask(path, "developer").json()["properties"].get("description", "")
    )
    item = changing.ask(path, "developer").json()
    assert item["properties"]["sharinghub:warnings"]
    page = changing.ask("/search?limit=1000", "developer").json()
    assert page["numberReturned"] == page["numberMatched"] == len(changing.world.visible("developer"))


def test_paging_goes_on_while_items_change(changing):
    """No item comes twice and none is left out, although one of them changes at every step."""
    project = project_of(changing, "private")
    readme = changing.folder / project.path / "README.md"
    seen = []
    answer = changing.ask("/search?limit=3&sortby=id", "maintainer").json()
    for turn in range(100):
        seen += [(one["collection"], one["id"]) for one in answer["features"]]
        readme.write_text(f"---\ntitle: Turn {turn}\n---\n")
        following = [link["href"] for link in answer["links"] if link["rel"] == "next"]
        if not following:
            break
        answer = changing.ask(following[0], "maintainer").json()
    assert len(seen) == len(set(seen)) and set(seen) == changing.world.visible("maintainer").keys()


@pytest.fixture(scope="module")
def closed() -> Catalog:
    """A hub without anonymous visitors."""
    with run_catalog({"PERIGEE_ANONYMOUS": "false"}) as catalog:
        yield catalog


def test_a_closed_catalog_asks_for_a_token(closed):
    paths = [
        "",
        "/",
        "/collections",
        "/collections/aimodel",
        "/collections/aimodel/items",
        "/collections/aimodel/items/earth/land-cover",
        "/search",
        "/children",
        "/queryables",
    ]
    for path in paths:
        for method in ("GET", "HEAD"):
            answer = closed.ask(path, method=method)
            assert answer.status_code == 401, f"{method} {path}"
            assert "www-authenticate" in answer.headers
        assert "token" in closed.ask(path).json()["detail"].lower()
        assert closed.ask(path, "outsider").status_code == 200
    assert closed.ask("/search", method="POST", json={}).status_code == 401
    assert requests.options(
        f"{closed.root}/search", headers={"Origin": "https://x.org", "Access-Control-Request-Method": "GET"}, timeout=30
    ).status_code in (200, 204)


def test_a_closed_catalog_shows_callers_the_same(closed, changing):
    for caller in CALLERS:
        if CALLERS[caller]:
            found = closed.ask("/search?limit=1000", caller).json()["features"]
            assert {(one["collection"], one["id"]) for one in found} == closed.world.visible(caller).keys()
