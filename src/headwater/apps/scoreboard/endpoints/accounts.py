"""Where players come in."""

from headwater.apps.scoreboard.endpoints.envelope import ENVELOPE
from headwater.apps.scoreboard.models import Credentials, NewPlayer, Player, PlayerChange, SignedIn
from headwater.apps.scoreboard.operations import Players
from headwater.kernel.component import Access, Endpoint, FromAddress, FromHeader, Limit, Mode

_DEVICE = {"address": FromAddress(), "agent": FromHeader("user-agent")}
_AT_THE_DOOR = Limit(name="scoreboard.door", count=30, seconds=900, by="address")

ENDPOINTS = (
    Endpoint(
        method="POST",
        path="/api/auth/register",
        operation=Players.register,
        access=Access.ANYONE,
        transaction=Mode.NONE,
        body=NewPlayer,
        inputs=_DEVICE,
        limits=(_AT_THE_DOOR,),
        status=201,
        result=SignedIn,
        envelope=ENVELOPE,
        x_rate_limit=True,
    ),
    Endpoint(
        method="POST",
        path="/api/auth/login",
        operation=Players.sign_in,
        access=Access.ANYONE,
        transaction=Mode.NONE,
        body=Credentials,
        inputs=_DEVICE,
        limits=(_AT_THE_DOOR,),
        result=SignedIn,
        envelope=ENVELOPE,
        x_rate_limit=True,
    ),
    Endpoint(
        method="GET",
        path="/api/auth/me",
        operation=Players.meet_myself,
        access=Access.USER,
        transaction=Mode.WRITING,
        result=Player,
        envelope=ENVELOPE,
        x_rate_limit=True,
    ),
    Endpoint(
        method="PATCH",
        path="/api/players/{userId}",
        operation=Players.change_player,
        access=Access.ADMIN,
        transaction=Mode.WRITING,
        body=PlayerChange,
        result=PlayerChange,
        envelope=ENVELOPE,
        x_rate_limit=True,
    ),
)
