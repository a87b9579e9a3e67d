-- versions: the value of each counter named in ARGV, as digits.

local values = {}
for index, counter in ipairs(ARGV) do
  values[index] = version(counter)
end
return values
