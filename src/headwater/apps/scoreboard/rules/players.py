"""Who plays."""

import re
from uuid import UUID

from headwater.apps.scoreboard.errors import PlayerNotFound, TooManyFriends
from headwater.kernel.errors import NotAUser
from headwater.kernel.principal import Principal

_MOST_FRIENDS = 100
_GIVEN = re.compile("player-[0-9a-f]{12}")


def player_of(principal: Principal) -> UUID:
    """The caller's id. Raises `NotAUser` for a key, which is nobody's."""
    if principal.id is None:
        raise NotAUser
    try:
        return UUID(principal.id)
    except ValueError as failure:
        raise PlayerNotFound from failure


def username_for(user_id: UUID) -> str:
    """What someone is called on the boards who came through another door and has chosen no name."""
    return f"player-{user_id.hex[:12]}"


def is_reserved(username: str) -> bool:
    """Whether this is what `username_for` calls somebody; nobody else may take his name before he comes."""
    return _GIVEN.fullmatch(username.lower()) is not None


def friends_of(user_id: UUID, listed: str) -> tuple[UUID, ...]:
    """The caller and the players he lists, each once. Raises `TooManyFriends`."""
    try:
        named = [UUID(text.strip()) for text in listed.split(",") if text.strip()]
    except ValueError as failure:
        raise TooManyFriends(reason="must be ids with commas between them") from failure
    friends = tuple(dict.fromkeys((user_id, *named)))
    if len(friends) > _MOST_FRIENDS + 1:
        raise TooManyFriends(reason=f"at most {_MOST_FRIENDS}")
    return friends
