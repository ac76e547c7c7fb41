"""What do you ask? 400."""

from collections.abc import Iterator
from functools import cache
from mmap import mmap
from typing import Any, cast
from urllib.parse import parse_qsl

import msgspec
from msgspec.inspect import StructType, type_info
from msgspec.structs import FieldInfo

from headwater.flow.house import BoundEndpoint, BoundMessage
from headwater.flow.request import Request
from headwater.kernel.component import Endpoint, FromAddress, FromCookie, FromHeader, Source
from headwater.kernel.errors import InvalidInput
from headwater.kernel.models import RawRequest
from headwater.kernel.sockets import Incoming, Socket

_WITH_BODY = frozenset({"POST", "PUT", "PATCH", "DELETE", "QUERY"})


async def validate(endpoint: BoundEndpoint, request: Request) -> object:
    """The endpoint's body struct, filled from the request.

    The JSON body comes first, then the query string, the path's parameters and the declared inputs, each later one
    winning; a declared input comes from nowhere else. A body is read as JSON whatever its Content-Type says: nothing
    hangs on that header (any origin may ask for any), and a forgotten one is the commonest mistake of a first request.
    No text may hold a NUL character, wherever it comes from: PostgreSQL keeps none, neither as text nor in JSON.
    Raises `InvalidInput` with the field's path, `BodyTooLarge`.
    """
    request.enters("validate")
    declared = endpoint.declared
    if declared.spooled:
        body = await request.spooled(declared.body_limit)
        return _raw(request, body) if isinstance(body, bytes) else _raw(request, b"", body)
    raw = await request.body(declared.body_limit) if request.method in _WITH_BODY else b""
    if declared.body is None:
        return None
    if declared.body is RawRequest:
        return _raw(request, raw)
    if not request.query and not request.parameters and not declared.inputs:
        return decode(declared.body, raw or b"{}")
    return _filled(declared, declared.body, request, raw)


def decode(body: type, raw: bytes) -> object:
    """A struct from a JSON text; raises `InvalidInput` with the field's path."""
    return _decoded(_decoder(body), raw)


def _decoded(decoder: msgspec.json.Decoder[Any], raw: bytes) -> Any:
    try:
        decoded = decoder.decode(raw)
        if b"\\" in raw and b"\\u0000" in raw:  # one byte is looked for ten times as quickly as six
            _must_hold_no_nul(msgspec.json.decode(raw))
        return decoded
    except msgspec.ValidationError as failure:
        raise InvalidInput(reason=sentence_of(failure)) from failure
    except (msgspec.DecodeError, UnicodeDecodeError) as failure:
        raise InvalidInput(reason=f"The body is not JSON: {failure}") from failure
    except RecursionError as failure:
        raise InvalidInput(reason="The body is nested too deeply") from failure


def _must_hold_no_nul(asked: object) -> None:
    """Raise `InvalidInput`, with the field's path, where a text or a name in it holds a NUL character."""
    waiting = [("", asked)]
    while waiting:
        path, value = waiting.pop()
        if isinstance(value, dict):
            fields = cast("dict[str, object]", value)
            waiting += [(path, name) for name in fields]
            waiting += [(f"{path}.{name}".lstrip("."), each) for name, each in fields.items()]
        elif isinstance(value, list):
            waiting += [(f"{path}[{at}]", each) for at, each in enumerate(cast("list[object]", value))]
        elif isinstance(value, str) and "\0" in value:
            raise InvalidInput(reason=f"{path or 'The body'}: A NUL character cannot be stored")


def sentence_of(failure: msgspec.ValidationError, field: str = "") -> str:
    """`field.path: reason`, from msgspec's own words."""
    reason, _, place = str(failure).partition(" - at `$")
    path = f"{field}{place.rstrip('`')}".lstrip(".")
    return f"{path}: {reason}" if path else reason


def _filled(endpoint: Endpoint, body: type, request: Request, raw: bytes) -> object:
    """A struct from a JSON body, in which a number is no text, and from texts, which become what is wanted."""
    form = _form(body, (*request.parameters, *endpoint.inputs))
    values: dict[str, Any] = {}
    if raw:
        decoded = _decoded(form.decoder, raw)
        values = {name: value for name in form.open if (value := getattr(decoded, name)) is not msgspec.UNSET}
    for name, text in _texts(endpoint, request):
        field = form.fields.get(name)
        if field is not None:
            if "\0" in text:
                raise InvalidInput(reason=f"{name}: A NUL character cannot be stored")
            values[field.name] = text if field.type is str else _converted(field, text)
    return _made(body, form, values)


def _made(body: type, form: "_Form", values: dict[str, Any]) -> object:
    """A struct from the values of its fields."""
    for field in form.fields.values():
        if field.required and field.name not in values:
            raise InvalidInput(reason=f"Object missing required field `{field.encode_name}`")
    try:
        return body(**values)
    except (TypeError, ValueError) as failure:  # of the struct's own __post_init__, as in msgspec
        raise InvalidInput(reason=str(failure)) from failure


def _texts(endpoint: Endpoint, request: Request) -> Iterator[tuple[str, str]]:
    """Named texts of the request, those that win last."""
    try:
        asked = parse_qsl(request.query, keep_blank_values=True, errors="strict")
    except UnicodeDecodeError as failure:
        raise InvalidInput(reason="The query is not UTF-8") from failure
    yield from ((name, text) for name, text in asked if name not in endpoint.inputs)
    yield from request.parameters.items()
    for name, source in endpoint.inputs.items():
        value = _input(source, request)
        if value is not None:
            yield name, value


def _converted(field: FieldInfo, text: str) -> Any:
    try:
        return msgspec.convert(text, field.type, strict=False)
    except msgspec.ValidationError as failure:
        raise InvalidInput(reason=sentence_of(failure, field.encode_name)) from failure


class _Form(msgspec.Struct, frozen=True):
    """How a struct is filled from several sources.

    `fields` are found by their names on the wire, `open` are those that the JSON body may set, which `partial` holds
    and `decoder` reads.
    """

    fields: dict[str, FieldInfo]
    open: tuple[str, ...]
    partial: type[msgspec.Struct]
    decoder: msgspec.json.Decoder[Any]


@cache
def _form(body: type, reserved: tuple[str, ...]) -> _Form:
    """The form of a struct whose `reserved` fields the JSON body cannot set, whatever it says there."""
    fields = {field.encode_name: field for field in msgspec.structs.fields(body)}
    partial = msgspec.defstruct(
        body.__name__,
        [
            (field.name, Any if name in reserved else field.type | msgspec.UnsetType, msgspec.UNSET)
            for name, field in fields.items()
        ],
        rename={field.name: name for name, field in fields.items()},
        kw_only=True,
        forbid_unknown_fields=cast("StructType", type_info(body)).forbid_unknown_fields,
    )
    names = tuple(field.name for name, field in fields.items() if name not in reserved)
    return _Form(fields, names, partial, msgspec.json.Decoder(partial))


def _input(source: Source, request: Request) -> str | None:
    match source:
        case FromHeader(name=name):
            return request.headers.get(name)
        case FromCookie(name=name):
            return cookies_of(request.headers.get("cookie", "")).get(name)
        case FromAddress():
            return request.address


def cookies_of(header: str) -> dict[str, str]:
    """The cookies of a `Cookie` header; of two with one name, the first (RFC 6265: the more specific path)."""
    cookies: dict[str, str] = {}
    for part in header.split(";"):
        name, equals, value = part.strip().partition("=")
        if equals:
            cookies.setdefault(name, value.strip('"'))
    return cookies


def _raw(request: Request, body: bytes, file: mmap | None = None) -> RawRequest:
    return RawRequest(
        method=request.method,
        path=request.path,
        parameters=request.parameters,
        query=request.query,
        headers=request.headers,
        body=body,
        address=request.address,
        id=request.id,
        file=file,
        hung_up=request.hung_up,
    )


@cache
def _decoder(body: type) -> msgspec.json.Decoder[object]:
    return msgspec.json.Decoder(body)


def validate_message(message: BoundMessage, request: Request, socket: Socket, incoming: Incoming) -> object:
    """The message's body struct, filled from its arguments and its declared inputs.

    The arguments are one object, or stand in the order of the declaration's `positions`; one that is missing is a
    field that is missing. Raises `InvalidInput` with the field's path.
    """
    request.enters("validate")
    declared = message.declared
    if declared.body is None:
        return None
    if declared.positions:
        asked: object = dict(zip(declared.positions, incoming.arguments, strict=False))
    else:
        asked = incoming.arguments[0] if incoming.arguments else {}
    if incoming.may_hold_nul:
        _must_hold_no_nul(asked)
    if declared.inputs and isinstance(asked, dict):
        asked = {**cast("dict[str, object]", asked), **dict.fromkeys(declared.inputs, socket)}
    try:
        return cast("object", msgspec.convert(asked, declared.body))
    except msgspec.ValidationError as failure:
        raise InvalidInput(reason=sentence_of(failure)) from failure
