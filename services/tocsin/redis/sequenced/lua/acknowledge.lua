-- acknowledge: a node says how far it has applied, without reading and so without renewing anything.
-- ARGV: prefix, new?, node, its beats, epoch and sequence it has applied

redis.call('HSET', prefix .. 'nodes', ARGV[3], ARGV[4] .. ' ' .. ARGV[5] .. ' ' .. ARGV[6])
return {'acknowledged'}
