"""No answer carries another's row, role or claim, whatever happens to requests and connections on the way."""

import asyncio
import random
from collections import Counter
from collections.abc import Awaitable, Callable
from typing import Any
from urllib.parse import urlsplit

import httpx

from headwater.flow import Request, answer
from tests.faults.ward import POOL, Person, Ward, warded

WORKERS = 12
TABLES = """
create table marks (
  id uuid primary key default gen_random_uuid(),
  owner uuid default auth.uid(),
  role text not null default current_user,
  claims jsonb not null default current_setting('request.jwt.claims')::jsonb,
  word text not null check (word <> 'broken')
);
alter table marks enable row level security;
create policy own on marks using (owner is not distinct from auth.uid() and role = current_user);
create view mirror with (security_invoker = true) as
  select auth.uid() as owner, current_user::text as role, current_setting('request.jwt.claims')::jsonb as claims;
create view nap with (security_invoker = true) as select mirror.* from mirror, pg_sleep(0.03);
create view sleep with (security_invoker = true) as select mirror.* from mirror, pg_sleep(1);
create view boom with (security_invoker = true) as select mirror.*, 1 / (length(role) - length(role)) as n from mirror;
"""
POISON = (
    "select set_config('request.jwt.claims', '{\"sub\":\"poison\"}', false)",
    "select set_config('search_path', 'pg_catalog', false), set_config('timezone', 'Asia/Tokyo', false)",
    "select pg_advisory_lock(4242)",
    "create temp table left_behind as select 1 as one",
    "select set_config('request.jwt.claims', '{\"sub\":\"poison\"}', false); select 1 / 0",
    "select current_user, current_setting('request.jwt.claims')",
)
MOUNTS = ("/api/database/records", "/rest/v1")
EXPECTED = frozenset({200, 201, 204, 206, 400, 404, 405, 409, 500, 503, 504})
QUERY_CANCELED = "57014"
"""The dialect's code for a statement beyond its time limit; its status there is 500 (contracts/postgrest.md 9)."""


class Turn:
    """One request of one person, with its own source of chance; whatever comes back is checked."""

    def __init__(self, ward: Ward, client: httpx.AsyncClient, people: list[Person], chance: random.Random) -> None:
        self.ward = ward
        self.client = client
        self.person = chance.choice(people)
        self.others = [person for person in people if person is not self.person]
        self.chance = chance
        self.mount = chance.choice(MOUNTS)

    async def ask(self, method: str, path: str, **more: Any) -> httpx.Response:
        """Send a request and check whatever is answered."""
        headers = {**self.person.headers, "prefer": "return=representation"}
        response = await self.client.request(method, path, headers=headers, **more)
        self.must_be_ours(response.status_code, f"{response.headers} {response.text}")
        if response.status_code == 503:
            assert response.headers["retry-after"]
        if response.status_code == 500:
            assert response.json()["code"] == QUERY_CANCELED, response.text
        return response

    def must_be_ours(self, status: int, text: str) -> None:
        """Nothing unforeseen, and nothing of anybody else; the admin alone sees everyone's rows."""
        assert status in EXPECTED, text
        if self.person.name != "admin":
            assert not [mark for other in self.others for mark in other.marks if mark in text], text

    def must_be_mine(self, rows: list[dict[str, Any]]) -> None:
        """Rows that this person owns, made and read under his role and claims."""
        mine = (self.person.id, self.person.role, self.person.claims)
        assert all((row["owner"], row["role"], row["claims"]) == mine for row in rows), rows
        assert all(row["word"].startswith(self.person.word) for row in rows if "word" in row), rows

    async def look(self) -> str:
        """Who the database believes is asking."""
        response = await self.ask("GET", f"{self.mount}/mirror")
        if response.status_code == 200:
            assert len(response.json()) == 1
            self.must_be_mine(response.json())
        return f"look {response.status_code}"

    async def read(self) -> str:
        """The rows he may see."""
        order = {"order": "id.desc", "limit": "20"}
        response = await self.ask("GET", f"{self.mount}/marks", params=order)
        if response.status_code == 200 and self.person.name != "admin":
            self.must_be_mine(response.json())
        return f"read {response.status_code}"

    async def write(self) -> str:
        """Rows whose columns the database fills in from what it believes."""
        rows = [{"word": f"{self.person.word}-{self.chance.random()}"} for _ in range(self.chance.randint(1, 3))]
        response = await self.ask("POST", f"{self.mount}/marks", json=rows)
        if response.status_code == 201:
            assert [row["word"] for row in response.json()] == [row["word"] for row in rows]
            self.must_be_mine(response.json())
        return f"write {response.status_code}"

    async def change(self) -> str:
        """Every row he may change, which is none of the others'."""
        query = {"word": f"like.{self.chance.choice(self.others).word}*"}
        if self.person.name == "admin":
            query = {"word": f"like.{self.person.word}*"}
        response = await self.ask("PATCH", f"{self.mount}/marks", params=query, json={"word": f"{self.person.word}!"})
        if response.status_code == 200:
            assert self.person.name == "admin" or response.json() == []
        return f"change {response.status_code}"

    async def fail(self) -> str:
        """What Postgres refuses in the middle of a statement, and what never reaches it."""
        method, path, body = self.chance.choice(
            [
                ("GET", "boom", None),
                ("POST", "marks", [{"word": self.person.word}, {"word": "broken"}]),
                ("POST", "marks", {"word": None}),
                ("GET", "marks?id=eq.no-uuid", None),
                ("GET", "marks?nothing=eq.1", None),
                ("POST", "nap", {"role": "x"}),
            ]
        )
        response = await self.ask(method, f"{self.mount}/{path}", json=body)
        assert response.status_code in {400, 404, 405, 500, 503}, response.text  # 500: the machine is too slow for it
        return f"fail {response.status_code}"

    async def oversleep(self) -> str:
        """A statement beyond the role's time limit; the admin's is within his."""
        response = await self.ask("GET", f"{self.mount}/sleep")
        return f"oversleep {response.status_code}"

    async def hang_up(self) -> str:
        """A connection closed in the middle of a request or of its answer."""
        url = urlsplit(str(self.client.base_url))
        whole = self.chance.random() < 0.7
        body = f'[{{"word":"{self.person.word}"}}]'.encode()
        path = "nap" if whole else "marks"
        head = [f"{'GET' if whole else 'POST'} {self.mount}/{path} HTTP/1.1", "Host: here", "Prefer: return=minimal"]
        head += [f"{name}: {value}" for name, value in self.person.headers.items()]
        head += [] if whole else [f"Content-Length: {len(body)}"]
        _, writer = await asyncio.open_connection(url.hostname, url.port)
        writer.write("\r\n".join([*head, "", ""]).encode() + (b"" if whole else body[:-3]))
        await asyncio.sleep(self.chance.random() * 0.05)
        writer.close()
        return "hang up"

    async def expire(self) -> str:
        """A request past its endpoint's timeout, which the server ends by cancelling its work."""
        tag = str(self.chance.random())
        asked = asyncio.ensure_future(self.ask("GET", f"{self.mount}/nap", params={"role": f"neq.{tag}"}))
        await asyncio.sleep(self.chance.random() * 0.05)
        application = self.ward.server.application
        for request in list(application.running):
            if tag in request.query:
                request.timeout = -1.0
        application.sweep()
        return f"expire {(await asked).status_code}"

    async def cancel(self) -> str:
        """The task of a request cancelled at any moment of it."""

        async def receive() -> dict[str, Any]:
            return {"type": "http.request", "body": b"", "more_body": False}

        path = f"{self.mount}/{self.chance.choice(['nap', 'mirror', 'marks'])}"
        request = Request("GET", path, "", self.person.headers, "127.0.0.1", receive)
        task = asyncio.ensure_future(answer(self.ward.house, request))
        await asyncio.sleep(self.chance.random() * 0.05)
        task.cancel()
        try:
            response = await task
        except asyncio.CancelledError:
            return "cancelled"
        self.must_be_ours(response.status, response.body.decode())
        return "too late to cancel"

    async def account(self) -> str:
        """What the owner's connections tell of him, beside what they tell of others."""
        if self.person.id is None:
            return await self.look()
        word = {"profile": {"word": self.person.word}}
        method, path, body = self.chance.choice(
            [
                ("GET", "/api/auth/sessions/current", None),
                ("GET", "/api/auth/sessions", None),
                ("PATCH", "/api/auth/profiles/current", word),
            ]
        )
        response = await self.ask(method, path, json=body)
        if response.status_code == 200 and path != "/api/auth/sessions":
            assert self.person.id in response.text
        return f"account {response.status_code}"

    async def poison(self) -> str:
        """The admin's own SQL, which leaves behind whatever it can."""
        admin = next(person for person in [self.person, *self.others] if person.name == "admin")
        query = {"query": self.chance.choice(POISON)}
        response = await self.client.post("/api/database/advance/rawsql", headers=admin.headers, json=query)
        assert response.status_code in EXPECTED | {403}, response.text
        return f"poison {response.status_code}"

    async def terminate(self) -> str:
        """A backend ended under whoever uses it."""
        return "terminated" if await self.ward.terminate_one() else "nobody to terminate"


ACTS: dict[Callable[[Turn], Awaitable[str]], int] = {
    Turn.look: 24,
    Turn.read: 12,
    Turn.write: 12,
    Turn.change: 4,
    Turn.fail: 10,
    Turn.oversleep: 3,
    Turn.hang_up: 8,
    Turn.expire: 5,
    Turn.cancel: 8,
    Turn.account: 6,
    Turn.poison: 5,
    Turn.terminate: 3,
}
MUST_HAVE_HAPPENED = {
    *("look 200", "read 200", "write 201", "change 200", "fail 400", "oversleep 200", "oversleep 500", "hang up"),
    *("expire 504", "cancelled", "account 200", "poison 200", "poison 400", "terminated"),
}


async def test_nothing_leaks_and_no_connection_goes_back_dirty(
    seeded: random.Random, scaled: Callable[[int], int]
) -> None:
    outcomes: Counter[str] = Counter()
    async with warded(TABLES) as (ward, client, people):
        turns = iter(
            [
                (act, Turn(ward, client, people, random.Random(seeded.random())))
                for act in seeded.choices(list(ACTS), list(ACTS.values()), k=scaled(10_000))
            ]
        )

        async def work() -> None:
            for act, turn in turns:
                outcomes[await act(turn)] += 1

        async with asyncio.TaskGroup() as workers:
            for _ in range(WORKERS):
                workers.create_task(work())
        async with asyncio.timeout(30):
            while ward.lease.lent_count or await ward.hanging():  # noqa: ASYNC110 - backends ring no bell
                await asyncio.sleep(0.05)
        assert await ward.probe_pool() <= POOL
    print(f"\n{sum(outcomes.values())} turns, {ward.probes} probes: {dict(sorted(outcomes.items()))}")
    assert ward.dirt == []
    assert ward.probes > sum(outcomes.values()) / 4
    assert set(outcomes) >= MUST_HAVE_HAPPENED
