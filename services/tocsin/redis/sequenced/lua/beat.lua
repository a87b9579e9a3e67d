-- beat: a node enters itself among the holders and reads the position, in one step: a strict writer that is announced
-- later finds it in the list, and one that was announced before is before the position that the lease rests on.
-- ARGV: prefix, new?, node, its beats, epoch and sequence it has applied, canary (or '')
-- Returns epoch, sequence.

-- Also when no connection broke and the text is known: behind a proxy, a restart is not seen otherwise.
if run_id() ~= RUN_ID then
  redis.call('DEL', prefix .. 'epoch')
  return {'lost'}
end
redis.call('HSET', prefix .. 'nodes', ARGV[3], ARGV[4] .. ' ' .. ARGV[5] .. ' ' .. ARGV[6])
if ARGV[7] ~= '' then
  redis.call('PUBLISH', prefix .. 'tocsin', epoch .. ' ' .. ARGV[4] .. ' c\n' .. ARGV[7])
end
return {'beat', epoch, digits(sequence)}
