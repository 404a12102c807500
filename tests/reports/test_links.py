"""A plan is linked by the pattern of its provider, whatever its id is made of."""

import pytest

from reports.links import link_of, plan_link, sound_pattern

PATTERN = "https://lender.example/{tenant_id}/plans/{plan_id}?tab=terms"


@pytest.mark.parametrize(
    ("plan_id", "address"),
    [
        ("2603018", "https://lender.example/t/plans/2603018?tab=terms"),
        ("a/b?c#d", "https://lender.example/t/plans/a%2Fb%3Fc%23d?tab=terms"),
        ("{tenant_id}", "https://lender.example/t/plans/%7Btenant_id%7D?tab=terms"),
        ('é" onclick=x', "https://lender.example/t/plans/%C3%A9%22%20onclick%3Dx?tab=terms"),
        ("100%", "https://lender.example/t/plans/100%25?tab=terms"),
    ],
)
def test_ids_are_percent_encoded(plan_id, address):
    assert plan_link(PATTERN, plan_id=plan_id, tenant_id="t") == address


@pytest.mark.parametrize(
    ("plan_id", "tenant_id"), [(None, "t"), ("", "t"), ("..", "t"), (".", "t"), ("p", None), ("p" * 2_000, "t")]
)
def test_without_an_id_that_leads_somewhere_there_is_no_link(plan_id, tenant_id):
    assert plan_link(PATTERN, plan_id=plan_id, tenant_id=tenant_id) is None


def test_a_tenant_nobody_asks_for_may_be_missing():
    assert plan_link("http://localhost/{plan_id}", plan_id="p", tenant_id=None) == "http://localhost/p"


def test_a_row_is_linked_by_the_pattern_of_its_own_provider():
    patterns = {"payt": "https://one.example/{plan_id}", "totality": "https://two.example/{plan_id}"}
    row = {"provider": "totality", "tenant_id": "t", "plan_id": "p"}
    assert link_of(patterns, row) == "https://two.example/p"
    assert link_of(patterns, row | {"provider": "payiq"}) is None
    assert link_of(patterns, row | {"plan_id": None}) is None


@pytest.mark.parametrize("pattern", [PATTERN, "http://127.0.0.1:8000/#/plan={plan_id}", "HTTPS://x.example/{plan_id}"])
def test_a_sound_pattern_stays_as_it_is(pattern):
    assert sound_pattern(pattern) == pattern


@pytest.mark.fault(68)
@pytest.mark.parametrize(
    ("pattern", "said"),
    [
        ("https://x.example/plans", "does not say where the id"),
        ("https://x.example/{plan}", r"\{plan\}, which is not known; \{plan_id\} and \{tenant_id\} are"),
        ("https://x.example/{plan_id}/{customer_id}", r"\{customer_id\}, which is not known"),
        ("https://x.example/{plan_id:10}", r"\{plan_id:10\}, which is not known"),
        ("https://x.example/{plan_id.__class__}", "which is not known"),
        ("https://x.example/{}", "which is not known"),
        ("https://x.example/{plan_id", "brace without its other one"),
        ("https://x.example/{{plan_id}}", "brace without its other one"),
        ("javascript:alert('{plan_id}')", "no link has"),
        ("javascript:alert({plan_id})", "no web address"),
        ("ftp://x.example/{plan_id}", "no web address"),
        ("https:///{plan_id}", "no web address"),
        ("https://{tenant_id}.example/{plan_id}", "ids in the host"),
        ("https://me:secret@x.example/{plan_id}", "names a user"),
        ("https://[x.example/{plan_id}", "no address"),
        ("https://x.example/{plan_id} ", "no link has"),
        ("", "does not say where"),
    ],
)
def test_a_pattern_that_makes_no_links_is_refused(pattern, said):
    with pytest.raises(ValueError, match=said):
        sound_pattern(pattern)
