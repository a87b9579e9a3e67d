-- drained: the database has the operation at position ARGV[1], by which key ARGV[2] became version ARGV[3]. The dirty
-- value is unpinned only if no newer write replaced it; its version stays behind as the floor, for ARGV[4] milliseconds.
-- The entries are invalidated again (ARGV[5] and its message): what was loaded before the drain may be filled after it.

redis.call('XDEL', prefix .. 'journal', ARGV[1])
local dirty = prefix .. 'dirty:' .. ARGV[2]
if redis.call('HGET', dirty, 'version') == ARGV[3] and redis.call('HDEL', dirty, 'entry') == 1 then
  redis.call('PEXPIRE', dirty, ARGV[4])
end
invalidate(cmsgpack.unpack(ARGV[5]), ARGV[6])
return 1
