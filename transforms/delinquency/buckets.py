"""Delinquency buckets: named sets of day or month ranges that leave no gap.

A set that is not sound is refused when it is read, before anything is computed.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import polars as pl

from schemas.options import Options
from schemas.seeds import thresholds
from transforms.options import providers_of

NOT_MONTHLY = "none"
"""Label of plans that have no months, in a set of months."""


class BucketError(ValueError):
    """A bucket set has a gap, an overlap, a wrong start or a closed end."""


@dataclass(frozen=True, slots=True)
class BucketSet:
    """Closed integer ranges of one measure: `starts` are their first values, the last range is open.

    `labels` are plain ASCII, in rising order.
    """

    measure: str
    starts: tuple[int, ...]
    labels: tuple[str, ...]

    def number(self, values: pl.Series) -> pl.Series:
        """Return the position of each value's range in the set, from 0; null (a plan without months) stays null."""
        # The last range that starts at or below the value.
        number = pl.Series(self.starts).search_sorted(values.fill_null(0), side="right").cast(pl.Int64) - 1
        return number.set(values.is_null(), None).alias("bucket_no")

    def label(self, numbers: pl.Series) -> pl.Series:
        """Return the label of each position that `number` gave; null is `none`."""
        return pl.Series("bucket", self.labels).gather(numbers).fill_null(NOT_MONTHLY)


def in_buckets(rows: pl.DataFrame, options: Mapping[str, Options]) -> pl.DataFrame:
    """Return `bucket` and `bucket_no` of each row, by its provider's set.

    Args:
        rows: `provider`, `days_past_due`, `ots_months` and `mba_months`; the months null for what is not monthly.
        options: `Options` by provider.
    """
    number = pl.Series("bucket_no", [None], dtype=pl.Int64).new_from_index(0, rows.height)
    label = pl.Series("bucket", [None], dtype=pl.String).new_from_index(0, rows.height)
    for provider in providers_of(rows, options):
        buckets, own = bucket_set(options[provider].bucket_set), rows["provider"] == provider
        numbers = buckets.number(rows[buckets.measure])
        number, label = numbers.zip_with(own, number), buckets.label(numbers).zip_with(own, label)
    return pl.DataFrame({"bucket": label, "bucket_no": number})


def bucket_set(text: str) -> BucketSet:
    """Read the name of a shipped set (`delinquency_buckets.csv`), or ranges like `0,1-30,31+`, of months as `ots:0,1,2+`.

    Raises:
        BucketError: the ranges do not start at 0, leave a gap, overlap or do not end open.
    """
    prefix, _, ranges = thresholds("delinquency_buckets").get(text, text).rpartition(":")
    measures = {"": "days_past_due", "ots": "ots_months", "mba": "mba_months"}
    if prefix not in measures:
        raise BucketError(f"bucket set {text!r} counts by {prefix!r}; leave it out for days, or use ots: or mba:")
    labels = tuple(part.strip() for part in ranges.split(","))
    return BucketSet(measures[prefix], _starts(text, [_range(text, label) for label in labels]), labels)


def written(ranges: Iterable[Sequence[int]]) -> str:
    """Write ranges of days, `[first, last]` and at the end `[first]`, as `bucket_set` reads them.

    Raises:
        BucketError: a range has no number or more than two, or the set is not sound.
    """
    parts = [list(each) for each in ranges]
    if wrong := [each for each in parts if len(each) not in {1, 2}]:
        raise BucketError(f"range {wrong[0]} is none; give [first, last], and [first] for the last one")
    closed = [str(first) if first == last else f"{first}-{last}" for first, last in (e for e in parts if len(e) > 1)]
    text = ",".join([*closed, *(f"{each[0]}+" for each in parts if len(each) == 1)])
    if parts and (len(parts[-1]) != 1 or len(closed) != len(parts) - 1):
        raise BucketError(f"bucket set {text!r}: exactly the last range must end open, like [{parts[-1][0]}]")
    bucket_set(text)
    return text


def _range(text: str, label: str) -> tuple[int, int | None]:
    if match := re.fullmatch(r"(\d{1,6})(\+|-(\d{1,6}))?", label, re.ASCII):
        first = int(match[1])
        return first, None if match[2] == "+" else int(match[3] or first)
    raise BucketError(f"bucket set {text!r}: {label!r} is not a range; write it like 0, 1-30 or 366+")


def _starts(text: str, ranges: Sequence[tuple[int, int | None]]) -> tuple[int, ...]:
    expected = 0
    for number, (first, last) in enumerate(ranges):
        if first != expected:
            what = "starts at" if number == 0 else "leaves a gap before" if first > expected else "overlaps at"
            raise BucketError(f"bucket set {text!r} {what} {first}; the range must start at {expected}")
        is_final = number == len(ranges) - 1
        if is_final != (last is None):
            raise BucketError(f"bucket set {text!r}: exactly the last range must end open, like {first}+")
        if last is not None and last < first:
            raise BucketError(f"bucket set {text!r}: the range {first}-{last} is empty; write the smaller number first")
        expected = first if last is None else last + 1
    return tuple(first for first, _ in ranges)
