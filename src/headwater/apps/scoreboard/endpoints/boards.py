"""Where boards are listed, opened, changed and begun anew."""

from headwater.apps.scoreboard.endpoints.envelope import ENVELOPE
from headwater.apps.scoreboard.models import Board, BoardChange, BoardName, Hour, HoursAsked, NewBoard, Season
from headwater.apps.scoreboard.operations import Boards
from headwater.kernel.component import Access, Endpoint, Mode

ENDPOINTS = (
    Endpoint(
        method="GET",
        path="/api/boards",
        operation=Boards.list_boards,
        access=Access.ANYONE,
        transaction=Mode.READING,
        result=list[Board],
        envelope=ENVELOPE,
    ),
    Endpoint(
        method="POST",
        path="/api/boards",
        operation=Boards.open_board,
        access=Access.ADMIN,
        transaction=Mode.WRITING,
        body=NewBoard,
        status=201,
        result=Board,
        envelope=ENVELOPE,
    ),
    Endpoint(
        method="GET",
        path="/api/boards/{board}",
        operation=Boards.show_board,
        access=Access.ANYONE,
        transaction=Mode.READING,
        body=BoardName,
        result=Board,
        envelope=ENVELOPE,
    ),
    Endpoint(
        method="PATCH",
        path="/api/boards/{board}",
        operation=Boards.change_board,
        access=Access.ADMIN,
        transaction=Mode.WRITING,
        body=BoardChange,
        result=Board,
        envelope=ENVELOPE,
    ),
    Endpoint(
        method="DELETE",
        path="/api/boards/{board}",
        operation=Boards.remove_board,
        access=Access.ADMIN,
        transaction=Mode.WRITING,
        body=BoardName,
        envelope=ENVELOPE,
    ),
    Endpoint(
        method="POST",
        path="/api/boards/{board}/reset",
        operation=Boards.reset_board,
        access=Access.ADMIN,
        transaction=Mode.WRITING,
        body=BoardName,
        result=Board,
        envelope=ENVELOPE,
    ),
    Endpoint(
        method="GET",
        path="/api/boards/{board}/seasons",
        operation=Boards.list_seasons,
        access=Access.ANYONE,
        transaction=Mode.READING,
        body=BoardName,
        result=list[Season],
        envelope=ENVELOPE,
    ),
    Endpoint(
        method="GET",
        path="/api/boards/{board}/hours",
        operation=Boards.list_hours,
        access=Access.ANYONE,
        transaction=Mode.READING,
        body=HoursAsked,
        result=list[Hour],
        envelope=ENVELOPE,
    ),
)
