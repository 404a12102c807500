"""What goes into a schedule and comes out of it, and what a comparison of two schedules says.

Plan rules are facts of the provider in our words; everything else here is computed
and never stored in the warehouse except as a published result.
"""

from schemas.core import WHO
from schemas.table import Table

ARRANGEMENTS = ("AMOUNT", "NUMBER", "CUSTOM")

PLAN_RULES = Table(
    name="plan_rules",
    grain="One row per plan, with the rules its provider gives for its terms",
    columns=(
        "plan_no",
        "convention_set",
        "calendar",
        "currency",
        "arrangement",
        "frequency",
        "pattern",
        "days_in_period",
        "first_due_date",
        "first_day",
        "second_day",
        "first_weekday",
        "second_weekday",
        "first_week",
        "second_week",
        "term_count",
        "term_amount_minor",
        "total_minor",
        "weekend_shift",
        "holiday_shift",
        "missing_input",
    ),
    key=("plan_no",),
)
CUSTOM_TERMS = Table(
    name="custom_terms",
    grain="One row per term that a plan lists itself",
    columns=("plan_no", "sequence", "due_date", "amount_minor"),
    key=("plan_no", "sequence"),
)
EXPECTED_TERMS = Table(
    name="expected_terms",
    grain="One row per term that a plan's own rules give",
    columns=(
        "plan_no",
        "sequence",
        "nominal_due_date",
        "expected_due_date",
        "expected_amount_minor",
        "trace",
        "notes",
    ),
    key=("plan_no", "sequence"),
    required=frozenset({"nominal_due_date", "expected_due_date"}),
)
NOT_REGENERABLE = Table(
    name="not_regenerable",
    grain="One row per plan whose rules do not give a schedule, with the input that is missing or unusable",
    columns=("plan_no", "missing_input"),
    key=("plan_no",),
    required=frozenset({"missing_input"}),
)
PAIRS = Table(
    name="pairs",
    grain="One row per pair of a provider's term and an expected one, and per term left without a partner",
    columns=("plan_no", "term_no", "sequence", "paired_by", "difference_days", "difference_minor"),
    key=(),
    optional=frozenset({"term_no", "sequence"}),
)
DIFFERENCES = Table(
    name="differences",
    grain="One row per date, amount or term on which a provider's schedule and its own rules disagree",
    columns=(
        "plan_no",
        "term_no",
        "sequence",
        "code",
        "reason",
        "expected_due_date",
        "due_date",
        "expected_amount_minor",
        "amount_minor",
        "difference_days",
        "difference_minor",
        "calendar_date",
        "explanation",
    ),
    key=(),
    optional=frozenset({"term_no", "sequence", "due_date", "amount_minor"}),
)
CLUSTERS = Table(
    name="clusters",
    grain="One row per group of breaks with one probable cause; every break is in one group",
    columns=(
        *WHO,
        "code",
        "reason",
        "calendar_date",
        "created_week",
        "breaks",
        "of_breaks",
        "explanation",
    ),
    key=(),
)
