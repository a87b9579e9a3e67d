-- bump: raise the counter ARGV[1] by one; returns its new value, as digits.

return bump(ARGV[1])
