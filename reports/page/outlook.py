"""What money is coming, and how do plans go? Charts with their figures: cash over 30 days, terms kept, moves between buckets."""

from typing import Any

from reports.digest import Digest
from reports.page.charts import cash_charts, kept_charts, roll_charts

MOST_CHARTS = 6
"""Currencies drawn of each kind, in the order of their codes."""


def context(digest: Digest) -> dict[str, Any]:
    """Return the charts, and how many are left out."""
    kinds = (cash_charts(digest.cash), kept_charts(digest.kept), roll_charts(digest.roll))
    return {
        "charts": [chart for kind in kinds for chart in kind[:MOST_CHARTS]],
        "charts_left_out": sum(max(len(kind) - MOST_CHARTS, 0) for kind in kinds),
    }
