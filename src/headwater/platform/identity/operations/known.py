"""A user who must be there."""

from uuid import UUID

from headwater.kernel.database import ReadingTransaction
from headwater.platform.identity import queries
from headwater.platform.identity.errors import UserNotFound
from headwater.platform.identity.models import User


async def must_find_user(tx: ReadingTransaction, user_id: UUID) -> User:
    """The account as its owner sees it; raises `UserNotFound`."""
    user = await queries.find_user(tx, user_id)
    if user is None:
        raise UserNotFound
    return user
