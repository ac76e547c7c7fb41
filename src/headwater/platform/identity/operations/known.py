"""A user who must be there, and what everyone may see of him."""

from uuid import UUID

from headwater.kernel.cache import CacheFamily
from headwater.kernel.database import ReadingTransaction, WritingTransaction
from headwater.platform.identity import queries
from headwater.platform.identity.errors import UserNotFound
from headwater.platform.identity.models import Profile, User

PROFILES = CacheFamily("profiles", Profile, ttl=30)
"""By user id. Whoever changes a profile, or removes one, says `forget_profile`; what SQL changes is seen in 30 s."""


async def must_find_user(tx: ReadingTransaction, user_id: UUID) -> User:
    """The account as its owner sees it; raises `UserNotFound`."""
    user = await queries.find_user(tx, user_id)
    if user is None:
        raise UserNotFound
    return user


def forget_profile(tx: WritingTransaction, user_id: UUID) -> None:
    """After commit, nobody finds what everyone could see of a user before."""
    tx.forget(PROFILES.key(str(user_id)))
