-- get: the value of the key ARGV[2], or the token of its absence: ARGV[3] if there is none yet, for ARGV[4] ms.
--
-- Returns {value, milliseconds left, -1 for no end} or {nil, 0, token}.

local value = redis.call('GET', place(ARGV[2]))
if value then
  return {value, redis.call('PTTL', place(ARGV[2])), ''}
end
local token = redis.call('GET', hope(ARGV[2]))
if not token then
  token = ARGV[3]
  redis.call('SET', hope(ARGV[2]), token, 'PX', ARGV[4])
end
return {false, 0, token}
