"""What the system asks the database about itself."""

from headwater.kernel.database import ReadingTransaction


async def answer(tx: ReadingTransaction) -> int:
    """Postgres' shortest answer: 1."""
    return await tx.value("select 1")
