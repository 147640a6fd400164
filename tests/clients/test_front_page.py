"""The hub's front page: what it says is right, and it works in a browser without asking anybody else."""

import html
import os
import re
import shutil
import subprocess
import sys

import pytest
import requests

pytest.importorskip("playwright", reason="runs in .venv-catalog: make test-catalog")

from servers import PROJECT, REPOSITORY, run_perigee, token

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
in_a_browser = pytest.mark.skipif(CHROMIUM is None, reason="no chromium on this machine; apt-get install chromium")

# Relative luminance and contrast as WCAG 2 defines them, for each element that holds text itself.
CONTRASTS = """() => {
  const parse = (color) => color.match(/[\\d.]+/g).map(Number);
  const luminance = ([r, g, b]) => [r, g, b].map((c) => c / 255)
    .map((c) => (c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4))
    .reduce((sum, c, i) => sum + c * [0.2126, 0.7152, 0.0722][i], 0);
  const background = (element) => {
    for (let at = element; at; at = at.parentElement) {
      const color = parse(getComputedStyle(at).backgroundColor);
      if (color.length === 3 || color[3] === 1) return color;
    }
    return [255, 255, 255];
  };
  const texts = [...document.body.querySelectorAll("*")].filter((element) =>
    element.tagName !== "SCRIPT" && [...element.childNodes].some((node) => node.nodeType === 3 && node.data.trim()));
  return texts.map((element) => {
    const [a, b] = [luminance(parse(getComputedStyle(element).color)), luminance(background(element))];
    return [element.tagName, element.textContent.slice(0, 40), (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05)];
  });
}"""


@pytest.fixture(scope="module")
def browser():
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield browser
        browser.close()


class Visit:
    """The front page in a browser of its own, with all that it asked for and complained about."""

    def __init__(self, browser, hub, **settings):
        self.asked, self.complaints = [], []
        self.page = browser.new_context(**settings).new_page()
        self.page.on("request", lambda request: self.asked.append(request.url))
        self.page.on("console", lambda message: self.complaints.append(message.text))
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.page.goto(f"{hub.root}/")

    def commands(self) -> list[str]:
        return self.page.locator("[data-command]").all_inner_texts()


def commands(hub, project: str = PROJECT) -> list[str]:
    """As the page has them without JavaScript, for a project."""
    page = requests.get(f"{hub.root}/", timeout=30).text
    blocks = re.findall(r"<pre [^>]*>(.*?)</pre>", page, re.DOTALL)
    return [html.unescape(re.sub(r"</?mark>", "", block)).replace("group/project", project) for block in blocks]


def shell(folder, *texts: str) -> str:
    """What commands print; the packages that they would install are there."""
    environment = {k: v for k, v in os.environ.items() if not k.startswith("MLFLOW_")}
    # `python` is the one of these tests.
    folders = f"{os.path.dirname(os.path.abspath(sys.executable))}{os.pathsep}{os.environ['PATH']}"
    environment |= {"PATH": folders, "MLFLOW_DISABLE_TELEMETRY": "true"}
    script = "\n".join(line for text in texts for line in text.splitlines() if "pip install" not in line)
    done = subprocess.run(
        ["bash", "-c", f"set -e\n{script}"],
        # What the reader types when asked for a token.
        input=f"{token('developer')}\n",
        text=True,
        capture_output=True,
        cwd=folder,
        env=environment,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_it_is_a_document_like_the_others(perigee):
    answer = requests.get(f"{perigee.root}/", timeout=30)
    assert (answer.status_code, answer.headers["content-type"]) == (200, "text/html; charset=utf-8")
    assert "glpat" not in answer.text and "{{" not in answer.text
    policy = answer.headers["content-security-policy"]
    assert policy.startswith("default-src 'none';") and "unsafe" not in policy and "self" not in policy
    tag = {"if-none-match": answer.headers["etag"]}
    assert requests.get(f"{perigee.root}/", headers=tag, timeout=30).status_code == 304
    head = requests.head(f"{perigee.root}/", timeout=30)
    assert (head.status_code, head.content, head.headers["etag"]) == (200, b"", answer.headers["etag"])
    assert requests.post(f"{perigee.root}/", timeout=30).status_code == 405


def test_settings_are_text_on_it():
    settings = {
        "PERIGEE_PUBLIC_URL": "https://hub.example.com/<i>&\"x'",
        "PERIGEE_ANONYMOUS": "false",
        "PERIGEE_READERS": "members",
        "PERIGEE_CATEGORIES": '[{"id": "things", "title": "<b>Things</b>", "topic": "a&b"}]',
    }
    with run_perigee(environment=settings) as hub:
        page = requests.get(f"{hub.root}/", timeout=30).text
    assert "export MLFLOW_TRACKING_URI=https://hub.example.com/&lt;i&gt;&amp;&quot;x&#39;/mlflow/" in page
    assert '<a href="api/stac/collections/things">&lt;b&gt;Things&lt;/b&gt;</a>: <code>a&amp;b</code>' in page
    assert "Members of the project" in page and "Without a token" not in page


def test_links_lead_somewhere(perigee):
    page = requests.get(f"{perigee.root}/", timeout=30).text
    links = [link for link in re.findall(r'<a href="([^"]*)"', page) if "://" not in link]
    assert {"api/stac/", "api/docs", "openapi.json", "mlflow/health", "api/stac/collections/aimodel"} <= set(links)
    for link in links:
        assert requests.get(f"{perigee.root}/{link}", timeout=30).status_code == 200, link


def test_its_commands_work(perigee, tmp_path):
    connect, track, large, find, fetch = commands(perigee)
    for text in (connect, large):
        assert subprocess.run(["bash", "-n"], input=text, text=True, capture_output=True).stderr == ""

    assert "'accuracy': 0.97" in shell(tmp_path, connect, large, track)
    assert "earth/flood-model" in shell(tmp_path, connect, find)
    if shutil.which("curl"):
        shell(tmp_path, connect, fetch)
        assert "flood" in (tmp_path / "README.md").read_text().lower()


def test_the_readmes_commands_work(perigee, tmp_path):
    readme = (REPOSITORY / "README.md").read_text().replace("http://127.0.0.1:5000", perigee.root)
    blocks = re.findall(r"```sh\n(.*?)```", readme, re.DOTALL)
    track, find = (block for block in blocks if "pip install" in block)
    assert "'accuracy': 0.97" in shell(tmp_path, track)
    if shutil.which("curl"):
        printed = shell(tmp_path, find)
        assert printed.startswith("earth/") and '"kind": "logistic-regression"' in printed


@in_a_browser
def test_the_commands_follow_what_is_typed(perigee, browser):
    visit = Visit(browser, perigee)
    field = visit.page.get_by_label("Your project’s path in GitLab, or its URL")
    assert f"{perigee.root}/mlflow/group/project/tracking" in visit.commands()[0]
    for typed, project in [
        ("earth/flood-model", "earth/flood-model"),
        (" /earth/tools/ndvi/ ", "earth/tools/ndvi"),
        ("https://gitlab.example.com/earth/land-cover/-/tree/main?x=1", "earth/land-cover"),
        ("https://gitlab.example.com/earth/land-cover.git", "earth/land-cover"),
    ]:
        field.fill(typed)
        shown = visit.commands()
        assert f"export MLFLOW_TRACKING_URI={perigee.root}/mlflow/{project}/tracking" in shown[0].splitlines()
        assert f"{perigee.root}/api/download/{project}/repository/README.md" in shown[4]
        assert field.get_attribute("aria-invalid") == "false"
    hint = visit.page.get_by_role("status")
    for typed in ["earth", "a b/c", "$(reboot)/x", "a/b;c", "a/../b", "<b>a</b>/c", "`a`/b", "https://gitlab.example.com/"]:
        field.fill(typed)
        assert "/mlflow/group/project/tracking" in visit.commands()[0], typed
        bad = "group/project" in hint.inner_text()
        assert bad == (field.get_attribute("aria-invalid") == "true") == (not typed.endswith("com/")), typed
    assert visit.complaints == []
    assert visit.asked == [f"{perigee.root}/"]


@in_a_browser
def test_a_command_is_copied(perigee, browser):
    visit = Visit(browser, perigee, permissions=["clipboard-read", "clipboard-write"])
    visit.page.get_by_label("Your project’s path").fill(PROJECT)
    visit.page.get_by_role("button", name="Copy: Commands that connect a shell").click()
    copied = visit.page.evaluate("navigator.clipboard.readText()")
    assert copied == commands(perigee)[0] + "\n"


@in_a_browser
@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [320, 1200])
def test_everybody_can_read_it(perigee, browser, scheme, width):
    visit = Visit(browser, perigee, color_scheme=scheme, viewport={"width": width, "height": 800})
    visit.page.get_by_label("Your project’s path").fill("not a path")
    contrasts = visit.page.evaluate(CONTRASTS)
    assert len(contrasts) > 40
    assert [found for found in contrasts if found[2] < 4.5] == []
    # Only commands scroll sideways.
    assert visit.page.evaluate("document.documentElement.scrollWidth") == width
    # Links, the field, buttons and commands: in the order of the page, and all by keyboard.
    visit.page.locator("body").click(position={"x": 1, "y": 1})
    reached = []
    for _ in range(30):
        visit.page.keyboard.press("Tab")
        reached.append(visit.page.evaluate("document.activeElement.tagName"))
        if reached[-1] == "BODY":
            break
    stops = ["A"] * 5 + ["INPUT"] + ["BUTTON", "PRE"] * 3 + ["A"] * 3 + ["BUTTON", "PRE"] * 2
    assert reached[: len(stops)] == stops
    assert visit.complaints == []


@in_a_browser
def test_it_works_without_javascript(perigee, browser):
    visit = Visit(browser, perigee, java_script_enabled=False)
    assert visit.commands() == [command.replace(PROJECT, "group/project") for command in commands(perigee)]
    assert visit.page.get_by_role("button").count() == 0
