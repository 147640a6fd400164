"""experiments/search: filters, order, views, paging."""

from ..call import experiment, get, post, scenario

NAMES = ("alpha", "Beta", "beta-2", "gamma", "delta_1")


def _mine(group: str) -> str:
    """The clause that finds one scenario's experiments only."""
    return f"name LIKE '{{u}}.{group}.%'"


def _setup(group: str):
    for index, name in enumerate(NAMES):
        tags = [{"key": "size", "value": str(index)}, {"key": "kind", "value": "Big" if index % 2 else "small"}]
        yield experiment(f"e{index}", f"{group}.{name}", tags=tags if name != "gamma" else [])
    yield post("setup: delete one", "experiments/delete", {"experiment_id": "{e4}"})


@scenario
def filters():
    mine = _mine("esf")
    yield from _setup("esf")
    for clause in (
        "name = '{u}.esf.alpha'",
        "name = \"{u}.esf.alpha\"",
        "name = '{u}.esf.ALPHA'",
        "attribute.name = '{u}.esf.alpha'",
        "attributes.name = '{u}.esf.alpha'",
        "attr.name = '{u}.esf.alpha'",
        "name LIKE '%beta%' AND " + mine,
        "name ILIKE '%BETA%' AND " + mine,
        "name LIKE '{u}.esf._lpha'",
        "name != '{u}.esf.alpha' AND " + mine,
        "experiment_id = '{e1}'",
        "experiment_id != '{e1}' AND " + mine,
        "experiment_id IN ('{e0}', '{e1}')",
        "experiment_id IN ('{e0}')",
        "experiment_id NOT IN ('{e0}', '{e1}') AND " + mine,
        "tags.size = '1' AND " + mine,
        "tag.size = '1' AND " + mine,
        "tags.`size` = '1' AND " + mine,
        "tags.\"size\" = '1' AND " + mine,
        "tags.size != '1' AND " + mine,
        "tags.kind LIKE 'B%' AND " + mine,
        "tags.kind ILIKE 'b%' AND " + mine,
        "tags.kind = 'small' AND tags.size = '2' AND " + mine,
        "tags.kind IS NULL AND " + mine,
        "tags.kind IS NOT NULL AND " + mine,
        "creation_time > 0 AND " + mine,
        "creation_time < 1000 AND " + mine,
        "last_update_time >= 1000 AND " + mine,
        "Name = '{u}.esf.alpha'",
    ):
        yield post(clause, "experiments/search", {"max_results": 100, "filter": clause}, compare_message=False)


@scenario
def bad_filters():
    yield experiment("e", "es-bad")
    for clause in (
        "name",
        "name =",
        "name = alpha",
        "name == 'a'",
        "name > 'a'",
        "name IN ('a')",
        "nosuch = 'a'",
        "params.x = 'a'",
        "metrics.x > 1",
        "tags.x > 'a'",
        "tags.x = 1",
        "experiment_id = 1",
        "experiment_id > '1'",
        "experiment_id LIKE '1%'",
        "experiment_id = 'abc'",
        "experiment_id IN ('a')",
        "creation_time = 'x'",
        "creation_time LIKE '1%'",
        "lifecycle_stage = 'active'",
        "artifact_location = 'x'",
        "name = 'a' OR name = 'b'",
        "(name = 'a')",
        "name = 'a'; name = 'b'",
        "name = 'a' AND",
        "AND name = 'a'",
        "name IS NULL",
        "= 'a'",
        "'a' = name",
        "name = 'a",
    ):
        # The stock server's texts show its parser at work: its tokens and sets of Python.
        yield post(clause, "experiments/search", {"max_results": 10, "filter": clause}, compare_message=False)


@scenario
def order_and_views():
    mine = _mine("eso")
    yield from _setup("eso")
    for order in (
        ["name"],
        ["name ASC"],
        ["name DESC"],
        ["name desc"],
        ["experiment_id"],
        ["experiment_id DESC"],
        ["creation_time ASC"],
        ["creation_time DESC"],
        ["last_update_time DESC"],
        ["attribute.name DESC"],
        ["last_update_time", "name"],
        [],
    ):
        body = {"max_results": 100, "filter": mine, "order_by": order}
        yield post(f"order {order}", "experiments/search", body)
    for order in (["nosuch"], ["name SIDEWAYS"], ["tags.kind"], [""], ["name ASC DESC"], ["metrics.m"], ["name, experiment_id"]):
        yield post(f"bad order {order}", "experiments/search", {"max_results": 10, "order_by": order}, compare_message=False)
    for view in ("ACTIVE_ONLY", "DELETED_ONLY", "ALL", 1, 2, 3):
        body = {"max_results": 100, "filter": mine, "view_type": view, "order_by": ["name"]}
        yield post(f"view {view!r}", "experiments/search", body)
    for view in ("NOSUCH", 9, "all"):
        yield post(f"bad view {view!r}", "experiments/search", {"max_results": 1, "filter": mine, "view_type": view})


@scenario
def paging():
    mine = _mine("esp")
    yield from _setup("esp")
    body = {"max_results": 2, "filter": mine, "order_by": ["name"]}
    yield post("page 1", "experiments/search", body, save={"p1": "next_page_token"})
    yield post("page 2", "experiments/search", {**body, "page_token": "{p1}"})
    yield post("page 1 again", "experiments/search", {**body, "page_token": ""})
    yield post("exactly all", "experiments/search", {**body, "max_results": 4})
    yield post("one less", "experiments/search", {**body, "max_results": 3}, save={"p2": "next_page_token"})
    yield post("the last one", "experiments/search", {**body, "max_results": 3, "page_token": "{p2}"})
    yield post("garbage token", "experiments/search", {**body, "page_token": "garbage"})
    yield post("token that is no JSON", "experiments/search", {**body, "page_token": "YWJj"})
    for label, amount in (("zero", 0), ("negative", -1), ("too many", 50001), ("most", 50000), ("text", "2"), ("letters", "two"), ("decimal", 1.5)):
        # For a decimal number the stock server says 0, which nobody sent.
        yield post(f"max_results {label}", "experiments/search", {**body, "max_results": amount}, compare_message=label != "decimal")
    yield post("no max_results", "experiments/search", {"filter": mine})


@scenario
def by_get():
    mine = _mine("esg")
    yield from _setup("esg")
    yield get("everything of mine", "experiments/search", {"max_results": 100, "filter": mine})
    query = [("max_results", 100), ("filter", mine), ("order_by", "name DESC")]
    yield get("ordered", "experiments/search", query)
    query = [("max_results", 100), ("filter", mine), ("order_by", "last_update_time"), ("order_by", "name")]
    yield get("ordered by two", "experiments/search", query)
    yield get("deleted only", "experiments/search", {"max_results": 100, "filter": mine, "view_type": "DELETED_ONLY"})
    yield get("view by number", "experiments/search", {"max_results": 100, "filter": mine, "view_type": "3"})
    yield get("no max_results", "experiments/search", {"filter": mine})
    yield get("max_results of letters", "experiments/search", {"max_results": "two"})
    query = {"max_results": 2, "filter": mine, "order_by": "name"}
    yield get("page 1", "experiments/search", query, save={"p1": "next_page_token"})
    yield get("page 2", "experiments/search", {**query, "page_token": "{p1}"})
