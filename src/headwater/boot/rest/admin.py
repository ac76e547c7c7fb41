"""The other port: whether the server lives, and whether it is ready."""

import contextlib
from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import asynccontextmanager
from typing import Any

import uvicorn

from headwater.boot.server import listen

_REST = 5


@asynccontextmanager
async def answering(host: str, port: int, checks: Mapping[str, Callable[[], bool]]) -> AsyncGenerator[None]:
    """Answer GET for each of these paths, with 200 while its check holds and 503 while not, for the length of a block.

    Raises `AddressUnavailable`.
    """

    async def answer(scope: Mapping[str, Any], _receive: object, send: Callable[[dict[str, Any]], Any]) -> None:
        check = checks.get(scope["path"])
        status = 404 if check is None else 200 if check() else 503
        headers = [(b"content-length", b"0")]
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": b""})

    listening = listen(host, port)
    config = uvicorn.Config(
        answer,
        http="h11",
        ws="none",
        lifespan="off",
        log_config=None,
        log_level="error",
        access_log=False,
        proxy_headers=False,
        server_header=False,
        date_header=False,  # it is renewed by the loop of uvicorn's that waits for signals, which does not run here
        timeout_keep_alive=_REST,
        timeout_graceful_shutdown=_REST,
    )
    config.load()
    server = uvicorn.Server(config)
    server.lifespan = config.lifespan_class(config)
    await server.startup(sockets=listening)
    try:
        yield
    finally:
        with contextlib.suppress(OSError):
            await server.shutdown(sockets=listening)
