"""Who plays, and how he comes in."""

from dataclasses import dataclass
from uuid import UUID

from headwater.apps.scoreboard import queries, rules
from headwater.apps.scoreboard.errors import NameTaken, PlayerNotFound, VerifyFirst
from headwater.apps.scoreboard.models import (
    TOKEN_LIFETIME,
    Credentials,
    NewPlayer,
    Player,
    PlayerChange,
    SignedIn,
)
from headwater.apps.scoreboard.operations.telling import tell_score
from headwater.kernel.database import ReadingTransaction, Transactions, WritingTransaction
from headwater.kernel.models import AuditEntry
from headwater.kernel.principal import NOBODY, Principal
from headwater.platform.identity import EmailExists, Identity, Login, NewUser
from headwater.platform.identity import SignedIn as Session


@dataclass(frozen=True)
class Players:
    """The verbs of players; accounts and passwords are identity's, and any of its doors leads here too."""

    identity: Identity

    async def register(self, transactions: Transactions, _principal: Principal, body: NewPlayer) -> SignedIn:
        """Make an account and its player in one transaction, and sign him in.

        Raises `NameTaken`, `VerifyFirst` and what identity refuses, such as `WeakPassword` and `InvalidInput`.
        """
        user = NewUser(
            email=body.email, password=body.password, name=body.username, address=body.address, agent=body.agent
        )

        async def beside(tx: WritingTransaction, user_id: UUID) -> None:
            if not await queries.add_player(tx, user_id, body.username):
                raise NameTaken

        if rules.is_reserved(body.username):
            raise NameTaken
        if await transactions.reading(lambda tx: queries.is_taken(tx, body.username)):
            raise NameTaken
        try:
            entered = await self.identity.sign_up(
                transactions, NOBODY, user, beside=beside, token_lifetime=TOKEN_LIFETIME
            )
        except EmailExists as refusal:
            raise NameTaken from refusal
        if not isinstance(entered, Session):
            raise VerifyFirst
        return await self._signed_in(transactions, entered)

    async def sign_in(self, transactions: Transactions, _principal: Principal, body: Credentials) -> SignedIn:
        """Sign a player in by his address and password; raises what identity refuses, such as `InvalidCredentials`."""
        shown = Login(email=body.email, password=body.password, address=body.address, agent=body.agent)
        entered = await self.identity.sign_in(transactions, NOBODY, shown, token_lifetime=TOKEN_LIFETIME)
        return await self._signed_in(transactions, entered)

    async def change_player(self, tx: WritingTransaction, principal: Principal, body: PlayerChange) -> PlayerChange:
        """Hide a player from every board, or show him again. Raises `PlayerNotFound`."""
        if await queries.find_name(tx, body.user_id) is None:
            raise PlayerNotFound
        if await queries.hide_player(tx, body.user_id, hidden=body.hidden):
            for board, name, row in await queries.list_scores_of(tx, body.user_id):
                tell_score(tx, board, name, 0, row)
            action = "PLAYER_HIDDEN" if body.hidden else "PLAYER_SHOWN"
            details = {"user": str(body.user_id), "by": principal.key}
            tx.audit(AuditEntry(action=action, module="scoreboard", details=details))
        return body

    async def meet_myself(self, tx: WritingTransaction, principal: Principal, _body: None) -> Player:
        """The caller as a player; whoever came through another door is one from now on."""
        user_id = rules.player_of(principal)
        return Player(id=user_id, username=await ensured(tx, user_id), email=principal.email or "")

    async def _signed_in(self, transactions: Transactions, entered: Session) -> SignedIn:
        user = entered.user
        name = await transactions.writing(lambda tx: ensured(tx, user.id))
        return SignedIn(token=entered.access_token, user=Player(id=user.id, username=name, email=user.email or ""))


async def ensured(tx: WritingTransaction, user_id: UUID) -> str:
    """What a user is called on the boards, where he is a player from now on."""
    name = await queries.find_name(tx, user_id)
    if name is None:
        name = rules.username_for(user_id)
        await queries.add_player(tx, user_id, name)
    return name


async def name_of(tx: ReadingTransaction, user_id: UUID) -> str:
    """What a player is called. Raises `PlayerNotFound`."""
    name = await queries.find_name(tx, user_id)
    if name is None:
        raise PlayerNotFound
    return name
