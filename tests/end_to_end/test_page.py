"""The page in a real Chromium: drop a file, see the bar move, read the transcript, hear a word."""

from __future__ import annotations

import io
import os
import shutil
import wave
from array import array
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.end_to_end.installation import PATIENCE_SECONDS, until
from tests.sites import Site, Visit, site

DEMO = Path(__file__).resolve().parent.parent.parent / "examples" / "demo"

pytestmark = [pytest.mark.browser, pytest.mark.processes]

#: Chromium must talk to nobody but the service.
QUIET = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    from playwright.sync_api import sync_playwright

    program = shutil.which("chromium") or shutil.which("google-chrome")
    if program is None:
        pytest.fail("Chromium is missing; on Debian: apt-get install chromium")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=QUIET)
        yield browser
        browser.close()


#: The page looks at the list of jobs every four seconds; here it need not be waited for so long.
IMPATIENT = "const every = window.setInterval; window.setInterval = (look, ms) => every(look, ms / 10)"


#: For anything to come about on a busy machine; only failures wait so long.
PATIENCE_MILLISECONDS = 1000 * PATIENCE_SECONDS


@pytest.fixture
def page(browser: Any) -> Iterator[Any]:
    """A window that knows nothing of those before it."""
    context = browser.new_context(viewport={"width": 1280, "height": 900})
    context.set_default_timeout(PATIENCE_MILLISECONDS)
    context.add_init_script(IMPATIENT)
    yield context.new_page()
    context.close()


def test_a_dropped_episode_can_be_watched_read_and_heard(serve: Callable[..., Any], page: Any) -> None:
    service = serve(models="scripted", allow_scripted=1, scripted_seconds=1.0, scripted_window=30)
    problems: list[str] = []
    page.on("console", lambda message: problems.append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: problems.append(str(error)))
    widths: list[str] = []

    page.goto(service.url)
    page.set_input_files("#file", DEMO / "episode.mp3")
    page.fill("textarea[name=participant]", "Ada Quill, host")
    page.fill("input[name=title]", "<b>Seeds & stations</b>")
    page.click("#send")
    page.wait_for_selector(".jobs .state.running")
    for _ in range(200):
        # At once: between counting the bars and looking at one, the job may be done and its bar gone.
        widths += page.locator(".jobs .bar i").evaluate_all("bars => bars.slice(0, 1).map(bar => bar.style.width)")
        if page.locator(".jobs .state.done").count():
            break
        page.wait_for_timeout(100)
    page.wait_for_selector("#reader:not([hidden]) .word")

    assert len(set(widths)) > 3, widths
    assert page.inner_text("#title") == "<b>Seeds & stations</b>"
    page.select_option("#look", "caps-list")
    page.wait_for_selector("#styled:has-text('ADA:')")
    page.select_option("#look", "")
    word = page.locator(".word").nth(5)
    word.click()
    page.wait_for_selector(".word.now")
    assert page.evaluate("document.querySelector('#audio').currentTime") > 0
    page.wait_for_timeout(300)
    if shots := os.environ.get("STENOCAST_TEST_SCREENSHOTS"):
        page.screenshot(path=f"{shots}/page.png")
    assert problems == []


def test_a_sent_episode_opens_when_it_is_done_though_nobody_saw_it_run(serve: Callable[..., Any], page: Any) -> None:
    """The stream of its events may come late or not at all: then the list is the first to tell."""
    service = serve(models="scripted", allow_scripted=1, scripted_seconds=0.0, scripted_window=60)
    page.route("**/v1/jobs/*/events", lambda route: route.abort())

    page.goto(service.url)
    page.set_input_files("#file", DEMO / "episode.mp3")
    page.click("#send")

    page.wait_for_selector("#reader:not([hidden]) .word")


def test_an_episode_sent_from_elsewhere_opens_only_when_it_is_chosen(serve: Callable[..., Any], page: Any) -> None:
    service = serve(models="scripted", allow_scripted=1, scripted_seconds=0.5, scripted_window=60)
    page.goto(service.url)
    with service.client() as client, (DEMO / "episode.mp3").open("rb") as audio:
        client.post("/v1/episodes", files={"audio": ("episode.mp3", audio)})

    page.wait_for_selector(".jobs .state.done")
    assert page.locator("#reader").is_hidden()
    page.click(".jobs a.name")

    page.wait_for_selector("#reader:not([hidden]) .word")


def test_the_doubtful_places_of_a_transcript_are_listed_and_played(serve: Callable[..., Any], page: Any) -> None:
    service = serve(models="scripted", allow_scripted=1, scripted_window=60)
    page.route("**/v1/transcripts/*", lambda route: _answered_with_doubts(route))

    page.goto(service.url)
    page.set_input_files("#file", DEMO / "episode.mp3")
    page.click("#send")
    page.wait_for_selector("#doubts:not([hidden])")
    page.click("#doubts summary")

    assert page.inner_text("#doubts summary") == "Listen again to 2 places"
    assert page.locator("#doubts li").all_inner_texts() == [
        "0:04 the same words over and over: <b>row row</b>",
        "0:09 taken for invented and left out: Thank you.",
    ]
    page.locator("#doubts button").nth(1).click()
    # Asked from here: a function that waits in the page would have text evaluated there, which its policy forbids.
    for _ in range(600):
        if page.evaluate("document.querySelector('#audio').currentTime") >= 9:
            return
        page.wait_for_timeout(100)
    pytest.fail("the sound never came to the place that was chosen")


def _answered_with_doubts(route: Any) -> None:
    """The service's own document, with two places in it that a scripted engine never leaves."""
    answer = route.fetch()
    document = answer.json()
    document["quality"]["doubtful"] = [
        {"start": 4.0, "end": 6.0, "reason": "repetition", "text": "<b>row row</b>"},
    ]
    document["quality"]["removed"] = [{"start": 9.0, "end": 9.5, "reason": "invented", "text": "Thank you."}]
    route.fulfill(response=answer, json=document)


def test_a_file_that_is_no_recording_is_explained_on_the_page(
    serve: Callable[..., Any], page: Any, tmp_path: Path
) -> None:
    service = serve(models="scripted", allow_scripted=1)
    (tmp_path / "notes.mp3").write_text("these are only notes")

    page.goto(service.url)
    page.set_input_files("#file", tmp_path / "notes.mp3")
    page.click("#send")

    page.wait_for_selector("#upload-note.bad")
    assert "notes.mp3" in page.inner_text("#upload-note")
    assert page.locator(".jobs > li").count() == 0


def test_an_episode_is_deleted_from_the_page_once_that_is_confirmed(serve: Callable[..., Any], page: Any) -> None:
    service = serve(models="scripted", allow_scripted=1, scripted_seconds=0.5, scripted_window=60)
    page.goto(service.url)
    page.set_input_files("#file", DEMO / "episode.mp3")
    page.click("#send")
    page.wait_for_selector("#reader:not([hidden]) .word")
    asked: list[str] = []

    page.once("dialog", lambda dialog: (asked.append(dialog.message), dialog.dismiss()))
    page.click(".jobs button:has-text('Delete')")
    assert page.locator(".jobs > li").count() == 1
    page.once("dialog", lambda dialog: dialog.accept())
    page.click(".jobs button:has-text('Delete')")

    page.wait_for_selector(".jobs > li", state="detached")
    page.wait_for_selector("#reader", state="hidden")  # a little later: the address changes first
    assert len(asked) == 1
    with service.client() as client:
        assert client.get("/v1/jobs").json()["jobs"] == []


def test_a_list_that_is_older_than_what_the_page_knows_brings_nothing_back(
    serve: Callable[..., Any], page: Any
) -> None:
    """An episode is deleted while the answer to "which jobs are there?" is on its way, with its job in it."""
    service = serve(command="api", models="scripted", allow_scripted=1)
    with service.client() as client, (DEMO / "episode.mp3").open("rb") as audio:
        client.post("/v1/episodes", files={"audio": ("episode.mp3", audio)})
    page.goto(service.url)
    page.wait_for_selector(".jobs > li")
    held: list[Any] = []

    def hold(route: Any) -> None:
        if held:
            route.abort()
        else:
            held.append((route, route.fetch()))

    page.route("**/v1/jobs?limit=50", hold)
    while not held:
        page.wait_for_timeout(50)
    page.once("dialog", lambda dialog: dialog.accept())
    page.click(".jobs button:has-text('Delete')")
    page.wait_for_selector(".jobs > li", state="detached")
    (route, answer) = held[0]
    assert len(answer.json()["jobs"]) == 1
    with page.expect_response("**/v1/jobs?limit=50"):
        route.fulfill(response=answer)
    page.wait_for_timeout(300)

    assert page.locator(".jobs > li").count() == 0


def test_episodes_deleted_elsewhere_leave_the_list_down_to_the_last_one(serve: Callable[..., Any], page: Any) -> None:
    service = serve(command="api", models="scripted", allow_scripted=1)
    ids = []
    with service.client() as client:
        for fields in ({"title": "first"}, {"title": "second", "wording": "verbatim"}):
            with (DEMO / "episode.mp3").open("rb") as audio:
                sent = client.post("/v1/episodes", files={"audio": ("episode.mp3", audio)}, data=fields)
            ids.append(sent.json()["episode_id"])
    page.goto(service.url)
    page.wait_for_selector(".jobs > li:nth-child(2)")

    with service.client() as client:
        client.delete(f"/v1/episodes/{ids[1]}")
        page.wait_for_selector(".jobs > li:nth-child(2)", state="detached")
        assert "first" in page.inner_text(".jobs")
        client.delete(f"/v1/episodes/{ids[0]}")

    page.wait_for_selector(".jobs > li", state="detached")
    page.wait_for_selector("#no-jobs", state="visible")


def test_an_answer_that_is_not_the_services_own_is_told_too(serve: Callable[..., Any], page: Any) -> None:
    """As from a proxy that takes only small uploads: its page is no JSON."""
    service = serve(models="scripted", allow_scripted=1)
    page.route("**/v1/episodes", lambda route: route.fulfill(status=413, body="<html>too large</html>"))

    page.goto(service.url)
    page.set_input_files("#file", DEMO / "episode.mp3")
    page.click("#send")

    page.wait_for_selector("#upload-note.bad")
    assert "413" in page.inner_text("#upload-note")
    assert page.is_enabled("#send")


def test_a_service_that_is_away_is_told_until_it_is_back(serve: Callable[..., Any], page: Any) -> None:
    service = serve(models="scripted", allow_scripted=1)
    page.goto(service.url)
    page.wait_for_selector("#away", state="hidden")

    page.route("**/v1/jobs?*", lambda route: route.abort())
    page.wait_for_selector("#away", state="visible")
    page.unroute("**/v1/jobs?*")

    page.wait_for_selector("#away", state="hidden")


def test_a_repeat_is_told_and_a_file_that_was_chosen_meanwhile_stays(
    serve: Callable[..., Any], page: Any, tmp_path: Path
) -> None:
    service = serve(models="scripted", allow_scripted=1)
    shutil.copy(DEMO / "episode.mp3", tmp_path / "next.mp3")
    held: list[Any] = []
    page.goto(service.url)
    page.set_input_files("#file", DEMO / "episode.mp3")
    page.route("**/v1/episodes", lambda route: held.append(route))
    page.click("#send")
    page.wait_for_selector("#sending:not([hidden])")

    page.set_input_files("#file", tmp_path / "next.mp3")
    while not held:
        page.wait_for_timeout(50)
    held[0].continue_()
    page.unroute("**/v1/episodes")
    page.wait_for_selector(".jobs > li")
    chosen = page.inner_text("#chosen")
    page.click("#send")

    page.wait_for_selector("#upload-note:has-text('next.mp3 is known already')")
    assert chosen == "next.mp3"
    assert page.inner_text("#chosen") == "Drop an episode here"
    assert page.locator(".jobs > li").count() == 1


def send(service: Any, **fields: str) -> dict[str, Any]:
    """Upload the demo episode past the page; its job. Other fields, another job."""
    with service.client() as client, (DEMO / "episode.mp3").open("rb") as audio:
        job: dict[str, Any] = client.post("/v1/episodes", files={"audio": ("a.mp3", audio)}, data=fields).json()
    return job


def finished(service: Any, **fields: str) -> dict[str, Any]:
    job = service.wait_for(send(service, **fields)["id"])
    assert job["state"] == "done", job
    return dict(job)


def top_of(page: Any, selector: str) -> float:
    """Where an element begins, in pixels below the window's upper edge."""
    return float(page.evaluate("selector => document.querySelector(selector).getBoundingClientRect().top", selector))


def test_the_keyboard_stays_where_it_is_when_the_list_of_jobs_changes(serve: Callable[..., Any], page: Any) -> None:
    """A job that moves, or another one that comes, makes the list anew."""
    service = serve(command="api", models="scripted", allow_scripted=1)
    job = send(service, title="first")
    page.goto(service.url)
    page.focus(f"[data-job='{job['id']}'] button:has-text('Cancel')")

    send(service, title="second")
    page.wait_for_selector(".jobs > li:nth-child(2)")
    held = page.evaluate("[document.activeElement.closest('li')?.dataset.job, document.activeElement.textContent]")
    page.keyboard.press("Enter")
    page.wait_for_selector(f"[data-job='{job['id']}'] .state.cancelled")

    assert held == [job["id"], "Cancel"]
    # The button is gone, and the next key must not meet another one.
    assert page.evaluate("[document.activeElement.tagName, document.activeElement.dataset.job]") == ["LI", job["id"]]


def test_text_that_is_selected_in_the_list_stays_selected_while_nothing_happens(
    serve: Callable[..., Any], page: Any
) -> None:
    service = serve(command="api", models="scripted", allow_scripted=1)
    send(service, title="first")
    page.goto(service.url)
    page.wait_for_selector(".jobs a.name, .jobs span.name:has-text('first')")
    page.evaluate("getSelection().selectAllChildren(document.querySelector('.jobs .note'))")

    for _ in range(2):
        with page.expect_response("**/v1/jobs?limit=50"):
            pass
    page.wait_for_timeout(100)

    assert page.evaluate("String(getSelection())") == "waiting for a worker"


def test_a_transcript_that_is_chosen_comes_into_view_in_a_narrow_window(serve: Callable[..., Any], page: Any) -> None:
    service = serve(models="scripted", allow_scripted=1, scripted_window=60)
    job = finished(service)
    page.set_viewport_size({"width": 360, "height": 640})
    page.goto(service.url)
    page.click(".jobs a.name")
    page.wait_for_selector("#reader:not([hidden]) .word")
    page.wait_for_selector("#title:focus")
    shown_at = top_of(page, "#reader")
    page.evaluate("scrollTo(0, 0)")
    page.click(".jobs a.name")
    shown_again_at = top_of(page, "#reader")
    page.goto("about:blank")
    page.goto(f"{service.url}/#/transcript/{job['episode_id']}")
    page.wait_for_selector("#title:focus")

    assert abs(shown_at) < 100
    assert abs(shown_again_at) < 100
    assert abs(top_of(page, "#reader")) < 100
    assert page.evaluate("document.documentElement.scrollWidth") <= 360


def test_the_transcript_that_was_chosen_last_is_shown_whichever_comes_last(
    serve: Callable[..., Any], page: Any
) -> None:
    service = serve(models="scripted", allow_scripted=1, scripted_window=60)
    slow, quick = finished(service, title="slow"), finished(service, title="quick")
    held: list[Any] = []
    page.route(f"**/v1/transcripts/{slow['episode_id']}*", lambda route: held.append(route))
    page.goto(service.url)

    page.click(".jobs a:has-text('slow')")
    page.click(".jobs a:has-text('quick')")
    page.wait_for_selector("#title:has-text('quick')")
    with page.expect_response(f"**/v1/transcripts/{slow['episode_id']}*"):
        held[0].continue_()
    page.wait_for_timeout(300)

    assert page.inner_text("#title") == "quick"
    assert page.evaluate("location.hash").endswith(quick["episode_id"])


def test_a_transcript_that_cannot_be_had_is_told_where_it_would_stand(serve: Callable[..., Any], page: Any) -> None:
    service = serve(models="scripted", allow_scripted=1, scripted_window=60)
    job, other = finished(service, title="here"), finished(service, title="gone")
    page.goto(f"{service.url}/#/transcript/{job['episode_id']}")
    page.wait_for_selector("#reader:not([hidden]) .word")
    with service.client() as client:
        client.delete(f"/v1/episodes/{other['episode_id']}")

    page.evaluate(f"location.hash = '#/transcript/{other['episode_id']}'")
    page.wait_for_selector("#welcome:has-text('deleted')")

    assert page.locator("#reader").is_hidden()


def test_a_paragraph_is_played_with_the_keyboard_alone(serve: Callable[..., Any], page: Any) -> None:
    service = serve(models="scripted", allow_scripted=1, scripted_window=60)
    job = finished(service)
    page.goto(f"{service.url}/#/transcript/{job['episode_id']}")
    page.wait_for_selector("#reader:not([hidden]) .word")

    page.locator(".turn .from").last.focus()
    page.keyboard.press("Enter")

    assert page.evaluate("document.querySelector('#audio').currentTime") > 1


def test_a_transcript_is_saved_in_the_format_that_was_chosen_by_keyboard(
    serve: Callable[..., Any], page: Any
) -> None:
    """To look through the formats with the arrow keys saves nothing yet."""
    service = serve(models="scripted", allow_scripted=1, scripted_window=60)
    job = finished(service, title="Tides")
    saved: list[Any] = []
    page.on("download", lambda download: saved.append(download))
    page.goto(f"{service.url}/#/transcript/{job['episode_id']}")
    page.wait_for_selector("#reader:not([hidden]) .word")

    page.focus("#download")
    while page.input_value("#download") != "format=vtt":
        page.keyboard.press("ArrowDown")
    page.wait_for_timeout(200)
    assert saved == []
    page.keyboard.press("Tab")
    with page.expect_download() as download:
        page.keyboard.press("Enter")

    assert download.value.suggested_filename.endswith(".vtt")
    assert download.value.path().read_text().startswith("WEBVTT")


def test_a_format_that_a_transcript_cannot_be_had_in_is_told_on_the_page(
    serve: Callable[..., Any], page: Any
) -> None:
    service = serve(models="scripted", allow_scripted=1, scripted_window=60)
    job = finished(service)
    page.route(
        "**/v1/transcripts/*download=true",
        lambda route: route.fulfill(status=422, json={"code": "times_missing", "detail": "it has no times"}),
    )
    page.goto(f"{service.url}/#/transcript/{job['episode_id']}")
    page.wait_for_selector("#reader:not([hidden]) .word")

    page.click("#save")

    page.wait_for_selector("#reader-note:has-text('it has no times')")
    assert page.inner_text("#title") != ""


def test_a_transcript_as_html_has_its_look_when_it_is_opened_and_not_saved(
    serve: Callable[..., Any], page: Any
) -> None:
    service = serve(models="scripted", allow_scripted=1, scripted_window=60)
    job = finished(service)
    problems: list[str] = []
    page.on("console", lambda message: problems.append(message.text))

    page.goto(f"{service.url}/v1/transcripts/{job['episode_id']}?format=html")

    assert page.evaluate("getComputedStyle(document.querySelector('main')).maxWidth") == "640px"
    assert problems == []


def send_many(service: Any, count: int) -> list[dict[str, Any]]:
    """Upload so many short recordings; their jobs, oldest first."""
    sent = []
    with service.client() as client:
        for number in range(count):
            tone = io.BytesIO()
            with wave.open(tone, "wb") as file:
                file.setparams((1, 2, 16_000, 0, "NONE", ""))
                file.writeframes(array("h", [number + 1] * 1600).tobytes())
            files = {"audio": ("tone.wav", tone.getvalue())}
            sent.append(client.post("/v1/episodes", files=files, data={"title": f"job {number}"}).json())
    return sent


def test_a_long_list_says_that_it_is_the_newest_part_and_shows_older_jobs_that_stay_live(
    serve: Callable[..., Any], page: Any
) -> None:
    service = serve(command="api", models="scripted", allow_scripted=1)
    sent = send_many(service, 53)
    page.goto(service.url)
    page.wait_for_selector(".jobs > li:nth-child(50)")
    page.wait_for_selector("#older:has-text('The newest 50 jobs.')")
    assert page.locator(".jobs > li").count() == 50

    page.focus("#show-older")
    page.keyboard.press("Enter")
    page.wait_for_selector(".jobs > li:nth-child(51):focus")
    page.wait_for_selector("#older", state="hidden")
    assert page.locator(".jobs > li").count() == 53
    with service.client() as client:
        client.post(f"/v1/jobs/{sent[0]['id']}/cancel")
    page.wait_for_selector(f"[data-job='{sent[0]['id']}'] .state.cancelled")
    if shots := os.environ.get("STENOCAST_TEST_SCREENSHOTS"):
        page.screenshot(path=f"{shots}/older.png", full_page=True)


def test_a_job_that_falls_behind_the_part_that_is_shown_leaves_it(serve: Callable[..., Any], page: Any) -> None:
    """Nothing would tell there how it goes on."""
    service = serve(command="api", models="scripted", allow_scripted=1)
    oldest = send_many(service, 1)[0]
    page.goto(service.url)
    page.wait_for_selector(f"[data-job='{oldest['id']}']")
    assert page.is_hidden("#older")

    send_many(service, 51)

    page.wait_for_selector(f"[data-job='{oldest['id']}']", state="detached")
    page.wait_for_selector("#older", state="visible")
    if shots := os.environ.get("STENOCAST_TEST_SCREENSHOTS"):
        page.locator("#older").scroll_into_view_if_needed()
        page.screenshot(path=f"{shots}/newest.png")


def test_who_hears_the_page_is_told_of_moves_and_not_of_progress(serve: Callable[..., Any], page: Any) -> None:
    service = serve(models="scripted", allow_scripted=1, scripted_seconds=2.0, scripted_window=10)
    page.goto(service.url)
    page.evaluate(
        """() => {
            window.told = [];
            const told = document.querySelector("#moved");
            new MutationObserver(() => window.told.push(told.textContent)).observe(told, { childList: true });
        }"""
    )
    page.set_input_files("#file", DEMO / "episode.mp3")
    page.fill("input[name=title]", "Tides")
    page.click("#send")
    page.wait_for_selector(".jobs .state.done")
    page.wait_for_selector("#moved:text('done')", state="attached")

    assert " ".join(page.evaluate("window.told")) == "Tides: queued. Tides: running. Tides: done."
    assert page.locator("#jobs").get_attribute("aria-live") is None
    assert page.locator("#moved").get_attribute("role") == "status"


@pytest.mark.parametrize(
    ("progress", "said"),
    [({"loads": True}, "Loading the models"), ({"waits": True}, "Decoded, waiting for its worker")],
)
def test_a_job_for_which_nothing_is_done_at_the_moment_says_why(
    serve: Callable[..., Any], page: Any, progress: dict[str, bool], said: str
) -> None:
    service = serve(command="api", models="scripted", allow_scripted=1)
    job = send(service) | {"state": "running", "progress": {"stage": "fetch", "done": 0, **progress}}
    page.route("**/v1/jobs?limit=50", lambda route: route.fulfill(json={"jobs": [job], "next": None}))
    page.route("**/v1/jobs/*/events", lambda route: route.abort())
    page.goto(service.url)

    page.wait_for_selector(f".jobs .note:has-text('{said}')")


# ---------------------------------------------------------------- names by hand


def opened(service: Any, page: Any, **fields: str) -> str:
    """A transcript of two, Ada Quill and Bram Oster, in the reader; its episode."""
    episode_id = str(finished(service, **fields)["episode_id"])
    page.goto(f"{service.url}/#/transcript/{episode_id}")
    page.wait_for_selector("#reader:not([hidden]) .word")
    return episode_id


def rename(service: Any, episode_id: str, revision: int, **speakers: Any) -> None:
    with service.client() as client:
        body = {"revision": revision, "speakers": speakers}
        assert client.patch(f"/v1/transcripts/{episode_id}/speakers", json=body).status_code == 200


def labels(page: Any) -> list[str]:
    return list(dict.fromkeys(page.locator(".turn h3").all_inner_texts()))


def row(number: int) -> str:
    return f"#naming-rows li:nth-child({number})"


def test_names_are_given_with_the_keyboard_alone_and_the_new_revision_is_shown(
    serve: Callable[..., Any], page: Any
) -> None:
    service = serve(models="scripted", allow_scripted=1, scripted_window=60)
    problems: list[str] = []
    page.on("console", lambda message: problems.append(message.text) if message.type == "error" else None)
    episode_id = opened(service, page)
    before = labels(page)

    page.focus("#name-speakers")
    page.keyboard.press("Enter")
    page.wait_for_selector(f"{row(1)} input:focus")
    page.keyboard.press("ControlOrMeta+a")
    page.keyboard.type("<b>Dr Greta</b> Vance, host")
    page.keyboard.press("Tab")
    page.keyboard.press("Tab")
    page.keyboard.press("ControlOrMeta+a")
    page.keyboard.type("Ada Quill")
    page.keyboard.press("Enter")
    page.wait_for_selector("#naming-note:has-text('Saved: this is revision 2 of the transcript.')")

    assert before == ["Ada Quill", "Bram Oster"]
    assert labels(page) == ["<b>Dr Greta</b> Vance", "Ada Quill"]
    assert page.locator("#naming").is_hidden()
    assert page.evaluate("document.activeElement.id") == "name-speakers"
    assert page.inner_text("#speakers li:nth-child(1) summary") == "<b>Dr Greta</b> Vance host, 1:11"
    with service.client() as client:
        speakers = client.get(f"/v1/transcripts/{episode_id}").json()["speakers"]
    assert [each["known_by"] for each in speakers] == ["given", "given"]
    assert problems == []


def test_a_voice_is_heard_for_some_seconds_before_it_is_named(serve: Callable[..., Any], page: Any) -> None:
    service = serve(models="scripted", allow_scripted=1, scripted_window=60)
    opened(service, page)
    page.click("#speakers li:nth-child(2) summary")
    page.click("#speakers li:nth-child(2) button")
    page.wait_for_selector(f"{row(2)} input:focus")

    page.click(f"{row(2)} .hear")
    sound = page.locator("#audio")
    begun = sound.evaluate("audio => audio.currentTime")
    sound.evaluate("audio => { audio.playbackRate = 4 }")
    for _ in range(300):
        ended = sound.evaluate("audio => audio.currentTime")
        if ended > begun + 3 and sound.evaluate("audio => audio.paused"):
            break
        page.wait_for_timeout(100)

    assert begun >= 6  # the second voice begins there
    assert 3 < ended - begun < 30  # at four times the speed, and on a busy machine, it is noticed later


def test_a_name_is_taken_away_and_what_was_given_by_hand_taken_back(serve: Callable[..., Any], page: Any) -> None:
    service = serve(models="scripted", allow_scripted=1, scripted_window=60)
    opened(service, page)

    page.click("#name-speakers")
    page.fill(f"{row(1)} input", "")
    page.click("#naming-save")
    page.wait_for_selector("#naming-note:has-text('revision 2')")
    without = labels(page)
    told = page.inner_text("#name-speakers")
    page.click("#name-speakers")
    page.click(f"{row(1)} button:has-text('As heard')")
    page.click("#naming-save")
    page.wait_for_selector("#naming-note:has-text('revision 3')")

    assert (without, told) == (["Speaker 1", "Bram Oster"], "Name the speakers (1 without a name)")
    assert labels(page) == ["Ada Quill", "Bram Oster"]


def test_names_that_come_too_late_are_kept_beside_the_revision_that_is_current(
    serve: Callable[..., Any], page: Any
) -> None:
    service = serve(models="scripted", allow_scripted=1, scripted_window=60)
    episode_id = opened(service, page)
    page.click("#name-speakers")
    page.fill(f"{row(2)} input", "Cleo Marsh")
    rename(service, episode_id, 1, S1="Greta Vance")

    page.click("#naming-save")
    page.wait_for_selector("#naming-note.bad:has-text('changed meanwhile and is shown as it is now (revision 2)')")
    shown = labels(page)
    kept = [page.input_value(f"{row(number)} input") for number in (1, 2)]
    page.click("#naming-save")
    page.wait_for_selector("#naming-note:has-text('revision 3')")

    assert (shown, kept) == (["Greta Vance", "Bram Oster"], ["Greta Vance", "Cleo Marsh"])
    assert labels(page) == ["Greta Vance", "Cleo Marsh"]


def test_a_name_that_is_refused_is_told_at_its_field_in_plain_words(serve: Callable[..., Any], page: Any) -> None:
    service = serve(models="scripted", allow_scripted=1, scripted_window=60)
    opened(service, page)
    page.set_viewport_size({"width": 360, "height": 640})
    page.click("#name-speakers")

    for number in (1, 2):
        page.fill(f"{row(number)} input", "Greta Vance")
    page.click("#naming-save")
    page.wait_for_selector(f"{row(1)} input[aria-invalid]:focus")
    both = page.inner_text("#naming-note")
    page.fill(f"{row(1)} input", "...")
    page.click("#naming-save")
    page.wait_for_selector("#naming-note:has-text('That cannot be a name')")

    assert both == "Two speakers cannot both be Greta Vance."
    assert "That cannot be a name" in page.inner_text(f"{row(1)} .why")
    assert page.is_visible("#naming")
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
    page.keyboard.press("Escape")
    assert page.is_hidden("#naming")
    assert labels(page) == ["Ada Quill", "Bram Oster"]


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        ({"status": 409, "json": {"code": "episode_in_work", "detail": "x"}}, "is being transcribed again"),
        ({"status": 410, "json": {"code": "episode_deleted", "detail": "x"}}, "was deleted"),
        ({"status": 503, "json": {"code": "database_busy", "detail": "the database is busy"}}, "database is busy"),
        (None, "did not answer. Nothing is lost"),
    ],
)
def test_what_keeps_names_from_being_saved_is_told_and_they_stay_in_their_fields(
    serve: Callable[..., Any], page: Any, answer: dict[str, Any] | None, said: str
) -> None:
    service = serve(models="scripted", allow_scripted=1, scripted_window=60)
    opened(service, page)
    page.route("**/v1/transcripts/*/speakers", lambda route: route.fulfill(**answer) if answer else route.abort())
    page.click("#name-speakers")
    page.fill(f"{row(2)} input", "Cleo Marsh")

    page.click("#naming-save")
    page.wait_for_selector(f"#naming-note.bad:has-text('{said}')")

    assert page.input_value(f"{row(2)} input") == "Cleo Marsh"
    assert page.is_enabled("#naming-save")


def test_on_a_small_window_a_long_name_breaks_and_what_came_of_it_is_in_view(
    serve: Callable[..., Any], page: Any
) -> None:
    service = serve(models="scripted", allow_scripted=1, scripted_window=60)
    opened(service, page)
    page.set_viewport_size({"width": 360, "height": 400})
    page.click("#name-speakers")
    page.wait_for_selector(f"{row(1)} input:focus")
    covered = []
    for number in (2, 1):  # each first scrolled to where the player stands over it
        field = page.locator(f"{row(number)} input")
        field.evaluate("field => scrollBy(0, field.getBoundingClientRect().bottom - innerHeight + 20)")
        field.focus()
        covered.append(page.evaluate("document.activeElement.getBoundingClientRect().bottom"))
    player = page.locator(".player").bounding_box()["y"]

    page.fill(f"{row(2)} input", "W" * 200)
    page.click("#naming-save")
    page.wait_for_selector("#naming-note:has-text('Saved')")
    page.wait_for_selector("#name-speakers:focus")
    note = page.locator("#naming-note").bounding_box()

    assert max(covered) < player, (covered, player)
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
    assert 0 <= note["y"] <= 400 - note["height"], note


@dataclass
class Receiver:
    """Whoever gets the events: with which status it answers now."""

    status: int = 204

    def answer(self, visit: Visit) -> None:
        visit.answer(self.status)


def subscribed(service: Any, there: Site, **fields: Any) -> str:
    """Have queued jobs told to an address with keys in it; the id of the webhook."""
    address = there.url("/k3y-in-the-path?token=k3y-behind-it")
    with service.client() as client:
        answer = client.post("/v1/webhooks", json={"url": address, "events": ["job.queued.v1"], **fields})
    return str(answer.json()["id"])


def tries(service: Any, webhook_id: str) -> list[int]:
    """Of each event for a webhook, the newest first."""
    with service.client() as client:
        answer = client.get(f"/v1/webhooks/{webhook_id}/deliveries").raise_for_status()
    return [each["tries"] for each in answer.json()["deliveries"]]


def test_an_operator_sees_what_became_of_webhooks_and_mends_it(serve: Callable[..., Any], page: Any) -> None:
    service = serve(models="scripted", allow_scripted=1, scripted_window=60, outward_networks="127.0.0.0/8")
    problems: list[str] = []
    page.on("pageerror", lambda error: problems.append(str(error)))
    receiver = Receiver(503)
    with site(receiver.answer) as there:
        page.goto(service.url)
        page.wait_for_selector("#no-jobs")
        assert page.locator("#webhooks").is_hidden()
        webhook_id = subscribed(service, there, description="the CMS <b>")
        send(service)
        page.wait_for_selector("#webhooks-sum:has-text('1, 1 failing')")
        page.click("#webhooks summary")
        page.wait_for_selector("#webhook-list ul:has-text('job.queued.v1 waits, again')")
        card = page.inner_text("#webhook-list > li")
        assert "the CMS <b>" in card
        assert f"127.0.0.1:{there.port} · {webhook_id[:8]} · 1 type of event" in card
        assert "Pending: 1. Given up: 0." in card
        assert "Last: job.queued.v1 waits, refused, answered 503" in card

        page.click("button:has-text('Send a test event')")
        page.wait_for_selector("#webhooks-note.bad:has-text('test event was not delivered (refused, answered 503, ')")
        picture(page, "webhooks-failing")
        # Not before the second try has failed: it would take away the button that is to be pressed.
        until(lambda: tries(service, webhook_id) == [2], "the event was tried again by itself")
        receiver.status = 204
        page.click("button:has-text('Send again')")
        page.wait_for_selector("#webhook-list .note:has-text('Last: job.queued.v1 delivered, answered 204')")
        page.wait_for_selector("#webhook-list ul", state="detached")
        assert page.inner_text("#webhooks-note:not(.bad)") == "job.queued.v1 is sent to the CMS <b> again."
        page.wait_for_selector("#webhook-list .state.enabled")

        with service.client() as client:
            client.patch(f"/v1/webhooks/{webhook_id}", json={"state": "disabled"})
        page.wait_for_selector("#webhook-list .note:has-text('Disabled by hand.')")
        picture(page, "webhooks-disabled")
        page.focus("button:has-text('Enable')")
        page.keyboard.press("Enter")
        page.wait_for_selector("#webhook-list .state.enabled")
        assert page.evaluate("document.activeElement.dataset.webhook") == webhook_id  # the button is gone
        page.wait_for_selector("#webhooks-sum:text-is('1')")

        receiver.status = 410
        send(service, wording="verbatim")
        page.wait_for_selector("#webhook-list .note:has-text('Disabled: its receiver answered 410')")
        page.wait_for_selector("#webhook-list ul:has-text('given up: its receiver wants no more events')")
        assert "Given up: 1." in page.inner_text("#webhook-list")
        page.set_viewport_size({"width": 360, "height": 640})
        assert page.evaluate("document.documentElement.scrollWidth") <= 360
        seen = page.content()
    assert [each for each in ("k3y", "whsec_") if each in seen] == []
    assert problems == []


def test_a_webhook_that_is_removed_elsewhere_leaves_the_page(serve: Callable[..., Any], page: Any) -> None:
    service = serve(command="api", models="scripted", allow_scripted=1, outward_networks="127.0.0.0/8")
    with site(Receiver().answer) as there:
        webhook_id = subscribed(service, there)
        page.goto(service.url)
        page.click("#webhooks summary")
        page.wait_for_selector("#webhook-list .note:has-text('No event was sent to it lately.')")

        with service.client() as client:
            client.delete(f"/v1/webhooks/{webhook_id}")

        page.wait_for_selector("#webhooks", state="hidden")


def picture(page: Any, name: str) -> None:
    """Wide and narrow, by day and by night, where somebody wants to look."""
    shots = os.environ.get("STENOCAST_TEST_SCREENSHOTS")
    if not shots:
        return
    for width, height in ((1280, 900), (360, 740)):
        page.set_viewport_size({"width": width, "height": height})
        for scheme in ("light", "dark"):
            page.emulate_media(color_scheme=scheme)
            page.locator("#webhooks").scroll_into_view_if_needed()
            page.screenshot(path=f"{shots}/{name}-{width}-{scheme}.png", full_page=width == 1280)
    page.emulate_media(color_scheme="light")
    page.set_viewport_size({"width": 1280, "height": 900})
