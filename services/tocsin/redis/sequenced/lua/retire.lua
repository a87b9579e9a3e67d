-- retire: take out a holder whose lease is over. Whoever waited for a whole lease knows that it is, if the node has not
-- beaten since; no clock of the server is asked.
-- ARGV: prefix, new?, node, the beats it had

local holder = redis.call('HGET', prefix .. 'nodes', ARGV[3])
if holder and string.match(holder, '^%d+') == ARGV[4] then
  redis.call('HDEL', prefix .. 'nodes', ARGV[3])
  return {'retired', 1}
end
return {'retired', 0}
