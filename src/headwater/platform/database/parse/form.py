"""Files that come with a request: forms of several parts (RFC 7578), or the body alone."""

from collections.abc import Iterator, Mapping
from email.message import Message
from mmap import mmap
from urllib.parse import parse_qsl

from headwater.kernel.models import RawRequest
from headwater.platform.database.errors import InvalidUpload
from headwater.platform.database.models import Upload

_EXTENSIONS = {
    "text/csv": "csv",
    "application/json": "json",
    "application/x-ndjson": "ndjson",
    "application/sql": "sql",
    "text/plain": "sql",
}
_LONGEST_FIELD = 10_000


def read_upload(request: RawRequest) -> Upload:
    """The file of a request, with the fields beside it; those of the query string are fields too.

    A body that is no form is the file itself, and its kind is told by the Content-Type. Raises `InvalidUpload`.
    """
    body = request.body if request.file is None else request.file
    fields = dict(parse_qsl(request.query, keep_blank_values=True))
    kind, parameters = _parameters("content-type", request.headers.get("content-type", ""))
    if kind != "multipart/form-data":
        extension = _EXTENSIONS.get(kind)
        if extension is None or not body:
            raise InvalidUpload(reason="send a form (multipart/form-data) with the file in it, or the file as the body")
        name = fields.get("filename", f"upload.{extension}")
        return Upload(filename=name, content=memoryview(body), fields=fields)
    boundary = parameters.get("boundary")
    if not boundary:
        raise InvalidUpload(reason="the Content-Type names no boundary")
    content: memoryview | None = None
    filename = ""
    for headers, part in _parts(body, b"--" + boundary.encode("latin-1", "replace")):
        _, named = _parameters("content-disposition", headers.get("content-disposition", ""))
        name = named.get("name", "")
        if name == "file":
            content, filename = part, named.get("filename", "")
        elif name:
            fields[name] = _field(name, part)
    if content is None:
        raise InvalidUpload(reason="there is no file in the form")
    return Upload(filename=filename, content=content, fields=fields)


def _field(name: str, part: memoryview) -> str:
    if len(part) > _LONGEST_FIELD:
        raise InvalidUpload(reason=f"{name} is longer than {_LONGEST_FIELD} bytes")
    try:
        return str(part, "utf-8")
    except UnicodeDecodeError:
        raise InvalidUpload(reason=f"{name} is not UTF-8") from None


def _parts(body: bytes | mmap, delimiter: bytes) -> Iterator[tuple[Mapping[str, str], memoryview]]:
    """Headers and content of each part; nothing is copied but the headers."""
    view = memoryview(body)
    start = body.find(delimiter)
    while start >= 0:
        start += len(delimiter)
        if body[start : start + 2] == b"--":
            return
        begin = body.find(b"\r\n", start) + 2
        end = body.find(b"\r\n" + delimiter, max(begin - 2, 0))
        split = body.find(b"\r\n\r\n", begin - 2, end)
        if begin < 2 or end < 0 or split < 0:
            break
        yield _headers(body[begin:split]), view[split + 4 : end]
        start = end + 2
    raise InvalidUpload(reason="the form ends in the middle of a part")


def _headers(text: bytes) -> dict[str, str]:
    lines = (line.partition(":") for line in text.decode("utf-8", "replace").split("\r\n"))
    return {name.strip().lower(): value.strip() for name, _, value in lines}


def _parameters(header: str, value: str) -> tuple[str, dict[str, str]]:
    """A header's value and its parameters, without quotes and in lower-case names."""
    message = Message()
    message[header] = " ".join(value.split())
    found = message.get_params(header=header) or [("", "")]
    texts = [(name.lower(), text) for name, text in found]
    return texts[0][0], dict(texts[1:])
