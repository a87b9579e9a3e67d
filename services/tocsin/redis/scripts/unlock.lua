-- unlock: release the lock ARGV[1] if its owner is ARGV[2]; returns whether it was.

local lock = KEYS[1] .. 'lock:' .. ARGV[1]
if redis.call('GET', lock) ~= ARGV[2] then
  return 0
end
return redis.call('DEL', lock)
