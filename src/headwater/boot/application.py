"""From what the server reads to a request, and from a request to its answer."""

import asyncio
from collections.abc import Mapping
from time import monotonic
from typing import Any

from headwater.flow import House, Request, Response, address_of, answer, preflight
from headwater.flow.request import Networks, Receive
from headwater.kernel.errors import Draining

Scope = Mapping[str, Any]


class Application:
    """Makes a `Request` of what comes and lets flow answer it; also an ASGI application.

    Keeps every running request, so that `sweep` can end those past their endpoint's timeout.
    """

    def __init__(self, house: House, trusted_proxies: Networks) -> None:
        self._house = house
        self._trusted = trusted_proxies
        self.running: dict[asyncio.Task[Any], tuple[Request, float]] = {}

    async def __call__(self, scope: Scope, receive: Receive, send: Any) -> None:
        """Answer one request, as ASGI does it; `Protocol` takes a shorter way."""
        response = await self.respond(scope, receive)
        await send({"type": "http.response.start", "status": response.status, "headers": response.headers})
        await send({"type": "http.response.body", "body": response.body})

    async def respond(self, scope: Scope, receive: Receive) -> Response:
        """The answer to one request, which `scope` and `receive` describe as ASGI does."""
        request = self._request(scope, receive)
        response = preflight(self._house.settings, request)
        if response is not None:
            return response
        task = asyncio.current_task()
        assert task is not None  # noqa: S101 - for the type checker: whoever answers requests does it in tasks
        self.running[task] = (request, monotonic())
        try:
            return await answer(self._house, request)
        finally:
            del self.running[task]

    def sweep(self) -> None:
        """Cancel every request that has run past its endpoint's timeout; it answers 504, or 408 without its body."""
        now = monotonic()
        for task, (request, began) in self.running.items():
            if now - began > request.timeout and request.ending is None:
                request.ending = request.lateness
                if request.ending is not None:
                    task.cancel()

    def drain(self) -> None:
        """Cancel every request that still runs; it answers 503."""
        for task, (request, _) in self.running.items():
            request.ending = Draining()
            task.cancel()

    def _request(self, scope: Scope, receive: Receive) -> Request:
        headers: dict[str, str] = {}
        for raw_name, raw_value in scope["headers"]:
            name = raw_name.decode("latin-1")
            value = raw_value.decode("latin-1")
            if name in headers:
                value = f"{headers[name]}{'; ' if name == 'cookie' else ', '}{value}"
            headers[name] = value
        client = scope.get("client")
        address = address_of(client[0] if client else "", headers.get("x-forwarded-for"), self._trusted)
        return Request(
            scope["method"],
            scope["raw_path"].decode("latin-1"),
            scope["query_string"].decode("latin-1"),
            headers,
            address,
            receive,
        )
