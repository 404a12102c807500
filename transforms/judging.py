"""How plans are judged: as of which day, by which options and rules, and which days do not count."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from schemas.options import Options, OutcomeRules
from transforms.delinquency.pauses import Pauses


@dataclass(frozen=True, slots=True)
class Judging:
    """`as_of` is the civil date whose end is described, `options` are by provider, `rules` say when a plan is broken."""

    as_of: date
    options: Mapping[str, Options]
    pauses: Pauses
    rules: OutcomeRules
