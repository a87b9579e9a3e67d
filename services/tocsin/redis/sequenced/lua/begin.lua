-- begin: the epoch of this run of the server, begun now if there is none, or none later than one that is given up.
-- It is run by EVAL, and compares and sets in one step, so that of all who come at once one begins and the others find.
-- ARGV: prefix, epoch to be later than (or sixteen zeros), eight hexadecimal digits of chance
-- Returns epoch, sequence, run id.
--
-- An epoch is a counter and chance. The counter never falls: it is above the one that is left, above the one that the
-- caller knows, and where both are lost it begins at the server's time. Time here only orders; nothing is proved by it.

local prefix, after = ARGV[1], ARGV[2]
local run = string.match(redis.call('INFO', 'server'), 'run_id:(%x+)')
local state = redis.call('GET', prefix .. 'epoch')
local last = redis.call('GET', prefix .. 'seq')

local function counter(text)
  return tonumber(string.sub(text, 1, 8), 16)
end

local whole = state and last and state == redis.call('HGET', prefix .. 'tags', '')
if whole and string.sub(state, 18, 57) == run and string.sub(state, 1, 16) ~= after and counter(state) >= counter(after) then
  return {string.sub(state, 1, 16), last, run}
end

local time = redis.call('TIME')
local number = math.max(state and counter(state) + 1 or 0, counter(after) + 1, tonumber(time[1]))
local epoch = string.format('%08x', number) .. ARGV[3]
local began_ms = tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)
state = epoch .. ' ' .. run .. ' ' .. string.format('%.0f', began_ms)
last = last or '0'

-- Entries and tokens of the old epoch are void by comparison. Writers stay: they may still commit. Holders stay: they
-- may still serve the old epoch until their leases are over.
redis.call('DEL', prefix .. 'log', prefix .. 'tags')
redis.call('SET', prefix .. 'epoch', state)
redis.call('SET', prefix .. 'seq', last)
redis.call('HSET', prefix .. 'tags', '', state)
return {epoch, last, run}
