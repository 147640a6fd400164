"""Rehearses docs/RESTORE.md: every command of it, as written there and in that order.

The document's commands are read and done by boto3, so what is tried here is what an operator pastes. MiniStack has done
everything when it answers; AWS takes minutes, which is what the document waits for.
"""

from __future__ import annotations

import gzip
import json
import pathlib
import re
import shlex
import time
from dataclasses import dataclass, field

import jmespath
import mlflow
import pytest
import requests
from botocore import xform_name
from botocore.exceptions import ClientError
from mlflow.entities import Metric, Param
from mlflow.exceptions import MlflowException
from servers import REPOSITORY, run_gitlab, token

import cloudformation
import stack as stacks
from conftest import SYNC_TOKEN

FLOODS = "collections/aimodel/items/earth/flood-model"
SHOWN = {FLOODS, "collections/aimodel/items/earth/land-cover", "collections/aimodel/items/coast/shoreline"}
ROUND = {"source": "aws.scheduler"}
# A snapshot of no rows, 1 ms after the beginning of 1970, in the form of `shared/src/catalog/snapshot.rs`.
ROWS_OF_1970 = b"\x01" + gzip.compress(b"\x02\x00")


@dataclass(frozen=True)
class Command:
    """A command of AWS's CLI, as the document has it; in a loop, `names` are what it is repeated for."""

    words: list[str]
    names: list[str]

    @property
    def name(self) -> str:
        """Service and verb, and what a `wait` waits for."""
        return " ".join(self.words[1:4] if self.words[2] == "wait" else self.words[1:3])


def commands() -> list[Command]:
    """The commands of the document, in its order."""
    document = (REPOSITORY / "docs/RESTORE.md").read_text()
    found, names = [], []
    for block in re.findall(r"```sh\n(.*?)```", document, re.S):
        for line in block.strip().replace("\\\n", " ").splitlines():
            match shlex.split(line):
                case ["for", "name", "in", *names, "do"]:
                    names = [name.rstrip(";") for name in names]
                case ["done"]:
                    names = []
                case words:
                    found.append(Command(words, names))
    return found


@dataclass
class Operator:
    """Works through commands of the document, with the names of a stack in the place of the document's words."""

    cloud: stacks.Cloud
    todo: list[Command]
    words: dict[str, str] = field(default_factory=dict)

    def __call__(self, name: str):
        """Does the next command, which must be this one. Answers what the CLI would: what `--query` asks for, if it is there."""
        command = self.todo.pop(0)
        assert command.name == name, f"next in the document is `aws {command.name}`"
        answer = None
        for each in command.names or [""]:
            words = [self.filled_in(word).replace("$name", each) for word in command.words]
            answer = self.run(words[1], words[2], words[3:])
        return answer

    def filled_in(self, word: str) -> str:
        return re.sub(r"\b(" + "|".join(self.words) + r")\b", lambda found: self.words[found[1]], word)

    def run(self, service: str, verb: str, rest: list[str]):
        client = self.cloud.client(service)
        if (service, verb) == ("s3", "rm"):
            bucket, key = rest[0].removeprefix("s3://").split("/", 1)
            return client.delete_object(Bucket=bucket, Key=key)
        if verb == "wait":
            given = {option.title().replace("-", ""): value for option, value in options(rest[1:]).items()}
            waiter = client.get_waiter(rest[0].replace("-", "_"))
            return waiter.wait(**given, WaiterConfig={"Delay": 1, "MaxAttempts": 30})
        given = options(rest)
        query = given.pop("query", None)
        # What the CLI does with its input and output, not AWS.
        for own in ("output", "cli-binary-format"):
            given.pop(own, None)
        operation = client.meta.method_to_api_mapping[verb.replace("-", "_")]
        shape = client.meta.service_model.operation_model(operation).input_shape
        answer = getattr(client, verb.replace("-", "_"))(**parameters(shape, given))
        return jmespath.search(query, answer) if query else answer


def options(words: list[str]) -> dict[str, str]:
    """Options and their values, flags as `true` or `false`; words without an option are left out."""
    found = {}
    for word, following in zip(words, [*words[1:], "--"], strict=True):
        if word.startswith("--no-"):
            found[word.removeprefix("--no-")] = "false"
        elif word.startswith("--"):
            found[word.removeprefix("--")] = "true" if following.startswith("--") else following
    return found


def parameters(shape, given: dict[str, str]) -> dict:
    """Options of the CLI as boto3 takes them."""
    members = {xform_name(name, "-"): name for name in shape.members}
    return {members[name]: value(shape.members[members[name]], text) for name, text in given.items()}


def value(shape, text: str):
    match shape.type_name:
        case "boolean":
            return {"true": True, "false": False}[text]
        case "integer":
            return int(text)
        case "structure" if not text.startswith("{"):
            pairs = dict(pair.split("=", 1) for pair in text.split(","))
            return {name: value(shape.members[name], one) for name, one in pairs.items()}
        case "structure":
            return json.loads(text)
        case _:
            return text


@pytest.fixture
def stack(shoreline) -> stacks.Stack:
    """A stack of its own: a restore leaves traces that the other tests' stack must not have."""
    with run_gitlab("--projects", str(shoreline.parents[1])) as gitlab, stacks.run_cloud() as cloud:
        yield stacks.deploy(cloud, gitlab, SYNC_TOKEN)


@pytest.fixture
def operator(stack) -> Operator:
    table = stack.resources["Table"]
    return Operator(stack.cloud, commands(), {"TABLE": table, "STACK": stacks.NAME, "BUCKET": stack.resources["Bucket"]})


def eventually(question, seconds: float = 30):
    """The first answer that is true."""
    deadline = time.monotonic() + seconds
    while not (answer := question()) and time.monotonic() < deadline:
        time.sleep(0.2)
    return answer


def of_template() -> dict:
    """The table as the template has it."""
    table = cloudformation.read(REPOSITORY / "template.yaml")["Resources"]["Table"]["Properties"]
    assert table["TimeToLiveSpecification"]["Enabled"] and table["PointInTimeRecoverySpecification"]["PointInTimeRecoveryEnabled"]
    return {
        "keys": table["KeySchema"],
        "attributes": by_name(table["AttributeDefinitions"]),
        "indexes": [(one["IndexName"], one["KeySchema"], one["Projection"]) for one in table["GlobalSecondaryIndexes"]],
        "billing": table["BillingMode"],
        "stream": table["StreamSpecification"]["StreamViewType"],
        "ttl": {"TimeToLiveStatus": "ENABLED", "AttributeName": table["TimeToLiveSpecification"]["AttributeName"]},
        "recovery": "ENABLED",
        "protected": table["DeletionProtectionEnabled"],
    }


def described(cloud: stacks.Cloud, table: str) -> dict:
    """The same of a table that is there."""
    client = cloud.client("dynamodb")
    told = client.describe_table(TableName=table)["Table"]
    backups = client.describe_continuous_backups(TableName=table)["ContinuousBackupsDescription"]
    return {
        "keys": told["KeySchema"],
        "attributes": by_name(told["AttributeDefinitions"]),
        "indexes": [(one["IndexName"], one["KeySchema"], one["Projection"]) for one in told["GlobalSecondaryIndexes"]],
        "billing": told["BillingModeSummary"]["BillingMode"],
        "stream": told.get("StreamSpecification", {}).get("StreamViewType"),
        "ttl": client.describe_time_to_live(TableName=table)["TimeToLiveDescription"],
        "recovery": backups["PointInTimeRecoveryDescription"]["PointInTimeRecoveryStatus"],
        "protected": told["DeletionProtectionEnabled"],
    }


def by_name(attributes: list[dict]) -> list[dict]:
    return sorted(attributes, key=lambda one: one["AttributeName"])


def items(cloud: stacks.Cloud, table: str) -> list[dict]:
    pages = cloud.client("dynamodb").get_paginator("scan").paginate(TableName=table)
    return sorted((item for page in pages for item in page["Items"]), key=lambda item: (item["PK"]["S"], item["SK"]["S"]))


def mappings(stack) -> list[dict]:
    """The event source mappings of `catalog-sync`."""
    found = stack.cloud.client("lambda").list_event_source_mappings(FunctionName=stack.resources["CatalogSync"])
    return found["EventSourceMappings"]


def settings(mapping: dict) -> dict:
    """What one chooses of an event source mapping, but for stream and starting position."""
    own = {"UUID", "EventSourceArn", "EventSourceMappingArn", "StartingPosition", "LastModified", "LastProcessingResult"}
    return {name: chosen for name, chosen in mapping.items() if name not in own}


def told(client: mlflow.MlflowClient, run: str, model: str) -> tuple:
    """All that the hub says of a run and of a registered model."""
    history = [(one.step, one.value, one.timestamp) for one in client.get_metric_history(run, "loss")]
    versions = client.search_model_versions(f"name = '{model}'")
    registered = client.get_registered_model(model)
    return (
        client.get_run(run).to_dictionary(),
        history,
        [dict(version) for version in versions],
        dict(registered) | {"latest_versions": [dict(version) for version in registered.latest_versions]},
    )


def ask(stack, path: str) -> requests.Response:
    return requests.get(f"{stack.root}/api/stac/{path}", headers={"X-Gitlab-Token": token("developer")}, timeout=30)


def models_of_item(stack) -> list[str]:
    """The registered models that the catalog's item names; none if there is no item."""
    item = ask(stack, FLOODS)
    return [one["mlflow:uri"] for one in item.json()["links"] if "mlflow:uri" in one] if item.status_code == 200 else []


def catalog_of(stack) -> set[str]:
    """The items that a search finds and that are really there."""
    found = ask(stack, "search?limit=100").json()["features"]
    paths = {f"collections/{one['collection']}/items/{one['id']}" for one in found}
    return {path for path in paths if ask(stack, path).status_code == 200}


def fill_catalog(stack) -> None:
    """A round of the schedule that also writes `catalog/rows`: because there is one of 1970, not after a thousand changes."""
    s3, rows = stack.cloud.client("s3"), {"Bucket": stack.resources["Bucket"], "Key": "catalog/rows"}
    s3.put_object(**rows, Body=ROWS_OF_1970)
    assert stack.invoke("CatalogSync", ROUND)["finished"] is True
    assert s3.get_object(**rows)["Body"].read() != ROWS_OF_1970
    assert eventually(lambda: SHOWN <= catalog_of(stack)), catalog_of(stack)


def new_version(client: mlflow.MlflowClient, model: str, run: str) -> int:
    source = f"{client.get_run(run).info.artifact_uri}/model"
    return int(client.create_model_version(model, source, run).version)


def test_going_back(stack, client, operator):
    aws, cloud, table = operator, stack.cloud, stack.resources["Table"]
    template, (old_mapping,) = of_template(), mappings(stack)
    # MiniStack's CloudFormation turns on neither of these.
    off = {"ttl": {"TimeToLiveStatus": "DISABLED"}, "recovery": "DISABLED"}
    assert described(cloud, table) == template | off

    # A run and a version of a registered model. The stream has told the catalog.
    experiment = client.create_experiment("rivers")
    run = client.create_run(experiment, run_name="kept").info.run_id
    losses = [Metric("loss", 1 / (step + 1), 1_700_000_000_000 + step, step) for step in range(5)]
    client.log_batch(run, losses, [Param("window", "3 × 3")])
    client.set_tag(run, "team", "hydrology")
    client.log_text(run, "weights", "model/weights.txt")
    client.set_terminated(run)
    client.create_registered_model("rivers")
    assert new_version(client, "rivers", run) == 1
    client.set_registered_model_alias("rivers", "champion", "1")
    assert eventually(lambda: models_of_item(stack) == ["models:/rivers/1"]), cloud.log()[-4000:]
    before = told(client, run, "rivers")

    # MiniStack restores the present, whatever time it is asked for, so it is asked before the damage.
    aws("dynamodb restore-table-to-point-in-time")
    aws("dynamodb wait table-exists")
    then = items(cloud, f"{table}-restored")
    lacking = off | {"stream": None, "protected": False}
    assert described(cloud, f"{table}-restored") == template | lacking

    # The damage: a run changed and deleted, another one logged, a second version. A round fills the catalog and sums it up.
    client.set_tag(run, "team", "nobody")
    client.delete_run(run)
    later = client.create_run(experiment, run_name="lost").info.run_id
    assert new_version(client, "rivers", later) == 2
    assert eventually(lambda: models_of_item(stack) == ["models:/rivers/2"]), cloud.log()[-4000:]
    fill_catalog(stack)
    assert told(client, run, "rivers") != before

    aws("lambda put-function-concurrency")
    # MiniStack's gateway hands on Lambda's 429, AWS's answers 503.
    assert requests.get(f"{stack.root}/mlflow/health", timeout=30).status_code in (429, 503)

    aws.words["BACKUP"] = aws("dynamodb create-backup")
    assert aws("dynamodb describe-backup") == "AVAILABLE"

    with pytest.raises(ClientError, match="protected against deletion"):
        cloud.client("dynamodb").delete_table(TableName=table)
    aws("dynamodb update-table")
    aws("dynamodb wait table-exists")
    aws("dynamodb delete-table")
    aws("dynamodb wait table-not-exists")

    # MiniStack gives no restored table the encryption that it is told to; AWS does.
    aws("dynamodb restore-table-from-backup")
    aws("dynamodb wait table-exists")
    assert items(cloud, table) == then
    assert described(cloud, table) == template | lacking

    aws("dynamodb update-continuous-backups")
    aws("dynamodb update-time-to-live")
    aws("dynamodb update-table")
    aws("dynamodb wait table-exists")
    aws("dynamodb update-table")
    # AWS says ENABLING of the time to live for up to an hour.
    assert described(cloud, table) == template

    (aws.words["UUID"],) = aws("lambda list-event-source-mappings")
    aws("lambda delete-event-source-mapping")
    aws.words["STREAM"] = aws("dynamodb describe-table")
    aws("lambda create-event-source-mapping")
    (new_mapping,) = mappings(stack)
    assert settings(new_mapping) == settings(old_mapping)
    assert new_mapping["EventSourceArn"] == aws.words["STREAM"] != old_mapping["EventSourceArn"]

    aws("s3 rm")
    aws("lambda update-function-configuration")
    aws("lambda wait function-updated-v2")
    aws("lambda delete-function-concurrency")
    aws("lambda invoke")

    # What was there is there as it was, and what came later is not.
    assert told(client, run, "rivers") == before
    assert client.download_artifacts(run, "model/weights.txt")
    with pytest.raises(MlflowException, match="RESOURCE_DOES_NOT_EXIST"):
        client.get_run(later)
    assert models_of_item(stack) == ["models:/rivers/1"]
    # The round made the rest of the catalog anew.
    assert eventually(lambda: SHOWN <= catalog_of(stack)), catalog_of(stack)

    # Writing works, and the new stream tells the catalog.
    client.log_metric(run, "loss", 0.1, step=5)
    assert [one.value for one in client.get_metric_history(run, "loss")] == [one.value for one in losses] + [0.1]
    again = client.create_run(experiment, run_name="new").info.run_id
    client.log_metric(again, "loss", 0.5)
    assert [one.info.run_id for one in client.search_runs([experiment], "metrics.loss <= 0.5")] == [again, run]
    assert new_version(client, "rivers", again) == 2
    assert eventually(lambda: models_of_item(stack) == ["models:/rivers/2"]), cloud.log()[-4000:]
    assert eventually(lambda: mappings(stack)[0]["LastProcessingResult"].startswith("OK")), mappings(stack)

    aws("dynamodb delete-table")
    aws("dynamodb delete-backup")
    assert not aws.todo, "the document has more commands"


def test_the_catalog_needs_no_backup(stack, operator):
    fill_catalog(stack)
    database, table = stack.cloud.client("dynamodb"), stack.resources["Table"]
    for item in items(stack.cloud, table):
        if item["PK"]["S"].startswith("ITEM#"):
            database.delete_item(TableName=table, Key={"PK": item["PK"], "SK": item["SK"]})
    assert not catalog_of(stack)
    # What `catalog/rows` names counts as known.
    assert stack.invoke("CatalogSync", ROUND)["summary"]["skipped"] > 0
    assert not SHOWN <= catalog_of(stack)

    operator.todo = [one for one in operator.todo if one.name in ("s3 rm", "lambda invoke")]
    operator("s3 rm")
    operator("lambda invoke")
    assert eventually(lambda: SHOWN <= catalog_of(stack)), catalog_of(stack)
