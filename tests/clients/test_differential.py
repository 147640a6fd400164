"""The same calls to a stock MLflow server and to Perigee: every call is a case of its own.

For quick iterations: `python -m differential --help`, from this folder.
"""

import pytest

from differential import scenarios as _scenarios  # noqa: F401  registers the corpus
from differential.compare import table
from differential.engine import Pair, cases
from differential.known_differences import KNOWN_DIFFERENCES
from servers import token

pytestmark = pytest.mark.mlflow3

CASES = list(cases())


@pytest.fixture(scope="module")
def pair(stock, perigee):
    return Pair(stock.root, perigee.project_view(), {"Authorization": f"Bearer {token('developer')}"})


@pytest.mark.parametrize(("scenario", "call"), CASES, ids=[scenario.case(call) for scenario, call in CASES])
def test_call(pair, scenario, call):
    mismatches = pair.outcome(scenario, call).mismatches
    if mismatches:
        pytest.fail("\n" + table(mismatches), pytrace=False)


def test_every_known_difference_names_a_call():
    assert KNOWN_DIFFERENCES.keys() <= {scenario.case(call) for scenario, call in CASES}


def test_the_corpus_is_large():
    assert len(CASES) > 3_000
