"""The player in Chromium: it plays, scrubs, steps and listens to keys, in any theme, with no error and no stutter."""
import re
from pathlib import Path

import pytest

from simulator.evidence.trace import Trace
from simulator.views.player import player

pytestmark = pytest.mark.browser
SHOTS = Path(__file__).parents[2] / "out" / "screenshots"
VERDICTS = [(True, "order kept"), (True, "no duplicate"), (False, "3 lost: orders-0 offsets 600–602"),
            (True, "0 unseen")]


@pytest.fixture(scope="module")
def browser(chromium_path):
    sync_api = pytest.importorskip("playwright.sync_api", reason="needs playwright (pip install playwright)")
    with sync_api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium_path, args=["--no-sandbox", "--disable-gpu"])
        yield browser
        browser.close()


@pytest.fixture(scope="module")
def html(story) -> str:
    return player(story.trace, title="acks=1, leader crashes: 3 acknowledged records are gone", verdicts=VERDICTS,
                  explanation=story.why, subtitle="Kafka, 3 brokers, replication 3 · broker-1 crashes at 2.002 s",
                  question="Why was offset 600 lost?", seed=7).html()


@pytest.fixture
def open_page(browser, tmp_path):
    """Opens a page with this HTML in its body; at the end no error must have been seen and nothing fetched."""
    pages, seen = [], []

    def go(*bodies: str, width: int = 1180, height: int = 980, head: str = "", **context):
        page = browser.new_context(viewport={"width": width, "height": height}, **context).new_page()
        page.on("console", lambda message: seen.append(message.text) if message.type in ("error", "warning") else None)
        page.on("pageerror", lambda error: seen.append(str(error)))
        page.on("request", lambda request: seen.append(request.url) if re.match("https?:|ws", request.url) else None)
        file = tmp_path / f"page-{len(pages)}.html"
        file.write_text(
            f"<!doctype html><meta charset=utf-8><title>player</title>{head}<body style='margin:0'>{''.join(bodies)}",
            encoding="utf-8")
        page.goto(file.as_uri())
        pages.append(page)
        return page

    yield go
    for page in pages:
        page.context.close()
    assert seen == []


def shot(page, name: str) -> None:
    SHOTS.mkdir(parents=True, exist_ok=True)
    page.wait_for_timeout(200)
    page.screenshot(path=SHOTS / f"player-{name}.png", full_page=True)


def drawn(page) -> None:
    """Waits until what was asked for has been drawn: in the next frame, so it is there in the one after."""
    page.evaluate("new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))")


def moment(page) -> str:
    drawn(page)
    return page.locator(".now").inner_text()


NOW = "document.querySelector('[data-player]').shadowRoot.querySelector('.now').innerText"
TELLS = f"told => told.some(words => {NOW}.includes(words))"


def test_it_opens_at_the_decisive_moment(open_page, html):
    page = open_page(html)
    assert "broker-1 crashes" in moment(page)
    assert page.locator(".why [aria-current]").inner_text().endswith("broker-1 crashes")
    assert page.locator("img").is_hidden(), "the picture still stands beside the player"
    shot(page, "light")


def test_keys_step_jump_and_zoom(open_page, html, story):
    page = open_page(html)
    page.get_by_label("Simulated time").focus()
    page.keyboard.press("ArrowRight")
    after = moment(page)
    page.keyboard.press("ArrowLeft")
    assert "broker-1 crashes" in moment(page) and "broker-1 crashes" not in after
    page.keyboard.press("End")
    assert story.trace.describe(len(story.trace) - 1) in moment(page)
    page.keyboard.press("Home")
    assert story.trace.describe(0) in moment(page)
    speed = float(page.locator(".speed").input_value())
    page.keyboard.press("+")
    assert float(page.locator(".speed").input_value()) < speed, "zooming in slows time down by as much"


def test_it_plays_and_pauses(open_page, html):
    page = open_page(html)
    page.get_by_role("button", name="Play", exact=True).click()
    before = moment(page)
    page.wait_for_function(f"told => !({TELLS})(told)", arg=[before])
    page.keyboard.press("Space")  # the focused button is pressed, which pauses
    stopped = moment(page)
    assert stopped != before
    page.wait_for_timeout(300)
    assert moment(page) == stopped
    page.get_by_label("Simulated time").focus()
    page.keyboard.press("Space")
    assert page.get_by_role("button", name="Pause", exact=True).is_visible()


def test_scrubbing_and_dragging_set_the_time(open_page, html):
    page = open_page(html)
    page.get_by_label("Simulated time").fill("1.5")
    assert float(re.match(r"[\d.]+", moment(page))[0]) == pytest.approx(1.501, abs=1e-3)  # the trace begins at 0.001 s
    box = page.locator(".times canvas").bounding_box()
    page.mouse.move(box["x"] + 300, box["y"] + 100)
    page.mouse.down()
    page.mouse.move(box["x"] + 500, box["y"] + 100)
    page.mouse.up()
    assert not moment(page).startswith("1.501")


def test_the_explanation_leads_to_its_moments(open_page, html, story):
    page = open_page(html)
    for place, (_, _, sentence) in enumerate(story.why[:-1]):
        page.locator(".why button").nth(place).click()
        assert sentence in moment(page)
    shot(page, "truncation")


def test_filters_leave_only_what_was_asked_for(open_page, html):
    page = open_page(html)
    page.locator(".record").fill("600")
    page.locator(".page summary").click()
    rows = page.locator("tbody tr").all_inner_texts()
    assert 10 < len(rows) < 60
    assert "producer sends records 600 and on to broker-1" in rows[0] and any("truncates" in row for row in rows)
    page.locator(".record").fill("")
    page.locator(".node").select_option("controller")
    drawn(page)
    assert all("controller" in row for row in page.locator("tbody tr").all_inner_texts())
    shot(page, "filtered")


def test_of_several_partitions_one_log_is_drawn_before_any_is_chosen(open_page, tell):
    page = open_page(player(tell(crash=0.5, end=0.6, keys=2).trace).html())
    high = [page.locator(".nodes canvas").evaluate("canvas => canvas.clientHeight")]
    page.locator("select.key").select_option("orders-1")
    drawn(page)
    high.append(page.locator(".nodes canvas").evaluate("canvas => canvas.clientHeight"))
    assert high[0] == high[1] > 300


def test_the_text_form_tells_every_event(open_page, tell):
    short = tell(end=0.08).trace
    page = open_page(player(short).html())
    page.locator(".page summary").click()
    drawn(page)
    told = [row.split("\t")[2] for row in page.locator("tbody tr").all_inner_texts()]
    assert told == [short.describe(event) for event in range(len(short))] and len(told) > 100


def test_pointing_tells_details(open_page, html):
    page = open_page(html)
    box = page.locator(".nodes canvas").bounding_box()
    page.mouse.move(box["x"] + box["width"] * 0.27, box["y"] + 90)
    assert "broker-1" in page.locator(".nodes .tip").inner_text()


def test_members_of_a_group_tell_what_they_own(open_page):
    trace = Trace()
    broker, member = trace.node("coordinator", "broker", "a"), trace.node("consumer-1", "consumer", "a")
    kinds = {name: trace.kind(name, "state", f"{{node}}: {name} {{key}}") for name in ("stable", "assigned", "revoked")}
    changes = [("assigned", 0), ("assigned", 1), ("revoked", 0)]
    trace.add(0.0, kinds["stable"], broker)
    for time, (name, key) in enumerate(changes, start=1):
        trace.add(time, kinds[name], member, key=trace.keys.code(f"orders-{key}"))
    page = open_page(player(trace).html())

    def owned() -> str:
        box = page.locator(".nodes canvas").bounding_box()
        page.mouse.move(box["x"] + 5, box["y"] + 5)
        page.mouse.move(box["x"] + box["width"] - 60, box["y"] + 90)
        return page.locator(".nodes .tip").inner_text().split("; ")[-1]

    assert owned() == "owns orders-1"
    page.keyboard.press("Home")
    page.get_by_role("button", name="First event").click()
    assert "owns" not in owned()


def test_ten_thousand_events_leave_time_to_spare_in_every_frame(open_page, html, story):
    page = open_page(html)
    for zoom in (0, 12):  # as it opens, and with the whole trace in the diagram
        for _ in range(zoom):
            page.get_by_role("button", name="Zoom out").click()
        page.evaluate("document.querySelector('[data-player]').frameWork.length = 0")
        page.get_by_label("Simulated time").fill("0")
        page.get_by_role("button", name="Play", exact=True).click()
        page.wait_for_function("document.querySelector('[data-player]').frameWork.length > 60")
        work = sorted(page.evaluate("document.querySelector('[data-player]').frameWork"))
        page.get_by_role("button", name="Pause", exact=True).click()
        quiet = work[len(work) // 4]  # of the others, some were interrupted by whatever else the machine does
        print(f"\n{len(story.trace):,} events: {quiet:.2f} ms of work for the quickest quarter of {len(work)} frames")
        assert quiet < 8


def test_less_motion_means_one_event_after_the_other(open_page, html, story):
    page = open_page(html, reduced_motion="reduce")
    assert "broker-1 crashes" in moment(page)
    page.get_by_label("Simulated time").focus()
    page.keyboard.press("Home")
    page.keyboard.press("Space")
    page.wait_for_function(TELLS, arg=[story.trace.describe(event) for event in range(1, 5)])
    assert page.evaluate("document.querySelector('[data-player]').frameWork.length") == 0, "something moved"


@pytest.mark.parametrize("name, options", [("dark", {"color_scheme": "dark"}), ("narrow", {"width": 700}),
                                           ("phone", {"width": 420})])
def test_it_fits_its_surroundings(open_page, html, name, options):
    page = open_page(html, **options)
    dark = page.evaluate(
        "document.querySelector('[data-player]').shadowRoot.querySelector('.page').classList.contains('dark')")
    assert dark == (name == "dark")
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), "the page must not scroll sideways"
    shot(page, name)


def test_jupyterlabs_dark_theme_wins_over_a_light_system(open_page, html):
    page = open_page(html, head="<style>:root { --jp-layout-color0: #111111 }</style>")
    drawn(page)
    assert page.evaluate(
        "document.querySelector('[data-player]').shadowRoot.querySelector('.page').classList.contains('dark')")


def test_several_players_share_a_page(open_page, html, tell):
    other = player(tell(crash=1, fenced=2, returns=3, end=3.5).trace, title="Another").html()
    page = open_page(html, other, html)
    page.wait_for_timeout(200)
    assert page.evaluate("[...document.querySelectorAll('[data-player]')].map(host => !!host.shadowRoot)") == [True] * 3
    assert page.evaluate("Object.keys(window).filter(name => /player|upgrade|trace/i.test(name))") == []


def test_off_the_screen_it_rests(open_page, html):
    page = open_page(html, "<div style='height: 4000px'></div>")
    page.get_by_role("button", name="Play", exact=True).click()
    page.evaluate("scrollTo(0, 4000)")
    rests = """async () => {
        const frames = () => document.querySelector('[data-player]').frameWork.length, before = frames();
        await new Promise(done => setTimeout(done, 300));
        return frames() === before;
    }"""
    assert any(page.evaluate(rests) for _ in range(20)), "it goes on where nobody sees it"


def test_without_scripts_it_is_a_picture_with_a_text(open_page, html):
    page = open_page(html, java_script_enabled=False)
    image = page.get_by_role("img")
    assert image.is_visible() and image.get_attribute("alt").startswith("acks=1, leader crashes")
    page.locator("summary").click()
    assert "broker-1 crashes" in page.locator("pre").inner_text()
    shot(page, "picture")


@pytest.mark.parametrize("events", [0, 1])
def test_hardly_any_events_are_no_error(open_page, events):
    from simulator.evidence.trace import Trace
    trace = Trace()
    for _ in range(events):
        trace.add(1.0, trace.kind("tick", "local", "{node} ticks"), trace.node("a", "queue"))
    page = open_page(player(trace, title="Small").html())
    page.wait_for_timeout(200)
    assert page.locator("h2").inner_text() == "Small"
    page.get_by_label("Simulated time").focus()
    for key in ("ArrowRight", "ArrowLeft", "Home", "End", "Space"):
        page.keyboard.press(key)
    drawn(page)
