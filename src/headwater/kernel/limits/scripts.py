"""The algorithm of gcra.py as one step of Redis."""

TAKE = """
local now = tonumber(ARGV[1])
if not now then
  local time = redis.call('TIME')
  now = (time[1] - 1700000000) * 1000000 + time[2]
end
local told = {}
for at, key in ipairs(KEYS) do
  local count, period = tonumber(ARGV[2 * at]), ARGV[2 * at + 1] * 1000000
  local interval = period / count
  local arrival = math.min(math.max(tonumber(redis.call('GET', key) or now), now), now + period)
  local excess = arrival + interval - now - period
  if excess > interval / 1000 then
    told[at] = {0, 0, math.ceil((arrival - now) / 1000000), math.max(1, math.ceil(excess / 1000000))}
    return told
  end
  arrival = arrival + interval
  redis.call('SET', key, string.format('%.17g', arrival), 'PX', math.max(1, math.ceil((arrival - now) / 1000)))
  local remaining = math.floor((period - (arrival - now)) / interval + 0.001)
  told[at] = {1, remaining, math.ceil((arrival - now) / 1000000), 0}
end
return told
"""
"""Counts one request against the limit of each key, up to the first that refuses it.

ARGV: the time in microseconds since a day in 2023, which leaves a double its digits, or nothing for Redis' own; then
count and seconds of each limit. A row for each limit that was asked: allowed, remaining, reset, retry after; in whole
seconds. What is not full any more has no key.
"""
