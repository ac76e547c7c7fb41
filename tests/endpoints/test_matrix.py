"""Every endpoint, generated from the declarations: who is let in, what is understood, how much is read."""

import socket
from collections.abc import Iterator
from http.client import HTTPResponse
from typing import Any
from uuid import uuid4

import httpx
import msgspec
import pytest

from headwater.boot.components import find_components
from headwater.kernel.component import Access, Endpoint
from headwater.kernel.errors import (
    ClaimsRefused,
    InvalidAnonKey,
    InvalidApiKey,
    InvalidInput,
    InvalidToken,
    MissingCredentials,
    NotAnAdmin,
    NotAUser,
    Refusal,
)
from headwater.kernel.models import RawRequest
from tests.endpoints.callers import Caller, Headers, bearer, let_in, make_callers, refusal_due, told
from tests.kit.server import RunningServer

PROMISED: dict[type[Refusal], tuple[int, str]] = {
    MissingCredentials: (401, "AUTH_INVALID_CREDENTIALS"),
    InvalidToken: (401, "AUTH_UNAUTHORIZED"),
    ClaimsRefused: (401, "AUTH_UNAUTHORIZED"),
    InvalidApiKey: (401, "AUTH_INVALID_API_KEY"),
    InvalidAnonKey: (401, "AUTH_INVALID_CREDENTIALS"),
    NotAUser: (401, "AUTH_UNAUTHORIZED"),
    NotAnAdmin: (403, "AUTH_UNAUTHORIZED"),
}
"""What clients were told to expect (contracts/platform.md); at /rest/v1 the dialect has codes of its own."""
DIALECT: dict[type[Refusal], str] = {
    MissingCredentials: "PGRST302",
    InvalidToken: "PGRST301",
    ClaimsRefused: "PGRST303",
}
FOR_SESSIONS: dict[str, type[Refusal]] = {"Identity.find_current_admin": NotAUser}
"""What an operation itself refuses to a key: nobody's session."""
AT_THE_DOOR = frozenset(refusal.sentence for refusal in PROMISED)
TABLE = "matrix_rows"
WITH_BODY = frozenset({"POST", "PUT", "PATCH", "DELETE"})
METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "TRACE", "PROPFIND")
ENDPOINTS = tuple(
    (component.name if component.package.startswith("headwater.platform.") else f"apps/{component.name}", endpoint)
    for component in find_components()
    for endpoint in component.endpoints
)


def path_of(owner: str, endpoint: Endpoint, **values: str) -> str:
    """A path of the endpoint: our table where rows are meant, and otherwise what nobody has."""
    filled = ({"table": TABLE} if endpoint.body is RawRequest else {}) | values
    segments = [
        filled.get(segment[1:-1], str(uuid4())) if segment.startswith("{") else segment
        for segment in endpoint.path.split("/")
    ]
    return (f"/{owner}" if owner.startswith("apps/") else "") + "/".join(segments)


def named(value: object) -> str | None:
    """How a case is called in the report."""
    return f"{value.method} {value.path}" if isinstance(value, Endpoint) else None


every_endpoint = pytest.mark.parametrize(("owner", "endpoint"), ENDPOINTS, ids=named)


@pytest.fixture(scope="module")
def table(server: RunningServer) -> Iterator[str]:
    """A table that everyone may read and change."""
    server.sql(f"create table {TABLE} (id uuid primary key default gen_random_uuid(), note text)")
    yield TABLE
    server.sql(f"drop table {TABLE}")


@pytest.fixture(scope="module")
def callers(server: RunningServer, table: str) -> dict[Caller, Headers]:
    """Everyone's credentials."""
    return make_callers(server)


@pytest.fixture(scope="module")
def client(server: RunningServer) -> Iterator[httpx.Client]:
    """A client that shows what each case tells it to."""
    with server.client() as client:
        yield client


def ask(client: httpx.Client, owner: str, endpoint: Endpoint, headers: Headers, **more: Any) -> httpx.Response:
    """The request that does the least: an empty object where a body is read."""
    if endpoint.method in WITH_BODY and "json" not in more and "content" not in more:
        more["json"] = {}
    return client.request(endpoint.method, path_of(owner, endpoint), headers=headers, **more)


def must_be(endpoint: Endpoint, answer: httpx.Response, refusal: type[Refusal]) -> None:
    """The answer is this refusal, with the status and the code that were promised."""
    status, code = PROMISED[refusal]
    assert answer.status_code == status, answer.text
    if endpoint.method == "HEAD":
        return
    body = told(answer.content)
    if isinstance(body.get("error"), dict):  # an app's own words, which its envelope knows
        assert body == told(endpoint.envelope.refuse(refusal()).body)
        return
    dialect = "hint" in body
    assert dialect == endpoint.path.startswith("/rest/v1")
    assert body["code" if dialect else "error"] == (DIALECT.get(refusal, code) if dialect else code)
    assert body["message"] == refusal.sentence
    if not dialect:
        assert body["statusCode"] == status


def code_in(body: dict[str, Any]) -> object:
    """The code of a refusal, in whatever envelope it is told."""
    error: Any = body.get("error", body.get("code"))
    return error if isinstance(error, str) else error["code"]


def sentence_in(body: dict[str, Any]) -> str:
    """The sentence of a refusal, in whatever envelope it is told."""
    error: Any = body.get("error")
    return str(body["message"] if error is None or isinstance(error, str) else error["message"])


def must_be_admitted(endpoint: Endpoint, answer: httpx.Response) -> None:
    """Whatever the operation answers, nobody was turned away at the door, and nothing broke."""
    assert answer.status_code < 500, answer.text
    if endpoint.name in FOR_SESSIONS:
        must_be(endpoint, answer, FOR_SESSIONS[endpoint.name])
        return
    if answer.status_code in {401, 403}:
        assert sentence_in(told(answer.content)) not in AT_THE_DOOR, answer.text


@every_endpoint
@pytest.mark.parametrize("caller", Caller)
def test_who_is_let_in(
    client: httpx.Client, callers: dict[Caller, Headers], owner: str, endpoint: Endpoint, caller: Caller
) -> None:
    answer = ask(client, owner, endpoint, callers[caller])
    refusal = refusal_due(endpoint, caller)
    if refusal is None:
        must_be_admitted(endpoint, answer)
    else:
        must_be(endpoint, answer, refusal)


def test_the_matrix_has_every_kind_of_endpoint_and_refusal() -> None:
    endpoints = [endpoint for _, endpoint in ENDPOINTS]
    assert {endpoint.access for endpoint in endpoints} == set(Access)
    due = {refusal_due(endpoint, caller) for endpoint in endpoints for caller in Caller}
    assert due == {None, MissingCredentials, InvalidToken, ClaimsRefused, NotAUser, NotAnAdmin}
    assert all((refusal.status, refusal.code) == promised for refusal, promised in PROMISED.items())


@every_endpoint
def test_the_api_key_beats_the_bearer_but_where_only_a_user_will_do(
    client: httpx.Client, callers: dict[Caller, Headers], server: RunningServer, owner: str, endpoint: Endpoint
) -> None:
    over_forged = {**callers[Caller.FORGED], "x-api-key": server.admin_key}
    beside_a_user = {**callers[let_in(endpoint)], "x-api-key": server.admin_key}
    if endpoint.access is Access.USER:
        must_be(endpoint, ask(client, owner, endpoint, over_forged), InvalidToken)
        must_be_admitted(endpoint, ask(client, owner, endpoint, beside_a_user))
        return
    admin = refusal_due(endpoint, Caller.ADMIN)
    answer = ask(client, owner, endpoint, over_forged)
    must_be_admitted(endpoint, answer) if admin is None else must_be(endpoint, answer, admin)
    unknown = {**callers[let_in(endpoint)], "x-api-key": "ik_unknown"}
    answer = ask(client, owner, endpoint, unknown)
    must_be_admitted(endpoint, answer) if endpoint.access is Access.ANYONE else must_be(endpoint, answer, InvalidApiKey)


@every_endpoint
@pytest.mark.parametrize(
    ("shown", "refusal"),
    [
        ("ik_unknown", InvalidApiKey),
        ("anon_unknown", InvalidAnonKey),
        ("ik_", InvalidApiKey),
        ("not.a.token", InvalidToken),
        ("eyJhbGciOiJub25lIn0.eyJzdWIiOiJ4Iiwicm9sZSI6InByb2plY3RfYWRtaW4ifQ.", InvalidToken),
    ],
)
def test_credentials_nobody_gave_out(
    client: httpx.Client, table: str, owner: str, endpoint: Endpoint, shown: str, refusal: type[Refusal]
) -> None:
    answer = ask(client, owner, endpoint, bearer(shown))
    must_be_admitted(endpoint, answer) if endpoint.access is Access.ANYONE else must_be(endpoint, answer, refusal)


@every_endpoint
@pytest.mark.parametrize("caller", [Caller.NOBODY, Caller.ANON_KEY, Caller.USER, Caller.ADMIN])
def test_what_is_for_this_machine_is_for_nobody_behind_a_proxy(
    client: httpx.Client, callers: dict[Caller, Headers], owner: str, endpoint: Endpoint, caller: Caller
) -> None:
    answer = ask(client, owner, endpoint, {**callers[caller], "x-forwarded-for": "203.0.113.7"})
    if endpoint.local_only and caller is not Caller.ADMIN:
        must_be(endpoint, answer, MissingCredentials if caller is Caller.NOBODY else NotAnAdmin)
    elif refusal_due(endpoint, caller) is None:
        must_be_admitted(endpoint, answer)


def _wrong(kind: Any, *, as_text: bool) -> object:
    """A value that is not of this type; None where every such value is."""
    candidates: tuple[object, ...] = ("wrong",) if as_text else (7, "wrong", [], {})
    for value in candidates:
        try:
            msgspec.convert(value, kind, strict=not as_text)
        except msgspec.ValidationError:
            return value
    return None


def wrong_shapes() -> Iterator[tuple[str, Endpoint, str, str, object]]:
    """Endpoint, where a field is written, its name, and a value that is none: in path, query or body."""
    for owner, endpoint in ENDPOINTS:
        if endpoint.body is None or endpoint.body is RawRequest:
            continue
        for field in msgspec.structs.fields(endpoint.body):
            name = field.encode_name
            place = "path" if f"{{{name}}}" in endpoint.path else "body" if endpoint.method in WITH_BODY else "query"
            value = _wrong(field.type, as_text=place != "body")
            if name not in endpoint.inputs and value is not None:
                yield owner, endpoint, place, name, value


@pytest.mark.parametrize(("owner", "endpoint", "place", "name", "value"), list(wrong_shapes()), ids=named)
def test_a_wrong_shape_is_told_by_its_field(
    client: httpx.Client,
    callers: dict[Caller, Headers],
    owner: str,
    endpoint: Endpoint,
    place: str,
    name: str,
    value: object,
) -> None:
    path = path_of(owner, endpoint, **({name: str(value)} if place == "path" else {}))
    answer = client.request(
        endpoint.method,
        path,
        headers=callers[let_in(endpoint)],
        params={name: str(value)} if place == "query" else None,
        json={name: value} if place == "body" else None,
    )
    assert answer.status_code == 400, answer.text
    sentence = sentence_in(told(answer.content))
    assert sentence.startswith(f"{name}: "), answer.text
    expected = told(endpoint.envelope.refuse(InvalidInput(reason=sentence)).body)
    assert code_in(told(answer.content)) == code_in(expected)


RECORD_WRITES = tuple(
    (owner, endpoint)
    for owner, endpoint in ENDPOINTS
    if endpoint.path.endswith("/{table}")
    and endpoint.body is RawRequest
    and endpoint.method in {"POST", "PUT", "PATCH"}
)


@pytest.mark.parametrize(("owner", "endpoint"), RECORD_WRITES, ids=named)
def test_an_unknown_column_is_named(
    client: httpx.Client, callers: dict[Caller, Headers], owner: str, endpoint: Endpoint
) -> None:
    query = {"id": f"eq.{uuid4()}"} if endpoint.method != "POST" else None
    body = {"id": str(uuid4()), "no_such_column": 1}
    answer = ask(client, owner, endpoint, callers[Caller.USER], json=body, params=query)
    assert answer.status_code == 400, answer.text
    assert "no_such_column" in answer.text


with_body = pytest.mark.parametrize(
    ("owner", "endpoint"), [case for case in ENDPOINTS if case[1].method in WITH_BODY], ids=named
)


@with_body
def test_what_is_no_json_is_told(
    client: httpx.Client, callers: dict[Caller, Headers], owner: str, endpoint: Endpoint
) -> None:
    answer = ask(client, owner, endpoint, callers[let_in(endpoint)], content=b'{"half": ')
    reads_none = endpoint.body is None or (endpoint.body is RawRequest and endpoint.method == "DELETE")
    if reads_none:
        must_be_admitted(endpoint, answer)
    else:
        assert answer.status_code == 400, answer.text


@with_body
@pytest.mark.parametrize("declared", [True, False], ids=["declared", "chunked"])
def test_a_body_over_the_limit_is_refused(
    server: RunningServer, callers: dict[Caller, Headers], owner: str, endpoint: Endpoint, declared: bool
) -> None:
    """With its length declared it is refused before a byte of it is read; in chunks, once it passes the limit."""
    headers = {"host": "127.0.0.1", **callers[let_in(endpoint)]}
    length = endpoint.body_limit + 1
    headers |= {"content-length": str(length)} if declared else {"transfer-encoding": "chunked"}
    head = [f"{endpoint.method} {path_of(owner, endpoint)} HTTP/1.1", *(f"{n}: {v}" for n, v in headers.items())]
    url = httpx.URL(server.url)
    with socket.create_connection((url.host, url.port or 80), timeout=30) as connection:
        connection.sendall("\r\n".join([*head, "", ""]).encode())
        if not declared:
            _send_chunks(connection, length)
        answer = HTTPResponse(connection)
        answer.begin()
        body = told(answer.read())
    assert answer.status == 413, body
    assert code_in(body) == "PAYLOAD_TOO_LARGE"
    assert str(endpoint.body_limit) in sentence_in(body)


def _send_chunks(connection: socket.socket, length: int) -> None:
    """Send at least so many bytes; whoever has answered reads them still, so that the answer arrives."""
    chunk = b" " * 65_536
    for _ in range(length // len(chunk) + 1):
        connection.sendall(b"%x\r\n%b\r\n" % (len(chunk), chunk))
    connection.sendall(b"0\r\n\r\n")


@pytest.mark.parametrize(("owner", "endpoint"), ENDPOINTS, ids=named)
def test_a_wrong_method_is_told_with_those_that_are_right(
    client: httpx.Client, table: str, owner: str, endpoint: Endpoint
) -> None:
    path = path_of(owner, endpoint)
    allowed = client.request("TRACE", path).headers["allow"].split(", ")
    assert endpoint.method in allowed
    assert ("HEAD" in allowed) >= ("GET" in allowed)
    for method in sorted(set(METHODS) - set(allowed)):
        answer = client.request(method, path)
        assert answer.status_code == 405, f"{method} {path}: {answer.text}"
        assert answer.headers["allow"].split(", ") == allowed
        if method != "HEAD":
            body = told(answer.content)
            exact = "PGRST101" if path.startswith("/rest/v1/rpc/") else "PGRST117"
            code = exact if path.startswith("/rest/v1") else "METHOD_NOT_ALLOWED"
            assert code_in(body) == code
