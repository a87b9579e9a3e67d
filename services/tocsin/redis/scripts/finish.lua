-- finish: the end of a write, and what a write-through stores with it.
--
-- ARGV: the invalidation and its message; a list of stores {key, counter, files, version, milliseconds to live, parents
-- of the counter} in msgpack, then the entry of each.
--
-- A store does not replace a newer value. Two writers commit 1 and 2 and end in the other order:
--   A: commit 1 ........................ finish, store 1: refused, as 2 is there
--   B:          commit 2, finish, store 2
-- Where 2 is gone by then (evicted, or deleted by a third) 1 is stored, and is old until it expires: the hole of a
-- write-through that announces nothing (hazard 12).

local function version_of(entry)
  return tonumber(string.match(entry, '^(%d+)\n') or -1)
end

-- Under the versions of its parents and its own counter; under none, it is the key itself.
local function physical_of(store)
  local key, counter, parents = store[1], store[2], store[6]
  if counter == '' then
    return key
  end
  local versions = {}
  for _, parent in ipairs(parents) do
    versions[#versions + 1] = version(parent)
  end
  versions[#versions + 1] = version(counter)
  return key .. '@' .. table.concat(versions, '.')
end

local stores = cmsgpack.unpack(ARGV[3])
local newer = {}
for index, store in ipairs(stores) do
  local there = redis.call('GET', prefix .. 'entry:' .. physical_of(store))
  newer[index] = there and version_of(there) > store[4]
end

invalidate(cmsgpack.unpack(ARGV[1]), ARGV[2])

for index, store in ipairs(stores) do
  local _, counter, filed, _, ttl_ms = unpack(store)
  if not newer[index] then
    keep(physical_of(store), counter, filed, ttl_ms, ARGV[3 + index])
  end
end
return 1
