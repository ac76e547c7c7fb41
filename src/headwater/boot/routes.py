"""From a method and a path to an endpoint, at the same cost with ten routes and with hundreds."""

from collections.abc import Iterable, Iterator
from urllib.parse import unquote

from headwater.boot.errors import ClashingRoutes
from headwater.flow import BoundEndpoint, Request
from headwater.kernel.component import PLATFORM_ENVELOPE, Envelope
from headwater.kernel.errors import InvalidInput, UnknownEndpoint, WrongMethod

_Found = tuple[BoundEndpoint, tuple[str, ...]]


class _Node:
    """One segment of the paths: its literal continuations, its parameter, and what answers here."""

    __slots__ = ("endpoints", "literals", "parameter")

    def __init__(self) -> None:
        self.literals: dict[str, _Node] = {}
        self.parameter: _Node | None = None
        self.endpoints: dict[str, _Found] = {}


class Routes:
    """A tree of path segments.

    Of the endpoints with the request's method, a literal segment wins over a parameter, the first segment counting
    most. HEAD falls back to GET.
    """

    def __init__(self, endpoints: Iterable[tuple[str, BoundEndpoint]] = ()) -> None:
        self._root = _Node()
        self._envelopes: dict[str, Envelope] = {}
        for path, endpoint in endpoints:
            self.add(path, endpoint)

    def add(self, path: str, endpoint: BoundEndpoint, *, yields: bool = False) -> None:
        """Serve `endpoint` at `path`, whose `{name}` segments are parameters.

        Where another answers the same already, it raises `ClashingRoutes`, or leaves the other in place if it `yields`.
        """
        node = self._root
        names: list[str] = []
        for segment in path.split("/")[1:]:
            if segment.startswith("{"):
                names.append(segment[1:-1])
                if node.parameter is None:
                    node.parameter = _Node()
                node = node.parameter
            else:
                node = node.literals.setdefault(segment, _Node())
        method = endpoint.declared.method
        if method in node.endpoints:
            if yields:
                return
            one = node.endpoints[method][0].declared.name
            raise ClashingRoutes(method=method, path=path, one=one, other=endpoint.declared.name)
        node.endpoints[method] = (endpoint, tuple(names))

    def find(self, request: Request) -> BoundEndpoint:
        """The endpoint of a request, whose parameters it fills in, percent-decoded.

        Raises `UnknownEndpoint`, `WrongMethod` with an `Allow` header, and `InvalidInput` for a parameter that is no
        UTF-8.
        """
        segments = request.path.split("/")
        values: list[str] = []
        found = _walk(self._root, segments, 1, values, request.method)
        if found is None and request.method == "HEAD":
            values.clear()
            found = _walk(self._root, segments, 1, values, "GET")
        if found is None:
            raise self._refusal(request, segments)
        endpoint, names = found
        request.timeout = endpoint.declared.timeout
        if names:
            for name, value in zip(names, values, strict=True):
                request.parameters[name] = _decoded(name, value) if "%" in value else value
        return endpoint

    def wrap(self, place: str, envelope: Envelope) -> None:
        """Let refusals at `place` and below it be told in `envelope` where no endpoint answers."""
        self._envelopes.setdefault(place.rstrip("/"), envelope)

    def envelope(self, path: str) -> Envelope:
        """How it is told that no endpoint answers at `path`.

        As by those that answer there to other methods; else as at the nearest place above, or as the platform does.
        """
        for node in _nodes(self._root, path.split("/"), 1):
            for endpoint, _ in node.endpoints.values():
                return endpoint.declared.envelope
        while path:
            if path in self._envelopes:
                return self._envelopes[path]
            path = path.rpartition("/")[0]
        return self._envelopes.get("", PLATFORM_ENVELOPE)

    def _refusal(self, request: Request, segments: list[str]) -> UnknownEndpoint | WrongMethod:
        methods = {method for node in _nodes(self._root, segments, 1) for method in node.endpoints}
        if not methods:
            return UnknownEndpoint(path=request.path)
        if "GET" in methods:
            methods.add("HEAD")
        allowed = {"Allow": ", ".join(sorted(methods))}
        return WrongMethod(method=request.method, path=request.path, headers=allowed)


def _decoded(name: str, value: str) -> str:
    try:
        return unquote(value, errors="strict")
    except UnicodeDecodeError as failure:
        raise InvalidInput(reason=f"{name}: The path is not UTF-8") from failure


def _nodes(node: _Node, segments: list[str], at: int) -> Iterator[_Node]:
    """Everywhere that these segments can lead to, the places of literals first."""
    if at == len(segments):
        yield node
        return
    if literal := node.literals.get(segments[at]):
        yield from _nodes(literal, segments, at + 1)
    if node.parameter and segments[at]:
        yield from _nodes(node.parameter, segments, at + 1)


def _walk(node: _Node, segments: list[str], at: int, values: list[str], method: str) -> _Found | None:
    """Follow the segments; where a literal leads nowhere, try the parameter beside it."""
    while at < len(segments):
        segment = segments[at]
        literal = node.literals.get(segment)
        if node.parameter is None or not segment:
            if literal is None:
                return None
            node = literal
        elif literal is None:
            values.append(segment)
            node = node.parameter
        else:
            kept = len(values)
            found = _walk(literal, segments, at + 1, values, method)
            if found is not None:
                return found
            del values[kept:]
            values.append(segment)
            node = node.parameter
        at += 1
    return node.endpoints.get(method)
