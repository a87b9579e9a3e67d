-- behind: acknowledge a write before the database has it: pin the dirty value, append the operation, invalidate.
--
-- ARGV: the write {key, row_version, expects, expected_version, idempotency_key or '', fingerprint, idempotent_ms} in
-- msgpack; the operation, its names and the dirty entry; the invalidation and its message.
-- Returns {'accepted', version} | {'replayed', version, entry} | {'outdated', version} | {'reused'}.
--
-- The version rises above the dirty one, above the row's as the writer read it, and above the last one drained. The
-- last matters when the value is drained and unpinned between the writer's read of the row and this step:
--   writer: read row 5 ........................................ write: without the floor 6 again, and lost,
--   drain:             row := 6, unpin 6                        as the database refuses a second 6

local write, operation, names, entry = cmsgpack.unpack(ARGV[1]), ARGV[2], ARGV[3], ARGV[4]
local dirty = prefix .. 'dirty:' .. write.key

local first = prefix .. 'idempotent:' .. write.idempotency_key
if write.idempotency_key ~= '' then
  local known = redis.call('HMGET', first, 'fingerprint', 'version', 'entry')
  if known[1] then
    if known[1] ~= write.fingerprint then
      return {'reused'}
    end
    return {'replayed', known[2], known[3]}
  end
end

local current = math.max(tonumber(redis.call('HGET', dirty, 'version') or 0), write.row_version)
if write.expects and write.expected_version ~= current then
  return {'outdated', digits(current)}
end

local version_now = digits(current + 1)
redis.call('HSET', dirty, 'version', version_now, 'entry', entry)
redis.call('PERSIST', dirty)
redis.call('XADD', prefix .. 'journal', '*',
  'key', write.key, 'version', version_now, 'operation', operation, 'names', names)
if write.idempotency_key ~= '' then
  redis.call('HSET', first, 'fingerprint', write.fingerprint, 'version', version_now, 'entry', entry)
  redis.call('PEXPIRE', first, write.idempotent_ms)
end
invalidate(cmsgpack.unpack(ARGV[5]), ARGV[6])
return {'accepted', version_now}
