"""Catalog, webhook, schedule, downloads and documents of the deployed functions."""

import hashlib
import json
import time

import pystac_client
import pytest
import requests
from servers import REPOSITORY, token

SHORELINE = "collections/aimodel/items/coast/shoreline"


@pytest.fixture(scope="module")
def synchronised(stack) -> dict:
    """What the schedule's first round says: Lambda is called as the deployed schedule would call it."""
    scheduler = stack.cloud.client("scheduler")
    schedule = scheduler.get_schedule(Name=stack.resources["CatalogSyncSchedule"].rsplit("/", 1)[-1])
    assert schedule["Target"]["Arn"].endswith(f":function:{stack.resources['CatalogSync']}")
    assert (schedule["State"], schedule["ScheduleExpression"]) == ("ENABLED", "rate(6 hours)")
    event = {"version": "0", "id": "00000000-0000-0000-0000-000000000000", "source": "aws.scheduler", "detail-type": "Scheduled Event", "detail": "{}"}
    return stack.invoke("CatalogSync", event)


def opened(stack, account: str) -> pystac_client.Client:
    return pystac_client.Client.open(f"{stack.root}/api/stac/", headers={"X-Gitlab-Token": token(account)})


def ask(stack, path: str, account: str | None = "developer", **options) -> requests.Response:
    headers = ({"X-Gitlab-Token": token(account)} if account else {}) | options.pop("headers", {})
    return requests.request(options.pop("method", "GET"), f"{stack.root}/{path}", headers=headers, timeout=30, **options)


def eventually(question, seconds: float = 30):
    """The first answer that is true."""
    deadline = time.monotonic() + seconds
    while not (answer := question()) and time.monotonic() < deadline:
        time.sleep(0.3)
    return answer


def test_the_schedule_fills_the_catalog(synchronised, stack):
    assert synchronised["finished"] is True
    catalog = opened(stack, "developer")
    assert [one.id for one in catalog.get_collections()] == ["aimodel", "dataset", "processor"]
    # One item a page: every next page is found by the address that the stack gives itself.
    models = catalog.search(collections=["aimodel"], limit=1)
    assert {"earth/flood-model", "earth/land-cover"} <= {one.id for one in models.items()}
    floods = {"op": "like", "args": [{"property": "title"}, "%lood%"]}
    found = catalog.search(filter=floods, filter_lang="cql2-json", collections=["aimodel"])
    assert [one.id for one in found.items()] == ["earth/flood-model"]
    item = catalog.get_collection("aimodel").get_item("earth/flood-model")
    assert item.get_self_href() == f"{stack.root}/api/stac/collections/aimodel/items/earth/flood-model"
    everything = {one.id for one in catalog.search().items()}
    assert {"earth/flood-model", "earth/land-cover", "coast/shoreline"} <= everything and "lab/secret-model" not in everything
    assert "lab/secret-model" in {one.id for one in opened(stack, "outsider").search().items()}


def test_a_webhook_refreshes_an_item(synchronised, stack, shoreline):
    secret = stack.cloud.client("secretsmanager").get_secret_value(SecretId=stack.outputs["WebhookSecretArn"])["SecretString"]
    (shoreline / "README.md").write_text("---\ntitle: Edited just now\n---\n\nZephyrs.\n")
    event = {"object_kind": "push", "project_id": 100, "project": {"id": 100, "path_with_namespace": "coast/shoreline"}}
    for given, status in [("a guess", 401), (secret, 200)]:
        answer = requests.post(
            f"{stack.root}/api/webhooks/gitlab", json=event, headers={"X-Gitlab-Token": given}, timeout=30
        )
        assert answer.status_code == status, answer.text
    title = lambda: ask(stack, f"api/stac/{SHORELINE}").json()["properties"]["title"]  # noqa: E731
    assert eventually(lambda: title() == "Edited just now"), title()


def test_a_registered_model_shows_up(synchronised, stack):
    """By the table's stream, which wakes the synchronisation."""
    view = f"{stack.root}/mlflow/coast/shoreline/tracking/api/2.0/mlflow"
    headers = {"Authorization": f"Bearer {token('developer')}"}

    def post(path, body):
        answer = requests.post(f"{view}/{path}", json=body, headers=headers, timeout=30)
        assert answer.status_code == 200, answer.text
        return answer.json()

    run = post("runs/create", {"experiment_id": "0"})["run"]["info"]
    weights = f"0/{run['run_id']}/artifacts/model/weights.pkl"
    requests.put(f"{view}-artifacts/artifacts/{weights}", b"weights", headers=headers, timeout=30).raise_for_status()
    post("registered-models/create", {"name": "tideline"})
    post("model-versions/create", {"name": "tideline", "source": f"runs:/{run['run_id']}/model", "run_id": run["run_id"]})
    shown = lambda: [one.get("mlflow:uri") for one in ask(stack, f"api/stac/{SHORELINE}").json()["links"]]  # noqa: E731
    assert eventually(lambda: "models:/tideline/1" in shown()), shown()


def test_downloads(stack, shoreline):
    small = ask(stack, "api/download/earth/flood-model/repository/data/backscatter.csv?ref=main&cache=600")
    assert small.status_code == 200 and small.text.count("\n") > 1
    assert small.headers["Content-Disposition"] == "attachment; filename=backscatter.csv"
    assert small.headers["Cache-Control"] == "private, max-age=600"
    # Beyond what a function may answer: copied to S3 once and fetched from there.
    large = ask(stack, "api/download/coast/shoreline/repository/weights.bin")
    assert [hop.status_code for hop in large.history] == [302]
    assert hashlib.sha256(large.content).digest() == hashlib.sha256((shoreline / "weights.bin").read_bytes()).digest()
    check = ask(stack, "api/check/earth/flood-model?info=true").json()
    assert (check["id"], check["access_level"], check["categories"]) == (1, 3, ["aimodel"])


def test_errors_of_catalog_and_downloads(stack):
    for path, account, status in [
        ("api/download/lab/secret-model/repository/README.md", "developer", 404),
        ("api/download/earth/flood-model/repository/README.md", "guest", 403),
        ("api/download/earth/flood-model/repository/README.md", "nobody", 401),
        ("api/stac/collections/none", "developer", 404),
        ("api/stac/search?limit=x", "developer", 400),
        ("api/stac/none/such", "developer", 404),
        ("api/webhooks/none", "developer", 404),
        ("api/docs/none.js", None, 404),
    ]:
        answer = ask(stack, path, account)
        assert (answer.status_code, answer.json()["status_code"]) == (status, status), f"{path}: {answer.text}"
        assert answer.json()["detail"]


def test_the_document_of_the_api_and_its_page(stack):
    document = ask(stack, "openapi.json", None).json()
    assert document["openapi"].startswith("3.1") and len(document["paths"]) > 50
    page = ask(stack, "api/docs", None)
    assert page.status_code == 200 and "text/html" in page.headers["Content-Type"]
    assert ask(stack, "api/docs/swagger-ui-bundle.js", None).status_code == 200


def test_pages_elsewhere_may_ask(stack):
    """Past the gateway: without a CORS configuration AWS's forwards these requests, MiniStack's answers them."""
    event = json.loads((REPOSITORY / "events/stac.json").read_text())
    event["requestContext"]["http"]["method"] = "OPTIONS"
    event["headers"] |= {"origin": "https://browser.example", "access-control-request-method": "GET"}
    answer = stack.invoke("StacCatalog", event)
    assert answer["statusCode"] in (200, 204)
    assert answer["headers"]["access-control-allow-origin"] in ("*", "https://browser.example")


def test_outputs_are_what_users_need(stack):
    assert stack.outputs["HubUrl"] == stack.root
    assert stack.outputs["StacUrl"] == f"{stack.root}/api/stac/"
    assert stack.outputs["WebhookUrl"] == f"{stack.root}/api/webhooks/gitlab"
    assert stack.outputs["MlflowTrackingUri"] == f"{stack.root}/mlflow/GROUP/PROJECT/tracking"
    assert stack.outputs["BucketName"] == stack.resources["Bucket"]
    assert stack.outputs["TableName"] == stack.resources["Table"]
