-- lookup: what may be given for a key, or who may load it.
-- ARGV: prefix, new?, key, owner, token_ms, grace_ms, early_ms
-- Returns what, epoch, sequence, what is left of the entry in ms (of a dirty one: its version), and the entry or ''.
--
-- An entry with at most early_ms left counts as expired for this lookup: a refresh asks so, and gets a token like any load,
-- while others are given the entry. It asks with what was left when it saw the entry. Otherwise:
--   A: given, 5 s left, to be refreshed: lookup, token, loads, fill
--   B: given, 5 s left, to be refreshed ............................ lookup: a new entry, 30 s left; loads it once more
--
-- For what an entry looks like see `keep`. It is kept longer than it is good, by stale_ms.

local key = ARGV[3]
local at = digits(sequence)
if young(tonumber(ARGV[6])) then
  return {'writing', epoch, at, 0, ''}
end

-- A write-behind value is newer than whatever the database has; nothing removes it but its drain.
local dirty = redis.call('HMGET', prefix .. 'dirty:' .. key, 'version', 'entry')
if dirty[2] then
  return {'dirty', epoch, at, dirty[1], dirty[2]}
end

local expired, left_ms = '', 0
local entry = redis.call('GET', prefix .. 'entry:' .. key)
if entry then
  local of, base, stale_ms, joined = string.match(entry, '^(%x+) (%d+) (%d+) %d+ ([^\n]*)\n')
  if of == epoch then
    local names = {}
    for name in string.gmatch(joined, '[^\31]+') do
      names[#names + 1] = name
    end
    if mark_of(names) <= tonumber(base) then
      left_ms = redis.call('PTTL', prefix .. 'entry:' .. key) - tonumber(stale_ms)
      if left_ms > tonumber(ARGV[7]) then
        return {'given', epoch, at, left_ms, entry}
      end
      expired = entry
    end
  end
end

if being_written('k:' .. key) or being_written('*') then
  return {'writing', epoch, at, 0, ''}
end

local fill = prefix .. 'fill:' .. key
local held = redis.call('GET', fill)
-- A token of another epoch came back with a snapshot: whoever held it can't fill any more.
if held and string.match(held, ' (%x+) %d+$') == epoch then
  return {'busy', epoch, at, left_ms, expired}
end
redis.call('SET', fill, ARGV[4] .. ' ' .. epoch .. ' ' .. at, 'PX', ARGV[5])
return {'permitted', epoch, at, left_ms, expired}
