SELECT :'x'::text, E'a\'b'
'c', U&'d' -- e
/* /* f */ :'no' */, $g$ :'x' $g$, "h""i" FROM t WHERE d >= :'period_start' AND d < :'period_end';
