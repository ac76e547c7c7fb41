"""The SQL of fraud: what is known of players and devices."""

from datetime import timedelta
from uuid import UUID

from headwater.apps.scoreboard.models.fraud import Attempt, Behaviour, FraudSettings, Norm, Sighting
from headwater.kernel.database import Row, WritingTransaction

GAPS, POINTS, PACES = 48, 24, 64
_RENEWED = timedelta(hours=1)
CROWD = 64
"""Beyond so many players in one place nobody counts on."""
_LARGEST = 2**31 - 1
_SAMPLE = 20_000
_AT_ONCE = 20_000
_LATER = "(extract(epoch from excluded.hour - b.hour) / 3600)::integer"
"""Hours of the clock since the latest action; none or fewer where nodes disagree."""
_GAP = f"least(greatest(extract(epoch from excluded.latest_at - b.latest_at) * 1000, 0), {_LARGEST})::integer"
_PACE = "least(b.hour_actions, 32767)::smallint"

NOTE = f"""
with crowd as materialized (
  select place, device, user_id from unnest($8::text[]) as here(place), lateral (
    select s.device, s.user_id from scoreboard.sightings s
    where s.place = here.place and s.board = $6 and s.seen_at > $9 and s.user_id <> $7
    order by s.seen_at desc limit {CROWD}
  ) seen
), seen as (
  insert into scoreboard.sightings as s (place, board, user_id, device, seen_at)
  select here.place, $6, $7, $10, $3 from unnest($8::text[]) as here(place)
  where not exists (
    select from scoreboard.sightings known where known.place = here.place and known.board = $6
      and known.user_id = $7 and known.seen_at > $11 and known.device is not distinct from $10
  )
  order by here.place
  on conflict (place, board, user_id) do update set device = excluded.device, seen_at = excluded.seen_at
), noted as (
  insert into scoreboard.behaviours as b
    (subject, user_id, points, kinds, hour, hour_actions, active_hours, latest_at)
  select who.subject, who.user_id, array[$4::integer], array[$5::integer], date_trunc('hour', $3::timestamptz, 'UTC'),
    1, 1, $3
  from unnest($1::text[], $2::uuid[]) as who(subject, user_id)
  on conflict (subject) do update set
    gaps = case when b.active_hours = 0 then b.gaps
      else (b.gaps || {_GAP})[greatest(cardinality(b.gaps) - {GAPS - 2}, 1):] end,
    points = (b.points || excluded.points)[greatest(cardinality(b.points) - {POINTS - 2}, 1):],
    kinds = (b.kinds || excluded.kinds)[greatest(cardinality(b.kinds) - {POINTS - 2}, 1):],
    paces = case when {_LATER} <= 0 or b.hour_actions = 0 or b.held_at > b.hour - interval '1 day' then b.paces
      else (b.paces || {_PACE})[greatest(cardinality(b.paces) - {PACES - 2}, 1):] end,
    hour = greatest(b.hour, excluded.hour),
    hour_actions = case when {_LATER} <= 0 then b.hour_actions + 1 else 1 end,
    hour_before = case when {_LATER} <= 0 then b.hour_before when {_LATER} = 1 then b.hour_actions else 0 end,
    active_hours = case when {_LATER} <= 0 then b.active_hours | 1 when {_LATER} >= 63 then 1
      else ((b.active_hours << {_LATER}) & {2**63 - 1}) | 1 end,
    latest_at = greatest(b.latest_at, excluded.latest_at)
  returning b.*
)
select noted.subject, noted.gaps, noted.points, noted.kinds, noted.paces, noted.hour, noted.hour_actions,
  noted.hour_before, noted.active_hours, noted.watched_at, noted.trusted_until,
  noted.forgeries * power(0.5, coalesce(
    greatest(extract(epoch from $3 - noted.forged_at)::float8, 0) / 3600 / $12::float8, 0)) as forgeries,
  norm.middle, norm.spread, (select ascending from scoreboard.boards where name = $6) as ascending,
  (select count(*) from crowd where place like 'device:%') as device_players,
  (select count(*) from crowd where place like 'address:%') as address_players,
  (select count(distinct device) from crowd where place like 'address:%') as address_devices
from noted left join scoreboard.norms norm on norm.kind = $5
"""
NOTE_HELD = """
update scoreboard.behaviours set held_at = greatest(held_at, $2),
  watched_at = case when $3 then greatest(watched_at, $2) else watched_at end
where subject = $1
"""
NOTE_FORGERY = """
insert into scoreboard.behaviours as b (subject, user_id, hour, latest_at, forgeries, forged_at)
values ($1, $2, date_trunc('hour', $3::timestamptz, 'UTC'), $3, $4, $3)
on conflict (subject) do update set
  forgeries = least(b.forgeries * power(0.5, coalesce(
    greatest(extract(epoch from excluded.forged_at - b.forged_at)::float8, 0) / 3600 / $5::float8, 0)), 1000) + $4,
  forged_at = greatest(b.forged_at, excluded.forged_at)
"""
LOCK_BEHAVIOUR = "select from scoreboard.behaviours where subject = $1 for no key update"
TRUST = """
update scoreboard.behaviours set gaps = '{}', points = '{}', kinds = '{}', paces = '{}', hour_actions = 0,
  hour_before = 0, active_hours = 0, forgeries = 0, forged_at = null, held_at = null, watched_at = null,
  trusted_until = $2
where subject = $1
"""
SIZE = "select greatest(reltuples, 0) from pg_class where oid = 'scoreboard.behaviours'::regclass"
LEARN_NORMS = """
insert into scoreboard.norms as known (kind, middle, spread, players, made_at)
select kind, percentile_cont(0.5) within group (order by middle),
  (percentile_cont(0.75) within group (order by middle) - percentile_cont(0.25) within group (order by middle)) / 1.349,
  count(*), $3
from (
  select action.kind, percentile_cont(0.5) within group (order by ln(greatest(action.points, 1))) as middle
  from scoreboard.behaviours b tablesample bernoulli ($1::real),
    unnest(b.points, b.kinds) as action(points, kind)
  where b.user_id is not null
  group by b.subject, action.kind having count(*) >= 3
) player
group by kind having count(*) >= $2
on conflict (kind) do update set middle = excluded.middle, spread = excluded.spread, players = excluded.players,
  made_at = excluded.made_at
"""
REMOVE_OLD_BEHAVIOURS = """
delete from scoreboard.behaviours where subject in (
  select subject from scoreboard.behaviours
  where greatest(latest_at, forged_at, trusted_until) < case when user_id is null then $2::timestamptz else $1 end
  limit $3 for no key update skip locked
)
"""
REMOVE_OLD_SIGHTINGS = """
delete from scoreboard.sightings where (place, board, user_id) in (
  select place, board, user_id from scoreboard.sightings where seen_at < $1 limit $2 for no key update skip locked
)
"""
REMOVE_OLD_NORMS = "delete from scoreboard.norms where made_at < $1"


async def note_attempt(
    tx: WritingTransaction, settings: FraudSettings, attempt: Attempt, places: list[str]
) -> Sighting:
    """Note an attempt with its player, its device and its places, and tell what is now known: one statement.

    The player's row is locked first and the device's after it, so two attempts of one player come one after the other.
    """
    device = None if attempt.device is None else f"device:{attempt.device}"
    subjects = [subject_of(attempt.user_id)] if device is None else [subject_of(attempt.user_id), device]
    owners = [attempt.user_id] if device is None else [attempt.user_id, None]
    at = attempt.at
    rows = await tx.rows(
        NOTE,
        subjects,
        owners,
        at,
        max(min(attempt.points, _LARGEST), -_LARGEST),
        attempt.kind,
        attempt.board,
        attempt.user_id,
        places,
        at - timedelta(hours=settings.crowd_hours),
        attempt.device,
        at - _RENEWED,
        settings.forgery_hours,
    )
    found = {row["subject"]: row for row in rows}
    row = found[subjects[0]]
    return Sighting(
        player=_behaviour(row),
        device=None if device is None else _behaviour(found[device]),
        norm=None if row["middle"] is None else Norm(row["middle"], row["spread"]),
        ascending=bool(row["ascending"]),
        device_players=row["device_players"],
        address_players=row["address_players"],
        address_devices=row["address_devices"],
    )


async def note_held(tx: WritingTransaction, attempt: Attempt, *, watched: bool) -> None:
    """For a day a player's hours do not become usual, and he may be watched too."""
    await tx.execute(NOTE_HELD, subject_of(attempt.user_id), attempt.at, watched)


async def note_forgery(tx: WritingTransaction, settings: FraudSettings, attempt: Attempt, weight: float) -> None:
    """Note against a player that he sent what was not his to send."""
    subject = subject_of(attempt.user_id)
    await tx.execute(NOTE_FORGERY, subject, attempt.user_id, attempt.at, weight, settings.forgery_hours)


async def lock_behaviour(tx: WritingTransaction, user_id: UUID) -> None:
    """Let no action of a player be judged before the end of the transaction."""
    await tx.execute(LOCK_BEHAVIOUR, subject_of(user_id))


async def trust(tx: WritingTransaction, user_id: UUID, days: float) -> None:
    """Learn a player anew, and leave him alone meanwhile."""
    await tx.execute(TRUST, subject_of(user_id), tx.now + timedelta(days=days))


async def learn_norms(tx: WritingTransaction, players: int) -> int:
    """Make the norms of what at least so many players do, from 20,000 of them at most; how many norms there are."""
    size = await tx.value(SIZE)
    return await tx.execute(LEARN_NORMS, min(100.0, 100.0 * _SAMPLE / max(size, 1.0)), players, tx.now)


async def remove_old(tx: WritingTransaction, settings: FraudSettings) -> int:
    """Forget who was quiet for long, and where players are no longer; how many rows, some 20,000 of each at most."""
    kept, kept_of_devices = (tx.now - timedelta(days=days) for days in (settings.keep_days, settings.keep_device_days))
    behaviours = await tx.execute(REMOVE_OLD_BEHAVIOURS, kept, kept_of_devices, _AT_ONCE)
    sightings = await tx.execute(REMOVE_OLD_SIGHTINGS, tx.now - timedelta(hours=settings.crowd_hours), _AT_ONCE)
    norms = await tx.execute(REMOVE_OLD_NORMS, tx.now - timedelta(days=settings.keep_days))
    return behaviours + sightings + norms


def subject_of(user_id: UUID) -> str:
    """What a player's behaviour is kept under."""
    return f"user:{user_id}"


def _behaviour(row: Row) -> Behaviour:
    return Behaviour(
        subject=row["subject"],
        gaps=row["gaps"],
        points=row["points"],
        kinds=row["kinds"],
        paces=row["paces"],
        hour=row["hour"],
        hour_actions=row["hour_actions"],
        hour_before=row["hour_before"],
        active_hours=row["active_hours"],
        forgeries=float(row["forgeries"]),
        watched_at=row["watched_at"],
        trusted_until=row["trusted_until"],
    )
