"""Fixtures of the client tests: a Perigee hub and a stock MLflow server, each started once per test run."""

import uuid

import pytest

from calls import make_own_and_foreign
from catalog_world import Catalog, run_catalog
from servers import Perigee, Stock, run_perigee, run_stock, token

try:
    import mlflow
except ImportError:
    # The catalog's tests have an environment without it.
    mlflow = None


def pytest_addoption(parser):
    parser.addoption(
        "--server",
        default="perigee",
        metavar="perigee|stock|URL",
        help="server of the tests that use the MLflow client; a stock server proves the tests themselves",
    )


def pytest_configure(config):
    config.addinivalue_line("markers", "mlflow3: needs the MLflow 3 client or server, skipped under MLflow 2")
    config.addinivalue_line("markers", "mlflow2: shows what only the MLflow 2 client does, skipped under MLflow 3")
    config.addinivalue_line("markers", "multipart: uploads a file in parts")


def pytest_collection_modifyitems(items):
    if mlflow is None:
        return
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
def catalog() -> Catalog:
    """A hub whose catalog shows a world of its own."""
    with run_catalog() as catalog:
        yield catalog


@pytest.fixture(scope="session")
def stock() -> Stock:
    """The stock MLflow server of this environment."""
    with run_stock(big_experiment_ids=True) as server:
        yield server


@pytest.fixture(scope="session")
def tracking_uri(request) -> str:
    """Tracking URI of the server under test: a project view of Perigee."""
    server = request.config.getoption("--server")
    if "://" in server:
        return server
    if server == "stock":
        return request.getfixturevalue("stock").root
    return request.getfixturevalue("perigee").project_view()


@pytest.fixture
def client(tracking_uri, monkeypatch) -> "mlflow.MlflowClient":
    """The stock client, set up as a user does: a tracking URI and a token in the environment."""
    monkeypatch.setenv("MLFLOW_TRACKING_TOKEN", token("developer"))
    mlflow.set_tracking_uri(tracking_uri)
    yield mlflow.MlflowClient()
    while mlflow.active_run():
        mlflow.end_run()


@pytest.fixture
def experiment(client) -> str:
    """Name of a fresh experiment, which is the current one."""
    name = f"training {uuid.uuid4().hex[:8]}"
    mlflow.set_experiment(name)
    return name


@pytest.fixture(scope="module")
def things(perigee):
    return make_own_and_foreign(perigee, f"w {uuid.uuid4().hex[:8]}")


@pytest.fixture(scope="module")
def own(things):
    return things[0]


@pytest.fixture(scope="module")
def foreign(things):
    return things[1]
