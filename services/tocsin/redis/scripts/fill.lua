-- fill: keep what was loaded, whatever happened since the lookup. An invalidation that ran meanwhile found nothing to
-- delete, and is overtaken here: the hole of every cache without fill tokens (hazard 1). Under a versioned address it
-- is none, as nobody asks for the old address any more.
--
-- ARGV: physical key, counter, milliseconds to live, entry, then the names of its files.

local filed = {}
for index = 5, #ARGV do
  filed[#filed + 1] = ARGV[index]
end
keep(ARGV[1], ARGV[2], filed, tonumber(ARGV[3]), ARGV[4])
return 1
