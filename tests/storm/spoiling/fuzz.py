"""Spoiled pages through the real decode and load of every provider: nothing escapes, no row is lost, no amount is rounded.

Each seed makes one load of spoiled rows of one provider, between rows as usual. They are read both ways, pages whole
and row by row, staged, judged and committed. What came is counted here again, by the standard library alone.

    make fuzz
    make fuzz ARGS="--provider payt --seed 17 --count 4000"

A smaller count makes the same pages and stops sooner: so the page is found that breaks a load.
"""

import argparse
import json
import re
import sys
import time
from datetime import UTC, datetime
from fractions import Fraction

import polars as pl
from storm.pages import MAKERS
from storm.spoiling.spoiled import SWEEPS, Tally, make_pages

from flows.steps.loading import admitted_rows
from flows.steps.reading import PAGES, Reading, read_pages
from providers import PROVIDERS
from schemas.currencies import EXPONENTS
from schemas.intake import HELD
from sql.connection import connect
from sql.core.loads import Load, Sweep
from sql.core.versions import commit_load
from sql.intake import received as receiving
from sql.intake.staging import StageOptions, stage
from sql.scripts import create_tables

PER_LOAD = 4_000
AT = datetime(2026, 6, 30, 6, tzinfo=UTC)
TOLD = {
    "payt": {"currency": "EUR"},
    "totality": {"currency": "USD"},
    "payiq": {"currency_symbols": {"$": "USD", "€": "EUR"}},
}
CODES = {
    "BAD_DATE", "DUPLICATE_ID", "DUPLICATE_KEY", "ENVELOPE_ERROR", "FOREIGN_TENANT", "FRACTION_OF_MINOR_UNIT", "MALFORMED_JSON",
    "MISSING_FIELD", "NEGATIVE", "NOT_A_DECIMAL", "NO_SCHEDULE", "OUT_OF_RANGE", "PLAN_QUARANTINED", "TERM_QUARANTINED", "TOO_DEEP",
    "TOO_LARGE", "UNKNOWN_ACCOUNT", "UNKNOWN_CURRENCY", "WRONG_TYPE",
}  # fmt: skip
"""Every reason for which a row may stay out."""
NUMBER = re.compile(r"-?[0-9]+(\.[0-9]+)?([eE][+-]?[0-9]{1,3})?", re.ASCII)
MINOR = {
    "plans": ("stated_total", "each_payment"), "terms": ("amount", "provider_outstanding"), "payments": ("amount",),
    "accounts": ("balance", "total", "account_amount_due"),
    "policies": ("default_monthly", "initial_balance", "restricted_override_minimum"),
}  # fmt: skip
DEEPEST = 31


class WrongError(AssertionError):
    """Something that must never happen; with the page it happened to, where it is known."""


def is_deep(tree):
    level = [tree]
    for _ in range(DEEPEST):
        inner = (one.values() if isinstance(one, dict) else one for one in level if isinstance(one, dict | list))
        level = [value for values in inner for value in values]
    return bool(level)


def strict(text):
    """The JSON value, numbers as their texts; None where it is none, or nested beyond all bounds."""

    def refuse(word):
        raise ValueError(word)

    try:
        return json.loads(text, parse_int=str, parse_float=str, parse_constant=refuse)
    except (ValueError, RecursionError):
        return None


def decoded(provider, page):
    """One page, decoded row by row, and every row of it accounted for.

    Raises:
        WrongError: something escaped, or a row is neither read nor refused, or refused without a known code.
    """
    stored = page.stored
    try:
        made = provider.decode(stored.entity, stored.body, stored.context)
    except Exception as error:
        raise WrongError(
            f"{type(error).__name__} escaped from decoding {stored.entity}: {stored.body[:2000]!r}"
        ) from error
    read = sum(len(columns["position"]) for columns in made.tables.values() if "row_hash" in columns)
    refused = [one.position for one in made.rejects]
    odd = {one.code for one in made.rejects} - CODES
    whole = -1 in refused
    if odd or (made.rows, read, refused) != (0, 0, [-1]) if whole else made.rows != read + len(set(refused)):
        raise WrongError(
            f"{stored.entity}: {made.rows} rows = {read} read + {refused} refused, codes {odd}: {stored.body[:2000]!r}"
        )
    if page.rows is not None:
        trees = list(map(strict, page.rows))
        is_plain = all(tree is not None and not is_deep(tree) for tree in trees)
        if whole and is_plain:
            raise WrongError(
                f"a well-formed page of {stored.entity} was refused whole, {made.rejects}: {stored.body[:2000]!r}"
            )
        if not whole and made.rows != len(page.rows):
            raise WrongError(f"{stored.entity}: {len(page.rows)} rows came as {made.rows}: {stored.body[:2000]!r}")
    return made


def exact_way(provider, pages, reading):
    for page in pages:
        made = decoded(provider, page)
        reading.note(page.stored, made)
        yield page.stored.page_no, made.tables


def whole_way(provider, pages, reading, tally):
    last = []

    def noted():
        for page in pages:
            last[:] = [page.stored]
            yield page.stored

    try:
        for page_no, page in read_pages(provider, noted(), reading):
            tally.whole += any(None in table.get("row_hash", ()) for table in page.values())
            yield page_no, page
    except Exception as error:
        raise WrongError(f"{type(error).__name__} escaped from reading {last[0].body[:2000]!r}") from error


def run_seed(provider, seed, count=PER_LOAD):
    """Make one load of spoiled pages and hold every promise about it.

    Raises:
        WrongError: one was broken.
    """
    tally = Tally()
    pages = list(make_pages(provider, seed, count, tally))
    load(provider, pages, tally)
    return tally


def load(name, pages, tally):
    provider, fast, exact = PROVIDERS[name], Reading(), Reading()
    with connect(None) as con, receiving.received(con, exact_way(provider, pages, exact), provider.TABLES) as rows:
        by_row = {table: con.sql(f"FROM temp.{table}").pl() for table in rows}
    with connect(None) as con:
        create_tables(con)
        with receiving.received(con, whole_way(provider, pages, fast, tally), provider.TABLES) as rows:
            for table, frame in by_row.items():
                both_alike(table, con.sql(f"FROM temp.{table}").pl(), frame, pages)
            if fast != exact:
                raise WrongError("reading the pages whole counts otherwise than reading them row by row")
            options = StageOptions(name, "1", "Europe/Amsterdam", AT.date(), **TOLD[name])
            staged = stage(con, rows, options)
        admitted = admitted_rows([staged], fast, pl.DataFrame(schema=dict(HELD)))
        sweep = Sweep(SWEEPS[name], None, True, "", 1, 1, AT)
        made = Load("load", name, "1", "s", AT, AT.date(), AT, (sweep,), 1)
        frame = pl.DataFrame(fast.pages, schema=PAGES, orient="row")
        counts = commit_load(
            con,
            made,
            admitted,
            pages=frame,
            rows=staged["rows"].drop_nulls(),
            unknown_fields=dict(fast.unknown),
            carried=fast.carried,
        ).counts
        told = con.sql('SELECT code, count(*), sum("rows") FROM meta.quarantine GROUP BY code').fetchall()
    nothing_is_lost(staged, admitted)
    tally.amounts += amounts_are_exact(name, pages, admitted)
    sums = [counts[column].sum() for column in ("fetched", "accepted", "quarantined", "deduplicated")]
    tally.fetched, tally.accepted, tally.quarantined, tally.repeats = sums
    if sums[0] != sum(sums[1:]) or sum(rows for _, _, rows in told) < sums[2]:
        raise WrongError(f"fetched, accepted, quarantined, repeated are {sums}; the quarantine holds {told}")
    tally.codes.update({code: count for code, count, _ in told})
    if tally.codes.keys() - CODES:
        raise WrongError(f"nobody knows the codes {tally.codes.keys() - CODES}")
    tally.refused_pages = sum(position < 0 for _, _, position, *_ in fast.rejects)


def both_alike(table, whole, by_row, pages):
    """Raise where the two ways differ in more than the hash of a row: read whole, one is taken where the row stays out."""
    whole, by_row = (frame.drop("row_hash", strict=False) for frame in (whole, by_row))
    if whole.equals(by_row):
        return
    for page_no in sorted(set(whole["page_no"]) | set(by_row["page_no"])):
        one, other = (frame.filter(pl.col("page_no") == page_no) for frame in (whole, by_row))
        if not one.equals(other):
            body = pages[page_no].stored.body[:2000]
            raise WrongError(f"{table}: read whole {one.rows()}, row by row {other.rows()}: {body!r}")
    raise WrongError(f"{table}: the rows stand in another order")


def nothing_is_lost(staged, admitted):
    """Every staged row is accepted, a repeat, or refused with a reason; a plan and its terms together."""
    place = ["page_no", "position"]
    refused = {name: frame.select(place).unique() for (name,), frame in admitted.rejects.group_by("entity")}
    none = admitted.rejects.clear().select(place)
    for name in MINOR:
        rows = staged[name]
        left = rows.filter(~pl.col("is_repeat"))
        for known in (admitted.accepted[name].select(place), refused.get(name, none)):
            left = left.join(known, on=place, how="anti")
        if left.height:
            raise WrongError(
                f"{name}: {left.height} rows are neither accepted nor refused, the first {left.row(0, named=True)}"
            )
    out = refused.get("plans", none)
    torn = admitted.accepted["terms"].join(out, on=place, how="semi")
    if torn.height:
        raise WrongError(f"terms of a refused plan were accepted: {torn.row(0, named=True)}")


def amounts_are_exact(provider, pages, admitted):
    """Every accepted amount is one that its own row names, digit for digit; return how many there were."""
    checked, named = 0, {}
    derived = set(admitted.accepted["plans"].filter("is_derived").select("page_no", "position").iter_rows())
    for entity, columns in MINOR.items():
        frame = admitted.accepted[entity]
        if entity == "payments":
            frame = frame.filter(pl.col("parts_minor").is_null())  # else it is a sum
        for name in columns:
            amounts = frame.select("page_no", "position", "currency", f"{name}_minor").drop_nulls()
            for page_no, position, currency, minor in amounts.iter_rows():
                place, rows = (page_no, position), pages[page_no].rows
                if rows is None or (entity == "terms" and place in derived):
                    continue
                if place not in named:
                    named[place] = set(numbers(strict(rows[position])))
                units = 1 if provider == "totality" else 10 ** EXPONENTS[currency]
                checked += 1
                if named[place].isdisjoint({Fraction(minor, units), Fraction(-minor, units)}):
                    raise WrongError(f"{entity}: {name} is {minor} and no number of its row: {rows[position][:2000]}")
    return checked


def numbers(tree):
    """Every number that a value names, as number or as text, exactly."""
    if isinstance(tree, dict | list):
        for inner in tree.values() if isinstance(tree, dict) else tree:
            yield from numbers(inner)
    elif isinstance(tree, str) and len(tree) < 100 and NUMBER.fullmatch(tree):
        yield Fraction(tree)


def storm(count, seed=0, providers=tuple(MAKERS), per_load=PER_LOAD):
    """Yield provider, seed, payloads and tally, or what is wrong, of as many loads as it takes."""
    share = -(-count // len(providers))
    payloads = min(per_load, share)
    for provider in providers:
        for one in range(seed, seed + -(-share // per_load)):
            try:
                yield provider, one, payloads, run_seed(provider, one, payloads), None
            except Exception as error:  # noqa: BLE001  whatever it is, it is told with its seed
                yield provider, one, payloads, Tally(), error


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "--count", type=int, default=100_000, help="spoiled rows and pages, over all providers asked for"
    )
    parser.add_argument("--seed", type=int, default=0, help="of the first load; each further load has the next")
    parser.add_argument("--provider", choices=sorted(MAKERS), action="append")
    asked = parser.parse_args()
    began, whole, bad = time.process_time(), Tally(), 0
    for provider, seed, payloads, tally, error in storm(asked.count, asked.seed, tuple(asked.provider or MAKERS)):
        whole.add(tally)
        if error is not None:
            bad += 1
            print(f"{type(error).__name__}: {error}", file=sys.stderr)
            print(f'again: make fuzz ARGS="--provider {provider} --seed {seed} --count {payloads}"', file=sys.stderr)
    print(
        f"{whole.payloads:,} payloads on {whole.pages:,} pages ({whole.whole:,} read whole, {whole.refused_pages:,} refused whole): {whole.fetched:,} rows fetched = "
        f"{whole.accepted:,} accepted + {whole.quarantined:,} quarantined + {whole.repeats:,} repeated; {whole.amounts:,} amounts exact; "
        f"{bad} loads wrong; {time.process_time() - began:.0f} CPU s"
    )
    for name, counted in (("code", whole.codes), ("mutation", whole.kinds)):
        for word, number in counted.most_common():
            print(f"{name:<9} {word:<24} {number:>7,}")
    return 1 if bad else 0


if __name__ == "__main__":
    raise SystemExit(main())
