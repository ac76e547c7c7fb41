"""Two `headwater serve` on one PostgreSQL that is nobody's child."""

import shutil
from collections.abc import Generator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

from tests.faults.outside import OutsidePostgres
from tests.kit.server import RunningServer, new_folder

ENCRYPTION_KEY = "rE7wq0Zp4mUj2bXn6sTt8vYc1dAf3gHk"
Nodes = tuple[RunningServer, RunningServer]


@contextmanager
def outside_postgres() -> Generator[OutsidePostgres]:
    """A PostgreSQL for the length of a block."""
    postgres = OutsidePostgres()
    try:
        yield postgres
    finally:
        postgres.remove()


@contextmanager
def two_nodes(
    outside: OutsidePostgres,
    user: str = "postgres",
    database: str = "headwater",
    environment: Mapping[str, str] | None = None,
) -> Generator[Nodes]:
    """Two servers started at once on a database that is empty; those that live at the end stop as they should."""
    if user != "postgres":
        outside.sql(f"create role {user} login createrole password '{outside.password}'")
    outside.sql(f"create database {database} owner {user}")
    told = {
        "HEADWATER_DATABASE_URL": outside.url(user, database),
        "HEADWATER_ENCRYPTION_KEY": ENCRYPTION_KEY,
        **(environment or {}),
    }
    folders = [new_folder(), new_folder()]
    with ThreadPoolExecutor(2) as starts:
        starting = [starts.submit(RunningServer, folder, told) for folder in folders]
    nodes = [start.result() for start in starting if start.exception() is None]
    try:
        yield starting[0].result(), starting[1].result()
    finally:
        codes = [node.stop() for node in nodes if node.process.poll() is None]
        for folder in folders:
            shutil.rmtree(folder.parent, ignore_errors=True)
    assert set(codes) <= {0}
