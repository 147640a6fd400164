"""Search of registered models and of model versions: filters, orders, pages."""

from ..call import delete, experiment, get, model_version, patch, post, registered_model, run, scenario

MODELS, VERSIONS = "registered-models/search", "model-versions/search"
NAMES = ("alpha", "Beta", "beta-2", "gamma", "delta_1", "eps%lon", "größe")


def _models(group: str):
    """Models whose order by name differs from their order by time."""
    for index, name in enumerate(NAMES):
        tags = [{"key": "size", "value": str(index)}, {"key": "Kind of it", "value": "Big" if index % 2 else "small"}]
        yield registered_model(f"{group}.{name}", tags=tags if name != "gamma" else [])
    yield patch("setup: update one", "registered-models/update", {"name": f"{{u}}.{group}.Beta", "description": "newest"})


@scenario
def model_filters():
    mine = "name LIKE '{u}.rmf.%'"
    yield from _models("rmf")
    for clause in (
        "name = '{u}.rmf.alpha'",
        'name = "{u}.rmf.alpha"',
        "name = '{u}.rmf.ALPHA'",
        "Name = '{u}.rmf.alpha'",
        "`name` = '{u}.rmf.alpha'",
        '"name" = \'{u}.rmf.alpha\'',
        "attribute.name = '{u}.rmf.alpha'",
        "attributes.name = '{u}.rmf.alpha'",
        "attr.name = '{u}.rmf.alpha'",
        "name='{u}.rmf.alpha'",
        "  name   =   '{u}.rmf.alpha'  ",
        "name != '{u}.rmf.alpha' AND " + mine,
        mine,
        "name LIKE '{u}.rmf.beta%'",
        "name LIKE '{u}.rmf._lpha'",
        "name LIKE '{u}.rmf.alpha'",
        "name LIKE '{u}.rmf.'",
        "name LIKE '{u}.rmf.%ta%'",
        "name LIKE '{u}.rmf.eps\\%lon'",
        "name LIKE '%'  AND " + mine,
        "name ILIKE '{u}.RMF.BETA%'",
        "name ilike '{u}.rmf.beta%'",
        "name ILIKE '{u}.rmf.GRÖSSE'",
        "name ILIKE '{u}.rmf.GRÖßE'",
        "name LIKE '{u}.rmf.alpha%' AND name LIKE '%pha'",
        "name IN ('{u}.rmf.alpha', '{u}.rmf.gamma', 'nobody')",
        "name IN ('{u}.rmf.alpha')",
        "name IN (\"{u}.rmf.alpha\", '{u}.rmf.gamma')",
        "name in ('{u}.rmf.alpha')",
        "name NOT IN ('{u}.rmf.alpha', '{u}.rmf.gamma') AND " + mine,
        "name not in ('{u}.rmf.alpha') AND " + mine,
        "tags.size = '1' AND " + mine,
        "tag.size = '1' AND " + mine,
        "tags.`size` = '1' AND " + mine,
        "tags.\"size\" = '1' AND " + mine,
        "tags.`Kind of it` = 'Big' AND " + mine,
        "tags.size = '1' AND tags.`Kind of it` = 'Big' AND " + mine,
        "tags.size = '1' AND tags.`Kind of it` = 'small' AND " + mine,
        "tags.size != '1' AND " + mine,
        "tags.size != '1' AND tags.size != '2' AND " + mine,
        "tags.size LIKE '%' AND " + mine,
        "tags.nosuch != '1' AND " + mine,
        "tags.`Kind of it` LIKE 'B%' AND " + mine,
        "tags.`Kind of it` LIKE 'b%' AND " + mine,
        "tags.`Kind of it` ILIKE 'b%' AND " + mine,
        "name = '' ",
        mine + " and tags.size = '1'",
    ):
        yield get(clause, MODELS, {"filter": clause}, compare_message=False)
    yield get("empty filter of one", MODELS, {"filter": "", "max_results": 1, "order_by": "timestamp DESC"})
    yield get("quote in a name", MODELS, {"filter": "name = \"it's\""})
    yield get("two quotes in a name", MODELS, {"filter": "name = 'it''s'"}, compare_message=False)


@scenario
def bad_model_filters():
    for clause in (
        "name",
        "name =",
        "name = alpha",
        "name == 'a'",
        "name > 'a'",
        "name < 'a'",
        "name BETWEEN 'a' AND 'b'",
        "name RLIKE 'a'",
        "name = 1",
        "name IN 'a'",
        "name IN ()",
        "name IN (1)",
        "name IN (a)",
        "name IN ('a', 1)",
        "name IN ('a',)",
        "name NOT LIKE 'a'",
        "name IS NULL",
        "name IS NOT NULL",
        "nosuch = 'a'",
        "description = 'a'",
        "user_id = 'a'",
        "creation_timestamp > 0",
        "last_updated_timestamp > 0",
        "aliases = 'a'",
        "params.x = 'a'",
        "metrics.x > 1",
        "run.name = 'a'",
        "tags.x > 'a'",
        "tags.x = 1",
        "tags.x IN ('a')",
        "tags.x IS NULL",
        "tags.x IS NOT NULL",
        "tags. = 'a'",
        "tags = 'a'",
        "name = 'a' OR name = 'b'",
        "(name = 'a')",
        "NOT name = 'a'",
        "name = 'a'; name = 'b'",
        "name = 'a';",
        "name = 'a' AND",
        "AND name = 'a'",
        "name = 'a' name = 'b'",
        "name = 'a', name = 'b'",
        "= 'a'",
        "'a' = name",
        "name = 'a",
        "name = \"a'",
        "name = `a`",
        "gibberish",
        "  ",
        "-- name = 'a'",
        "name = 'a' -- b",
        "SELECT * FROM registered_models",
        "name LIKE",
        "name LIKE a",
        "name LIKE 1",
    ):
        # The stock server's texts show its parser at work: its tokens and sets of Python.
        yield get(clause, MODELS, {"filter": clause}, compare_message=False)


@scenario
def model_orders():
    mine = "name LIKE '{u}.rmo.%'"
    yield from _models("rmo")
    for order in (
        [],
        ["name"],
        ["name ASC"],
        ["name DESC"],
        ["name desc"],
        ["name asc"],
        ["name Desc"],
        ["  name   DESC  "],
        ["`name` DESC"],
        ['"name" DESC'],
        ["timestamp"],
        ["timestamp DESC"],
        ["last_updated_timestamp"],
        ["last_updated_timestamp DESC"],
        ["timestamp ASC", "name DESC"],
        ["name DESC", "timestamp"],
    ):
        yield get(f"order {order}", MODELS, [("filter", mine), *(("order_by", each) for each in order)])
    for order in (
        ["name", "name"],
        ["name", "name DESC"],
        ["timestamp", "last_updated_timestamp"],
        ["creation_timestamp"],
        ["nosuch"],
        ["description"],
        ["name SIDEWAYS"],
        ["name ASC DESC"],
        ["tags.size"],
        ["attribute.name DESC"],
        ["attributes.name"],
        [""],
        [" "],
        ["name, timestamp"],
        ["name;"],
        ["DESC"],
        ["Name"],
    ):
        query = [("filter", mine), *(("order_by", each) for each in order)]
        yield get(f"bad order {order}", MODELS, query, compare_message=False)


@scenario
def model_pages():
    mine = "name LIKE '{u}.rmp.%'"
    yield from _models("rmp")
    query = {"filter": mine, "max_results": 3}
    yield get("page 1", MODELS, query, save={"p1": "next_page_token"})
    yield get("page 2", MODELS, {**query, "page_token": "{p1}"}, save={"p2": "next_page_token"})
    yield get("page 3", MODELS, {**query, "page_token": "{p2}"})
    yield get("page 1 again", MODELS, {**query, "page_token": ""})
    yield get("page 2 of another size", MODELS, {**query, "max_results": 2, "page_token": "{p1}"})
    yield get("exactly all", MODELS, {**query, "max_results": len(NAMES)})
    yield get("one less", MODELS, {**query, "max_results": len(NAMES) - 1}, save={"p3": "next_page_token"})
    yield get("the last one", MODELS, {**query, "max_results": len(NAMES) - 1, "page_token": "{p3}"})
    yield get("by time, page 1", MODELS, {**query, "order_by": "timestamp DESC"}, save={"p4": "next_page_token"})
    yield get("by time, page 2", MODELS, {**query, "order_by": "timestamp DESC", "page_token": "{p4}"})
    yield get("garbage token", MODELS, {**query, "page_token": "garbage"})
    yield get("token that is no json", MODELS, {**query, "page_token": "YWJj"})
    for amount in ("1", "1000", "1001", "0", "-1", "", "two", "1.5", "1e2", " 2", "9" * 20):
        yield get(f"max_results {amount!r}", MODELS, {**query, "max_results": amount}, compare_message=False)
    yield get("no max_results", MODELS, {"filter": mine})
    yield post("search by post", MODELS, {"filter": mine})
    yield get("ui twin", "/ajax-api/2.0/mlflow/registered-models/search", {"filter": mine, "max_results": 25, "order_by": "name ASC"})


def _versions(group: str):
    """Versions of two models and a run, one of them deleted, one updated after the others."""
    yield experiment("e", f"{group} of the registry")
    yield run("r", "{e}")
    yield run("s", "{e}")
    yield registered_model(f"{group}.one")
    yield registered_model(f"{group}.Two")
    for number in (1, 2, 3, 4):
        tags = [{"key": "size", "value": str(number)}, {"key": "Kind of it", "value": "Big" if number % 2 else "small"}]
        yield model_version(f"{group}.one", number, tags=tags if number != 3 else [])
    yield model_version(f"{group}.Two", 1, run_id="{r}", source="runs:/{r}/model")
    yield model_version(f"{group}.Two", 2, run_id="{s}", source="mlflow-artifacts:/{e}/{s}/artifacts/model")
    yield patch("setup: update one", "model-versions/update", {"name": f"{{u}}.{group}.one", "version": "2", "description": "newest"})
    yield delete("setup: delete one", "model-versions/delete", {"name": f"{{u}}.{group}.one", "version": "4"})


@scenario
def version_filters():
    mine = "name LIKE '{u}.mvf.%'"
    yield from _versions("mvf")
    for clause in (
        mine,
        "name = '{u}.mvf.one'",
        "name = \"{u}.mvf.one\"",
        "name = '{u}.mvf.ONE'",
        "attribute.name = '{u}.mvf.one'",
        "attributes.name = '{u}.mvf.one'",
        "name != '{u}.mvf.one' AND " + mine,
        "name ILIKE '{u}.MVF.tw%'",
        "name IN ('{u}.mvf.one', '{u}.mvf.Two')",
        "name NOT IN ('{u}.mvf.one') AND " + mine,
        "name = '{u}.mvf.one' AND name = '{u}.mvf.Two'",
        "run_id = '{r}'",
        "run_id = '{r}' AND name = '{u}.mvf.Two'",
        "run_id != '{r}' AND " + mine,
        "run_id IN ('{r}', '{s}')",
        "run_id NOT IN ('{r}') AND " + mine,
        "run_id LIKE '%' AND " + mine,
        "run_id = '' AND " + mine,
        "run_id != '' AND " + mine,
        "run_id IN ('') AND " + mine,
        "run_id ILIKE '{r}'",
        "attribute.run_id = '{r}'",
        "source_path = 's3://bucket/mvf.one/1'",
        "source_path LIKE 's3://bucket/mvf.one/%'",
        "source_path ILIKE 'S3://BUCKET/MVF.ONE/%'",
        "source_path != 's3://bucket/mvf.one/1' AND " + mine,
        "source_path = 'runs:/{r}/model'",
        "source_path = 'REDACTED-SOURCE-PATH'",
        "version_number = 1 AND " + mine,
        "version_number != 1 AND " + mine,
        "version_number > 1 AND " + mine,
        "version_number >= 2 AND " + mine,
        "version_number < 3 AND " + mine,
        "version_number <= 2 AND " + mine,
        "version_number = 4 AND " + mine,
        "version_number = '1' AND " + mine,
        "version_number > '1' AND " + mine,
        "version_number = ' 1 ' AND " + mine,
        "version_number = 0 AND " + mine,
        "version_number > -1 AND " + mine,
        "version_number = 01 AND " + mine,
        "version_number < 99999999999999999999 AND " + mine,
        "attribute.version_number = 1 AND " + mine,
        "tags.size = '1' AND " + mine,
        "tag.size = '1' AND " + mine,
        "tags.`Kind of it` = 'Big' AND " + mine,
        "tags.`Kind of it` ILIKE 'b%' AND tags.size = '1' AND " + mine,
        "tags.size != '1' AND " + mine,
        "tags.size LIKE '_' AND " + mine,
        "tags.size = '4' AND " + mine,
        mine + " and version_number = 1",
    ):
        yield get(clause, VERSIONS, {"filter": clause}, compare_message=False)


@scenario
def bad_version_filters():
    for clause in (
        "name",
        "name = alpha",
        "name > 'a'",
        "name = 1",
        "name IS NULL",
        "name IN ()",
        "run_id",
        "run_id > 'a'",
        "run_id = 1",
        "run_id IN (1)",
        "run_id IN ()",
        "source_path IN ('a')",
        "source_path NOT IN ('a')",
        "source_path > 'a'",
        "source = 'a'",
        "version = 1",
        "version_number = 'abc'",
        "version_number = ''",
        "version_number = 1.5",
        "version_number = '1.5'",
        "version_number LIKE '1'",
        "version_number ILIKE 1",
        "version_number IN (1)",
        "version_number IN ('1')",
        "version_number = abc",
        "current_stage = 'Staging'",
        "description = 'a'",
        "status = 'READY'",
        "aliases = 'a'",
        "model_id = 'a'",
        "creation_timestamp > 0",
        "last_updated_timestamp > 0",
        "params.x = 'a'",
        "metrics.x > 1",
        "tags.x > 'a'",
        "tags.x = 1",
        "tags.x IN ('a')",
        "tags.x IS NULL",
        "name = 'a' OR name = 'b'",
        "(name = 'a')",
        "name = 'a'; name = 'b'",
        "name = 'a' AND",
        "name = 'a' name = 'b'",
        "'a' = name",
        "name = 'a",
        "gibberish",
        "name = 'a' AND version_number = 1 AND gibberish",
    ):
        yield get(clause, VERSIONS, {"filter": clause}, compare_message=False)


@scenario
def version_orders():
    mine = "name LIKE '{u}.mvo.%'"
    yield from _versions("mvo")
    for order in (
        [],
        ["name"],
        ["name DESC"],
        ["version_number"],
        ["version_number DESC"],
        ["version_number ASC", "name DESC"],
        ["name ASC", "version_number ASC"],
        ["name DESC", "version_number DESC"],
        ["creation_timestamp"],
        ["creation_timestamp DESC"],
        ["last_updated_timestamp"],
        ["last_updated_timestamp DESC"],
        ["last_updated_timestamp desc"],
        ["attribute.version_number DESC"],
        ["`name` DESC"],
    ):
        yield get(f"order {order}", VERSIONS, [("filter", mine), *(("order_by", each) for each in order)])
    for order in (
        ["name", "name"],
        ["version_number", "version_number DESC"],
        ["version"],
        ["timestamp"],
        ["nosuch"],
        ["run_id"],
        ["source_path"],
        ["current_stage"],
        ["name SIDEWAYS"],
        ["tags.size"],
        [""],
        ["name, version_number"],
    ):
        query = [("filter", mine), *(("order_by", each) for each in order)]
        yield get(f"bad order {order}", VERSIONS, query, compare_message=False)


@scenario
def version_pages():
    mine = "name LIKE '{u}.mvp.%'"
    yield from _versions("mvp")
    query = {"filter": mine, "max_results": 2}
    yield get("page 1", VERSIONS, query, save={"p1": "next_page_token"})
    yield get("page 2", VERSIONS, {**query, "page_token": "{p1}"}, save={"p2": "next_page_token"})
    yield get("page 3", VERSIONS, {**query, "page_token": "{p2}"})
    yield get("exactly all", VERSIONS, {**query, "max_results": 5})
    yield get("one less", VERSIONS, {**query, "max_results": 4}, save={"p3": "next_page_token"})
    yield get("the last one", VERSIONS, {**query, "max_results": 4, "page_token": "{p3}"})
    yield get("by number, page 1", VERSIONS, {**query, "order_by": "version_number DESC"}, save={"p4": "next_page_token"})
    yield get("by number, page 2", VERSIONS, {**query, "order_by": "version_number DESC", "page_token": "{p4}"})
    yield get("garbage token", VERSIONS, {**query, "page_token": "garbage"})
    yield get("token that is no json", VERSIONS, {**query, "page_token": "YWJj"})
    for amount in ("1", "1000", "200000", "200001", "0", "-1", "", "two", "1.5", "9" * 20):
        yield get(f"max_results {amount!r}", VERSIONS, {**query, "max_results": amount}, compare_message=False)
    yield get("no max_results", VERSIONS, {"filter": mine})
    yield get("no filter", VERSIONS, {"max_results": 1, "order_by": "creation_timestamp DESC"})
    yield post("search by post", VERSIONS, {"filter": mine})
    yield get("ui twin", "/ajax-api/2.0/mlflow/model-versions/search", {"filter": mine, "max_results": 25, "order_by": "creation_timestamp DESC"})
    yield post("setup: archive", "model-versions/transition-stage", {"name": "{u}.mvp.one", "version": "1", "stage": "Archived"})
    yield get("newest change first", VERSIONS, {"filter": mine})
