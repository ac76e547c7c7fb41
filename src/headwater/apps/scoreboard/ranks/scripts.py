"""What Redis does as one step with a board's entries."""

_LEASED = """
if ARGV[2] ~= '' and redis.call('get', KEYS[4]) ~= ARGV[2] then return false end
"""
"""How a step proves that its caller still holds the lease.

KEYS, all of one board and so of one slot: its state (`season`, `ascending`, `generation` of the latest comparison,
`ready`), the entries in their order, what is known of each user (`revision:generation:member`, no member for who was
removed), and the lease of who compares. The names of the second and third carry a season, so they belong to the state
only while it is of that season.
"""

CHANGE = (
    _LEASED
    + """
if ARGV[2] ~= '' then redis.call('pexpire', KEYS[4], ARGV[3]) end
local told = tonumber(ARGV[1])
local state = redis.call('hmget', KEYS[1], 'season', 'generation')
local season = tonumber(state[1])
if not season or season > told or (season < told and ARGV[2] ~= '') then return false end
if season < told then
  redis.call('hset', KEYS[1], 'season', ARGV[1])
  redis.call('del', KEYS[2], KEYS[3])
end
local missing, late, wrong = 0, 0, 0
for at = 1, #ARGV[5], 37 do
  local high, low, member = struct.unpack('>I3I4c23', ARGV[5], at)
  local standing, user = (high - 2097152) * 4294967296 + low, string.sub(member, 8)
  local revision = struct.unpack('>I7', ARGV[5], at + 30)
  if ARGV[6] == '1' then member = '' end
  local known, mark, there = -1, '', ''
  local value = redis.call('hget', KEYS[3], user)
  if value then
    known, mark, there = string.match(value, '^(%d+):(%d*):(.*)$')
    known = tonumber(known)
  end
  local changes = revision > known
  if ARGV[2] ~= '' then
    if changes then
      if there == '' then missing = missing + 1 else late = late + 1 end
    elseif revision == known and (there ~= member
        or tonumber(redis.call('zscore', KEYS[2], member)) ~= standing) then
      wrong = wrong + 1
      changes = true
    end
  end
  if changes then
    if there ~= '' and there ~= member then redis.call('zrem', KEYS[2], there) end
    if member ~= '' then redis.call('zadd', KEYS[2], standing, member) end
    redis.call('hset', KEYS[3], user, string.format('%.0f:%s:', revision, state[2]) .. member)
  elseif ARGV[2] ~= '' and mark ~= state[2] then
    redis.call('hset', KEYS[3], user, string.format('%.0f:%s:', known, state[2]) .. there)
  end
end
if redis.call('ttl', KEYS[3]) < 0 then redis.call('expire', KEYS[3], ARGV[4]) end
if redis.call('ttl', KEYS[2]) < 0 then redis.call('expire', KEYS[2], ARGV[4]) end
return {missing, late, wrong}
"""
)
"""Takes in changes, or with a lease rows, which win also where the revision is the same.

ARGV: the season; the lease's token or nothing, and its milliseconds; seconds to live; entries of 37 bytes each, as
Postgres tells them (`ranks.entry`); 1 where they are removed. A standing is put together from two parts: a double holds
it exactly, and not the seven bytes. A newer season begins empty. False where the season is older, or the board is not
held. Users are marked with the generation, so that a comparison that is under way knows whom it, or somebody else, has
seen.
"""

BEGIN_SEASON = """
local season = tonumber(redis.call('hget', KEYS[1], 'season'))
if not season or season >= tonumber(ARGV[1]) then return 0 end
redis.call('hset', KEYS[1], 'season', ARGV[1])
return redis.call('del', KEYS[2], KEYS[3])
"""

OPEN = (
    _LEASED
    + """
local told = tonumber(ARGV[1])
local season = tonumber(redis.call('hget', KEYS[1], 'season'))
if season and season > told then return false end
if not season or season < told then redis.call('del', KEYS[2], KEYS[3]) end
redis.call('hset', KEYS[1], 'season', ARGV[1], 'ascending', ARGV[3])
redis.call('expire', KEYS[1], ARGV[4])
return {redis.call('hincrby', KEYS[1], 'generation', 1), redis.call('hexists', KEYS[1], 'ready')}
"""
)
"""Begins a comparison. ARGV: season, token, ascending, seconds to live. Its generation, and whether it was ready."""

SWEEP = (
    _LEASED
    + """
if redis.call('hget', KEYS[1], 'season') ~= ARGV[1] then return false end
local removed = 0
for at = 3, #ARGV, 2 do
  if redis.call('hget', KEYS[3], ARGV[at]) == ARGV[at + 1] then
    local member = string.match(ARGV[at + 1], '^%d+:%d*:(.*)$')
    if member ~= '' then removed = removed + redis.call('zrem', KEYS[2], member) end
    redis.call('hdel', KEYS[3], ARGV[at])
  end
end
return removed
"""
)
"""Removes users without a row. ARGV: season, token, then for each: user, and what was known, which must still be so."""

FINISH = (
    _LEASED
    + """
if redis.call('hget', KEYS[1], 'season') ~= ARGV[1] then return false end
redis.call('hset', KEYS[1], 'ready', '1')
redis.call('expire', KEYS[1], ARGV[3])
redis.call('expire', KEYS[2], ARGV[4])
redis.call('expire', KEYS[3], ARGV[4])
redis.call('del', KEYS[4])
return redis.call('zcard', KEYS[2])
"""
)
"""Ends a comparison: from now on the board answers. ARGV: season, token, seconds to live of the state, of the rest."""

RELEASE = _LEASED + "return redis.call('del', KEYS[4])"

_READY = """
local state = redis.call('hmget', KEYS[1], 'ready', 'season', 'ascending')
if not state[1] or state[2] ~= ARGV[1] then return false end
"""
_MEMBER = """
local value = redis.call('hget', KEYS[3], ARGV[2])
local there = value and string.match(value, '^%d+:%d*:(.*)$') or ''
"""

RANK = f"{_READY}{_MEMBER}if there == '' then return 0 end\nreturn redis.call('zrank', KEYS[2], there) + 1"

RANK_WITH = f"""{_READY}{_MEMBER}
local old = redis.call('zscore', KEYS[2], ARGV[4])
redis.call('zadd', KEYS[2], ARGV[3], ARGV[4])
local before = redis.call('zrank', KEYS[2], ARGV[4])
if there ~= '' and there ~= ARGV[4] and redis.call('zrank', KEYS[2], there) < before then before = before - 1 end
if old then redis.call('zadd', KEYS[2], old, ARGV[4]) else redis.call('zrem', KEYS[2], ARGV[4]) end
return before + 1
"""
"""Where a member would stand: Redis only tells it of one that is there, so it is put in and taken out again."""

COUNT = f"{_READY}return redis.call('zcard', KEYS[2])"

PAGE = f"{_READY}return {{state[3], ARGV[2], redis.call('zrange', KEYS[2], ARGV[2], ARGV[3], 'withscores')}}"

AROUND = f"""{_READY}{_MEMBER}
if there == '' then return {{state[3], 0, {{}}}} end
local own = redis.call('zrank', KEYS[2], there)
local start = math.max(0, own - ARGV[3])
return {{state[3], start, redis.call('zrange', KEYS[2], start, own + ARGV[4], 'withscores')}}
"""
