"""From what the server reads to a request, and from a request to its answer."""

import asyncio
from collections.abc import Mapping
from contextlib import aclosing
from time import perf_counter
from typing import Any

from headwater.flow import House, Request, Response, StreamedResponse, address_of, answer, preflight
from headwater.flow.request import Networks, Receive
from headwater.kernel.errors import Draining


class Application:
    """Makes a `Request` of what comes and lets flow answer it; also an ASGI application.

    Keeps every running request, so that `sweep` can end those past their endpoint's timeout.
    """

    def __init__(self, house: House, trusted_proxies: Networks) -> None:
        self._house = house
        self._trusted = trusted_proxies
        self.running: dict[Request, asyncio.Task[Any]] = {}

    async def __call__(self, scope: Mapping[str, Any], receive: Receive, send: Any) -> None:
        """Answer one request as ASGI does it, for other servers; `Exchange` takes a shorter way."""
        headers: dict[str, str] = {}
        for name, value in scope["headers"]:
            add_header(headers, name, value)
        peer = scope["client"][0] if scope.get("client") else ""
        path, query = scope["raw_path"].decode("latin-1"), scope["query_string"].decode("latin-1")
        task = asyncio.current_task()
        response = await self.respond(scope["method"], path, query, headers, peer, receive, task)
        await send({"type": "http.response.start", "status": response.status, "headers": response.headers})
        if isinstance(response, StreamedResponse):
            async with aclosing(response.stream):
                await send({"type": "http.response.body", "body": response.body, "more_body": True})
                async for part in response.stream:
                    await send({"type": "http.response.body", "body": part, "more_body": True})
            await send({"type": "http.response.body", "body": b""})
            return
        await send({"type": "http.response.body", "body": response.body})
        if response.sent is not None:
            response.sent(True)  # noqa: FBT003 - ASGI says no more than that nothing was raised

    async def respond(
        self,
        method: str,
        path: str,
        query: str,
        headers: dict[str, str],
        peer: str,
        receive: Receive,
        task: asyncio.Task[Any] | None,
    ) -> Response:
        """The answer to one request, worked out in `task`; `path` and `query` as they came.

        `receive` brings the body as ASGI does.
        """
        address = address_of(peer, headers.get("x-forwarded-for"), self._trusted) if self._trusted else peer
        request = Request(method, path, query, headers, address, receive)
        response = preflight(self._house.settings, request)
        if response is not None:
            return response
        assert task is not None  # noqa: S101 - for the type checker: whoever answers requests does it in tasks
        self.running[request] = task
        try:
            return await answer(self._house, request)
        finally:
            del self.running[request]

    def sweep(self) -> None:
        """Cancel every request that has run past its endpoint's timeout; it answers 504, or 408 without its body."""
        now = perf_counter()
        for request, task in self.running.items():
            if now - request.began > request.timeout and request.ending is None:
                request.ending = request.lateness
                if request.ending is not None:
                    task.cancel()

    def drain(self) -> None:
        """Cancel every request that still runs; it answers 503."""
        for request, task in self.running.items():
            request.ending = Draining()
            task.cancel()


def add_header(headers: dict[str, str], name: bytes, value: bytes) -> None:
    """Add a header under its lower-case name; one that came before is joined (RFC 9110 5.3, RFC 9113 8.2.3)."""
    key, text = name.lower().decode("latin-1"), value.decode("latin-1")
    if key in headers:
        text = f"{headers[key]}{'; ' if key == 'cookie' else ', '}{text}"
    headers[key] = text
