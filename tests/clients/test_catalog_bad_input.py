"""What clients get wrong, or try: always a 400 in JSON that names the parameter (404 for ids), never a 5xx, and soon."""

from __future__ import annotations

import json
import socket
import time
from urllib.parse import quote

import pytest
import requests

pytest.importorskip("pystac_client", reason="the environment of the catalog's tests has it")

from catalog_nonsense import (  # noqa: E402
    BAD_BOXES,
    BAD_DATES,
    BAD_FILTERS,
    BAD_GEOMETRIES,
    BAD_JSON_FILTERS,
    GOOD_DATES,
    HOSTILE_IDS,
    deep,
)
from catalog_world import Catalog  # noqa: E402

# More than any of these takes, even on a busy machine.
SECONDS = 2.0


def refused(answer: requests.Response, name: str | None = None, status: int = 400) -> None:
    assert answer.status_code == status, f"{answer.request.url[:200]}: {answer.status_code} {answer.text[:300]}"
    assert answer.headers["content-type"].split(";")[0] == "application/json"
    body = answer.json()
    assert set(body) == {"detail", "status_code"} and body["status_code"] == status, body
    assert (
        isinstance(body["detail"], str) and 0 < len(body["detail"]) < 2000
    ), f"{len(body['detail'])} letters of detail"
    assert name is None or name in body["detail"], f"{name} is not in {body['detail'][:300]!r}"
    assert answer.elapsed.total_seconds() < SECONDS, f"took {answer.elapsed}"


def both(catalog: Catalog, name: str, value, as_json=None) -> list[requests.Response]:
    """The search by GET, by POST and below a collection."""
    return [
        catalog.ask("/search", params={name: value}),
        catalog.ask("/collections/aimodel/items", params={name: value}),
        catalog.ask("/search", method="POST", json={name: value if as_json is None else as_json}),
    ]


def short(value) -> str:
    text = value if isinstance(value, str) else json.dumps(value)
    return text.encode("ascii", "backslashreplace").decode()[:40].replace("\x00", "NUL")


@pytest.mark.parametrize("date", BAD_DATES, ids=short)
def test_dates(catalog, date):
    for answer in both(catalog, "datetime", date):
        refused(answer, "datetime")
    refused(catalog.ask("/collections", params={"datetime": date}), "datetime")


def test_good_dates(catalog):
    for date in GOOD_DATES:
        for answer in both(catalog, "datetime", date):
            assert answer.status_code == 200, f"{date}: {answer.text}"


@pytest.mark.parametrize("limit", ["0", "-1", "abc", "1.5", "1e3", "0x10", " ", "１", "+5", "null"], ids=short)
def test_limits(catalog, limit):
    if limit.strip():
        for path in ("/search", "/collections/aimodel/items", "/collections"):
            refused(catalog.ask(path, params={"limit": limit}), "limit")
    for json_limit in (0, -1, 1.5, limit, True, [], {}):
        refused(catalog.ask("/search", method="POST", json={"limit": json_limit}), "limit")


def test_large_limits_are_cut(catalog):
    for limit in ("1000", "1001", "99999999999999999999999999"):
        answer = catalog.ask("/search", params={"limit": limit})
        assert answer.status_code == 200 and answer.json()["context"]["limit"] == 1000
    assert catalog.ask("/search", method="POST", json={"limit": 10**15}).json()["context"]["limit"] == 1000


@pytest.mark.parametrize("box", BAD_BOXES, ids=short)
def test_boxes(catalog, box):
    for path in ("/search", "/collections/aimodel/items", "/collections"):
        refused(catalog.ask(path, params={"bbox": box}), "bbox")


@pytest.mark.parametrize(
    "box",
    [
        [],
        [1],
        [1, 2, 3],
        [0, 0, 1, 1, 1],
        ["0", "0", "1", "1"],
        [0, 0, None, 1],
        [[0, 0, 1, 1]],
        {"a": 1},
        7,
        "x",
        [0, 10, 1, 5],
        [0, 0, 1, 999],
    ],
    ids=short,
)
def test_boxes_in_bodies(catalog, box):
    refused(catalog.ask("/search", method="POST", json={"bbox": box}), "bbox")


@pytest.mark.parametrize("number", ["NaN", "Infinity", "1e999"])
def test_numbers_that_are_none(catalog, number):
    for body in (
        f'{{"bbox":[{number},0,1,1]}}',
        f'{{"limit":{number}}}',
        f'{{"filter":{{"op":"=","args":[{{"property":"x"}},{number}]}}}}',
        f'{{"intersects":{{"type":"Point","coordinates":[{number},1]}}}}',
    ):
        refused(catalog.ask("/search", method="POST", data=body, headers={"Content-Type": "application/json"}))


@pytest.mark.parametrize("geometry", BAD_GEOMETRIES, ids=short)
def test_geometries(catalog, geometry):
    if geometry:
        refused(catalog.ask("/search", params={"intersects": geometry}), "intersects")
    body = f'{{"intersects":{geometry or "5"}}}'
    answer = catalog.ask("/search", method="POST", data=body, headers={"Content-Type": "application/json"})
    refused(answer)


def test_a_huge_geometry_is_bounded(catalog):
    ring = [[number % 360 - 180, number % 180 - 90] for number in range(60_000)]
    answer = catalog.ask("/search", method="POST", json={"intersects": {"type": "LineString", "coordinates": ring}})
    assert answer.status_code in (200, 400, 413) and answer.elapsed.total_seconds() < SECONDS, answer.text[:300]


def test_bbox_and_intersects_exclude_each_other(catalog):
    point = {"type": "Point", "coordinates": [0, 0]}
    refused(catalog.ask("/search", params={"bbox": "0,0,1,1", "intersects": json.dumps(point)}), "bbox")
    refused(catalog.ask("/search", method="POST", json={"bbox": [0, 0, 1, 1], "intersects": point}), "intersects")


@pytest.mark.parametrize(
    "order",
    [
        "nothing",
        "-properties.nothing",
        "+",
        "-",
        "id,nothing",
        "../id",
        "id asc",
        "a" * 10_000,
        ",".join(["id"] * 50),
        "properties",
        "geometry",
        "\x00",
    ],
    ids=short,
)
def test_orders(catalog, order):
    for answer in both(
        catalog,
        "sortby",
        order,
        (
            [{"field": order, "direction": "asc"}]
            if len(order) < 1000 and "," not in order and order not in "+-"
            else [{"field": "nothing"}]
        ),
    ):
        refused(answer, "sortby")


@pytest.mark.parametrize(
    "order",
    [
        7,
        {},
        [7],
        [{}],
        [{"field": 7}],
        [{"field": "id", "direction": "up"}],
        [{"field": "id", "direction": 1}],
        [[]],
        [{"field": "id"}] * 50,
        {"field": "id"},
    ],
    ids=short,
)
def test_orders_in_bodies(catalog, order):
    refused(catalog.ask("/search", method="POST", json={"sortby": order}), "sortby")


@pytest.mark.parametrize(
    "text",
    [
        ":nothing",
        ":starred :stared",
        ",".join("abcdefghijklmnopqrstuvwxyz0123456789"),
        "x" * 5000,
        "[" + "x" * 5000 + "]",
    ],
    ids=short,
)
def test_free_text(catalog, text):
    for answer in both(catalog, "q", text, [text]):
        refused(answer, "q")


def test_starred_needs_a_name(catalog):
    for answer in both(catalog, "q", ":starred", [":starred"]):
        refused(answer, status=401)


@pytest.mark.parametrize("text", BAD_FILTERS, ids=short)
def test_filters_in_text(catalog, text):
    # What is too long for a URL goes by POST only.
    if len(text) < 20_000:
        refused(catalog.ask("/search", params={"filter": text}), "filter")
        refused(catalog.ask("/collections/aimodel/items", params={"filter": text}), "filter")
    refused(catalog.ask("/search", method="POST", json={"filter-lang": "cql2-text", "filter": text}), "filter")


@pytest.mark.parametrize("filter", BAD_JSON_FILTERS, ids=short)
def test_filters_in_json(catalog, filter):
    # What nests as deep as that is refused before anybody looks for a filter.
    name = None if filter == deep(100) else "filter"
    refused(catalog.ask("/search", method="POST", json={"filter-lang": "cql2-json", "filter": filter}), name)
    text = json.dumps(filter)
    if len(text) < 20_000:
        refused(catalog.ask("/search", params={"filter-lang": "cql2-json", "filter": text}), "filter")


def test_filter_languages(catalog):
    for language in ("cql", "cql-text", "sql", "CQL2-TEXT ", "x" * 5000):
        for answer in both(catalog, "filter-lang", language):
            refused(answer, "filter-lang")
    for answer in both(catalog, "filter-crs", "http://www.opengis.net/def/crs/EPSG/0/3857"):
        refused(answer, "filter-crs")


def test_page_tokens(catalog):
    first = catalog.ask("/search", params={"limit": 1, "sortby": "title"}).json()
    token = next(link["href"] for link in first["links"] if link["rel"] == "next").rpartition("token=")[2]
    assert catalog.ask("/search", params={"sortby": "title", "token": token}).status_code == 200
    flipped = ("B" if token[10] != "B" else "C").join([token[:10], token[11:]])
    damaged = [
        "x",
        "AAAA",
        token[:-3],
        token + "AA",
        flipped,
        token[::-1],
        "%00",
        "../..",
        "é" * 50,
        "A" * 9000,
        " ",
        "null",
    ]
    for bad in damaged:
        if bad.strip():
            refused(catalog.ask("/search", params={"sortby": "title", "token": bad}), "token")
        if bad.strip():
            refused(catalog.ask("/search", method="POST", json={"token": bad}), "token")
    for foreign in (
        {},
        {"sortby": "-title"},
        {"sortby": "title", "q": "a"},
        {"sortby": "title", "collections": "dataset"},
    ):
        refused(catalog.ask("/search", params={**foreign, "token": token}), "token")
    refused(catalog.ask("/search", "developer", params={"sortby": "title", "token": token}), "token")
    refused(catalog.ask("/collections/aimodel/items", params={"sortby": "title", "token": token}), "token")
    refused(catalog.ask("/search", method="POST", json={"sortby": [{"field": "title"}], "token": token}), "token")
    refused(catalog.ask("/collections", params={"limit": 1, "token": token}), "token")
    for json_token in (7, [], {}, True):
        refused(catalog.ask("/search", method="POST", json={"token": json_token}), "token")


@pytest.mark.parametrize("id", HOSTILE_IDS, ids=short)
def test_ids(catalog, id):
    with socket.create_connection(("127.0.0.1", int(catalog.hub.root.rsplit(":", 1)[1])), timeout=10) as connection:
        path = quote(f"/api/stac/collections/aimodel/items/{id}", safe="/%?;*'$:").encode()
        started = time.monotonic()
        connection.sendall(b"GET " + path + b" HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
        head, _, body = b"".join(iter(lambda: connection.recv(65536), b"")).partition(b"\r\n\r\n")
    status = int(head.split()[1])
    assert status == 404 or (status in (400, 414, 431) and len(id) > 4000), head
    assert b"set-cookie" not in head.lower() and time.monotonic() - started < SECONDS
    assert not body or json.loads(body)["status_code"] == status, body


@pytest.mark.parametrize("id", ["a%ffb/c", "%c3%28/a", "%ff"])
def test_ids_that_are_no_text(catalog, id):
    refused(catalog.ask(f"/collections/aimodel/items/{id}"))


@pytest.mark.parametrize(
    "name",
    ["nothing", "AIMODEL", "ai_model", "..%2f..", "%00", "a" * 3000, "aimodel%2Fx", "aimodel%20", "*", "<script>"],
    ids=short,
)
def test_collections(catalog, name):
    for path in ("", "/items", "/queryables", "/sortables", "/items/earth/land-cover"):
        answer = catalog.ask(f"/collections/{name}{path}")
        refused(answer, status=404)
    assert catalog.ask("/search", params={"collections": name}).json()["numberMatched"] == 0


@pytest.mark.parametrize(
    "body",
    ["", "{", "null", "[]", "7", '"x"', "{}{}", "\x00", "\ufeff{}", "[" * 100_000, '{"a":' * 100_000, "a=b", "<xml/>"],
    ids=short,
)
def test_bodies(catalog, body):
    answer = catalog.ask("/search", method="POST", data=body.encode(), headers={"Content-Type": "application/json"})
    if body == "":
        assert answer.status_code == 200
    else:
        refused(answer)


def test_bodies_of_other_kinds(catalog):
    refused(catalog.ask("/search", method="POST", data=b"\xff\xfe\x00"))
    answer = catalog.ask("/search", method="POST", data=b"{" + b" " * 30_000_000 + b"}")
    refused(answer, status=413)
    members = {name: value for name in ("ids", "collections", "q") for value in [{"a": 1}]}
    for name, value in members.items():
        refused(catalog.ask("/search", method="POST", json={name: value}), name)
        refused(catalog.ask("/search", method="POST", json={name: [7]}), name)
    refused(catalog.ask("/search", method="POST", json={"ids": [str(number) for number in range(20_000)]}), "ids")
    refused(catalog.ask("/search", method="POST", json={"fields": 7}), "fields")
    refused(catalog.ask("/search", method="POST", json={"fields": {"include": [7]}}), "fields")
    refused(catalog.ask("/search", method="POST", json={"fields": {"include": ["a" * 9999]}}), "fields")
    refused(catalog.ask("/search", method="POST", json={"datetime": 2024}), "datetime")


def test_parameters_given_twice(catalog):
    for name, value in (
        ("limit", "1"),
        ("datetime", GOOD_DATES[0]),
        ("bbox", "0,0,1,1"),
        ("filter", "title = 'a'"),
        ("token", "x"),
    ):
        refused(catalog.ask(f"/search?{name}={value}&{name}={value}"), name)


def test_modes(catalog):
    for path in ("/search", "/collections/aimodel/items"):
        refused(catalog.ask(path, params={"mode": "nothing"}), "mode")
    refused(catalog.ask("/search?mode=nothing", method="POST", json={}), "mode")


def test_queries_that_are_no_text(catalog):
    for query in ("q=%ff", "ids=%00", "%ff=%ff", "q=%zz", "&&&===&", "collections=%c3%28", "x" * 30_000):
        answer = catalog.ask(f"/search?{query}")
        assert answer.status_code in (200, 400, 414, 431), f"{query[:50]}: {answer.status_code}"


def test_methods_and_paths(catalog):
    for method in ("PUT", "DELETE", "PATCH"):
        for path in (
            "",
            "/",
            "/search",
            "/collections",
            "/collections/aimodel",
            "/collections/aimodel/items",
            "/collections/aimodel/items/earth/land-cover",
            "/conformance",
        ):
            answer = catalog.ask(path, method=method)
            refused(answer, status=405)
            assert "GET" in answer.headers["allow"]
    refused(catalog.ask("/collections/aimodel/items", method="POST", json={}), status=405)
    for path in ("/nothing", "/search/x", "/collections/aimodel/nothing", "/conformance/x"):
        refused(catalog.ask(path), status=404)
