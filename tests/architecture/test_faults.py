"""Every fault that was thought of has a test that asserts what is promised about it, and the document tells of both."""

from itertools import chain
from pathlib import Path

import pytest
from promises.document import TARGET, MisplacedMarkError, known, marked, render


def test_every_fault_has_a_test_and_every_mark_a_fault() -> None:
    numbers = sorted(chain.from_iterable(known().values()))
    assert numbers == list(range(1, 73))
    assert sorted(marked()) == numbers, (
        "mark a test with pytest.mark.fault(number), tests/promises/faults.toml says what it is"
    )


def test_the_document_of_faults_is_fresh() -> None:
    assert TARGET.read_text(encoding="utf-8") == render(), "run `make docs`"


@pytest.mark.parametrize(
    "source",
    [
        "pytestmark = pytest.mark.fault(1)",
        "@pytest.mark.fault\ndef test_it(): ...",
        "@pytest.mark.fault()\ndef test_it(): ...",
        "@pytest.mark.fault(1)\ndef helper(): ...",
        "@pytest.mark.skip\n@pytest.mark.fault(1)\ndef test_it(): ...",
        "class TestIt:\n    @pytest.mark.fault(1)\n    def test_it(self): ...",
    ],
)
def test_a_mark_that_runs_nothing_is_refused(tmp_path: Path, source: str) -> None:
    (tmp_path / "test_it.py").write_text(source)
    with pytest.raises(MisplacedMarkError):
        marked(tmp_path)


def test_a_mark_may_name_several_faults(tmp_path: Path) -> None:
    (tmp_path / "test_it.py").write_text("@pytest.mark.fault(3, 4)\ndef test_it(): ...\n")
    it = (f"{tmp_path.name}/test_it.py", "test_it")
    assert marked(tmp_path) == {3: [it], 4: [it]}


def test_ci_runs_the_slow_tests_that_make_test_leaves_out() -> None:
    """A promise is asserted on every landing, however long its test takes."""
    root = Path(__file__).parents[2]
    made = (root / "Makefile").read_text(encoding="utf-8")
    assert 'test: setup\n\t@$(TEST) -m "not slow" $(ARGS)\n' in made
    assert "test-slow: setup\n\t@$(TEST) -m slow $(ARGS)\n" in made
    called = (root / ".ci" / "run").read_text(encoding="utf-8").splitlines()
    assert {"make test", "make test-slow"} <= set(called)
