"""The OpenAPI document is valid, the hub answers as it says, and Swagger UI shows it."""

import pathlib
import shutil

import pytest
import requests

pytest.importorskip("schemathesis", reason="runs in .venv-catalog: make test-catalog")
from jsonschema import Draft202012Validator
from openapi_spec_validator import OpenAPIV31SpecValidator

from openapi_run import DESTRUCTIVE, DEVELOPER, about, make_things, schemathesis, webhooks
from servers import PROJECT, run_perigee

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")


@pytest.fixture(scope="module")
def document(perigee) -> dict:
    return requests.get(f"{perigee.root}/openapi.json", timeout=30).json()


def operations(document: dict):
    for path, item in document["paths"].items():
        for method, operation in item.items():
            yield path, method, operation


def test_the_document_is_valid(document):
    assert [error.message for error in OpenAPIV31SpecValidator(document).iter_errors()] == []


def test_examples_are_what_the_schemas_say(document):
    def check(where: str, schema: dict, example) -> None:
        schema = {**schema, "components": document["components"]}
        mistakes = [error.message for error in Draft202012Validator(schema).iter_errors(example)]
        assert not mistakes, f"{where}: {mistakes}"

    checked = 0
    for path, method, operation in operations(document):
        contents = [operation.get("requestBody", {}), *operation["responses"].values()]
        for media in (media for content in contents for media in content.get("content", {}).values()):
            if "example" in media:
                check(f"{method} {path}", media["schema"], media["example"])
                checked += 1
        for parameter in operation["parameters"]:
            if "example" in parameter:
                check(f"{method} {path} {parameter['name']}", parameter["schema"], parameter["example"])
                checked += 1
    for name, response in document["components"]["responses"].items():
        media = response["content"]["application/json"]
        for kind, example in media["examples"].items():
            check(f"{name} {kind}", media["schema"], example["value"])
            checked += 1
    assert checked > 100


@pytest.mark.parametrize(
    ("view", "suffix", "examples"),
    [(f"/mlflow/{PROJECT}/tracking", "", 25), ("/mlflow", " (1)", 8)],
    ids=["project", "global"],
)
def test_the_hub_answers_as_described(document, tmp_path, view, suffix, examples):
    with run_perigee() as hub:
        described = about(make_things(hub, suffix), document, view)
        kept = schemathesis(hub, described, tmp_path, examples, destructive=False)
        assert kept.passed, kept.text
        lost = schemathesis(hub, described, tmp_path, examples, destructive=True)
        assert lost.passed, lost.text
    assert kept.calls > 1000 and lost.calls > 50
    # A hub that refuses everything would pass too.
    ids = {operation["operationId"] for _, _, operation in operations(described)}
    assert any(DESTRUCTIVE.match(name) for name in ids)
    assert ids - kept.succeeded - lost.succeeded == set()


def test_webhooks_are_answered_as_described(document, tmp_path):
    secret = "the secret of these tests"
    with run_perigee(environment={"PERIGEE_WEBHOOK_SECRET": secret}) as hub:
        described = webhooks(document)
        found = schemathesis(hub, described, tmp_path, 100, destructive=False, credential=f"X-Gitlab-Token: {secret}")
    assert found.passed, found.text
    assert found.calls > 50
    assert found.succeeded == {operation["operationId"] for _, _, operation in operations(described)} != set()


def test_what_is_not_served_says_so(perigee, document):
    missing = [path for path, _, operation in operations(document) if "501" in operation["responses"]]
    assert len(missing) > 10
    for path in missing:
        for method in ("GET", "POST"):
            url = perigee.root + path.split("{")[0] + ("x" if "{" in path else "")
            answer = requests.request(method, url, headers=DEVELOPER, timeout=30)
            expected = {"error_code": "NOT_IMPLEMENTED"} if path.startswith("/mlflow") else {"status_code": 501}
            assert answer.status_code == 501 and expected.items() <= answer.json().items(), (method, path)


@pytest.mark.skipif(CHROMIUM is None, reason="no chromium on this machine; apt-get install chromium")
def test_swagger_ui_in_a_browser(perigee, document):
    from playwright.sync_api import sync_playwright

    asked, complaints = [], []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        page = browser.new_page()
        page.on("request", lambda request: asked.append(request.url))
        page.on("console", lambda message: complaints.append(message.text) if message.type in ("error", "warning") else None)
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.goto(f"{perigee.root}/api/docs")
        page.wait_for_selector(".opblock")
        shown = page.locator(".opblock").count()
        # The first operation opens, is tried, and the hub's answer is shown.
        page.locator("#operations-Server-health").click()
        page.get_by_role("button", name="Try it out").click()
        page.get_by_role("button", name="Execute").click()
        page.wait_for_selector(".live-responses-table .response-col_status")
        answer = page.locator(".live-responses-table").inner_text()
        title = page.title()
        browser.close()
    assert (shown, title) == (len(list(operations(document))), "Perigee API")
    assert "200" in answer and "OK" in answer
    assert complaints == []
    assert [url for url in asked if not url.startswith((f"{perigee.root}/", "data:"))] == []


def test_the_kept_document_is_the_served_one(perigee, document):
    kept = pathlib.Path(__file__).parents[2] / "functions/api-docs/openapi.json"
    assert requests.models.complexjson.loads(kept.read_text().replace('"perigee:"', f'"{perigee.root}"')) == document
