"""Where Perigee answers otherwise than the stock server on purpose: name of the call -> why, and both answers.

Every entry is checked from both ends: stock must still give the recorded answer, Perigee must give the clean one.
"""

from __future__ import annotations

from dataclasses import dataclass

INVALID = (400, "INVALID_PARAMETER_VALUE")
MISSING = (404, "RESOURCE_DOES_NOT_EXIST")
TAKEN = (400, "RESOURCE_ALREADY_EXISTS")
GOOD = (200, None)
HTML_500 = (500, None)
STOCK_500 = (500, "INTERNAL_ERROR")


@dataclass(frozen=True)
class Difference:
    """Status and error code of both answers; None where the answer has no `error_code`."""

    reason: str
    stock: tuple[int, str | None]
    ours: tuple[int, str | None]
    # What our answer must hold, where status and code do not say it all.
    body: dict | None = None


KNOWN_DIFFERENCES: dict[str, Difference] = {}


def _differ(reason: str, stock: tuple[int, str | None], ours: tuple[int, str | None], *cases: str, body: dict | None = None) -> None:
    for case in cases:
        if case in KNOWN_DIFFERENCES:
            raise ValueError(f"{case} is listed twice")
        KNOWN_DIFFERENCES[case] = Difference(reason, stock, ours, body)


# ---- a client's mistake is never a server error: clients retry a 5xx for minutes

_differ(
    "a body that is no JSON object is a client's mistake",
    HTML_500,
    INVALID,
    "parsing.bodies/list",
    "parsing.bodies/number",
    "parsing.bodies/true",
    "parsing.bodies/string that is no json",
)
_differ(
    "a value of the wrong type is a client's mistake",
    HTML_500,
    INVALID,
    "log_batch.refused/metric that is a text",
    "log_batch.model_history/json that is a list",
    "metrics.log_refused/value list",
    "metrics.history_bulk/max_results of letters",
    "parsing.types/end_time is a list",
    "parsing.types/end_time is a object",
    "parsing.types/max_results is a list",
    "parsing.types/max_results is a object",
    "logged_models.search/garbage token",
)
_differ("null stands for an absent field, here as everywhere else", HTML_500, GOOD, "parsing.types/max_results is a null")
_differ(
    "a mistake in a filter or an order is a client's mistake",
    STOCK_500,
    INVALID,
    "logged_models.search/nosuch = 'x'",
    "logged_models.search/metrics.acc > 'x'",
    "run_search.bad_filters/run_id IN (a)",
    "run_search.order/bad order ['metrics.loss', 'metrics.loss']",
    "run_search.order/bad order ['start_time', 'start_time DESC']",
)
_differ("a deleted experiment cannot be renamed: a client's mistake", (500, "INVALID_STATE"), INVALID, "experiments.delete_and_restore/rename deleted")

# ---- every error is JSON

_differ(
    "an unknown path is answered in the API's own form",
    (404, None),
    (404, "ENDPOINT_NOT_FOUND"),
    "server.unknown_paths/no such rpc",
    "server.unknown_paths/no such rpc by post",
    "server.unknown_paths/no such version",
    "server.unknown_paths/no such action",
)
_differ(
    "a wrong method is answered in the API's own form",
    (405, None),
    (405, "BAD_REQUEST"),
    "server.wrong_methods/get of a post",
    "server.wrong_methods/get of log-metric",
    "server.wrong_methods/get of runs/search",
    "server.wrong_methods/post of a get",
    "server.wrong_methods/post of get-history",
    "server.wrong_methods/patch of a post",
    "server.wrong_methods/delete of a post",
    "server.wrong_methods/put of a post",
    "server.wrong_methods/post of an artifact",
)
_differ("a missing parameter is answered in the API's own form", (400, None), INVALID, "artifacts.put_and_get/no path")

# ---- no SQL in answers

_differ("a taken name has one code, also when renaming", (400, "BAD_REQUEST"), TAKEN, "experiments.update/to a taken name")
_differ("a run needs an experiment, said without SQL", (400, "BAD_REQUEST"), INVALID, "runs.create_refused/no experiment", "runs.create_refused/empty experiment")
_differ("the last of two equal tags wins, as in log-batch", (400, "BAD_REQUEST"), GOOD, "runs.create/same tag twice")
_differ("the last of two equal tags wins, as in log-batch", TAKEN, GOOD, "experiments.create/same tag twice")
_differ("an output that is there already is a repeat, not an error", (400, "BAD_REQUEST"), GOOD, "inputs.models/model output without step")

# ---- what cannot be read is refused instead of dropped or zeroed

_differ(
    "stock drops the field that it cannot read, and all fields after it",
    GOOD,
    INVALID,
    "runs.create_refused/start time decimal",
    "runs.create_refused/tags not a list",
    "runs.create_refused/user as number",
    "runs.update/unknown status",
    "runs.update/status in small letters",
    "logged_models.finalize/unknown status",
    "log_batch.wrong_types_inside/metric with value of letters",
    "log_batch.wrong_types_inside/metric with decimal timestamp",
    "log_batch.wrong_types_inside/params with number",
    "log_batch.wrong_types_inside/tags with number",
    "metrics.log_refused/value bool",
    "metrics.log_refused/timestamp decimal",
    "metrics.log_refused/timestamp bool",
    "metrics.log_refused/step decimal",
    "metrics.log_refused/step too big",
    "metrics.history/max_results of letters",
    "parsing.bare_numbers/timestamp too big",
    "parsing.bare_numbers/timestamp as decimal text",
    "parsing.types/end_time is a bool",
    "parsing.types/max_results is a bool",
    "run_search.paging/max_results decimal",
)
_differ(
    "stock takes an unknown view for ACTIVE_ONLY",
    GOOD,
    INVALID,
    *(f"{scenario}/bad view {view!r}" for scenario in ("experiment_search.order_and_views", "run_search.views_and_experiments") for view in ("NOSUCH", 9, "all")),
)
_differ(
    "not JSON; clients send \"NaN\" as a text",
    GOOD,
    INVALID,
    "parsing.bare_numbers/value NaN",
    "parsing.bare_numbers/value Infinity",
    "parsing.bare_numbers/value -Infinity",
    "parsing.bare_numbers/value overflow",
)
_differ(
    "a dataset has a name, a digest, a source type and a source",
    GOOD,
    INVALID,
    *(f"inputs.incomplete_datasets/{how} {field}" for how in ("no", "empty") for field in ("name", "digest", "source_type", "source")),
    "inputs.incomplete_datasets/no dataset in the input",
    "inputs.incomplete_datasets/tag without key",
)
_differ("an output names its model", GOOD, INVALID, "inputs.models/output of no model id")
_differ(
    "half a filter is no filter",
    GOOD,
    INVALID,
    "experiment_search.bad_filters/name = 'a' AND",
    "experiment_search.bad_filters/AND name = 'a'",
    "run_search.bad_filters/params.lr = '0.1' params.lr = '0.2'",
    "run_search.bad_filters/params.lr = '0.1' AND",
    "run_search.bad_filters/AND params.lr = '0.1'",
    "run_search.bad_filters/AND",
    "run_search.bad_filters/metrics. > 1",
)
_differ(
    "both spellings of a field count, also for required fields",
    INVALID,
    GOOD,
    *(f"parsing.camel_case/{call}" for call in ("experiments/update", "log-parameter", "set-tag", "log-metric", "log-batch", "logged-models")),
)

# ---- the rest

_differ("what is not there is a 404, as everywhere else", GOOD, MISSING, "metrics.history/unknown run")
_differ("a missing parameter, not a run named None", MISSING, INVALID, "artifacts.put_and_get/no run")
_differ(
    "a backslash is a separator on some clients, so no part of a name",
    GOOD,
    INVALID,
    "artifacts.unsafe_paths/put backslash dots",
    "artifacts.unsafe_paths/delete backslash dots",
    "artifacts.listing/unsafe 'a\\\\b'",
)
_differ(
    "a backslash is a separator on some clients, so no part of a name",
    MISSING,
    INVALID,
    "artifacts.unsafe_paths/download backslash dots",
    "artifacts.unsafe_paths/get-artifact '..\\\\x'",
)
_differ(
    "the AI gateway is not part of Perigee, and its menu must not show",
    GOOD,
    GOOD,
    "server.about/server-info",
    "server.about/server-info of the ui",
    body={
        "store_type": "SqlStore",
        "workspaces_enabled": False,
        "trace_archival_enabled": False,
        "multipart_uploads_enabled": False,
        "multipart_downloads_enabled": False,
        "features_enabled": {"gateway": False},
    },
)
