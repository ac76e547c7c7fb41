"""The algorithm of gcra.py as one step of Redis."""

TAKE = """
local now = tonumber(ARGV[1])
if not now then
  local time = redis.call('TIME')
  now = (time[1] - 1700000000) * 1000000 + time[2]
end
local wanted, arrivals = tonumber(ARGV[2]), {}
for at, key in ipairs(KEYS) do
  local count, period = tonumber(ARGV[2 * at + 1]), ARGV[2 * at + 2] * 1000000
  local interval = period / count
  arrivals[at] = math.min(math.max(tonumber(redis.call('GET', key) or now), now), now + period)
  wanted = math.min(wanted, math.floor((now + period - arrivals[at]) / interval + 0.001))
end
local taken = math.max(wanted, 1)
local told = {taken}
for at, key in ipairs(KEYS) do
  local count, period = tonumber(ARGV[2 * at + 1]), ARGV[2 * at + 2] * 1000000
  local interval, arrival = period / count, arrivals[at]
  local excess = arrival + taken * interval - now - period
  if excess > interval / 1000 then
    told[at + 1] = {0, 0, math.ceil((arrival - now) / 1000000), math.max(1, math.ceil(excess / 1000000))}
    return told
  end
  arrival = arrival + taken * interval
  redis.call('SET', key, string.format('%.17g', arrival), 'PX', math.max(1, math.ceil((arrival - now) / 1000)))
  local remaining = math.floor((period - (arrival - now)) / interval + 0.001)
  told[at + 1] = {1, remaining, math.ceil((arrival - now) / 1000000), 0}
end
return told
"""
"""Counts requests against the limit of each key: as many of those wanted as all of them let in, or else one.

ARGV: the time in microseconds since a day in 2023, which leaves a double its digits, or nothing for Redis' own; how
many are wanted; then count and seconds of each limit. Answers how many were counted, then a row for each limit that was
asked, up to the first that refuses: allowed, remaining, reset, retry after; in whole seconds. What is not full any more
has no key.
"""
