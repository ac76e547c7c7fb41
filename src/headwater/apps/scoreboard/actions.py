"""Actions: signed by the server for one user, good for a while, and nobody else's."""

import hmac
import secrets
from datetime import datetime, timedelta
from hashlib import sha256
from uuid import UUID

import msgspec

from headwater.apps.scoreboard.errors import ExpiredAction, ForeignAction
from headwater.apps.scoreboard.models import Action, ActionToCount, AskedAction, ScoreboardSettings
from headwater.kernel.clock import moment
from headwater.kernel.vault import Vault

_LEEWAY = timedelta(seconds=5)
"""How far ahead another node's clock may be."""


class Signer:
    """Signs actions and knows its own again.

    The hash is HMAC-SHA256 (RFC 2104) under a key of the vault over the user, the id, the points, the moment, the board
    and the action type, each with its length, so that no two actions have one text; the id is the nonce. Nothing is
    stored until it is used.
    """

    def __init__(self, vault: Vault, settings: ScoreboardSettings) -> None:
        self._key = vault.derive("scoreboard:actions")
        self._lifetime = timedelta(seconds=settings.action_lifetime)

    def sign(self, user_id: UUID, asked: AskedAction, points: int, now: datetime) -> Action:
        """An action of this user, worth so many points, from now on."""
        action_id = secrets.token_hex(8)
        timestamp = moment(now)
        return Action(
            action_id=action_id,
            score_increment=points,
            timestamp=timestamp,
            action_hash=self._hash(user_id, action_id, points, timestamp, asked.board, asked.action_type),
            board=asked.board,
            action_type=msgspec.UNSET if asked.action_type is None else asked.action_type,
            expires_at=self._expiry(now),
        )

    def must_be_ours(self, user_id: UUID, shown: ActionToCount) -> None:
        """Raises `ForeignAction` unless we signed exactly this for this user; compares in constant time.

        `expires_at` follows from what is signed: it may be left out, and not be another.
        """
        points, asked = shown.score_increment, (shown.board, shown.action_type)
        expected = self._hash(user_id, shown.action_id, points, shown.timestamp, *asked)
        if not hmac.compare_digest(expected.encode(), shown.action_hash.encode("utf-8", "replace")):
            raise ForeignAction
        if shown.expires_at not in {None, self._expiry(datetime.fromisoformat(shown.timestamp))}:
            raise ForeignAction

    def must_be_in_time(self, shown: ActionToCount, now: datetime) -> datetime:
        """When an action of ours was signed. Raises `ExpiredAction` beyond its lifetime."""
        try:
            issued_at = datetime.fromisoformat(shown.timestamp)
        except ValueError as failure:
            raise ExpiredAction from failure
        if not -_LEEWAY <= now - issued_at <= self._lifetime:
            raise ExpiredAction
        return issued_at

    def _expiry(self, issued_at: datetime) -> str:
        return moment(issued_at + self._lifetime)

    def _hash(self, user_id: UUID, *fields: object) -> str:
        parts = [str(user_id), *("" if field is None else str(field) for field in fields)]
        text = "".join(f"{len(part)}:{part}" for part in parts)
        return hmac.digest(self._key, text.encode("utf-8", "surrogatepass"), "sha256").hex()


def adjustment_under(admin: str, key: str) -> str:
    """The id of the correction that an admin makes under an idempotency key, whatever it is."""
    return f"adjusted-{sha256(f'{admin} {key}'.encode()).hexdigest()}"
