"""Runs a function's binary once on a recorded event, in a hub of its own: by `sam local invoke` where Docker is, else by Lambda's runtime interface emulator.

Usage: invoke.py [--functions DIR] EVENT...   with the names of files in events/
Both programs come with `sam`, which is found beside the Python of `--tools`.
"""

from __future__ import annotations

import argparse
import contextlib
import ipaddress
import json
import os
import pathlib
import socket
import socketserver
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.append(str(ROOT / "tests/clients"))

import requests  # noqa: E402
from samtranslator.yaml_helper import yaml_parse  # noqa: E402
from servers import free_port, run_perigee, token  # noqa: E402

# The folders of the functions that the events are of.
FUNCTIONS = {
    "api-docs": "api-docs",
    "artifacts": "mlflow-artifacts",
    "download": "file-download",
    "project": "mlflow-project",
    "registry": "mlflow-registry",
    "stac": "stac-catalog",
    "tracking": "mlflow-tracking",
    "webhook": "catalog-sync",
}
# The run that the recorded events speak of.
RUN = "4bd17e95ae5f4bb0b3a9c0c4c7b6a1f2"


@contextlib.contextmanager
def settings(experiment_name: str) -> Iterator[tuple[dict[str, str], str]]:
    """Variables of a function on the services of a new hub, and the id of a run in its first experiment."""
    ports = [free_port() for _ in range(3)]
    with run_perigee("--emulator-ports", ",".join(str(port) for port in ports)) as hub:
        api, headers = f"{hub.project_view()}/api/2.0/mlflow", {"Authorization": f"Bearer {token('developer')}"}

        def post(path: str, body: dict) -> dict:
            return requests.post(f"{api}/{path}", json=body, headers=headers, timeout=30).json()

        experiment = post("experiments/create", {"name": experiment_name})["experiment_id"]
        run = post("runs/create", {"experiment_id": experiment})["run"]["info"]["run_id"]
        yield {
            "AWS_ENDPOINT_URL_DYNAMODB": f"http://127.0.0.1:{ports[0]}",
            "AWS_ENDPOINT_URL_S3": f"http://127.0.0.1:{ports[1]}",
            "AWS_ACCESS_KEY_ID": "perigee-local",
            "AWS_SECRET_ACCESS_KEY": "perigee-local-secret",
            "AWS_REGION": "us-east-1",
            "PERIGEE_TABLE": "perigee",
            "PERIGEE_BUCKET": "perigee-artifacts",
            "PERIGEE_GITLAB_URL": f"http://127.0.0.1:{ports[2]}",
            "PERIGEE_PUBLIC_URL": "https://hub.example.com",
            "PERIGEE_TOKEN_KEY": "a key for trying events",
            "PERIGEE_SYNC_TOKEN": "glpat-local-catalog",
            "PERIGEE_WEBHOOK_SECRET": "a webhook secret of the tests",
        }, run


def by_emulator(emulator: pathlib.Path, bootstrap: pathlib.Path, variables: dict[str, str], event: bytes) -> dict:
    """The answer of a bootstrap under the runtime interface emulator."""
    port, runtime = free_port(), free_port()
    # Without both addresses it would listen on every interface.
    command = [emulator, "--runtime-interface-emulator-address", f"127.0.0.1:{port}"]
    command += ["--runtime-api-address", f"127.0.0.1:{runtime}", bootstrap]
    with tempfile.TemporaryFile() as log:
        process = subprocess.Popen(command, env=variables | {"PATH": os.environ["PATH"]}, stdout=log, stderr=log)
        try:
            deadline = time.monotonic() + 30
            while process.poll() is None and time.monotonic() < deadline:
                with contextlib.suppress(requests.ConnectionError):
                    url = f"http://127.0.0.1:{port}/2015-03-31/functions/function/invocations"
                    return requests.post(url, event, timeout=30).json()
                time.sleep(0.1)
            log.seek(0)
            raise RuntimeError(f"{emulator} did not answer:\n{log.read().decode(errors='replace')}")
        finally:
            process.terminate()
            process.wait()


class Relay(socketserver.ThreadingTCPServer):
    """Passes what connects to it on to the same port of the loopback address."""

    daemon_threads = True

    def finish_request(self, request: socket.socket, client_address: object) -> None:
        def copy(source: socket.socket, target: socket.socket) -> None:
            with contextlib.suppress(OSError):
                while data := source.recv(65536):
                    target.sendall(data)
                target.shutdown(socket.SHUT_WR)

        with socket.create_connection(("127.0.0.1", self.server_address[1])) as service:
            back = threading.Thread(target=copy, args=(service, request), daemon=True)
            back.start()
            copy(request, service)
            back.join()


@contextlib.contextmanager
def seen_from_containers(variables: dict[str, str]) -> Iterator[dict[str, str]]:
    """The variables with the hub's services where containers reach them.

    `sam local invoke` puts no container on the host's network: it takes `--docker-network host` for the default one.
    So the bridge's address is relayed, if it is this machine's; Docker Desktop has a name that leads to the loopback address.
    """
    inspect = ["docker", "network", "inspect", "bridge", "--format", "{{json (index .IPAM.Config 0)}}"]
    bridge = json.loads(subprocess.run(inspect, stdout=subprocess.PIPE, check=True).stdout)
    # Docker 20.10 does not tell a gateway that it chose itself, the first address.
    host = bridge.get("Gateway") or str(next(ipaddress.ip_network(bridge["Subnet"]).hosts()))
    local = "http://127.0.0.1:"
    with contextlib.ExitStack() as relays:
        try:
            for port in {int(value.removeprefix(local)) for value in variables.values() if value.startswith(local)}:
                relay = relays.enter_context(Relay((host, port), None))
                threading.Thread(target=relay.serve_forever, daemon=True).start()
                relays.callback(relay.shutdown)
        except OSError:
            host = "host.docker.internal"
        yield {name: value.replace(local, f"http://{host}:") for name, value in variables.items()}


def by_sam(sam: pathlib.Path, function: str, code: pathlib.Path, variables: dict[str, str], event: bytes) -> dict:
    """The answer of a function of the template in a container."""
    template = yaml_parse((ROOT / "template.yaml").read_text())
    name = "".join(word.capitalize() for word in function.split("-"))
    properties = template["Resources"][name]["Properties"]
    properties |= {"CodeUri": str(code), "Environment": {"Variables": variables}, "Layers": []}
    # What is left of the globals would ask for resources that are not there.
    template["Globals"]["Function"].pop("Environment", None)
    with tempfile.TemporaryDirectory(prefix="perigee-invoke-") as folder:
        derived, recorded = pathlib.Path(folder, "template.json"), pathlib.Path(folder, "event.json")
        derived.write_text(json.dumps(template))
        recorded.write_bytes(event)
        command = [sam, "local", "invoke", name, "--template", derived, "--event", recorded]
        # It prefers the caller's variables to the template's, and hands the caller's session with AWS on.
        environment = {key: value for key, value in os.environ.items() if not key.startswith("AWS_")} | variables
        done = subprocess.run(command, env=environment | {"SAM_CLI_TELEMETRY": "0"}, stdout=subprocess.PIPE, text=True, check=True)
    # It succeeds, too, when the function does not answer.
    if not done.stdout.strip():
        raise RuntimeError(f"{name} did not answer")
    return json.loads(done.stdout.strip().splitlines()[-1])


def has_docker() -> bool:
    with contextlib.suppress(OSError):
        return subprocess.run(["docker", "info"], capture_output=True).returncode == 0
    return False


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--functions", type=pathlib.Path, default=ROOT / "target/lambda", metavar="DIR", help="of NAME/bootstrap")
    parser.add_argument("--tools", type=pathlib.Path, default=ROOT / ".venv-tools", metavar="VENV", help="that has sam")
    parser.add_argument("events", nargs="+", choices=sorted(FUNCTIONS), metavar="EVENT", help=", ".join(sorted(FUNCTIONS)))
    arguments = parser.parse_args()
    emulator = next(iter(arguments.tools.resolve().glob("lib/python*/site-packages/samcli/local/rapid/aws-lambda-rie-x86_64")))
    docker = has_docker()
    failed = False
    for name in arguments.events:
        function = FUNCTIONS[name]
        code = (arguments.functions / function).resolve()
        # The event of `project` looks for what that of `tracking` creates.
        with settings("night floods" if name == "project" else "floods by day") as (variables, run):
            event = (ROOT / f"events/{name}.json").read_text().replace(RUN, run).encode()
            if docker:
                with seen_from_containers(variables) as seen:
                    answer = by_sam(arguments.tools.resolve() / "bin/sam", function, code, seen, event)
            else:
                answer = by_emulator(emulator, code / "bootstrap", variables, event)
        body = " ".join(str(answer.get("body")).split())
        print(f"{name}: {answer.get('statusCode')} {body[:200]}")
        failed |= answer.get("statusCode") != 200
    sys.exit(failed)


if __name__ == "__main__":
    main()
