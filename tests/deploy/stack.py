"""A stack of Perigee in MiniStack, an imitation of AWS that runs the functions' real binaries as processes."""

from __future__ import annotations

import contextlib
import io
import json
import os
import pathlib
import signal
import subprocess
import sys
import tempfile
import time
import urllib.request
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass

import boto3

import cloudformation
import secrets_extension
from servers import free_port

# Where `sam build` has put the template and the functions.
BUILT = pathlib.Path(os.environ.get("PERIGEE_BUILT_DIR") or pathlib.Path(__file__).resolve().parents[2] / "target/sam")
REGION = "us-east-1"
NAME = "perigee-trial"
CODE_BUCKET = "code"
SYNC_TOKEN = "perigee/sync-token"
CREDENTIALS = {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test", "AWS_DEFAULT_REGION": REGION}
# Part of the credentials that functions get, as in Lambda.
SESSION_TOKEN = "a session of the tests"


@dataclass(frozen=True)
class Cloud:
    """A running MiniStack. Everything that it writes is in `folder`; what it says, in `folder/log`."""

    url: str
    folder: pathlib.Path
    pid: int

    def client(self, service: str):
        """A client of one of AWS's services."""
        return boto3.client(
            service,
            endpoint_url=self.url,
            region_name=REGION,
            aws_access_key_id=CREDENTIALS["AWS_ACCESS_KEY_ID"],
            aws_secret_access_key=CREDENTIALS["AWS_SECRET_ACCESS_KEY"],
        )

    def log(self) -> str:
        return (self.folder / "log").read_text(errors="replace")

    def processes(self) -> list[int]:
        """Processes that run from `folder`: the functions' instances."""
        found = []
        for link in pathlib.Path("/proc").glob("[0-9]*/exe"):
            with contextlib.suppress(OSError):
                if pathlib.Path(os.readlink(link)).is_relative_to(self.folder):
                    found.append(int(link.parent.name))
        return found


@contextlib.contextmanager
def run_cloud() -> Iterator[Cloud]:
    """MiniStack on a free port of loopback."""
    port, secrets = free_port(), free_port()
    url = f"http://127.0.0.1:{port}"
    plain = {k: v for k, v in os.environ.items() if not k.startswith(("AWS_", "PERIGEE_", "MLFLOW_", "MINISTACK_"))}
    with tempfile.TemporaryDirectory(prefix="perigee-cloud-") as name:
        folder = pathlib.Path(name).resolve()
        environment = plain | CREDENTIALS | {
            "BIND_HOST": "127.0.0.1",
            "GATEWAY_PORT": str(port),
            "MINISTACK_HOST": "127.0.0.1",
            "MINISTACK_REGION": REGION,
            "AWS_ENDPOINT_URL": url,
            "AWS_SESSION_TOKEN": SESSION_TOKEN,
            "LAMBDA_EXECUTOR": "local",
            "IOT_MTLS_ENABLED": "0",
            "SFTP_ENABLED": "0",
            # Functions inherit it.
            "PARAMETERS_SECRETS_EXTENSION_HTTP_PORT": str(secrets),
            "TMPDIR": name,
        }
        with (folder / "log").open("wb") as output:
            process = subprocess.Popen(
                [sys.executable, "-m", "ministack"], env=environment, stdout=output, stderr=subprocess.STDOUT, cwd=folder
            )
        cloud = Cloud(url, folder, process.pid)
        try:
            _wait_until_it_answers(process, cloud)
            with secrets_extension.serve(secrets, cloud.client("secretsmanager"), SESSION_TOKEN):
                yield cloud
        finally:
            process.terminate()
            try:
                process.wait(timeout=20)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
            # Instances end when nobody has events for them any more.
            deadline = time.monotonic() + 10
            while (left := cloud.processes()) and time.monotonic() < deadline:
                time.sleep(0.1)
            for pid in left:
                os.kill(pid, signal.SIGKILL)
        assert not left, f"instances outlived MiniStack: {left}"


def _wait_until_it_answers(process: subprocess.Popen, cloud: Cloud) -> None:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline and process.poll() is None:
        with contextlib.suppress(OSError), urllib.request.urlopen(f"{cloud.url}/_ministack/health", timeout=2):
            return
        time.sleep(0.1)
    raise RuntimeError(f"MiniStack did not start:\n{cloud.log()[-4000:]}")


@dataclass(frozen=True)
class Stack:
    """A deployed stack: its outputs, its physical names by logical id, and where its gateway listens."""

    cloud: Cloud
    outputs: dict[str, str]
    resources: dict[str, str]

    @property
    def root(self) -> str:
        return gateway(self.cloud, self.resources)

    def invoke(self, function: str, event: dict) -> dict:
        """What a function answers to an event, by the function's logical id; a failure is an error."""
        answer = self.cloud.client("lambda").invoke(FunctionName=self.resources[function], Payload=json.dumps(event))
        payload = answer["Payload"].read().decode()
        assert not answer.get("FunctionError"), f"{function}: {payload}"
        return json.loads(payload)


def gateway(cloud: Cloud, resources: dict[str, str]) -> str:
    """The gateway's root. By path: at the API's own host MiniStack answers `/health` itself."""
    return f"{cloud.url}/_aws/execute-api/{resources['HttpApi']}/$default"


def package(folder: pathlib.Path) -> bytes:
    """A function's package. Compressed a little: it goes no further than loopback."""
    archived = io.BytesIO()
    with zipfile.ZipFile(archived, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        for path in folder.iterdir():
            archive.write(path, path.name)
    return archived.getvalue()


def deploy(cloud: Cloud, gitlab: str, sync_token: str) -> Stack:
    """Deploys what `sam build` made as a person does: packages it, creates the stack, then tells it its own URL."""
    s3 = cloud.client("s3")
    s3.create_bucket(Bucket=CODE_BUCKET)

    def upload(folder: str) -> str:
        s3.put_object(Bucket=CODE_BUCKET, Key=f"{folder}.zip", Body=package(BUILT / folder))
        return f"s3://{CODE_BUCKET}/{folder}.zip"

    if not (BUILT / "template.yaml").exists():
        raise FileNotFoundError(f"{BUILT}/template.yaml is missing: `make deploy-test` makes it")
    packaged = cloudformation.packaged(cloudformation.read(BUILT / "template.yaml"), upload)
    made = cloudformation.cloudformation(packaged, REGION)
    s3.put_object(Bucket=CODE_BUCKET, Key="template.json", Body=json.dumps(made).encode())
    secret = cloud.client("secretsmanager").create_secret(Name=SYNC_TOKEN, SecretString=sync_token)
    parameters = {"GitLabUrl": gitlab, "SyncToken": secret["ARN"], "Anonymous": "true"}
    change(cloud, "create", parameters)
    stack = described(cloud)
    change(cloud, "update", parameters | {"PublicUrl": stack.root})
    return described(cloud)


def change(cloud: Cloud, verb: str, parameters: dict[str, str]) -> None:
    """Creates or updates the stack and waits; a failure says which resource failed."""
    client = cloud.client("cloudformation")
    getattr(client, f"{verb}_stack")(
        StackName=NAME,
        TemplateURL=f"{cloud.url}/{CODE_BUCKET}/template.json",
        Parameters=[{"ParameterKey": name, "ParameterValue": value} for name, value in parameters.items()],
        Capabilities=["CAPABILITY_IAM"],
    )
    try:
        client.get_waiter(f"stack_{verb}_complete").wait(StackName=NAME, WaiterConfig={"Delay": 1, "MaxAttempts": 60})
    except Exception as error:
        events = client.describe_stack_events(StackName=NAME)["StackEvents"]
        failed = [f"{one['LogicalResourceId']}: {one.get('ResourceStatusReason')}" for one in events if "FAILED" in one["ResourceStatus"]]
        raise AssertionError(f"the stack was not {verb}d: {error}\n" + "\n".join(failed)) from error


def described(cloud: Cloud) -> Stack:
    """The stack as CloudFormation knows it."""
    client = cloud.client("cloudformation")
    outputs = {one["OutputKey"]: one["OutputValue"] for one in client.describe_stacks(StackName=NAME)["Stacks"][0].get("Outputs", [])}
    pages = client.get_paginator("list_stack_resources").paginate(StackName=NAME)
    resources = {
        one["LogicalResourceId"]: one["PhysicalResourceId"]
        for page in pages
        for one in page["StackResourceSummaries"]
        if "PhysicalResourceId" in one
    }
    return Stack(cloud, outputs, resources)


def delete(stack: Stack) -> None:
    """Deletes the stack and waits until it is gone."""
    client = stack.cloud.client("cloudformation")
    client.delete_stack(StackName=NAME)
    client.get_waiter("stack_delete_complete").wait(StackName=NAME, WaiterConfig={"Delay": 1, "MaxAttempts": 60})
