"""Artifacts: the proxy (PUT, GET, list, DELETE), the list of a run, get-artifact."""

from ..call import delete, experiment, get, post, put, run, scenario

PROXY = "/api/2.0/mlflow-artifacts/artifacts"
TWIN = "/ajax-api/2.0/mlflow-artifacts/artifacts"
MISSING = "0123456789abcdef0123456789abcdef"
ROOT = "{e}/{r}/artifacts"
FILES = {
    "notes.txt": "hello\n",
    "empty.txt": "",
    "data/table.csv": "a,b\n1,2\n",
    "data/deep/er/config.yaml": "a: 1\n",
    "model/MLmodel": "flavors: {}\n",
    "page.html": "<script>alert(1)</script>",
    "x.json": '{"a": 1}',
    "report.md": "# hi\n",
    "run.py": "print()\n",
    "train.log": "line\n",
    "image.png": "not really",
    "archive.tar.gz": "zip",
    "noextension": "x",
    "space name.txt": "x",
    "größe-洪水.txt": "x",
    "a+b&c.txt": "x",
    "100%.txt": "x",
    "quote'.txt": "x",
}


def _quoted(path: str) -> str:
    from urllib.parse import quote

    return quote(path)


def _setup(name: str, files: dict[str, str]):
    yield experiment("e", name)
    yield run("r", "{e}")
    for path, text in files.items():
        yield put(f"put {path}", f"{PROXY}/{ROOT}/{_quoted(path)}", text)


@scenario
def put_and_get():
    yield from _setup("artifacts", FILES)
    for path in FILES:
        yield get(f"download {path}", f"{PROXY}/{ROOT}/{_quoted(path)}")
        yield get(f"get-artifact {path}", "/get-artifact", {"path": path, "run_id": "{r}"})
    yield put("overwrite", f"{PROXY}/{ROOT}/notes.txt", "second\n")
    yield get("overwritten", f"{PROXY}/{ROOT}/notes.txt")
    yield get("by run_uuid", "/get-artifact", {"path": "notes.txt", "run_uuid": "{r}"})
    yield get("ui twin", f"{TWIN}/{ROOT}/notes.txt")
    yield put("put at the ui twin", f"{TWIN}/{ROOT}/twin.txt", "x")
    yield get("which the other sees", f"{PROXY}/{ROOT}/twin.txt")
    yield get("missing file", f"{PROXY}/{ROOT}/nosuch.txt")
    yield get("missing file by get-artifact", "/get-artifact", {"path": "nosuch.txt", "run_id": "{r}"})
    yield get("directory by get-artifact", "/get-artifact", {"path": "data", "run_id": "{r}"})
    yield get("missing run by get-artifact", "/get-artifact", {"path": "notes.txt", "run_id": MISSING})
    yield get("no run", "/get-artifact", {"path": "notes.txt"})
    yield get("no path", "/get-artifact", {"run_id": "{r}"})


@scenario
def listing():
    yield from _setup("artifacts-list", FILES)
    path = "artifacts/list"
    yield get("root", path, {"run_id": "{r}"})
    yield get("root by run_uuid", path, {"run_uuid": "{r}"})
    for folder in ("data", "data/", "data/deep", "data/deep/er", "model", "notes.txt", "nosuch", ""):
        yield get(f"below {folder!r}", path, {"run_id": "{r}", "path": folder})
    yield get("ui twin", "/ajax-api/2.0/mlflow/artifacts/list", {"run_id": "{r}", "path": "data"})
    yield get("missing run", path, {"run_id": MISSING})
    yield get("no run", path)
    for folder in ("..", "../..", "data/../..", "/etc", "data/%2e%2e/..", "a#b", "a\\b", "file:///etc"):
        yield get(f"unsafe {folder!r}", path, {"run_id": "{r}", "path": folder})
    yield run("s", "{e}")
    yield get("a run without artifacts", path, {"run_id": "{s}"})
    for folder in ("", "/data", "/data/deep", "/data/deep/er", "/notes.txt", "/nosuch"):
        yield get(f"proxy below {folder!r}", PROXY, {"path": f"{ROOT}{folder}"})
    yield get("proxy twin", TWIN, {"path": ROOT})
    yield get("proxy of the run without artifacts", PROXY, {"path": "{e}/{s}/artifacts"})
    for folder in ("..", f"{ROOT}/../../..", "/etc", f"{ROOT}/%2e%2e"):
        yield get(f"proxy unsafe {folder!r}", PROXY, {"path": folder})


@scenario
def names_with_percent_signs():
    names = (
        "images/dogs%step%1%timestamp%1795489262663%0f12cd34.png",
        "1763%1795489262663.png",
        "x%00y",
        "rubout\x7f",
        "bell%2507twice",
    )
    yield from _setup("artifacts-percent", {name: "x" for name in names})
    yield get("list", "artifacts/list", {"run_id": "{r}"})
    yield get("list images", "artifacts/list", {"run_id": "{r}", "path": "images"})
    yield get("proxy list", PROXY, {"path": ROOT})
    for name in names:
        yield get(f"download {name!r}", f"{PROXY}/{ROOT}/{_quoted(name)}")
        yield get(f"get-artifact {name!r}", "/get-artifact", {"path": name, "run_id": "{r}"})
    yield put("put bytes that are no text", f"{PROXY}/{ROOT}/odd/dogs%25ab12", "x")
    yield get("get them", f"{PROXY}/{ROOT}/odd/dogs%25ab12")
    yield get("list them", "artifacts/list", {"run_id": "{r}", "path": "odd"})


@scenario
def unsafe_paths():
    yield from _setup("artifacts-unsafe", {"a.txt": "x"})
    for label, path in (
        ("encoded dots", "%2e%2e/x"),
        ("encoded twice", "%252e%252e/x"),
        ("encoded thrice", "%25252e%25252e/x"),
        ("encoded slash dots", "..%2fx"),
        ("backslash dots", "..%5cx"),
        ("hash", "a%23b"),
        ("dots inside", "data/%2e%2e/%2e%2e/x"),
    ):
        yield get(f"download {label}", f"{PROXY}/{ROOT}/{path}")
        yield put(f"put {label}", f"{PROXY}/{ROOT}/{path}", "x")
        yield delete(f"delete {label}", f"{PROXY}/{ROOT}/{path}")
    for path in ("../x", "/etc/passwd", "%2e%2e/x", "a/../../x", "a#b", "..\\x", "C:/x"):
        yield get(f"get-artifact {path!r}", "/get-artifact", {"path": path, "run_id": "{r}"})


@scenario
def delete_files():
    yield from _setup("artifacts-delete", {"a.txt": "x", "data/b.txt": "x", "data/deep/c.txt": "x", "keep/d.txt": "x"})
    yield delete("a file", f"{PROXY}/{ROOT}/a.txt")
    yield get("file is gone", f"{PROXY}/{ROOT}/a.txt")
    yield delete("the file again", f"{PROXY}/{ROOT}/a.txt")
    yield delete("a folder", f"{PROXY}/{ROOT}/data")
    yield get("folder is gone", f"{PROXY}/{ROOT}/data/b.txt")
    yield get("what is left", "artifacts/list", {"run_id": "{r}"})
    yield delete("at the ui twin", f"{TWIN}/{ROOT}/keep/d.txt")
    yield get("gone as well", f"{PROXY}/{ROOT}/keep/d.txt")


@scenario
def of_a_deleted_run():
    yield from _setup("artifacts-deleted", {"a.txt": "x"})
    yield post("delete the run", "runs/delete", {"run_id": "{r}"})
    yield get("list", "artifacts/list", {"run_id": "{r}"})
    yield get("download", f"{PROXY}/{ROOT}/a.txt")
    yield get("get-artifact", "/get-artifact", {"path": "a.txt", "run_id": "{r}"})


@scenario
def of_a_model():
    yield experiment("e", "artifacts-model")
    yield post("setup: model", "logged-models", {"experiment_id": "{e}", "name": "net"}, save={"m": "model.info.model_id"})
    root = "{e}/models/{m}/artifacts"
    yield put("put", f"{PROXY}/{root}/MLmodel", "flavors: {}\n")
    yield put("put deeper", f"{PROXY}/{root}/data/weights.bin", "0123")
    yield get("get", f"{PROXY}/{root}/MLmodel")
    yield get("list", PROXY, {"path": root})
    yield get("list deeper", PROXY, {"path": f"{root}/data"})
    yield get("directories", "logged-models/{m}/artifacts/directories")
    yield get("directories deeper", "logged-models/{m}/artifacts/directories", {"artifact_directory_path": "data"})


MPU = "/api/2.0/mlflow-artifacts/mpu"
PRESIGNED = "/api/2.0/mlflow-artifacts/presigned"


@scenario
def large_files():
    """Stock keeps files in a folder here, so its answers to a sound request are known differences."""
    yield from _setup("artifacts-large", {"a.txt": "x"})
    create = {"path": "/home/me/weights.bin", "num_parts": 2}
    yield post("create", f"{MPU}/create/{ROOT}", create, save={"upload": "upload_id"})
    yield post("create at the ui twin", f"/ajax-api/2.0/mlflow-artifacts/mpu/create/{ROOT}", create)
    yield post("create without path", f"{MPU}/create/{ROOT}", {"num_parts": 2})
    yield post("create with an empty path", f"{MPU}/create/{ROOT}", {"path": "", "num_parts": 2})
    yield post("create without number", f"{MPU}/create/{ROOT}", {"path": "w.bin"})
    yield post("create with letters", f"{MPU}/create/{ROOT}", {"path": "w.bin", "num_parts": "many"})
    yield post("create with path as number", f"{MPU}/create/{ROOT}", {"path": 7, "num_parts": 2})
    parts = [{"part_number": 1, "etag": "x"}]
    yield post("complete unknown", f"{MPU}/complete/{ROOT}", {"path": "w.bin", "upload_id": "x", "parts": parts})
    yield post("complete without parts", f"{MPU}/complete/{ROOT}", {"path": "w.bin", "upload_id": "x"})
    yield post("complete without path", f"{MPU}/complete/{ROOT}", {"upload_id": "x", "parts": parts})
    yield post("complete with id as number", f"{MPU}/complete/{ROOT}", {"path": "w.bin", "upload_id": 7, "parts": parts})
    yield post("abort", f"{MPU}/abort/{ROOT}", {"path": "/home/me/weights.bin", "upload_id": "{upload}"})
    yield post("abort without path", f"{MPU}/abort/{ROOT}", {"upload_id": "x"})
    for step in ("create", "complete", "abort"):
        body = {"path": "w.bin", "num_parts": 1, "upload_id": "x", "parts": parts}
        for path in ("%2e%2e", "%252e%252e/x", "a%23b", "..%2fx"):
            yield post(f"{step} at {path}", f"{MPU}/{step}/{ROOT}/{path}", body)
        yield get(f"get of {step}", f"{MPU}/{step}/{ROOT}")
    yield get("presigned", f"{PRESIGNED}/{ROOT}/a.txt")
    for path in ("%2e%2e", "a%23b", "..%2fx"):
        yield get(f"presigned {path}", f"{PRESIGNED}/{ROOT}/{path}")
    yield post("post of presigned", f"{PRESIGNED}/{ROOT}/a.txt", {})


@scenario
def presigned_urls():
    yield from _setup("artifacts-presigned", {"a.txt": "x"})
    for way in ("upload", "download"):
        path = f"artifacts/presigned-{way}-url"
        yield post(way, path, {"run_id": "{r}", "path": "a.txt"})
        yield post(f"{way} of a missing run", path, {"run_id": MISSING, "path": "a.txt"})
        yield post(f"{way} without path", path, {"run_id": "{r}"})
        yield post(f"{way} without run", path, {"path": "a.txt"})
        yield post(f"{way} with an empty run", path, {"run_id": "", "path": "a.txt"})
        yield post(f"{way} with run as number", path, {"run_id": 7, "path": "a.txt"})
        yield post(f"{way} for a time in letters", path, {"run_id": "{r}", "path": "a.txt", "expiration": "soon"})
        for unsafe in ("../x", "/etc/passwd", "%2e%2e/x", "a#b"):
            yield post(f"{way} of {unsafe!r}", path, {"run_id": "{r}", "path": unsafe})
        yield get(f"get of {way}", path)
    both = {"run_id": "{r}", "model_id": "m-1", "path": "a.txt"}
    yield post("upload of run and model", "artifacts/presigned-upload-url", both)
    for seconds in (0, -1, 604_801):
        body = {"run_id": "{r}", "path": "a.txt", "expiration": seconds}
        yield post(f"download for {seconds} seconds", "artifacts/presigned-download-url", body)
