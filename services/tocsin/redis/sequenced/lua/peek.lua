-- peek: the entries of many keys as of one moment, without giving anybody a permission.
-- ARGV: prefix, new?, grace_ms, number of keys; after the state, KEYS are their entries, then their dirty values
-- Returns epoch, sequence, and for each key what is left of it in ms (of a dirty one: its version) and what is there:
-- '' for nothing that may be given, and 0 as what is left. Dirty values are told apart by a list of their numbers.
--
-- One MGET for all; marks are read once for each set of names, however many entries carry it. What costs is the number of
-- calls.

local count = tonumber(ARGV[4])
local at = digits(sequence)
if young(tonumber(ARGV[3])) then
  return {'peeked', epoch, at, {}, {}}
end

local first = #KEYS - 2 * count
local entries = redis.call('MGET', unpack(KEYS, first + 1, first + count))
local marks = {}

local function mark_of_joined(joined)
  local mark = marks[joined]
  if not mark then
    local names = {}
    for name in string.gmatch(joined, '[^\31]+') do
      names[#names + 1] = name
    end
    mark = mark_of(names)
    marks[joined] = mark
  end
  return mark
end

local found = {}
for index = 1, count do
  local entry, left = entries[index], 0
  if entry then
    local of, base, stale_ms, joined = string.match(entry, '^(%x+) (%d+) (%d+) %d+ ([^\n]*)\n')
    if of == epoch and mark_of_joined(joined) <= tonumber(base) then
      left = redis.call('PTTL', KEYS[first + index]) - tonumber(stale_ms)
    end
  end
  if left > 0 then
    found[2 * index - 1], found[2 * index] = left, entry
  else
    found[2 * index - 1], found[2 * index] = 0, ''
  end
end

-- Write-behind values are few, and newer than whatever the database has.
local dirty = {}
if redis.call('EXISTS', unpack(KEYS, first + count + 1, first + 2 * count)) > 0 then
  for index = 1, count do
    local pinned = redis.call('HMGET', KEYS[first + count + index], 'version', 'entry')
    if pinned[2] then
      found[2 * index - 1], found[2 * index] = pinned[1], pinned[2]
      dirty[#dirty + 1] = index
    end
  end
end
return {'peeked', epoch, at, found, dirty}
