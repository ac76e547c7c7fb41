"""Which claims a policy reads: what its text shows, and all where it does not."""

import pytest

from headwater.platform.realtime.changes.claims import read_by
from headwater.platform.realtime.models import Policy, Relation


def relation(*expressions: str, name: str = "notes", itself: bool = True, plain: bool = True) -> Relation:
    """A table of the schema public with these policies for everybody."""
    policies = tuple(
        Policy(restrictive=False, roles=("authenticated",), expression=each, statement=f"select {each}")
        for each in expressions
    )
    return Relation(
        schema="public", name=name, plain=plain, itself=itself, guarded=("authenticated",), policies=policies
    )


NONE: set[str] = set()
CASES: list[tuple[str, set[str] | None]] = [
    ("true", NONE),
    ("(owner = auth.uid())", {"sub"}),
    ("(owner = ( SELECT auth.uid() AS uid))", {"sub"}),
    ("((auth.jwt() ->> 'team'::text) = team)", {"team"}),
    ("((( SELECT auth.jwt() AS jwt) -> 'app_metadata'::text) ->> 'org'::text) = org", {"app_metadata"}),
    ("(((current_setting('request.jwt.claims'::text, true))::json ->> 'sub'::text) = name)", {"sub"}),
    ("((NULLIF(current_setting('request.jwt.claims'::text, true), ''::text))::jsonb ->> 'x'::text) = 'y'", {"x"}),
    ("((auth.role() = 'authenticated'::text) AND (auth.email() ~~ '%@example.com'::text))", {"role", "email"}),
    ("(level < 3) AND (CURRENT_USER = 'anon'::name)", NONE),
    ("(lower(name) = 'x'::text)", NONE),
    # whatever is not understood may read anything
    ("(auth.jwt() = '{}'::jsonb)", None),
    ("((auth.jwt() #>> '{a,b}'::text[]) = name)", None),
    ("((auth.jwt() ->> name) = 'x'::text)", None),
    ("public.favours(notes.*)", None),
    ("(current_setting('request.jwt.claims'::text) = ''::text)", None),
    ("(current_setting('app.tenant'::text, true) = name)", None),
    ("(name OPERATOR(public.=) 'x'::text)", None),
    ("(mood = 'happy'::public.mood)", None),
    ("(xpath_exists('/x'::text, query_to_xml('select 1'::text, true, true, ''::text)))", None),
    ("EXISTS ( SELECT FROM public.unknown)", None),
    ("EXISTS ( SELECT FROM pg_settings)", None),
]


@pytest.mark.parametrize(("expression", "claims"), CASES)
def test_what_stands_in_a_policy(expression: str, claims: set[str] | None) -> None:
    assert read_by([relation(expression)], "authenticated").claims == claims


def test_what_a_policy_looks_into_counts_with_its_own_policies() -> None:
    notes = relation("EXISTS ( SELECT FROM public.members m WHERE (m.room = notes.room))")
    members = relation("(who = auth.uid())", name="members", itself=False)
    assert read_by([notes, members], "authenticated").claims == {"sub"}
    assert read_by([notes, members], "anon").claims == set()  # its policies are not for anon


def test_a_cast_to_an_enumeration_reads_nothing() -> None:
    notes = relation("((mood = 'happy'::public.mood) AND (owner = auth.uid()))")
    assert read_by([notes], "authenticated", ("public.mood",)).claims == {"sub"}


def test_a_view_may_read_anything() -> None:
    notes = relation("EXISTS ( SELECT FROM public.mine)")
    view = relation(name="mine", itself=False, plain=False)
    assert read_by([notes, view], "authenticated").claims is None


def test_columns_are_known_even_where_claims_are_not() -> None:
    notes = relation("((level > 1) AND public.favours(notes.team))")
    assert read_by([notes], "authenticated").names >= {"level", "team"}
