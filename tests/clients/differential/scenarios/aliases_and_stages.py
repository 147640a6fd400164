"""Aliases, stages, and the latest versions."""

from ..call import delete, get, model_version, patch, post, registered_model, scenario

ALIAS, STAGE = "registered-models/alias", "model-versions/transition-stage"
LATEST, MODEL, VERSION = "registered-models/get-latest-versions", "registered-models/get", "model-versions/get"
WRONG_TYPES = {"number": 7, "decimal": 1.5, "bool": True, "list": ["a"], "object": {"a": "b"}}
STAGES = ("None", "Staging", "Production", "Archived")


@scenario
def aliases():
    yield registered_model("al")
    for number in (1, 2):
        yield model_version("al", number)
    name = {"name": "{u}.al"}
    yield post("set", ALIAS, {**name, "alias": "champion", "version": "1"})
    yield get("get", ALIAS, {**name, "alias": "champion"})
    yield get("in the version", VERSION, {**name, "version": "1"})
    yield get("in the model", MODEL, name)
    yield post("set again", ALIAS, {**name, "alias": "champion", "version": "1"})
    yield post("move", ALIAS, {**name, "alias": "champion", "version": "2"})
    yield get("get moved", ALIAS, {**name, "alias": "champion"})
    yield get("no longer in the first", VERSION, {**name, "version": "1"})
    yield get("now in the second", VERSION, {**name, "version": "2"})
    yield post("second alias", ALIAS, {**name, "alias": "best", "version": "2"})
    yield post("alias of the first", ALIAS, {**name, "alias": "old", "version": "1"})
    yield get("two in the second", VERSION, {**name, "version": "2"})
    yield get("three in the model", MODEL, name)
    yield get("three in search", "registered-models/search", {"filter": "name = '{u}.al'"})
    yield get("versions in search", "model-versions/search", {"filter": "name = '{u}.al'"})
    yield get("latest versions", LATEST, name)
    yield patch("update shows them", "model-versions/update", {**name, "version": "2", "description": "d"})
    yield post("stage shows them", STAGE, {**name, "version": "2", "stage": "Staging"})
    yield get("other case", ALIAS, {**name, "alias": "Champion"})
    yield post("other case is another alias", ALIAS, {**name, "alias": "Champion", "version": "1"})
    yield get("other case now", ALIAS, {**name, "alias": "Champion"})
    yield delete("delete", ALIAS, {**name, "alias": "champion"})
    yield get("is gone", ALIAS, {**name, "alias": "champion"})
    yield delete("delete again", ALIAS, {**name, "alias": "champion"})
    yield delete("delete one never set", ALIAS, {**name, "alias": "nosuch"})
    yield delete("setup: delete the version", "model-versions/delete", {**name, "version": "2"})
    yield get("alias of a deleted version", ALIAS, {**name, "alias": "best"})
    yield get("left in the model", MODEL, name)
    yield post("alias at the ui twin", "/ajax-api/2.0/mlflow/registered-models/alias", {**name, "alias": "ui", "version": "1"})
    yield get("get at the ui twin", "/ajax-api/2.0/mlflow/registered-models/alias", {**name, "alias": "ui"})


@scenario
def alias_names():
    yield registered_model("aln")
    yield model_version("aln", 1)
    name = {"name": "{u}.aln"}
    for alias in (
        "a",
        "A-b_c",
        "1",
        "0",
        "-",
        "_",
        "größe",
        "洪水",
        "latest",
        "Latest",
        "LATEST",
        "latest1",
        "v1",
        "V1",
        "v01",
        "v",
        "v1a",
        "version1",
        "v１",
        "a b",
        "a.b",
        "a/b",
        "a:b",
        "a@b",
        "a%20b",
        "a\n",
        " ",
        "🌊",
        "",
    ):
        yield post(f"set {alias!r}", ALIAS, {**name, "alias": alias, "version": "1"})
        yield get(f"get {alias!r}", ALIAS, {**name, "alias": alias})
        yield delete(f"delete {alias!r}", ALIAS, {**name, "alias": alias})
    for length in (255, 256):
        alias = "a" * length
        yield post(f"set {length} characters", ALIAS, {**name, "alias": alias, "version": "1"})
        yield get(f"get {length} characters", ALIAS, {**name, "alias": alias})
        yield delete(f"delete {length} characters", ALIAS, {**name, "alias": alias})


@scenario
def aliases_refused():
    yield registered_model("alr")
    yield model_version("alr", 1)
    name = {"name": "{u}.alr"}
    yield post("no alias", ALIAS, {**name, "version": "1"})
    yield post("no version", ALIAS, {**name, "alias": "a"})
    yield post("no name", ALIAS, {"alias": "a", "version": "1"})
    yield post("missing model", ALIAS, {"name": "{u}.nobody", "alias": "a", "version": "1"})
    yield post("bad name", ALIAS, {"name": "a/b", "alias": "a", "version": "1"})
    yield post("bad alias in a missing model", ALIAS, {"name": "{u}.nobody", "alias": "a b", "version": "1"})
    for version in ("2", "0", "-1", "01", "1.0", "abc", "latest", "", "9" * 30):
        yield post(f"version {version!r}", ALIAS, {**name, "alias": "a", "version": version})
    for label, value in WRONG_TYPES.items():
        yield post(f"version is a {label}", ALIAS, {**name, "alias": "a", "version": value})
        yield post(f"alias is a {label}", ALIAS, {**name, "alias": value, "version": "1"})
    yield get("get without alias", ALIAS, name)
    yield get("get without name", ALIAS, {"alias": "a"})
    yield get("get of an unknown alias", ALIAS, {**name, "alias": "nosuch"})
    yield get("get in a missing model", ALIAS, {"name": "{u}.nobody", "alias": "a"})
    yield get("get with a bad name", ALIAS, {"name": "a/b", "alias": "a"})
    yield delete("delete without alias", ALIAS, name)
    yield delete("delete without name", ALIAS, {"alias": "a"})
    yield delete("delete in a missing model", ALIAS, {"name": "{u}.nobody", "alias": "a"})
    yield delete("delete with a bad name", ALIAS, {"name": "a:b", "alias": "a"})


@scenario
def latest_as_an_alias():
    yield registered_model("lat")
    name = {"name": "{u}.lat"}
    yield get("of no version", ALIAS, {**name, "alias": "latest"})
    for number in (1, 2, 3):
        yield model_version("lat", number)
    yield get("of three", ALIAS, {**name, "alias": "latest"})
    yield post("setup: alias", ALIAS, {**name, "alias": "champion", "version": "3"})
    yield post("setup: stage", STAGE, {**name, "version": "3", "stage": "Production"})
    yield get("in whatever stage", ALIAS, {**name, "alias": "latest"})
    yield get("in capitals", ALIAS, {**name, "alias": "LATEST"})
    yield delete("setup: delete the newest", "model-versions/delete", {**name, "version": "3"})
    yield get("after a deletion", ALIAS, {**name, "alias": "latest"})
    yield get("v2 is no alias", ALIAS, {**name, "alias": "v2"})
    yield get("of a missing model", ALIAS, {"name": "{u}.nobody", "alias": "latest"})


@scenario
def stages():
    yield registered_model("st")
    yield model_version("st", 1, description="kept", tags=[{"key": "k", "value": "v"}])
    one = {"name": "{u}.st", "version": "1"}
    for stage in (*STAGES, "staging", "PRODUCTION", "aRcHiVeD", "none"):
        yield post(f"to {stage}", STAGE, {**one, "stage": stage})
        yield get(f"model after {stage}", MODEL, {"name": "{u}.st"})
    yield get("version at last", VERSION, one)
    for stage in ("nosuch", " Staging", "Staging ", "Deleted_Internal", "", "stag"):
        yield post(f"to {stage!r}", STAGE, {**one, "stage": stage})
    yield post("no stage", STAGE, one)
    yield post("null stage", STAGE, {**one, "stage": None})
    yield post("no version", STAGE, {"name": "{u}.st", "stage": "Staging"})
    yield post("no name", STAGE, {"version": "1", "stage": "Staging"})
    yield post("padded version", STAGE, {**one, "version": "01", "stage": "Staging"})
    yield post("missing version", STAGE, {**one, "version": "7", "stage": "Staging"})
    yield post("missing version, unknown stage", STAGE, {**one, "version": "7", "stage": "nosuch"})
    yield post("version in letters", STAGE, {**one, "version": "abc", "stage": "Staging"})
    yield post("number as version", STAGE, {**one, "version": 1, "stage": "Staging"})
    yield post("missing model", STAGE, {**one, "name": "{u}.nobody", "stage": "Staging"})
    yield post("bad name", STAGE, {**one, "name": "a/b", "stage": "Staging"})
    for label, value in WRONG_TYPES.items():
        yield post(f"stage is a {label}", STAGE, {**one, "stage": value})
    for label, value in (("text", "true"), ("number", 1), ("null", None), ("list", [True])):
        yield post(f"archiving is a {label}", STAGE, {**one, "stage": "Staging", "archive_existing_versions": value})


@scenario
def archiving():
    for stage in STAGES:
        model = f"ar {stage}"
        yield registered_model(model)
        for number in (1, 2, 3):
            yield model_version(model, number)
        name = {"name": f"{{u}}.{model}"}
        for number in ("1", "2"):
            yield post(f"setup: {number} to {stage}", STAGE, {**name, "version": number, "stage": stage})
        yield post(f"without archiving in {stage}", STAGE, {**name, "version": "3", "stage": stage, "archive_existing_versions": False})
        yield get(f"all in {stage}", "model-versions/search", {"filter": f"name = '{{u}}.{model}'", "order_by": "version_number"})
        yield post(f"archiving in {stage}", STAGE, {**name, "version": "3", "stage": stage, "archive_existing_versions": True})
        yield get(f"archived from {stage}", "model-versions/search", {"filter": f"name = '{{u}}.{model}'", "order_by": "version_number"})
        yield get(f"latest after {stage}", LATEST, name, unordered=True)
    name = {"name": "{u}.ar Staging"}
    yield post("archiving, small letters", STAGE, {**name, "version": "2", "stage": "staging", "archive_existing_versions": True})
    yield get("who is where", "model-versions/search", {"filter": "name = '{u}.ar Staging'", "order_by": "version_number"})
    yield post("archiving for a missing version", STAGE, {**name, "version": "9", "stage": "Staging", "archive_existing_versions": True})
    yield get("nobody was archived", "model-versions/search", {"filter": "name = '{u}.ar Staging'", "order_by": "version_number"})
    yield delete("setup: delete an archived one", "model-versions/delete", {**name, "version": "1"})
    yield post("archiving beside a deleted one", STAGE, {**name, "version": "3", "stage": "Staging", "archive_existing_versions": True})
    yield get("the deleted one stays away", "model-versions/search", {"filter": "name = '{u}.ar Staging'", "order_by": "version_number"})


@scenario
def latest_versions():
    yield registered_model("lv")
    name = {"name": "{u}.lv"}
    yield get("of no version", LATEST, name)
    yield get("of no version, one stage", LATEST, {**name, "stages": "Production"})
    for number in range(1, 7):
        yield model_version("lv", number)
    for number, stage in ((1, "Staging"), (2, "Staging"), (3, "Production"), (4, "Archived")):
        yield post(f"setup: {number} to {stage}", STAGE, {**name, "version": str(number), "stage": stage})
    for alias, version in (("champion", "3"), ("best", "3"), ("old", "1")):
        yield post(f"setup: {alias}", ALIAS, {**name, "alias": alias, "version": version})
    for label, stages in (
        ("none named", []),
        ("Staging", ["Staging"]),
        ("small letters", ["staging"]),
        ("two", ["Production", "Staging"]),
        ("one twice", ["Production", "production"]),
        ("None", ["None"]),
        ("Archived", ["Archived"]),
        ("all four", list(STAGES)),
        ("unknown", ["nosuch"]),
        ("known and unknown", ["Staging", "nosuch"]),
        ("empty", [""]),
    ):
        yield get(f"get {label}", LATEST, [("name", "{u}.lv"), *(("stages", stage) for stage in stages)], unordered=True)
        yield post(f"post {label}", LATEST, {**name, "stages": stages}, unordered=True)
    for label, stages in (("text", "Staging"), ("number", 1), ("list of numbers", [1]), ("null", None), ("list of null", [None])):
        yield post(f"stages is a {label}", LATEST, {**name, "stages": stages}, unordered=True)
    yield post("no stages", LATEST, name, unordered=True)
    yield get("brackets", LATEST, [("name", "{u}.lv"), ("stages[]", "Staging")], unordered=True)
    yield get("no name", LATEST)
    yield post("no name by post", LATEST, {})
    yield get("missing model", LATEST, {"name": "{u}.nobody"})
    yield post("missing model by post", LATEST, {"name": "{u}.nobody", "stages": ["nosuch"]})
    yield get("bad name", LATEST, {"name": "a/b"})
    yield get("ui twin", "/ajax-api/2.0/mlflow/registered-models/get-latest-versions", {**name, "stages": "Staging"})
