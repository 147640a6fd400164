"""A GitLab stand-in for tests with python-gitlab, a client that knows nothing of it.

PERIGEE_LOCAL_BIN names the `local` program; without it target/debug/local of this repository is used.
"""
import os
import pathlib
import re
import subprocess

import pytest
import requests

# Only one of the two environments has it.
gitlab = pytest.importorskip("gitlab")

ROOT = pathlib.Path(__file__).resolve().parents[2]
BINARY = os.environ.get("PERIGEE_LOCAL_BIN", str(ROOT / "target/debug/local"))


@pytest.fixture(scope="module")
def url():
    """URL of a stand-in with the demo world."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "PERIGEE_"))}
    command = [BINARY, "--only-emulators", "--memory", "--emulator-ports", "0,0,0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=clean) as process:
        for line in process.stdout:
            if found := re.match(r"\s*gitlab\s+(http://\S+)", line):
                yield found[1]
                break
        else:
            pytest.fail(f"{BINARY} did not start")
        process.terminate()
        process.stdout.read()
        assert process.wait(timeout=10) == 0


def client(url, account=None, suffix="", **options):
    token = f"glpat-local-{account}{suffix}" if account else None
    return gitlab.Gitlab(url, private_token=token, retry_transient_errors=False, **options)


def graphql(url, account, query, **variables):
    headers = {"Authorization": f"Bearer glpat-local-{account}"} if account else {}
    body = {"query": query, "variables": variables}
    answer = requests.post(f"{url}/api/graphql", json=body, headers=headers, timeout=10)
    answer.raise_for_status()
    assert "errors" not in answer.json(), answer.text
    return answer.json()["data"]


def status(call, *args, **options):
    """The HTTP status with which a call fails, or 200."""
    try:
        call(*args, **options)
    except gitlab.GitlabError as error:
        return error.response_code
    return 200
