"""When a broken plan was cured: at the end of the episode, or where probation is asked only some terms later."""

from datetime import date
from typing import NamedTuple

import polars as pl

from transforms.balances.book import Book
from transforms.outcomes.spells import day_number


class _Due(NamedTuple):
    """A term that counts: the day number it fell due, and whether it was satisfied in time; an open one was not."""

    day: int
    in_time: bool


def cured_on(
    broken: pl.DataFrame, episodes: pl.DataFrame, book: Book, terms: pl.DataFrame, *, as_of: date, probation: int
) -> pl.DataFrame:
    """Return `broken` with the day of the cure as `end`; times of one plan that probation joins become one.

    Args:
        broken: `plan, broken_on, end` of the episodes in which a plan was broken, by plan and day.
        episodes: All of them.
        book: Plans and terms.
        terms: What `judgement.judge` returned.
        as_of: Civil date whose end is described.
        probation: How many of the terms that fell due after the break, the last ones, have to have been satisfied in
            time before the plan counts as cured; 0: none.
    """
    if not probation or broken.is_empty():
        return broken
    rows: list[tuple[int, int, int]] = []
    for (plan,), times in broken.group_by("plan", maintain_order=True):
        number = int(str(plan))
        due = _due(book, terms, number)
        overdue = list(episodes.filter(pl.col("plan") == number).select("start", "end").iter_rows())
        cured = 0
        for broken_on in times["broken_on"]:
            if broken_on < cured:
                continue  # the plan was still on probation
            cured = _cured(due, overdue, broken_on, probation, after=day_number(as_of) + 1)
            rows.append((number, broken_on, cured))
    return pl.DataFrame(rows, schema=broken.schema, orient="row")


def _due(book: Book, terms: pl.DataFrame, plan: int) -> list[_Due]:
    first, last, grace = book.segments.first[plan], book.segments.last[plan], book.grace[plan]
    if first is None:
        return []
    judged = terms[first : last + 1].filter("counts").select("due_date", "is_satisfied", "judged_on")
    return [
        _Due(day_number(due), bool(satisfied) and day_number(on) <= day_number(due) + grace)
        for due, satisfied, on in judged.iter_rows()
    ]


def _cured(due: list[_Due], overdue: list[tuple[int, int]], broken_on: int, probation: int, *, after: int) -> int:
    """Return the first day with nothing overdue and probation passed; `after` where there is none yet.

    That can only be a day on which a term fell due, or on which nothing was overdue any more.
    """
    candidates = sorted({end for _, end in overdue} | {term.day for term in due})
    for day in candidates:
        if not broken_on < day < after or any(start <= day < end for start, end in overdue):
            continue
        since = [term.in_time for term in due if broken_on < term.day <= day]
        if len(since) >= probation and all(since[-probation:]):
            return day
    return after
