-- release: a load failed, and gives its token back, so that the next reader need not wait until it ends by itself.
-- ARGV: prefix, new?, key, token
-- Returns whether it was still there.
--
-- The token is compared whole: the one that is there may be another load's by now, and its fill would be refused.

local fill = prefix .. 'fill:' .. ARGV[3]
if redis.call('GET', fill) ~= ARGV[4] then
  return {'released', 0}
end
redis.call('DEL', fill)
return {'released', 1}
