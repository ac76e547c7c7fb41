"""What is refused, in whose words, and that nothing a stranger sends is the server's failure."""

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from headwater.kernel.catalog import Catalog
from headwater.kernel.database import Connect, Database, Login, Transactions
from headwater.kernel.errors import DatabaseUnavailable, InvalidToken, MissingCredentials, Refusal
from headwater.kernel.principal import ANON_ROLE, Kind, Principal
from headwater.platform.records import Records
from tests.platform.records.conftest import ADMIN, Ask, envelope_of, header, person, raw_request, rows

ANON = Principal(kind=Kind.ANON, role=ANON_ROLE, key="anon", claims={"role": "anon"}, claims_json='{"role":"anon"}')

READS = [
    ("nothing", 404, "PGRST205"),
    ("todo", 404, "PGRST205"),
    ("todos?id=eq.x", 400, "22P02"),
    ("todos?id=eq.99999999999999999999", 400, "22003"),
    ("todos?nope=eq.1", 400, "42703"),
    ("todos?select=nope", 400, "42703"),
    ("todos?order=nope", 400, "42703"),
    ("todos?select=id::nope", 400, "42704"),
    ("todos?select=id::int)from(", 400, "PGRST100"),
    ("todos?extra=eq.x", 400, "22P02"),
    ("kinds?raw=eq.1", 404, "42883"),
    ("todos?id=like.1", 404, "42883"),
    ("todos?title=match.(", 400, "2201B"),
    ("todos?id=in.(1,x)", 400, "22P02"),
    ("todos?id=in.1,2", 400, "PGRST100"),
    ("todos?id=in.(1,2", 400, "PGRST100"),
    ("todos?id=eqq.1", 400, "PGRST100"),
    ("todos?id=1", 400, "PGRST100"),
    ("todos?id=", 400, "PGRST100"),
    ("todos?id=eq(some).{1}", 400, "PGRST100"),
    ("todos?id=neq(any).{1}", 400, "PGRST100"),
    ("todos?due=is.nothing", 400, "PGRST100"),
    ("todos?title=fts(klingon).x", 400, "42704"),
    ("todos?or=(id.eq.1", 400, "PGRST100"),
    ("todos?or=()", 400, "PGRST100"),
    ("todos?or=id.eq.1", 400, "PGRST100"),
    ("todos?or=(id.eq.1)x", 400, "PGRST100"),
    ("todos?and=" + "and(" * 60 + "id.eq.1" + ")" * 60, 400, "PGRST100"),
    ("todos?select=" + "a(" * 60 + ")" * 60, 400, "PGRST100"),
    ("todos?select=" + ",".join(["id"] * 1001), 400, "PGRST100"),
    ("todos?id=in.(" + ",".join(["x"] * 5) + ")", 400, "22P02"),
    ("todos?" + "&".join(["id=gt.1"] * 10_001), 400, "PGRST100"),
    ("todos?select=id,", 400, "PGRST100"),
    ("todos?select=id;drop", 400, "PGRST100"),
    ("todos?order=id.up", 400, "PGRST100"),
    ("todos?limit=x", 400, "PGRST100"),
    ("todos?limit=-1", 416, "PGRST103"),
    ("todos?offset=-1", 416, "PGRST103"),
    ("todos?limit=99999999999999999999", 200, None),
    ("todos?title=eq.%00", 400, "PGRST100"),
    ("todos?title=eq.%ff", 400, "PGRST100"),
    ("todos?ti%00tle=eq.x", 400, "PGRST100"),
    ("todos?title=eq.%ed%a0%80", 400, "PGRST100"),
    ("todos?extra->999999999999=eq.1", 200, None),
    ("todos?select=extra->999999999", 200, None),
    ("todos?select=*,owner(*)", 400, "PGRST200"),
    ("todos?select=...owner(*)", 400, "PGRST200"),
    ("todos?order=owner(name)", 400, "PGRST108"),
    ("todos?owner.name=eq.1", 400, "PGRST108"),
    ("todos?owner.or=(a.eq.1)", 400, "PGRST108"),
    ("todos?owner.limit=1", 400, "PGRST108"),
    ("todos?owner.order=a", 400, "PGRST108"),
    ("system?select=id", 404, "PGRST205"),
]


async def test_reads(ask: Ask) -> None:
    found: dict[str, object] = {}
    for target, _, _ in READS:
        reply = await ask("GET", target, as_=person(1))
        found[target] = (reply.status, None if reply.status == 200 else rows(reply)["code"])
    assert found == {target: (status, code) for target, status, code in READS}


WRITES = [
    ("POST", "todos", b"", 400, "PGRST102"),
    ("POST", "todos", b"{", 400, "PGRST102"),
    ("POST", "todos", b'{"title": "\xff"}', 400, "PGRST102"),
    ("POST", "todos", b"[1]", 400, "PGRST102"),
    ("POST", "todos", b"[" * 100_000, 400, "PGRST102"),
    ("POST", "todos?columns=title", b"[" * 100_000, 400, "54001"),
    ("POST", "todos?columns=title", b"{", 400, "22P02"),
    ("POST", "todos?columns=title", b"", 400, "PGRST102"),
    ("POST", "todos", b'[{"title": "a"}, {"done": true}]', 400, "PGRST102"),
    ("POST", "todos", b'{"nope": 1}', 400, "PGRST204"),
    ("POST", "todos?columns=nope", b'{"nope": 1}', 400, "PGRST204"),
    ("POST", "todos", b'{"title": "\\u0000"}', 400, "22P05"),
    ("POST", "todos", b'{"title": "\\ud800"}', 400, "PGRST102"),
    ("POST", "todos", b'{"title": null}', 400, "23502"),
    ("POST", "todos", b'{"title": "x", "priority": "x"}', 400, "22P02"),
    ("POST", "todos", b'{"title": "x", "priority": 1e99}', 400, "22P02"),
    ("POST", "kinds", b'{"code": "x", "twice": 1}', 400, "428C9"),
    ("POST", "kinds", b'{"code": "x", "amount": -1}', 400, "23514"),
    ("POST", "kinds", b'{"code": "far too long"}', 400, "22001"),
    ("POST", "kinds", b'{"code": "x", "feeling": "odd"}', 400, "22P02"),
    ("POST", "nothing", b"{}", 404, "PGRST205"),
    ("PATCH", "todos?limit=1", b'{"title": "x"}', 400, "PGRST127"),
    ("DELETE", "todos?offset=1", b"", 400, "PGRST127"),
    ("POST", "hidden", b'{"id": 1}', 403, "42501"),
    ("DELETE", "hidden", b"", 403, "42501"),
]


async def test_writes(ask: Ask, connector: Connect) -> None:
    admin = await connector(Login.ADMIN)
    await admin.execute("grant insert, select on kinds to authenticated")
    await admin.close()
    found: dict[object, object] = {}
    for method, target, body, _, _ in WRITES:
        reply = await ask(method, target, body, as_=person(1))
        found[method, target, body] = (reply.status, rows(reply)["code"])
    assert found == {(method, target, body): (status, code) for method, target, body, status, code in WRITES}


async def test_who_may_not_is_told_so(ask: Ask) -> None:
    stranger = await ask("GET", "hidden", as_=ANON)
    assert (stranger.status, header(stranger, "WWW-Authenticate")) == (401, "Bearer")
    user = await ask("GET", "hidden", as_=person(1))
    assert (user.status, rows(user)["message"]) == (403, "permission denied for table hidden")


async def test_conflicts(ask: Ask) -> None:
    await ask("POST", "pairs", {"a": 1, "b": 1}, as_=ADMIN)
    again = await ask("POST", "pairs", {"a": 1, "b": 1}, as_=ADMIN)
    assert (again.status, rows(again)) == (
        409,
        {
            "code": "23505",
            "details": "Key (a, b)=(1, 1) already exists.",
            "hint": None,
            "message": 'duplicate key value violates unique constraint "pairs_pkey"',
        },
    )
    assert header(again, "Proxy-Status") == "PostgREST; error=23505"


async def test_a_near_miss_is_hinted_at(ask: Ask) -> None:
    reply = await ask("GET", "todoss", as_=ADMIN)
    assert rows(reply) == {
        "code": "PGRST205",
        "details": None,
        "hint": "Perhaps you meant the table 'public.todos'",
        "message": "Could not find the table 'public.todoss' in the schema cache",
    }


async def test_preferences_that_are_not_known(ask: Ask) -> None:
    strict = await ask("GET", "pairs", as_=ADMIN, prefer="handling=strict, speed=high")
    assert (strict.status, rows(strict)["details"]) == (400, "Invalid preferences: speed=high")
    assert (await ask("GET", "pairs", as_=ADMIN, prefer="speed=high")).status == 200


async def test_a_read_cannot_write(ask: Ask, connector: Connect, catalog: Catalog) -> None:
    admin = await connector(Login.ADMIN)
    await admin.execute(
        "create function sneak() returns integer language sql volatile as"
        " 'insert into loose values (1) returning 1'; create view sneaky as select sneak() as x"
    )
    await admin.close()
    await catalog.refresh()
    reply = await ask("GET", "sneaky", as_=ADMIN)
    assert (reply.status, rows(reply)["code"]) == (405, "25006")
    assert rows(await ask("GET", "loose", as_=ADMIN)) == []
    assert (await ask("POST", "loose", {"note": "x"}, as_=ADMIN)).status == 201


async def test_failures_inside_postgres_keep_their_secrets(ask: Ask, connector: Connect, catalog: Catalog) -> None:
    admin = await connector(Login.ADMIN)
    await admin.execute(
        "create function burst() returns integer language plpgsql as"
        " $$ begin raise exception 'the secret' using errcode = 'XX000'; end $$;"
        "create view bursting as select burst() as x"
    )
    await admin.close()
    await catalog.refresh()
    reply = await ask("GET", "bursting", as_=ADMIN)
    assert reply.status == 500
    assert b"secret" not in reply.body


def test_each_mount_has_its_own_words_for_what_the_pipeline_refuses() -> None:
    exact, _ = envelope_of("GET", "/rest/v1/x")
    platform, _ = envelope_of("GET", "/api/database/records/x")
    expired = exact.refuse(InvalidToken())
    assert (expired.status, rows(expired)["code"]) == (401, "PGRST301")
    challenge = 'Bearer error="invalid_token", error_description="Invalid token"'
    assert header(expired, "WWW-Authenticate") == challenge
    nobody = exact.refuse(MissingCredentials())
    assert (rows(nobody)["code"], header(nobody, "WWW-Authenticate")) == ("PGRST302", "Bearer")
    away = exact.refuse(DatabaseUnavailable())
    assert (away.status, rows(away)["code"], header(away, "Retry-After")) == (503, "PGRST001", "1")
    assert rows(platform.refuse(InvalidToken())) == {
        "error": "AUTH_UNAUTHORIZED",
        "message": "Invalid token",
        "statusCode": 401,
    }


GRAMMAR = st.text(alphabet='abidtle01.,()"\\{}*:!->%=& \x00ünot' + "'", max_size=40)
WORDS = st.sampled_from(
    ["id", "title", "eq", "in", "is", "not", "or", "and", "(", ")", ".", ",", "=", "&", "select", "->"]
)
QUERIES = st.one_of(GRAMMAR, st.lists(WORDS, max_size=12).map("".join))


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=300)
@given(query=QUERIES, body=st.one_of(st.none(), st.binary(max_size=30)))
async def test_no_request_breaks_the_server(
    records: Records, database: Database, query: str, body: bytes | None
) -> None:
    request = raw_request("GET" if body is None else "POST", f"todos?{query}", body or b"")
    operation = records.read_rows if body is None else records.write_rows
    status = 200
    try:
        await operation(Transactions(database), person(1), request)
    except Refusal as refusal:
        status = refusal.status
    assert status < 500
