"""Stand-alone runner: `python -m differential --perigee URL --token T [--only PATTERN]`, from tests/clients.

URL is the base of a project view, such as http://127.0.0.1:5000/mlflow/earth/flood-model/tracking. Starts a stock
server by itself (or uses the one at --stock), prints a table of mismatches and exits with 1 if there are any.
"""

from __future__ import annotations

import argparse
import contextlib
import sys

from servers import PROJECT, run_perigee, run_stock, token

from . import scenarios as _scenarios  # noqa: F401  registers the corpus
from .compare import table
from .engine import Pair, cases


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m differential")
    parser.add_argument("--perigee", metavar="URL", help="base of a project view; default: start the local hub")
    parser.add_argument("--token", default=token("developer"), help="token for Perigee")
    parser.add_argument("--stock", metavar="URL", help="a running stock server; default: start one")
    parser.add_argument("--only", default="", metavar="PATTERN", help="run only calls whose name holds this text")
    parser.add_argument("--self-test", action="store_true", help="compare stock with another stock server")
    parser.add_argument("--show", action="store_true", help="print both answers to every call")
    parser.add_argument("--list", action="store_true", help="print the names of the calls and stop")
    return parser.parse_args()


def _servers(stack: contextlib.ExitStack, arguments: argparse.Namespace) -> tuple[str, str]:
    stock = arguments.stock or stack.enter_context(run_stock(big_experiment_ids=True)).root
    if arguments.self_test:
        return stock, stack.enter_context(run_stock()).root
    return stock, arguments.perigee or stack.enter_context(run_perigee()).project_view(PROJECT)


def main() -> int:
    arguments = _arguments()
    chosen = list(cases(arguments.only))
    if arguments.list:
        print("\n".join(scenario.case(call) for scenario, call in chosen))
        return 0
    with contextlib.ExitStack() as stack:
        stock, ours = _servers(stack, arguments)
        headers = {"Authorization": f"Bearer {arguments.token}"}
        pair = Pair(stock.rstrip("/"), ours.rstrip("/"), headers, self_test=arguments.self_test)
        outcomes = {scenario.case(call): pair.outcome(scenario, call) for scenario, call in chosen}
    if arguments.show:
        for case, outcome in outcomes.items():
            print(f"{case}\n    stock: {outcome.stock.short()}\n    ours:  {outcome.ours.short()}")
    failed = [outcome.mismatches for outcome in outcomes.values() if outcome.mismatches]
    print(table([mismatch for mismatches in failed for mismatch in mismatches]))
    print(f"\n{len(outcomes) - len(failed)} of {len(outcomes)} calls agree, {len(failed)} differ")
    return 1 if failed or not outcomes else 0


if __name__ == "__main__":
    sys.exit(main())
