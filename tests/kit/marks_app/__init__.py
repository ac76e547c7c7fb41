"""A plug-in for tests of real workers: jobs that leave marks, and the process that left them."""

import asyncio
import os
from dataclasses import dataclass
from datetime import timedelta
from typing import cast

import msgspec

from headwater.kernel.component import Access, Component, Endpoint, Job, Mode, Timer
from headwater.kernel.database import Transactions, WritingTransaction
from headwater.kernel.jobs import JobRun
from headwater.kernel.models import JobCall
from headwater.kernel.principal import Principal


class Mark(msgspec.Struct, frozen=True, kw_only=True):
    """What to write, and how many seconds to take for it."""

    text: str
    seconds: float = 0.0


class Call(msgspec.Struct, frozen=True, kw_only=True):
    """Which job to call, once for each text."""

    job: str
    texts: list[str]
    seconds: float = 0.0


async def leave(tx: WritingTransaction, text: str) -> None:
    """Leave a mark."""
    await tx.execute("insert into marks.marks (mark, worker) values ($1, $2)", text, os.getpid())


@dataclass(frozen=True)
class Marks:
    """Marks left by jobs and by a timer."""

    async def call(self, tx: WritingTransaction, principal: Principal, body: Call) -> None:
        """Call a job once for each text."""
        for text in body.texts:
            tx.enqueue(JobCall(job=f"marks.{body.job}", arguments=Mark(text=text, seconds=body.seconds)))

    async def hold(self, tx: WritingTransaction, run: JobRun) -> None:
        """Leave a mark in the job's own transaction, which takes its time."""
        mark = cast("Mark", run.arguments)
        await leave(tx, mark.text)
        await tx.execute("select pg_sleep($1)", mark.seconds)

    async def wait(self, transactions: Transactions, run: JobRun) -> None:
        """Take time, then leave a mark."""
        mark = cast("Mark", run.arguments)
        await asyncio.sleep(mark.seconds)
        await transactions.writing(lambda tx: leave(tx, mark.text))

    async def fail(self, tx: WritingTransaction, run: JobRun) -> None:
        """Fail, unless somebody left a pardon."""
        if not await tx.value("select exists (select from marks.marks where mark = 'pardon')"):
            raise ValueError(f"no pardon for {cast('Mark', run.arguments).text}")
        await leave(tx, cast("Mark", run.arguments).text)

    async def tick(self, tx: WritingTransaction) -> None:
        """Leave a tick."""
        await leave(tx, "tick")


COMPONENT = Component(
    name="marks",
    package=__name__,
    operations=Marks,
    endpoints=(
        Endpoint(
            method="POST",
            path="/call",
            operation=Marks.call,
            access=Access.ADMIN,
            transaction=Mode.WRITING,
            body=Call,
        ),
    ),
    jobs=(
        Job(name="marks.hold", arguments=Mark, operation=Marks.hold, attempts=100),
        Job(name="marks.wait", arguments=Mark, operation=Marks.wait, holds_connection=False, attempts=100),
        Job(name="marks.fail", arguments=Mark, operation=Marks.fail, attempts=2, backoff=timedelta(seconds=0.1)),
    ),
    timers=(Timer(name="marks.tick", every=timedelta(seconds=2), operation=Marks.tick),),
    schemas=("marks",),
)
