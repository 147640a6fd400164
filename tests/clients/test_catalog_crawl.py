"""The whole catalog, walked link by link as each caller: nothing is broken, nothing is told that GitLab would not tell."""

from __future__ import annotations

import itertools

import pytest
import requests

pytest.importorskip("pystac_client", reason="the environment of the catalog's tests has it")

from catalog_world import CALLERS, COLLECTIONS, Catalog  # noqa: E402
from stac_crawler import Crawler, Tally  # noqa: E402

SORTABLE = [
    "id",
    "collection",
    "title",
    "datetime",
    "created",
    "updated",
    "start_datetime",
    "end_datetime",
    "sharinghub:stars",
]
ORDERS = [sign + name for name in SORTABLE for sign in ("", "-")] + [
    "-sharinghub:stars,+collection,-id",
    "title,-datetime",
]
total = Tally()


@pytest.fixture(scope="module", autouse=True)
def count(request):
    """Says at the end how much was checked."""
    yield
    with request.config.pluginmanager.getplugin("capturemanager").global_and_fixture_disabled():
        print(f"\n{total.checks} checks of the catalog, {sum(total.failures.values())} failed")


@pytest.fixture
def tally(capsys):
    """Counts the checks of one test, fails it if one failed, and says how many there were."""
    own = Tally()
    yield own
    total.checks += own.checks
    total.failures += own.failures
    with capsys.disabled():
        print(f" [{own.checks} checks]", end="")
    own.verdict()


def pages(crawler: Crawler, tally: Tally, url: str, body: dict | None = None) -> list[list[dict]]:
    """All pages forwards; on the way back the same ones must come again."""

    def ask(link: dict) -> requests.Response:
        return crawler.ask(
            link["href"], link.get("method", "GET"), **({"json": link["body"]} if "body" in link else {})
        )

    documents, link = [], {"href": url} | ({"method": "POST", "body": body} if body is not None else {})
    while link:
        answer = ask(link)
        if not tally.that(answer.status_code == 200, link, "is", answer.status_code, answer.text):
            return []
        documents.append(answer.json())
        link = next((link for link in documents[-1]["links"] if link["rel"] == "next"), None)
        assert len(documents) < 500, f"{url} has no end"
    tally.that(not any(link["rel"] == "prev" for link in documents[0]["links"]), url, "has a page before the first")
    for expected, later in zip(reversed(documents[:-1]), reversed(documents[1:])):
        back = next((link for link in later["links"] if link["rel"] == "prev"), None)
        if tally.that(back is not None, url, "has no way back"):
            before = ask(back).json()
            tally.that(before["features"] == expected["features"], url, "shows another page on the way back")
            tally.that(before["numberMatched"] == expected["numberMatched"], url, "counts otherwise on the way back")
    for document in (documents[0], documents[-1]):
        own = next(link for link in document["links"] if link["rel"] == "self")
        tally.that(ask(own).json() == document, url, "differs from what its self link leads to", own)
    for document in documents:
        tally.that(document["numberMatched"] == documents[0]["numberMatched"], url, "counts otherwise on another page")
        tally.that(bool(document["features"]) or len(documents) == 1, url, "has an empty page")
    return [document["features"] for document in documents]


def key(feature: dict) -> tuple[str, str]:
    return feature["collection"], feature["id"]


@pytest.mark.parametrize("caller", CALLERS)
def test_every_link_leads_somewhere(catalog: Catalog, tally: Tally, caller: str, capsys):
    crawler = Crawler(catalog, caller, tally)
    crawler.crawl()
    visible = set(catalog.world.visible(caller))
    tally.that(crawler.items == visible, caller, "reached", len(crawler.items), "of", len(visible), "items by links")
    with capsys.disabled():
        print(
            f" {len(crawler.seen)} documents",
            *(f"({count} links to {kind}: not served)" for kind, count in crawler.skipped.items()),
            end="",
        )


@pytest.mark.parametrize("caller", CALLERS)
def test_pages_hold_every_item_once(catalog: Catalog, tally: Tally, caller: str):
    crawler = Crawler(catalog, caller, tally)
    visible = catalog.world.visible(caller)
    everything = {
        key(feature): feature for feature in crawler.ask(f"{catalog.root}/search?limit=1000").json()["features"]
    }
    tally.that(everything.keys() == visible.keys(), caller, "does not see what GitLab shows")
    collections = [None, *COLLECTIONS]
    for limit, collection in [
        (1, None),
        (2, None),
        (len(visible) - 1, None),
        (len(visible), None),
        (5, "aimodel"),
        (1, "processor"),
    ]:
        expected = [item for item in visible if collection in (None, item[0])]
        for url, body in [
            (f"{catalog.root}/search?limit={limit}" + (f"&collections={collection}" if collection else ""), None),
            (f"{catalog.root}/search", {"limit": limit} | ({"collections": [collection]} if collection else {})),
            *([(f"{catalog.root}/collections/{collection}/items?limit={limit}", None)] if collection else []),
        ]:
            found = pages(crawler, tally, url, body)
            flat = [key(feature) for page in found for feature in page]
            tally.that(
                sorted(flat) == sorted(expected), caller, url, body, "reaches", len(flat), "items, not", len(expected)
            )
            tally.that(all(len(page) == limit for page in found[:-1]), caller, url, "has short pages")
            for feature in itertools.chain(*found):
                tally.that(feature == everything[key(feature)], caller, url, "shows another", key(feature))
    assert collections


def value(feature: dict, name: str):
    """What the item is sorted by; the names that SharingHub's clients use stand for several properties."""
    if name in ("id", "collection"):
        return feature[name]
    return feature["properties"].get(name)


def in_order(features: list[dict], order: str) -> bool:
    names = [(part.lstrip("+-"), part.startswith("-")) for part in order.split(",")]
    for left, right in itertools.pairwise(features):
        for name, descending in names:
            first, second = value(left, name), value(right, name)
            if first is None or second is None or first == second:
                continue
            if (first < second) == descending:
                return False
            break
    return True


@pytest.mark.parametrize("caller", ["guest", "developer"])
def test_every_order_holds_across_pages(catalog: Catalog, tally: Tally, caller: str):
    crawler = Crawler(catalog, caller, tally)
    visible = catalog.world.visible(caller)
    for order in ORDERS:
        whole = crawler.ask(f"{catalog.root}/search", params={"sortby": order, "limit": 1000}).json()["features"]
        tally.that(
            in_order(whole, order),
            caller,
            "is not in the order",
            order,
            [value(one, order.lstrip("-")) for one in whole],
        )
        by_post = {
            "limit": 9,
            "sortby": [
                {"field": part.lstrip("+-"), "direction": "desc" if part.startswith("-") else "asc"}
                for part in order.split(",")
            ],
        }
        for found in (
            pages(
                crawler,
                tally,
                requests.Request("GET", f"{catalog.root}/search", params={"sortby": order, "limit": 7}).prepare().url,
            ),
            pages(crawler, tally, f"{catalog.root}/search", by_post),
        ):
            flat = [key(feature) for page in found for feature in page]
            tally.that(flat == [key(feature) for feature in whole], caller, "has another order in pages by", order)
            tally.that(set(flat) == visible.keys() and len(flat) == len(set(flat)), caller, "loses items by", order)


def test_sortables_are_what_can_be_sorted_by(catalog: Catalog):
    for path in ("/sortables", "/collections/aimodel/sortables"):
        names = catalog.ask(path).json()["properties"]
        for name in names:
            assert catalog.ask("/search", params={"sortby": name}).status_code == 200, f"{path} offers {name}"
        assert set(SORTABLE) <= set(names)


@pytest.mark.parametrize("caller", CALLERS)
def test_what_is_hidden_leaves_no_trace(catalog: Catalog, tally: Tally, caller: str):
    crawler = Crawler(catalog, caller, tally)
    ghost = "vault/no-such-thing"
    for project in catalog.world.hidden(caller):
        name = project.path.rpartition("/")[2]
        for category in [*project.categories, next(iter(set(COLLECTIONS) - set(project.categories)))]:
            answers = []
            for path in (project.path, ghost):
                for method in ("GET", "HEAD"):
                    for spelling in (path, path.replace("/", "%2F"), path.upper()):
                        answer = crawler.ask(f"{catalog.root}/collections/{category}/items/{spelling}", method)
                        tally.that(answer.status_code == 404, caller, method, spelling, "is", answer.status_code)
                        headers = {
                            name: value
                            for name, value in answer.headers.items()
                            if name not in ("date", "content-length")
                        }
                        answers.append(
                            (
                                method,
                                spelling.replace(path, "?").replace(path.upper(), "?"),
                                headers,
                                answer.text.replace(path, "?").replace(path.upper(), "?"),
                            )
                        )
            half = len(answers) // 2
            for known, unknown in zip(answers[:half], answers[half:]):
                tally.that(known[2:] == unknown[2:], caller, "can tell", project.path, "from nothing:", known, unknown)
        for parameters in (
            {"ids": project.path},
            {"q": name},
            {"q": project.path},
            {"filter": f"id = '{project.path}'"},
            {"filter": f"sharinghub:id = {project.id}"},
            {"filter": f"sharinghub:path LIKE '%{name}'"},
            *({"q": secret} for secret in project.secrets),
        ):
            answer = crawler.ask(f"{catalog.root}/search", params=parameters)
            tally.that(answer.status_code == 200, caller, parameters, answer.text)
            nothing = (answer.json()["numberMatched"], answer.json()["features"])
            tally.that(nothing == (0, []), caller, "finds", nothing, "by", parameters)


@pytest.mark.parametrize("caller", ["nobody", "guest"])
def test_who_sees_the_project_only_cannot_ask_about_its_code(catalog: Catalog, tally: Tally, caller: str):
    crawler = Crawler(catalog, caller, tally)
    outlines = {project.path: project for project in catalog.world.projects if project.sight(caller) == "project"}
    assert outlines
    for path, project in outlines.items():
        full = catalog.ask(f"/collections/{project.categories[0]}/items/{path}", "maintainer").json()
        for name, said in full.get("properties", {}).items():
            here = crawler.ask(f"{catalog.root}/collections/{project.categories[0]}/items/{path}").json()["properties"]
            if not isinstance(said, str) or here.get(name) == said or "'" in said or "\n" in said:
                continue
            for parameters in (
                {"ids": path, "filter": f"\"{name}\" = '{said}'"},
                {"ids": path, "filter": f"NOT (\"{name}\" <> '{said}')"},
            ):
                matched = crawler.ask(f"{catalog.root}/search", params=parameters).json().get("numberMatched")
                tally.that(matched == 0, caller, "learns", name, "of", path, "by", parameters, matched)
        for secret in project.secrets:
            matched = crawler.ask(f"{catalog.root}/search", params={"q": secret}).json()["numberMatched"]
            tally.that(matched == 0, caller, "finds", path, "by", secret)
        place = crawler.ask(f"{catalog.root}/search", params={"ids": path, "bbox": "-180,-90,180,90"}).json()[
            "numberMatched"
        ]
        tally.that(place == 0, caller, "learns where", path, "lies")


@pytest.mark.parametrize("caller", [caller for caller in CALLERS if CALLERS[caller]])
def test_every_way_to_hand_in_a_token(catalog: Catalog, tally: Tally, caller: str):
    secret = CALLERS[caller]
    for headers in ({"X-Gitlab-Token": secret}, {"Authorization": f"Bearer {secret}"}, {"PRIVATE-TOKEN": secret}):
        for path in ("/search?limit=1000", "/collections/aimodel/items?limit=1000"):
            answer = requests.get(f"{catalog.root}{path}", headers=headers, timeout=30)
            usual = catalog.ask(path, caller)
            tally.that(
                answer.json() == usual.json() and answer.headers["etag"] == usual.headers["etag"], caller, headers, path
            )
    for path in (
        "/",
        "/collections",
        "/search",
        "/search?limit=1",
        "/collections/aimodel/items",
        "/nothing",
        "/collections/aimodel/items/a/b",
    ):
        join = "&" if "?" in path else "?"
        for answer in (
            requests.get(
                f"{catalog.root}{path}{join}gitlab_token={secret}&private_token={secret}&access_token={secret}",
                timeout=30,
            ),
            requests.get(
                f"{catalog.root}{path}", headers={"X-Gitlab-Token": secret, "Host": f"{secret}.example.org"}, timeout=30
            ),
            requests.get(f"{catalog.root}{path}", headers={"X-Gitlab-Token": f"{secret}x"}, timeout=30),
        ):
            tally.that(answer.status_code < 500, path, answer.status_code)
            tally.that(
                secret not in answer.text and secret not in str(answer.headers),
                caller,
                "gets the token back at",
                path,
                answer.status_code,
            )


def test_wrong_tokens_are_refused_everywhere(catalog: Catalog, tally: Tally):
    for path in (
        "/search",
        "/collections/aimodel/items",
        "/collections/aimodel/items/earth/land-cover",
        "/",
        "/collections",
        "/collections/aimodel",
    ):
        for headers in ({"X-Gitlab-Token": "no-such-token"}, {"Authorization": "Bearer no-such-token"}):
            answer = requests.get(f"{catalog.root}{path}", headers=headers, timeout=30)
            tally.that(answer.status_code == 401, path, "with a wrong token is", answer.status_code)
            tally.that(answer.json().get("status_code") == 401, path, answer.text)


def test_etags_tell_callers_apart(catalog: Catalog, tally: Tally):
    """A page kept for one caller is never taken for that of another who sees something else."""
    for path in ("/search?limit=1000", "/collections/aimodel/items?limit=1000"):
        answers = {caller: catalog.ask(path, caller) for caller in CALLERS}
        for one, other in itertools.permutations(CALLERS, 2):
            same = answers[one].content == answers[other].content
            tally.that((answers[one].headers["etag"] == answers[other].headers["etag"]) == same, path, one, other)
            again = catalog.ask(path, other, headers={"If-None-Match": answers[one].headers["etag"]})
            tally.that(
                again.status_code == (304 if same else 200),
                path,
                other,
                "with the tag of",
                one,
                "is",
                again.status_code,
            )
