"""The clients that people use, unchanged: pystac-client, pystac as in SharingHub's guide, and the calls of SharingHub's web page."""

from __future__ import annotations

import hashlib
import json
import time

import pytest
import requests

pystac_client = pytest.importorskip("pystac_client", reason="the environment of the catalog's tests has it")

import pystac  # noqa: E402
from pystac.stac_io import DefaultStacIO  # noqa: E402

from catalog_world import CALLERS, Catalog  # noqa: E402

FLOOD, COVER, PATCHES, NDVI = "earth/flood-model", "earth/land-cover", "earth/sentinel-patches", "earth/tools/ndvi"


@pytest.fixture(scope="module")
def opened(catalog: Catalog):
    """A pystac client for each caller."""
    return {caller: open_as(catalog, caller) for caller in CALLERS}


def open_as(catalog: Catalog, caller: str) -> pystac_client.Client:
    value = CALLERS[caller]
    return pystac_client.Client.open(f"{catalog.root}/", headers={"X-Gitlab-Token": value} if value else {})


@pytest.fixture(scope="module")
def developer(opened) -> pystac_client.Client:
    return opened["developer"]


def ids(search) -> list[str]:
    found = [item.id for item in search.items()]
    assert search.matched() == len(found), f"{search.matched()} matched, {len(found)} came"
    return found


def test_the_root_opens_with_and_without_the_slash(catalog):
    for url in (catalog.root, f"{catalog.root}/"):
        client = pystac_client.Client.open(url)
        assert [one.id for one in client.get_collections()] == ["aimodel", "dataset", "processor"]
        assert client.get_child("nothing") is None


def test_collections(developer):
    for collection in developer.get_collections():
        collection.validate()
        assert collection.get_self_href().endswith(f"/collections/{collection.id}")
        assert collection.get_parent().id == collection.get_root().id == "perigee"
        again = developer.get_collection(collection.id)
        assert again.to_dict(include_self_link=False)["extent"] == collection.to_dict(include_self_link=False)["extent"]
    assert developer.get_collection("nothing") is None


def test_items_by_ids_with_slashes(catalog, opened):
    for caller, client in opened.items():
        for (collection, id), _ in list(catalog.world.visible(caller).items())[:12]:
            item = client.get_collection(collection).get_item(id)
            assert (item.id, item.collection_id) == (id, collection)
            assert item.get_self_href().endswith(f"/collections/{collection}/items/{id}")
            assert item.get_collection().id == collection
        for project in catalog.world.hidden(caller)[:5]:
            assert client.get_collection(project.categories[0]).get_item(project.path) is None


def test_items_of_collections(catalog, opened):
    for caller, client in opened.items():
        visible = catalog.world.visible(caller)
        for collection in client.get_collections():
            found = sorted(item.id for item in collection.get_items())
            assert found == sorted(id for of, id in visible if of == collection.id)
        assert len(list(client.get_items(recursive=True))) == len(visible)


@pytest.mark.parametrize("method", ["GET", "POST"])
class TestSearch:
    """The same questions by GET and by POST."""

    def test_all_of_it_in_pages(self, catalog, opened, method):
        for caller, client in opened.items():
            search = client.search(method=method, limit=4, max_items=None)
            pages = [page["features"] for page in search.pages_as_dicts()]
            assert [len(page) for page in pages[:-1]] == [4] * (len(pages) - 1) and pages[-1]
            found = [(item["collection"], item["id"]) for page in pages for item in page]
            assert (
                len(found) == len(set(found)) == search.matched() and set(found) == catalog.world.visible(caller).keys()
            )

    def test_ids(self, developer, method):
        assert set(ids(developer.search(method=method, ids=[FLOOD, NDVI, "no/such", "cellar/ce-thing-134"]))) == {
            FLOOD,
            NDVI,
        }
        assert ids(developer.search(method=method, ids=[FLOOD, FLOOD])) == [FLOOD]
        assert ids(developer.search(method=method, ids=[FLOOD], collections=["dataset"])) == []
        assert set(ids(developer.search(method=method, ids=[COVER, PATCHES], collections=["dataset", "aimodel"]))) == {
            COVER,
            PATCHES,
        }

    def test_collections(self, catalog, developer, method):
        visible = catalog.world.visible("developer")
        for collections in (["processor"], ["processor", "dataset"], ["processor", "nothing"], ["nothing"]):
            expected = [id for of, id in visible if of in collections]
            assert sorted(ids(developer.search(method=method, collections=collections))) == sorted(expected)
        assert sorted(ids(developer.search(method=method, collections=["ai-model"]))) == sorted(
            id for of, id in visible if of == "aimodel"
        )

    def test_bbox(self, developer, method):
        assert FLOOD in ids(developer.search(method=method, bbox=[6, 50, 7, 51]))
        assert set(
            ids(developer.search(method=method, collections=["dataset"], bbox=[12, 48, 13, 49], ids=[PATCHES, FLOOD]))
        ) == {PATCHES}
        assert ids(developer.search(method=method, bbox=[-60, -80, -59, -79])) == []
        islands = {item.id for item in developer.search(method=method, bbox=[175, -1, -175, 1]).items()}
        titles = {item.properties["title"] for item in developer.search(method=method, bbox=[175, -1, -175, 1]).items()}
        assert islands and titles == {"Pacific islands"}
        assert (
            set(ids(developer.search(method=method, bbox=[-179, 0, -175, 1])))
            == islands
            == set(ids(developer.search(method=method, bbox=[171, 0, 172, 1])))
        )
        assert islands <= set(ids(developer.search(method=method, bbox=[-180, -90, 180, 90])))
        assert FLOOD in ids(developer.search(method=method, bbox=[6, 50, -10, 7, 51, 9000]))

    def test_intersects(self, developer, method):
        for geometry in (
            {"type": "Point", "coordinates": [9, 51]},
            {"type": "Polygon", "coordinates": [[[8, 50.5], [10, 50.5], [10, 51], [8, 50.5]]]},
            {"type": "LineString", "coordinates": [[9, 40], [9, 60]]},
            {"type": "MultiPoint", "coordinates": [[0, -80], [9, 51]]},
            {"type": "GeometryCollection", "geometries": [{"type": "Point", "coordinates": [9, 51]}]},
        ):
            assert FLOOD in ids(developer.search(method=method, intersects=geometry)), geometry
        # Within the box of the polygon, but not within the polygon.
        assert FLOOD not in ids(
            developer.search(method=method, intersects={"type": "Point", "coordinates": [5.9, 52.3]})
        )

    def test_datetime(self, developer, method):
        for datetime, expected in [
            ("2021-07-15T00:00:00Z", True),
            ("2021-07-15", True),
            ("2021-07", True),
            ("2021", True),
            ("2021-08-01T00:00:00Z/2021-08-02T00:00:00Z", False),
            ("2021-07-31T00:00:00Z/..", True),
            ("../2021-07-10T00:00:00Z", True),
            ("../2021-07-09T23:59:59Z", False),
            ("2021-07-01/2021-07-20", True),
            ("2025-06-11T07:45:02Z", True),
            ("2025-06-12T00:00:00Z/..", False),
            (["2021-01-01T00:00:00Z", None], True),
            ([None, "2021-01-01T00:00:00Z"], False),
        ]:
            found = ids(developer.search(method=method, collections=["aimodel"], datetime=datetime))
            assert (FLOOD in found) == expected, datetime

    def test_the_own_datetime_finds_each_item(self, developer, method):
        for item in list(developer.search(limit=100).items())[:15]:
            assert item.id in ids(
                developer.search(method=method, datetime=item.properties["datetime"], ids=[item.id])
            ), item.id

    def test_sortby(self, developer, method):
        for field in ("properties.updated", "updated", "properties.datetime"):
            for sign, descending in (("-", True), ("+", False), ("", False)):
                found = [
                    item.properties["updated"]
                    for item in developer.search(method=method, sortby=[f"{sign}{field}"], limit=7).items()
                ]
                assert found == sorted(found, reverse=descending)
        assert ids(developer.search(method=method, sortby="-id", limit=10)) == sorted(
            ids(developer.search(method=method)), reverse=True
        )
        stars = [
            (-item.properties["sharinghub:stars"], item.id)
            for item in developer.search(method=method, sortby=["-sharinghub:stars", "id"], limit=9).items()
        ]
        assert stars == sorted(stars)

    def test_fields(self, developer, method):
        (item,) = developer.search(
            method=method, ids=[FLOOD], fields=["id", "properties.title", "-links", "-assets"]
        ).items_as_dicts()
        assert item["properties"]["title"] == "Flood model" and "license" not in item["properties"]
        assert "links" not in item and "assets" not in item
        (item,) = developer.search(
            method=method,
            ids=[FLOOD],
            fields=(
                {"exclude": ["properties.description", "geometry"]}
                if method == "POST"
                else ["-properties.description", "-geometry"]
            ),
        ).items_as_dicts()
        assert (
            "description" not in item["properties"]
            and "geometry" not in item
            and item["properties"]["license"] == "Apache-2.0"
        )

    def test_filter_in_text(self, developer, method):
        for text, expected in [
            (f"id = '{FLOOD}'", {FLOOD}),
            (f"id IN ('{FLOOD}', '{NDVI}')", {FLOOD, NDVI}),
            ("title LIKE 'Flood%'", {FLOOD}),
            ("CASEI(title) LIKE CASEI('FLOOD%')", {FLOOD}),
            (f"collection = 'processor' AND id LIKE 'earth/%'", {NDVI}),
            (f"NOT (id <> '{COVER}')", {COVER}),
            (f"\"sharinghub:stars\" >= 5 AND id = '{COVER}'", {COVER}),
            (f"sharinghub:stars BETWEEN 2 AND 3 AND id = '{FLOOD}'", {FLOOD}),
            (f"created < TIMESTAMP('2025-02-04T00:00:00Z') AND id LIKE 'earth/%'", {FLOOD}),
            ("sci:doi IS NOT NULL AND id LIKE 'earth/%'", {FLOOD, COVER}),
            ("A_CONTAINS(keywords, ('radar'))", {FLOOD}),
            ("A_OVERLAPS(\"gitlab:topics\", ('flood', 'land-cover'))", {FLOOD, COVER}),
            ("S_INTERSECTS(geometry, POINT(9 51)) AND collection = 'aimodel' AND id = 'earth/flood-model'", {FLOOD}),
            ("title = 'It''s nothing'", set()),
        ]:
            assert set(ids(developer.search(method=method, filter=text, filter_lang="cql2-text"))) == expected, text

    def test_filter_in_json(self, developer, method):
        for filter, expected in [
            ({"op": "=", "args": [{"property": "id"}, FLOOD]}, {FLOOD}),
            (
                {
                    "op": "and",
                    "args": [
                        {"op": "like", "args": [{"property": "id"}, "earth/%"]},
                        {"op": "isNull", "args": [{"property": "sci:doi"}]},
                    ],
                },
                {PATCHES, NDVI},
            ),
            ({"op": "in", "args": [{"property": "id"}, [NDVI, COVER]]}, {NDVI, COVER}),
            (
                {
                    "op": "between",
                    "args": [
                        {"property": "created"},
                        {"timestamp": "2025-02-03T00:00:00Z"},
                        {"timestamp": "2025-02-18T00:00:00Z"},
                    ],
                },
                {FLOOD, COVER},
            ),
            ({"op": "a_contains", "args": [{"property": "keywords"}, ["radar"]]}, {FLOOD}),
            (
                {
                    "op": "and",
                    "args": [
                        {
                            "op": "s_intersects",
                            "args": [{"property": "geometry"}, {"type": "Point", "coordinates": [9, 51]}],
                        },
                        {"op": "=", "args": [{"property": "id"}, FLOOD]},
                    ],
                },
                {FLOOD},
            ),
            ({"op": "not", "args": [{"op": "<>", "args": [{"property": "sharinghub:id"}, 3]}]}, {PATCHES}),
        ]:
            assert set(ids(developer.search(method=method, filter=filter, filter_lang="cql2-json"))) == expected, filter

    def test_free_text(self, catalog, method):
        """Which pystac-client cannot ask for."""
        for caller, words, expected in [
            ("developer", ["BACKSCATTER"], {FLOOD}),
            ("developer", ["otsu"], {FLOOD}),
            ("developer", ["otsu", "reflectance"], {FLOOD, COVER, PATCHES}),
            ("developer", ["[land-cover]"], {COVER}),
            ("developer", ["[sentinel-2] [sharinghub:dataset] patches"], {PATCHES}),
            ("maintainer", [":starred"], {FLOOD, PATCHES}),
            ("guest", [":starred"], {COVER}),
            # It stands in the README, which guests do not see.
            ("guest", ["otsu"], set()),
        ]:
            asked = {"params": {"q": ",".join(words)}} if method == "GET" else {"json": {"q": words}}
            found = catalog.ask("/search", caller, method, **asked).json()
            assert {item["id"] for item in found["features"]} == expected, (caller, words)
            assert found["numberMatched"] == len(expected)

    def test_limits(self, developer, method):
        search = developer.search(method=method, limit=3, max_items=5)
        assert [len(page["features"]) for page in search.pages_as_dicts()] == [3, 2]
        assert len(list(developer.search(method=method, limit=1, max_items=9).items())) == 9


def test_queryables_and_collection_search(developer):
    assert {"id", "datetime", "geometry", "sharinghub:stars"} <= set(
        developer.get_merged_queryables(["aimodel", "dataset"])["properties"]
    )
    assert [one.id for one in developer.collection_search(q="processors").collections()] == ["processor"]
    assert [one.id for one in developer.collection_search(q="nothing at all").collections()] == []
    assert [one.id for one in developer.collection_search(limit=1).collections()] == ["aimodel", "dataset", "processor"]
    assert developer.collection_search(limit=2).matched() == 3
    assert (
        len(list(developer.collection_search(bbox=[0, 0, 1, 1], datetime="2020-01-01T00:00:00Z/..").collections())) == 3
    )


def test_an_item_as_in_sharinghubs_guide(catalog, tmp_path):
    """The guide's script: the item by its URL with a header, then every asset with the role `data`."""
    headers = {"X-Gitlab-Token": CALLERS["developer"]}
    item = pystac.Item.from_file(
        f"{catalog.root}/collections/aimodel/items/{FLOOD}", stac_io=DefaultStacIO(headers=headers)
    )
    assert (item.id, item.collection_id, item.properties["title"]) == (FLOOD, "aimodel", "Flood model")
    data = item.get_assets(role="data")
    assert {"data/backscatter.csv", "weights"} <= data.keys()
    for asset in data.values():
        assert asset.href.startswith(f"{catalog.hub.root}/api/download/{FLOOD}/repository/")
    encoded = requests.get(
        f"{catalog.root}/collections/ai-model/items/{FLOOD.replace('/', '%2F')}", headers=headers, timeout=30
    )
    assert encoded.json() == item.to_dict(transform_hrefs=False) | {"links": encoded.json()["links"]}
    if not catalog.has(f"/api/download/{COVER}/repository/README.md?ref=main"):
        pytest.skip("this hub does not serve /api/download")
    for name, asset in data.items():
        answer = requests.get(asset.href, headers=headers, timeout=30)
        assert answer.status_code == 200, f"{name}: {answer.status_code} {answer.text[:200]}"
        assert len(answer.content) == asset.extra_fields["file:size"]
        tmp_path.joinpath(name.replace("/", "-")).write_bytes(answer.content)
    assert json.loads(tmp_path.joinpath("weights").read_text())
    assert requests.get(data["weights"].href, timeout=30).status_code in (
        401,
        404,
    ), "a private file was handed to nobody"


def test_files_in_lfs_are_described(catalog):
    item = catalog.ask(f"/collections/dataset/items/{PATCHES}").json()
    composite = item["assets"]["composite"]
    assert composite["file:size"] == 7192 and composite["type"] == "image/tiff; application=geotiff"
    assert composite["file:checksum"] == "122063c1c2a2a418b031214fe2e8e957a923c85d074547db5141519dca8fe5969e73"
    if not catalog.has(f"/api/download/{COVER}/repository/README.md?ref=main"):
        pytest.skip("this hub does not serve /api/download")
    content = requests.get(composite["href"], timeout=30).content
    assert "1220" + hashlib.sha256(content).hexdigest() == composite["file:checksum"]


def test_odd_file_names_lead_to_their_files(catalog):
    found = [
        item
        for item in catalog.ask("/search?limit=1000", "developer").json()["features"]
        if item["properties"]["title"] == "Odd files"
    ]
    assert found
    for item in found:
        hrefs = {key: asset["href"] for key, asset in item["assets"].items() if key.startswith("odd/")}
        assert len(hrefs) == 6, sorted(hrefs)
        for key, href in hrefs.items():
            path = href.removeprefix(f"{catalog.hub.root}/api/download/{item['id']}/repository")
            assert href.isascii() and " " not in href and "#" not in href, href
            if not catalog.has(f"/api/download/{COVER}/repository/README.md?ref=main"):
                continue
            answer = catalog.ask(href, "developer")
            assert answer.status_code == 200 and answer.content.decode().startswith(
                f"{key} of "
            ), f"{path}: {answer.status_code}"


def test_sharinghubs_web_page(catalog):
    """Its calls, word for word: one collection, cards only, newest first, and links to further pages."""
    query = "/search?mode=preview&collections=aimodel&limit=5&sortby=-properties.updated"
    page = catalog.ask(query, "developer").json()
    seen = []
    while True:
        for card in page["features"]:
            assert set(card["properties"]) <= {
                "title",
                "description",
                "datetime",
                "keywords",
                "sharinghub:stars",
            }, card["properties"]
            assert (
                {"title", "datetime", "sharinghub:stars"} <= card["properties"].keys()
                and card["geometry"] is None
                and "bbox" not in card
            )
            assert all(asset["roles"] == ["thumbnail"] for asset in card["assets"].values())
            assert {link["rel"] for link in card["links"]} <= {"self", "parent", "root", "collection", "preview"}
        seen += [(card["id"], card["properties"]["datetime"]) for card in page["features"]]
        following = [link["href"] for link in page["links"] if link["rel"] == "next"]
        if not following:
            break
        page = catalog.ask(following[0], "developer").json()
    expected = {id for of, id in catalog.world.visible("developer") if of == "aimodel"}
    assert {id for id, _ in seen} == expected and len(seen) == len(expected)
    assert [when for _, when in seen] == sorted((when for _, when in seen), reverse=True)
    assert (FLOOD, "2025-06-11T07:45:02Z") == seen[0]
    found = catalog.ask(f"{query}&q=model,[flood],:starred", "maintainer").json()
    assert [card["id"] for card in found["features"]] == [FLOOD]
    bare = catalog.ask("/collections/aimodel/items?mode=reference&limit=100", "developer").json()["features"]
    assert all(card["assets"] == {} and set(card["properties"]) == {"title", "datetime"} for card in bare)


def test_sharinghubs_other_calls(catalog):
    """`/api/check` and the page's own settings, if this hub serves them."""
    if not catalog.has(f"/api/check/{COVER}"):
        pytest.skip("this hub does not serve /api/check")
    root = catalog.hub.root
    assert catalog.ask(f"{root}/api/check/{COVER}").content == b""
    answer = catalog.ask(f"{root}/api/check/{FLOOD}?info=true", "developer").json()
    assert answer == {"id": 1, "name": answer["name"], "path": FLOOD, "categories": ["aimodel"], "access_level": 3}
    for project in ("1", FLOOD, FLOOD.replace("/", "%2F")):
        assert catalog.ask(f"{root}/api/check/{project}", "developer").status_code == 200
        assert catalog.ask(f"{root}/api/check/{project}").status_code == 404


@pytest.mark.parametrize(("caller", "level"), [("guest", 1), ("developer", 3), ("read-only", 2), ("maintainer", 4)])
def test_fields_of_sharinghub(catalog, caller, level):
    item = catalog.ask(f"/collections/aimodel/items/{FLOOD}", caller).json()
    properties = item["properties"]
    assert properties["sharinghub:access-level"] == level
    assert (properties["sharinghub:id"], properties["sharinghub:path"], properties["sharinghub:name"]) == (
        1,
        FLOOD,
        "Earth / flood-model",
    )
    assert isinstance(properties["sharinghub:stars"], int) and properties["gitlab:topics"][0] == "sharinghub:aimodel"
    assert properties["gitlab:tags"] == ["flood", "sentinel-1"]
    rels = {link["rel"]: link for link in item["links"]}
    assert rels["mlflow:tracking-uri"]["href"] == f"{catalog.hub.root}/mlflow/{FLOOD}/tracking/"
    assert rels["about"]["type"] == "text/html"
    if level > 1:
        assert properties["sharinghub:default-branch"] == "main" and properties["license"] == "Apache-2.0"
        assert rels["derived_from"]["href"] == f"{catalog.root}/collections/dataset/items/{PATCHES}"
        assert item["assets"]["release"]["href"].endswith("/archive.zip?ref=v1.1.0")
        assert (rels["cite-as"]["href"], properties["sci:doi"]) == (
            "https://doi.org/10.1109/TSMC.1979.4310076",
            "10.1109/TSMC.1979.4310076",
        )
    else:
        assert item["assets"] == {} and not {"license", "derived_from", "package", "container", "cite-as"} & rels.keys()
        assert not {"license", "sci:doi", "start_datetime"} & properties.keys() or properties.get(
            "start_datetime", ""
        ).startswith("2025")


def test_a_registered_model_shows_up(catalog):
    """What MLflow registers becomes a link and an asset of the project's item."""
    view = f"{catalog.hub.root}/mlflow/{FLOOD}/tracking/api/2.0/mlflow"
    headers = {"Authorization": f"Bearer {CALLERS['developer']}"}
    post = lambda path, body: requests.post(
        f"{view}/{path}", json=body, headers=headers, timeout=30
    ).json()  # noqa: E731
    experiment = post("experiments/create", {"name": "for the catalog"})["experiment_id"]
    run = post("runs/create", {"experiment_id": experiment})["run"]["info"]
    post("registered-models/create", {"name": "floods"})
    version = post(
        "model-versions/create", {"name": "floods", "source": f"{run['artifact_uri']}/model", "run_id": run["run_id"]}
    )
    assert version["model_version"]["version"] == "1"
    deadline = time.monotonic() + 15
    links = []
    while not links and time.monotonic() < deadline:
        time.sleep(0.3)
        links = [
            link
            for link in catalog.ask(f"/collections/aimodel/items/{FLOOD}", "developer").json()["links"]
            if link["rel"] == "mlflow:model"
        ]
    assert [link["mlflow:uri"] for link in links] == ["models:/floods/1"]
    guests = catalog.ask(f"/collections/aimodel/items/{FLOOD}", "guest").json()["links"]
    assert catalog.ask(f"/collections/aimodel/items/{FLOOD}").status_code == 404 and guests
