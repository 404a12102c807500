"""The small tables in docstrings are what the code gives: read from the page, computed, compared."""

from datetime import date
from types import ModuleType

import polars as pl

from schemas.options import Options, Tolerance
from transforms import segments
from transforms.balances import replay, settlement
from transforms.balances.book import open_book
from transforms.conformance import matching


def told(module: ModuleType) -> dict[str, list[str]]:
    """Read the table of a module's docstring: indented lines of a name and three values."""
    lines = [line.split() for line in (module.__doc__ or "").splitlines() if line.startswith("    ")]
    return {" ".join(words[:-3]): words[-3:] for words in lines}


def numbers(table: dict[str, list[str]], name: str) -> pl.Series:
    return pl.Series([int(value) for value in table[name]], dtype=pl.Int64)


def test_sums_per_plan_are_running_sums_less_what_earlier_plans_add():
    table = told(segments)
    values = numbers(table, "values")
    rows = segments.Segments.of(numbers(table, "owner").cast(pl.UInt32), 2)
    given = {
        "row": segments.row_numbers(3),
        "running sum": values.cum_sum(),
        "before the plan": rows.spread(rows.before(values)[1]),
        "last of the plan": rows.spread(values.cum_sum().gather(rows.last)),
        "total of the plan": rows.spread(rows.total(values)),
    }
    assert {name: column.to_list() for name, column in given.items()} == {
        name: numbers(table, name).to_list() for name in given
    }


def test_money_that_goes_back_lowers_what_is_covered_for_good():
    table = told(settlement)
    first, second, third = (date(2025, 6, day) for day in numbers(table, "day"))
    came, more, back = numbers(table, "change")
    money = pl.DataFrame(
        {
            "plan": [0, 0],
            "effective_date": [first, second],
            "amount_minor": [came, more],
            "reversed_on": [None, third],
            "back_minor": [0, -back],
        }
    )
    levels = settlement.levels(money, 1)
    assert levels.day.to_list() == [first, second, third]
    assert levels.level.to_list() == numbers(table, "level").to_list()
    assert levels.lowest.to_list() == numbers(table, "lowest").to_list()


def test_a_term_within_its_tolerance_is_passed_over(make):
    table = told(replay)
    days = [date(2025, 6, 1), date(2025, 6, 2)]
    case = make.case(
        due=[
            {"due_date": date(2025, month, 1), "amount_minor": payable}
            for month, payable in enumerate(numbers(table, "payable"), 3)
        ],
        paid=[{"effective_date": day, "amount_minor": amount} for day, amount in zip(days, (95, 110), strict=True)],
    )

    def received(residual: str) -> list[list[int]]:
        options = {"p": Options(tolerance=Tolerance.parse("ABS:0.10"), residual=residual)}
        located = case.locate(days[-1], options["p"])
        book = open_book(located.plans, case.terms, located.payments, as_of=days[-1], options=options)
        on_days = replay.on_days(book, pl.DataFrame({"plan": [0, 0], "day": days}))
        return [on_days.filter(pl.col("day") == day)["received"].to_list() for day in days]

    assert received("SKIP") == [numbers(table, name).to_list() for name in ("after 95", "after 110 more")]
    assert received("FILL")[-1] == numbers(table, "by running sums").to_list()


def test_the_nearest_is_taken_and_two_equally_near_are_unclear():
    table = told(matching)
    left, right = numbers(table, "left"), pl.Series([101, 115])
    sides = [
        matching.numbered(
            pl.DataFrame({"plan": 0, "date": 0, "amount": amounts, "place": segments.row_numbers(len(amounts))})
            .with_row_index("row")
            .with_columns(pl.col("row").cast(pl.Int64))
        )
        for amounts in (left, right)
    ]
    edges = pl.DataFrame(
        [(a, b, abs(x - y)) for a, x in enumerate(left) for b, y in enumerate(right)],
        schema={"left": pl.Int64, "right": pl.Int64, "distance": pl.Int64},
        orient="row",
    )
    nearest = edges.sort("distance").unique("left", keep="first", maintain_order=True).sort("left")
    assert right.gather(nearest["right"]).to_list() == numbers(table, "nearest").to_list()
    assert nearest["distance"].to_list() == numbers(table, "distance").to_list()

    matched = matching.nearest(*sides, edges)
    outcome = dict.fromkeys(matched.left_unclear, "unclear")
    outcome |= {a: str(right[b]) for a, b in matched.pairs.iter_rows()}
    assert [outcome[row] for row in range(3)] == table["outcome"]
