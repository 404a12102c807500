"""The provider treats two terms that fall on one day in another way."""

from transforms.conformance.changes import convention

REASON = "COLLISION"
CAUSE = "two terms of one day are treated in another way"

CHANGES = (
    convention("collision", "KEEP", "two terms of one day both stay there"),
    convention("collision", "MERGE", "two terms of one day become one"),
    convention("collision", "NEXT_DAY", "the later of two terms of one day moves to the next free day"),
)
