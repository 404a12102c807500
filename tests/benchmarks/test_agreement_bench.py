"""The comparison of a million schedules, with a few hundred: it counts, works in parts, and fails on one wrong term."""

from types import SimpleNamespace

import pytest

from benchmarks import agreement


def test_both_schedules_agree_and_the_table_says_on_how_much(capsys):
    agreement.main(["--plans", "150"])
    first, *speeds = capsys.readouterr().out.splitlines()
    assert "compared 150 plans" in first
    assert first.endswith("terms, 0 differences")
    assert len(speeds) == 2
    assert all("plans per CPU s" in line for line in speeds)


def test_parts_are_drawn_apart_and_added_up():
    found = agreement.compare(50, at_once=20)
    assert (found.plans, found.differences) == (50, 0)
    assert found.terms > 100
    assert agreement.compare(50, at_once=20, seed=1).terms != found.terms


def test_one_term_that_differs_fails_and_is_shown_with_its_plan(monkeypatch):
    loaded = agreement.loaded

    def bent(name):
        module = loaded(name)
        if name != "schedule_oracle":
            return module

        def schedule(plan, **means):
            rows = module.schedule(plan, **means)
            if plan["plan_no"] == 21:
                rows[-1]["amount"] = -1
            return rows

        return SimpleNamespace(schedule=schedule)

    monkeypatch.setattr(agreement, "loaded", bent)
    with pytest.raises(SystemExit, match=r"^1 of \d+ terms differ") as failure:
        agreement.bench(40)
    assert "'plan_no': 21" in str(failure.value)
    assert ", -1, " in str(failure.value)
