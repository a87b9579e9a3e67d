-- fill: keep what was loaded under a token.
-- ARGV: prefix, new?, key, token, epoch and base of the token, ttl_ms, stale_ms, grace_ms, names of its tags, body
-- Returns kept?, epoch, sequence.
--
-- The token is compared whole, owner, epoch and base: an owner alone may have held an earlier one that expired. It is
-- evidence only by being there; an invalidation of the key, an eviction or a restart takes it away.

local key, token, base = ARGV[3], ARGV[4], tonumber(ARGV[6])
local names = cmsgpack.unpack(ARGV[10])
local fill = prefix .. 'fill:' .. key

local function permitted()
  if redis.call('GET', fill) ~= token or ARGV[5] ~= epoch or young(tonumber(ARGV[9])) then
    return false
  end
  for _, name in ipairs({'k:' .. key, '*', unpack(names)}) do
    if being_written(name) then
      return false
    end
  end
  return mark_of(names) <= base
end

local kept = permitted()
if redis.call('GET', fill) == token then
  redis.call('DEL', fill)
end
if kept then
  keep(key, base, tonumber(ARGV[7]), tonumber(ARGV[8]), names, ARGV[11])
end
return {'filled', epoch, digits(sequence), kept and 1 or 0}
