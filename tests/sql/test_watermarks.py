"""Where the next fetch starts, and that it never starts behind rows that did not come in."""

from datetime import UTC, date, datetime, timedelta

import polars as pl
import pytest

from schemas.intake import REJECTS
from sql.core import ledger
from sql.core.keys import Tenant
from sql.core.loads import Load, Sweep

BEGAN = datetime(2026, 6, 30, 6, tzinfo=UTC)
OVERLAP = timedelta(minutes=15)
HOUR = timedelta(hours=1)


def load(provider, *sweeps):
    """A load whose rows became known three hours after its fetch began."""
    return Load("l", provider, "1", "s", BEGAN, date(2026, 6, 30), BEGAN + 3 * HOUR, sweeps, 1, overlap=OVERLAP)


def sweep(name, *, clock=BEGAN, since=None, complete=True):
    return Sweep(name, since, complete, "", 1, 1, clock)


def marks(intake, of, rejects=()):
    """The watermark of each sweep of the load, the warehouse knowing no earlier one."""
    refused = pl.DataFrame([dict.fromkeys(REJECTS) | row for row in rejects], schema=dict(REJECTS), orient="row")
    return dict(
        ledger._fetches(intake.con, Tenant(of.provider, of.tenant_id, 1), of, refused)
        .select("sweep", "watermark")
        .rows()
    )


@pytest.mark.fault(14, 64)
@pytest.mark.parametrize(
    ("clock", "start"), [(BEGAN - HOUR, BEGAN - HOUR), (BEGAN + 24 * HOUR, BEGAN), (None, BEGAN), (BEGAN, BEGAN)]
)
def test_the_next_fetch_starts_an_overlap_before_the_earlier_of_both_clocks_when_this_one_began(intake, clock, start):
    assert marks(intake, load("payt", sweep("payments", clock=clock))) == {"payments": start - OVERLAP}


def test_plans_and_terms_of_lists_of_their_own_are_asked_again_while_one_of_their_rows_stays_out(intake):
    lists = [sweep(name) for name in ("payment_plans", "scheduled_payments", "payments")]
    assert None not in marks(intake, load("totality", *lists)).values()
    for entity in ("plans", "terms"):
        told = marks(intake, load("totality", *lists), [{"entity": entity}])
        assert told == {"payment_plans": None, "scheduled_payments": None, "payments": BEGAN - OVERLAP}
    assert None not in marks(intake, load("totality", *lists), [{"entity": "payments"}]).values()


@pytest.mark.fault(41)
def test_nothing_of_a_load_is_known_where_its_last_rows_could_not_be_written(intake, monkeypatch):
    def full(*_args, **_kwargs):
        raise OSError("the disk is full")

    monkeypatch.setattr(ledger, "write_raw", full)
    with pytest.raises(OSError, match="full"):
        intake.fetch("payt", {}, day=date(2026, 6, 30))
    assert [intake.rows(table) for table in ("meta.loads", "meta.fetches", "meta.integrity")] == [0, 0, 0]


def test_only_a_sweep_for_everything_that_reached_its_end_shows_that_a_row_is_gone():
    cut, changes = sweep("cut", complete=False), sweep("changes", since=BEGAN)
    assert load("payt", sweep("whole"), cut, changes).full_sweeps == {"whole"}
