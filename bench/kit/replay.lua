-- wrk: replay the requests of a file, in order, over and over; then print the tallies as one line of JSON.
-- A line of the file is METHOD, path, bearer token and body, separated by tabs.
-- The requests are formatted before the clock starts, so that the load generator costs as little as it can.

local requests = {}
local turn = 0

function init(arguments)
  for line in io.lines(arguments[1]) do
    local method, path, token, body = line:match("^([^\t]*)\t([^\t]*)\t([^\t]*)\t(.*)$")
    local headers = token ~= "" and { ["Authorization"] = "Bearer " .. token } or {}
    if body ~= "" then
      headers["Content-Type"] = "application/json"
      headers["Prefer"] = "return=representation"
    end
    requests[#requests + 1] = wrk.format(method, path, headers, body ~= "" and body or nil)
  end
end

function request()
  turn = turn % #requests + 1
  return requests[turn]
end

function done(summary, latency)
  local failed = summary.errors
  print(string.format(
    '{"answered": %d, "microseconds": %d, "refused": %d, "broken": %d, "median_us": %d, "p99_us": %d}',
    summary.requests, summary.duration, failed.status, failed.connect + failed.read + failed.write + failed.timeout,
    latency:percentile(50), latency:percentile(99)
  ))
end
