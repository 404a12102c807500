"""What keeps a snapshot out is told as far as it cannot hold what a row said."""

from types import SimpleNamespace

import pytest

from flows.steps.loading import Unloadable
from schemas.table import GateError

FACTS = SimpleNamespace(provider="payt", tenant_id="17", id="s1")


@pytest.mark.parametrize(
    ("error", "said", "code"),
    [
        (GateError("the staged plans are refused: acount_id"), "refused: acount_id", "contract"),
        (RuntimeError("row of Jane Doe"), "an error nobody expected (RuntimeError), report it", "internal"),
    ],
)
def test_our_own_words_are_told_and_a_librarys_are_not(error, said, code):
    unloadable = Unloadable(FACTS, error)
    assert said in str(unloadable)
    assert "Jane" not in str(unloadable)
    assert unloadable.code == code
