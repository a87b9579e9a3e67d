-- shelf: values that applications set, beside the entries of the cache, which are copies of them.
--
-- A value lies under its shelf's generation, so that clearing a shelf is raising one counter. Beside a value that is
-- not there may lie a hope: the token that a get found instead, which permits one kind of set later (see set.lua).
-- Removing a value removes the hope; clearing a shelf orphans all its hopes with its values.

local shelf = ARGV[1]
local generation = version('values:' .. shelf)

local function place(key)
  return prefix .. 'value:' .. shelf .. ':' .. generation .. ':' .. key
end

local function hope(key)
  return prefix .. 'hope:' .. shelf .. ':' .. generation .. ':' .. key
end
