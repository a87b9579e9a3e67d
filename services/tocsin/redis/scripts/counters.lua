-- counters: numbers that rise, and whose loss can't bring an old one back.
--
-- A counter has no time to live. One that is missing begins at the server's time in microseconds: above every value
-- that it, or one of its name before it, had reached by counting, so that an address built from a lost counter is
-- never asked for again (unless it rose a million times a second, or the server's clock was set back meanwhile).

local prefix = KEYS[1]

local function now_us()
  local time = redis.call('TIME')
  return tonumber(time[1]) * 1000000 + tonumber(time[2])
end

-- Lua writes large numbers as 1.7e+15; names of keys need all digits.
local function digits(number)
  return string.format('%.0f', number)
end

local function version(counter)
  local key = prefix .. 'version:' .. counter
  local value = redis.call('GET', key)
  if not value then
    value = digits(now_us())
    redis.call('SET', key, value)
  end
  return value
end

local function bump(counter)
  version(counter)
  return digits(redis.call('INCR', prefix .. 'version:' .. counter))
end
