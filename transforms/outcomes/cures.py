"""When a broken plan was cured: at the end of the episode, or where probation is asked only some terms later."""

from typing import NamedTuple

import polars as pl

from transforms.balances.book import Book
from transforms.outcomes.spells import open_times


class _Due(NamedTuple):
    """A term that counts, by day numbers: when it fell due, its deadline, and from when to before when it was open."""

    day: int
    deadline: int
    open: list[tuple[int, int]]

    def is_met(self, day: int) -> bool:
        return not any(start <= day < end for start, end in self.open)

    def in_time(self, day: int) -> bool:
        """Tell whether the term, met on `day`, was so by its deadline and at no time since then open."""
        return not any(start <= day and end > min(self.deadline, day) for start, end in self.open)


def cured_on(
    broken: pl.DataFrame, episodes: pl.DataFrame, book: Book, terms: pl.DataFrame, *, after: pl.Series, probation: int
) -> pl.DataFrame:
    """Return `broken` with the day of the cure as `end`; times of one plan that probation joins become one.

    Args:
        broken: `plan, broken_on, end` of the episodes in which a plan was broken, by plan and day.
        episodes: All of them.
        book: Plans and terms.
        terms: What `judgement.judge` returned.
        after: What `spells.days_after` returned.
        probation: How many of the terms that fell due after the break, the last ones, have to have been satisfied in
            time before the plan counts as cured; 0: none. A term due today counts as soon as it is satisfied.
    """
    if not probation or broken.is_empty():
        return broken
    due, overdue = _due(book, terms, broken["plan"], after), _by_plan(episodes)
    rows: list[tuple[int, int, int]] = []
    for (plan,), times in broken.group_by("plan", maintain_order=True):
        number = int(str(plan))
        cured = None
        for broken_on in times["broken_on"]:
            if cured is not None and broken_on < cured:
                continue  # the plan was still on probation
            cured = _cured(due[number], overdue[number], broken_on, probation, after=after[number])
            rows.append((number, broken_on, cured))
    return pl.DataFrame(rows, schema=broken.schema, orient="row")


def _by_plan(episodes: pl.DataFrame) -> dict[int, list[tuple[int, int]]]:
    found: dict[int, list[tuple[int, int]]] = {}
    for plan, start, end in episodes.select("plan", "start", "end").iter_rows():
        found.setdefault(plan, []).append((start, end))
    return found


def _due(book: Book, terms: pl.DataFrame, plans: pl.Series, after: pl.Series) -> dict[int, list[_Due]]:
    """Return the terms of these plans that count, in plan order."""
    due = terms["due_date"].cast(pl.Int64)
    times: dict[int, list[tuple[int, int]]] = {}
    chosen = plans.unique().implode()
    for row, start, end in (
        open_times(book, terms, due, after)
        .filter(pl.col("plan").is_in(chosen))
        .select("row", "start", "end")
        .iter_rows()
    ):
        times.setdefault(row, []).append((start, end))
    rows = terms.select(
        "counts",
        plan=book.segments.owner.cast(pl.Int64),
        row=pl.int_range(pl.len()),
        due=due,
        deadline=due + book.segments.spread(book.grace),
    ).filter(pl.col("counts") & pl.col("plan").is_in(chosen))
    found: dict[int, list[_Due]] = {plan: [] for plan in plans}
    for plan, row, day, deadline in rows.select("plan", "row", "due", "deadline").iter_rows():
        found[plan].append(_Due(day, deadline, times.get(row, [])))
    return found


def _cured(due: list[_Due], overdue: list[tuple[int, int]], broken_on: int, probation: int, *, after: int) -> int:
    """Return the first day with nothing overdue and probation passed; `after` where there is none yet.

    That can only be a day on which a term fell due or was met, or on which nothing was overdue any more.
    """
    ends = {end for _, end in overdue} | {end for term in due for _, end in term.open}
    for day in sorted(ends | {term.day for term in due}):
        if not broken_on < day < after or any(start <= day < end for start, end in overdue):
            continue
        since = [term.in_time(day) for term in due if broken_on < term.day <= day and term.is_met(day)]
        if len(since) >= probation and all(since[-probation:]):
            return day
    return after
