"""The client: one call, its attempts, its redirects, its answer."""

import asyncio
import random
import ssl
import zlib
from time import perf_counter

import httpx

from headwater.kernel.clock import Clock
from headwater.kernel.errors import Refusal
from headwater.kernel.observe import Observer, OutboundAnswered, OutboundFailed
from headwater.kernel.outbound.breaker import Breaker
from headwater.kernel.outbound.errors import (
    AnswerTooLarge,
    AnswerUnreadable,
    HostsLeftAlone,
    TooManyRedirects,
    UnusableCall,
    UpstreamUnreachable,
)
from headwater.kernel.outbound.models import OutboundAnswer, OutboundCall, OutboundSettings
from headwater.kernel.outbound.resolve import Gate, Resolver, SystemResolver
from headwater.kernel.outbound.transport import CheckedTransport

_SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
_PASSING = frozenset({429, 502, 503, 504})
"""Statuses after which the same request may fare better."""
_BROKEN = 500
_FIRST_PAUSE = 0.1
_LONGEST_PAUSE = 2.0
_MOST_NAMED = 5
_WINDOWS = {"gzip": 16 + zlib.MAX_WBITS, "x-gzip": 16 + zlib.MAX_WBITS, "deflate": zlib.MAX_WBITS}


class Outbound:
    """Asks others over HTTP; nothing in the house does it in another way.

    Names are resolved and checked before each connection, which then goes to the checked address: loopback, private,
    link-local and reserved ones are refused unless the settings list them, whether they come by name, by redirect or
    by a name server that answers differently the second time. Certificates are always verified. `verify` is for tests.
    """

    def __init__(
        self,
        settings: OutboundSettings,
        clock: Clock,
        observer: Observer,
        resolver: Resolver | None = None,
        verify: ssl.SSLContext | None = None,
    ) -> None:
        self._observer = observer
        self._breaker = Breaker(settings, clock, observer)
        self._gate = Gate(resolver or SystemResolver(), settings.allowed_hosts)
        self._client = httpx.AsyncClient(
            transport=CheckedTransport(self._gate, settings, verify),
            trust_env=False,
            timeout=httpx.Timeout(None, connect=settings.connect_timeout),  # the rest is bounded by each call
        )

    async def close(self) -> None:
        """Hang up everywhere."""
        await self._client.aclose()

    def must_reach_all(self) -> None:
        """Return if no host is left alone just now; raises `HostsLeftAlone`."""
        hosts = self._breaker.left_alone()
        if hosts:
            more = f" and {len(hosts) - _MOST_NAMED} more" if len(hosts) > _MOST_NAMED else ""
            raise HostsLeftAlone(hosts=", ".join(hosts[:_MOST_NAMED]) + more)

    async def call(self, call: OutboundCall) -> OutboundAnswer:
        """The answer to a call, whatever its status.

        Raises `UnusableCall`, `PrivateAddress`, `UpstreamUnreachable`, `CircuitOpen`, `TooManyRedirects`,
        `AnswerTooLarge`, `AnswerUnreadable`. Never to be awaited while a connection to Postgres is held.
        """
        request = self._first_request(call)
        host = request.url.host
        began = perf_counter()
        try:
            async with asyncio.timeout(call.seconds):
                answer = await self._persevere(call, request)
        except TimeoutError as failure:
            refusal = UpstreamUnreachable(host=host, reason=f"no answer within {call.seconds:g} s")
            self._tell_failure(call, host, refusal, began)
            raise refusal from failure
        except Refusal as refusal:
            self._tell_failure(call, host, refusal, began)
            raise
        self._observer.tell(OutboundAnswered(call.method, host, answer.status, perf_counter() - began))
        return answer

    def _first_request(self, call: OutboundCall) -> httpx.Request:
        headers = {"Accept-Encoding": "gzip", "User-Agent": "headwater", **call.headers}
        if call.idempotency_key is not None:
            headers["Idempotency-Key"] = call.idempotency_key
        try:
            request = self._client.build_request(call.method, call.url, headers=headers, content=call.body or None)
        except (httpx.InvalidURL, ValueError, TypeError) as failure:
            raise UnusableCall(reason="its URL or a header cannot be read") from failure
        must_be_callable(request.url)
        return request

    async def _persevere(self, call: OutboundCall, request: httpx.Request) -> OutboundAnswer:
        """Try until an answer is worth telling, or the attempts are used up."""
        repeatable = call.method in _SAFE or call.idempotency_key is not None
        attempt = 1
        while True:
            last = attempt >= call.attempts
            try:
                answer = await self._follow(call, request)
            except _NotSent as failure:
                if last:
                    raise failure.refusal from failure
            except UpstreamUnreachable:
                if last or not repeatable:
                    raise
            else:
                if last or not repeatable or answer.status not in _PASSING:
                    return answer
            await asyncio.sleep(random.uniform(0.5, 1) * min(_FIRST_PAUSE * 2**attempt, _LONGEST_PAUSE))  # noqa: S311 - jitter
            attempt += 1

    async def _follow(self, call: OutboundCall, request: httpx.Request) -> OutboundAnswer:
        """Ask, and ask where that leads; credentials do not go along to another origin (httpx takes them away)."""
        for _ in range(call.redirects + 1):
            response = await self._ask(request)
            if not call.redirects or response.next_request is None:
                return await self._read(call, request, response)
            await response.aclose()
            following = response.next_request
            if request.url.scheme == "https" and following.url.scheme != "https":
                raise TooManyRedirects(host=request.url.host, how="from https to http")
            must_be_callable(following.url)
            request = following
        raise TooManyRedirects(host=request.url.host, how=f"more than {call.redirects} times")

    async def _ask(self, request: httpx.Request) -> httpx.Response:
        """The head of an answer, the breaker told of it."""
        host = request.url.host
        self._breaker.admit(host)
        try:
            response = await self._client.send(request, stream=True, follow_redirects=False)
        except httpx.ConnectError as failure:
            self._breaker.fail(host)
            raise _NotSent(UpstreamUnreachable(host=host, reason=str(failure))) from failure
        except httpx.LocalProtocolError as failure:
            self._breaker.forget_test(host)
            raise UnusableCall(reason=str(failure)) from failure
        except httpx.HTTPError as failure:
            self._breaker.fail(host)
            raise UpstreamUnreachable(host=host, reason=str(failure)) from failure
        except UpstreamUnreachable as failure:
            self._breaker.fail(host)
            raise _NotSent(failure) from failure
        except asyncio.CancelledError:
            self._breaker.fail(host)  # whoever waits no longer is most often out of patience
            raise
        except BaseException:
            self._breaker.forget_test(host)
            raise
        (self._breaker.fail if response.status_code >= _BROKEN else self._breaker.succeed)(host)
        return response

    async def _read(self, call: OutboundCall, request: httpx.Request, response: httpx.Response) -> OutboundAnswer:
        packed = bytearray()
        try:
            async for part in response.aiter_raw():
                packed += part
                if len(packed) > call.largest:
                    raise AnswerTooLarge(host=request.url.host, limit=call.largest)
        except httpx.HTTPError as failure:
            raise UpstreamUnreachable(host=request.url.host, reason=str(failure)) from failure
        finally:
            await response.aclose()
        return OutboundAnswer(
            status=response.status_code,
            headers=dict(response.headers),
            body=_unpacked(bytes(packed), response.headers.get("content-encoding", ""), request.url.host, call.largest),
            url=str(request.url),
        )

    def _tell_failure(self, call: OutboundCall, host: str, refusal: Refusal, began: float) -> None:
        self._observer.tell(OutboundFailed(call.method, host, type(refusal).__name__, perf_counter() - began))


class _NotSent(Exception):
    """Nothing can have arrived: whatever the request is, it may be sent again."""

    def __init__(self, refusal: UpstreamUnreachable) -> None:
        super().__init__(refusal.message)
        self.refusal = refusal


def must_be_callable(url: httpx.URL) -> None:
    """Raises `UnusableCall` for what is not http or https, names no host, or holds a name and a password."""
    if url.scheme not in {"http", "https"}:
        raise UnusableCall(reason="its URL must begin with http:// or https://")
    if not url.host or "%" in url.host:
        raise UnusableCall(reason="its URL names no host")
    if url.userinfo:
        raise UnusableCall(reason="credentials belong into a header")


def _unpacked(packed: bytes, encoding: str, host: str, largest: int) -> bytes:
    """A body as it was before it was packed, and never more than `largest` bytes of it."""
    encoding = encoding.strip().lower()
    if encoding in {"", "identity"} or not packed:
        return packed
    if encoding not in _WINDOWS:
        raise AnswerUnreadable(host=host)
    unpacking = zlib.decompressobj(_WINDOWS[encoding])
    try:
        body = unpacking.decompress(packed, largest + 1)
    except zlib.error as failure:
        raise AnswerUnreadable(host=host) from failure
    if len(body) > largest:
        raise AnswerTooLarge(host=host, limit=largest)
    if not unpacking.eof:
        raise AnswerUnreadable(host=host)
    return body
