-- announce: a write of `names` is about to commit.
-- ARGV: prefix, new?, writer, writer_ms, log_length, kind, names (msgpack)
-- Returns epoch, sequence, young?, and the holders as name, value, name, value, …

local writer, writer_ms, kind = ARGV[3], tonumber(ARGV[4]), ARGV[6]
local names = cmsgpack.unpack(ARGV[7])
local now = now_ms()

invalidate(names, kind, ARGV[5])
for _, name in ipairs(names) do
  local key = prefix .. 'writers:' .. name
  -- Only here are the ids of writers forgotten that never ended. A write-through that was announced before must find
  -- them (D1): whoever commits late leaves its id behind, and `last` moves on with the announcement that removes it.
  local fields = redis.call('HGETALL', key)
  for i = 1, #fields, 2 do
    if fields[i] ~= 'last' and tonumber(string.match(fields[i + 1], '^%d+')) <= now then
      redis.call('HDEL', key, fields[i])
    end
  end
  local deadline = digits(now + writer_ms)
  redis.call('HSET', key, writer, deadline .. ' ' .. epoch, 'last', digits(sequence))
  redis.call('ZADD', prefix .. 'writing', 'GT', deadline, name)
end
return {'announced', epoch, digits(sequence), young(writer_ms) and 1 or 0, redis.call('HGETALL', prefix .. 'nodes')}
