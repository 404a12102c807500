"""Plans under every combination of changes, all combinations at once.

Each change is worked out once for every plan, in columns as long as there are changes times plans; a combination then
looks up what its changes gave. Two changes (a: weekend shift 0, b: holiday shift 1) and two plans, P with shifts 2 and 0, Q with 1 and 0:

    place           0    1    2    3    4    5      change times plans, plus the plan
    change          a    a    b    b    none none
    plan            P    Q    P    Q    P    Q
    weekend shift   0    0    2    1    2    1
    holiday shift   0    0    1    1    0    0

so a and b together give P the weekend shift at place 0 and the holiday shift at place 2: 0 and 1.
"""

import itertools
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import polars as pl

from schemas.conventions import Conventions
from transforms.conformance.changes import Change
from transforms.segments import row_numbers

Combination = tuple[Change, ...]
"""One change, or two that do not touch the same choice."""

_AT_ONCE = 200_000
"""Plans times combinations looked at in one go; more would only need more memory."""

_NOTHING = Change(says="nothing changes", touches=frozenset())


def batches(
    combinations: Sequence[Combination],
    rules: pl.DataFrame,
    conventions: Mapping[str, Conventions],
    known: pl.DataFrame | None = None,
) -> Iterator[tuple[pl.DataFrame, dict[str, Conventions]]]:
    """Yield plans with changed rules and the sets of conventions they name, but for those `known`; no batch is empty.

    `plan_no` is the number of the combination times the number of plans, plus the row of the plan in `rules`.
    """
    if rules.is_empty() or not combinations:
        return
    changed = _Changed.of(combinations, rules)
    named = _Named.of(combinations, rules, conventions)
    at_once = max(1, _AT_ONCE // rules.height)
    for start in range(0, len(combinations), at_once):
        number = pl.int_range(start, min(start + at_once, len(combinations)), eager=True)
        pairs = number.to_frame("combination").join(row_numbers(rules.height).to_frame("local"), how="cross")
        pairs = pairs.filter(changed.is_open(pairs) & named.is_there(pairs))
        if known is not None:
            pairs = pairs.with_columns(rules["plan_no"].gather(pairs["local"])).join(
                known, on=["combination", "plan_no"], how="anti", maintain_order="left"
            )
        if pairs.height:
            batch = rules[pairs["local"]].with_columns(
                *changed.columns(pairs),
                named.of_plans(pairs),
                plan_no=pairs["combination"] * rules.height + pairs["local"],
            )
            yield batch, named.sets


@dataclass(frozen=True, slots=True)
class _Changed:
    """What each change gives each plan, change by change, and which changes each combination has."""

    plans: int
    open: pl.Series
    members: tuple[pl.Series, ...]
    values: dict[str, pl.Series]
    source: dict[str, pl.Series]
    """Per changed column, the change of each combination that gives it."""
    is_ruled: pl.Series
    only_collides: pl.Series

    @classmethod
    def of(cls, combinations: Sequence[Combination], rules: pl.DataFrame) -> "_Changed":
        changes = [*dict.fromkeys(itertools.chain.from_iterable(combinations)), _NOTHING]
        number = {change: at for at, change in enumerate(changes)}
        most = max(len(each) for each in combinations)
        padded = [(*each, *(_NOTHING,) * (most - len(each))) for each in combinations]
        columns = sorted({column for change in changes for column in change.rules})
        applies = _stacked(rules, [change.applies.fill_null(value=False) for change in changes])
        return cls(
            plans=rules.height,
            open=applies,
            members=tuple(pl.Series([number[each[at]] for each in padded], dtype=pl.Int64) for at in range(most)),
            values={
                name: _stacked(rules, [each.rules.get(name, pl.col(name)) for each in changes]) for name in columns
            },
            source={
                name: pl.Series(
                    [
                        number[next((change for change in each if name in change.rules), _NOTHING)]
                        for each in combinations
                    ],
                    dtype=pl.Int64,
                )
                for name in columns
            },
            is_ruled=rules["arrangement"].ne_missing("CUSTOM"),
            only_collides=pl.Series([all(change.touches == {"collision"} for change in each) for each in combinations]),
        )

    def is_open(self, pairs: pl.DataFrame) -> pl.Series:
        """Tell which plans each combination can make a difference to.

        Terms that a plan lists itself follow no rule; only what happens to two of one day can differ.
        """
        found = self.is_ruled.gather(pairs["local"]) | self.only_collides.gather(pairs["combination"])
        for members in self.members:
            found &= self.open.gather(self._place(members, pairs))
        return found

    def columns(self, pairs: pl.DataFrame) -> Iterator[pl.Series]:
        """Yield the changed columns of these plans."""
        for name, source in self.source.items():
            yield self.values[name].gather(self._place(source, pairs)).alias(name)

    def _place(self, change: pl.Series, pairs: pl.DataFrame) -> pl.Series:
        return change.gather(pairs["combination"]) * self.plans + pairs["local"]


def _stacked(rules: pl.DataFrame, each: Sequence[pl.Expr]) -> pl.Series:
    """Return the values of the expressions, all plans of the first, then of the next."""
    found = rules.select(expression.alias(str(at)) for at, expression in enumerate(each))
    # An expression of constants alone is one value for all plans.
    columns = (column if len(column) == rules.height else column.new_from_index(0, rules.height) for column in found)
    return pl.concat([column.alias("") for column in columns])


@dataclass(frozen=True, slots=True)
class _Named:
    """The sets of conventions that combinations make of those of the plans, each by a name of its own.

    `names` has one entry per combination and set of the plans: null where one of the changes would change nothing.
    """

    sets: dict[str, Conventions]
    names: pl.Series
    own: pl.Series
    size: int

    @classmethod
    def of(
        cls, combinations: Sequence[Combination], rules: pl.DataFrame, conventions: Mapping[str, Conventions]
    ) -> "_Named":
        used = sorted(rules["convention_set"].unique())
        made = [_applied(changes, conventions[name]) for changes in combinations for name in used]
        named = {each: str(at) for at, each in enumerate(dict.fromkeys(each for each in made if each))}
        names = pl.Series([named[each] if each else None for each in made], dtype=pl.String)
        places = {name: at for at, name in enumerate(used)}
        own = rules["convention_set"].replace_strict(places, return_dtype=pl.Int64)
        return cls({name: each for each, name in named.items()}, names, own, len(used))

    def is_there(self, pairs: pl.DataFrame) -> pl.Series:
        """Tell for which plans each combination changes the conventions, or leaves them on purpose."""
        return self.of_plans(pairs).is_not_null()

    def of_plans(self, pairs: pl.DataFrame) -> pl.Series:
        """Return the names of the sets of these plans under these combinations."""
        place = pairs["combination"] * self.size + self.own.gather(pairs["local"])
        return self.names.gather(place).alias("convention_set")


def _applied(changes: Combination, old: Conventions) -> Conventions | None:
    """Return the changed conventions; null where one of the changes would change nothing."""
    new = old
    for change in changes:
        if not change.conventions:
            continue
        if (following := replace(new, **change.conventions)) == new:
            return None
        new = following
    return new
