-- clear: orphan all values and hopes of the shelf ARGV[1]; returns the generation that holds from now on.

return bump('values:' .. ARGV[1])
