-- finish: the end of a write, and what a write-through stores with it.
--
-- ARGV: the invalidation and its message; a list of stores {key, counter, files, version, milliseconds to live} in
-- msgpack, then the entry of each.
--
-- A store does not replace a newer value. Two writers commit 1 and 2 and end in the other order:
--   A: commit 1 ........................ finish, store 1: refused, as 2 is there
--   B:          commit 2, finish, store 2
-- Where 2 is gone by then (evicted, or deleted by a third) 1 is stored, and is old until it expires: the hole of a
-- write-through that announces nothing (hazard 12).

local function version_of(entry)
  return tonumber(string.match(entry, '^(%d+)\n') or -1)
end

local stores = cmsgpack.unpack(ARGV[3])
local newer = {}
for index, store in ipairs(stores) do
  local key, counter = store[1], store[2]
  local physical = key
  if counter ~= '' then
    physical = key .. '@' .. version(counter)
  end
  local there = redis.call('GET', prefix .. 'entry:' .. physical)
  newer[index] = there and version_of(there) > store[4]
end

local risen = invalidate(cmsgpack.unpack(ARGV[1]), ARGV[2])

for index, store in ipairs(stores) do
  local key, counter, filed, _, ttl_ms = unpack(store)
  local entry = ARGV[3 + index]
  if not newer[index] then
    if counter == '' then
      keep(key, '', filed, ttl_ms, entry)
    else
      keep(key .. '@' .. risen[counter], counter, filed, ttl_ms, entry)
    end
  end
end
return 1
