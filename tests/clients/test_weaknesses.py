"""What the existing SharingHub stack lets through, and Perigee does not: one test for each numbered weakness.

The numbers are those of docs/SECURITY.md; W14 (revoked tokens) is tested beside the token cache, those of the
registry in `test_registry_weaknesses.py`.
"""

import http.server
import threading
import uuid

import pytest
import requests

from calls import API, DEVELOPER, GUEST, OUTSIDER, READ_ONLY_DEVELOPER, TWIN, bearer, get, make_things, post, both_views, state_of
from servers import PROJECT

# No MLflow client takes part, so one of the two environments is enough.
pytestmark = pytest.mark.mlflow3


def test_w01_the_artifact_proxy_is_guarded_under_both_prefixes(perigee, own, foreign):
    """Another project's files can be read, listed, overwritten or deleted under neither prefix and in no view."""
    before = state_of(foreign)
    for base in both_views(perigee, own, foreign):
        for prefix in (API, TWIN):
            files = f"{base}{prefix}/mlflow-artifacts/artifacts"
            secret = f"{files}/{foreign.root}/secret.txt"
            for answer in (
                requests.get(secret, headers=DEVELOPER, timeout=30),
                requests.put(secret, data=b"mine now", headers=DEVELOPER, timeout=30),
                requests.delete(secret, headers=DEVELOPER, timeout=30),
                requests.get(files, params={"path": foreign.root}, headers=DEVELOPER, timeout=30),
                requests.delete(f"{files}/{foreign.experiment}", headers=DEVELOPER, timeout=30),
            ):
                assert answer.status_code in (400, 404), f"{answer.request.method} {answer.url}: {answer.status_code}"
                assert "file of" not in answer.text
    assert state_of(foreign) == before


def test_w02_nobody_without_a_credential_reads_or_writes(perigee, own):
    """There is no default token: anonymous get-artifact, listing, upload and log-inputs are all 401."""
    for base in (own.view, perigee.global_view):
        for answer in (
            requests.get(f"{base}/get-artifact", params={"path": "secret.txt", "run_id": own.run}, timeout=30),
            requests.get(f"{base}{TWIN}/mlflow-artifacts/artifacts", params={"path": own.root}, timeout=30),
            requests.get(f"{base}{API}/mlflow-artifacts/artifacts", timeout=30),
            requests.put(f"{base}{TWIN}/mlflow-artifacts/artifacts/{own.root}/x.txt", data=b"x", timeout=30),
            requests.post(f"{base}{API}/mlflow/runs/log-inputs", json={"run_id": own.run, "datasets": []}, timeout=30),
        ):
            assert (answer.status_code, answer.json()["error_code"]) == (401, "UNAUTHENTICATED"), answer.url


W3_ROUTES = [
    ("GET", "/get-artifact?path=secret.txt&run_id={run}"),
    ("GET", "/get-artifact?path=secret.txt&run_uuid={run}"),
    ("GET", "/model-versions/get-artifact?path=MLmodel&name=m&version=1"),
    ("POST", "/ajax-api/2.0/mlflow/upload-artifact?run_uuid={run}&path=x.txt"),
    ("POST", "{api}/mlflow/runs/log-inputs"),
    ("POST", "{api}/mlflow/runs/outputs"),
    ("GET", "/ajax-api/2.0/mlflow/metrics/get-history-bulk?run_id={run}&metric_key=loss"),
    ("GET", "{api}/mlflow/metrics/get-history-bulk-interval?run_ids={run}&metric_key=loss"),
    ("POST", "/ajax-api/2.0/mlflow/experiments/search-datasets"),
    ("GET", "{api}/mlflow/artifacts/list?run_id={run}"),
    ("GET", "{api}/mlflow-artifacts/artifacts?path={root}"),
    ("POST", "{api}/mlflow-artifacts/mpu/create/{root}/x.bin"),
    ("POST", "{api}/mlflow-artifacts/mpu/complete/{root}/x.bin"),
    ("POST", "{api}/mlflow-artifacts/mpu/abort/{root}/x.bin"),
    ("GET", "{api}/mlflow/traces?experiment_ids={experiment}"),
    ("POST", "{api}/mlflow/traces"),
    ("POST", "{api}/mlflow/traces/delete-traces"),
    ("POST", "/ajax-api/2.0/mlflow/runs/create-promptlab-run"),
    ("POST", "/graphql"),
]


@pytest.mark.parametrize(("method", "path"), W3_ROUTES, ids=[f"{m} {p.split('?')[0]}" for m, p in W3_ROUTES])
def test_w03_no_route_lacks_a_check(perigee, own, foreign, method, path):
    """The routes that had no check: nobody gets 401, and foreign things stay foreign, in every view."""
    before = state_of(foreign)
    body = {
        "run_id": foreign.run,
        "run_uuid": foreign.run,
        "experiment_id": foreign.experiment,
        "experiment_ids": [foreign.experiment],
        "datasets": [{"dataset": {"name": "x", "digest": "1", "source_type": "s", "source": "s"}}],
        "models": [{"model_id": "m-" + "0" * 32}],
        "path": "x.bin",
        "num_parts": 1,
        "max_timestamp_millis": 1,
        "query": "query GetRun($data: MlflowGetRunInput!) { mlflowGetRun(input: $data) { run { info { runUuid } } } }",
        "operationName": "GetRun",
        "variables": {"data": {"runId": foreign.run}},
    }
    for base in both_views(perigee, own, foreign):
        for prefix in (API, TWIN):
            url = base + path.format(api=prefix, run=foreign.run, root=foreign.root, experiment=foreign.experiment)
            answer = requests.request(method, url, json=body if method == "POST" else None, headers=DEVELOPER, timeout=30)
            assert answer.status_code in (400, 404, 405, 501) or answer.json() in ({}, {"metrics": []}), f"{url}: {answer.status_code} {answer.text[:200]}"
            assert "of lab/secret-model" not in answer.text
            nobody = requests.request(method, url, json=body if method == "POST" else None, timeout=30)
            assert nobody.status_code in (401, 404), f"{url}: {nobody.status_code}"
    assert state_of(foreign) == before


@pytest.mark.parametrize(
    ("path", "fields"),
    [
        ("runs/log-metric", {"key": "stolen", "value": 1.5, "timestamp": 1}),
        ("runs/log-parameter", {"key": "stolen", "value": "1"}),
        ("runs/set-tag", {"key": "stolen", "value": "1"}),
        ("runs/update", {"status": "KILLED"}),
        ("runs/log-batch", {"tags": [{"key": "stolen", "value": "1"}]}),
        ("runs/delete", {}),
    ],
)
def test_w04_the_run_that_is_checked_is_the_run_that_is_written(perigee, own, foreign, path, fields):
    """Two names for the run in one body cannot aim a permitted call at somebody else's run."""
    before = state_of(foreign)
    for base in (own.view, perigee.global_view):
        for body in (
            {"run_uuid": own.run, "runId": foreign.run},
            {"run_id": own.run, "runId": foreign.run},
            {"runUuid": own.run, "run_id": foreign.run},
            {"run_uuid": own.run, "run_id": foreign.run},
        ):
            answer = requests.post(f"{base}{API}/mlflow/{path}", json={**body, **fields}, headers=DEVELOPER, timeout=30)
            assert answer.status_code in (400, 404), f"{body}: {answer.status_code} {answer.text}"
    assert state_of(foreign) == before


def test_w08_a_duplicate_is_said_to_be_one(perigee, own):
    """A second create is RESOURCE_ALREADY_EXISTS, on which clients rely, and shows nothing of the storage."""
    for base, name in ((own.view, own.experiment_name), (perigee.global_view, f"{own.experiment_name} (1)")):
        refused = post(base, "experiments/create", {"name": name}, DEVELOPER, status=400)
        assert refused["error_code"] == "RESOURCE_ALREADY_EXISTS"
        for word in ("SQL", "sqlite", "INSERT", "Dynamo", "Conditional", "Transaction"):
            assert word.lower() not in refused["message"].lower()


def test_w10_every_request_stands_for_itself(own):
    """A session that was let in once lets nobody else in: there is no cookie, and a bad token is refused at once."""
    with requests.Session() as session:
        url, query = f"{own.view}{API}/mlflow/runs/get", {"run_id": own.run}
        good = session.get(url, params=query, headers=DEVELOPER, timeout=30)
        assert good.status_code == 200
        assert "Set-Cookie" not in good.headers
        assert session.get(url, params=query, headers=bearer("garbage"), timeout=30).status_code == 401
        assert session.get(url, params=query, timeout=30).status_code == 401
        assert session.get(url, params=query, headers=OUTSIDER, timeout=30).status_code == 404
        assert session.get(url, params=query, headers=DEVELOPER, timeout=30).status_code == 200


def test_w13_a_read_only_token_does_not_write(perigee, own):
    """The scope of a token counts, not only the role of its owner."""
    for base in (own.view, perigee.global_view):
        get(base, "runs/get", {"run_id": own.run}, READ_ONLY_DEVELOPER)
        refused = post(base, "runs/set-tag", {"run_id": own.run, "key": "k", "value": "v"}, READ_ONLY_DEVELOPER, status=403)
        assert refused["error_code"] == "PERMISSION_DENIED"
        put = requests.put(f"{base}{API}/mlflow-artifacts/artifacts/{own.root}/ro.txt", data=b"x", headers=READ_ONLY_DEVELOPER, timeout=30)
        assert (put.status_code, put.json()["error_code"]) == (403, "PERMISSION_DENIED")


@pytest.mark.parametrize("body", [{}, {"name": None}, {"name": ""}, {"tags": []}, {"name": 7}])
def test_w16_a_missing_name_is_a_clients_mistake(perigee, body):
    """No 500, which clients would repeat for minutes."""
    for base in (perigee.project_view(), perigee.global_view):
        assert post(base, "experiments/create", body, DEVELOPER, status=400)["error_code"] == "INVALID_PARAMETER_VALUE"
        for path in ("experiments/update", "experiments/delete", "runs/create", "runs/log-batch", "runs/delete-tag"):
            assert post(base, path, {}, DEVELOPER, status=400)["error_code"] == "INVALID_PARAMETER_VALUE"


@pytest.fixture
def listener():
    """A web server that nobody should ever call, and what it was asked."""
    asked = []

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            asked.append(self.path)
            self.send_response(200)
            self.end_headers()

        do_PUT = do_HEAD = do_DELETE = do_POST = do_GET

        def log_message(self, *args):
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}", asked
    server.shutdown()
    server.server_close()


def test_w17_a_clients_artifact_location_is_never_followed(perigee, own, foreign, listener):
    """Such a place is stored at most; our functions touch neither it nor anything of another project through it."""
    url, asked = listener
    locations = ["s3://somebody/elsewhere", "file:///etc", "/etc", "../../../etc", url, f"{url}/a", f"mlflow-artifacts://{url[7:]}/1"]
    locations += [f"mlflow-artifacts:/{foreign.experiment}", f"mlflow-artifacts:/{foreign.root}", "mlflow-artifacts:/"]
    before = state_of(foreign)
    for location in locations:
        body = {"name": f"elsewhere {uuid.uuid4().hex}", "artifact_location": location}
        made = requests.post(f"{own.view}{API}/mlflow/experiments/create", json=body, headers=DEVELOPER, timeout=30)
        if made.status_code == 400:
            continue
        assert made.status_code == 200, f"{location}: {made.text}"
        assert not location.startswith("mlflow-artifacts:/"), f"{location} is not this experiment's own"
        experiment = made.json()["experiment_id"]
        run = post(own.view, "runs/create", {"experiment_id": experiment, "start_time": 1}, DEVELOPER)["run"]["info"]["run_id"]
        for answer in (
            requests.get(f"{own.view}{API}/mlflow/artifacts/list", params={"run_id": run}, headers=DEVELOPER, timeout=30),
            requests.get(f"{own.view}/get-artifact", params={"run_id": run, "path": "passwd"}, headers=DEVELOPER, timeout=30),
            requests.get(f"{own.view}/get-artifact", params={"run_id": run, "path": "secret.txt"}, headers=DEVELOPER, timeout=30),
        ):
            assert (answer.status_code, answer.json()["error_code"]) == (400, "INVALID_PARAMETER_VALUE"), f"{location}: {answer.status_code} {answer.text}"
    assert asked == []
    assert state_of(foreign) == before


def test_w18_head_tells_a_stranger_nothing(perigee, own, foreign):
    """HEAD is checked as GET is: for a stranger, a file that is there and one that is not look the same."""
    for base in both_views(perigee, own, foreign):
        for prefix in (API, TWIN):
            files = f"{base}{prefix}/mlflow-artifacts/artifacts/{foreign.root}"
            answers = [requests.head(f"{files}/{name}", headers=DEVELOPER, timeout=30) for name in ("secret.txt", "nosuch.txt")]
            assert [answer.status_code for answer in answers] == [404, 404]
            plain = [{k: v for k, v in answer.headers.items() if k.lower() not in ("date", "x-request-id")} for answer in answers]
            assert plain[0] == plain[1]
            assert requests.head(f"{files}/secret.txt", timeout=30).status_code == 401


def test_a_guest_of_one_project_is_nobody_in_another(perigee, foreign):
    for path, query in (("runs/get", {"run_id": foreign.run}), ("experiments/get", {"experiment_id": foreign.experiment})):
        for base in (foreign.view, perigee.global_view):
            get(base, path, query, GUEST, status=404)


def test_things_of_one_project_are_not_moved_into_another(perigee, own):
    """A `project` tag of the client's own making changes nothing: ownership is no tag."""
    mine = make_things(perigee, PROJECT, DEVELOPER, f"stays {uuid.uuid4().hex[:8]}")
    requests.post(
        f"{perigee.global_view}{API}/mlflow/experiments/set-experiment-tag",
        json={"experiment_id": mine.experiment, "key": "project", "value": "lab/secret-model"},
        headers=DEVELOPER,
        timeout=30,
    )
    get(perigee.global_view, "experiments/get", {"experiment_id": mine.experiment}, OUTSIDER, status=404)
    stored = get(perigee.global_view, "experiments/get", {"experiment_id": mine.experiment}, DEVELOPER)["experiment"]
    assert {"key": "project", "value": PROJECT} in stored["tags"]
