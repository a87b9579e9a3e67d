-- entries: keeping and removing them. Every tag has a file, a sorted set of the entries that carry it by the time at
-- which they expire, so that a file never holds more than what is alive. A member is the entry's physical key and the
-- counter that orphans it, which is empty where only deletion does.

local function keep(physical, counter, filed, ttl_ms, entry)
  redis.call('SET', prefix .. 'entry:' .. physical, entry, 'PX', ttl_ms)
  local now_ms = math.floor(now_us() / 1000)
  for _, name in ipairs(filed) do
    local file = prefix .. 'file:' .. name
    redis.call('ZREMRANGEBYSCORE', file, '-inf', digits(now_ms))
    redis.call('ZADD', file, digits(now_ms + ttl_ms), physical .. '\n' .. counter)
    if redis.call('PTTL', file) < ttl_ms then
      redis.call('PEXPIRE', file, ttl_ms)
    end
  end
end

local function remove_filed(name)
  local file = prefix .. 'file:' .. name
  for _, member in ipairs(redis.call('ZRANGE', file, 0, -1)) do
    local physical, counter = string.match(member, '^(.*)\n(.*)$')
    redis.call('DEL', prefix .. 'entry:' .. physical)
    if counter ~= '' then
      bump(counter)
    end
  end
  redis.call('DEL', file)
end
