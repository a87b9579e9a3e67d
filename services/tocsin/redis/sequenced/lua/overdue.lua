-- overdue: names that writers announced and never finished.
-- ARGV: prefix, new?, how many at most

return {'overdue', redis.call('ZRANGEBYSCORE', prefix .. 'writing', '-inf', now_ms(), 'LIMIT', 0, ARGV[3])}
