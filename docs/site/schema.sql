-- The tables as a graph for dot, from the catalog: each with its primary key, or all columns where it has none.
\pset format unaligned
\pset tuples_only on
\echo 'digraph schema { graph [rankdir = RL, fontname = "sans-serif", nodesep = 0.2, ranksep = 1.2, bgcolor = transparent]'
\echo 'node [shape = plain, fontname = "sans-serif", fontsize = 11] edge [color = "#666666"]'
SELECT format('"%s" [label = <<table border="0" cellborder="1" cellspacing="0" cellpadding="4"><tr><td bgcolor="#009485"><font color="white"><b>%s</b></font></td></tr>%s%s</table>>]',
              c.relname, c.relname,
              string_agg(format('<tr><td align="left">%s</td></tr>', a.attname), ''
                         ORDER BY array_position(i.indkey::int2[], a.attnum), a.attnum),
              CASE WHEN c.relnatts > count(*)
                   THEN format('<tr><td align="left"><font color="#888888">%s more</font></td></tr>', c.relnatts - count(*)) END)
FROM pg_class AS c
JOIN pg_attribute AS a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
LEFT JOIN pg_index AS i ON i.indrelid = c.oid AND i.indisprimary
WHERE c.relnamespace = 'companion'::regnamespace AND c.relkind = 'r'
    AND (i.indexrelid IS NULL OR a.attnum = ANY (i.indkey::int2[]))
GROUP BY c.oid, c.relname, c.relnatts ORDER BY c.relname;
SELECT DISTINCT format('"%s" -> "%s"', own.relname, other.relname)
FROM pg_constraint AS c
JOIN pg_class AS own ON own.oid = c.conrelid JOIN pg_class AS other ON other.oid = c.confrelid
WHERE c.connamespace = 'companion'::regnamespace AND c.contype = 'f' ORDER BY 1;
\echo '}'
