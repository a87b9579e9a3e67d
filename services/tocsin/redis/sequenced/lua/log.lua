-- log: what is left of the log after a sequence.
-- ARGV: prefix, new?, sequence, how many at most
-- Returns epoch, sequence, and the texts.

local texts = {}
for _, each in ipairs(redis.call('XRANGE', prefix .. 'log', '(' .. ARGV[3] .. '-0', '+', 'COUNT', ARGV[4])) do
  texts[#texts + 1] = each[2][2]
end
return {'log', epoch, digits(sequence), texts}
