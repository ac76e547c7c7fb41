"""How bytes travel: httpx's requests over httpcore's pool, whose connections go to checked addresses only."""

import ssl
from collections.abc import AsyncIterator, Generator, Iterable
from contextlib import contextmanager
from typing import cast

import httpcore
import httpx
from httpcore import SOCKET_OPTION, AsyncNetworkBackend, AsyncNetworkStream
from typing_extensions import override

from headwater.kernel.outbound.models import OutboundSettings
from headwater.kernel.outbound.resolve import Gate


class CheckedNetwork(AsyncNetworkBackend):
    """Connects to the very address that was checked, so that a name which changes its mind meanwhile gains nothing.

    TLS still names and verifies the host: the pool does that with the URL's own name.
    """

    def __init__(self, gate: Gate, connect_timeout: float) -> None:
        self._gate = gate
        self._connect_timeout = connect_timeout
        self._network = cast("AsyncNetworkBackend", httpcore.AnyIOBackend())

    @override
    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[SOCKET_OPTION] | None = None,
    ) -> AsyncNetworkStream:
        failure: httpcore.ConnectError | httpcore.ConnectTimeout | None = None
        for address in await self._gate.admit(host, port):
            try:
                return await self._network.connect_tcp(
                    address, port, timeout or self._connect_timeout, local_address, socket_options
                )
            except (httpcore.ConnectError, httpcore.ConnectTimeout) as refused:
                failure = refused
        raise failure or httpcore.ConnectError

    @override
    async def connect_unix_socket(
        self, path: str, timeout: float | None = None, socket_options: Iterable[SOCKET_OPTION] | None = None
    ) -> AsyncNetworkStream:
        raise httpcore.UnsupportedProtocol(path)

    @override
    async def sleep(self, seconds: float) -> None:
        await self._network.sleep(seconds)


class CheckedTransport(httpx.AsyncBaseTransport):
    """httpx's way to the network; proxies of the environment are not asked, because they resolve names themselves."""

    def __init__(self, gate: Gate, settings: OutboundSettings, verify: ssl.SSLContext | None = None) -> None:
        self._pool = httpcore.AsyncConnectionPool(
            ssl_context=verify or httpx.create_ssl_context(trust_env=False),
            max_connections=settings.connections,
            max_keepalive_connections=settings.connections,
            keepalive_expiry=15.0,
            network_backend=CheckedNetwork(gate, settings.connect_timeout),
        )

    @override
    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        url = request.url
        target = httpcore.URL(scheme=url.raw_scheme, host=url.raw_host, port=url.port, target=url.raw_path)
        with _in_httpx_words():
            answered = await self._pool.handle_async_request(
                httpcore.Request(
                    request.method,
                    target,
                    headers=request.headers.raw,
                    content=await request.aread(),
                    extensions=request.extensions,
                )
            )
        return httpx.Response(answered.status, headers=answered.headers, stream=_Body(answered))

    @override
    async def aclose(self) -> None:
        await self._pool.aclose()


class _Body(httpx.AsyncByteStream):
    def __init__(self, answered: httpcore.Response) -> None:
        self._answered = answered

    @override
    async def __aiter__(self) -> AsyncIterator[bytes]:
        with _in_httpx_words():
            async for part in self._answered.aiter_stream():
                yield part

    @override
    async def aclose(self) -> None:
        await self._answered.aclose()


@contextmanager
def _in_httpx_words() -> Generator[None]:
    """What httpcore raises, as httpx names it: before anything can have arrived, or later."""
    try:
        yield
    except (httpcore.ConnectError, httpcore.ConnectTimeout, httpcore.PoolTimeout) as failure:
        raise httpx.ConnectError(_reason(failure)) from failure
    except httpcore.LocalProtocolError as failure:
        raise httpx.LocalProtocolError(_reason(failure)) from failure
    except httpcore.TimeoutException as failure:
        raise httpx.ReadTimeout(_reason(failure)) from failure
    except (httpcore.NetworkError, httpcore.ProtocolError, httpcore.UnsupportedProtocol) as failure:
        raise httpx.ReadError(_reason(failure)) from failure


def _reason(failure: Exception) -> str:
    return str(failure) or type(failure).__name__
