"""The first chapter as a person meets it: in JupyterLab, with a keyboard; screenshots are in out/screenshots/.

The lab runs as `python -m classroom lab` starts it, on a copy of the chapter and with a home of its own, so that
neither the repository nor the settings of whoever runs the tests are touched.
"""
import os
import re
import shutil
import socket
import subprocess
import sys
import time
from contextlib import contextmanager
from pathlib import Path
from urllib.error import URLError
from urllib.request import urlopen

import pytest
from classroom.places import FIRST, ROOT

playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed (make test installs it)")
pytestmark = pytest.mark.browser
SCREENSHOTS = ROOT / "out" / "screenshots"
BROWSER = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
           "--disable-component-update", "--disable-sync"]
WINDOW = {"width": 1280, "height": 900}
CELLS = "[...jupyterapp.shell.currentWidget.content.model.cells]"
ALL_RAN = f"{CELLS}.every(cell => cell.type !== 'code' || cell.executionCount !== null)"
ALLOWED = [  # regular expressions of console messages that are not our doing
    r"^console warning: Plugin \S+ is taking too long to activate",  # JupyterLab's own, on a machine with much to do
]


# The lab

@contextmanager
def lab(folder: Path):
    """The address of a running JupyterLab that shows the chapter; it ends with the block."""
    home, work = folder / "home", folder / "work"
    work.mkdir(parents=True)
    shutil.copy(FIRST, work)
    port = free_port()
    command = [sys.executable, "-m", "classroom", "lab", "--no-browser", f"--ServerApp.root_dir={work}",
               "--ip=127.0.0.1", f"--port={port}", "--ServerApp.port_retries=0", "--IdentityProvider.token=",
               "--LabApp.expose_app_in_browser=True"]
    with (folder / "server.log").open("w") as log:
        server = subprocess.Popen(command, env=own(home), stdout=log, stderr=log)
        try:
            wait_for(f"http://127.0.0.1:{port}/api", server, log.name)
            yield f"http://127.0.0.1:{port}/lab/tree/{FIRST.name}?reset"
        finally:
            server.terminate()
            server.wait(timeout=120)


def own(home: Path) -> dict[str, str]:
    """An environment in which nothing of anybody's is read or written."""
    places = {"HOME": home, "JUPYTER_CONFIG_DIR": home / "config", "JUPYTER_RUNTIME_DIR": home / "runtime",
              "JUPYTER_DATA_DIR": home / "data", "JUPYTERLAB_SETTINGS_DIR": home / "settings",
              "JUPYTERLAB_WORKSPACES_DIR": home / "workspaces", "COURSE_PROGRESS": home / "progress.json"}
    return os.environ | {name: str(place) for name, place in places.items()}


def free_port() -> int:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return taken.getsockname()[1]


def wait_for(address: str, server: subprocess.Popen, log: str, seconds: float = 120) -> None:
    """Until the server answers; if it does not, its own words say why."""
    end = time.monotonic() + seconds
    while time.monotonic() < end and server.poll() is None:
        try:
            return urlopen(address).close()
        except URLError:
            time.sleep(0.1)
    raise RuntimeError(f"JupyterLab did not answer: {Path(log).read_text()[-2000:]}")


@pytest.fixture(scope="module")
def seat(chromium_path, tmp_path_factory):
    """A page on which the whole chapter was run; `complaints` holds what the browser had to say."""
    with lab(tmp_path_factory.mktemp("lab")) as address, playwright.sync_playwright() as drivers:
        browser = drivers.chromium.launch(executable_path=chromium_path, args=BROWSER)
        page = browser.new_page(viewport=WINDOW)
        page.set_default_timeout(120_000)
        playwright.expect.set_options(timeout=60_000)
        page.theme, page.complaints = "light", []
        listen(page)
        page.goto(address)
        open_notebook(page)
        run_all_cells(page)
        yield page
        browser.close()


def listen(page) -> None:
    """Notes every complaint of the console and the network."""
    note = page.complaints.append
    page.on("console", lambda said: said.type in ("error", "warning") and note(f"console {said.type}: {said.text}"))
    page.on("pageerror", lambda error: note(f"exception: {error}"))
    page.on("requestfailed", lambda request: note(f"request failed: {request.url}"))
    page.on("response", lambda response: response.status >= 400 and note(f"status {response.status}: {response.url}"))


def open_notebook(page) -> None:
    """Waits until the notebook is there and its kernel answers."""
    page.wait_for_selector(".jp-NotebookPanel:not(.lm-mod-hidden) .jp-Notebook")
    page.locator("#jp-main-statusbar").get_by_text("| Idle").wait_for(timeout=120_000)
    shoot(page, "opened")


def run_all_cells(page) -> None:
    page.get_by_role("menuitem", name="Run", exact=True).click()
    page.get_by_role("menuitem", name="Run All Cells", exact=True).click()
    page.wait_for_function(ALL_RAN, timeout=400_000)


def cell(page, code: str):
    """The cell with this code."""
    found = page.locator(".jp-CodeCell").filter(has=page.locator(".jp-InputArea", has_text=code)).last
    found.scroll_into_view_if_needed()
    return found


def run(page, code: str):
    """The same cell, after another run of it."""
    found = cell(page, code)
    found.locator(".jp-InputPrompt").click()
    page.keyboard.press("Shift+Enter")
    return found


def shoot(page, name: str) -> None:
    SCREENSHOTS.mkdir(parents=True, exist_ok=True)
    page.wait_for_timeout(300)  # for what still fades in
    page.screenshot(path=SCREENSHOTS / f"{page.theme}-{name}.png")


# What the person sees and does

def sections(page) -> int:
    """Goes through the page from top to bottom; how many sections it has."""
    headings = page.locator(".jp-MarkdownOutput :is(h1, h2)")
    for number in range(headings.count()):
        headings.nth(number).evaluate("heading => heading.scrollIntoView({block: 'start'})")
        shoot(page, f"section-{number:02}")
    return headings.count()


def test_every_section_shows_and_no_cell_failed(seat):
    assert sections(seat) == 15
    assert seat.locator('[data-mime-type="application/vnd.jupyter.error"]').count() == 0
    assert seat.get_by_text("Error displaying widget").count() == 0


def test_a_slider_moved_by_keyboard_draws_a_new_picture(seat):
    explorable = cell(seat, "explore(scenes.load")
    before = explorable.locator("img").get_attribute("src")
    seat.get_by_role("slider", name="rate").focus()
    for _ in range(16):
        seat.keyboard.press("ArrowRight")
    explorable.locator("img[alt*='at 900 a second']").wait_for()
    assert explorable.locator("img").get_attribute("src") != before
    goal = cell(seat, 'goal("00-hockey"')
    goal.get_by_text("Goal reached").first.wait_for()
    explorable.evaluate("cell => cell.scrollIntoView({block: 'end'})")
    shoot(seat, "slider")


def test_the_player_plays_and_can_be_scrubbed(seat):
    player = cell(seat, "caught.play(")
    bar, now = player.get_by_role("slider", name="Simulated time"), player.locator(".now")
    player.evaluate("cell => cell.scrollIntoView({block: 'start'})")
    opened = bar.input_value()
    player.get_by_role("button", name="Play", exact=True).click()
    playwright.expect(bar).not_to_have_value(opened)
    player.get_by_role("button", name="Pause", exact=True).click()
    assert float(bar.input_value()) > float(opened)
    seat.set_viewport_size({"width": 1020, "height": 1330})
    seat.evaluate("jupyterapp.commands.execute('application:toggle-left-area')")
    player.evaluate("cell => cell.scrollIntoView({block: 'start'})")
    shoot(seat, "player")
    seat.set_viewport_size(WINDOW)
    bar.fill("0")
    playwright.expect(now).to_contain_text("publishes message")
    bar.focus()
    seat.keyboard.press("ArrowRight")
    playwright.expect(now).to_contain_text("receives it")


def test_a_prediction_is_committed_and_compared(seat):
    question = cell(seat, 'predict("00-bill"')
    question.get_by_placeholder("a number").fill("900")
    question.get_by_role("button", name="Commit").click()
    question.get_by_text("You predicted 900 dollars").wait_for()
    run(seat, 'reveal("00-bill"').get_by_text("Predicted 900 dollars, measured 18,").wait_for()
    shoot(seat, "prediction")
    run(seat, 'calibration("00")').get_by_alt_text("too low").wait_for()
    shoot(seat, "calibration")


def test_everything_that_was_done_shows_in_the_dark_too(seat):
    seat.evaluate("jupyterapp.commands.execute('apputils:change-theme', {theme: 'JupyterLab Dark'})")
    seat.wait_for_selector("body[data-jp-theme-light='false']", state="attached")
    seat.theme = "dark"
    assert sections(seat) == 15
    cell(seat, 'predict("00-bill"').get_by_text("You predicted 900 dollars").wait_for()


def test_nothing_was_complained_about(seat):
    """The last test: the console and the network, from the first moment to here."""
    assert [said for said in seat.complaints if not any(re.search(pattern, said) for pattern in ALLOWED)] == []
