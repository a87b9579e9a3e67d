-- state: the beginning of every script. RUN_ID, the line before, is the server's run that this text was made for.
--
--   epoch  "<16 hexadecimal digits> <run id> <time of its beginning in ms>"
--   seq    the last sequence given
--   tags   name -> last invalidating sequence; the field '' holds the same as `epoch`: the sentinel
--
-- Nothing is done unless all of them are there, belong together and belong to this run of the server: entries may be
-- evicted, but a mark that is missing would let an old value in. The caller then begins a new epoch and tries again.
--
-- A server that restarted knows no script. Whoever finds that out compares run ids before it loads a text for the run it
-- found; if the server restarts again between the two, the text is for the wrong run. ARGV[2] is '1' when a text may be
-- new to the server; it then looks for itself, and if it is wrong, makes sure that nobody else uses it either.

local prefix = ARGV[1]

local function run_id()
  return string.match(redis.call('INFO', 'server'), 'run_id:(%x+)')
end

local function digits(number)
  return string.format('%.0f', number)
end

local function now_ms()
  local time = redis.call('TIME')
  return tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)
end

if ARGV[2] == '1' and run_id() ~= RUN_ID then
  redis.call('DEL', prefix .. 'epoch')
  return {'lost'}
end

local state = redis.call('GET', prefix .. 'epoch')
local last = redis.call('GET', prefix .. 'seq')
if not state or not last or state ~= redis.call('HGET', prefix .. 'tags', '') or string.sub(state, 18, 57) ~= RUN_ID then
  return {'lost'}
end
local epoch = string.sub(state, 1, 16)
local sequence = tonumber(last)

-- Whether the epoch began within the last `grace_ms`: writers that were under way may have been forgotten with it.
local function young(grace_ms)
  return grace_ms > 0 and now_ms() < tonumber(string.sub(state, 59)) + grace_ms
end

-- The least mark that a value with these names must have been known good at.
local function mark_of(names)
  local highest = 0
  for _, mark in ipairs(redis.call('HMGET', prefix .. 'tags', '*', unpack(names))) do
    highest = math.max(highest, tonumber(mark or 0))
  end
  return highest
end

-- Whether a writer of `name` has not ended and is within its deadline, of whatever epoch it is: one that came back with
-- a snapshot may still commit.
local function being_written(name)
  local fields = redis.call('HGETALL', prefix .. 'writers:' .. name)
  for i = 1, #fields, 2 do
    if fields[i] ~= 'last' and now_ms() < tonumber(string.match(fields[i + 1], '^%d+')) then
      return true
    end
  end
  return false
end

-- Keep an entry that is good for `ttl_ms`, and `stale_ms` longer as an expired one:
--   "<epoch> <base> <stale_ms> <when its ttl ends, on this server's clock> <names of its tags>\n<body>"
-- The end is for those who read it without a script, together with TIME; a script asks what is left of the whole life.
local function keep(key, base, ttl_ms, stale_ms, names, body)
  local head = table.concat({epoch, digits(base), digits(stale_ms), digits(now_ms() + ttl_ms)}, ' ')
  local entry = head .. ' ' .. table.concat(names, '\31') .. '\n' .. body
  redis.call('SET', prefix .. 'entry:' .. key, entry, 'PX', digits(ttl_ms + stale_ms))
end
