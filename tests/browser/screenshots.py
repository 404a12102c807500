"""Pictures of the page for the documents; `make screenshots` takes them, no test run does."""

from pathlib import Path

IMAGES = Path(__file__).parents[2] / "docs" / "images"


def test_the_page_is_taken(opened, report):
    IMAGES.mkdir(exist_ok=True)
    with opened(report) as window:
        window.page.screenshot(path=IMAGES / "page.png")
    assert (IMAGES / "page.png").stat().st_size < 300_000
