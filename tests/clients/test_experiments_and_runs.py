"""The stock client's view of experiments, of the life of runs, and of search."""

import uuid

import mlflow
import pytest
from mlflow.entities import ViewType
from mlflow.exceptions import MlflowException


@pytest.fixture
def name() -> str:
    return f"client {uuid.uuid4().hex[:8]}"


def test_the_life_of_an_experiment(client, name):
    made = client.create_experiment(name, tags={"team": "water"})
    stored = client.get_experiment(made)
    assert (stored.name, stored.lifecycle_stage, stored.tags) == (name, "active", {"team": "water"})
    assert stored.artifact_location.endswith(f"/{made}")
    assert client.get_experiment_by_name(name).experiment_id == made
    assert client.get_experiment_by_name(f"{name} nobody") is None

    client.set_experiment_tag(made, "note", "wet")
    client.rename_experiment(made, f"{name} renamed")
    renamed = client.get_experiment(made)
    assert renamed.name == f"{name} renamed"
    assert renamed.tags == {"team": "water", "note": "wet"}
    assert renamed.last_update_time >= renamed.creation_time
    assert client.get_experiment_by_name(name) is None

    client.delete_experiment(made)
    assert client.get_experiment(made).lifecycle_stage == "deleted"
    with pytest.raises(MlflowException):
        client.create_run(made)
    client.restore_experiment(made)
    assert client.get_experiment(made).lifecycle_stage == "active"
    assert client.create_run(made).info.experiment_id == made


def test_set_experiment_creates_once(client, name):
    first = mlflow.set_experiment(name)
    assert mlflow.set_experiment(name).experiment_id == first.experiment_id
    with pytest.raises(MlflowException) as refused:
        client.create_experiment(name)
    assert refused.value.error_code == "RESOURCE_ALREADY_EXISTS"
    client.delete_experiment(first.experiment_id)
    with pytest.raises(MlflowException, match="deleted"):
        mlflow.set_experiment(name)


def test_missing_things_are_missing(client):
    for question in (lambda: client.get_experiment("987654321"), lambda: client.get_run("0" * 32)):
        with pytest.raises(MlflowException) as refused:
            question()
        assert refused.value.error_code == "RESOURCE_DOES_NOT_EXIST"


def test_search_experiments(client, name):
    made = [client.create_experiment(f"{name}/{i}", tags={"parity": "even" if i % 2 == 0 else "odd"}) for i in range(5)]
    client.delete_experiment(made[4])
    mine = f"name LIKE '{name}/%'"
    assert [e.experiment_id for e in client.search_experiments(filter_string=mine)] == made[3::-1]
    even = client.search_experiments(filter_string=f"{mine} AND tags.parity = 'even'")
    assert {e.experiment_id for e in even} == {made[0], made[2]}
    deleted = client.search_experiments(filter_string=mine, view_type=ViewType.DELETED_ONLY)
    assert [e.experiment_id for e in deleted] == [made[4]]
    everything = client.search_experiments(filter_string=mine, view_type=ViewType.ALL, order_by=["name ASC"])
    assert [e.experiment_id for e in everything] == made
    first = client.search_experiments(filter_string=mine, max_results=3, order_by=["name ASC"])
    rest = client.search_experiments(filter_string=mine, max_results=3, order_by=["name ASC"], page_token=first.token)
    assert [e.experiment_id for e in [*first, *rest]] == made[:4]
    assert not rest.token


def test_the_life_of_a_run(client, name):
    home = client.create_experiment(name)
    run_id = client.create_run(home, run_name="first", tags={"a": "1"}).info.run_id
    client.log_metric(run_id, "m", 1.5, timestamp=1_700_000_000_000, step=2)
    client.log_param(run_id, "p", "x")
    client.set_tag(run_id, "b", "2")
    client.delete_tag(run_id, "a")
    client.update_run(run_id, status="KILLED", name="second")
    client.set_terminated(run_id, status="FAILED", end_time=1_700_000_000_500)
    run = client.get_run(run_id)
    assert (run.info.status, run.info.run_name, run.info.end_time) == ("FAILED", "second", 1_700_000_000_500)
    assert run.data.tags == {"b": "2", "mlflow.runName": "second"}
    assert (run.data.metrics, run.data.params) == ({"m": 1.5}, {"p": "x"})
    with pytest.raises(MlflowException):
        client.delete_tag(run_id, "a")

    client.delete_run(run_id)
    assert client.get_run(run_id).info.lifecycle_stage == "deleted"
    assert list(client.search_runs([home])) == []
    assert [r.info.run_id for r in client.search_runs([home], run_view_type=ViewType.DELETED_ONLY)] == [run_id]
    with pytest.raises(MlflowException):
        client.log_param(run_id, "q", "y")
    client.restore_run(run_id)
    client.log_param(run_id, "q", "y")
    assert client.get_run(run_id).data.params == {"p": "x", "q": "y"}


@pytest.fixture
def runs(client, name) -> tuple[str, list[str]]:
    """An experiment with twelve runs: loss falls, `lr` takes three values, every fourth run failed."""
    home = client.create_experiment(name)
    made = []
    for index in range(12):
        run = client.create_run(home, start_time=1_700_000_000_000 + index, run_name=f"trial {index}")
        client.log_metric(run.info.run_id, "loss", 1 / (index + 1))
        client.log_param(run.info.run_id, "lr", ("0.1", "0.01", "0.001")[index % 3])
        client.set_tag(run.info.run_id, "group", f"g{index % 2}")
        client.set_terminated(run.info.run_id, "FAILED" if index % 4 == 3 else "FINISHED")
        made.append(run.info.run_id)
    return home, made


@pytest.mark.parametrize(
    ("clause", "expected"),
    [
        ("metrics.loss < 0.2", range(5, 12)),
        ("metrics.loss >= 0.5", (0, 1)),
        ("params.lr = '0.01'", (1, 4, 7, 10)),
        ("params.lr LIKE '0.0%'", (1, 2, 4, 5, 7, 8, 10, 11)),
        ("tags.group = 'g1' AND params.lr != '0.1'", (1, 5, 7, 11)),
        ("attributes.status = 'FAILED'", (3, 7, 11)),
        ("attributes.run_name = 'trial 6'", (6,)),
        ("attributes.start_time > 1700000000009", (10, 11)),
        ("metrics.nosuch > 0", ()),
        ("tags.`mlflow.runName` ILIKE 'TRIAL 1%'", (1, 10, 11)),
    ],
)
def test_filters(client, runs, clause, expected):
    home, made = runs
    found = client.search_runs([home], filter_string=clause)
    assert {made.index(run.info.run_id) for run in found} == set(expected)


@pytest.mark.parametrize(
    ("order_by", "expected"),
    [
        ([], list(range(11, -1, -1))),
        (["metrics.loss ASC"], list(range(11, -1, -1))),
        (["metrics.loss DESC"], list(range(12))),
        (["params.lr ASC", "metrics.loss DESC"], [2, 5, 8, 11, 1, 4, 7, 10, 0, 3, 6, 9]),
        (["attributes.status ASC", "attributes.start_time ASC"], [3, 7, 11, 0, 1, 2, 4, 5, 6, 8, 9, 10]),
    ],
)
def test_orders(client, runs, order_by, expected):
    home, made = runs
    assert [made.index(run.info.run_id) for run in client.search_runs([home], order_by=order_by)] == expected


def test_pages(client, runs):
    home, made = runs
    seen, token = [], None
    while True:
        page = client.search_runs([home], filter_string="tags.group = 'g0'", max_results=4, order_by=["metrics.loss ASC"], page_token=token)
        assert len(page) <= 4
        seen += [made.index(run.info.run_id) for run in page]
        token = page.token
        if not token:
            break
    assert seen == [10, 8, 6, 4, 2, 0]


def test_runs_of_several_experiments(client, runs, name):
    home, made = runs
    other = client.create_experiment(f"{name} other")
    lonely = client.create_run(other, start_time=1_600_000_000_000).info.run_id
    found = client.search_runs([home, other], order_by=["start_time ASC"])
    assert [run.info.run_id for run in found] == [lonely, *made]


def test_a_bad_filter_is_said_to_be_one(client, runs):
    home, _ = runs
    with pytest.raises(MlflowException) as refused:
        client.search_runs([home], filter_string="metrics.loss > 'high' OR nonsense")
    assert refused.value.error_code == "INVALID_PARAMETER_VALUE"
