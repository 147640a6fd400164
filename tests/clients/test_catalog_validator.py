"""The catalog against the validators of the STAC community and the official schemas, which are read from a folder beside the
repository, since tests use no network: `../shared/stac-schemas`, else what they need them for is skipped."""

from __future__ import annotations

import json
import os
import pathlib
import re
import subprocess
import sys

import pytest
import requests

pytest.importorskip("pystac_client", reason="the environment of the catalog's tests has it")

import jsonschema  # noqa: E402
from referencing import Registry, Resource  # noqa: E402
from referencing.jsonschema import DRAFT7  # noqa: E402

from catalog_world import CALLERS, COLLECTIONS, Catalog  # noqa: E402
from servers import REPOSITORY  # noqa: E402

OFFLINE = REPOSITORY.parent / "shared/stac-schemas"
needs_schemas = pytest.mark.skipif(not OFFLINE.is_dir(), reason=f"the STAC schemas are not in {OFFLINE}")
HERE = pathlib.Path(__file__).parent

CORE = "https://schemas.stacspec.org/v1.1.0"
SCHEMA_OF = {
    "Catalog": f"{CORE}/catalog-spec/json-schema/catalog.json",
    "Collection": f"{CORE}/collection-spec/json-schema/collection.json",
    "Feature": f"{CORE}/item-spec/json-schema/item.json",
}
# There is something of each of these in the world.
EXTENSIONS = {"authentication/v1.1.0", "file/v2.1.0", "scientific/v1.0.0", "ml-model/v1.0.0", "mlm/v1.5.2", "eo/v1.1.0"}

# What stac-api-validator and stac-check remark that is as it should be.
WANTED = [
    # Ids are paths of GitLab projects.
    r"Item name '[^']*' should only contain Searchable identifiers",
    r"Identifiers should consist of only lowercase characters, numbers, '_', and '-'",
    r"Item name '[^']*' should not contain ':' or '/'",
    r"https://github.com/radiantearth/stac-spec/blob/master/best-practices.md#item-ids",
    r"Item file names should match their ids: '[^']*' not equal to '[^',]*'?",
    r"You have \d+ properties. Please consider using links to avoid bloated metadata",
    r"A STAC collection should contain a summaries field",
    r"It is recommended to store information like eo:bands in summaries",
    r"Links in catalogs and collections should always have a 'title' field",
    # There is nothing at that place.
    r"GET Search within bbox=20,20,21,21 to validate ids does not override all other parameters returned 0 results",
    # Projects without a place.
    r"All items should have a geometry field. STAC is not meant for non-spatial data",
]

# Each conformance class that is declared, and what shows that it works.
SHOWN_BY = {
    "https://api.stacspec.org/v1.0.0/core": "test_catalog_validator.py::test_stac_api_validator",
    "https://api.stacspec.org/v1.0.0/collections": "test_catalog_validator.py::test_stac_api_validator",
    "https://api.stacspec.org/v1.0.0/ogcapi-features": "test_catalog_validator.py::test_stac_api_validator",
    "https://api.stacspec.org/v1.0.0/item-search": "test_catalog_validator.py::test_stac_api_validator",
    "https://api.stacspec.org/v1.0.0/item-search#fields": "test_catalog_clients.py::test_fields",
    "https://api.stacspec.org/v1.0.0/ogcapi-features#fields": "test_catalog_validator.py::test_items_take_what_searches_take",
    "https://api.stacspec.org/v1.0.0/item-search#sort": "test_catalog_crawl.py::test_every_order_holds_across_pages",
    "https://api.stacspec.org/v1.0.0/ogcapi-features#sort": "test_catalog_validator.py::test_items_take_what_searches_take",
    "https://api.stacspec.org/v1.1.0/item-search#sort": "test_catalog_crawl.py::test_every_order_holds_across_pages",
    "https://api.stacspec.org/v1.1.0/ogcapi-features#sort": "test_catalog_validator.py::test_items_take_what_searches_take",
    "https://api.stacspec.org/v1.1.0/item-search#sortables": "test_catalog_crawl.py::test_sortables_are_what_can_be_sorted_by",
    "https://api.stacspec.org/v1.1.0/ogcapi-features#sortables": "test_catalog_crawl.py::test_sortables_are_what_can_be_sorted_by",
    "https://api.stacspec.org/v1.0.0/item-search#filter": "test_catalog_clients.py::test_filter_in_text",
    "https://api.stacspec.org/v1.0.0-rc.1/item-search#free-text": "test_catalog_clients.py::test_free_text",
    "https://api.stacspec.org/v1.0.0-rc.1/ogcapi-features#free-text": "test_catalog_validator.py::test_items_take_what_searches_take",
    "https://api.stacspec.org/v1.0.0-rc.1/collection-search": "test_catalog_clients.py::test_queryables_and_collection_search",
    "https://api.stacspec.org/v1.0.0-rc.1/collection-search#free-text": "test_catalog_clients.py::test_queryables_and_collection_search",
    "https://api.stacspec.org/v1.0.0-rc.2/children": "test_catalog_validator.py::test_children",
    "https://api.stacspec.org/v1.0.0-rc.2/children#type-filter": "test_catalog_validator.py::test_children",
    "http://www.opengis.net/spec/ogcapi-common-2/1.0/conf/simple-query": "test_catalog_clients.py::test_queryables_and_collection_search",
    "http://www.opengis.net/spec/ogcapi-features-1/1.0/conf/core": "test_catalog_validator.py::test_stac_api_validator",
    "http://www.opengis.net/spec/ogcapi-features-1/1.0/conf/oas30": "test_catalog_validator.py::test_the_api_describes_itself",
    "http://www.opengis.net/spec/ogcapi-features-1/1.0/conf/geojson": "test_catalog_validator.py::test_all_documents_fit_their_schemas",
    "http://www.opengis.net/spec/ogcapi-features-3/1.0/conf/filter": "test_catalog_clients.py::test_filter_in_text",
    "http://www.opengis.net/spec/ogcapi-features-3/1.0/conf/features-filter": "test_catalog_validator.py::test_items_take_what_searches_take",
    "http://www.opengis.net/spec/ogcapi-features-3/1.0/conf/queryables": "test_catalog_validator.py::test_queryables_can_be_asked_for",
    "http://www.opengis.net/spec/ogcapi-features-5/1.0/conf/sortables": "test_catalog_crawl.py::test_sortables_are_what_can_be_sorted_by",
    "http://www.opengis.net/spec/cql2/1.0/conf/cql2-text": "test_catalog_clients.py::test_filter_in_text",
    "http://www.opengis.net/spec/cql2/1.0/conf/cql2-json": "test_catalog_clients.py::test_filter_in_json",
    "http://www.opengis.net/spec/cql2/1.0/conf/basic-cql2": "test_catalog_validator.py::test_basic_cql2",
    "http://www.opengis.net/spec/cql2/1.0/conf/advanced-comparison-operators": "test_catalog_clients.py::test_filter_in_text",
    "http://www.opengis.net/spec/cql2/1.0/conf/case-insensitive-comparison": "test_catalog_clients.py::test_filter_in_text",
    "http://www.opengis.net/spec/cql2/1.0/conf/array-functions": "test_catalog_validator.py::test_array_functions",
    "http://www.opengis.net/spec/cql2/1.0/conf/basic-spatial-functions": "test_catalog_clients.py::test_filter_in_text",
}


def offline(command: list[str], **options) -> subprocess.CompletedProcess:
    """A tool that finds the schemas of the web in the folder."""
    environment = os.environ | {"PYTHONPATH": str(OFFLINE), "PYTHONWARNINGS": "ignore"}
    return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=120, check=False, **options)


def test_conformance_classes_are_exactly_those_that_are_shown_to_work(catalog):
    declared = catalog.ask("/conformance").json()["conformsTo"]
    assert len(declared) == len(set(declared))
    assert set(declared) == SHOWN_BY.keys()
    assert catalog.ask("/").json()["conformsTo"] == declared
    for shown in set(SHOWN_BY.values()):
        file, _, test = shown.partition("::")
        assert re.search(rf"def {test}\(", HERE.joinpath(file).read_text()), f"there is no {shown}"


@needs_schemas
@pytest.mark.parametrize("caller", ["nobody", "developer", "guest"])
def test_stac_api_validator(catalog: Catalog, caller):
    command = [
        sys.executable,
        "-c",
        "from stac_api_validator.__main__ import main; main()",
        "--root-url",
        f"{catalog.root}/",
    ]
    if CALLERS[caller]:
        command += ["-H", f"X-Gitlab-Token: {CALLERS[caller]}"]
    for name in ("core", "collections", "features", "item-search", "filter", "item-search#sort"):
        command += ["--conformance", name]
    square = {"type": "Polygon", "coordinates": [[[10, 47], [13, 47], [13, 50], [10, 50], [10, 47]]]}
    done = offline([*command, "--collection", "dataset", "--geometry", json.dumps(square)])
    assert "Errors:" in done.stdout, done.stdout + done.stderr[-3000:]
    before, _, errors = done.stdout.rpartition("Errors:")
    warnings = before.rpartition("Warnings:")[2]
    wrong = [line for line in errors.splitlines() if line.strip() not in ("", "none")]
    if not catalog.has("/openapi.json"):
        wrong = [line for line in wrong if "service-desc" not in line and "/api/docs" not in line]
    assert not wrong, "\n".join(wrong)
    for line in warnings.splitlines():
        remarks = line.partition("recommendations: ")[2] or re.sub(r"^- \[[^]]*\] ?:?", "", line)
        for known in WANTED:
            remarks = re.sub(known, "", remarks)
        assert remarks.strip(" ,") in ("", "none"), f"{remarks} in {line}"


def documents(catalog: Catalog, caller: str) -> dict[str, dict]:
    """Every STAC document that the caller can get, by URL; items each by itself."""
    found = {f"{catalog.root}/": catalog.ask("/", caller).json()}
    for collection in COLLECTIONS:
        found[f"{catalog.root}/collections/{collection}"] = catalog.ask(f"/collections/{collection}", caller).json()
    for collection, id in catalog.world.visible(caller):
        url = f"{catalog.root}/collections/{collection}/items/{id}"
        found[url] = catalog.ask(url, caller).json()
    return found


def pages(catalog: Catalog, caller: str) -> list[dict]:
    asked = [
        "/search?limit=1000",
        "/search?mode=preview&limit=1000",
        "/search?mode=reference&limit=1000",
        "/search?limit=1000&fields=properties.title",
        "/collections/aimodel/items?limit=3",
    ]
    return [catalog.ask(path, caller).json() for path in asked]


@pytest.fixture(scope="module")
def registry() -> Registry:
    folder = OFFLINE / "schemas"
    found = Registry()
    for path in folder.rglob("*"):
        if path.is_file():
            schema = Resource.from_contents(json.loads(path.read_text()), default_specification=DRAFT7)
            for scheme in ("https", "http"):
                found = found.with_resource(f"{scheme}://{path.relative_to(folder)}", schema)
    return found


def complaints(registry: Registry, url: str, document: dict, known: dict = {}) -> list[str]:
    validator = known.get(url)
    if validator is None:
        schema = registry.get_or_retrieve(url).value.contents
        checker = jsonschema.FormatChecker(("date-time", "uri"))
        validator = known[url] = jsonschema.Draft7Validator(schema, registry=registry, format_checker=checker)
    return [
        f"{document.get('id')} by {url}: {error.json_path}: {error.message[:300]}"
        for error in validator.iter_errors(document)
    ]


@needs_schemas
@pytest.mark.parametrize("caller", CALLERS)
def test_all_documents_fit_their_schemas(catalog, registry, caller):
    """Core 1.1.0 and each extension that a document declares."""
    wrong, used = [], set()
    everything = list(documents(catalog, caller).values())
    collections = pages(catalog, caller)
    everything += [feature for page in collections for feature in page["features"]]
    for document in everything:
        assert document["stac_version"] == "1.1.0"
        for url in [SCHEMA_OF[document["type"]], *document.get("stac_extensions", [])]:
            used.add(url)
            wrong += complaints(registry, url, document)
        prefixes = {
            name.partition(":")[0]
            for part in [document.get("properties", {}), *document.get("assets", {}).values()]
            for name in part
            if ":" in name
        }
        declared = {"auth": "authentication", "sci": "scientific"}
        for prefix in prefixes - {"gitlab", "sharinghub", "mlflow", "package", "container"}:
            name = declared.get(prefix, prefix)
            assert (
                any(f"/{name}/" in url for url in document.get("stac_extensions", []))
                or "fields" in str(document.get("links"))
                or not document.get("stac_extensions")
            ), f"{document['id']} has {prefix}: but does not declare it"
    for page in collections:
        for feature in page["features"]:
            wrong += complaints(registry, "https://geojson.org/schema/Feature.json", feature)
        assert page["type"] == "FeatureCollection" and page["stac_version"] == "1.1.0"
    assert not wrong, f"{len(wrong)} complaints:\n" + "\n".join(wrong[:20])
    if caller == "developer":
        shown = {url.removeprefix("https://stac-extensions.github.io/").removesuffix("/schema.json") for url in used}
        assert EXTENSIONS <= shown, f"nothing in the world shows {EXTENSIONS - shown}"


@needs_schemas
@pytest.mark.parametrize("caller", ["nobody", "guest", "developer"])
def test_stac_validator(catalog, caller, tmp_path):
    """The community's validator finds nothing wrong in any document."""
    files = []
    for number, document in enumerate(documents(catalog, caller).values()):
        files.append(tmp_path / f"{number}.json")
        files[-1].write_text(json.dumps(document))
    code = "import json, sys\nfrom stac_validator import stac_validator\nwrong = []\nfor name in sys.argv[1:]:\n    one = stac_validator.StacValidate(name)\n    one.run() or wrong.append(one.message)\nprint(json.dumps(wrong))"
    done = offline([sys.executable, "-c", code, *map(str, files)])
    assert done.returncode == 0, done.stderr[-3000:]
    assert json.loads(done.stdout.strip().splitlines()[-1]) == []


def test_items_take_what_searches_take(catalog):
    """`fields`, `sortby`, `q`, `filter` of a collection's items mean what they mean in a search."""
    for parameters in (
        {"fields": "id,properties.title,-assets"},
        {"sortby": "-properties.created"},
        {"sortby": "+title,-id"},
        {"q": "thing"},
        {"q": "[sentinel-2]"},
        {"filter": "sharinghub:stars > 1"},
        {"filter": '{"op":"<","args":[{"property":"sharinghub:stars"},2]}', "filter-lang": "cql2-json"},
        {"bbox": "0,40,20,60"},
        {"datetime": "../2024-02-01T00:00:00Z"},
        {"ids": "earth/land-cover"},
    ):
        for caller in ("nobody", "developer"):
            items = catalog.ask("/collections/aimodel/items", caller, params={"limit": 50, **parameters}).json()
            search = catalog.ask("/search", caller, params={"limit": 50, "collections": "aimodel", **parameters}).json()
            assert (
                items["features"] == search["features"] and items["numberMatched"] == search["numberMatched"]
            ), parameters
            assert items["features"], f"{parameters} find nothing"


def test_children(catalog):
    children = catalog.ask("/children").json()["children"]
    assert [child["id"] for child in children] == list(COLLECTIONS)
    assert catalog.ask("/children?type=Collection").json()["children"] == children
    assert catalog.ask("/children?type=Catalog").json()["children"] == []


def test_queryables_can_be_asked_for(catalog):
    for path in ("/queryables", "/collections/dataset/queryables"):
        answer = catalog.ask(path)
        assert (
            answer.headers["content-type"] == "application/schema+json"
            and answer.json()["$id"] == f"{catalog.root}{path}"
        )
        jsonschema.validators.validator_for(answer.json()).check_schema(answer.json())
        for name, schema in answer.json()["properties"].items():
            if name == "geometry":
                continue
            value = {
                "integer": "1",
                "string": "TIMESTAMP('2024-01-01T00:00:00Z')" if schema.get("format") == "date-time" else "'x'",
            }.get(schema["type"])
            text = f'"{name}" = {value}' if value else f"A_CONTAINS(\"{name}\", ('x'))"
            found = catalog.ask("/search", params={"filter": text})
            assert found.status_code == 200, f"{text}: {found.text}"


def test_basic_cql2(catalog):
    """The operators of the class, held against the items themselves."""
    items = catalog.ask("/search?limit=1000", "developer").json()["features"]
    stars = {(one["collection"], one["id"]): one["properties"]["sharinghub:stars"] for one in items}
    for text, holds in [
        ("sharinghub:stars = 3", lambda n: n == 3),
        ("sharinghub:stars <> 3", lambda n: n != 3),
        ("sharinghub:stars < 3", lambda n: n < 3),
        ("sharinghub:stars <= 3", lambda n: n <= 3),
        ("sharinghub:stars > 3", lambda n: n > 3),
        ("sharinghub:stars >= 3", lambda n: n >= 3),
        ("NOT sharinghub:stars = 3", lambda n: n != 3),
        ("sharinghub:stars = 1 OR sharinghub:stars = 2", lambda n: n in (1, 2)),
        ("sharinghub:stars > 0 AND sharinghub:stars < 3", lambda n: 0 < n < 3),
        ("sharinghub:stars > 0 AND (sharinghub:stars < 2 OR NOT (sharinghub:stars < 3))", lambda n: n == 1 or n >= 3),
        ("sharinghub:stars IS NULL", lambda n: False),
        ("sharinghub:stars IS NOT NULL", lambda n: True),
        ("sharinghub:stars = 1 OR sharinghub:stars = 2 AND sharinghub:stars = 3", lambda n: n == 1),
        ("TRUE", lambda n: True),
        ("FALSE", lambda n: False),
        ("3 = sharinghub:stars", lambda n: n == 3),
        ("sharinghub:stars IN (0, 3)", lambda n: n in (0, 3)),
        ("sharinghub:stars NOT IN (0, 3)", lambda n: n not in (0, 3)),
        ("sharinghub:stars BETWEEN 1 AND 2", lambda n: 1 <= n <= 2),
        ("sharinghub:stars NOT BETWEEN 1 AND 2", lambda n: not 1 <= n <= 2),
    ]:
        answer = catalog.ask("/search", "developer", params={"filter": text, "limit": 1000})
        assert answer.status_code == 200, f"{text}: {answer.text}"
        found = {(one["collection"], one["id"]) for one in answer.json()["features"]}
        assert found == {item for item, count in stars.items() if holds(count)}, text


def test_array_functions(catalog):
    items = catalog.ask("/search?limit=1000", "developer").json()["features"]
    wanted = {"sharinghub:dataset", "odd-1"}
    for name, holds in [
        ("A_CONTAINS", lambda topics: topics >= wanted),
        ("A_CONTAINEDBY", lambda topics: topics <= wanted),
        ("A_EQUALS", lambda topics: topics == wanted),
        ("A_OVERLAPS", lambda topics: bool(topics & wanted)),
    ]:
        text = f"{name}(\"gitlab:topics\", ('odd-1', 'sharinghub:dataset'))"
        answer = catalog.ask("/search", "developer", params={"filter": text, "limit": 1000})
        assert answer.status_code == 200, f"{text}: {answer.text}"
        expected = {one["id"] for one in items if holds(set(one["properties"]["gitlab:topics"]))}
        assert {one["id"] for one in answer.json()["features"]} == expected and expected, text


def test_the_api_describes_itself(catalog):
    if not catalog.has("/openapi.json"):
        pytest.skip("this hub does not serve /openapi.json")
    links = {link["rel"]: link for link in catalog.ask("/").json()["links"]}
    described = requests.get(
        links["service-desc"]["href"], headers={"Accept": links["service-desc"]["type"]}, timeout=30
    )
    assert described.headers["content-type"].replace(" ", "") == links["service-desc"]["type"]
    assert described.json()["openapi"].startswith("3.") and "/api/stac/search" in described.json()["paths"]
    assert requests.get(links["service-doc"]["href"], timeout=30).headers["content-type"].startswith("text/html")
