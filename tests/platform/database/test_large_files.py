"""A large file passes through the server without being held by it."""

import random
from collections.abc import Iterator
from pathlib import Path
from threading import Event, Thread
from typing import Self

import pytest

from tests.kit.server import RunningServer

MEBIBYTE = 1024 * 1024
LINE = "{},{}\n"
LINES_A_PART = 10_000


class Beside:
    """Looks at something in a thread of its own, as long as the block is open."""

    def __init__(self) -> None:
        self._over = Event()
        self._thread = Thread(target=self._look)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()

    def _look(self) -> None:
        raise NotImplementedError


class Memory(Beside):
    """How much memory of its own a process has."""

    def __init__(self, pid: int) -> None:
        super().__init__()
        self._status = Path(f"/proc/{pid}/status")
        self.before = self.now()
        self.most = self.before

    def now(self) -> int:
        """Bytes that lie in no file: what the kernel cannot take back."""
        line = next(line for line in self._status.read_text().splitlines() if line.startswith("RssAnon"))
        return int(line.split()[1]) * 1024

    def _look(self) -> None:
        while not self._over.wait(0.01):
            self.most = max(self.most, self.now())


class Progress(Beside):
    """How far the loads are."""

    def __init__(self, server: RunningServer) -> None:
        super().__init__()
        self._server = server
        self.seen: list[dict[str, object]] = []

    def _look(self) -> None:
        with self._server.client(self._server.admin_key) as admin:
            while not self._over.wait(0.1):
                self.seen += admin.get("/api/database/advance/bulk-upsert").json()["running"]


def csv_of(size: int) -> Iterator[bytes]:
    """A CSV of about so many bytes, part by part."""
    filler = random.Random(7).randbytes(200).hex()
    yield b"id,filler\n"
    written = number = 0
    while written < size:
        part = "".join(LINE.format(number + step, filler) for step in range(LINES_A_PART)).encode()
        number += LINES_A_PART
        written += len(part)
        yield part


def json_of(size: int, *, by_lines: bool, broken: int | None = None) -> Iterator[bytes]:
    """JSON of about so many bytes, part by part; one row may be broken."""
    filler = random.Random(7).randbytes(200).hex()
    between = "\n" if by_lines else ",\n"
    row = '{{"id": {}, "filler": "{}"}}'
    yield b"" if by_lines else b"["
    written = number = 0
    while written < size:
        rows = [row.format(number + step, filler) for step in range(LINES_A_PART)]
        if broken is not None and number <= broken - 1 < number + LINES_A_PART:
            rows[broken - 1 - number] = '{"id": 1, "filler": nothing}'
        part = ((between if number else "") + between.join(rows)).encode()
        number += LINES_A_PART
        written += len(part)
        yield part
    yield b"\n" if by_lines else b"]"


def form_of(parts: Iterator[bytes]) -> Iterator[bytes]:
    """The same as a form."""
    yield b'--part\r\ncontent-disposition: form-data; name="table"\r\n\r\nheap\r\n'
    yield b'--part\r\ncontent-disposition: form-data; name="file"; filename="heap.csv"\r\n\r\n'
    yield from parts
    yield b"\r\n--part--\r\n"


@pytest.mark.parametrize("as_form", [False, True], ids=["body", "form"])
def test_a_csv_of_sixty_mebibytes_costs_the_server_little(own_server: RunningServer, as_form: bool) -> None:
    own_server.sql("create table heap (id bigint primary key, filler text not null)")
    path = "/api/database/advance/bulk-upsert"
    with own_server.client(own_server.admin_key) as admin:
        admin.post(f"{path}?table=heap", content=b"id,filler\n-1,x\n", headers={"content-type": "text/csv"})
        content = csv_of(60 * MEBIBYTE)
        kind = "multipart/form-data; boundary=part" if as_form else "text/csv"
        with Memory(own_server.process.pid) as memory:
            answer = admin.post(
                path if as_form else f"{path}?table=heap",
                content=form_of(content) if as_form else content,
                headers={"content-type": kind},
                timeout=120,
            )
    assert answer.status_code == 200, answer.text
    rows = answer.json()["rowsAffected"]
    assert rows > 100_000
    assert own_server.sql("select count(*)::int as n from heap") == [{"n": rows + 1}]
    assert memory.most - memory.before < 16 * MEBIBYTE


@pytest.mark.parametrize("kind", ["application/json", "application/x-ndjson"])
def test_json_of_sixty_mebibytes_costs_the_server_little(own_server: RunningServer, kind: str) -> None:
    own_server.sql("create table heap (id bigint primary key, filler text not null)")
    path = "/api/database/advance/bulk-upsert?table=heap"
    by_lines = kind != "application/json"
    with own_server.client(own_server.admin_key) as admin:
        admin.post(path, content=b'[{"id": -1, "filler": "x"}]', headers={"content-type": "application/json"})
        with Memory(own_server.process.pid) as memory, Progress(own_server) as progress:
            answer = admin.post(
                f"{path}&id=mine",
                content=json_of(60 * MEBIBYTE, by_lines=by_lines),
                headers={"content-type": kind},
                timeout=120,
            )
        assert answer.status_code == 200, answer.text
        rows = answer.json()["rowsAffected"]
        assert own_server.sql("select count(*)::int as n from heap") == [{"n": rows + 1}]
        broken = admin.post(
            path,
            content=json_of(4 * MEBIBYTE, by_lines=by_lines, broken=7_001),
            headers={"content-type": kind},
            timeout=120,
        )
    assert rows > 100_000
    assert memory.most - memory.before < 16 * MEBIBYTE
    counts = [entry["rowsDone"] for entry in progress.seen]
    assert {entry["id"] for entry in progress.seen} == {"mine"}
    assert len(set(counts)) > 3, counts
    assert (broken.status_code, "row 7001" in broken.text) == (400, True), broken.text
    assert own_server.sql("select count(*)::int as n from heap") == [{"n": rows + 1}]
