"""A socket's way: admitted once, asked again when it must be, and every message through every stage."""

import asyncio
from typing import Any, cast

import msgspec
import pytest

from headwater.flow import BoundMessage, Reception
from headwater.kernel.component import Access, FromSocket, Limit, Mode, SocketMessage
from headwater.kernel.database import Database, Transactions, WritingTransaction
from headwater.kernel.errors import (
    DatabaseUnavailable,
    Forbidden,
    InvalidInput,
    InvalidToken,
    NoAuthentication,
    TooManyRequests,
    UnknownMessage,
)
from headwater.kernel.ids import new_id
from headwater.kernel.models import CacheKey
from headwater.kernel.observe import MessageAnswered, Observer, RequestFailed, SocketClosed, SocketOpened
from headwater.kernel.principal import Principal, principal_from_claims
from headwater.kernel.sockets import (
    PLATFORM_SOCKET_ENVELOPE,
    Acknowledged,
    Acknowledgement,
    CloseReason,
    Handshake,
    Incoming,
    Resumed,
    Socket,
    SocketEnvelope,
    Sockets,
    SocketSettings,
    Underway,
)
from headwater.kernel.sockets.packets import Bundle
from tests.kit.house import USER, SmallHouse
from tests.kit.sockets import RememberingSocket

GOOD = Handshake(path="/socket.io/", auth={"token": "user"})


class Greeting(msgspec.Struct, frozen=True, kw_only=True):
    """What a message brings."""

    name: str
    times: int = 1
    socket: Socket | None = None


class SocketHouse(SmallHouse):
    """A small house whose messages the test declares."""

    def __init__(self, *messages: SocketMessage, **given: Any) -> None:
        super().__init__(**given)
        self.messages = {
            each.event: BoundMessage(declared=each, operation=each.operation, guard=each.guard, limits=each.limits)
            for each in messages
        }
        self.socket_limits = (Limit(name="sockets", count=3, seconds=60),)
        self.welcomed: list[tuple[Socket, object]] = []
        self.recognised: list[tuple[Socket, str | None]] = []
        self.welcome_fails: Exception | None = None

    def message(self, path: str, event: str) -> BoundMessage:
        """The declared message."""
        if event not in self.messages:
            raise UnknownMessage(event=event)
        return self.messages[event]

    def socket_envelope(self, path: str) -> SocketEnvelope:
        """The platform's."""
        return PLATFORM_SOCKET_ENVELOPE

    async def resume(self, principal: Principal, handshake: Handshake) -> Resumed | None:
        """Everybody goes on with something."""
        return Resumed("secret", principal.key)

    def recognise(self, socket: Socket) -> None:
        """Remember whose it is now."""
        self.recognised.append((socket, socket.principal.id))

    async def welcome(self, socket: Socket, resumed: Resumed | None) -> None:
        """Remember who was welcomed, or fail."""
        if self.welcome_fails is not None:
            raise self.welcome_fails
        self.welcomed.append((socket, None if resumed is None else resumed.state))


class Quiet(RememberingSocket):
    """A client's end that remembers what it is told."""

    def __init__(self, principal: Principal) -> None:
        hub = Sockets(SocketSettings(), Observer())
        super().__init__(hub._registry, "/socket.io/", "203.0.113.9")  # pyright: ignore[reportPrivateUsage] - the post of its rooms
        self.principal = principal
        self.id = new_id().hex
        self.told: list[tuple[str | None, object]] = []
        self.reason: CloseReason | None = None

    def close(self, reason: CloseReason, message: str = "") -> None:
        """Remember why."""
        self.connected, self.reason = False, reason

    def deliver(self, bundle: Bundle) -> None:
        """Remember it."""
        self.told += [(each.event, each.arguments[0]) for each in bundle.packets]


def message(operation: Any, event: str = "greet", **declared: Any) -> SocketMessage:
    told: dict[str, Any] = {"access": Access.CALLER, "transaction": Mode.NONE, "body": Greeting} | declared
    return SocketMessage(event=event, operation=operation, **told)


async def greet(_tx: object, principal: Principal, body: Greeting) -> object:
    return {"hello": body.name * body.times, "from": principal.id}


async def opened(house: SocketHouse) -> tuple[Reception, Quiet]:
    reception = Reception(house, Access.CALLER)
    admission = await reception.admit(GOOD)
    socket = Quiet(admission.principal)
    await reception.opened(socket, GOOD, admission.resumed)
    return reception, socket


async def told(house: SocketHouse, event: str, *arguments: object) -> object:
    """The acknowledgement of one message."""
    reception, socket = await opened(house)
    answer = await reception.receive(socket, Incoming(event, arguments, 1))
    assert isinstance(answer, Acknowledgement)
    return answer.arguments[0]


async def test_who_shows_a_good_token_is_admitted_and_welcomed() -> None:
    house = SocketHouse()
    _, socket = await opened(house)
    assert (socket.principal, house.welcomed) == (USER, [(socket, USER.key)])
    assert house.seen(SocketOpened) == [SocketOpened("/socket.io/", "websocket")]


@pytest.mark.parametrize(
    ("failure", "code", "reason"),
    [
        (InvalidInput(reason="board: none"), "INVALID_INPUT", CloseReason.UNADMITTED),
        (DatabaseUnavailable(), "DATABASE_UNAVAILABLE", CloseReason.FAILED),
        (OSError(), "INTERNAL_ERROR", CloseReason.FAILED),
    ],
    ids=["refused", "the database is away", "nobody foresaw it"],
)
async def test_whom_nobody_could_welcome_is_told_why_and_comes_again(
    failure: Exception, code: str, reason: CloseReason
) -> None:
    house = SocketHouse()
    house.welcome_fails = failure
    _, socket = await opened(house)
    [(event, said)] = socket.told
    assert (event, cast("dict[str, str]", said)["code"], socket.reason) == ("error", code, reason)
    assert reason.is_final == (reason is CloseReason.UNADMITTED)
    assert bool(house.seen(RequestFailed)) == isinstance(failure, OSError)


async def test_nobody_else_is() -> None:
    reception = Reception(SocketHouse(), Access.CALLER)
    with pytest.raises(NoAuthentication, match="No authentication provided"):
        await reception.admit(Handshake(path="/socket.io/"))
    with pytest.raises(InvalidToken):
        await reception.admit(Handshake(path="/socket.io/", auth={"token": "wrong"}))


async def test_an_address_opens_only_so_many_sockets() -> None:
    reception = Reception(SocketHouse(), Access.CALLER)
    for _ in range(3):
        await reception.admit(GOOD)
    with pytest.raises(TooManyRequests):
        await reception.admit(GOOD)


async def test_a_message_is_validated_carried_out_and_acknowledged() -> None:
    house = SocketHouse(message(greet))
    assert await told(house, "greet", {"name": "ann", "times": 2}) == {"hello": "annann", "from": USER.id}
    [answered] = house.seen(MessageAnswered)
    assert (answered.message, answered.code) == ("greet", None)


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ((), "Object missing required field `name`"),
        (({"name": 7},), "name: Expected `str`, got `int`"),
        (("ann",), "Expected `object`, got `str`"),
        (({"name": "ann", "times": "x"},), "times: Expected `int`, got `str`"),
    ],
)
async def test_what_cannot_be_understood_is_refused_by_the_fields_name(
    arguments: tuple[object, ...], sentence: str
) -> None:
    refused = {"ok": False, "error": {"code": "INVALID_INPUT", "message": sentence}}
    assert await told(SocketHouse(message(greet)), "greet", *arguments) == refused


async def test_arguments_may_stand_in_their_order() -> None:
    house = SocketHouse(message(greet, positions=("name", "times")))
    assert await told(house, "greet", "ann", 3) == {"hello": "annannann", "from": USER.id}
    missing = await told(house, "greet")
    assert missing == {
        "ok": False,
        "error": {"code": "INVALID_INPUT", "message": "Object missing required field `name`"},
    }


async def test_a_nul_character_is_refused_by_its_field() -> None:
    house = SocketHouse(message(greet), message(greet, "greet_in_order", positions=("name", "times")))
    reception, socket = await opened(house)
    for event, arguments in (("greet", ({"name": "\0"},)), ("greet_in_order", ("\0", 2))):
        answer = await reception.receive(socket, Incoming(event, arguments, 1, may_hold_nul=True))
        assert isinstance(answer, Acknowledgement)
        refused = {"code": "INVALID_INPUT", "message": "name: A NUL character cannot be stored"}
        assert answer.arguments[0] == {"ok": False, "error": refused}


async def test_the_socket_itself_can_be_a_field_and_nobody_can_send_it() -> None:
    seen: list[Greeting] = []

    async def keep(_tx: object, _principal: Principal, body: Greeting) -> object:
        seen.append(body)
        return {}

    reception, socket = await opened(SocketHouse(message(keep, inputs={"socket": FromSocket()})))
    await reception.receive(socket, Incoming("greet", ({"name": "ann", "socket": "forged"},), 1))
    assert (seen[0].socket, seen[0].name) == (socket, "ann")


async def test_an_event_nobody_declared_is_refused_and_not_named_in_metrics() -> None:
    house = SocketHouse()
    answer = await told(house, "nowhere")
    assert answer == {"ok": False, "error": {"code": "NOT_FOUND", "message": "Event nowhere not found"}}
    assert house.seen(MessageAnswered)[0].message == ""


async def test_where_no_acknowledgement_is_wanted_a_refusal_is_an_event() -> None:
    reception, socket = await opened(SocketHouse())
    assert await reception.receive(socket, Incoming("nowhere")) is None
    assert socket.told == [("error", {"code": "NOT_FOUND", "message": "Event nowhere not found"})]


async def test_access_limits_and_refusals_of_the_operation() -> None:
    async def refuse(*_: object) -> object:
        raise Forbidden(reason="Not today")

    house = SocketHouse(
        message(greet, "admins", access=Access.ADMIN),
        message(greet, "seldom", limits=(Limit(name="seldom", count=1, seconds=60, by="principal"),)),
        message(refuse, "refused"),
    )
    reception, socket = await opened(house)

    async def code(event: str) -> object:
        answer = await reception.receive(socket, Incoming(event, ({"name": "a"},), 1))
        assert isinstance(answer, Acknowledgement)
        told: Any = answer.arguments[0]
        return told.get("error", {}).get("code")

    assert [await code(event) for event in ("admins", "seldom", "seldom", "refused")] == [
        "AUTH_UNAUTHORIZED",
        None,
        "TOO_MANY_REQUESTS",
        "FORBIDDEN",
    ]


async def test_what_nobody_foresaw_tells_no_internals() -> None:
    async def fail(*_: object) -> object:
        raise ZeroDivisionError("secret")

    house = SocketHouse(message(fail))
    answer: Any = await told(house, "greet", {"name": "a"})
    assert answer["error"]["code"] == "INTERNAL_ERROR"
    assert "secret" not in answer["error"]["message"]
    assert len(house.seen(RequestFailed)) == 1


async def test_a_message_that_takes_too_long_is_ended() -> None:
    async def sleep(*_: object) -> object:
        await asyncio.sleep(5)

    answer: Any = await told(SocketHouse(message(sleep, timeout=0.05)), "greet", {"name": "a"})
    assert answer["error"] == {"code": "TIMEOUT", "message": "No answer within 0.05 seconds"}


async def test_an_outcome_that_takes_its_time_is_answered_as_any_other() -> None:
    outcomes: list[asyncio.Future[object]] = []

    async def act(*_: object) -> object:
        outcomes.append(asyncio.get_running_loop().create_future())
        return Underway(outcomes[-1])

    house = SocketHouse(message(act, timeout=0.05))
    reception, socket = await opened(house)
    answers: list[Any] = []
    for number in range(3):
        answer = await reception.receive(socket, Incoming("greet", ({"name": "a"},), number))
        assert isinstance(answer, Underway)
        answers.append(answer.outcome)
    outcomes[0].set_result({"done": True})
    outcomes[1].set_exception(Forbidden(reason="Not today"))
    assert await answers[0] == Acknowledgement(({"done": True},))
    codes = [(await answer).arguments[0]["error"]["code"] for answer in answers[1:]]
    assert codes == ["FORBIDDEN", "TIMEOUT"]
    assert [each.code for each in house.seen(MessageAnswered)] == [None, "FORBIDDEN", "TIMEOUT"]


async def test_messages_of_one_burst_are_counted_one_by_one() -> None:
    async def act(*_: object) -> object:
        return Underway(asyncio.sleep(0, "done"))

    house = SocketHouse(message(act, limits=(Limit(name="seldom", count=2, seconds=60, by="principal"),)))
    reception, socket = await opened(house)
    answers = [await reception.receive(socket, Incoming("greet", ({"name": "a"},), number)) for number in range(4)]
    told: list[Any] = [await each.outcome if isinstance(each, Underway) else each for each in answers]
    assert [each.arguments[0] for each in told[:2]] == ["done", "done"]
    assert [each.arguments[0]["error"]["code"] for each in told[2:]] == ["TOO_MANY_REQUESTS"] * 2


async def test_what_follows_an_acknowledgement_is_handed_on() -> None:
    def follow() -> None:
        return None

    async def act(*_: object) -> object:
        return Acknowledged({"done": True}, follow)

    reception, socket = await opened(SocketHouse(message(act)))
    answer = await reception.receive(socket, Incoming("greet", ({"name": "a"},), 1))
    assert answer == Acknowledgement(({"done": True},), follow)


@pytest.fixture
async def keeping(database: Database) -> SocketHouse:
    """A house whose message writes, and forgets."""

    async def write(tx: WritingTransaction, _principal: Principal, body: Greeting) -> object:
        tx.forget(CacheKey("greetings"))
        await tx.execute("insert into public.greetings values ($1)", body.name)
        return {"kept": body.name}

    await Transactions(database).writing(lambda tx: tx.execute("create table public.greetings (name text unique)"))
    return SocketHouse(message(write, transaction=Mode.WRITING), database=database)


async def test_a_writing_message_commits_and_then_its_effects_are_carried_out(keeping: SocketHouse) -> None:
    assert await told(keeping, "greet", {"name": "ann"}) == {"kept": "ann"}
    assert keeping.forgotten == [CacheKey("greetings")]
    again: Any = await told(keeping, "greet", {"name": "ann"})
    assert again["ok"] is False
    assert keeping.forgotten == [CacheKey("greetings")]


async def test_whoever_is_not_let_in_any_more_is_told_so_and_closed() -> None:
    house = SocketHouse()
    reception, socket = await opened(house)
    await reception.recheck()
    assert socket.reason is None
    del house.authenticator.tokens["user"]
    await reception.recheck()
    assert socket.told == [("error", {"code": "AUTH_UNAUTHORIZED", "message": "Invalid token"})]
    assert socket.reason is CloseReason.REVOKED


async def test_whoever_turns_out_to_be_somebody_else_is_recognised() -> None:
    house = SocketHouse()
    reception, socket = await opened(house)
    house.authenticator.tokens["user"] = principal_from_claims({"sub": "8", "role": "authenticated"})
    await reception.recheck()
    assert house.recognised == [(socket, "8")]


async def test_a_database_that_is_away_closes_nobody() -> None:
    house = SocketHouse()
    reception, socket = await opened(house)
    house.authenticator.failure = DatabaseUnavailable()
    await reception.recheck()
    assert socket.reason is None


async def test_credentials_that_run_out_are_looked_at_again_then() -> None:
    house = SocketHouse()
    until = house.clock.timestamp() + 60
    house.authenticator.tokens["user"] = principal_from_claims({"sub": "7", "role": "authenticated", "exp": until})
    reception, socket = await opened(house)
    await reception.sweep()
    house.authenticator.tokens.pop("user")
    await reception.sweep()
    assert socket.reason is None
    house.clock.advance(61)
    await reception.sweep()
    assert socket.reason is CloseReason.EXPIRED


async def test_after_a_silence_everybody_is_asked_for_again() -> None:
    house = SocketHouse()
    reception, socket = await opened(house)
    del house.authenticator.tokens["user"]
    assert await reception.sweep() > 0
    assert socket.reason is None
    reception.distrust()
    await reception.sweep()
    assert socket.reason is CloseReason.REVOKED


async def test_who_is_gone_is_forgotten() -> None:
    house = SocketHouse()
    reception, socket = await opened(house)
    reception.closed(socket, CloseReason.LOST)
    del house.authenticator.tokens["user"]
    await reception.recheck()
    assert (socket.reason, house.seen(SocketClosed)) == (None, [SocketClosed("/socket.io/", "lost")])
