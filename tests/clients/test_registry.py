"""The stock client's view of the registry: models, versions, tags, aliases, stages, search and prompts, in both views."""

import threading
import uuid
from collections.abc import Callable
from dataclasses import dataclass

import mlflow
import pytest
from mlflow.exceptions import MlflowException

from servers import PUBLIC_PROJECT, token

pytestmark = pytest.mark.filterwarnings("ignore:.*stages:FutureWarning", "ignore:.*stages.*deprecated")


@dataclass(frozen=True)
class View:
    """A client in one of the two views, and what that view adds to a name."""

    client: mlflow.MlflowClient
    suffix: str

    def name(self, plain: str) -> str:
        return f"{plain}{self.suffix}"


@pytest.fixture(params=["project", "global"])
def view(request, client) -> View:
    if request.param == "project":
        return View(client, "")
    if request.config.getoption("--server") != "perigee":
        pytest.skip("only the hub has a global view")
    mlflow.set_tracking_uri(request.getfixturevalue("perigee").global_view)
    return View(mlflow.MlflowClient(), " (1)")


@pytest.fixture
def plain() -> str:
    return f"model {uuid.uuid4().hex[:8]}"


@pytest.fixture
def name(view, plain) -> str:
    """Name of a fresh registered model, as this view shows it."""
    made = view.name(plain)
    view.client.create_registered_model(made)
    return made


def _refused(call: Callable, *arguments, **fields) -> str:
    with pytest.raises(MlflowException) as refused:
        call(*arguments, **fields)
    return refused.value.error_code


def _own_tags(entity) -> dict[str, str]:
    """The tags without the one by which the global view shows the owner."""
    return {key: value for key, value in entity.tags.items() if key != "project"}


def _versions(client, name: str, amount: int) -> None:
    for number in range(1, amount + 1):
        made = client.create_model_version(name, f"s3://bucket/{number}", tags={"parity": "even" if number % 2 == 0 else "odd"})
        assert int(made.version) == number


def test_the_life_of_a_model(view, plain):
    client, name = view.client, view.name(plain)
    made = client.create_registered_model(name, tags={"team": "water"}, description="first")
    assert (made.name, made.description, _own_tags(made)) == (name, "first", {"team": "water"})
    client.update_registered_model(name, "second")
    client.set_registered_model_tag(name, "team", "fire")
    client.set_registered_model_tag(name, "stage", "test")
    client.delete_registered_model_tag(name, "team")
    stored = client.get_registered_model(name)
    assert (stored.name, stored.description, _own_tags(stored)) == (name, "second", {"stage": "test"})
    assert stored.last_updated_timestamp >= stored.creation_timestamp == made.creation_timestamp
    assert not stored.latest_versions

    new_name = view.name(f"{plain} renamed")
    client.rename_registered_model(name, new_name)
    renamed = client.get_registered_model(new_name)
    assert (renamed.name, renamed.description, _own_tags(renamed)) == (new_name, "second", {"stage": "test"})
    assert _refused(client.get_registered_model, name) == "RESOURCE_DOES_NOT_EXIST"
    client.delete_registered_model(new_name)
    assert _refused(client.get_registered_model, new_name) == "RESOURCE_DOES_NOT_EXIST"
    assert _refused(client.delete_registered_model, new_name) == "RESOURCE_DOES_NOT_EXIST"
    assert _own_tags(client.create_registered_model(new_name)) == {}


def test_a_taken_name(view, plain, name):
    other = view.name(f"{plain} other")
    view.client.create_registered_model(other)
    assert _refused(view.client.create_registered_model, name) == "RESOURCE_ALREADY_EXISTS"
    assert _refused(view.client.rename_registered_model, other, name) == "RESOURCE_ALREADY_EXISTS"
    assert view.client.get_registered_model(other).name == other


@pytest.mark.parametrize("bad", ["a/b", "a:b", " ", ".", ".."])
def test_bad_names(view, bad):
    assert _refused(view.client.create_registered_model, f"{bad}{view.suffix}" if bad.strip(". ") else bad) == "INVALID_PARAMETER_VALUE"


def test_the_life_of_versions(view, name):
    client = view.client
    _versions(client, name, 3)
    client.update_model_version(name, "2", "the second")
    client.set_model_version_tag(name, "2", "checked", "yes")
    client.delete_model_version_tag(name, "2", "parity")
    stored = client.get_model_version(name, "2")
    assert (stored.name, int(stored.version), stored.description, stored.source) == (name, 2, "the second", "s3://bucket/2")
    assert (stored.status, stored.current_stage, _own_tags(stored)) == ("READY", "None", {"checked": "yes"})
    assert client.get_model_version_download_uri(name, "2") == "s3://bucket/2"
    assert [int(v.version) for v in client.get_registered_model(name).latest_versions] == [3]

    client.delete_model_version(name, "3")
    assert _refused(client.get_model_version, name, "3") == "RESOURCE_DOES_NOT_EXIST"
    assert _refused(client.delete_model_version, name, "3") == "RESOURCE_DOES_NOT_EXIST"
    assert [int(v.version) for v in client.get_registered_model(name).latest_versions] == [2]
    assert int(client.create_model_version(name, "s3://bucket/4").version) == 4, "a number is given once"


def test_versions_follow_a_renaming_and_end_with_their_model(view, plain, name):
    client = view.client
    _versions(client, name, 2)
    client.set_registered_model_alias(name, "champion", "1")
    new_name = view.name(f"{plain} renamed")
    client.rename_registered_model(name, new_name)
    champion = client.get_model_version_by_alias(new_name, "champion")
    assert (champion.name, int(champion.version), list(champion.aliases)) == (new_name, 1, ["champion"])
    assert _refused(client.get_model_version, name, "1") == "RESOURCE_DOES_NOT_EXIST"
    client.delete_registered_model(new_name)
    assert _refused(client.get_model_version, new_name, "1") == "RESOURCE_DOES_NOT_EXIST"
    assert list(client.search_model_versions(f"name = '{new_name}'")) == []


def test_aliases(view, name):
    client = view.client
    _versions(client, name, 2)
    client.set_registered_model_alias(name, "champion", "1")
    client.set_registered_model_alias(name, "best", "1")
    assert sorted(client.get_model_version_by_alias(name, "champion").aliases) == ["best", "champion"]
    client.set_registered_model_alias(name, "champion", "2")
    assert int(client.get_model_version_by_alias(name, "champion").version) == 2
    aliases = client.get_registered_model(name).aliases
    assert {alias: int(version) for alias, version in aliases.items()} == {"champion": 2, "best": 1}
    client.delete_registered_model_alias(name, "best")
    client.delete_registered_model_alias(name, "best")
    assert _refused(client.get_model_version_by_alias, name, "best") == "INVALID_PARAMETER_VALUE"
    assert _refused(client.set_registered_model_alias, name, "champion", "9") == "RESOURCE_DOES_NOT_EXIST"
    for reserved in ("latest", "v1", "a b", "a" * 256):
        assert _refused(client.set_registered_model_alias, name, reserved, "1") == "INVALID_PARAMETER_VALUE"
    client.delete_model_version(name, "2")
    assert _refused(client.get_model_version_by_alias, name, "champion") == "INVALID_PARAMETER_VALUE"
    assert not client.get_registered_model(name).aliases


def test_stages(view, name):
    client = view.client
    _versions(client, name, 4)
    client.transition_model_version_stage(name, "1", "Production")
    client.transition_model_version_stage(name, "2", "staging")
    moved = client.transition_model_version_stage(name, "3", "Production", archive_existing_versions=True)
    assert (int(moved.version), moved.current_stage) == (3, "Production")
    latest = {v.current_stage: int(v.version) for v in client.get_latest_versions(name)}
    assert latest == {"Archived": 1, "Staging": 2, "Production": 3, "None": 4}
    assert [int(v.version) for v in client.get_latest_versions(name, ["Production"])] == [3]
    assert _refused(client.transition_model_version_stage, name, "1", "Nowhere") in ("INVALID_PARAMETER_VALUE", None)


@pytest.fixture
def shelf(view, plain) -> tuple[str, list[str]]:
    """The common beginning of seven models' names, and the models, in order of their names."""
    models = [view.name(f"{plain}.{letter}") for letter in "abcdefg"]
    for index, model in enumerate(models):
        view.client.create_registered_model(model, tags={"parity": "even" if index % 2 == 0 else "odd", "index": str(index)})
    return plain, models


@pytest.mark.parametrize(
    ("clause", "expected"),
    [
        ("name LIKE '{plain}.%'", range(7)),
        ("name = '{models[2]}'", (2,)),
        ("name != '{models[2]}' AND name LIKE '{plain}.%'", (0, 1, 3, 4, 5, 6)),
        ("name ILIKE '{upper}.%'", range(7)),
        ("name LIKE '{plain}.%' AND tags.parity = 'odd'", (1, 3, 5)),
        ("name LIKE '{plain}.%' AND tags.`parity` != 'odd' AND tags.index != '0'", (2, 4, 6)),
        ("name LIKE '{plain}.%' AND tags.nosuch = 'x'", ()),
    ],
)
def test_model_filters(view, shelf, clause, expected):
    plain, models = shelf
    text = clause.format(plain=plain, models=models, upper=plain.upper())
    found = view.client.search_registered_models(filter_string=text)
    assert [models.index(model.name) for model in found] == list(expected)


@pytest.mark.parametrize(("order_by", "expected"), [(["name DESC"], range(6, -1, -1)), (["timestamp ASC"], range(7)), ([], range(7))])
def test_model_pages(view, shelf, order_by, expected):
    plain, models = shelf
    for size in (1, 3, 7, 1000):
        seen, page_token, pages = [], None, 0
        while True:
            page = view.client.search_registered_models(f"name LIKE '{plain}.%'", max_results=size, order_by=order_by, page_token=page_token)
            assert len(page) <= size
            seen += [models.index(model.name) for model in page]
            page_token, pages = page.token, pages + 1
            if not page_token:
                break
        assert seen == list(expected)
        assert pages == -(-len(models) // size), "the last page says that it is the last"


def test_bad_searches(view):
    for filter_string in ("name = unquoted", "nosuch = 'a'", "name = 'a' OR name = 'b'", "tags.x > 'a'"):
        assert _refused(view.client.search_registered_models, filter_string) == "INVALID_PARAMETER_VALUE"
    for filter_string in ("version_number = 'abc'", "current_stage = 'Staging'", "source_path IN ('a')"):
        assert _refused(view.client.search_model_versions, filter_string) == "INVALID_PARAMETER_VALUE"
    assert _refused(view.client.search_registered_models, page_token="garbage") == "INVALID_PARAMETER_VALUE"


@pytest.fixture
def run_id(view, plain) -> str:
    """A run of the project, with a folder of artifacts named `model`."""
    home = view.client.create_experiment(view.name(plain))
    made = view.client.create_run(home).info.run_id
    view.client.log_text(made, "no real one", "model/MLmodel")
    return made


def test_search_of_versions(view, name, run_id):
    client = view.client
    _versions(client, name, 3)
    client.create_model_version(name, f"runs:/{run_id}/model", run_id=run_id)
    client.delete_model_version(name, "3")
    client.update_model_version(name, "1", "touched last")

    def found(clause: str, **options) -> list[int]:
        return [int(v.version) for v in client.search_model_versions(clause, **options)]

    mine = f"name = '{name}'"
    assert found(mine) == [1, 4, 2], "the last change comes first"
    assert found(mine, order_by=["version_number ASC"]) == [1, 2, 4]
    assert found(f"run_id = '{run_id}'") == [4]
    assert found(f"{mine} AND version_number > 1", order_by=["version_number DESC"]) == [4, 2]
    assert found(f"{mine} AND tags.parity = 'odd'") == [1]
    assert found(f"{mine} AND source_path LIKE 's3://%'", order_by=["version_number ASC"]) == [1, 2]
    first = client.search_model_versions(mine, max_results=2, order_by=["version_number ASC"])
    rest = client.search_model_versions(mine, max_results=2, order_by=["version_number ASC"], page_token=first.token)
    assert [int(v.version) for v in [*first, *rest]] == [1, 2, 4]
    assert not rest.token
    version = client.search_model_versions(f"run_id = '{run_id}'")[0]
    assert (version.name, version.run_id, version.source) == (name, run_id, f"runs:/{run_id}/model")


def test_a_version_needs_a_run_that_is_there(view, name, request):
    if request.config.getoption("--server") != "perigee":
        pytest.skip("the stock server takes any run for granted")
    assert _refused(view.client.create_model_version, name, "s3://bucket/a", run_id="0" * 32) == "RESOURCE_DOES_NOT_EXIST"
    assert list(view.client.search_model_versions(f"name = '{name}'")) == []


def test_registering_twice(view, plain, run_id):
    """The client tries to create the model each time and goes on when it exists."""
    name = view.name(plain)
    for number in (1, 2):
        made = mlflow.register_model(f"runs:/{run_id}/model", name)
        assert (made.name, int(made.version), made.run_id) == (name, number, run_id)


def test_registering_at_the_same_time(view, plain, run_id, request):
    if request.config.getoption("--server") != "perigee":
        pytest.skip("SQLite gives up after three collisions")
    name = view.name(plain)
    start, made, failed = threading.Barrier(4), [], []

    def register() -> None:
        start.wait()
        try:
            made.append(int(mlflow.register_model(f"runs:/{run_id}/model", name).version))
        except Exception as error:
            failed.append(error)

    threads = [threading.Thread(target=register) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failed
    assert sorted(made) == [1, 2, 3, 4]
    assert len(view.client.search_model_versions(f"name = '{name}'")) == 4


def test_a_version_is_copied(view, plain, name, run_id):
    client = view.client
    client.create_model_version(name, f"runs:/{run_id}/model", run_id=run_id)
    copy = client.copy_model_version(f"models:/{name}/1", view.name(f"{plain} copy"))
    assert (copy.name, int(copy.version), copy.run_id) == (view.name(f"{plain} copy"), 1, run_id)
    assert client.get_model_version_download_uri(copy.name, "1") == client.get_model_version_download_uri(name, "1")


def test_both_views_show_the_same_models(perigee, client, plain):
    client.create_registered_model(plain, tags={"team": "water"})
    client.create_model_version(plain, "s3://bucket/1")
    client.set_registered_model_alias(plain, "champion", "1")
    shown = f"{plain} (1)"
    everywhere = mlflow.MlflowClient(perigee.global_view)
    assert everywhere.get_registered_model(shown).tags == {"team": "water", "project": "earth/flood-model"}
    assert everywhere.get_model_version_by_alias(shown, "champion").name == shown
    assert [m.name for m in everywhere.search_registered_models(f"name = '{shown}'")] == [shown]
    assert [v.name for v in everywhere.search_model_versions(f"name = '{shown}'")] == [shown]
    everywhere.set_model_version_tag(shown, "1", "seen", "yes")
    assert client.get_model_version(plain, "1").tags == {"seen": "yes"}
    assert client.get_registered_model(shown).name == plain, "the suffix of the project itself is taken off"


def test_projects_do_not_share_names(perigee, client, plain):
    client.create_registered_model(plain)
    elsewhere = mlflow.MlflowClient(perigee.project_view(PUBLIC_PROJECT))
    assert _refused(elsewhere.get_registered_model, plain) == "RESOURCE_DOES_NOT_EXIST"
    assert list(elsewhere.search_registered_models(f"name = '{plain}'")) == []
    elsewhere.create_registered_model(plain, description="another one")
    assert not client.get_registered_model(plain).description
    elsewhere.delete_registered_model(plain)
    assert client.get_registered_model(plain).name == plain


def test_a_guest_reads_models_and_writes_none(perigee, client, plain, monkeypatch):
    client.create_registered_model(plain)
    client.create_model_version(plain, "s3://bucket/1")
    monkeypatch.setenv("MLFLOW_TRACKING_TOKEN", token("guest"))
    assert client.get_registered_model(plain).name == plain
    assert [int(v.version) for v in client.search_model_versions(f"name = '{plain}'")] == [1]
    for write in (
        lambda: client.create_registered_model(f"{plain} of a guest"),
        lambda: client.create_model_version(plain, "s3://bucket/2"),
        lambda: client.set_registered_model_tag(plain, "k", "v"),
        lambda: client.set_registered_model_alias(plain, "champion", "1"),
        lambda: client.delete_model_version(plain, "1"),
        lambda: client.delete_registered_model(plain),
    ):
        assert _refused(write) == "PERMISSION_DENIED"


@pytest.mark.mlflow3
def test_prompts(client):
    """A prompt's name has no blanks, so the client itself refuses the names of the global view."""
    name = f"summary-{uuid.uuid4().hex[:8]}"
    first = mlflow.genai.register_prompt(name, "Summarise {{text}}", commit_message="first words", tags={"team": "water"})
    second = mlflow.genai.register_prompt(name, [{"role": "user", "content": "In {{n}} words: {{text}}"}])
    assert (first.version, second.version) == (1, 2)
    loaded = mlflow.genai.load_prompt(f"prompts:/{name}/1")
    assert (loaded.template, loaded.commit_message) == ("Summarise {{text}}", "first words")
    assert loaded.format(text="this") == "Summarise this"
    mlflow.genai.set_prompt_alias(name, alias="production", version=2)
    assert mlflow.genai.load_prompt(f"prompts:/{name}@production").template == second.template
    assert [p.name for p in mlflow.genai.search_prompts(f"name = '{name}'")] == [name]
    assert list(client.search_registered_models(f"name = '{name}'")) == []
    assert list(client.search_model_versions(f"name = '{name}'")) == []
    assert _refused(client.create_registered_model, name) == "RESOURCE_ALREADY_EXISTS"
    mlflow.genai.delete_prompt_alias(name, alias="production")
    assert mlflow.genai.load_prompt(f"prompts:/{name}@production", allow_missing=True) is None
