"""Perigee beside the stock MLflow server: the same calls in one run, on one machine.

Prints, per call, the latency (p50 and p95 with 1 client), requests per second with 1 and 16 clients, the CPU time of
the server's own processes per request, what the call costs in DynamoDB, and the ratios stock / Perigee.

Perigee's emulators run in a process of their own and the hub has one worker thread, so that its CPU time is what a
function would use.
Usage: bench.py [--hub target/release/local] [--seconds 3] [--json FILE]
Needs the `mlflow` package of the Python that runs it.
"""

from __future__ import annotations

import argparse
import http.client
import json
import os
import platform
import re
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path
from urllib.parse import urlsplit

ROOT = Path(__file__).resolve().parents[2]
TOKEN = "glpat-local-developer"
PROJECT = "/mlflow/earth/flood-model/tracking"
CLIENTS = 16
# Seconds after which a call counts as refused.
PATIENCE = 10
HUB, ONE, DEFAULT = "perigee", "stock, 1 worker", "stock, default"


class Server:
    """A server under load: its base URL and the processes whose CPU time counts."""

    def __init__(self, name: str, base: str, process: subprocess.Popen, token: str | None) -> None:
        self.name, self.base, self.process, self.token = name, urlsplit(base), process, token

    def connect(self) -> http.client.HTTPConnection:
        connection = http.client.HTTPConnection(self.base.hostname, self.base.port, timeout=PATIENCE)
        connection.connect()
        connection.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return connection

    def call(self, connection: http.client.HTTPConnection, method: str, path: str, body: dict | None) -> tuple[dict, str]:
        headers = {"Authorization": f"Bearer {self.token}"} if self.token else {}
        data = None
        if body is not None:
            headers["Content-Type"] = "application/json"
            data = json.dumps(body)
        connection.request(method, f"{self.base.path}/api/2.0/mlflow/{path}", data, headers)
        response = connection.getresponse()
        text = response.read()
        if response.status != 200:
            raise RuntimeError(f"{self.name}: {method} {path}: {response.status} {text[:300]!r}")
        return json.loads(text or b"{}"), response.getheader("Server-Timing") or ""

    def cpu_seconds(self) -> float:
        """User and system time of the server's process and all its descendants."""
        ticks = os.sysconf("SC_CLK_TCK")
        parents: dict[int, list[int]] = {}
        times: dict[int, int] = {}
        for entry in Path("/proc").iterdir():
            if entry.name.isdigit():
                try:
                    fields = (entry / "stat").read_text().rsplit(")", 1)[1].split()
                except OSError:
                    continue
                parents.setdefault(int(fields[1]), []).append(int(entry.name))
                times[int(entry.name)] = int(fields[11]) + int(fields[12])
        total, todo = 0, [self.process.pid]
        while todo:
            pid = todo.pop()
            total += times.get(pid, 0)
            todo += parents.get(pid, [])
        return total / ticks


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


def wait_for(url: str, process: subprocess.Popen) -> None:
    parts = urlsplit(url)
    for _ in range(600):
        if process.poll() is not None:
            raise SystemExit(f"{url} did not start: exit code {process.returncode}")
        try:
            connection = http.client.HTTPConnection(parts.hostname, parts.port, timeout=1)
            connection.request("GET", parts.path)
            if connection.getresponse().status < 500:
                return
        except OSError:
            pass
        time.sleep(0.1)
    raise SystemExit(f"{url} did not answer within 60 s")


def start_hub(hub: Path, processes: list[subprocess.Popen]) -> Server:
    ports = [free_port() for _ in range(3)]
    emulators = subprocess.Popen(
        [hub, "--only-emulators", "--memory", "--emulator-ports", ",".join(map(str, ports))],
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    processes.append(emulators)
    wait_for(f"http://127.0.0.1:{ports[2]}/api/v4/user", emulators)
    port = free_port()
    environment = os.environ | {
        "AWS_ENDPOINT_URL_DYNAMODB": f"http://127.0.0.1:{ports[0]}",
        "AWS_ENDPOINT_URL_S3": f"http://127.0.0.1:{ports[1]}",
        # As in a function: a second thread would spend CPU time on being woken.
        "TOKIO_WORKER_THREADS": "1",
    }
    process = subprocess.Popen(
        [hub, "--listen", f"127.0.0.1:{port}", "--gitlab", f"http://127.0.0.1:{ports[2]}", "--show-cost"],
        env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    processes.append(process)
    wait_for(f"http://127.0.0.1:{port}/mlflow/health", process)
    return Server(HUB, f"http://127.0.0.1:{port}{PROJECT}", process, TOKEN)


def start_stock(name: str, extra: list[str], folder: Path, processes: list[subprocess.Popen]) -> Server:
    port = free_port()
    data = folder / name.replace(" ", "-").replace(",", "")
    data.mkdir()
    process = subprocess.Popen(
        [sys.executable, "-m", "mlflow", "server", "--host", "127.0.0.1", "--port", str(port),
         "--backend-store-uri", f"sqlite:///{data}/mlflow.db", "--artifacts-destination", str(data / "artifacts"), *extra],
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, cwd=data)
    processes.append(process)
    wait_for(f"http://127.0.0.1:{port}/health", process)
    return Server(name, f"http://127.0.0.1:{port}", process, None)


class Workload:
    """What a server is asked, with the experiment and runs that it needs."""

    def __init__(self, server: Server) -> None:
        self.server = server
        connection = server.connect()
        post = lambda path, body: server.call(connection, "POST", path, body)[0]
        self.experiment = post("experiments/create", {"name": f"bench {time.time()}"})["experiment_id"]
        self.crowd = post("experiments/create", {"name": f"crowd {time.time()}"})["experiment_id"]
        new_run = lambda experiment, n: post("runs/create", {"experiment_id": experiment, "start_time": 1_700_000_000_000 + n})
        self.runs = [new_run(self.experiment, n)["run"]["info"]["run_id"] for n in range(CLIENTS)]
        for n in range(300):
            run = new_run(self.crowd, n)["run"]["info"]["run_id"]
            pairs = [{"key": f"key_{k}", "value": str(n * k)} for k in range(5)]
            post("runs/log-batch", {"run_id": run, "params": pairs, "tags": pairs})
        self.history = new_run(self.experiment, 1)["run"]["info"]["run_id"]
        for batch in range(10):
            points = [{"key": "loss", "value": 1 / (k + 1), "timestamp": 1_700_000_000_000 + k, "step": batch * 100 + k} for k in range(100)]
            post("runs/log-batch", {"run_id": self.history, "metrics": points})
        connection.close()
        self.count = iter(range(10**9))

    def request(self, call: str, client: int) -> tuple[str, str, dict | None]:
        run, n = self.runs[client], next(self.count)
        now = 1_700_000_000_000 + n
        match call:
            case "runs/create":
                return "POST", call, {"experiment_id": self.experiment, "start_time": now}
            case "runs/get":
                return "GET", f"{call}?run_id={run}", None
            case "runs/log-metric":
                return "POST", call, {"run_id": run, "key": "loss", "value": 0.5, "timestamp": now, "step": n}
            case "runs/log-batch, 10 metrics":
                points = [{"key": f"m{k}", "value": 0.5, "timestamp": now, "step": n} for k in range(10)]
                return "POST", "runs/log-batch", {"run_id": run, "metrics": points}
            case "runs/log-batch, 100 metrics":
                points = [{"key": f"m{k}", "value": 0.5, "timestamp": now, "step": n} for k in range(100)]
                return "POST", "runs/log-batch", {"run_id": run, "metrics": points}
            case "runs/set-tag":
                return "POST", call, {"run_id": run, "key": "stage", "value": str(n)}
            case "experiments/get":
                return "GET", f"{call}?experiment_id={self.experiment}", None
            case "metrics/get-history, 1,000 points":
                return "GET", f"metrics/get-history?run_id={self.history}&metric_key=loss", None
            case "runs/search, page of 100 of 300":
                return "POST", "runs/search", {"experiment_ids": [self.crowd], "max_results": 100}
        raise ValueError(call)


# Reading runs comes before logging to them, so that every server reads runs of the same size.
CALLS = [
    "experiments/get", "runs/get", "runs/search, page of 100 of 300", "metrics/get-history, 1,000 points", "runs/create",
    "runs/set-tag", "runs/log-metric", "runs/log-batch, 10 metrics", "runs/log-batch, 100 metrics",
]


def load(server: Server, workload: Workload, call: str, clients: int, seconds: float) -> dict:
    """Loops `call` with some clients; latencies in ms, requests per second, CPU ms per request, refusals."""
    latencies: list[list[float]] = [[] for _ in range(clients)]
    cost, refused = [""], [0]

    def client(number: int) -> None:
        connection = server.connect()
        try:
            server.call(connection, *workload.request(call, number))
        except (RuntimeError, OSError, http.client.HTTPException):
            connection = server.connect()
        barrier.wait()
        end = time.perf_counter() + seconds
        while (begin := time.perf_counter()) < end:
            try:
                cost[0] = server.call(connection, *workload.request(call, number))[1]
            except (RuntimeError, OSError, http.client.HTTPException) as error:
                # A server may give up under load: that is a result too.
                refused[0] += 1
                print(f"{server.name}: {call}: {error!r:.200}", file=sys.stderr, flush=True)
                connection.close()
                connection = server.connect()
                continue
            latencies[number].append((time.perf_counter() - begin) * 1000)
        connection.close()

    barrier = threading.Barrier(clients + 1)
    threads = [threading.Thread(target=client, args=(number,)) for number in range(clients)]
    for thread in threads:
        thread.start()
    barrier.wait()
    cpu, begin = server.cpu_seconds(), time.perf_counter()
    for thread in threads:
        thread.join()
    elapsed, cpu = time.perf_counter() - begin, server.cpu_seconds() - cpu
    every = sorted(sum(latencies, [])) or [float("nan")]
    cost = re.search(r'desc="([^"]*)"', cost[0])
    return {
        "p50": statistics.median(every), "p95": every[int(len(every) * 0.95) - 1], "per_second": len(every) / elapsed,
        "cpu_ms": cpu * 1000 / len(every), "cost": cost.group(1) if cost else "", "refused": refused[0],
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--hub", type=Path, default=ROOT / "target/release/local")
    parser.add_argument("--seconds", type=float, default=3, help="of load per call, server and number of clients")
    parser.add_argument("--json", type=Path, help="also write all figures here")
    args = parser.parse_args()
    folder, processes, results = Path(tempfile.mkdtemp()), [], {}
    try:
        for name in (HUB, ONE, DEFAULT):
            # One server at a time: they must not compete for the processors.
            print(f"{name}: preparing", file=sys.stderr, flush=True)
            if name == HUB:
                server = start_hub(args.hub, processes)
            else:
                server = start_stock(name, ["--workers", "1"] if name == ONE else [], folder, processes)
            workload = Workload(server)
            for call in CALLS:
                print(f"{name}: {call}", file=sys.stderr, flush=True)
                results[name, call] = (load(server, workload, call, 1, args.seconds), load(server, workload, call, CLIENTS, args.seconds))
                print(f"{name}: {call}: {results[name, call]}", file=sys.stderr, flush=True)
            stop(processes)
    finally:
        stop(processes)
        shutil.rmtree(folder, ignore_errors=True)
    report(results)
    if args.json:
        args.json.write_text(json.dumps([{"server": name, "call": call, "one": one, "many": many} for (name, call), (one, many) in results.items()], indent=1))


def stop(processes: list[subprocess.Popen]) -> None:
    while processes:
        process = processes.pop()
        process.terminate()
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            process.kill()


def refusals(figures: dict) -> str:
    return f" ({figures['refused']} refused)" if figures["refused"] else ""


def report(results: dict) -> None:
    print(f"\n{platform.machine()}, {os.cpu_count()} processors, Python {platform.python_version()}. Latencies in ms with 1 client; "
          f"CPU in ms per request of the server's own processes, with 1 and with {CLIENTS} clients.\n")
    print("| call | server | p50 | p95 | requests/s, 1 client | requests/s, 16 clients | CPU ms, 1 | CPU ms, 16 | DynamoDB |")
    print("|---|---|---|---|---|---|---|---|---|")
    for call in CALLS:
        for name in (HUB, ONE, DEFAULT):
            one, many = results[name, call]
            print(f"| {call} | {name} | {one['p50']:.2f} | {one['p95']:.2f} | {one['per_second']:.0f} | {many['per_second']:.0f}{refusals(many)} | {one['cpu_ms']:.2f} | {many['cpu_ms']:.2f} | {one['cost']} |")
    print("\nHow many times better than stock (1 worker / default):\n")
    print("| call | p50 | p95 | requests/s, 1 client | requests/s, 16 clients | CPU |")
    print("|---|---|---|---|---|---|")
    for call in CALLS:
        ours_one, ours_many = results[HUB, call]
        cells = []
        for side, key, larger_is_better in ((0, "p50", False), (0, "p95", False), (0, "per_second", True), (1, "per_second", True), (0, "cpu_ms", False)):
            ours = (ours_one, ours_many)[side][key] or 1e-9
            ratios = [results[name, call][side][key] / ours for name in (ONE, DEFAULT)]
            cells.append(" / ".join(f"{1 / ratio if larger_is_better else ratio:.1f}" for ratio in ratios))
        print(f"| {call} | " + " | ".join(cells) + " |")


if __name__ == "__main__":
    main()
