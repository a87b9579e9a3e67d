-- set: give values to keys, for ARGV[2] milliseconds (0: without end); then for each: key, value, condition, operand.
--
-- Conditions: '' always; 'absent': nothing is there; 'hoped': the token of the absence that the caller once saw is
-- still there; 'same': the value that the caller once saw is still there.
-- Returns for each 1 if it was set, 0 if its condition did not hold.

local done = {}
for index = 3, #ARGV, 4 do
  local key, value, condition, operand = ARGV[index], ARGV[index + 1], ARGV[index + 2], ARGV[index + 3]
  local holds = true
  if condition == 'absent' then
    holds = redis.call('EXISTS', place(key)) == 0
  elseif condition == 'hoped' then
    holds = redis.call('GET', hope(key)) == operand
  elseif condition == 'same' then
    holds = redis.call('GET', place(key)) == operand
  end
  if holds then
    if ARGV[2] == '0' then
      redis.call('SET', place(key), value)
    else
      redis.call('SET', place(key), value, 'PX', ARGV[2])
    end
  end
  done[#done + 1] = holds and 1 or 0
end
return done
