-- sweep: forget what crashed writers left behind, once every writer of the name has expired. Then none of them can keep
-- a value any more, so that nobody misses their ids or `last`; while one may, all must stay (D1).
-- ARGV: prefix, new?, names (msgpack)

local swept = 0
for _, name in ipairs(cmsgpack.unpack(ARGV[3])) do
  if not being_written(name) then
    redis.call('DEL', prefix .. 'writers:' .. name)
    redis.call('ZREM', prefix .. 'writing', name)
    swept = swept + 1
  end
end
return {'swept', swept}
