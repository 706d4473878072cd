-- The reference as Markdown, from the catalog. Run by script/docs.
SELECT companion.now() \g /dev/null
SET search_path = pg_catalog;

\echo '# Reference'
\echo
\echo 'Written by `script/docs` from the comments in the catalog; `\\dx+ companion` and `\\df+ companion.*` show the same in psql.'
\echo
\echo '## Functions'
\echo

CREATE TEMP VIEW callers AS
SELECT p.oid, string_agg(regexp_replace(a.grantee::regrole::text, '^companion_', ''), ', '
                         ORDER BY array_position('{companion_user,companion_worker,companion_admin}'::text[],
                                                 a.grantee::regrole::text)) AS roles
FROM pg_proc AS p CROSS JOIN LATERAL aclexplode(p.proacl) AS a
WHERE a.grantee <> p.proowner AND a.grantee <> 0
GROUP BY p.oid;

SELECT format(E'### %s\n\n%s\n\n%s\n\nFor: %s.\n', p.proname,
              CASE prokind WHEN 'p' THEN format('`CALL %s(%s)`', p.oid::regproc,
                                                replace(pg_get_function_arguments(p.oid), 'IN ', ''))
                  ELSE format('`%s(%s)` returns `%s`', p.oid::regproc, pg_get_function_arguments(p.oid),
                              pg_get_function_result(p.oid)) END,
              obj_description(p.oid, 'pg_proc'),
              coalesce(c.roles, 'nobody but the owner'))
FROM pg_proc AS p LEFT JOIN callers AS c USING (oid)
WHERE p.pronamespace = 'companion'::regnamespace AND p.prorettype <> 'trigger'::regtype
ORDER BY p.proname COLLATE "C", pg_get_function_identity_arguments(p.oid) COLLATE "C";

\echo '## Settings'
\echo
\echo 'Set by a superuser, for a database with `ALTER DATABASE ... SET`, unless said otherwise.'
\echo
\echo '| setting | default | least | most | what it is |'
\echo '|---|---|---|---|---|'
SELECT format('| `%s` | %s | %s | %s | %s |', name,
              CASE WHEN boot_val = '' THEN 'empty' ELSE current_setting(name) END,
              CASE unit WHEN 's' THEN (min_val || ' s')::interval::text WHEN 'kB' THEN pg_size_pretty(min_val::bigint * 1024) ELSE min_val END,
              CASE unit WHEN 's' THEN (max_val || ' s')::interval::text WHEN 'kB' THEN pg_size_pretty(max_val::bigint * 1024) ELSE max_val END,
              concat_ws(' ', short_desc, extra_desc,
                        CASE context WHEN 'user' THEN 'Anyone may set it.' END))
FROM pg_settings WHERE name LIKE 'companion.%' ORDER BY name COLLATE "C";
\echo

\echo '## Tables, views and types'
\echo
SELECT format(E'### %s\n\n%s\n\n| column | type | default | what it is |\n|---|---|---|---|\n%s\n',
              c.relname, coalesce(obj_description(c.oid, 'pg_class'), obj_description(c.reltype, 'pg_type')), columns.list)
FROM pg_class AS c
CROSS JOIN LATERAL (
    SELECT string_agg(format('| `%s` | %s%s | %s | %s |', a.attname, format_type(a.atttypid, a.atttypmod),
                             CASE WHEN a.attnotnull THEN ', not null' END,
                             coalesce(format('`%s`', pg_get_expr(d.adbin, d.adrelid)), ''),
                             coalesce(col_description(c.oid, a.attnum), '')),
                      E'\n' ORDER BY a.attnum) AS list
    FROM pg_attribute AS a
    LEFT JOIN pg_attrdef AS d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
    WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped) AS columns
WHERE c.relnamespace = 'companion'::regnamespace AND c.relkind IN ('r', 'v', 'c')
ORDER BY array_position('{r,v,c}', c.relkind), c.relname COLLATE "C";
