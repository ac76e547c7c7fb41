"""What boot uses of uvicorn and httptools that is not their public face: a new version fails here first."""

import inspect
import re

import httptools
import uvicorn
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol
from uvicorn.server import ServerState

from headwater.boot.protocol import Exchange, Protocol
from headwater.boot.server import Server


def test_the_callbacks_of_the_protocol_are_still_called_so() -> None:
    for name in (
        "connection_made",
        "connection_lost",
        "data_received",
        "on_message_begin",
        "on_url",
        "on_header",
        "on_headers_complete",
        "on_body",
        "on_response_complete",
        "send_400_response",
        "_should_upgrade",
        "handle_websocket_upgrade",
    ):
        ours, theirs = getattr(Protocol, name), getattr(HttpToolsProtocol, name)
        assert ours is not theirs
        assert list(inspect.signature(ours).parameters) == list(inspect.signature(theirs).parameters), name


def test_a_protocol_and_its_cycle_still_know_what_we_ask_them() -> None:
    source = inspect.getsource(HttpToolsProtocol.__init__)
    for name in ("cycle", "client", "transport", "flow", "timeout_keep_alive", "pipeline", "server_state"):
        assert re.search(rf"self\.{name}\b", source), name
    asked = set[str]()
    for name in ("connection_lost", "on_body", "on_message_complete", "shutdown", "_start_asgi_task"):
        asked |= set(re.findall(r"\bcycle\.(\w+)", inspect.getsource(getattr(HttpToolsProtocol, name))))
    assert asked <= set(dir(Exchange)), "uvicorn asks its cycle for more than ours can say"
    assert STATUS_LINE[431] == b"HTTP/1.1 431 Request Header Fields Too Large\r\n"
    assert "self.send_400_response(" in inspect.getsource(HttpToolsProtocol.data_received)


def test_an_error_in_a_callback_is_still_a_parser_error() -> None:
    assert issubclass(httptools.HttpParserCallbackError, httptools.HttpParserError)


def test_the_server_still_has_the_joints_we_bend() -> None:
    for name in ("startup", "shutdown", "on_tick", "capture_signals", "handle_exit"):
        ours, theirs = getattr(Server, name), getattr(uvicorn.Server, name)
        assert ours is not theirs
        assert list(inspect.signature(ours).parameters) == list(inspect.signature(theirs).parameters), name
    assert "asyncio.sleep(0.1)" in inspect.getsource(uvicorn.Server.main_loop)  # our sweeps count these ticks
    assert "self.config.timeout_graceful_shutdown" in inspect.getsource(uvicorn.Server.shutdown)
    for name in ("connections", "tasks"):
        assert f"self.{name}:" in inspect.getsource(ServerState.__init__), name
