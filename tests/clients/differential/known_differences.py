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
NOT_SUPPORTED = (501, "NOT_IMPLEMENTED")


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
    "server.unknown_paths/bulk history is only for the ui",
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
    *(f"artifacts.large_files/get of {step}" for step in ("create", "complete", "abort")),
    "artifacts.large_files/post of presigned",
    "artifacts.presigned_urls/get of upload",
    "artifacts.presigned_urls/get of download",
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
_differ("a tag has a key, as in log-batch", GOOD, INVALID, "runs.create_refused/tag without key")
_differ("an output names its model", GOOD, INVALID, "inputs.models/output of no model id")
_differ(
    "both spellings of a field count, also for required fields",
    INVALID,
    GOOD,
    *(f"parsing.camel_case/{call}" for call in ("experiments/update", "log-parameter", "set-tag", "log-metric", "log-batch", "logged-models")),
)

# ---- the rest

_differ("\"nan\" is NaN, not 0 at time 0", GOOD, GOOD, "parsing.numbers_as_texts/what was stored")
_differ(
    "a key needs no quotes before any comparator",
    INVALID,
    GOOD,
    "logged_models.search_for_any_keys/params.a/b IN ('1')",
    "logged_models.search_for_any_keys/tags.a b = 'c'",
)
_differ(
    "what is deleted stays as it was",
    GOOD,
    MISSING,
    *(f"logged_models.deleted/{call}" for call in ("finalize", "tags", "params")),
)

_differ(
    "an escape that is no text stays as it is, instead of a replacement character",
    GOOD,
    GOOD,
    "artifacts.names_with_percent_signs/get them",
    "artifacts.names_with_percent_signs/list them",
)

_differ(
    "page tokens are signed and bound to their search, so they are refused in other words",
    INVALID,
    INVALID,
    "experiment_search.paging/garbage token",
    "experiment_search.paging/token that is no JSON",
    "metrics.history/garbage token",
    "run_search.paging/garbage token",
    "run_search.paging/token that is no JSON",
    "logged_models.search/page 2 of another filter",
)
_differ(
    "malformed JSON is called that; stock takes it for an empty object, and acknowledges it where nothing is required",
    INVALID,
    INVALID,
    "parsing.bodies/broken json",
    "parsing.bodies/no json",
    "parsing.bodies/trailing comma",
    "parsing.bodies/two documents",
    "parsing.bodies/not utf-8",
    "parsing.bodies/bare NaN",
    "registered_models.spellings/no json",
    "registered_models.spellings/broken json",
    "model_versions.spellings/broken json",
)
_differ(
    "a value that cannot be read is refused in these words everywhere",
    INVALID,
    INVALID,
    "inputs.summaries/not a list",
    "metrics.log_refused/value empty",
    "run_search.order/order ['artifact_uri IS']",
    "run_search.order/order ['attributes.`Run Name`']",
)
_differ("the name of a media type has no case", INVALID, GOOD, "parsing.content_types/capital letters")
_differ("what cannot be read is refused, so nothing was stored as 0", GOOD, GOOD, "parsing.bare_numbers/what was stored")
_differ("two values of one parameter are a mistake", GOOD, INVALID, "parsing.spellings/parameter twice")
_differ("a key is not empty", GOOD, INVALID, "run_search.bad_filters/metrics. > 1")
_differ("an id is a text", GOOD, INVALID, "run_search.views_and_experiments/experiment as number")
_differ(
    "both spellings of a field count, also in queries",
    INVALID,
    GOOD,
    *(f"parsing.camel_case/query of {call}" for call in ("experiments/get", "get-by-name", "experiments/search", "runs/get", "get-history", "artifacts/list")),
)
_differ("there is no such setting to advise", INVALID, INVALID, "experiments.create_refused/location: too long")
_differ(
    "the default experiment is as old as its project",
    GOOD,
    GOOD,
    *(f"experiments.default_experiment/{call}" for call in ("get", "get by name", "find it", "find it by id", "its datasets")),
)
_differ("a search shows the models that a run used, as runs/get does", GOOD, GOOD, "inputs.models/found with the run")
_differ("a log-batch without a run id lacks a parameter", INVALID, INVALID, "log_batch.refused/run_uuid is no id here")
_differ("the model is kept as it was sent", GOOD, GOOD, "log_batch.model_history/kept as a tag", "log_batch.model_history/both kept")
_differ("deleting needs a run_id: a missing parameter, not a run without a name", MISSING, INVALID, "runs.deleted/run_uuid is no id for delete")

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
    "files lie in S3 here, not in a folder",
    NOT_SUPPORTED,
    GOOD,
    "artifacts.large_files/create",
    "artifacts.large_files/create at the ui twin",
    "artifacts.large_files/abort",
    "artifacts.large_files/presigned",
)
_differ("there is no such upload", NOT_SUPPORTED, MISSING, "artifacts.large_files/complete unknown")
_differ("an upload of no parts is a mistake", NOT_SUPPORTED, INVALID, "artifacts.large_files/create without number")
_differ(
    "files that the server keeps have presigned URLs, too",
    INVALID,
    GOOD,
    "artifacts.presigned_urls/upload",
    "artifacts.presigned_urls/download",
)
_differ(
    "files lie in S3 here; the AI gateway is not part of Perigee, and its menu must not show",
    GOOD,
    GOOD,
    "server.about/server-info",
    "server.about/server-info of the ui",
    body={
        "store_type": "SqlStore",
        "workspaces_enabled": False,
        "trace_archival_enabled": False,
        "multipart_uploads_enabled": True,
        "multipart_downloads_enabled": True,
        "features_enabled": {"gateway": False},
    },
)

# ---- the registry

WRONG_TYPE_OF_TAG = ("registered_models.create_refused", "model_versions.create_refused")
MODEL_SEARCH, VERSION_SEARCH = "registry_search.bad_model_filters", "registry_search.bad_version_filters"

_differ(
    "a filter that has no meaning is a client's mistake",
    HTML_500,
    INVALID,
    *(f"{MODEL_SEARCH}/{clause}" for clause in ("name IN (a)", "name IS NULL", "name IS NOT NULL", "tags.x IS NULL", "tags.x IS NOT NULL")),
    *(f"{VERSION_SEARCH}/{clause}" for clause in ("name IS NULL", "tags.x IS NULL")),
)
_differ("a whole number may be written with an exponent, here as in a body", HTML_500, GOOD, "registry_search.model_pages/max_results '1e2'")
_differ(
    "an order that says one thing twice is a client's mistake",
    STOCK_500,
    INVALID,
    "registry_search.model_orders/bad order ['name', 'name']",
    "registry_search.model_orders/bad order ['name', 'name DESC']",
    "registry_search.model_orders/bad order ['timestamp', 'last_updated_timestamp']",
    "registry_search.version_orders/bad order ['name', 'name']",
    "registry_search.version_orders/bad order ['version_number', 'version_number DESC']",
)
_differ(
    "a number of any length is a number: no version has it",
    STOCK_500,
    MISSING,
    f"model_versions.numbers/get {'9' * 30!r}",
    f"model_versions.delete_version/delete {'9' * 30!r}",
    f"aliases_and_stages.aliases_refused/version {'9' * 30!r}",
)
_differ(
    "a number too long for a version is a client's mistake",
    STOCK_500,
    INVALID,
    "registry_search.version_filters/version_number < 99999999999999999999 AND name LIKE '{u}.mvf.%'",
)
_differ(
    "only Staging and Production can be cleared: a client's mistake",
    STOCK_500,
    INVALID,
    "aliases_and_stages.archiving/archiving in None",
    "aliases_and_stages.archiving/archiving in Archived",
)
_differ("a file on another host is no source: a client's mistake", STOCK_500, INVALID, "model_version_sources.free_sources/source 'file://host/path'")
_differ(
    "a source that leads to no version is a client's mistake",
    STOCK_500,
    INVALID,
    "model_version_sources.sources_of_other_versions/of a missing stage",
    "model_version_sources.sources_of_other_versions/of a model without versions",
)
_differ(
    "a logged model that is not there is a 404, as everywhere else",
    STOCK_500,
    MISSING,
    "model_version_sources.unknown_logged_models/with its uri",
    "model_version_sources.logged_models/a deleted logged model",
)
_differ("a logged model that is not there is a 404, as everywhere else", INVALID, MISSING, "model_version_sources.unknown_logged_models/with artifacts")
_differ(
    "a version's run must be there and readable, whatever its source",
    GOOD,
    MISSING,
    *(f"model_version_sources.unknown_runs/{run} with s3" for run in ("zeros", "letters", "slash", "long")),
    *(f"model_version_sources.unknown_runs/{run} with runs uri" for run in ("zeros", "letters", "long")),
)
_differ(
    "a version's run must be there and readable, whatever its source",
    INVALID,
    MISSING,
    *(f"model_version_sources.unknown_runs/{run} with artifacts" for run in ("zeros", "letters", "slash", "long")),
)
_differ(
    "what cannot be read is refused instead of dropped or zeroed",
    GOOD,
    INVALID,
    *(f"{scenario}/tag with number as value" for scenario in WRONG_TYPE_OF_TAG),
)
_differ("so nothing was made", GOOD, MISSING, "registered_models.create_refused/nothing was made for a tag with number as value")
_differ(
    "a page has at least one entry",
    GOOD,
    INVALID,
    "registry_search.model_pages/max_results '0'",
    "registry_search.model_pages/max_results '-1'",
)
_differ("a key is not empty", GOOD, INVALID, f"{MODEL_SEARCH}/tags. = 'a'")
_differ("an alias holds no new line", GOOD, INVALID, *(f"aliases_and_stages.alias_names/{call} 'a\\n'" for call in ("set", "get", "delete")))
_differ("two values of one parameter are a mistake", GOOD, INVALID, "registered_models.read/name twice")
_differ("both spellings of a field count, also for required fields", INVALID, GOOD, "registered_models.spellings/newName")
_differ(
    "page tokens are signed and bound to their search, so they are refused in other words",
    INVALID,
    INVALID,
    *(f"registry_search.{pages}/{call}" for pages in ("model_pages", "version_pages") for call in ("garbage token", "token that is no json")),
)
_differ(
    "a wrong method is answered in the API's own form",
    (405, None),
    (405, "BAD_REQUEST"),
    "registered_models.update/by post",
    "registered_models.delete_model/by post",
    "registered_models.spellings/create by get",
    "registered_models.spellings/get by post",
    "model_versions.spellings/create by get",
    "model_versions.spellings/update by post",
    "registry_search.model_pages/search by post",
    "registry_search.version_pages/search by post",
)
_differ("a missing parameter is answered in the API's own form", (400, None), INVALID, "model_versions.files/no path")
_differ("a missing parameter is a client's mistake", STOCK_500, INVALID, "model_versions.files/no version")
_differ("a runs:/ source leads to the run's files, as it does for the client", STOCK_500, GOOD, "model_versions.files/MLmodel of 2")
_differ("a number is written in the digits 0 to 9", GOOD, INVALID, "model_versions.numbers/get '١'")
_differ("a backslash is a separator on some clients, so no part of a name", INVALID, INVALID, "model_version_sources.sources_of_a_run/backslash dots")
_differ("the brackets that some clients put behind the name of a list are understood", GOOD, GOOD, "aliases_and_stages.latest_versions/brackets")
_differ(
    "any key may be quoted",
    INVALID,
    GOOD,
    "registry_search.model_filters/`name` = '{u}.rmf.alpha'",
    "registry_search.model_filters/\"name\" = '{u}.rmf.alpha'",
)
_differ("all letters have cases, not only those of ASCII", GOOD, GOOD, "registry_search.model_filters/name ILIKE '{u}.rmf.GRÖßE'")
_differ("blanks mean nothing", INVALID, GOOD, "registry_search.model_orders/order ['  name   DESC  ']")
_differ("blanks mean nothing", GOOD, GOOD, "registry_search.model_pages/max_results ' 2'")
_differ("what somebody wrote into that tag hinders no version", HTML_500, GOOD, "model_version_sources.versions_noted_on_a_logged_model/fourth")
