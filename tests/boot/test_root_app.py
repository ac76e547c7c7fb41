"""`--root-app`: an app's contract, word for word, at the root; the platform stays where it is."""

import asyncio
import json
import os
import shutil
from collections.abc import AsyncIterator
from typing import NamedTuple

import httpx
import pytest
import pytest_asyncio

from headwater.boot.components import find_components
from headwater.boot.foundation import Ground
from headwater.boot.house import open_house
from headwater.boot.server import Server
from headwater.boot.settings import ServerSettings, Settings
from headwater.kernel.clock import SystemClock
from headwater.kernel.component import Components
from headwater.kernel.database import Transactions
from headwater.kernel.observe import MetricsListener, Observer
from headwater.platform.identity import Identity
from tests.kit.server import UNHURRIED, new_folder
from tests.kit.sockets import Client, upgraded
from tests.kit.tally_app import COMPONENT

AT_BOTH = pytest.mark.parametrize("base", ["", "/apps/tally"])


class Rooted(NamedTuple):
    """A house whose root app is the tally, served."""

    port: int
    http: httpx.AsyncClient
    anon_key: str

    async def socket(self, path: str) -> Client:
        """A client of a plain socket."""
        status, client = await upgraded(self.port, path)
        assert status == 101, client.head
        return client

    async def token(self) -> str:
        """The access token of a new user."""
        account = {"email": f"{os.urandom(6).hex()}@example.com", "password": "correct horse"}
        headers = {"authorization": f"Bearer {self.anon_key}"}
        answer = await self.http.post("/api/auth/users", headers=headers, json=account)
        token: str = answer.raise_for_status().json()["accessToken"]
        return token


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def rooted() -> AsyncIterator[Rooted]:
    """The house, its server and a client."""
    folder, metrics = new_folder(), MetricsListener()
    ground = Ground(
        settings=Settings({**os.environ, **UNHURRIED, "HEADWATER_FLOW_LIMITS_FACTOR": "1"}),
        folder=folder,
        components=Components((*find_components(), COMPONENT)),
        clock=SystemClock(),
        observer=Observer(metrics),
    )
    try:
        async with open_house(ground, metrics, root_app="tally", working=False) as house:
            identity = house.authenticator
            assert isinstance(identity, Identity)
            keys = await Transactions(house.database).reading(identity.keys.read)
            server = Server(house, ServerSettings(port=0, stop_within=1), (), house.sockets)
            serving = asyncio.ensure_future(server.serve())
            while not server.started and not serving.done():  # noqa: ASYNC110 - uvicorn rings no bell
                await asyncio.sleep(0.01)
            async with httpx.AsyncClient(base_url=server.url) as http:
                yield Rooted(int(server.url.rpartition(":")[2]), http, keys.anon_key)
            server.stop()
            await serving
    finally:
        shutil.rmtree(folder.parent, ignore_errors=True)


pytestmark = pytest.mark.asyncio(loop_scope="module")


@AT_BOTH
async def test_its_paths_answer_as_its_contract_writes_them(rooted: Rooted, base: str) -> None:
    answer = await rooted.http.get(f"{base}/api/tally/41")
    assert (answer.status_code, answer.json()) == (200, {"success": True, "data": 42})


@AT_BOTH
async def test_its_health_is_in_its_own_shape_with_our_parts(rooted: Rooted, base: str) -> None:
    told = (await rooted.http.get(f"{base}/health")).json()
    assert told["success"] is True
    assert told["data"]["status"] == "healthy"
    assert {"database", "bus"} <= told["data"]["parts"].keys()


async def test_the_platforms_paths_stay_in_the_platforms_words(rooted: Rooted) -> None:
    assert (await rooted.http.get("/ready")).json() == {"ready": True}
    assert (await rooted.http.get("/api/health")).json()["status"] == "ok"
    assert (await rooted.http.get("/docs")).status_code == 200
    refused = await rooted.http.delete("/api/auth/users/current")
    assert refused.json().keys() >= {"error", "message", "statusCode"}
    assert (await rooted.http.get("/rest/v1/nothing")).json()["code"] == "PGRST302"
    wrong = await rooted.http.put("/api/auth/sessions")
    assert (wrong.status_code, wrong.json()["error"]) == (405, "METHOD_NOT_ALLOWED")


@pytest.mark.parametrize(
    ("method", "path", "status", "code"),
    [
        ("GET", "/nothing", 404, "NOT_FOUND"),
        ("GET", "/api/nothing/deep", 404, "NOT_FOUND"),
        ("PUT", "/health", 405, "METHOD_NOT_ALLOWED"),
        ("POST", "/", 405, "METHOD_NOT_ALLOWED"),
        ("GET", "/api/tally/many", 400, "INVALID_INPUT"),
        ("GET", "/api/tally/%ff", 400, "INVALID_INPUT"),
        ("GET", "/api/tally/-1", 400, "INVALID_INPUT"),
        ("POST", "/api/tally", 401, "AUTH_INVALID_CREDENTIALS"),
    ],
)
@AT_BOTH
async def test_every_refusal_is_in_its_envelope(
    rooted: Rooted, base: str, method: str, path: str, status: int, code: str
) -> None:
    answer = await rooted.http.request(method, base + path)
    told = answer.json()
    assert (answer.status_code, told["success"], told["error"]["code"]) == (status, False, code)


async def test_both_places_share_a_limit_which_refuses_in_its_envelope(rooted: Rooted) -> None:
    headers = {"authorization": f"Bearer {await rooted.token()}"}
    answers = [
        await rooted.http.post(f"{base}/api/tally", headers=headers, json={"number": 1})
        for base in ("", "/apps/tally", "", "/apps/tally")
    ]
    assert [answer.status_code for answer in answers] == [200, 200, 200, 429]
    assert answers[-1].json()["success"] is False
    assert int(answers[-1].headers["retry-after"]) >= 1


@AT_BOTH
async def test_its_page_is_there(rooted: Rooted, base: str) -> None:
    page, style = await rooted.http.get(f"{base}/"), await rooted.http.get(f"{base}/tally.css")
    assert "<h1>Tally</h1>" in page.text
    assert style.headers["content-type"] == "text/css; charset=utf-8"
    assert (await rooted.http.head(f"{base}/")).headers["etag"] == page.headers["etag"]


async def test_its_name_leads_to_its_page_and_the_kit_is_beside_it(rooted: Rooted) -> None:
    answer = await rooted.http.get("/apps/tally?x=1")
    assert (answer.status_code, answer.headers["location"]) == (308, "/apps/tally/?x=1")
    assert "createApi" in (await rooted.http.get("/web/kit/api.js")).text


@AT_BOTH
async def test_its_socket_welcomes_and_refuses_in_its_own_words(rooted: Rooted, base: str) -> None:
    client = await rooted.socket(f"{base}/ws?board=weekly")
    welcomed = await client.json()
    assert welcomed["type"] == "connection_status"
    assert welcomed["data"]["status"] == "connected" and welcomed["data"]["connectionId"]
    assert welcomed["data"]["board"] == "weekly"
    for said, told in (
        ('{"type":"ping"}', {"type": "pong"}),
        ('{"type":"shout"}', {"type": "trouble", "data": {"code": "NOT_FOUND"}}),
        ("no JSON", {"type": "trouble", "data": {"code": "INVALID_INPUT"}}),
        ('{"type":"ping","id":7}', {"type": "pong"}),
    ):
        client.send_text(said)
        assert await client.json() == told
    assert await client.json() == {"id": 7, "data": None}
    await client.close()


async def test_a_bad_token_is_told_in_its_own_words(rooted: Rooted) -> None:
    client = await rooted.socket("/ws?token=bad")
    assert json.loads(await client.text()) == {"type": "trouble", "data": {"code": "AUTH_UNAUTHORIZED"}}
    assert (await client.closing())[0] == 1008
    await client.close()
