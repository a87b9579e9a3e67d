-- finish: a write has ended.
-- ARGV: prefix, new?, writer, grace_ms, log_length, names, epoch and sequence of its announcement, puts (msgpack:
-- key, names of its tags, ttl_ms, stale_ms), a body for each put
-- Returns epoch, sequence, and the keys that were kept.

local writer = ARGV[3]
local names = cmsgpack.unpack(ARGV[6])
local announced_epoch, announced = ARGV[7], tonumber(ARGV[8])
local puts = cmsgpack.unpack(ARGV[9])

-- A value may be kept only if no other write can have committed after it (D1). Its own deadline and epoch are compared,
-- because a restored snapshot brings back writers that ended long ago (C5); other ids count even when they expired, for
-- their writers may have committed in time and be late only here (D1c); `last` tells of those that have come and gone,
-- and the marks of those that named a tag of the value and not its key (D1b).
local function last_writer(put)
  local key, tags = 'k:' .. put[1], put[2]
  local own = redis.call('HGET', prefix .. 'writers:' .. key, writer)
  if not own or epoch ~= announced_epoch or young(tonumber(ARGV[4])) then
    return false
  end
  local deadline, of = string.match(own, '^(%d+) (%x+)$')
  if of ~= epoch or now_ms() >= tonumber(deadline) then
    return false
  end
  if tonumber(redis.call('HGET', prefix .. 'writers:' .. key, 'last')) ~= announced or mark_of(tags) > announced then
    return false
  end
  for _, name in ipairs({key, '*', unpack(tags)}) do
    for _, id in ipairs(redis.call('HKEYS', prefix .. 'writers:' .. name)) do
      if id ~= 'last' and id ~= writer then
        return false
      end
    end
  end
  return true
end

local kept = {}
for i, put in ipairs(puts) do
  kept[i] = last_writer(put)
end

invalidate(names, 'i', ARGV[5])
for _, name in ipairs(names) do
  local key = prefix .. 'writers:' .. name
  if redis.call('HDEL', key, writer) + redis.call('EXISTS', key) > 0 then
    redis.call('HSET', key, 'last', digits(sequence))
    if redis.call('HLEN', key) == 1 then
      redis.call('DEL', key)
      redis.call('ZREM', prefix .. 'writing', name)
    end
  end
end

local stored = {}
for i, put in ipairs(puts) do
  if kept[i] then
    keep(put[1], sequence, put[3], put[4], put[2], ARGV[9 + i])
    stored[#stored + 1] = put[1]
  end
end
return {'finished', epoch, digits(sequence), stored}
