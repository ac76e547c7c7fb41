"""Workers, and the beats by which others know that they live."""

from uuid import UUID

from headwater.kernel.database import ReadingTransaction, WritingTransaction


async def add_worker(tx: WritingTransaction, worker: UUID, place: str) -> None:
    """Make a worker known; one that is known stays as it is."""
    await tx.execute(
        "insert into system.workers (id, place, started_at) values ($1, $2, $3) on conflict (id) do nothing",
        worker,
        place,
        tx.now,
    )


async def beat_worker(tx: WritingTransaction, worker: UUID) -> bool:
    """Count on; False if the worker is not known, because others took it for dead."""
    return bool(await tx.execute("update system.workers set beats = beats + 1 where id = $1", worker))


async def list_beats(tx: ReadingTransaction) -> dict[UUID, int]:
    """How far each worker has counted."""
    return {row["id"]: row["beats"] for row in await tx.rows("select id, beats from system.workers")}


async def lock_silent_worker(tx: WritingTransaction, worker: UUID, beats: int) -> bool:
    """Whether a worker has not counted on since; if so it neither counts nor picks before commit."""
    return bool(
        await tx.value(
            """
            select true from system.workers where id = $1 and beats = $2
            for update -- the row goes, and a pick of the worker must wait for that
            """,
            worker,
            beats,
        )
    )


async def remove_worker(tx: WritingTransaction, worker: UUID) -> None:
    """Forget a worker that holds no job any more."""
    await tx.execute("delete from system.workers where id = $1", worker)
