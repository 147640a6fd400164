"""Fixtures of the deployment's tests: one stack for all of them, deleted at the end.

`PERIGEE_BUILT_DIR` names the folder that `sam build` has filled, `PERIGEE_LOCAL_BIN` the local hub, of which only the
GitLab stand-in is used. What the functions and MiniStack said is kept in `PERIGEE_CLOUD_LOG`, if that is set.
"""

import os
import pathlib
import shutil
import sys

import pytest

REPOSITORY = pathlib.Path(__file__).resolve().parents[2]
sys.path.append(str(REPOSITORY / "tests/clients"))
# SAM's transformation asks for the region.
os.environ["AWS_DEFAULT_REGION"] = "us-east-1"

import mlflow  # noqa: E402
from servers import run_gitlab, token  # noqa: E402

import stack as stacks  # noqa: E402

SYNC_TOKEN = "glpat-local-catalog"

WORLD = """
groups:
  - { path: coast, visibility: public }
projects:
  - id: 100
    path: coast/shoreline
    visibility: public
    topics: [sharinghub:aimodel, coast]
    description: Shorelines from Sentinel-2
memberships:
  - { account: developer, in: coast, role: developer }
"""


@pytest.fixture(scope="session")
def shoreline(tmp_path_factory) -> pathlib.Path:
    """The folder of the project `coast/shoreline`, whose files GitLab reads at each request."""
    folder = tmp_path_factory.mktemp("projects")
    (folder / "gitlab.yaml").write_text(WORLD)
    project = folder / "coast/shoreline"
    project.mkdir(parents=True)
    (project / "README.md").write_text("---\ntitle: Shorelines\n---\n\nWhere the sea ends.\n")
    (project / "weights.bin").write_bytes(bytes(range(256)) * 36_000)
    return project


@pytest.fixture(scope="session")
def stack(shoreline) -> stacks.Stack:
    """The deployed stack. When it is deleted its data must stay, and nothing else."""
    with run_gitlab("--projects", str(shoreline.parents[1])) as gitlab, stacks.run_cloud() as cloud:
        try:
            stack = stacks.deploy(cloud, gitlab, SYNC_TOKEN)
            yield stack
            stacks.delete(stack)
            functions = cloud.client("lambda").list_functions()["Functions"]
            assert not functions, f"left after the stack was deleted: {functions}"
            for name, service, question in [
                ("Table", "dynamodb", lambda client, id: client.describe_table(TableName=id)),
                ("Bucket", "s3", lambda client, id: client.head_bucket(Bucket=id)),
            ]:
                # Raises if it is gone.
                question(cloud.client(service), stack.resources[name])
        finally:
            if target := os.environ.get("PERIGEE_CLOUD_LOG"):
                shutil.copy(cloud.folder / "log", target)


@pytest.fixture
def client(stack, monkeypatch) -> mlflow.MlflowClient:
    """The stock client, set up as a user does: a tracking URI and a token in the environment."""
    return use(f"{stack.root}/mlflow/earth/flood-model/tracking", monkeypatch)


@pytest.fixture
def global_client(stack, monkeypatch) -> mlflow.MlflowClient:
    """The same, on the view of all projects."""
    return use(f"{stack.root}/mlflow", monkeypatch)


def use(uri: str, monkeypatch) -> mlflow.MlflowClient:
    monkeypatch.setenv("MLFLOW_TRACKING_TOKEN", token("developer"))
    monkeypatch.setenv("MLFLOW_MULTIPART_UPLOAD_MINIMUM_FILE_SIZE", "4000000")
    # A failure is seen at once, not after seven attempts.
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "1")
    mlflow.set_tracking_uri(uri)
    mlflow.set_registry_uri(uri)
    return mlflow.MlflowClient()
