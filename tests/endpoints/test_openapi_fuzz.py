"""The OpenAPI description is valid and true, and nothing that can be generated from it breaks the server."""

import shutil
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import msgspec
import pytest
import schemathesis
from hypothesis import HealthCheck, given, note, settings
from hypothesis import strategies as st
from schemathesis import GenerationMode
from schemathesis.specs.openapi import checks
from schemathesis.transport.requests import ManagedCookiesSession

import headwater
from headwater.boot.components import find_components
from headwater.platform.system.openapi import describe
from tests.endpoints.callers import Caller, Headers, make_callers
from tests.kit.server import RunningServer, new_folder

pytestmark = pytest.mark.torture
DOCUMENT = msgspec.json.decode(msgspec.json.encode(describe(find_components(), headwater.__version__)))
SCHEMA: Any = schemathesis.openapi.from_dict(DOCUMENT)
OPERATIONS: list[Any] = [result.ok() for result in SCHEMA.get_all_operations()]
CALLERS = (Caller.NOBODY, Caller.USER, Caller.ADMIN)
MODES = (GenerationMode.POSITIVE, GenerationMode.NEGATIVE)
THEIR_CHECKS: Any = checks
TRUE_TO_THE_DOCUMENT = [THEIR_CHECKS.content_type_conformance, THEIR_CHECKS.response_schema_conformance]
PATIENT = (HealthCheck.too_slow, HealthCheck.filter_too_much, HealthCheck.data_too_large)
EXAMPLES = 100
"""Of every operation, right ones and as many wrong ones, for every caller."""
QUERIES = 2000
SQLSTATES_OF_500 = (
    "09",
    "21",
    "25",
    "2D",
    "38",
    "39",
    "3B",
    "40",
    "54",
    "55",
    "57",
    "58",
    "F0",
    "HV",
    "P0",
    "XX",
    "42P17",
)
"""What Postgres refuses, and the dialect answers 500 to by contract (contracts/postgrest.md 9)."""


@pytest.fixture(scope="module")
def target() -> Iterator[RunningServer]:
    """A server to be attacked."""
    folder = new_folder()
    running = RunningServer(folder)
    running.sql(
        "create table fuzzed (id int primary key, word text, number numeric, moment timestamptz, flags int[], "
        "document jsonb, owner uuid default auth.uid()); insert into fuzzed (id, word) values (1, 'one'), (2, 'two')"
    )
    yield running
    code = running.stop()
    shutil.rmtree(folder.parent, ignore_errors=True)
    assert code == 0


@pytest.fixture(scope="module")
def callers(target: RunningServer) -> dict[Caller, Headers]:
    """Everyone's credentials."""
    return make_callers(target)


@pytest.fixture(scope="module")
def session() -> Iterator[ManagedCookiesSession]:
    """Connections that are kept; cookies are not."""
    with ManagedCookiesSession() as kept:
        kept.headers.clear()  # what a session adds of its own would win over what is generated
        yield kept


def must_not_break(response: httpx.Response | schemathesis.Response) -> None:
    """No 500 but those that the dialect owes to a SQLSTATE."""
    if response.status_code == 500:
        code = str(response.json().get("code", ""))
        assert code.startswith(SQLSTATES_OF_500) and len(code) == 5, response.text
    assert response.status_code < 502, response.text


def test_the_document_is_valid_openapi() -> None:
    assert DOCUMENT["openapi"].startswith("3.1.")
    SCHEMA.validate()


def test_the_server_tells_this_document(target: RunningServer) -> None:
    assert httpx.get(target.url + "/openapi.json").json() == DOCUMENT


def test_every_endpoint_is_in_the_document() -> None:
    described = {(path, method.upper()) for path, methods in DOCUMENT["paths"].items() for method in methods}
    declared = {
        (
            endpoint.path
            if component.package.startswith("headwater.platform.")
            else f"/apps/{component.name}{endpoint.path}",
            endpoint.method,
        )
        for component in find_components()
        for endpoint in component.endpoints
        if endpoint.method != "QUERY"  # OpenAPI 3.1 has no word for it
    }
    assert described == declared


def takes_something(operation: Any) -> bool:
    """Whether there is anything that a caller could get wrong."""
    described = DOCUMENT["paths"][operation.path][operation.method]
    return bool({"parameters", "requestBody"} & set(described))


@pytest.mark.parametrize("operation", OPERATIONS, ids=[operation.label for operation in OPERATIONS])
def test_nothing_generated_breaks_an_endpoint(
    target: RunningServer,
    callers: dict[Caller, Headers],
    session: ManagedCookiesSession,
    operation: Any,
    scaled: Callable[[int], int],
) -> None:
    """Every caller sends each example: making one takes several times as long as its answer."""
    for mode in MODES if takes_something(operation) else MODES[:1]:

        @settings(max_examples=scaled(EXAMPLES), suppress_health_check=PATIENT, database=None)
        @given(case=operation.as_strategy(generation_mode=mode))
        def attack(case: Any) -> None:
            for caller in CALLERS:
                note(f"sent by {caller}")
                headers = dict(callers[caller])
                response = case.call(base_url=target.url, session=session, headers=headers, timeout=60)
                must_not_break(response)
                case.validate_response(response, checks=TRUE_TO_THE_DOCUMENT)

        attack()


ADDRESSED = [operation for operation in OPERATIONS if operation.path.endswith(("/refresh", "/logout", "/sessions"))]
PRINTABLE = st.text(st.characters(min_codepoint=32, max_codepoint=126)).map(str.strip)
HOSTS = PRINTABLE | st.sampled_from(["", "[", "[::1", "localhost:x", "a:99999", "evil.example", "127.0.0.1:0/..", "@"])


def test_no_host_or_origin_breaks_a_session(target: RunningServer, scaled: Callable[[int], int]) -> None:
    """What the document leaves to the transport: a browser's session asks by which host the page came."""
    with target.client() as client:

        @settings(max_examples=scaled(QUERIES), suppress_health_check=PATIENT, database=None)
        @given(operation=st.sampled_from(ADDRESSED), host=HOSTS, origin=HOSTS)
        def attack(operation: Any, host: str, origin: str) -> None:
            headers = {"host": host, "origin": origin, "cookie": "insforge_refresh_token=rt_1", "x-csrf-token": "1"}
            must_not_break(client.request(operation.method, operation.path, headers=headers))

        attack()


STEPS = st.sampled_from(
    [
        *("select", "order", "limit", "offset", "columns", "on_conflict", "and", "or", "not.and"),
        *("id", "word", "number", "moment", "flags", "document", "document->a->>b", "owner", "word::int", "nothing"),
    ]
)
WORDS = st.sampled_from(
    [
        *(
            "eq.",
            "neq.",
            "gt.",
            "like.",
            "ilike.",
            "match.",
            "is.",
            "in.",
            "cs.",
            "cd.",
            "ov.",
            "fts.",
            "wfts(english).",
            "not.",
        ),
        *(
            "1",
            "one",
            "null",
            "true",
            "(1,2)",
            "{1,2}",
            "*",
            "id",
            "word",
            "id,word",
            "a:id",
            "count()",
            "...",
            "document->0",
        ),
        *(
            "id.eq.1",
            "(id.eq.1,word.is.null)",
            "desc",
            ".nullsfirst",
            "'",
            '"',
            "\\",
            "%",
            "(",
            ")",
            ",",
            ".",
            "::",
            "\x00",
            "é",
        ),
        *("9" * 30, "-1", "1e400", "infinity", "[1,2)"),
    ]
)
TEXTS = st.lists(WORDS | st.text(max_size=4), max_size=5).map("".join)
BODIES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | TEXTS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(STEPS | st.text(max_size=3), inner, max_size=4),
    max_leaves=8,
)
PREFERENCES = st.lists(
    st.sampled_from(
        [
            *("return=representation", "return=minimal", "return=headers-only", "count=exact", "count=planned"),
            *("resolution=merge-duplicates", "resolution=ignore-duplicates", "missing=default", "handling=strict"),
            *("max-affected=1", "timezone=Asia/Tokyo", "timezone='", "tx=rollback", "nonsense"),
        ]
    ),
    max_size=3,
).map(",".join)
ACCEPTED = st.sampled_from(
    [
        *("application/json", "application/vnd.pgrst.object+json", "application/vnd.pgrst.array+json;nulls=stripped"),
        *("text/csv", "application/vnd.pgrst.plan", "nonsense", "*/*"),
    ]
)


@pytest.mark.parametrize("caller", CALLERS[1:])
def test_no_query_breaks_the_dialect(
    target: RunningServer, callers: dict[Caller, Headers], caller: Caller, scaled: Callable[[int], int]
) -> None:
    """What the document cannot describe: filters, orders, embeddings, preferences and rows, mostly almost right."""
    statuses: Counter[int] = Counter()
    with target.client() as client:

        @settings(max_examples=scaled(QUERIES), suppress_health_check=PATIENT, database=None)
        @given(
            method=st.sampled_from(["GET", "HEAD", "POST", "PATCH", "PUT", "DELETE", "OPTIONS"]),
            mount=st.sampled_from(["/rest/v1", "/api/database/records"]),
            query=st.lists(st.tuples(STEPS, TEXTS), max_size=4),
            body=BODIES,
            prefer=PREFERENCES,
            accept=ACCEPTED,
        )
        def attack(
            method: str, mount: str, query: list[tuple[str, str]], body: object, prefer: str, accept: str
        ) -> None:
            headers = {**callers[caller], "prefer": prefer, "accept": accept}
            content = msgspec.json.encode(body) if method in {"POST", "PATCH", "PUT"} else None
            params = httpx.QueryParams(tuple(query))
            answer = client.request(method, f"{mount}/fuzzed", params=params, headers=headers, content=content)
            statuses[answer.status_code] += 1
            must_not_break(answer)

        attack()
    assert statuses.keys() >= {200, 400}, statuses
