"""From a request to its SQL: what a shape costs that nobody has asked for yet, and one that is known."""

import asyncio
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from time import perf_counter

from bench.kit.house import empty_database
from bench.kit.report import Promise, conclude
from bench.kit.scratch import scratch
from headwater.kernel.catalog import Catalog
from headwater.kernel.models import RawRequest
from headwater.platform.records import Records, RecordsSettings
from headwater.platform.records.operations.asking import Ready

NEW = 600
KNOWN_ROUNDS = 31
KNOWN_EACH = 500

_WORLD = """
create table artists (id bigint primary key, name text not null, country text, born date);
create table labels (id bigint primary key, name text not null);
create table albums (
  id bigint primary key, artist_id bigint not null references artists, label_id bigint references labels,
  title text not null, released date, price numeric, tags text[], details jsonb
);
create table songs (
  id bigint primary key, album_id bigint not null references albums, title text not null, seconds integer, plays bigint
);
create table genres (id bigint primary key, name text not null unique);
create table album_genres (
  album_id bigint references albums, genre_id bigint references genres, primary key (album_id, genre_id)
);
"""


@dataclass(frozen=True)
class Asked:
    """One typical request; at `{n}` an alias makes it another shape each time, at `{v}` stands another value."""

    name: str
    table: str
    query: str
    method: str = "GET"
    body: bytes = b""

    def request(self, number: int, value: int = 7) -> RawRequest:
        """It, in the shape of that number, with that value."""
        return RawRequest(
            method=self.method,
            path=f"/rest/v1/{self.table}",
            parameters={"table": self.table},
            query=self.query.replace("{n}", str(number)).replace("{v}", str(value)),
            headers={"accept": "*/*", "content-type": "application/json", "prefer": "return=representation"},
            body=self.body,
            address="127.0.0.1",
            id="measured",
        )


REQUESTS = (
    Asked("one row by key", "albums", "select=a{n}:id,title,released,price&id=eq.{v}"),
    Asked(
        "five filters, order, page",
        "albums",
        "select=a{n}:id,title,released,price,details->>format&released=gte.2020-01-01&released=lt.2021-01-01"
        "&title=ilike.*blue{v}*&label_id=in.(1,2,3)&tags=cs.{live}&order=released.desc.nullslast,id&limit=20&offset=40",
    ),
    Asked(
        "a tree of conditions",
        "albums",
        "select=a{n}:id,title&or=(title.ilike.*blue{v}*,and(price.gte.5,price.lte.10),label_id.is.null)&limit=20",
    ),
    Asked(
        "the same from a browser",
        "albums",
        "select=b{n}%3Aid%2Ctitle&or=%28title.ilike.*blue{v}*%2Cand%28price.gte.5%2Cprice.lte.10%29%2Clabel_id.is.null"
        "%29&limit=20",
    ),
    Asked(
        "an embed", "albums", "select=a{n}:id,title,artists(id,name),songs(id,title,seconds)&order=id&songs.order=id"
    ),
    Asked(
        "embeds three deep",
        "artists",
        "select=a{n}:id,name,albums(id,title,labels(name),genres(name),songs(id,title))&albums.order=released.desc"
        "&albums.songs.plays=gte.{v}&country=eq.NO&limit=10",
    ),
    Asked("an insert", "songs", "select=a{n}:id,title", "POST", b'{"id":1,"album_id":2,"title":"x","seconds":180}'),
)


class Desk(Records):
    """The operations' way from a request to its statement, without the statement being run."""

    def statement_for(self, request: RawRequest) -> Ready:
        """What would be run, and with which arguments."""
        return self.prepare(request)


def microseconds_for_new(desk: Desk, asked: Asked) -> float:
    """The median of shapes that were never asked for; each is parsed, planned, written as SQL and kept."""
    requests = [asked.request(number) for number in range(NEW)]
    return median(_microseconds(lambda request=request: desk.statement_for(request)) for request in requests)


def microseconds_for_known(desk: Desk, asked: Asked) -> float:
    """The median of rounds in which one shape is asked for over and over with other values, in a memory that is full.

    What holds no value is the same text each time, as it is for those who ask.
    """
    desk.statement_for(asked.request(0))

    def one_round(turn: int) -> float:
        requests = [asked.request(0, KNOWN_EACH * turn + number) for number in range(KNOWN_EACH)]
        return _microseconds(lambda: [desk.statement_for(request) for request in requests]) / KNOWN_EACH

    return median(map(one_round, range(KNOWN_ROUNDS)))


def _microseconds(work: Callable[[], object]) -> float:
    begun = perf_counter()
    work()
    return (perf_counter() - begun) * 1e6


async def measure(folder: Path) -> list[Promise]:
    """Every request, new and known."""
    async with empty_database(folder) as (database, admin):
        await admin.execute(_WORLD)
        catalog = Catalog(database)
        await catalog.refresh()
    desk = Desk(catalog=catalog, settings=RecordsSettings())
    new = {asked.name: microseconds_for_new(desk, asked) for asked in REQUESTS}
    known = {asked.name: microseconds_for_known(desk, asked) for asked in REQUESTS}
    return [Promise(f"new: {name}", cost, 300, "µs", goal=150, at_most=True) for name, cost in new.items()] + [
        Promise(f"known: {name}", cost, 10, "µs", goal=5, at_most=True) for name, cost in known.items()
    ]


def main() -> int:
    """1 when a shape costs more than its bar."""
    with scratch() as folder:
        promises = asyncio.run(measure(folder / "data"))
    return conclude("parse, plan and SQL of a request", promises)


if __name__ == "__main__":
    sys.exit(main())
