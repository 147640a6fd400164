"""A crawler of STAC APIs, written from the specifications alone: it follows every link, and counts what it checked."""

from __future__ import annotations

import base64
import binascii
import collections
import re
from dataclasses import dataclass, field
from urllib.parse import parse_qsl, unquote_plus, urldefrag, urlsplit

import requests

from catalog_world import CALLERS, Catalog

STAC_MEDIA_TYPES = {
    "Catalog": "application/json",
    "Collection": "application/json",
    "Feature": "application/geo+json",
    "FeatureCollection": "application/geo+json",
}
ANY_TOKEN = re.compile(r"glpat-[\w-]+|" + "|".join(sorted({value for value in CALLERS.values() if value})))
# What an answer to GET and one to HEAD must have alike.
DESCRIBING = ("content-type", "content-length", "etag", "cache-control", "vary", "access-control-allow-origin")
CREDENTIALS = {"authorization", "x-gitlab-token", "private-token"}


@dataclass
class Tally:
    """How many checks were made, and which failed."""

    checks: int = 0
    failures: collections.Counter = field(default_factory=collections.Counter)

    def that(self, holds: bool, *what) -> bool:
        self.checks += 1
        if not holds:
            self.failures[" ".join(str(part)[:300] for part in what)] += 1
        return bool(holds)

    def verdict(self) -> None:
        assert not self.failures, f"{len(self.failures)} of {self.checks} checks failed:\n" + "\n".join(
            f"{count} x {failure}" for failure, count in self.failures.most_common(40)
        )


def hidden_texts(text: str) -> str:
    """The text, and what its page tokens and other base64 say when they are decoded."""
    decoded = []
    for part in set(re.findall(r"[A-Za-z0-9_-]{24,}", text)):
        try:
            decoded.append(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)).decode("latin-1"))
        except (binascii.Error, ValueError):
            continue
    return "\n".join([text, *decoded])


def types_agree(promised: str, given: str) -> bool:
    promised, given = (text.partition(";")[0].strip().lower() for text in (promised, given))
    return promised == given


class Crawler:
    """Walks the catalog as one caller."""

    def __init__(self, catalog: Catalog, caller: str, tally: Tally) -> None:
        self.catalog, self.caller, self.tally = catalog, caller, tally
        self.session = requests.Session()
        if CALLERS[caller]:
            self.session.headers["X-Gitlab-Token"] = CALLERS[caller]
        self.forbidden = catalog.world.forbidden_words(caller)
        self.seen: dict[str, requests.Response] = {}
        self.items: set[tuple[str, str]] = set()
        self.skipped: collections.Counter = collections.Counter()

    # Asking

    def ask(self, url: str, method: str = "GET", **options) -> requests.Response:
        """An answer, in which nothing may stand that the caller is not to know."""
        answer = self.session.request(method, url, timeout=30, allow_redirects=False, **options)
        self.tally.that(answer.status_code < 500, self.caller, method, url, "is", answer.status_code)
        text = answer.text if "zip" not in answer.headers.get("content-type", "") else ""
        whole = hidden_texts(f"{answer.headers}\n{text}")
        self.tally.that(not ANY_TOKEN.search(whole), self.caller, "finds a token at", method, url)
        asked = unquote_plus(f"{answer.request.url} {answer.request.body}")
        # The API description is the same for all; its examples are of the demo.
        told = [word for word in self.forbidden if word in whole and word not in asked and "/openapi.json" not in url]
        self.tally.that(not told, self.caller, "learns of", told, "at", method, url)
        return answer

    def get(self, url: str) -> requests.Response:
        """The answer to GET, from memory if the URL was asked for before."""
        if url not in self.seen:
            self.seen[url] = self.ask(url)
        return self.seen[url]

    def is_own(self, url: str) -> bool:
        return url.startswith(self.catalog.hub.root + "/")

    # Walking

    def crawl(self) -> None:
        """Every document that can be reached from the root."""
        waiting = [(f"{self.catalog.root}/", "application/json", "the start")]
        followed = set()
        while waiting:
            url, promised, where = waiting.pop()
            url = urldefrag(url).url
            if url in followed:
                self.agrees(self.seen.get(url), promised, url, where)
                continue
            followed.add(url)
            if not url.startswith(self.catalog.root):
                self.look_outside(url, promised, where)
                continue
            answer = self.get(url)
            self.tally.that(answer.status_code == 200, self.caller, url, "is", answer.status_code, "linked from", where)
            if answer.status_code != 200:
                continue
            self.agrees(answer, promised, url, where)
            self.conditional(url, answer)
            document = answer.json()
            self.examine(url, document, answer)
            waiting += self.links_of(url, document)

    def agrees(self, answer: requests.Response | None, promised: str | None, url: str, where: str) -> None:
        if answer is not None and promised and answer.status_code == 200:
            given = answer.headers.get("content-type", "")
            self.tally.that(types_agree(promised, given), url, "is", given, "but", where, "promises", promised)

    def look_outside(self, url: str, promised: str | None, where: str) -> None:
        """What is no part of the catalog: API description, downloads, the tracking server."""
        path = urlsplit(url).path
        kind = "/".join(path.split("/")[:3])
        if path.startswith("/mlflow/"):
            answer = self.ask(f"{url.rstrip('/')}/api/2.0/mlflow/experiments/search?max_results=1")
            self.tally.that(answer.status_code in (200, 401, 403, 404), self.caller, url, "is", answer.status_code)
            return
        answer = self.ask(url, headers={"Accept": promised} if promised else {})
        if answer.status_code == 404 and "no endpoint" in answer.text:
            self.skipped[kind] += 1
            return
        allowed = (200, 302, 303, 307) if path.startswith("/api/download") else (200,)
        self.tally.that(answer.status_code in allowed, self.caller, url, "is", answer.status_code, "linked from", where)
        head = self.ask(url, "HEAD", headers={"Accept": promised} if promised else {})
        # What is handed out by a URL signed for GET alone is described by HEAD at once.
        self.tally.that(head.status_code in (200, answer.status_code), "HEAD", url, "is", head.status_code)
        if not path.startswith("/api/download"):
            self.agrees(answer, promised, url, where)

    def links_of(self, url: str, document: dict) -> list[tuple[str, str | None, str]]:
        """The URLs of our own host in links and assets, here and in whatever the document holds."""
        found = []
        for part in [
            document,
            *document.get("features", []),
            *document.get("collections", []),
            *document.get("children", []),
        ]:
            for link in part.get("links", []):
                self.tally.that({"rel", "href"} <= link.keys(), url, "has the link", link)
                self.tally.that(bool(urlsplit(link["href"]).scheme), url, "has the relative link", link)
                self.tally.that(urlsplit(link["href"]).scheme in ("http", "https"), url, "has the link", link)
                if self.is_own(link["href"]) and link.get("method", "GET") == "GET":
                    found.append((link["href"], link.get("type"), f"{url} ({link['rel']})"))
                elif link.get("method") == "POST":
                    answer = self.ask(link["href"], "POST", json=link.get("body", {}))
                    self.tally.that(answer.status_code == 200, self.caller, "POST", link, "is", answer.status_code)
                    self.agrees(answer, link.get("type"), link["href"], url)
            for key, asset in part.get("assets", {}).items():
                self.tally.that(
                    asset.get("href", "").startswith(("http://", "https://")), url, "has the asset", key, asset
                )
                self.tally.that(
                    all(isinstance(role, str) for role in asset.get("roles", [])), url, "asset", key, "has roles"
                )
                if self.is_own(asset["href"]):
                    found.append((asset["href"], None, f"{url} (asset {key})"))
        return found

    # Documents

    def examine(self, url: str, document: dict, answer: requests.Response) -> None:
        kind = document.get("type")
        if kind in STAC_MEDIA_TYPES:
            given = answer.headers["content-type"]
            self.tally.that(types_agree(STAC_MEDIA_TYPES[kind], given), url, "is a", kind, "of type", given)
        rels = collections.defaultdict(list)
        for link in document.get("links", []):
            rels[link["rel"]].append(link["href"])
        if "links" in document:
            self.tally.that(len(rels["self"]) == 1, url, "has", len(rels["self"]), "self links")
            self.tally.that(rels["root"] == [f"{self.catalog.root}/"], url, "has the roots", rels["root"])
            same = self.get(rels["self"][0]) if rels["self"] else answer
            self.tally.that(
                same.status_code == 200 and same.json() == document, url, "is another than its self link", rels["self"]
            )
        if kind == "Catalog":
            self.catalog_document(url, document, rels)
        elif kind == "Collection":
            self.collection_document(url, document, rels)
        elif kind == "Feature":
            self.item_document(url, document, rels)
        elif kind == "FeatureCollection":
            self.page_document(url, document)
        elif "collections" in document:
            self.tally.that(document["numberReturned"] == len(document["collections"]), url, "numberReturned")
            for collection in document["collections"]:
                self.equals_self(url, collection)

    def equals_self(self, url: str, part: dict) -> None:
        own = [link["href"] for link in part["links"] if link["rel"] == "self"]
        self.tally.that(len(own) == 1, url, "holds a document with", own, "as self")
        answer = self.get(own[0])
        self.tally.that(answer.status_code == 200 and answer.json() == part, url, "holds another document than", own[0])

    def catalog_document(self, url: str, document: dict, rels: dict) -> None:
        self.tally.that(urlsplit(rels["self"][0]).path.endswith("/"), "the root's self link ends without a slash")
        for rel in ("service-desc", "service-doc", "conformance", "data", "search", "children", "child"):
            self.tally.that(rel in rels, url, "has no link", rel)
        self.tally.that(
            document["conformsTo"] == self.get(rels["conformance"][0]).json()["conformsTo"], "conformance differs"
        )
        listed = self.get(rels["data"][0]).json()["collections"]
        children = self.get(rels["children"][0]).json()["children"]
        self.tally.that(listed == children, "collections and children differ")
        self.tally.that(
            {self.link(one, "self") for one in listed} == set(rels["child"]), "collections and child links differ"
        )
        methods = [link.get("method", "GET") for link in document["links"] if link["rel"] == "search"]
        self.tally.that(sorted(methods) == ["GET", "POST"], url, "searches by", methods)

    def collection_document(self, url: str, document: dict, rels: dict) -> None:
        self.tally.that(rels["parent"] == rels["root"], url, "has the parent", rels["parent"])
        self.tally.that(url.endswith(f"/collections/{document['id']}"), url, "has the id", document["id"])
        items = self.get(rels["items"][0]).json()
        expected = [item for item in self.catalog.world.visible(self.caller) if item[0] == document["id"]]
        self.tally.that(
            items["numberMatched"] == len(expected),
            self.caller,
            url,
            "has",
            items["numberMatched"],
            "items, not",
            len(expected),
        )

    def item_document(self, url: str, document: dict, rels: dict) -> None:
        collection = f"{self.catalog.root}/collections/{document['collection']}"
        self.tally.that(
            rels["parent"] == rels["collection"] == [collection],
            url,
            "has the parents",
            rels["parent"],
            rels["collection"],
        )
        self.tally.that(url == f"{collection}/items/{document['id']}", url, "has the id", document["id"])
        self.tally.that(
            ("bbox" in document) == (document["geometry"] is not None),
            url,
            "has a bbox without a geometry or none with one",
        )
        sight = self.catalog.world.visible(self.caller).get((document["collection"], document["id"]))
        self.tally.that(sight is not None, self.caller, "sees", document["id"])
        self.tally.that(sight == "code" or not document["assets"], self.caller, "sees the assets of", document["id"])
        self.items.add((document["collection"], document["id"]))

    def page_document(self, url: str, document: dict) -> None:
        self.tally.that(document["numberReturned"] == len(document["features"]), url, "numberReturned is wrong")
        context = {
            "matched": document["numberMatched"],
            "returned": document["numberReturned"],
            "limit": document["context"]["limit"],
        }
        self.tally.that(document["context"] == context, url, "has the context", document["context"])
        query = dict(parse_qsl(urlsplit(url).query))
        for feature in document["features"]:
            if not {"fields", "mode"} & query.keys():
                self.equals_self(url, feature)

    def link(self, document: dict, rel: str) -> str | None:
        return next((link["href"] for link in document["links"] if link["rel"] == rel), None)

    # HTTP

    def conditional(self, url: str, answer: requests.Response) -> None:
        """HEAD, ETag, 304, compression and Vary of one document."""
        that, headers = self.tally.that, answer.headers
        etag = headers.get("etag", "")
        that(re.fullmatch(r'(W/)?"[^"\s]+"', etag), url, "has the ETag", etag)
        vary = {name.strip().lower() for name in headers.get("vary", "").split(",")}
        that(CREDENTIALS | {"accept-encoding"} <= vary, url, "varies by", vary)
        privacy = "private" if CALLERS[self.caller] else "public"
        that(privacy in headers.get("cache-control", ""), self.caller, url, "is", headers.get("cache-control"))
        that(headers.get("x-content-type-options") == "nosniff", url, "may be sniffed")
        that("set-cookie" not in headers, url, "sets a cookie")
        plain = {"Accept-Encoding": "identity"}
        whole, head = self.ask(url, headers=plain), self.ask(url, "HEAD", headers=plain)
        that(head.status_code == 200 and head.content == b"", url, "HEAD is", head.status_code, head.content[:50])
        for name in DESCRIBING:
            that(
                head.headers.get(name) == whole.headers.get(name),
                url,
                name,
                "of HEAD is",
                head.headers.get(name),
                "not",
                whole.headers.get(name),
            )
        that(int(whole.headers["content-length"]) == len(whole.content), url, "is as long as it says")
        that(whole.headers.get("etag") == etag and whole.json() == answer.json(), url, "differs from time to time")
        that(
            headers.get("content-encoding") == "gzip" or len(whole.content) < 1000,
            url,
            "of",
            len(whole.content),
            "bytes is sent as it is",
        )
        for method in ("GET", "HEAD"):
            for tag in (etag, f'"other", {etag}', "*"):
                same = self.ask(url, method, headers={"If-None-Match": tag})
                that(same.status_code == 304 and same.content == b"", method, url, "with", tag, "is", same.status_code)
                that(same.headers.get("etag") == etag, url, "has another ETag with 304:", same.headers.get("etag"))
                that(
                    "vary" in same.headers and "cache-control" in same.headers, url, "304 without Vary or Cache-Control"
                )
        other = self.ask(url, headers={"If-None-Match": '"other"'})
        that(other.status_code == 200, url, "with another ETag is", other.status_code)
        asked = {
            "Origin": "https://ui.example.org",
            "Access-Control-Request-Method": "GET",
            "Access-Control-Request-Headers": "x-gitlab-token,if-none-match",
        }
        preflight = requests.options(url, headers=asked, timeout=30)
        that(preflight.status_code in (200, 204), url, "preflight is", preflight.status_code)
        that(
            preflight.headers.get("access-control-allow-origin") in ("*", asked["Origin"]),
            url,
            "may not be asked by pages",
        )
        allowed = preflight.headers.get("access-control-allow-headers", "").lower()
        that(
            {"x-gitlab-token", "if-none-match"} <= {name.strip() for name in allowed.split(",")},
            url,
            "allows the headers",
            allowed,
        )
        that(headers.get("access-control-allow-origin") == "*", url, "is closed to pages")
        that("etag" in headers.get("access-control-expose-headers", "").lower(), url, "hides its ETag from pages")
