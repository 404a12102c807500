"""The settings by which the figures and breaks of one provider are judged, each in words."""

from schemas.conventions import CHOICES, Conventions
from schemas.explanation import Setting
from schemas.options import Options, Tolerance
from transforms.delinquency.buckets import bucket_set


def settings_of(
    own: Options, conventions: Conventions, broken_rules: str, *, has_pauses: bool = False
) -> tuple[Setting, ...]:
    """Return every setting by which figures and breaks of one provider are judged, with what it means."""
    chosen = "; ".join(f"{name} {getattr(conventions, name)}" for name in CHOICES) + f"; cascade {conventions.cascade}"
    values = (
        ("grace_days", own.grace_days, "days after the due date within which a term is not missed yet"),
        (
            "tolerance",
            _tolerance(own.tolerance),
            "shortfall at which a term still counts as satisfied; it changes no balance",
        ),
        (
            "residual",
            own.residual,
            "FILL: the next payment first fills what a satisfied term lacks; SKIP: it passes it over",
        ),
        ("allocates", own.allocates, "what of a payment terms can take; PRINCIPAL_INTEREST leaves out its fees"),
        (
            "allocation",
            "OLDEST_FIRST",
            "a payment that a term names pays that term first; all other money the oldest due",
        ),
        ("dpd_origin", own.dpd_origin, "where days past due begin"),
        ("material_amount", f"{own.material_amount:f}", "overdue money above which a day counts under FIRST_MATERIAL"),
        (
            "material_percent",
            f"{own.material_percent:f}",
            "share of what remains, in per cent, above which a day counts then",
        ),
        ("day_basis", own.day_basis, "which days are counted as past due"),
        (
            "grace_mode",
            own.grace_mode,
            "NONE: grace changes no days; SHIFT: takes them off; GATE: none up to them, then all",
        ),
        ("settlement_days", own.settlement_days, "business days within which a difference may mend itself"),
        ("escalate_days", own.escalate_days, "business days after which a break is one step worse"),
        (
            "stale_pending_days",
            own.stale_pending_days,
            "business days after which pending money is no longer counted on",
        ),
        ("bucket_set", _buckets(own.bucket_set), "the ranges of buckets, and what is measured"),
        ("calendar", own.calendar, "whose holidays are no business days"),
        ("weekend", ",".join(str(day) for day in own.weekend), "days that are no business days; Monday is 1"),
        (
            "pauses",
            "days inside are not counted" if has_pauses else "none",
            "times in which days past due stand still",
        ),
        ("broken_rules", broken_rules, "when the agreement counts as broken, and as cured again"),
        ("conventions", chosen, "how the provider makes dates and amounts where its pages leave a choice"),
    )
    return tuple(Setting(name, str(value), meaning) for name, value, meaning in values)


def _tolerance(own: Tolerance) -> str:
    figures = {
        "EXACT": "",
        "CENT": "",
        "ABS": f":{own.absolute:f}",
        "PCT": f":{own.percent:f}",
        "MAX": f":{own.absolute:f},{own.percent:f}",
        "MIN": f":{own.absolute:f},{own.percent:f}",
    }
    return f"{own.mode}{figures[own.mode]}"


def _buckets(text: str) -> str:
    chosen = bucket_set(text)
    return f"{', '.join(chosen.labels)} of {chosen.measure}"
