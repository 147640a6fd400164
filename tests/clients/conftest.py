"""Fixtures of the client tests: a Perigee hub and a stock MLflow server, each started once per test run."""

import pathlib

import mlflow
import pytest

from servers import Perigee, Stock, run_perigee, run_stock

HERE = pathlib.Path(__file__).parent


def pytest_configure(config):
    config.addinivalue_line("markers", "mlflow3: needs the MLflow 3 client or server, skipped under MLflow 2")
    config.addinivalue_line("markers", "mlflow2: shows what only the MLflow 2 client does, skipped under MLflow 3")


def pytest_collection_modifyitems(items):
    major = mlflow.version.VERSION.split(".")[0]
    for item in items:
        for needed in ("2", "3"):
            if item.get_closest_marker(f"mlflow{needed}") and major != needed:
                item.add_marker(pytest.mark.skip(reason=f"needs mlflow {needed}, this is {mlflow.version.VERSION}"))


@pytest.fixture(scope="session")
def perigee() -> Perigee:
    """The local hub, in memory, with its demo data."""
    with run_perigee() as hub:
        yield hub


@pytest.fixture(scope="session")
def stock() -> Stock:
    """The stock MLflow server of this environment."""
    with run_stock(big_experiment_ids=True) as server:
        yield server
