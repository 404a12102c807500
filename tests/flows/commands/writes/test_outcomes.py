"""How a call with changes ends: which exit code each end has, and which of several weighs most."""

from datetime import UTC, datetime
from types import SimpleNamespace

import pytest

from flows.commands.writes.outcomes import told, worst
from flows.commands.writes.plans import _refuse_repeats
from flows.errors import UsageError
from providers.writing import Order
from writes.intents import APPROVED, DONE, PARKED, REFUSED, SENDING, UNKNOWN, Draft, Intent

AT = datetime(2026, 6, 30, tzinfo=UTC)


@pytest.mark.parametrize(
    ("codes", "code"), [([], 0), ([0, 0], 0), ([0, 2], 2), ([2, 5], 5), ([5, 4], 4), ([4, 2, 5, 0], 4)]
)
def test_what_needs_a_person_weighs_most_then_what_is_busy_then_what_failed(codes, code):
    assert worst(codes) == code


@pytest.mark.parametrize(
    ("operation", "state", "more", "code"),
    [
        ("create", DONE, {"is_read_back": True}, 0),
        ("create", DONE, {"is_read_back": True, "differences": ("another day",)}, 4),
        ("create", DONE, {}, 4),
        ("create", REFUSED, {}, 2),
        ("reject", REFUSED, {}, 4),
        ("create", APPROVED, {}, 2),
        ("create", PARKED, {}, 4),
        ("create", SENDING, {}, 4),
        ("create", UNKNOWN, {}, 4),
    ],
)
def test_only_what_is_done_and_as_agreed_ends_with_0(operation, state, more, code):
    draft = Draft("payt", operation, "1", None, "", "key", "0" * 64, "a change")
    intent = Intent("1", draft, state, "", "who", "", AT, AT, **more)
    assert told(intent).code == code


def test_the_same_change_twice_in_one_call_is_refused_with_both_numbers():
    def change(amount):
        order = Order("payt", "create", "1", None, "", "POST", "/plans", "/plans", body={"amount": amount})
        return SimpleNamespace(order=order)

    _refuse_repeats([change(1), change(2), change(3)])
    with pytest.raises(UsageError, match="changes 2 and 3 are the same; nothing was sent"):
        _refuse_repeats([change(1), change(2), change(2)])
