"""Downloads of GitLab's files through the hub, as scripts make them with `requests`: SharingHub's header, redirects, parts."""

import hashlib
import http.server
import io
import re
import tarfile
import threading
import zipfile

import pytest
import requests

from servers import FOREIGN_PROJECT, PROJECT, PUBLIC_PROJECT, run_gitlab, run_perigee, token

SIZE = 200_000_003
PIECE = 1 << 20


def piece(number: int) -> bytes:
    """One of many pieces, of which no two are equal."""
    return number.to_bytes(8, "big") * (PIECE // 8)


def stretch(first: int):
    """The big file's bytes from some place on."""
    at = first
    while at < SIZE:
        inside = at % PIECE
        part = piece(at // PIECE)[inside : inside + SIZE - at]
        yield part
        at += len(part)


class WithBigFile(http.server.BaseHTTPRequestHandler):
    """A GitLab that has one more file, `big.bin` in LFS, too large to be held in memory."""

    protocol_version = "HTTP/1.1"
    behind = ""
    breaks: list[int] = []
    ranges: list[str] = []

    def log_message(self, *_):
        pass

    def forward(self):
        body = self.rfile.read(int(self.headers.get("content-length", 0)))
        headers = {name: value for name, value in self.headers.items() if name.lower() not in ("host", "connection")}
        url = f"{self.behind}{self.path}"
        answer = requests.request(self.command, url, data=body, headers=headers, timeout=20, allow_redirects=False)
        self.send_response(answer.status_code)
        self.send_header("content-type", answer.headers.get("content-type", ""))
        self.send_header("content-length", str(len(answer.content)))
        self.end_headers()
        self.wfile.write(answer.content)

    def do_POST(self):
        self.forward()

    def do_HEAD(self):
        if "/files/big.bin?" not in self.path:
            self.send_error(404)
            return
        self.send_response(200)
        for name, value in [("blob-id", "ab" * 20), ("commit-id", "cd" * 20), ("size", "134")]:
            self.send_header(f"x-gitlab-{name}", value)
        self.send_header("content-length", "0")
        self.end_headers()

    def do_GET(self):
        if "/files/big.bin/raw" not in self.path:
            return self.forward()
        asked = self.headers.get("range")
        first = int(re.fullmatch(r"bytes=(\d+)-", asked)[1]) if asked else 0
        self.ranges.append(asked or "-")
        self.send_response(206 if asked else 200)
        if asked:
            self.send_header("content-range", f"bytes {first}-{SIZE - 1}/{SIZE}")
        self.send_header("content-length", str(SIZE - first))
        self.end_headers()
        limit = self.breaks.pop(0) if self.breaks else None
        sent = 0
        try:
            for part in stretch(first):
                if limit is not None and sent > limit:
                    self.close_connection = True
                    return None
                self.wfile.write(part)
                sent += len(part)
        except (BrokenPipeError, ConnectionResetError):
            # The hub has read enough: it wanted to know the size.
            self.close_connection = True
        return None


@pytest.fixture(scope="module")
def upstream():
    with run_gitlab() as behind:
        handler = type("Handler", (WithBigFile,), {"behind": behind, "breaks": [], "ranges": []})
        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield handler, f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


@pytest.fixture(scope="module")
def hub(upstream):
    """A hub that holds nothing of its GitLab in its own memory."""
    with run_perigee("--gitlab", upstream[1]) as hub:
        yield hub


def get(hub, path, account="developer", **options):
    headers = {"X-Gitlab-Token": token(account), **options.pop("headers", {})}
    return requests.get(f"{hub.root}/api/download/{path}", headers=headers, timeout=60, **options)


def test_a_script_of_sharinghubs_fetches_a_file(perigee):
    answer = get(perigee, f"{PROJECT}/repository/data/backscatter.csv", params={"ref": "main", "cache": 600})
    assert answer.status_code == 200 and answer.text.count("\n") > 1
    assert answer.headers["Content-Disposition"] == "attachment; filename=backscatter.csv"
    assert answer.headers["Cache-Control"] == "private, max-age=600"
    assert "Set-Cookie" not in answer.headers
    etag = answer.headers["ETag"]
    again = get(perigee, f"{PROJECT}/repository/data/backscatter.csv", headers={"If-None-Match": etag})
    assert (again.status_code, again.content) == (304, b"")
    part = get(perigee, f"{PROJECT}/repository/data/backscatter.csv", headers={"Range": "bytes=0-3"})
    assert (part.status_code, part.content) == (206, answer.content[:4])
    quoted = requests.utils.quote(PROJECT, safe="")
    assert get(perigee, f"{quoted}/repository/data%2Fbackscatter.csv").content == answer.content
    head = requests.head(f"{perigee.root}/api/download/{PUBLIC_PROJECT}/repository/README.md", timeout=10)
    assert head.status_code == 200 and int(head.headers["Content-Length"]) > 0 and head.content == b""


def test_an_archive_is_opened(perigee):
    answer = get(perigee, f"{PROJECT}/archive.zip", params={"ref": "main"})
    assert answer.history[0].status_code == 302
    assert answer.headers["Content-Disposition"] == "attachment; filename=flood-model-main.zip"
    names = zipfile.ZipFile(io.BytesIO(answer.content)).namelist()
    assert any(name.endswith("/data/backscatter.csv") for name in names)
    for name, mode in [("tar", "r:"), ("tar.gz", "r:gz"), ("tbz2", "r:bz2")]:
        answer = get(perigee, f"{PROJECT}/archive.{name}")
        with tarfile.open(fileobj=io.BytesIO(answer.content), mode=mode) as archive:
            assert sorted(archive.getnames()) == sorted(names)


def test_errors_have_the_documented_form(perigee):
    for path, account, status in [
        (f"{FOREIGN_PROJECT}/repository/README.md", "developer", 404),
        (f"{PROJECT}/repository/README.md", "guest", 403),
        (f"{PROJECT}/repository/none.txt", "developer", 404),
        (f"{PROJECT}/repository/README.md", "nobody", 401),
        (f"{PROJECT}/repository/a%5Cb", "developer", 400),
    ]:
        answer = get(perigee, path, account)
        assert (answer.status_code, answer.json()["status_code"]) == (status, status), path
        assert answer.json()["detail"]


def test_a_check_tells_the_level(perigee):
    answer = requests.get(
        f"{perigee.root}/api/check/{PROJECT}", params={"info": "true"}, headers={"X-Gitlab-Token": token("developer")}, timeout=10
    )
    expected = {"id": 1, "name": answer.json()["name"], "path": PROJECT, "categories": ["aimodel"], "access_level": 3}
    assert answer.json() == expected and list(answer.json()) == list(expected)


def test_200_megabytes_pass_in_bounded_memory_and_survive_a_cut(hub, upstream):
    handler, _ = upstream
    # The size is asked for first; then the connection breaks after some 60 MB.
    handler.breaks[:] = [SIZE, 60_000_000]
    assert get(hub, f"{PROJECT}/repository/none.bin").status_code == 404
    before = hub.peak_memory()
    answer = get(hub, f"{PROJECT}/repository/big.bin", allow_redirects=False)
    assert answer.status_code == 503 and int(answer.headers["Retry-After"]) >= 1
    answer = get(hub, f"{PROJECT}/repository/big.bin", stream=True)
    digest = hashlib.sha256()
    for part in answer.iter_content(PIECE):
        digest.update(part)
    expected = hashlib.sha256()
    for part in stretch(0):
        expected.update(part)
    assert digest.digest() == expected.digest()
    # What had come before the cut was not fetched again.
    assert handler.ranges[:3] == ["-", "-", "-"] and re.fullmatch(r"bytes=[1-9]\d{7}-", handler.ranges[3])
    assert hub.peak_memory() - before < 100_000_000
