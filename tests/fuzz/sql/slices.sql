SELECT a[1: 2], b := 3, c::int FROM f(x => 1) WHERE :'x' = E'\\' ; -- end
