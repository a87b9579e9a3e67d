-- count: add ARGV[3] to the number under the key ARGV[2], which lives on for as long as it had; one that is missing
-- begins at 0 and lives for ARGV[4] milliseconds (0: without end).
--
-- Numbers are kept as digits, all other values begin with a letter. Returns {number} or {nil, value} for no number.

local there = redis.call('GET', place(ARGV[2]))
if there and not string.match(there, '^-?%d+$') then
  return {false, there}
end
local number = redis.pcall('INCRBY', place(ARGV[2]), ARGV[3])
if type(number) == 'table' and number.err then
  return {false, there or '0'} -- beyond 64 bits
end
if not there and ARGV[4] ~= '0' then
  redis.call('PEXPIRE', place(ARGV[2]), ARGV[4])
end
return {redis.call('GET', place(ARGV[2]))}
