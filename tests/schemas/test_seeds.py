"""Seeds: every row says where it comes from, and a file that is not sound is refused when it is read."""

import pytest

from schemas import seeds
from schemas.options import Tolerance
from schemas.seeds import numbers, read, thresholds
from schemas.table import GateError
from schemas.words import SEVERITIES
from transforms.delinquency.buckets import bucket_set

COLUMNS = ("name", "value", "source")


def test_every_shipped_threshold_can_be_read():
    assert all(bucket_set(name).starts[0] == 0 for name in thresholds("delinquency_buckets"))
    assert all(Tolerance.parse(name).mode == "PCT" for name in thresholds("tolerances"))
    limits = numbers("severities")
    assert tuple(limits) == SEVERITIES
    assert list(limits.values()) == sorted(set(limits.values()))
    assert all(days > 0 for days in numbers("windows").values())


@pytest.mark.parametrize(
    ("lines", "why"),
    [
        (["name,number,source", "a,1,ours"], "its columns are not name,value,source; correct its first line"),
        (["name,value,source", "a,1,"], "a row does not say where it comes from"),
        (["name,value,source", "a,1"], "a row does not say where it comes from"),
        (["name,value,source", "a,1,ours", "a,2,ours"], "name is there twice"),
        (["name,value,source", "a,1,ours,more"], "it cannot be read"),
        ([], "it cannot be read"),
    ],
)
def test_a_seed_that_is_not_sound_is_refused_with_its_reason(tmp_path, lines, why):
    file = tmp_path / "limits.csv"
    file.write_text("\n".join(lines))
    with pytest.raises(GateError, match=rf"limits\.csv is refused: .*{why}"):
        read(file, COLUMNS)


def test_a_number_that_is_none_is_refused_by_name(monkeypatch):
    monkeypatch.setattr(seeds, "thresholds", {"limits": {"high": "1000", "critical": "1e5"}}.get)
    with pytest.raises(GateError, match=r"limits\.csv is refused: critical: no whole number"):
        numbers("limits")
