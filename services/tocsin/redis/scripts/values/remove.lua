-- remove: the keys ARGV[2…]; returns for each 1 if there was a value.

local done = {}
for index = 2, #ARGV do
  done[#done + 1] = redis.call('DEL', place(ARGV[index]))
  redis.call('DEL', hope(ARGV[index]))
end
return done
