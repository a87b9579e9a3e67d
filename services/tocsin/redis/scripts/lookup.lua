-- lookup: the entry at the physical key ARGV[1], and what is left to it; with it the dirty value of the key ARGV[2],
-- if that is not empty, as write-behind must not be hidden by an older entry.
--
-- Returns {entry or nil, milliseconds left, dirty version or nil, dirty entry or nil}; without effect.

local prefix = KEYS[1]
local entry = prefix .. 'entry:' .. ARGV[1]
local dirty = {false, false}
if ARGV[2] ~= '' then
  dirty = redis.call('HMGET', prefix .. 'dirty:' .. ARGV[2], 'version', 'entry')
end
return {redis.call('GET', entry), redis.call('PTTL', entry), dirty[1], dirty[2]}
