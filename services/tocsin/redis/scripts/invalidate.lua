-- invalidate: what the end of every write does, in one step: a deletion without its message, or a message without its
-- deletion, would leave one of the levels behind for good (hazard 10).
--
-- invalidation: {delete = keys, bump = counters, filed = files, channel}; an empty channel tells nobody.
-- Returns counter -> its new value, as digits.

local function invalidate(invalidation, message)
  for _, key in ipairs(invalidation.delete) do
    redis.call('DEL', prefix .. 'entry:' .. key)
  end
  for _, name in ipairs(invalidation.filed) do
    remove_filed(name)
  end
  local risen = {}
  for _, counter in ipairs(invalidation.bump) do
    risen[counter] = bump(counter)
  end
  if invalidation.channel ~= '' then
    redis.call('PUBLISH', invalidation.channel, message)
  end
  return risen
end
