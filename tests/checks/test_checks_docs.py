"""The generated document says what the checks say."""

from checks.base import discover
from checks.docs import TARGET, render


def test_the_document_is_not_stale() -> None:
    assert TARGET.read_text(encoding="utf-8") == render(discover()), "run `make docs`"


def test_every_check_has_its_section_and_its_line() -> None:
    text = render(discover())
    for check in discover():
        assert f"\n## {check.code}\n" in text
        assert f"`checks/{check.name}.py`" in text
        assert not check.reason or f"\n### {check.reason}\n" in text
