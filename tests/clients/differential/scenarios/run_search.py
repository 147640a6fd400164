"""runs/search: filter grammar, order, views, paging."""

from ..call import experiment, post, run, scenario

MISSING = "0123456789abcdef0123456789abcdef"


def _setup(name: str):
    """Five runs that differ in everything; the fourth has no params, metrics and tags, the fifth is deleted."""
    yield experiment("e", name)
    for index, (loss, rate, team, status) in enumerate(
        ((0.5, "0.1", "water", "FINISHED"), (0.25, "0.2", "Fire", "RUNNING"), ("NaN", "10", "earth 100%", "FAILED"), (None, None, None, None), (1.0, "0.1", "water", "FINISHED"))
    ):
        name = f"r{index}"
        user = {"user_id": f"user{index % 2}"}
        yield run(name, "{e}", 1_000 + index, **user)
        if loss is None:
            continue
        body = {
            "run_id": f"{{{name}}}",
            "metrics": [{"key": "loss", "value": loss, "timestamp": 1, "step": 1}, {"key": "val/acc 1", "value": index / 4, "timestamp": 1}],
            "params": [{"key": "lr", "value": rate}, {"key": "model name", "value": f"net{index}"}],
            "tags": [{"key": "team", "value": team}, {"key": "mlflow.note.content", "value": f"note {index}"}],
        }
        yield post(f"setup: log {name}", "runs/log-batch", body)
        yield post(f"setup: end {name}", "runs/update", {"run_id": f"{{{name}}}", "status": status, "end_time": 5_000 - index})
    yield post("setup: delete r4", "runs/delete", {"run_id": "{r4}"})


def _search(label: str, compare_message: bool = True, **fields):
    return post(label, "runs/search", {"experiment_ids": ["{e}"], **fields}, compare_message=compare_message)


@scenario
def filters():
    yield from _setup("rs-filters")
    for clause in (
        "",
        "metrics.loss = 0.5",
        "metrics.loss > 0.3",
        "metrics.loss >= 0.5",
        "metrics.loss < 0.5",
        "metrics.loss <= 0.25",
        "metrics.loss != 0.5",
        "metrics.loss > -1",
        "metrics.loss < 1e3",
        "metrics.loss = 0.50",
        "metric.loss > 0.3",
        "metrics.`val/acc 1` >= 0.25",
        "metrics.\"val/acc 1\" < 0.5",
        "params.lr = '0.1'",
        "params.lr = \"0.1\"",
        "params.lr != '0.1'",
        "param.lr = '0.1'",
        "parameter.lr = '0.1'",
        "parameters.lr = '0.1'",
        "params.`model name` = 'net1'",
        "params.\"model name\" LIKE 'net%'",
        "params.lr LIKE '0.%'",
        "params.lr LIKE '_._'",
        "params.`model name` ILIKE 'NET%'",
        "params.lr IS NULL",
        "params.lr IS NOT NULL",
        "params.nosuch IS NULL",
        "params.nosuch = 'x'",
        "params.nosuch != 'x'",
        "metrics.nosuch != 1",
        "tags.team = 'water'",
        "tag.team = 'water'",
        "tags.team != 'water'",
        "tags.team LIKE 'Fi%'",
        "tags.team ILIKE 'fi%'",
        "tags.team LIKE 'earth 100%'",
        "tags.team IS NULL",
        "tags.team is not null",
        "tags.`mlflow.note.content` = 'note 1'",
        "tags.mlflow.note.content = 'note 1'",
        "tags.mlflow.runName = 'run r1'",
        "attributes.status = 'FINISHED'",
        "attribute.status = 'FINISHED'",
        "attr.status = 'FINISHED'",
        "run.status = 'FINISHED'",
        "status = 'FINISHED'",
        "status != 'FINISHED'",
        "status = 'finished'",
        "status LIKE 'F%'",
        "run_id = '{r1}'",
        "attributes.run_id != '{r1}'",
        "run_id IN ('{r0}', '{r2}')",
        "run_id IN ('{r0}')",
        "run_id NOT IN ('{r0}', '{r2}')",
        "attributes.run_id IN ('{r0}', 'nosuch')",
        "run_name = 'run r2'",
        "attributes.run_name LIKE 'run%'",
        "attributes.`run name` = 'run r2'",
        "attributes.\"Run name\" = 'run r2'",
        "attributes.\"Run Name\" = 'run r2'",
        "run_name != 'run r2'",
        "user_id = 'user1'",
        "attributes.user_id LIKE 'user%'",
        "start_time > 1001",
        "start_time = 1001",
        "attributes.start_time <= 1001",
        "attributes.created >= 1002",
        "attributes.Created < 1002",
        "end_time >= 4999",
        "end_time > 0",
        "start_time != 1001",
        "artifact_uri LIKE 'mlflow-artifacts:/%'",
        "artifact_uri LIKE '%{r1}%'",
        "metrics.loss < 1 AND params.lr = '0.1'",
        "metrics.loss < 1 and params.lr = '0.2' and tags.team = 'Fire'",
        "params.lr = '0.1' AND params.lr = '0.2'",
        "metrics.loss > 0.1 AND metrics.loss < 0.4",
        "  metrics.loss   >   0.3  ",
        "metrics.loss>0.3",
        "params.lr='0.1'",
        "tags.team = 'it''s'",
        "tags.team = ''",
    ):
        yield _search(clause or "empty filter", filter=clause)


@scenario
def nan():
    yield experiment("e", "rs-nan")
    for index, value in enumerate((1.0, "NaN", "Infinity", "-Infinity", 0.0)):
        yield run(f"r{index}", "{e}", 1_000 + index)
        yield post(f"setup: log r{index}", "runs/log-metric", {"run_id": f"{{r{index}}}", "key": "m", "value": value, "timestamp": 1})
    for clause in ("metrics.m > 0", "metrics.m < 0", "metrics.m >= 0", "metrics.m = 0", "metrics.m != 0", "metrics.m != 1", "metrics.m > 1e300", "metrics.m < -1e300"):
        yield _search(clause, filter=clause)
    yield _search("ascending", order_by=["metrics.m"])
    yield _search("descending", order_by=["metrics.m DESC"])


@scenario
def bad_filters():
    yield experiment("e", "rs-bad")
    for clause in (
        "metrics.loss",
        "metrics.loss >",
        "metrics.loss > '0.3'",
        "metrics.loss > abc",
        "metrics.loss LIKE '1%'",
        "metrics.loss IS NULL",
        "metrics.loss IN (1, 2)",
        "metrics.loss == 1",
        "metrics.loss <> 1",
        "metrics.loss > NaN",
        "metrics. > 1",
        "params.lr = 0.1",
        "params.lr = abc",
        "params.lr > '0.1'",
        "params.lr IN ('0.1')",
        "params.lr LIKE 1",
        "params.lr NOT LIKE 'x'",
        "tags.team = water",
        "tags.team > 'a'",
        "tags.team IN ('a')",
        "attributes.nosuch = 'x'",
        "nosuch = 'x'",
        "nosuch.key = 'x'",
        "lifecycle_stage = 'active'",
        "attributes.lifecycle_stage = 'active'",
        "experiment_id = '1'",
        "status > 'A'",
        "status IN ('FINISHED')",
        "status = FINISHED",
        "run_id IN 'a'",
        "run_id IN ()",
        "run_id IN (a)",
        "run_id IN ('a',)",
        "run_id IN (1, 2)",
        "run_id > 'a'",
        "run_id IS NULL",
        "run_name IN ('a')",
        "start_time > 'abc'",
        "start_time > 1.5",
        "start_time LIKE '1%'",
        "params.lr = '0.1' OR params.lr = '0.2'",
        "(params.lr = '0.1')",
        "NOT params.lr = '0.1'",
        "params.lr = '0.1';",
        "params.lr = '0.1' params.lr = '0.2'",
        "params.lr = '0.1' AND",
        "AND params.lr = '0.1'",
        "params.lr = '0.1",
        "params.`lr = '0.1'",
        "'0.1' = params.lr",
        "= '0.1'",
        "params.lr =",
        "AND",
        "'x'",
        "1 = 1",
        "SELECT 1",
        "params.lr = '0.1' -- comment",
        "trace.x = 'y'",
        "model.name = 'y'",
    ):
        # The stock server's texts show its parser at work: its tokens and sets of Python.
        yield _search(clause, compare_message=False, filter=clause)


@scenario
def order():
    yield from _setup("rs-order")
    for order_by in (
        ["metrics.loss"],
        ["metrics.loss ASC"],
        ["metrics.loss DESC"],
        ["metrics.`val/acc 1` DESC"],
        ["metric.loss desc"],
        ["params.lr"],
        ["params.lr DESC"],
        ["params.`model name` DESC"],
        ["tags.team"],
        ["tags.team DESC"],
        ["attributes.start_time"],
        ["attributes.start_time DESC"],
        ["start_time ASC"],
        ["attributes.end_time"],
        ["end_time DESC"],
        ["attributes.status"],
        ["status DESC", "metrics.loss"],
        ["attributes.run_name DESC"],
        ["run_name"],
        ["attributes.`Run Name`"],
        ["attributes.created DESC"],
        ["user_id", "start_time"],
        ["user_id DESC", "metrics.loss DESC"],
        ["metrics.nosuch"],
        ["params.nosuch DESC"],
        ["tags.`mlflow.note.content` DESC"],
        ["artifact_uri IS"],
        [],
    ):
        yield _search(f"order {order_by}", order_by=order_by)
    for order_by in (
        ["nosuch"],
        ["nosuch.x"],
        ["attributes.nosuch"],
        ["metrics.loss SIDEWAYS"],
        ["metrics.loss ASC DESC"],
        ["metrics.loss, params.lr"],
        [""],
        ["metrics"],
        ["lifecycle_stage"],
        ["metrics.loss", "metrics.loss"],
        ["start_time", "start_time DESC"],
        ["dataset.name"],
    ):
        yield _search(f"bad order {order_by}", compare_message=False, order_by=order_by)


@scenario
def views_and_experiments():
    yield from _setup("rs-views")
    for view in ("ACTIVE_ONLY", "DELETED_ONLY", "ALL", 1, 2, 3):
        yield _search(f"view {view!r}", run_view_type=view)
    for view in ("NOSUCH", 9, "all"):
        yield _search(f"bad view {view!r}", run_view_type=view)
    yield experiment("f", "rs-views-2")
    yield run("s", "{f}", 1_500)
    two = {"experiment_ids": ["{e}", "{f}"]}
    yield post("two experiments", "runs/search", two)
    yield post("two experiments, ordered", "runs/search", {**two, "order_by": ["start_time ASC"]})
    yield post("one experiment twice", "runs/search", {"experiment_ids": ["{f}", "{f}"]})
    yield post("no experiment", "runs/search", {"experiment_ids": []})
    yield post("nothing at all", "runs/search", {})
    yield post("missing experiment", "runs/search", {"experiment_ids": ["123456789012"]})
    yield post("one missing, one there", "runs/search", {"experiment_ids": ["123456789012", "{f}"]})
    yield post("experiment of letters", "runs/search", {"experiment_ids": ["abc"]})
    yield post("experiments not a list", "runs/search", {"experiment_ids": "{f}"})
    yield post("experiment as number", "runs/search", {"experiment_ids": [7]})
    yield post("camel case", "runs/search", {"experimentIds": ["{f}"], "maxResults": 5, "runViewType": "ALL", "orderBy": ["start_time"]})
    yield post("ui twin", "/ajax-api/2.0/mlflow/runs/search", {"experiment_ids": ["{f}"]})
    yield post("filter not a text", "runs/search", {"experiment_ids": ["{f}"], "filter": 5})
    yield post("order_by not a list", "runs/search", {"experiment_ids": ["{f}"], "order_by": "start_time"})


@scenario
def paging():
    yield from _setup("rs-paging")
    first = {"experiment_ids": ["{e}"], "max_results": 2}
    yield post("page 1", "runs/search", first, save={"p1": "next_page_token"})
    yield _search("page 2", max_results=2, page_token="{p1}")
    yield _search("exactly all", max_results=4)
    ordered = {"experiment_ids": ["{e}"], "max_results": 1, "order_by": ["metrics.loss DESC"]}
    yield post("ordered 1", "runs/search", ordered, save={"o1": "next_page_token"})
    yield post("ordered 2", "runs/search", {**ordered, "page_token": "{o1}"}, save={"o2": "next_page_token"})
    yield post("ordered 3", "runs/search", {**ordered, "page_token": "{o2}"}, save={"o3": "next_page_token"})
    yield post("ordered 4", "runs/search", {**ordered, "page_token": "{o3}"})
    filtered = {"experiment_ids": ["{e}"], "max_results": 1, "filter": "params.lr LIKE '0.%'"}
    yield post("filtered 1", "runs/search", filtered, save={"f1": "next_page_token"})
    yield post("filtered 2", "runs/search", {**filtered, "page_token": "{f1}"})
    yield _search("all view", max_results=5, run_view_type="ALL")
    yield _search("garbage token", page_token="garbage")
    yield _search("token that is no JSON", page_token="YWJj")
    for label, amount in (("zero", 0), ("negative", -1), ("most", 50000), ("too many", 50001), ("text", "2"), ("letters", "two"), ("decimal", 1.5)):
        yield _search(f"max_results {label}", max_results=amount)
