"""What looks wrong is written down, looked at, and decided once."""

import asyncio
from datetime import datetime
from typing import Any, cast
from uuid import UUID, uuid4

import msgspec
import pytest

from headwater.apps.scoreboard.errors.fraud import IncidentClosed
from headwater.apps.scoreboard.events import ScoreChanged
from headwater.apps.scoreboard.events.fraud import IncidentOpened, IncidentReviewed
from headwater.apps.scoreboard.models.fraud import Attempt, FraudSettings, Reason, Verdict
from headwater.apps.scoreboard.models.incidents import AT_MOST, Incident, IncidentPage, Review
from headwater.apps.scoreboard.operations.incidents import Incidents
from headwater.apps.scoreboard.operations.reviews import Reviews
from headwater.apps.scoreboard.operations.scoring import Scoring
from headwater.apps.scoreboard.queries import fraud, incidents
from headwater.kernel.clock import DrivenClock
from headwater.kernel.database import Database, WritingTransaction
from headwater.kernel.models import Effects
from headwater.kernel.principal import Principal
from tests.kit.house import ADMIN, SmallHouse

ADD_PLAYER = "insert into scoreboard.players (user_id, username) values ($1, $2)"
ADD_HELD = """
insert into scoreboard.actions (id, board, season, user_id, points, address, outcome, created_at)
values ($1, 'default', 1, $2, $3, '8.8.8.8', 'held', $4)
"""
SCORE = "select score from scoreboard.scores where user_id = $1"
OUTCOMES = "select array_agg(outcome order by created_at, id) from scoreboard.actions"
TRUSTED = "select trusted_until from scoreboard.behaviours where subject = $1"
HELD = Verdict(0.9, (Reason("points", "about 900 points each time", 0.9),), suspicious=True, blocked=True)
SETTINGS = FraudSettings()
WRITER = Incidents(SETTINGS)
NOTHING = cast("Any", None)
REVIEWER = Reviews(
    SETTINGS,
    Scoring(settings=NOTHING, signer=NOTHING, fraud=NOTHING, incidents=WRITER, ranks=NOTHING, clock=NOTHING),
)
SECOND_ADMIN = msgspec.structs.replace(ADMIN, key="admin:second")
NOBODYS = "00000000-0000-4000-8000-000000000000"


async def hold(database: Database, user: Principal, points: int = 900, verdict: Verdict = HELD) -> Effects:
    """An action of a user that looks wrong; what its transaction left behind."""
    user_id, action_id = UUID(user.id), uuid4().hex

    async def held(tx: WritingTransaction) -> None:
        if await tx.value("select 1 from scoreboard.players where user_id = $1", user_id) is None:
            await tx.execute(ADD_PLAYER, user_id, f"player-{user_id}"[:50])
        await tx.execute(ADD_HELD, action_id, user_id, points, tx.now)
        attempt = Attempt(user_id, "default", action_id, None, points, "8.8.8.8", None, tx.now, tx.now)
        await fraud.note_attempt(tx, SETTINGS, attempt, [])
        await WRITER.open_incident(tx, attempt, verdict)

    _, effects = await database.writing(held)
    return effects


async def listed(database: Database, **filters: Any) -> list[Incident]:
    """Incidents that an admin finds."""
    page = IncidentPage(**filters)
    return (await database.reading(lambda tx: WRITER.list_incidents(tx, ADMIN, page))).incidents


async def review(database: Database, incident: Incident, decision: Any, admin: Principal = ADMIN) -> Effects:
    """Decide an incident."""
    told = Review(id=incident.id, decision=decision, note="looked at it")
    _, effects = await database.writing(lambda tx: REVIEWER.review_incident(tx, admin, told))
    return effects


async def test_one_incident_gathers_what_a_player_does(database: Database, user: Principal) -> None:
    first = await hold(database, user)
    worse = msgspec.structs.replace(HELD, score=1.0, reasons=(Reason("rate", "far too many", 1.0),))
    second = await hold(database, user, 50, worse)

    [incident] = await listed(database)
    assert (incident.attempts, incident.points, incident.score, incident.reasons[0].code) == (2, 950, 1.0, "rate")
    assert [type(event) for event in first.events] == [IncidentOpened] and second.events == []
    opened = cast("IncidentOpened", first.events[0])
    assert (opened.incident_id, opened.held, opened.reasons) == (incident.id, True, ("points",))
    assert opened.audience() == ("role:project_admin",)


async def test_a_full_incident_is_followed_by_another(database: Database, user: Principal) -> None:
    for _ in range(AT_MOST + 1):
        await hold(database, user)
    assert sorted(incident.attempts for incident in await listed(database)) == [1, AT_MOST]


async def test_what_was_counted_and_what_was_held_are_two_incidents(database: Database, user: Principal) -> None:
    await hold(database, user)
    await hold(database, user, verdict=msgspec.structs.replace(HELD, blocked=False))
    assert {incident.outcome for incident in await listed(database)} == {"held", "counted"}


async def test_two_admins_release_at_once_and_the_points_count_once(
    database: Database, user: Principal, clock: DrivenClock
) -> None:
    await hold(database, user, 900)
    await hold(database, user, 30)
    [incident] = await listed(database)
    told = await asyncio.gather(
        *(review(database, incident, "release", admin) for admin in (ADMIN, SECOND_ADMIN)), return_exceptions=True
    )
    [effects] = [each for each in told if isinstance(each, Effects)]
    [refusal] = [each for each in told if not isinstance(each, Effects)]
    assert isinstance(refusal, IncidentClosed) and "released by" in refusal.message

    assert await database.reading(lambda tx: tx.value(SCORE, UUID(user.id))) == 930
    assert await database.reading(lambda tx: tx.value(OUTCOMES)) == ["released", "released"]
    assert [type(event) for event in effects.events] == [ScoreChanged, ScoreChanged, IncidentReviewed]
    reviewed = cast("IncidentReviewed", effects.events[-1])
    assert (reviewed.released, reviewed.actions, reviewed.points) == (True, 2, 930)
    [entry] = effects.audits
    assert entry.action == "INCIDENT_RELEASED" and entry.details["note"] == "looked at it"
    until: datetime = await database.reading(lambda tx: tx.value(TRUSTED, f"user:{user.id}"))
    assert (until - clock.now()).days == SETTINGS.trust_days


async def test_what_is_confirmed_never_counts(database: Database, user: Principal) -> None:
    await hold(database, user)
    [incident] = await listed(database)
    effects = await review(database, incident, "confirm")

    assert await database.reading(lambda tx: tx.value(SCORE, UUID(user.id))) is None
    assert await database.reading(lambda tx: tx.value(OUTCOMES)) == ["refused"]
    assert [entry.action for entry in effects.audits] == ["INCIDENT_CONFIRMED"]
    with pytest.raises(IncidentClosed):
        await review(database, incident, "release", SECOND_ADMIN)
    [decided] = await listed(database, state="confirmed")
    assert (decided.reviewed_by, decided.note) == (ADMIN.key, "looked at it")


async def test_after_a_decision_a_new_incident_opens(database: Database, user: Principal) -> None:
    await hold(database, user)
    [incident] = await listed(database)
    await review(database, incident, "confirm")
    assert [type(event) for event in (await hold(database, user)).events] == [IncidentOpened]
    assert len(await listed(database, state="open")) == 1


async def test_an_action_that_comes_while_a_release_is_under_way_waits_for_the_next(
    database: Database, user: Principal
) -> None:
    await hold(database, user, 900)
    [incident] = await listed(database)
    await asyncio.gather(review(database, incident, "release"), *(hold(database, user, 1) for _ in range(5)))

    counted = await database.reading(lambda tx: tx.value(SCORE, UUID(user.id)))
    waiting = sum(each.points for each in await listed(database, state="open"))
    assert counted + waiting == 905


async def test_a_review_and_an_action_of_its_player_lock_in_one_order(database: Database, user: Principal) -> None:
    await hold(database, user, 900)
    [incident] = await listed(database)
    begun: list[str] = []

    async def act(tx: WritingTransaction) -> None:
        begun.append("action")
        attempt = Attempt(UUID(user.id), "default", "late", None, 1, "8.8.8.8", None, tx.now, tx.now)
        await tx.execute(ADD_HELD, "late", UUID(user.id), 1, tx.now)
        await fraud.note_attempt(tx, SETTINGS, attempt, [])
        judged.set()
        await tx.execute("select pg_sleep(0.1)")
        await WRITER.open_incident(tx, attempt, HELD)

    async def decide(tx: WritingTransaction) -> None:
        begun.append("review")
        await REVIEWER.review_incident(tx, ADMIN, Review(id=incident.id, decision="release", note=None))

    judged = asyncio.Event()
    acting = asyncio.ensure_future(database.writing(act))
    await judged.wait()
    await asyncio.gather(acting, database.writing(decide))
    assert begun == ["action", "review"], "a deadlock: one of them was begun again"
    assert await database.reading(lambda tx: tx.value(SCORE, UUID(user.id))) == 901


async def test_pages_and_filters(
    database: Database, user: Principal, other_user: Principal, clock: DrivenClock
) -> None:
    for player in (user, other_user, user):
        await hold(database, player)
        clock.advance(60)
        [newest, *_] = await listed(database)
        await review(database, newest, "confirm")
    await hold(database, other_user)

    assert [each.user_id for each in await listed(database, user_id=UUID(user.id))] == [UUID(user.id)] * 2
    assert [each.state for each in await listed(database, state="open")] == ["open"]
    assert await listed(database, board="laps") == []
    seen: list[Incident] = []
    before = None
    while True:
        page = IncidentPage(before=before, limit=3)
        found = await database.reading(lambda tx, page=page: WRITER.list_incidents(tx, ADMIN, page))
        seen += found.incidents
        before = found.next
        if before is None:
            break
    assert [each.id for each in seen] == [each.id for each in await listed(database)] and len(seen) == 4


@pytest.mark.parametrize(
    ("method", "target", "body", "token", "status", "told"),
    [
        ("GET", "", None, None, 401, "MISSING_TOKEN"),
        ("GET", "", None, "user", 403, ""),
        ("GET", "?limit=0", None, "admin", 400, "limit"),
        ("GET", "?state=new", None, "admin", 400, "state"),
        ("GET", f"?before={NOBODYS}", None, "admin", 404, "INCIDENT_NOT_FOUND"),
        ("GET", "", None, "admin", 200, '"incidents":[{'),
        ("GET", "/nothing", None, "admin", 400, "id"),
        ("GET", f"/{NOBODYS}", None, "admin", 404, "INCIDENT_NOT_FOUND"),
        ("GET", "/{id}", None, "admin", 200, '"actions":[{'),
        ("POST", "/{id}/review", {"decision": "release"}, "user", 403, ""),
        ("POST", "/{id}/review", {"decision": "pardon"}, "admin", 400, "decision"),
        ("POST", "/{id}/review", {}, "admin", 400, "decision"),
        ("POST", "/{id}/review", {"decision": "confirm", "note": "x" * 1001}, "admin", 400, "note"),
        ("POST", "/{id}/review", {"decision": "confirm", "note": "a\0b"}, "admin", 400, "note: A NUL character"),
        ("POST", f"/{NOBODYS}/review", {"decision": "confirm"}, "admin", 404, "INCIDENT_NOT_FOUND"),
        ("POST", "/{id}/review", {"decision": "release"}, "admin", 200, '"state":"released"'),
    ],
)
async def test_endpoints(
    database: Database, user: Principal, method: str, target: str, body: Any, token: str | None, status: int, told: str
) -> None:
    from headwater.apps.scoreboard.endpoints.incidents import ENDPOINTS, PATH

    await hold(database, user)
    [incident] = await listed(database)
    owners = {"Incidents": WRITER, "Reviews": REVIEWER}
    house = SmallHouse(
        *(
            msgspec.structs.replace(
                endpoint, operation=getattr(owners[endpoint.name.partition(".")[0]], endpoint.operation.__name__)
            )
            for endpoint in ENDPOINTS
        ),
        database=database,
    )
    answer = await house.call(
        method, PATH + target.replace("{id}", str(incident.id)), b"" if body is None else body, token=token
    )
    assert (answer.status, told in answer.body.decode()) == (status, True), answer.body


async def test_statements_about_nobody(database: Database) -> None:
    assert await database.reading(lambda tx: incidents.find_incident(tx, uuid4())) is None
