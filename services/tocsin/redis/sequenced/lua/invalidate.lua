-- invalidate: one sequence. Entries and tokens of keys go, all other names get a mark, the log and the listeners are
-- told the same text. Deletion, number and message are one step: none of them without the others.

local function invalidate(names, kind, log_length)
  sequence = redis.call('INCR', prefix .. 'seq')
  for _, name in ipairs(names) do
    if string.sub(name, 1, 2) == 'k:' then
      local key = string.sub(name, 3)
      redis.call('DEL', prefix .. 'entry:' .. key, prefix .. 'fill:' .. key)
    else
      redis.call('HSET', prefix .. 'tags', name, digits(sequence))
    end
    if string.sub(name, 1, 2) == 'n:' then
      -- The namespace's version, for those who ask for it: a number never used before, and then it counts.
      local version = prefix .. 'version:namespace:' .. string.sub(name, 3)
      if redis.call('EXISTS', version) == 0 then
        redis.call('SET', version, digits(now_ms() * 1000))
      end
      redis.call('INCR', version)
    end
  end
  local text = epoch .. ' ' .. digits(sequence) .. ' ' .. kind .. '\n' .. table.concat(names, '\n')
  redis.call('XADD', prefix .. 'log', 'MAXLEN', '~', log_length, digits(sequence) .. '-0', 'm', text)
  redis.call('PUBLISH', prefix .. 'tocsin', text)
end
