"""The list of planted bugs fits the program as it is, and what is drawn of it is caught."""

import random

from mutation.planted import copy, listed, plant

DRAWN = 3
SEED = 20261128


def test_every_bug_of_the_list_can_be_planted_and_names_a_promise_and_tests_that_are_there():
    assert [bug.fault for bug in listed() if bug.fault] == []


def test_every_room_has_bugs_and_few_of_them_are_let_live():
    bugs = listed()
    rooms = {bug.file.partition("/")[0] for bug in bugs}
    assert rooms == {"checks", "flows", "providers", "reports", "schemas", "sql", "transforms", "writes"}
    assert len(bugs) >= 60
    assert sum(bool(bug.survives) for bug in bugs) <= 0.05 * len(bugs)


def test_bugs_drawn_from_those_of_quick_tests_are_caught():
    quick = [bug for bug in listed() if bug.is_quick]
    drawn = random.Random(SEED).sample(quick, DRAWN)
    with copy() as folder:
        tried = [plant(folder, bug) for bug in drawn]
    assert [(one.bug.name, one.end, one.said) for one in tried if one.end != "caught"] == []
