-- peek: the entries at the physical keys in ARGV[2], a list in msgpack, and what is left to each; with them, if ARGV[1]
-- is not empty, the dirty values of the keys in it, in the same order, as write-behind must not be hidden by an older
-- entry. Without effect.
--
-- Returns {entry or nil, milliseconds left, dirty version or nil, dirty entry or nil} for each, one after the other.

local prefix = KEYS[1]
local physical = cmsgpack.unpack(ARGV[2])
local keys = ARGV[1] ~= '' and cmsgpack.unpack(ARGV[1])
local names = {}
for index, each in ipairs(physical) do
  names[index] = prefix .. 'entry:' .. each
end
local entries = redis.call('MGET', unpack(names))
local found = {}
for index, entry in ipairs(entries) do
  local dirty = keys and redis.call('HMGET', prefix .. 'dirty:' .. keys[index], 'version', 'entry') or {false, false}
  found[#found + 1] = entry
  found[#found + 1] = entry and redis.call('PTTL', names[index]) or 0
  found[#found + 1] = dirty[1]
  found[#found + 1] = dirty[2]
end
return found
