"""Starts and ends the two servers of these tests: Perigee's local hub and a stock `mlflow server`.

Each server listens on a free loopback port and is ended by its own process id.
"""

from __future__ import annotations

import contextlib
import os
import pathlib
import socket
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass

import requests

REPOSITORY = pathlib.Path(__file__).resolve().parents[2]

PROJECT = "earth/flood-model"
PUBLIC_PROJECT = "earth/land-cover"
FOREIGN_PROJECT = "lab/secret-model"

# The number that the stock server's first experiment gets, instead of 1. A big one can be told apart from
# every other number in an answer, so it can be replaced by a placeholder without guessing.
FIRST_STOCK_EXPERIMENT = 730_000_001


def token(account: str, read_only: bool = False) -> str:
    """The demo token of an account of the local hub."""
    return f"glpat-local-{account}{'-ro' if read_only else ''}"


@dataclass(frozen=True)
class Perigee:
    """A running hub. `root` is where its listener is; the MLflow APIs live below `/mlflow`."""

    root: str
    pid: int

    @property
    def global_view(self) -> str:
        return f"{self.root}/mlflow"

    def project_view(self, project: str = PROJECT) -> str:
        return f"{self.root}/mlflow/{project}/tracking"

    def peak_memory(self) -> int:
        """The most bytes that the process ever held in memory."""
        status = pathlib.Path(f"/proc/{self.pid}/status").read_text()
        return 1024 * next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmHWM:"))


@dataclass(frozen=True)
class Stock:
    """A running stock `mlflow server`."""

    root: str


def free_port() -> int:
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return sock.getsockname()[1]


def perigee_binary() -> pathlib.Path:
    """The hub's binary: `PERIGEE_LOCAL_BIN`, or the debug build of this checkout."""
    return pathlib.Path(os.environ.get("PERIGEE_LOCAL_BIN") or REPOSITORY / "target/debug/local")


def _wait_until_healthy(process: subprocess.Popen, url: str, seconds: float, log: pathlib.Path, status: int = 200) -> None:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if process.poll() is not None:
            break
        with contextlib.suppress(requests.RequestException):
            if requests.get(url, timeout=2).status_code == status:
                return
        time.sleep(0.05)
    raise RuntimeError(f"{url} did not become healthy (exit code {process.poll()}):\n{log.read_text()[-4000:]}")


@contextlib.contextmanager
def _running(command: list[str], environment: dict[str, str], health: str, seconds: float, log: pathlib.Path, status: int = 200) -> Iterator[int]:
    """Yields the process id."""
    with log.open("wb") as output:
        process = subprocess.Popen(command, stdout=output, stderr=subprocess.STDOUT, env=environment, cwd=log.parent)
    try:
        _wait_until_healthy(process, health, seconds, log, status)
        yield process.pid
    finally:
        process.terminate()
        try:
            process.wait(timeout=15)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _local(*arguments: str) -> list[str]:
    binary = perigee_binary()
    if not binary.exists():
        raise FileNotFoundError(f"{binary} is missing: build it with `cargo build -p local` or set PERIGEE_LOCAL_BIN")
    return [str(binary), *arguments]


def _plain_environment() -> dict[str, str]:
    return {k: v for k, v in os.environ.items() if not k.startswith(("AWS_", "PERIGEE_", "MLFLOW_"))}


@contextlib.contextmanager
def run_perigee(*arguments: str, environment: dict[str, str] | None = None) -> Iterator[Perigee]:
    """A hub of its own, with nothing in it but the demo data, with these variables in its environment."""
    root = f"http://127.0.0.1:{free_port()}"
    with tempfile.TemporaryDirectory(prefix="perigee-test-") as folder:
        command = _local("--listen", root.removeprefix("http://"), "--memory", *arguments)
        variables = _plain_environment() | (environment or {})
        with _running(command, variables, f"{root}/mlflow/health", 60, pathlib.Path(folder, "log")) as pid:
            yield Perigee(root, pid)


@contextlib.contextmanager
def run_gitlab(*arguments: str) -> Iterator[str]:
    """The GitLab stand-in of the local hub alone, with the demo accounts and projects. Yields its URL."""
    ports = [free_port() for _ in range(3)]
    url = f"http://127.0.0.1:{ports[2]}"
    with tempfile.TemporaryDirectory(prefix="perigee-test-") as folder:
        command = _local("--only-emulators", "--memory", "--emulator-ports", ",".join(str(port) for port in ports), *arguments)
        log = pathlib.Path(folder, "log")
        with _running(command, _plain_environment(), f"{url}/api/v4/user", 60, log, status=401):
            yield url


def _raise_first_experiment_id(database: pathlib.Path) -> None:
    with contextlib.closing(sqlite3.connect(database)) as connection:
        connection.execute(
            "INSERT INTO experiments SELECT ?, 'placeholder', artifact_location, 'deleted', creation_time, "
            "last_update_time, workspace FROM experiments WHERE experiment_id = 0",
            (FIRST_STOCK_EXPERIMENT - 1,),
        )
        connection.commit()


@contextlib.contextmanager
def run_stock(big_experiment_ids: bool = False) -> Iterator[Stock]:
    """The stock server of this Python environment, with SQLite and artifacts in a temporary folder."""
    root = f"http://127.0.0.1:{free_port()}"
    with tempfile.TemporaryDirectory(prefix="stock-mlflow-") as name:
        folder = pathlib.Path(name)
        environment = {k: v for k, v in os.environ.items() if not k.startswith(("AWS_", "MLFLOW_"))}
        environment |= {"MLFLOW_DISABLE_TELEMETRY": "true", "DO_NOT_TRACK": "true"}
        # As a module, the server's own helper processes find the right interpreter first on PATH.
        environment["PATH"] = f"{pathlib.Path(sys.executable).parent}{os.pathsep}{environment.get('PATH', '')}"
        database = folder / "mlflow.db"
        command = [sys.executable, "-m", "mlflow", "server", "--host", "127.0.0.1", "--port", root.rsplit(":", 1)[1]]
        command += ["--workers", "1", "--backend-store-uri", f"sqlite:///{database}"]
        command += ["--artifacts-destination", str(folder / "artifacts")]
        with _running(command, environment, f"{root}/health", 180, folder / "log"):
            if big_experiment_ids:
                _raise_first_experiment_id(database)
            yield Stock(root)
