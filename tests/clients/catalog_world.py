"""A GitLab world for the catalog's tests: projects of every visibility with tame, odd and hostile contents.

What each caller may see is worked out here, from the definition alone, so that the hub can be held against it.
"""

from __future__ import annotations

import contextlib
import json
import pathlib
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass, field

import requests

from servers import Perigee, run_perigee, token

COLLECTIONS = {"aimodel": "sharinghub:aimodel", "dataset": "sharinghub:dataset", "processor": "sharinghub:processor"}

# Who asks: the token of each, and whose token it is.
CALLERS = {
    "nobody": None,
    "guest": token("guest"),
    "developer": token("developer"),
    "outsider": token("outsider"),
    "maintainer": token("maintainer"),
    "read-only": token("developer", read_only=True),
}
ADMINISTRATOR = token("catalog")

GROUPS = [
    {"path": "atlas", "visibility": "public"},
    {"path": "atlas/deep", "visibility": "public"},
    {"path": "atlas/deep/down", "visibility": "public"},
    {"path": "staff", "visibility": "internal"},
    {"path": "vault", "visibility": "private"},
    {"path": "cellar", "visibility": "private"},
]
ROLES = {
    ("developer", "atlas"): "developer",
    ("guest", "atlas/deep"): "guest",
    ("maintainer", "vault"): "maintainer",
    ("developer", "vault"): "reporter",
    ("guest", "vault"): "guest",
    ("outsider", "cellar"): "owner",
    ("maintainer", "earth"): "maintainer",
    ("developer", "earth"): "developer",
    ("reporter", "earth"): "reporter",
    ("guest", "earth"): "guest",
    ("outsider", "lab"): "owner",
}

WHOLE_MODEL = """mlm:
  architecture: U-Net
  tasks: [semantic-segmentation]
  framework: PyTorch
  input: [{name: bands, bands: [B02, B03], input: {shape: [-1, 2, 64, 64], dim_order: [batch, bands, height, width], data_type: float32}}]
  output: [{name: mask, tasks: [semantic-segmentation], result: {shape: [-1, 64, 64], dim_order: [batch, height, width], data_type: uint8}}]
"""
# Front matter of README files, in turn; `None`: none at all.
FRONT = [
    None,
    "title: Alpine snow\nlicense: mit\nextent:\n  spatial: [6, 45, 8, 47]\n  temporal: ['2020-01-01T00:00:00Z', '2020-06-30T00:00:00Z']",
    "title: alpine SNOW\nextent:\n  spatial: POINT (7.5 45.5)",
    "title: Pacific islands\nextent:\n  spatial: [170, -20, -170, 20]",
    "title: Zwei Länder\nkeywords: [größe, '日本']\nextent:\n  spatial: MULTIPOLYGON (((0 0, 1 0, 1 1, 0 0)), ((10 10, 11 10, 11 11, 10 10)))",
    "title: [broken",
    "- a list\n- is no mapping",
    "title: <script>alert(1)</script>\ndescription: '\"><img src=x onerror=alert(1)>'\ndatetime: nonsense\nbbox: [1, 2]\n"
    "links: [{rel: self, href: 'javascript:alert(1)'}, {rel: next, href: 'http://127.0.0.1:1/x'}, 7]\n"
    "sharinghub: {id: 1, access-level: 4, path: a/b, stars: many}\nextensions: {eo: 'file:///etc/passwd'}\n"
    "license: ../../etc\nkeywords: {a: b}\nproviders: none\nassets: [{key: ../x, href: 'data:text/html,x'}, 3, '**']\nextent: {spatial: POLYGON((0 0)), temporal: [5]}",
    "title: Segmented water\n" + WHOLE_MODEL + "assets: ['*.pt']",
    "title: Cloudy\neo: {cloud_cover: 12.5, snow_cover: much}\nextent:\n  spatial: [-10, 35, 30, 70]",
    "title: Odd files\nassets: ['odd/*', '*.csv']",
    "title: Cited\nsci: {doi: 10.5281/zenodo.77, citation: Somebody (2024)}",
    "title: Long ago\nextent:\n  temporal: ['0101-01-01T00:00:00Z', '1789-07-14T12:00:00Z']",
    "title: Related\nrelated: {dataset: 'https://gitlab.example.com/earth/sentinel-patches'}\nlinks: [{rel: documentation, href: docs/guide.md}]",
    "title: Null island\nextent:\n  spatial: [0, 0, 0, 0]",
    "title: 12345\nversion: 1\nnothing: null\ndeep: {a: {b: [1, {c: d}]}}",
]
ODD_FILES = [
    "odd/a b.csv",
    "odd/hash#tag.csv",
    "odd/question?.csv",
    "odd/percent%20.csv",
    "odd/plus+&=.csv",
    "odd/été 日本.csv",
]


@dataclass
class Project:
    id: int
    path: str
    visibility: str
    categories: list[str]
    code_is_for_members: bool = False
    # Words that stand nowhere but in the repository, or in what only its readers see.
    secrets: list[str] = field(default_factory=list)

    @property
    def items(self) -> list[tuple[str, str]]:
        return [(category, self.path) for category in self.categories]

    def role_of(self, account: str) -> str | None:
        places = [self.path[:end] for end, letter in enumerate(self.path) if letter == "/"]
        return next((ROLES[(account, place)] for place in reversed(places) if (account, place) in ROLES), None)

    def sight(self, caller: str) -> str:
        """`hidden`, `project` (nothing of the repository) or `code`, as GitLab's rules say."""
        account = {"nobody": None, "read-only": "developer"}.get(caller, caller)
        role = account and self.role_of(account)
        is_open = self.visibility == "public" or (self.visibility == "internal" and account is not None)
        # Guests read the code of private projects only if it is open to them; where all see the project, they count as members.
        if role in ("reporter", "developer", "maintainer", "owner") or (
            is_open and (role or not self.code_is_for_members)
        ):
            return "code"
        return "project" if role or is_open else "hidden"


DEMO = [
    Project(1, "earth/flood-model", "private", ["aimodel"], secrets=["data/backscatter", "Summer floods"]),
    Project(2, "earth/land-cover", "public", ["aimodel"]),
    Project(3, "earth/sentinel-patches", "public", ["dataset"]),
    Project(4, "earth/tools/ndvi", "internal", ["processor"]),
    Project(5, "lab/secret-model", "private", ["aimodel"]),
]


def _projects() -> list[Project]:
    plan = [
        ("atlas", "public", 10),
        ("atlas/deep/down", "public", 8),
        ("staff", "internal", 6),
        ("vault", "private", 10),
        ("cellar", "private", 6),
    ]
    projects = []
    for group, visibility, count in plan:
        for place in range(count):
            number = 100 + len(projects)
            categories = [list(COLLECTIONS)[number % 3]]
            if number % 7 == 0:
                categories = ["aimodel", "dataset"]
            project = Project(number, f"{group}/{group[:2]}-thing-{number}", visibility, categories)
            project.code_is_for_members = place % 5 == 4 and visibility != "private"
            project.secrets = [f"inside{number}secret", f"v9.{number}.7"]
            projects.append(project)
    return projects


@dataclass
class World:
    projects: list[Project]

    def visible(self, caller: str) -> dict[tuple[str, str], str]:
        """(collection, item) -> `project` or `code`, in the order of items' ids."""
        pairs = [(item, project.sight(caller)) for project in self.projects for item in project.items]
        return {item: sight for item, sight in sorted(pairs, key=lambda pair: pair[0][::-1]) if sight != "hidden"}

    def everything(self) -> int:
        return sum(len(project.items) for project in self.projects)

    def hidden(self, caller: str) -> list[Project]:
        return [project for project in self.projects if project.sight(caller) == "hidden"]

    def forbidden_words(self, caller: str) -> list[str]:
        """What must stand in no answer to this caller."""
        words = []
        for project in self.projects:
            sight = project.sight(caller)
            words += [project.path] if sight == "hidden" else []
            words += project.secrets if sight != "code" else []
        return words

    def write(self, folder: pathlib.Path) -> None:
        """A folder for `local --projects`."""
        entries = []
        for project in self.projects:
            if project.id < 100:
                continue
            number, (secret, tag) = project.id, project.secrets
            day = f"{number % 28 + 1:02}"
            entries.append(
                {
                    "id": number,
                    "path": project.path,
                    "name": f"Thing {number % 5}",
                    "visibility": project.visibility,
                    "topics": [*(COLLECTIONS[category] for category in project.categories), f"odd-{number % 2}"],
                    "description": f"Thing number {number}" if number % 3 else "",
                    "created_at": f"2024-0{number % 4 + 1}-{day}T10:00:00.000Z",
                    "last_activity_at": f"2025-0{number % 3 + 1}-{day}T11:22:33.456Z",
                    "stars": number % 4,
                    "archived": number % 11 == 0,
                    "repository": "private" if project.code_is_for_members else "enabled",
                    "releases": [{"tag": tag, "name": f"Release {secret}", "released_at": "2025-01-01T00:00:00.000Z"}],
                    "packages": [{"name": f"package-{secret}", "type": "pypi", "version": "1.0"}] if number % 2 else [],
                    "containers": [{"name": f"image-{secret}", "tags": ["latest"]}] if number % 3 == 0 else [],
                }
            )
            if number % 13 == 0:  # an empty repository
                project.secrets = []
                entries[-1] |= {"releases": [], "packages": [], "containers": []}
                continue
            front = FRONT[number % len(FRONT)]
            repository = folder / project.path
            repository.mkdir(parents=True)
            head = "" if front is None else f"---\n{front}\n---\n"
            repository.joinpath("README.md").write_text(
                f"{head}# Heading\n\nWritten {secret}.\n\n![preview](pic.png)\n"
            )
            for name in [
                "data.csv",
                "w.pt",
                "LICENSE",
                "docs/guide.md",
                *(ODD_FILES if front and "Odd" in front else []),
            ]:
                repository.joinpath(name).parent.mkdir(exist_ok=True)
                repository.joinpath(name).write_text(f"{name} of {secret}\n")
        memberships = [
            {"account": account, "in": place, "role": role}
            for (account, place), role in ROLES.items()
            if place not in ("earth", "lab")
        ]
        definition = {"groups": GROUPS, "projects": entries, "memberships": memberships}
        # JSON is YAML.
        folder.joinpath("gitlab.yaml").write_text(json.dumps(definition))


@dataclass(frozen=True)
class Catalog:
    """A hub whose catalog shows the world."""

    hub: Perigee
    world: World
    # Where the world's files are.
    folder: pathlib.Path

    @property
    def root(self) -> str:
        return f"{self.hub.root}/api/stac"

    def ask(self, path: str, caller: str = "nobody", method: str = "GET", **options) -> requests.Response:
        """`path` below the catalog's root, or a whole URL."""
        url = path if path.startswith("http") else f"{self.root}{path}"
        value = CALLERS[caller]
        headers = options.pop("headers", {}) | ({"X-Gitlab-Token": value} if value else {})
        return requests.request(method, url, headers=headers, timeout=30, allow_redirects=False, **options)

    def has(self, path: str) -> bool:
        """Does this hub serve the path at all?"""
        answer = requests.get(f"{self.hub.root}{path}", timeout=30, allow_redirects=False)
        return answer.status_code != 404 or "no endpoint" not in answer.text


@contextlib.contextmanager
def run_catalog(environment: dict[str, str] | None = None) -> Iterator[Catalog]:
    """A hub of its own, with these variables in its environment, once its catalog is complete."""
    world = World(DEMO + _projects())
    with tempfile.TemporaryDirectory(prefix="perigee-world-") as folder:
        world.write(pathlib.Path(folder))
        with run_perigee("--projects", folder, environment=environment) as hub:
            deadline = time.monotonic() + 60
            matched = 0
            while time.monotonic() < deadline and matched != world.everything():
                answer = requests.get(
                    f"{hub.root}/api/stac/search?limit=1", headers={"X-Gitlab-Token": ADMINISTRATOR}, timeout=30
                )
                matched = answer.json()["numberMatched"]
                time.sleep(0.2)
            assert matched == world.everything(), f"the catalog has {matched} of {world.everything()} items"
            yield Catalog(hub, world, pathlib.Path(folder))
