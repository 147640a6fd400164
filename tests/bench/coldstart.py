"""What a cold start of each function costs: from exec to its first `next`, and its first request.

Every bootstrap runs alone on loopback, against the embedded DynamoDB, S3 and GitLab stand-in behind TLS. Its first
request is the first of the day: nobody has asked GitLab about the caller yet, and no webhook is a repetition. CPU time
is that of the process with all its threads; memory is the most that was resident.
Usage: coldstart.py [--functions DIR] [--runs 20] [--json FILE] [NAME...]
"""

from __future__ import annotations

import argparse
import contextlib
import io
import json
import os
import pathlib
import platform
import statistics
import sys
import tempfile
import uuid
import zipfile

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path += [str(ROOT / "tests/clients"), str(ROOT / "tests/deploy")]

import requests  # noqa: E402
import runtime_api  # noqa: E402
import secrets_extension  # noqa: E402
import tls  # noqa: E402
from servers import free_port, perigee_binary, run_perigee, token  # noqa: E402

DEVELOPER = token("developer")
# Milliseconds of CPU time until the first `next`, milliseconds more for the first request, MB of the package, MB of memory.
TARGETS = {"init": 10, "first": 10, "zip": 6, "rss": 30}
# Its index of the whole catalog is in memory.
ROOMY = {"stac-catalog"}


class Vault:
    """Secrets by the ARN that the functions know; read as they are read from Secrets Manager."""

    held = {
        "PERIGEE_TOKEN_KEY_ARN": "",
        "PERIGEE_SYNC_TOKEN_ARN": "glpat-local-catalog",
        "PERIGEE_WEBHOOK_SECRET_ARN": "a webhook secret of the measurement",
    }

    @staticmethod
    def arn(setting: str) -> str:
        return f"arn:aws:secretsmanager:us-east-1:123456789012:secret:{setting}-AbCdEf"

    def get_secret_value(self, SecretId: str) -> dict:  # noqa: N803
        name = next(name for name in self.held if self.arn(name) == SecretId)
        return {"ARN": SecretId, "Name": name, "VersionId": "1", "SecretString": self.held[name]}


def first_requests(experiment: str) -> dict[str, dict]:
    """For each function, a request that needs DynamoDB and the secrets; the documentation's needs nothing."""
    flood, api = "/mlflow/earth/flood-model/tracking", "/mlflow/api/2.0/mlflow"
    webhook = runtime_api.recorded(ROOT / "events/webhook.json")
    webhook["headers"]["x-gitlab-token"] = Vault.held["PERIGEE_WEBHOOK_SECRET_ARN"]
    return {
        "api-docs": runtime_api.request("/openapi.json", ""),
        "catalog-sync": webhook,
        "file-download": runtime_api.request("/api/check/earth/flood-model", DEVELOPER),
        "mlflow-artifacts": runtime_api.request(f"{api}-artifacts/artifacts", DEVELOPER, f"path={experiment}"),
        "mlflow-project": runtime_api.request(f"{flood}/api/2.0/mlflow/experiments/get", DEVELOPER, f"experiment_id={experiment}"),
        "mlflow-registry": runtime_api.request(f"{api}/registered-models/get", DEVELOPER, "name=floods%20%281%29"),
        "mlflow-tracking": runtime_api.request(f"{api}/experiments/get", DEVELOPER, f"experiment_id={experiment}"),
        "stac-catalog": runtime_api.request("/api/stac/search", DEVELOPER, "limit=1"),
    }


@contextlib.contextmanager
def services(folder: pathlib.Path):
    """Environment of the functions, and the events that they are asked."""
    ports = [free_port() for _ in range(3)]
    with run_perigee("--emulator-ports", ",".join(str(port) for port in ports)) as hub:
        api, headers = f"{hub.project_view()}/api/2.0/mlflow", {"Authorization": f"Bearer {DEVELOPER}"}

        def post(path: str, body: dict) -> dict:
            answer = requests.post(f"{api}/{path}", json=body, headers=headers, timeout=30)
            answer.raise_for_status()
            return answer.json()

        experiment = post("experiments/create", {"name": "measured"})["experiment_id"]
        post("registered-models/create", {"name": "floods"})
        names = ["AWS_ENDPOINT_URL_DYNAMODB", "AWS_ENDPOINT_URL_S3", "PERIGEE_GITLAB_URL"]
        tls.make_certificates(folder)
        plain = {name: f"http://127.0.0.1:{port}" for name, port in zip(names, ports, strict=True)}
        port = free_port()
        with tls.terminated(folder, plain) as urls, secrets_extension.serve(port, Vault(), "a session"):
            settings = {
                "SSL_CERT_FILE": str(tls.trusting(folder)),
                "AWS_ACCESS_KEY_ID": "perigee-local",
                "AWS_SECRET_ACCESS_KEY": "perigee-local-secret",
                "AWS_SESSION_TOKEN": "a session",
                "AWS_REGION": "us-east-1",
                "PARAMETERS_SECRETS_EXTENSION_HTTP_PORT": str(port),
                "PERIGEE_TABLE": "perigee",
                "PERIGEE_BUCKET": "perigee-artifacts",
                "PERIGEE_PUBLIC_URL": "https://hub.example.com",
                "PERIGEE_ANONYMOUS": "true",
            }
            yield urls | settings | {name: Vault.arn(name) for name in Vault.held}, first_requests(experiment)


def never_asked(event: dict) -> dict:
    """The event as nobody asked it before, in a hub that knows nobody: what the table remembers of callers is under another key."""
    Vault.held["PERIGEE_TOKEN_KEY_ARN"] = f"a key of one run: {uuid.uuid4()}"
    own = {"idempotency-key": str(uuid.uuid4())} if "idempotency-key" in event["headers"] else {}
    return event | {"headers": event["headers"] | own}


def once(bootstrap: pathlib.Path, environment: dict[str, str], event: dict) -> dict[str, float]:
    """One cold start: milliseconds and MB."""
    instance = runtime_api.Instance(bootstrap, environment)
    try:
        init = instance.ready()
        answer, first = instance.invoke(event)
        if answer["statusCode"] != 200 or " WARN" in instance.log() or '"level":"WARN"' in instance.log():
            raise RuntimeError(f"{bootstrap.parent.name}: {answer}\n{instance.log()}")
        return {
            "init": init.cpu * 1000,
            "init wall": init.wall * 1000,
            "first": (first.cpu - init.cpu) * 1000,
            "first wall": (first.wall - init.wall) * 1000,
            "rss": first.peak / 1e6,
        }
    finally:
        instance.close()


def package(bootstrap: pathlib.Path) -> float:
    """MB of the zip that is deployed."""
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
        archive.write(bootstrap, "bootstrap")
    return len(made.getvalue()) / 1e6


def table(measured: dict[str, dict]) -> str:
    """Medians, and the worst of all runs behind them."""
    columns = ["init", "init wall", "first", "first wall", "rss", "zip"]
    lines = ["| function | init, CPU ms | init, ms | first request, CPU ms | first request, ms | memory, MB | zip, MB |"]
    lines.append("|---|---|---|---|---|---|---|")
    for name, values in measured.items():
        cells = []
        for column in columns:
            found = values[column]
            missed = column in TARGETS and found[0] > TARGETS[column] and not (column == "rss" and name in ROOMY)
            cells.append(f"{found[0]:.1f} ({found[1]:.1f}){' **' if missed else ''}" if column != "zip" else f"{found[0]:.2f}{' **' if missed else ''}")
        lines.append(f"| {name} | {' | '.join(cells)} |")
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--functions", type=pathlib.Path, default=ROOT / "target/lambda", metavar="DIR", help="of NAME/bootstrap")
    parser.add_argument("--runs", type=int, default=20)
    parser.add_argument("--json", type=pathlib.Path, metavar="FILE", help="writes all runs there")
    parser.add_argument("names", nargs="*", metavar="NAME", help="functions; all of them if none is named")
    arguments = parser.parse_args()
    if not perigee_binary().exists():
        sys.exit(f"{perigee_binary()} is missing: `cargo build` makes it")
    measured, raw = {}, {}
    with tempfile.TemporaryDirectory(prefix="perigee-coldstart-") as folder, services(pathlib.Path(folder)) as (environment, events):
        for name in arguments.names or sorted(events):
            bootstrap = arguments.functions / name / "bootstrap"
            runs = []
            # The first one warms the caches of the disk.
            for number in range(arguments.runs + 1):
                if sys.stderr.isatty():
                    print(f"\r{name}: {number} of {arguments.runs}   ", end="", file=sys.stderr, flush=True)
                runs.append(once(bootstrap, environment, never_asked(events[name])))
            runs = raw[name] = runs[1:]
            measured[name] = {column: (statistics.median(values := [run[column] for run in runs]), max(values)) for column in runs[0]}
            measured[name]["zip"] = (package(bootstrap),)
            print(f"\r{name}: {arguments.runs} cold starts", file=sys.stderr)
    processor = next((line.split(":")[1].strip() for line in pathlib.Path("/proc/cpuinfo").read_text().splitlines() if "model name" in line), "")
    print(f"{arguments.runs} runs, median (worst); {processor or platform.machine()}, {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}; ** misses its target")
    print(table(measured))
    if arguments.json:
        arguments.json.write_text(json.dumps(raw, indent=1))


if __name__ == "__main__":
    main()
