"""Judges actions by what is known of those who send them."""

from dataclasses import dataclass

from headwater.apps.scoreboard.fraud import rules
from headwater.apps.scoreboard.models.fraud import Attempt, FraudSettings, Misdeed, Verdict
from headwater.apps.scoreboard.queries import fraud as queries
from headwater.kernel.database import WritingTransaction


@dataclass(frozen=True)
class Fraud:
    """Reads and updates behaviour in its caller's transaction: what is undone there was never noted here."""

    settings: FraudSettings

    async def judge(self, tx: WritingTransaction, attempt: Attempt) -> Verdict:
        """How wrong an attempt looks, itself noted: one statement, and another where it looks wrong by itself.

        What its player does in the day after that does not become usual; and where it was beyond doubt, he is watched
        for the day. In mode `off` nothing is noted and nothing looks wrong.
        """
        if self.settings.mode == "off":
            return Verdict()
        seen = await queries.note_attempt(tx, self.settings, attempt, rules.places_of(attempt))
        verdict = rules.judged(self.settings, seen, attempt)
        if verdict.stands_alone:
            await queries.note_held(tx, attempt, watched=verdict.begins_watch)
        return verdict

    def watches(self, verdict: Verdict) -> bool:
        """Whether an attempt that counts is told of all the same: in mode `shadow`."""
        return verdict.suspicious and not verdict.blocked

    async def note_refusal(self, tx: WritingTransaction, attempt: Attempt, kind: Misdeed) -> None:
        """Note against a player that he sent an action that was spent, not his or too old."""
        if self.settings.mode != "off":
            await queries.note_forgery(tx, self.settings, attempt, rules.MISDEEDS[kind])
