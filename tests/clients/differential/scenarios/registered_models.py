"""Registered models: create, get, update, rename, delete, tags, and what get shows of the versions."""

from ..call import delete, get, model_version, patch, post, registered_model, scenario

CREATE, GET, UPDATE = "registered-models/create", "registered-models/get", "registered-models/update"
RENAME, DELETE = "registered-models/rename", "registered-models/delete"
SET_TAG, DELETE_TAG = "registered-models/set-tag", "registered-models/delete-tag"
WRONG_TYPES = {"number": 7, "decimal": 1.5, "bool": True, "list": ["a"], "object": {"a": "b"}}


@scenario
def create():
    yield post("minimal", CREATE, {"name": "{u}.rm"})
    yield get("get minimal", GET, {"name": "{u}.rm"})
    yield post("same name again", CREATE, {"name": "{u}.rm"})
    yield post("same name, other case", CREATE, {"name": "{u}.RM"})
    tags = [{"key": "team", "value": "water"}, {"key": "empty", "value": ""}, {"key": "absent"}]
    yield post("full", CREATE, {"name": "{u}.full", "description": "# Floods\n", "tags": tags})
    yield get("get full", GET, {"name": "{u}.full"})
    yield post("empty description", CREATE, {"name": "{u}.d1", "description": ""})
    yield get("get empty description", GET, {"name": "{u}.d1"})
    yield post("null description", CREATE, {"name": "{u}.d2", "description": None})
    yield post("long description", CREATE, {"name": "{u}.d3", "description": "d" * 6000})
    yield post("no tags", CREATE, {"name": "{u}.t1", "tags": []})
    yield post("null tags", CREATE, {"name": "{u}.t2", "tags": None})
    twice = [{"key": "k", "value": "first"}, {"key": "k", "value": "second"}]
    yield post("same tag twice", CREATE, {"name": "{u}.t3", "tags": twice})
    yield post("user and deployment job", CREATE, {"name": "{u}.j", "user_id": "somebody", "deployment_job_id": "7"})
    yield get("get with deployment job", GET, {"name": "{u}.j"})
    yield post("unknown field is ignored", CREATE, {"name": "{u}.x", "colour": "red"})
    yield post("ui twin", "/ajax-api/2.0/mlflow/registered-models/create", {"name": "{u}.ui"})
    yield get("get at the ui twin", "/ajax-api/2.0/mlflow/registered-models/get", {"name": "{u}.ui"})


@scenario
def create_refused():
    yield post("no name", CREATE, {})
    yield post("empty name", CREATE, {"name": ""})
    yield post("null name", CREATE, {"name": None})
    yield post("only a description", CREATE, {"description": "d"})
    for label, value in WRONG_TYPES.items():
        yield post(f"name is a {label}", CREATE, {"name": value})
        yield post(f"description is a {label}", CREATE, {"name": f"{{u}}.r {label}", "description": value})
    for label, value in (("text", "x"), ("object", {"key": "k"}), ("number", 1)):
        yield post(f"tags is a {label}", CREATE, {"name": f"{{u}}.r tags {label}", "tags": value})
    for label, value in (("text", ["x"]), ("number", [1]), ("list", [[]])):
        # For the stock server this is a tag with an empty key.
        yield post(f"tag is a {label}", CREATE, {"name": f"{{u}}.r tag {label}", "tags": value}, compare_message=False)
    for label, tag in (
        ("without key", {"value": "v"}),
        ("with empty key", {"key": "", "value": "v"}),
        ("with number as value", {"key": "k", "value": 1}),
        ("with bad characters", {"key": "a#b", "value": "v"}),
        ("not in normal form", {"key": "a//b", "value": "v"}),
        ("with a long key", {"key": "k" * 251, "value": "v"}),
        ("with a long value", {"key": "k", "value": "v" * 100_001}),
    ):
        yield post(f"tag {label}", CREATE, {"name": f"{{u}}.refused {label}", "tags": [tag]})
        yield get(f"nothing was made for a tag {label}", GET, {"name": f"{{u}}.refused {label}"})


NAMES = {
    "slash": "{u}/a",
    "colon": "{u}:a",
    "only slash": "/",
    "blank": "   ",
    "tab": "\t",
    "dot": ".",
    "two dots": "..",
    "three dots": "...",
    "leading dot": ".{u}",
    "dots inside": "{u}..a",
    "trailing dot": "{u}.t.",
    "backslash": "{u}\\a",
    "unicode": "{u} Überflutung 洪水",
    "emoji": "{u} 🌊",
    "quotes": "{u} 'a' \"b\" `c`",
    "percent": "{u}%2Fa%",
    "brackets": "{u} (12) [a] {{ b }}",
    "hash and question mark": "{u}#a?b=c&d",
    "at": "{u}@champion",
    "leading space": " {u} a",
    "trailing space": "{u} b ",
    "new line": "{u}\na",
    "long": "{u}" + "n" * 244,
}


@scenario
def names():
    for label, name in NAMES.items():
        yield post(f"create {label}", CREATE, {"name": name})
        yield get(f"get {label}", GET, {"name": name})


@scenario
def read():
    yield registered_model("read")
    yield get("it", GET, {"name": "{u}.read"})
    yield get("other case", GET, {"name": "{u}.READ"})
    yield get("missing", GET, {"name": "{u}.nobody"})
    yield get("no name", GET)
    yield get("empty name", GET, {"name": ""})
    yield get("unknown parameter is ignored", GET, {"name": "{u}.read", "x": "1"})
    yield get("name twice", GET, [("name", "{u}.read"), ("name", "{u}.other")])


@scenario
def latest_versions_in_get():
    yield registered_model("shown")
    for number in range(1, 6):
        yield model_version("shown", number, description=f"version {number}", tags=[{"key": "n", "value": str(number)}])
    yield get("newest only", GET, {"name": "{u}.shown"})
    for number, stage in ((1, "Staging"), (2, "Production"), (3, "Archived"), (4, "Staging")):
        body = {"name": "{u}.shown", "version": str(number), "stage": stage}
        yield post(f"setup: {number} to {stage}", "model-versions/transition-stage", body)
    yield post("setup: alias", "registered-models/alias", {"name": "{u}.shown", "alias": "champion", "version": "4"})
    yield get("one of each stage", GET, {"name": "{u}.shown"})
    yield get("the same in search", "registered-models/search", {"filter": "name = '{u}.shown'"})
    yield delete("setup: delete the newest", "model-versions/delete", {"name": "{u}.shown", "version": "5"})
    yield get("no version without a stage", GET, {"name": "{u}.shown"})
    yield delete("setup: delete the staged", "model-versions/delete", {"name": "{u}.shown", "version": "4"})
    yield get("the older staged one", GET, {"name": "{u}.shown"})


@scenario
def update():
    yield registered_model("u", description="first")
    yield patch("description", UPDATE, {"name": "{u}.u", "description": "second"})
    yield get("described", GET, {"name": "{u}.u"})
    yield patch("the same description", UPDATE, {"name": "{u}.u", "description": "second"})
    yield patch("unicode", UPDATE, {"name": "{u}.u", "description": "Größe 洪水\n"})
    yield patch("empty", UPDATE, {"name": "{u}.u", "description": ""})
    yield get("emptied", GET, {"name": "{u}.u"})
    yield patch("setup: describe again", UPDATE, {"name": "{u}.u", "description": "third"})
    yield patch("null", UPDATE, {"name": "{u}.u", "description": None})
    yield get("after null", GET, {"name": "{u}.u"})
    yield patch("setup: describe once more", UPDATE, {"name": "{u}.u", "description": "fourth"})
    yield patch("absent", UPDATE, {"name": "{u}.u"})
    yield get("after absent", GET, {"name": "{u}.u"})
    yield patch("deployment job", UPDATE, {"name": "{u}.u", "description": "fifth", "deployment_job_id": "7"})
    yield patch("long", UPDATE, {"name": "{u}.u", "description": "d" * 6000})
    yield patch("missing", UPDATE, {"name": "{u}.nobody", "description": "x"})
    yield patch("no name", UPDATE, {"description": "x"})
    yield patch("empty name", UPDATE, {"name": "", "description": "x"})
    yield patch("blank name", UPDATE, {"name": " ", "description": "x"})
    yield patch("name with a slash", UPDATE, {"name": "a/b", "description": "x"})
    for label, value in WRONG_TYPES.items():
        yield patch(f"description is a {label}", UPDATE, {"name": "{u}.u", "description": value})
    yield post("by post", UPDATE, {"name": "{u}.u", "description": "x"})


@scenario
def rename():
    yield registered_model("before", tags=[{"key": "team", "value": "water"}], description="kept")
    yield registered_model("taken")
    yield model_version("before", 1)
    yield model_version("before", 2, tags=[{"key": "n", "value": "2"}])
    yield post("setup: alias", "registered-models/alias", {"name": "{u}.before", "alias": "champion", "version": "1"})
    yield post("setup: stage", "model-versions/transition-stage", {"name": "{u}.before", "version": "2", "stage": "Staging"})
    yield post("rename", RENAME, {"name": "{u}.before", "new_name": "{u}.after"})
    yield get("renamed", GET, {"name": "{u}.after"})
    yield get("old name is gone", GET, {"name": "{u}.before"})
    yield get("its version", "model-versions/get", {"name": "{u}.after", "version": "1"})
    yield get("version under the old name", "model-versions/get", {"name": "{u}.before", "version": "1"})
    yield get("its alias", "registered-models/alias", {"name": "{u}.after", "alias": "champion"})
    yield get("its versions", "model-versions/search", {"filter": "name = '{u}.after'", "order_by": "version_number"})
    yield get("no versions of the old name", "model-versions/search", {"filter": "name = '{u}.before'"})
    yield get("its download uri", "model-versions/get-download-uri", {"name": "{u}.after", "version": "2"})
    yield get("found by the new name", "registered-models/search", {"filter": "name = '{u}.after'"})
    yield get("found by its tag", "registered-models/search", {"filter": "tags.team = 'water' AND name LIKE '{u}.after%'"})
    yield post("next version", "model-versions/create", {"name": "{u}.after", "source": "s3://bucket/3"})
    yield post("version of the old name", "model-versions/create", {"name": "{u}.before", "source": "s3://bucket/3"})
    yield post("old name is free", CREATE, {"name": "{u}.before"})
    yield post("first version of the new one", "model-versions/create", {"name": "{u}.before", "source": "s3://bucket/1"})
    yield post("to a taken name", RENAME, {"name": "{u}.after", "new_name": "{u}.taken"})
    yield get("nothing changed", GET, {"name": "{u}.taken"})
    yield post("to its own name", RENAME, {"name": "{u}.after", "new_name": "{u}.after"})
    yield post("to another case", RENAME, {"name": "{u}.after", "new_name": "{u}.After"})
    yield post("back", RENAME, {"name": "{u}.After", "new_name": "{u}.after"})


@scenario
def rename_refused():
    yield registered_model("stays")
    yield post("no new name", RENAME, {"name": "{u}.stays"})
    yield post("empty new name", RENAME, {"name": "{u}.stays", "new_name": ""})
    yield post("null new name", RENAME, {"name": "{u}.stays", "new_name": None})
    yield post("no name", RENAME, {"new_name": "{u}.x"})
    yield post("empty name", RENAME, {"name": "", "new_name": "{u}.x"})
    yield post("missing", RENAME, {"name": "{u}.nobody", "new_name": "{u}.x"})
    yield post("missing to a bad name", RENAME, {"name": "{u}.nobody", "new_name": "a/b"})
    yield post("missing to a taken name", RENAME, {"name": "{u}.nobody", "new_name": "{u}.stays"})
    for label in ("slash", "colon", "blank", "dot", "two dots"):
        yield post(f"to a name with {label}", RENAME, {"name": "{u}.stays", "new_name": NAMES[label]})
    for label, value in WRONG_TYPES.items():
        yield post(f"new name is a {label}", RENAME, {"name": "{u}.stays", "new_name": value})
    yield get("unchanged", GET, {"name": "{u}.stays"})


@scenario
def delete_model():
    yield registered_model("mortal", tags=[{"key": "team", "value": "water"}])
    yield model_version("mortal", 1)
    yield model_version("mortal", 2)
    yield post("setup: alias", "registered-models/alias", {"name": "{u}.mortal", "alias": "champion", "version": "2"})
    yield delete("delete", DELETE, {"name": "{u}.mortal"})
    yield get("is gone", GET, {"name": "{u}.mortal"})
    yield get("its version is gone", "model-versions/get", {"name": "{u}.mortal", "version": "1"})
    yield get("its alias is gone", "registered-models/alias", {"name": "{u}.mortal", "alias": "champion"})
    yield get("not found by search", "registered-models/search", {"filter": "name = '{u}.mortal'"})
    yield get("versions not found by search", "model-versions/search", {"filter": "name = '{u}.mortal'"})
    yield get("no latest versions", "registered-models/get-latest-versions", {"name": "{u}.mortal"})
    yield delete("delete again", DELETE, {"name": "{u}.mortal"})
    yield post("its name is free", CREATE, {"name": "{u}.mortal"})
    yield get("the new one has nothing of it", GET, {"name": "{u}.mortal"})
    yield post("versions start anew", "model-versions/create", {"name": "{u}.mortal", "source": "s3://bucket/1"})
    yield get("no alias of it", "registered-models/alias", {"name": "{u}.mortal", "alias": "champion"})
    yield delete("no name", DELETE, {})
    yield delete("empty name", DELETE, {"name": ""})
    yield delete("number as name", DELETE, {"name": 7})
    yield delete("missing", DELETE, {"name": "{u}.nobody"})
    yield delete("name with a slash", DELETE, {"name": "a/b"})
    yield delete("name in the query", f"{DELETE}?name={{u}}.mortal", compare_message=False)
    yield get("still there", GET, {"name": "{u}.mortal"})
    yield post("by post", DELETE, {"name": "{u}.mortal"})


@scenario
def tags():
    yield registered_model("tagged")
    name = {"name": "{u}.tagged"}
    yield post("set", SET_TAG, {**name, "key": "team", "value": "water"})
    yield post("set again", SET_TAG, {**name, "key": "team", "value": "fire"})
    yield post("empty value", SET_TAG, {**name, "key": "empty", "value": ""})
    yield post("no value", SET_TAG, {**name, "key": "absent"})
    yield post("null value", SET_TAG, {**name, "key": "null", "value": None})
    yield post("unicode", SET_TAG, {**name, "key": "größe", "value": "洪水"})
    yield post("key with dots and slash", SET_TAG, {**name, "key": "a/b.c d:e-f_g", "value": "v"})
    yield get("all tags", GET, name)
    yield post("longest key", SET_TAG, {**name, "key": "k" * 250, "value": "v"})
    yield post("key too long", SET_TAG, {**name, "key": "k" * 251, "value": "v"})
    yield post("longest value", SET_TAG, {**name, "key": "long", "value": "v" * 100_000})
    yield post("value too long", SET_TAG, {**name, "key": "long", "value": "v" * 100_001})
    yield post("key not in normal form", SET_TAG, {**name, "key": "a//b", "value": "v"})
    yield post("key of two dots", SET_TAG, {**name, "key": "..", "value": "v"})
    yield post("key with bad characters", SET_TAG, {**name, "key": "a#b", "value": "v"})
    yield post("no key", SET_TAG, {**name, "value": "v"})
    yield post("empty key", SET_TAG, {**name, "key": "", "value": "v"})
    yield post("no name", SET_TAG, {"key": "k", "value": "v"})
    yield post("missing model", SET_TAG, {"name": "{u}.nobody", "key": "k", "value": "v"})
    yield post("missing model, bad key", SET_TAG, {"name": "{u}.nobody", "key": "a#b", "value": "v"})
    yield post("bad name", SET_TAG, {"name": "a/b", "key": "k", "value": "v"})
    for label, value in WRONG_TYPES.items():
        yield post(f"value is a {label}", SET_TAG, {**name, "key": "k", "value": value})
    yield delete("delete one", DELETE_TAG, {**name, "key": "team"})
    yield delete("delete it again", DELETE_TAG, {**name, "key": "team"})
    yield delete("delete one never set", DELETE_TAG, {**name, "key": "nosuch"})
    yield delete("delete longest key", DELETE_TAG, {**name, "key": "k" * 250})
    yield delete("delete longest value", DELETE_TAG, {**name, "key": "long"})
    yield delete("delete without key", DELETE_TAG, name)
    yield delete("delete bad key", DELETE_TAG, {**name, "key": "a#b"})
    yield delete("delete key that is too long", DELETE_TAG, {**name, "key": "k" * 251})
    yield delete("delete without name", DELETE_TAG, {"key": "k"})
    yield delete("delete of missing model", DELETE_TAG, {"name": "{u}.nobody", "key": "k"})
    yield get("tags left", GET, name)


@scenario
def when_it_was_updated():
    """Which calls move last_updated_timestamp: of two models, the one that moved last is found first."""
    tag = {"key": "k", "value": "v"}
    for label, method, path, fields in (
        ("set-tag", post, SET_TAG, tag),
        ("delete-tag", delete, DELETE_TAG, {"key": "k"}),
        ("update", patch, UPDATE, {"description": "d"}),
        ("update to the same", patch, UPDATE, {}),
        ("alias", post, "registered-models/alias", {"alias": "a", "version": "1"}),
        ("alias deletion", delete, "registered-models/alias", {"alias": "a"}),
        ("version creation", post, "model-versions/create", {"source": "s3://bucket/2"}),
        ("version update", patch, "model-versions/update", {"version": "1", "description": "d"}),
        ("version tag", post, "model-versions/set-tag", {"version": "1", **tag}),
        ("version tag deletion", delete, "model-versions/delete-tag", {"version": "1", "key": "k"}),
        ("stage", post, "model-versions/transition-stage", {"version": "1", "stage": "Staging"}),
        ("same stage", post, "model-versions/transition-stage", {"version": "1", "stage": "None"}),
        ("version deletion", delete, "model-versions/delete", {"version": "1"}),
    ):
        name = f"{label} it"
        for each in (name, f"{label} other"):
            yield registered_model(each)
            yield model_version(each, 1)
        yield method(label, path, {"name": f"{{u}}.{name}", **fields})
        mine = f"name LIKE '{{u}}.{label} %'"
        yield get(f"models after {label}", "registered-models/search", {"filter": mine, "order_by": "timestamp DESC"})
        yield get(f"versions after {label}", "model-versions/search", {"filter": mine})


@scenario
def spellings():
    yield registered_model("spelt")
    yield registered_model("respelt")
    yield post("camel case of a tag", SET_TAG, {"name": "{u}.spelt", "key": "k", "value": "v", "userId": "x"})
    yield post("newName", RENAME, {"name": "{u}.respelt", "newName": "{u}.newly spelt"})
    yield post("both spellings", RENAME, {"name": "{u}.spelt", "newName": "{u}.spelt 3", "new_name": "{u}.spelt 4"})
    yield get("what it is called now", "registered-models/search", {"filter": "name LIKE '{u}.spelt%'"})
    yield post("no json", CREATE, raw="name={u}.x")
    yield post("broken json", CREATE, raw='{"name": "')
    yield post("json in a string", CREATE, raw='"{\\"name\\": \\"{u}.in a string\\"}"')
    yield post("other content type", CREATE, {"name": "{u}.typed"}, headers={"Content-Type": "text/plain"})
    yield get("create by get", CREATE, {"name": "{u}.x"})
    yield post("get by post", GET, {"name": "{u}.spelt"})
