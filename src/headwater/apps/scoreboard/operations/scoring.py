"""Actions, and what they do to scores."""

from contextlib import suppress
from dataclasses import dataclass
from typing import NamedTuple
from uuid import UUID

from headwater.apps.scoreboard import queries, rules
from headwater.apps.scoreboard.actions import Signer, adjustment_under
from headwater.apps.scoreboard.errors import (
    BoardFull,
    ExpiredAction,
    ForeignAction,
    HeldAction,
    KeyOfAnotherAction,
    SpentAction,
)
from headwater.apps.scoreboard.events import ScoreChanged
from headwater.apps.scoreboard.fraud import Fraud
from headwater.apps.scoreboard.models import (
    Action,
    ActionToCount,
    ActionType,
    Adjustment,
    AskedAction,
    Board,
    Counted,
    ScoreboardSettings,
)
from headwater.apps.scoreboard.models.fraud import Attempt, Misdeed
from headwater.apps.scoreboard.operations.incidents import Incidents
from headwater.apps.scoreboard.operations.players import ensured, name_of
from headwater.apps.scoreboard.operations.seasons import current, must_find_board
from headwater.apps.scoreboard.operations.telling import change_of, tell_score
from headwater.apps.scoreboard.queries import LoggedAction
from headwater.apps.scoreboard.ranks import Ranks
from headwater.kernel.clock import Clock
from headwater.kernel.database import Transactions, WritingTransaction
from headwater.kernel.errors import DatabaseUnavailable, Refusal
from headwater.kernel.ids import new_id
from headwater.kernel.models import AuditEntry
from headwater.kernel.principal import Principal


class _Scored(NamedTuple):
    """What an action came to; `changed` is what the ranks may not know yet, nothing where it was counted before."""

    board: str
    season: int
    user_id: UUID
    score: int
    changed: ScoreChanged | None = None


@dataclass(frozen=True)
class Scoring:
    """The verbs that make scores; every point passes through `count_points`."""

    settings: ScoreboardSettings
    signer: Signer
    fraud: Fraud
    incidents: Incidents
    ranks: Ranks
    clock: Clock

    async def warm(self, _transactions: Transactions) -> None:
        """Refuse a price list that cannot be read before the first request does. Raises `ValueError`."""
        rules.price_list(self.settings.actions)

    async def list_action_types(
        self, _transactions: Transactions, _principal: Principal, _body: None
    ) -> list[ActionType]:
        """What may be done for points, in the order of HEADWATER_SCOREBOARD_ACTIONS."""
        prices = rules.price_list(self.settings.actions)
        return [ActionType(action_type=action_type, points=points) for action_type, points in prices.items()]

    async def generate_action(self, transactions: Transactions, principal: Principal, body: AskedAction) -> Action:
        """Sign an action for the caller, to be posted back once within five minutes.

        Raises `UnknownActionType`, `InvalidIncrement`, `BoardNotFound`, `BoardClosed`.
        """
        user_id = rules.player_of(principal)
        board = await transactions.reading(lambda tx: must_find_board(tx, body.board))
        now = self.clock.now()
        rules.must_be_open(board, now)
        points = rules.points_of(body, board, rules.price_list(self.settings.actions))
        return self.signer.sign(user_id, body, points, now)

    async def update_score(self, transactions: Transactions, principal: Principal, body: ActionToCount) -> Counted:
        """Count a signed action once: score, log row and consumed action in one transaction.

        The same action under the same `Idempotency-Key` is answered with the same score. What is refused as foreign,
        expired or spent is remembered against its sender. Raises `ForeignAction`, `ExpiredAction`, `SpentAction`,
        `KeyOfAnotherAction`, `HeldAction`, `BoardNotFound`, `BoardClosed`, `BoardFull`, `ScoreOutOfRange`.
        """
        attempt = self._attempt(principal, body)
        try:
            self.signer.must_be_ours(attempt.user_id, body)
            issued_at = self.signer.must_be_in_time(body, attempt.at)
        except (ForeignAction, ExpiredAction) as refusal:
            misdeed = "foreign" if isinstance(refusal, ForeignAction) else "expired"
            with suppress(DatabaseUnavailable):  # what was posted is wrong all the same
                await transactions.writing(lambda tx: self._note(tx, attempt, misdeed))
            raise
        signed = attempt.signed(issued_at)
        outcome = await transactions.writing(lambda tx: self._count_once(tx, signed, body.key))
        if isinstance(outcome, Refusal):
            raise outcome
        return await self._ranked(outcome)

    async def adjust_score(self, transactions: Transactions, principal: Principal, body: Adjustment) -> Counted:
        """Give a player points, or take some, on an admin's word; on the log like any action, and audited.

        The same under the same `Idempotency-Key` counts once and is answered with the same score. Raises
        `PlayerNotFound`, `BoardNotFound`, `BoardFull`, `ScoreOutOfRange`, `KeyOfAnotherAction`.
        """
        new = f"adjusted-{new_id().hex}"
        action_id = new if body.key is None else adjustment_under(principal.key, body.key)

        async def adjust(tx: WritingTransaction) -> _Scored:
            await name_of(tx, body.user_id)
            board = await current(tx, body.board)
            action = LoggedAction(id=action_id, user_id=body.user_id, points=body.points, outcome="adjusted")
            if not await queries.take_action(tx, board, action):
                return await self._adjusted(tx, body, action_id)
            details = {"user": str(body.user_id), "board": board.name, "points": body.points, "by": principal.key}
            tx.audit(AuditEntry(action="SCORE_ADJUSTED", module="scoreboard", details=details))
            operator = "set" if board.operator == "set" else "increment"
            return _scored(await self._add_points(tx, board, body.user_id, body.points, action.id, operator))

        return await self._ranked(await transactions.writing(adjust))

    async def count_points(self, tx: WritingTransaction, attempt: Attempt) -> ScoreChanged:
        """Count an action that is in the log already and did not count yet; for one that is released.

        Raises `BoardNotFound`, `BoardFull`, `ScoreOutOfRange`.
        """
        board = await current(tx, attempt.board)
        await queries.update_outcome(tx, attempt.action_id, "released")
        return await self._add_points(tx, board, attempt.user_id, attempt.points, attempt.action_id, board.operator)

    async def _count_once(self, tx: WritingTransaction, attempt: Attempt, key: str | None) -> _Scored | Refusal:
        """What it came to, or a refusal for which something is to be kept all the same."""
        action = LoggedAction(
            id=attempt.action_id,
            user_id=attempt.user_id,
            points=attempt.points,
            action_type=attempt.action_type,
            address=attempt.address,
            device=attempt.device,
            idempotency_key=key,
        )
        board = await queries.take_at_once(tx, attempt.board, action)
        if board is None:
            await ensured(tx, attempt.user_id)
            board = await current(tx, attempt.board)
            rules.must_be_open(board, tx.now)
            if not await queries.take_action(tx, board, action):
                return await self._spent(tx, attempt, board, key)
        else:
            rules.must_be_open(board, tx.now)
        verdict = await self.fraud.judge(tx, attempt)
        if verdict.blocked:
            await queries.update_outcome(tx, attempt.action_id, "held")
            await self.incidents.open_incident(tx, attempt, verdict)
            return HeldAction()
        if verdict.suspicious:
            await self.incidents.open_incident(tx, attempt, verdict)
        operator = board.operator
        changed = await self._add_points(tx, board, attempt.user_id, attempt.points, attempt.action_id, operator)
        return _scored(changed)

    async def _spent(
        self, tx: WritingTransaction, attempt: Attempt, board: Board, key: str | None
    ) -> _Scored | Refusal:
        """What an action that was taken before is answered: under its own key the same again."""
        found = await queries.find_spent(tx, attempt.action_id, attempt.user_id, key)
        same = next((one for one in found if one.id == attempt.action_id and one.user_id == attempt.user_id), None)
        under_key = [one for one in found if key is not None and one.idempotency_key == key]
        if same is None and under_key:
            return KeyOfAnotherAction()
        if same is not None and same in under_key:  # he never got the answer
            if same.score is None:
                return HeldAction()
            return _Scored(board.name, board.season, attempt.user_id, same.score)
        await self.fraud.note_refusal(tx, attempt, "replayed")
        return SpentAction()

    async def _adjusted(self, tx: WritingTransaction, body: Adjustment, action_id: str) -> _Scored:
        """What the same correction came to. Raises `KeyOfAnotherAction`."""
        found = await queries.find_adjustment(tx, action_id)
        if (found.board, found.user_id, found.points) != (body.board, body.user_id, body.points):
            raise KeyOfAnotherAction
        return _Scored(found.board, found.season, found.user_id, found.score)

    async def _add_points(
        self, tx: WritingTransaction, board: Board, user_id: UUID, points: int, action_id: str, operator: str
    ) -> ScoreChanged:
        if board.entry_limit is not None and not await queries.has_score(tx, board, user_id):
            await queries.lock_board(tx, board.name)  # two newcomers at once: one of them counts the other
            if await queries.count_scores(tx, board) >= board.entry_limit:
                raise BoardFull(board=board.name, limit=board.entry_limit)
        row, name = await queries.add_points(tx, board, user_id, points, action_id, operator)
        return tell_score(tx, board.name, name, points, row)

    async def _ranked(self, scored: _Scored) -> Counted:
        if scored.changed is not None:
            await self.ranks.apply(change_of(scored.changed))
        rank = await self.ranks.rank(scored.board, scored.season, scored.user_id)
        return Counted(user_id=scored.user_id, new_score=scored.score, rank=rank)

    async def _note(self, tx: WritingTransaction, attempt: Attempt, misdeed: Misdeed) -> None:
        await ensured(tx, attempt.user_id)
        await self.fraud.note_refusal(tx, attempt, misdeed)

    def _attempt(self, principal: Principal, body: ActionToCount) -> Attempt:
        now = self.clock.now()
        return Attempt(
            user_id=rules.player_of(principal),
            board=body.board,
            action_id=body.action_id,
            action_type=body.action_type,
            points=body.score_increment,
            address=body.address,
            device=body.device,
            issued_at=now,
            at=now,
        )


def _scored(changed: ScoreChanged) -> _Scored:
    return _Scored(changed.board, changed.season, changed.user_id, changed.score, changed)
