"""What is due whenever a score has changed, whoever changed it."""

from headwater.apps.scoreboard.events import ScoreChanged
from headwater.apps.scoreboard.models import ScoreRow
from headwater.apps.scoreboard.models.caching import SCORES, TOPS, ScoreOf, TopOf
from headwater.apps.scoreboard.models.ranks import Change
from headwater.kernel.database import WritingTransaction


def tell_score(tx: WritingTransaction, board: str, username: str, points: int, row: ScoreRow) -> ScoreChanged:
    """After commit nobody finds the old score or the old first places, and every follower hears of the new ones."""
    changed = ScoreChanged(
        board=board,
        season=row.season,
        user_id=row.user_id,
        username=username,
        points=points,
        score=row.score,
        standing=row.standing,
        reached_at=row.reached_at,
        revision=row.revision,
        hidden=row.hidden,
    )
    tx.forget(TOPS.key(TopOf(board, row.season).name))
    tx.forget(SCORES.key(ScoreOf(board, row.season, row.user_id).name))
    tx.emit(changed)
    return changed


def change_of(told: ScoreChanged) -> Change:
    """What the ranks make of it: a hidden player is not among them."""
    return Change(
        board=told.board,
        season=told.season,
        user_id=told.user_id,
        score=None if told.hidden else told.score,
        standing=told.standing,
        reached_at=told.reached_at,
        revision=told.revision,
    )
