"""Users of other issuers: whom their tokens stand for here."""

from headwater.kernel.database import Database, ReadingTransaction, Transactions, WritingTransaction
from headwater.kernel.errors import InvalidInput, InvalidToken
from headwater.kernel.ids import new_id
from headwater.kernel.models import AuditEntry
from headwater.kernel.principal import USER_ROLE, Principal, principal_from_claims
from headwater.kernel.tokens import Issuers, Tokens, Vouched
from headwater.platform.identity import queries, rules
from headwater.platform.identity.errors import OutsiderNotAdmitted
from headwater.platform.identity.events import UserCreated
from headwater.platform.identity.models import User
from headwater.platform.identity.policy import Policy


class _SomebodyElseWasFirst(Exception):
    """Another first request of the same user has made him meanwhile."""


class Outsiders:
    """Gives each user of another issuer one account here, at the first sight of a token of his.

    He is known by issuer and subject, never by an address that nobody has proven: whoever signs up here with somebody
    else's address must not find himself in his account the day the owner comes through an issuer, nor may an issuer
    that lets people write any address lead into the accounts of others. A token that was judged is remembered, so
    that the next request with it costs nothing.
    """

    def __init__(self, policy: Policy, issuers: Issuers, tokens: Tokens, database: Database) -> None:
        self._policy = policy
        self._issuers = issuers
        self._tokens = tokens
        self._database = database

    def issued(self, token: str) -> bool:
        """Whether a token says that another issuer, one that is trusted here, made it."""
        return self._issuers.issued(token)

    async def admit(self, token: str) -> Principal:
        """Whom the token stands for here.

        Raises `InvalidToken`, and `OutsiderNotAdmitted` for someone new where sign-up is disabled.
        """
        vouched = await self._issuers.verify(token)
        users_forgotten = self._tokens.users_forgotten
        user = await self._find(vouched) or await self._make(vouched)
        principal = principal_from_claims(_claims(vouched, user))
        self._tokens.remember(token, principal, vouched.expires_at, users_forgotten)
        return principal

    async def _find(self, vouched: Vouched) -> User | None:
        async def find(tx: ReadingTransaction) -> User | None:
            user_id = await queries.find_outsider(tx, vouched.issuer.name, vouched.subject)
            return None if user_id is None else await queries.find_user(tx, user_id)

        return await self._database.reading(find)

    async def _make(self, vouched: Vouched) -> User:
        try:
            return await Transactions(self._database).writing(lambda tx: self._add(tx, vouched))
        except _SomebodyElseWasFirst:
            user = await self._find(vouched)
            if user is None:
                raise InvalidToken from None
            return user

    async def _add(self, tx: WritingTransaction, vouched: Vouched) -> User:
        email = _proven(vouched)
        linked = email is not None and vouched.issuer.link_verified_email
        user_id = await queries.lock_verified(tx, email) if email is not None and linked else None
        if user_id is not None:
            details = {"user": user_id, "issuer": vouched.issuer.name}
            tx.audit(AuditEntry(action="ISSUER_LINKED", module="identity", details=details))
        elif self._policy.current.disable_signup:
            raise OutsiderNotAdmitted
        else:
            user_id = new_id()
            profile: dict[str, object] = {} if vouched.name is None else {"name": vouched.name}
            if not await queries.add_user(tx, user_id, email, verified=email is not None, profile=profile):
                email = None  # somebody here has the address already, and this may be another
                await queries.add_user(tx, user_id, None, profile=profile)
            tx.emit(UserCreated(user_id=user_id, email=email))
        if not await queries.add_provider(tx, user_id, vouched.issuer.name, vouched.subject):
            raise _SomebodyElseWasFirst
        user = await queries.find_user(tx, user_id)
        if user is None:
            raise InvalidToken
        return user


def _proven(vouched: Vouched) -> str | None:
    """The address that the issuer says is proven, if it is one."""
    if vouched.email is None:
        return None
    try:
        return rules.normal_email(vouched.email)
    except InvalidInput:
        return None


def _claims(vouched: Vouched, user: User) -> dict[str, object]:
    """What policies see: the issuer's claims, under our id and role, without what only we can say.

    A role of theirs would be a role in the database, and a session of theirs would look like one of ours.
    """
    theirs = {name: value for name, value in vouched.claims.items() if name not in {"sid", "email", "aal"}}
    ours: dict[str, object] = {
        "sub": str(user.id),
        "external_sub": vouched.subject,
        "role": USER_ROLE,
        "aal": "aal1",
        "is_anonymous": False,
    }
    return theirs | ours | ({} if user.email is None else {"email": user.email})
