"""Looks at the built site with a headless Chromium, from files and without a network, and takes screenshots.

    python site/browse.py FOLDER

Every page must load without an error of its scripts, with all of its pictures, and without asking for anything from elsewhere; none may be
larger than LARGEST. The pages of VIEWS are photographed into FOLDER.
"""

import shutil
import sys
from pathlib import Path

from playwright.sync_api import TimeoutError, sync_playwright

BUILT = Path(__file__).parent / "built"
VIEWS = (
    "index",
    "getting_started",
    "performance",
    "errors",
    "explain",
    "autograd",
    "autograd.zh",
    "reference/rushlight.nn",
    "differences",
    "support",
    "support/torch.nn",
)
LARGEST = 300_000
BROWSERS = ("chromium", "chromium-browser", "google-chrome")
BROKEN = "() => [...document.images].filter(image => !image.complete || !image.naturalWidth).map(image => image.src)"


def look(page, path):
    """What is wrong with a page."""
    wrong = []
    outside = lambda request: request.url.startswith(("file:", "data:", "blob:")) or wrong.append(f"asks for {request.url}")  # noqa: E731
    failed = lambda error: wrong.append(f"script: {error}")  # noqa: E731
    missing = lambda request: wrong.append(f"is not there: {request.url}")  # noqa: E731
    listeners = {"request": outside, "pageerror": failed, "requestfailed": missing}
    for event, listener in listeners.items():
        page.on(event, listener)
    page.goto(path.as_uri())
    if not page.locator("h1").first.is_visible():
        wrong.append("has no heading in sight")
    wrong += [f"does not show {source}" for source in page.evaluate(BROKEN)]
    if path.stat().st_size > LARGEST:
        wrong.append(f"has {path.stat().st_size} bytes")
    for event, listener in listeners.items():
        page.remove_listener(event, listener)
    return wrong


def stepped(page, folder):
    """What is wrong with the page of a backward: it goes forward and back, and shows a gradient where one has arrived."""
    page.goto((BUILT / "pages/backward.html").as_uri())
    told, shown = page.locator(".rl-told h2"), page.locator(".rl-gradient")
    before = told.inner_text()
    page.locator("[data-go=next]").click()
    page.locator("[data-go=next]").click()
    wrong = [] if told.inner_text().startswith("step 2 of ") else [f"two steps lead to {told.inner_text()!r}"]
    wrong += [] if sum(bool(text) for text in shown.all_text_contents()) > 2 else ["gradients do not appear"]
    page.screenshot(path=folder / "backward.step.png")
    page.keyboard.press("ArrowLeft")
    page.locator("[data-go=back]").click()
    wrong += [] if told.inner_text() == before and not any(shown.all_text_contents()) else ["it does not go back"]
    page.locator("[data-go=last]").click()
    page.screenshot(path=folder / "backward.end.png")
    return wrong + ([] if all(shown.all_text_contents()[:-1]) else ["at the end a gradient is missing"])


def opened(page, folder):
    """What is wrong with the page of a graph: boxes open in their place, and close."""
    page.goto((BUILT / "pages/graph.html").as_uri())
    frames, closed = page.locator(".rl-frame"), page.locator(".rl-opens")
    counts = [frames.count()]
    closed.first.click()
    counts.append(frames.count())
    page.screenshot(path=folder / "graph.open.png")
    frames.last.focus()
    page.keyboard.press("Enter")
    counts.append(frames.count())
    return [] if counts == [1, 2, 1] else [f"boxes that are open, at first, after a click and after Enter: {counts}"]


def searched(page, folder, words):
    """Whether a search on the first page finds something."""
    page.goto((BUILT / "index.html").as_uri())
    try:
        page.locator("input.md-search__input").click(timeout=10000)
        page.keyboard.type(words)
        page.locator(".md-search-result__link").first.wait_for(timeout=10000)
        return True
    except TimeoutError:
        print(f"a search for {words} finds nothing")
        return False
    finally:
        page.screenshot(path=folder / "search.png")


def main():
    folder = Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    browser = next(filter(None, map(shutil.which, BROWSERS)), None)
    if browser is None:
        raise SystemExit(f"needs one of {', '.join(BROWSERS)}")
    # The sources that pages link to are text and alike: one stands for all.
    paths = [path for path in sorted(BUILT.rglob("*.html")) if "source" not in path.parts and path.name != "404.html"]
    paths.append(next(BUILT.glob("source/**/*.html")))
    wrong = 0
    with sync_playwright() as play:
        chromium = play.chromium.launch(executable_path=browser, args=["--no-sandbox"])
        page = chromium.new_page(viewport={"width": 1280, "height": 900})
        for path in paths:
            for sentence in look(page, path):
                print(f"{path.relative_to(BUILT)} {sentence}")
                wrong += 1
            name = str(path.relative_to(BUILT).with_suffix(""))
            if name in VIEWS:
                page.screenshot(path=folder / f"{name.replace('/', '.')}.png")
        for sentence in stepped(page, folder) + opened(page, folder):
            print(f"pages: {sentence}")
            wrong += 1
        wrong += sum(not searched(page, folder, words) for words in ("FXFloatFunctional", "retain_graph"))
        chromium.close()
    print(f"{len(paths)} pages looked at, {wrong} things wrong")
    raise SystemExit(bool(wrong))


if __name__ == "__main__":
    main()
