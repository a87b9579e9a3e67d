-- position: where the log is, and who holds a lease.
-- Returns epoch, sequence, and the holders as name, value, name, value, …

return {'position', epoch, digits(sequence), redis.call('HGETALL', prefix .. 'nodes')}
