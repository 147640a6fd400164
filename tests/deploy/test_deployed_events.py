"""Every recorded event, handed by Lambda to the function that it is of, in the real binaries."""

import json

import requests
from servers import REPOSITORY, token

EVENTS = {path.stem: path.read_text() for path in (REPOSITORY / "events").glob("*.json")}
# What the recordings speak of.
RUN, EXPERIMENT, SECRET = "4bd17e95ae5f4bb0b3a9c0c4c7b6a1f2", "artifacts/1/", "a webhook secret of the tests"
# The functions, each event after those that it builds upon.
FUNCTIONS = {
    "tracking": "MlflowTracking",
    "project": "MlflowProject",
    "artifacts": "MlflowArtifacts",
    "registry": "MlflowRegistry",
    "webhook": "CatalogSync",
    "stac": "StacCatalog",
    "download": "FileDownload",
    "api-docs": "ApiDocs",
}


def test_every_event_succeeds(stack):
    assert FUNCTIONS.keys() == EVENTS.keys()
    secret = stack.cloud.client("secretsmanager").get_secret_value(SecretId=stack.outputs["WebhookSecretArn"])
    own = {SECRET: secret["SecretString"]}
    answers = {}
    for name, function in FUNCTIONS.items():
        event = EVENTS[name]
        for recorded, here in own.items():
            event = event.replace(recorded, json.dumps(here)[1:-1])
        answer = answers[name] = stack.invoke(function, json.loads(event))
        assert answer["statusCode"] == 200, f"{name}: {answer}"
        if name == "tracking":
            experiment = json.loads(answer["body"])["experiment_id"]
            own |= {EXPERIMENT: f"artifacts/{experiment}/", RUN: new_run(stack, experiment)}
    assert json.loads(answers["project"]["body"])["experiment"]["name"] == "night floods"
    assert json.loads(answers["registry"]["body"])["registered_model"]["name"] == "flood mapper (1)"
    assert json.loads(answers["stac"]["body"])["features"][0]["id"].count("/") == 1
    assert answers["download"]["headers"]["content-disposition"] == "attachment; filename=backscatter.csv"


def new_run(stack, experiment: str) -> str:
    url = f"{stack.root}/mlflow/earth/flood-model/tracking/api/2.0/mlflow/runs/create"
    headers = {"Authorization": f"Bearer {token('developer')}"}
    made = requests.post(url, json={"experiment_id": experiment}, headers=headers, timeout=30)
    return made.json()["run"]["info"]["run_id"]
