"""The comparison itself: it sees real differences, and nothing else."""

import pytest
import requests

from differential.call import Call
from differential.compare import compare
from differential.side import Answer, Side

pytestmark = pytest.mark.mlflow3

CALL = Call("x", "GET", "runs/get")


def side(**values: str) -> Side:
    made = Side("http://127.0.0.1", "t0123456789", {}, requests.Session())
    made.values |= values
    made.experiments |= {"e"} & values.keys()
    return made


def answer(body, status: int = 200) -> Answer:
    return Answer(status, "application/json", {}, body, True)


def fields(stock, ours, stock_status: int = 200, our_status: int = 200, **values: tuple[str, str]) -> list[str]:
    sides = side(**{k: v[0] for k, v in values.items()}), side(**{k: v[1] for k, v in values.items()})
    found = compare("case", CALL, sides, (answer(stock, stock_status), answer(ours, our_status)))
    return [mismatch.field for mismatch in found]


def test_ids_are_compared_by_what_they_name():
    ids = {"e": ("730000001", "2"), "r": ("a" * 32, "b" * 32)}
    stock = {"experiment_id": "730000001", "artifact_uri": f"mlflow-artifacts:/730000001/{'a' * 32}/artifacts"}
    ours = {"experiment_id": "2", "artifact_uri": f"mlflow-artifacts:/2/{'b' * 32}/artifacts"}
    assert fields(stock, ours, **ids) == []
    assert fields(stock, {**ours, "experiment_id": "3"}, **ids) == ["experiment_id"]
    assert fields(stock, {**ours, "artifact_uri": ours["artifact_uri"].replace("/2/", "/3/")}, **ids) == ["artifact_uri"]


def test_a_short_id_is_not_found_in_other_values():
    ids = {"e": ("730000001", "2")}
    assert fields({"value": "2"}, {"value": "2"}, **ids) == []
    assert fields({"value": "730000001"}, {"value": "2"}, **ids) == ["value"]


def test_numbers_keep_their_kind():
    assert fields({"step": 1}, {"step": 1.0}) == ["step"]
    assert fields({"step": 1}, {"step": "1"}) == ["step"]
    assert fields({"step": 1}, {"step": True}) == ["step"]


def test_absent_and_empty_differ():
    assert fields({}, {"runs": []}) == ["runs"]
    assert fields({"runs": []}, {}) == ["runs"]


def test_order_counts_except_where_there_is_none():
    assert fields({"runs": [1, 2]}, {"runs": [2, 1]}) == ["runs[0]", "runs[1]"]
    tags = [{"key": "a"}, {"key": "b"}]
    assert fields({"data": {"tags": tags}}, {"data": {"tags": tags[::-1]}}) == []
    assert fields({"metrics": tags}, {"metrics": tags[::-1]}) == ["metrics[0].key", "metrics[1].key"]


def test_versions_and_aliases_of_a_model_have_no_order():
    entries = [{"name": "a"}, {"name": "b"}]
    for key in ("latest_versions", "aliases"):
        assert fields({"registered_model": {key: entries}}, {"registered_model": {key: entries[::-1]}}) == []
    assert fields({"model_versions": entries}, {"model_versions": entries[::-1]}) != []


def test_times_are_times_of_now():
    import time

    now = int(time.time() * 1000)
    assert fields({"creation_time": now}, {"creation_time": now - 50}) == []
    assert fields({"creation_time": now}, {"creation_time": 0}) == ["creation_time"]
    stock = {"creation_time": now - 100, "last_update_time": now}
    assert fields(stock, {"creation_time": now, "last_update_time": now}) == ["last_update_time"]


def test_errors_by_status_code_and_message():
    error = {"error_code": "INVALID_PARAMETER_VALUE", "message": "no"}
    assert fields(error, error, 400, 400) == []
    assert fields(error, error, 400, 404) == ["status"]
    assert fields(error, {**error, "error_code": "BAD_REQUEST"}, 400, 400) == ["error_code"]
    assert fields(error, {**error, "message": "nope"}, 400, 400) == ["message"]


def test_a_message_may_order_a_set_as_it_likes():
    stock = {"error_code": "X", "message": "not one of '{'=', 'LIKE'}'"}
    assert fields(stock, {**stock, "message": "not one of '{'LIKE', '='}'"}, 400, 400) == []
    assert fields(stock, {**stock, "message": "not one of '{'LIKE'}'"}, 400, 400) == ["message"]


def test_random_run_names_are_equal_other_names_are_not():
    assert fields({"run_name": "bold-fox-12"}, {"run_name": "shy-hen-900"}) == []
    assert fields({"run_name": "bold-fox-12"}, {"run_name": "run 12"}) == ["run_name"]
