"""The documents make a site without a loose end, which asks no other host for anything; what is generated is fresh."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from flows.commands.reference import DOCS, DOCUMENTS

LOADED = re.compile(
    r"""<(?:script|img|iframe|source)\b[^>]*\bsrc="?(?:https?:)?//|<link\b[^>]*rel="?(?:stylesheet|preload|icon|preconnect)[^>]*href="?(?:https?:)?//"""
)


@pytest.mark.parametrize("name", DOCUMENTS)
def test_the_generated_reference_is_fresh(name: str) -> None:
    assert (DOCS / name).read_text(encoding="utf-8") == DOCUMENTS[name](), "run `make docs`"


def test_the_site_is_built_without_a_loose_end_and_loads_nothing_from_elsewhere(tmp_path: Path) -> None:
    built = subprocess.run(
        [sys.executable, "-m", "mkdocs", "build", "-f", "docs/site/mkdocs.yml", "-d", str(tmp_path / "site")],
        cwd=DOCS.parent,
        env={**os.environ, "NO_MKDOCS_2_WARNING": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert built.returncode == 0, built.stderr
    pages = {page.relative_to(tmp_path / "site"): page.read_text("utf-8") for page in tmp_path.rglob("*.html")}
    assert {f"{name.removesuffix('.md')}.html" for name in DOCUMENTS} <= {str(page) for page in pages}
    assert not [str(page) for page, text in pages.items() if LOADED.search(text)]
