"""Writers that keep on through whatever happens to the server, and remember what they were told."""

import threading
import time
from collections import Counter
from collections.abc import Generator
from contextlib import contextmanager

import httpx

from tests.kit.server import RunningServer

TABLE = "create table pairs (pair text not null, half int not null, primary key (pair, half))"
PATH = "/api/database/records/pairs"
PATIENCE = 40.0


class Storm:
    """Pairs of rows, each pair in one request; `kept` are those that were answered 2xx."""

    def __init__(self, url: str, key: str) -> None:
        self._client = httpx.Client(base_url=url, headers={"authorization": f"Bearer {key}"}, timeout=PATIENCE)
        self._stop = threading.Event()
        self.kept: set[str] = set()
        self.sent = 0
        self.statuses: Counter[int] = Counter()
        self.without_retry_after: list[str] = []
        self.broken_off = 0
        self.answered_at: list[tuple[float, int]] = []

    def blow(self, name: str) -> None:
        """Write pair after pair until the storm is over."""
        number = 0
        while not self._stop.is_set():
            number += 1
            pair = f"{name}-{number}"
            self.sent += 1
            try:
                answer = self._client.post(PATH, json=[{"pair": pair, "half": half} for half in (1, 2)])
            except httpx.HTTPError:
                self.broken_off += 1
                time.sleep(0.02)
                continue
            self._note(pair, answer)

    def _note(self, pair: str, answer: httpx.Response) -> None:
        self.statuses[answer.status_code] += 1
        self.answered_at.append((time.monotonic(), answer.status_code))
        if answer.is_success:
            self.kept.add(pair)
        elif answer.status_code != 503 or "retry-after" not in answer.headers:
            self.without_retry_after.append(f"{answer.status_code} {answer.text}")

    def stop(self) -> None:
        """Let every writer finish what he is at."""
        self._stop.set()

    def close(self) -> None:
        """Let go of the connections."""
        self._client.close()

    def silence(self, since: float) -> float:
        """Seconds from `since` until a write succeeded again."""
        return min(moment for moment, status in self.answered_at if moment > since and status < 300) - since

    def has_succeeded_since(self, moment: float) -> bool:
        """Whether some write was answered 2xx after this moment."""
        return any(at > moment and status < 300 for at, status in self.answered_at)


@contextmanager
def storm(server: RunningServer, name: str = "storm", writers: int = 6) -> Generator[Storm]:
    """A storm over `server` for the length of a block."""
    blowing = Storm(server.url, server.admin_key)
    threads = [threading.Thread(target=blowing.blow, args=(f"{name}-{number}",)) for number in range(writers)]
    for thread in threads:
        thread.start()
    try:
        yield blowing
    finally:
        blowing.stop()
        for thread in threads:
            thread.join()
        blowing.close()


def must_be_whole(server: RunningServer, kept: set[str]) -> None:
    """Every pair that was answered 2xx is there, and of no pair only one half."""
    rows = server.sql("select pair, count(*)::int as halves from pairs group by pair")
    assert [row for row in rows if row["halves"] != 2] == []
    assert kept - {str(row["pair"]) for row in rows} == set()


def eventually(condition: object, seconds: float = 60, *, pause: float = 0.02) -> float:
    """Wait until `condition()` holds, asked with so many seconds between; how long it took."""
    assert callable(condition)
    began = time.monotonic()
    while not condition():
        assert time.monotonic() - began < seconds, "it did not come about"
        time.sleep(pause)
    return time.monotonic() - began
