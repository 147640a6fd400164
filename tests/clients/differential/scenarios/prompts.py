"""Prompts: registered models and versions with tags of their own, and placeholders for sources."""

from ..call import delete, get, model_version, patch, post, registered_model, scenario

CREATE, GET = "registered-models/create", "registered-models/get"
CREATE_VERSION, MODELS, VERSIONS = "model-versions/create", "registered-models/search", "model-versions/search"
IS_PROMPT = {"key": "mlflow.prompt.is_prompt", "value": "true"}
TEXT = {"key": "mlflow.prompt.text", "value": "Summarise {{ text }} in {{ words }} words."}
ONLY_PROMPTS = "tags.`mlflow.prompt.is_prompt` = 'true'"


def _prompt(name: str, *tags: dict):
    return post(f"setup: prompt {name}", CREATE, {"name": f"{{u}}.{name}", "tags": [IS_PROMPT, *tags]})


@scenario
def life():
    """What the client sends for register_prompt, load_prompt, set_prompt_alias and search_prompts."""
    links = {"key": "_mlflow_experiment_ids", "value": ",1,2,"}
    yield post("create", CREATE, {"name": "{u}.summary", "tags": [IS_PROMPT, links], "description": "for reports"})
    yield get("get", GET, {"name": "{u}.summary"})
    version = {"name": "{u}.summary", "source": "dummy-source", "tags": [IS_PROMPT, TEXT], "description": "first words"}
    yield post("version", CREATE_VERSION, version)
    yield post("second version", CREATE_VERSION, {**version, "tags": [IS_PROMPT, {**TEXT, "value": "Say {{ text }}"}], "description": "shorter"})
    yield get("get version", "model-versions/get", {"name": "{u}.summary", "version": "1"})
    yield get("download uri", "model-versions/get-download-uri", {"name": "{u}.summary", "version": "1"})
    yield post("alias", "registered-models/alias", {"name": "{u}.summary", "alias": "production", "version": "2"})
    yield get("by alias", "registered-models/alias", {"name": "{u}.summary", "alias": "production"})
    yield get("latest", "registered-models/alias", {"name": "{u}.summary", "alias": "latest"})
    yield get("latest versions", "registered-models/get-latest-versions", {"name": "{u}.summary"})
    yield post("tag", "registered-models/set-tag", {"name": "{u}.summary", "key": "team", "value": "water"})
    yield post("tag of a version", "model-versions/set-tag", {"name": "{u}.summary", "version": "1", "key": "k", "value": "v"})
    yield delete("untag", "registered-models/delete-tag", {"name": "{u}.summary", "key": "team"})
    yield get("prompts", MODELS, {"filter": f"{ONLY_PROMPTS} AND name LIKE '{{u}}.summary%'"})
    yield get("prompts of an experiment", MODELS, {"filter": f"{ONLY_PROMPTS} AND tags.`_mlflow_experiment_ids` ILIKE '%,1,%' AND name LIKE '{{u}}.summary%'"})
    yield get("prompts of another experiment", MODELS, {"filter": f"{ONLY_PROMPTS} AND tags.`_mlflow_experiment_ids` ILIKE '%,3,%' AND name LIKE '{{u}}.summary%'"})
    yield get("its versions", VERSIONS, {"filter": f"{ONLY_PROMPTS} AND name = '{{u}}.summary'", "order_by": "version_number DESC"})
    yield get("no models", MODELS, {"filter": "name LIKE '{u}.summary%'"})
    yield get("no model versions", VERSIONS, {"filter": "name = '{u}.summary'"})
    yield patch("describe", "registered-models/update", {"name": "{u}.summary", "description": "changed"})
    yield post("rename", "registered-models/rename", {"name": "{u}.summary", "new_name": "{u}.summary two"})
    yield delete("delete a version", "model-versions/delete", {"name": "{u}.summary two", "version": "1"})
    yield get("versions left", VERSIONS, {"filter": f"{ONLY_PROMPTS} AND name = '{{u}}.summary two'"})
    yield delete("delete", "registered-models/delete", {"name": "{u}.summary two"})
    yield get("is gone", GET, {"name": "{u}.summary two"})


@scenario
def names_are_shared_with_models():
    yield registered_model("a model")
    yield _prompt("a prompt")
    yield post("prompt of a model's name", CREATE, {"name": "{u}.a model", "tags": [IS_PROMPT]})
    yield post("model of a prompt's name", CREATE, {"name": "{u}.a prompt"})
    yield post("prompt of a prompt's name", CREATE, {"name": "{u}.a prompt", "tags": [IS_PROMPT]})
    yield post("prompt that says false, of a prompt's name", CREATE, {"name": "{u}.a prompt", "tags": [{**IS_PROMPT, "value": "false"}]})
    yield post("prompt that says false, of a model's name", CREATE, {"name": "{u}.a model", "tags": [{**IS_PROMPT, "value": "false"}]})
    yield post("rename a model onto a prompt", "registered-models/rename", {"name": "{u}.a model", "new_name": "{u}.a prompt"})


@scenario
def sources():
    yield _prompt("sources")
    yield registered_model("no prompt")
    for source in ("dummy-source", "prompt-template", "Dummy-Source", "s3://bucket/a", "/etc/passwd", "https://host/a", "runs:/abc/x", "dummy-source/x", " "):
        yield post(f"prompt from {source!r}", CREATE_VERSION, {"name": "{u}.sources", "source": source, "tags": [IS_PROMPT, TEXT]})
    yield post("no source", CREATE_VERSION, {"name": "{u}.sources", "tags": [IS_PROMPT, TEXT]})
    yield post("version without the tag", CREATE_VERSION, {"name": "{u}.sources", "source": "dummy-source", "tags": [TEXT]})
    yield post("version without the tag, from s3", CREATE_VERSION, {"name": "{u}.sources", "source": "s3://bucket/a"})
    yield post("prompt version of a model", CREATE_VERSION, {"name": "{u}.no prompt", "source": "dummy-source", "tags": [IS_PROMPT, TEXT]})
    for value in ("True", "TRUE", "false", "1", ""):
        tags = [{**IS_PROMPT, "value": value}, TEXT]
        yield post(f"is_prompt {value!r}", CREATE_VERSION, {"name": "{u}.sources", "source": "dummy-source", "tags": tags})
    tags = [IS_PROMPT, {**IS_PROMPT, "value": "false"}]
    yield post("is_prompt twice", CREATE_VERSION, {"name": "{u}.sources", "source": "dummy-source", "tags": tags})
    yield post("prompt without text", CREATE_VERSION, {"name": "{u}.sources", "source": "dummy-source", "tags": [IS_PROMPT]})
    yield post("longest text", CREATE_VERSION, {"name": "{u}.sources", "source": "dummy-source", "tags": [IS_PROMPT, {**TEXT, "value": "x" * 100_000}]})
    yield post("text too long", CREATE_VERSION, {"name": "{u}.sources", "source": "dummy-source", "tags": [IS_PROMPT, {**TEXT, "value": "x" * 100_001}]})
    yield post("prompt as a source of a model", CREATE_VERSION, {"name": "{u}.no prompt", "source": "models:/{u}.sources/1"})
    yield post("prompt with a run", CREATE_VERSION, {"name": "{u}.sources", "source": "dummy-source", "tags": [IS_PROMPT, TEXT], "run_link": "x"})
    yield get("what was made", VERSIONS, {"filter": f"{ONLY_PROMPTS} AND name = '{{u}}.sources'", "order_by": "version_number"})


@scenario
def apart_from_models():
    """Which searches find models, which find prompts."""
    yield registered_model("apart.model", tags=[{"key": "team", "value": "water"}])
    yield model_version("apart.model", 1, tags=[{"key": "team", "value": "water"}])
    yield _prompt("apart.prompt", {"key": "team", "value": "water"})
    tags = [IS_PROMPT, TEXT, {"key": "team", "value": "water"}]
    yield post("setup: version", CREATE_VERSION, {"name": "{u}.apart.prompt", "source": "dummy-source", "tags": tags})
    yield post("setup: said to be none", CREATE, {"name": "{u}.apart.none", "tags": [{**IS_PROMPT, "value": "false"}]})
    yield post("setup: in capitals", CREATE, {"name": "{u}.apart.capitals", "tags": [{**IS_PROMPT, "value": "TRUE"}]})
    mine = "name LIKE '{u}.apart.%'"
    key = "tags.`mlflow.prompt.is_prompt`"
    for clause in (
        mine,
        f"{mine} AND {key} = 'true'",
        f"{mine} AND {key} = 'True'",
        f"{mine} AND {key} = 'false'",
        f"{mine} AND {key} = 'other'",
        f"{mine} AND {key} != 'true'",
        f"{mine} AND {key} != 'false'",
        f"{mine} AND {key} LIKE 'tr%'",
        f"{mine} AND {key} ILIKE 'TRUE'",
        f"{mine} AND tag.`mlflow.prompt.is_prompt` = 'true'",
        f"{mine} AND tags.\"mlflow.prompt.is_prompt\" = 'true'",
        f"{mine} AND tags.mlflow.prompt.is_prompt = 'true'",
        f"{mine} AND {key} = 'true' AND tags.team = 'water'",
        f"{mine} AND {key} != 'true' AND tags.team = 'water'",
        f"{mine} AND tags.team = 'water'",
        f"{mine} AND {key} = 'true' AND {key} != 'true'",
        f"{mine} AND {key} != 'true' AND {key} = 'true'",
        f"{key} = 'true' AND name = '{{u}}.apart.model'",
        f"{mine} AND tags.`mlflow.prompt.text` LIKE 'Summ%' AND {key} = 'true'",
    ):
        yield get(f"models: {clause}", MODELS, {"filter": clause})
        yield get(f"versions: {clause}", VERSIONS, {"filter": clause})
    yield post("setup: a model becomes a prompt", "registered-models/set-tag", {"name": "{u}.apart.model", **IS_PROMPT})
    yield get("models afterwards", MODELS, {"filter": mine})
    yield get("versions afterwards", VERSIONS, {"filter": mine})
    yield delete("setup: a prompt becomes a model", "registered-models/delete-tag", {"name": "{u}.apart.prompt", "key": IS_PROMPT["key"]})
    yield get("models at last", MODELS, {"filter": mine})
    yield get("versions at last", VERSIONS, {"filter": mine})
