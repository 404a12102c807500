"""What a worker does: compute one part from files, and write its results into files. It sees nothing else of the run."""

import pickle
import platform
from collections.abc import Mapping
from dataclasses import fields, replace
from functools import lru_cache
from typing import Any
from uuid import uuid4

import polars as pl

from flows import log
from flows.steps.compute import Inputs, Part, compute_part, of_plans
from flows.steps.spread.scratch import Scratch
from flows.steps.spread.versions import Versions, require_alike, versions
from transforms.delinquency.pauses import Pauses

BY_PLAN = ("plans", "payments", "plan_rules", "custom_terms", "plan_facts", "term_changes")
"""Tables of `Inputs` of which a part reads the rows of its own plans."""
UNREAD = (
    *("accounts", "plan_accounts", "orphans", "integrity", "changes", "agreed_terms", "named_links", "own_customers"),
    "forecasts",
)
"""Tables of `Inputs` that no part reads; they are not sent, so that a part that would read them fails."""
PAUSES = ("stopping", "listed")
GIVEN = ("plan_nos", "terms", *BY_PLAN, *PAUSES)
CHECKED = ("breaks", "check_results")
FRAMES = (*(field.name for field in fields(Part) if field.name != "checked"), *CHECKED)


def shared(inputs: Inputs) -> Inputs:
    """Return what every part reads, with the tables by plan empty."""
    whole: dict[str, Any] = {name: getattr(inputs, name).clear() for name in BY_PLAN}
    whole |= dict.fromkeys(UNREAD)
    pauses = Pauses(inputs.pauses.stopping.clear(), inputs.pauses.listed.clear())
    return replace(inputs, pauses=pauses, **whole)


def given(inputs: Inputs, plan_nos: pl.Series, terms: pl.DataFrame) -> dict[str, pl.DataFrame]:
    """Return the frames of `GIVEN` of one part."""
    tables = [*(getattr(inputs, name) for name in BY_PLAN), *(getattr(inputs.pauses, name) for name in PAUSES)]
    own = zip((*BY_PLAN, *PAUSES), of_plans(plan_nos, *tables), strict=True)
    return {"plan_nos": plan_nos.to_frame("plan_no"), "terms": terms, **dict(own)}


def computed(everyone: Inputs, frames: Mapping[str, pl.DataFrame]) -> Part:
    """Return the part of what `shared` and `given` returned."""
    pauses = Pauses(*(frames[name] for name in PAUSES))
    own: dict[str, Any] = {name: frames[name] for name in BY_PLAN}
    return compute_part(replace(everyone, pauses=pauses, **own), frames["plan_nos"]["plan_no"], frames["terms"])


def as_frames(part: Part) -> dict[str, pl.DataFrame]:
    """Return the frames of `FRAMES`."""
    checked = dict(zip(CHECKED, part.checked, strict=True))
    return {name: checked[name] if name in checked else getattr(part, name) for name in FRAMES}


def as_part(frames: Mapping[str, pl.DataFrame]) -> Part:
    """Return the part of what `as_frames` returned."""
    whole: dict[str, Any] = {name: frame for name, frame in frames.items() if name not in CHECKED}
    breaks, check_results = (frames[name] for name in CHECKED)
    return Part(checked=(breaks, check_results), **whole)


def compute_at(address: str, number: int, wanted: Versions) -> str | Exception:
    """Compute part `number` of the run whose scratch lies at `address`; return the folder in it that holds the results.

    Called again after a worker died, it writes into another folder: nobody reads what was left half-written. What went
    wrong is returned: Dask drops an error that it cannot pickle with its traceback, and who waits for it would wait for ever.
    """
    try:
        require_alike(versions(), wanted, where=platform.node())
        scratch, folder = Scratch(address), f"{number}/result-{uuid4().hex}"
        part = computed(_shared(address), scratch.read_frames(str(number), GIVEN))
        scratch.write_frames(folder, as_frames(part))
    except Exception as error:  # noqa: BLE001  the run raises it
        log.LOGGER.warning("part %d was not computed", number, exc_info=error)
        return _sendable(error)
    return folder


def _sendable(error: Exception) -> Exception:
    """Return the error, or its text in a plain one where it does not come out of a pickle as it went in."""
    try:
        pickle.loads(pickle.dumps(error))  # noqa: S301  our own bytes
    except Exception:  # noqa: BLE001  whatever its constructor asks for
        return RuntimeError(f"{type(error).__name__}: {error}")
    return error


@lru_cache(maxsize=1)
def _shared(address: str) -> Inputs:
    everyone: Inputs = Scratch(address).read_object("shared")
    return everyone
