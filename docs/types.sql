-- Print examples/node/companion.d.ts from the catalog; run by script/docs, in a database with the extension.
CREATE TEMP TABLE plain_types (type regtype, taken text, given text);
INSERT INTO plain_types VALUES
    ('uuid', 'string', 'string'), ('text', 'string', 'string'), ('name', 'string', 'string'),
    ('regclass', 'string', 'string'), ('time', 'string', 'string'), ('boolean', 'boolean', 'boolean'),
    ('smallint', 'number', 'number'), ('integer', 'number', 'number'), ('real', 'number', 'number'),
    ('double precision', 'number', 'number'), ('bigint', 'number | string | bigint', 'string'),
    ('timestamptz', 'Date | string', 'Date'), ('date', 'Date | string', 'Date'),
    ('timestamp', 'Date | string', 'Date'), ('interval', 'string', 'Interval'), ('jsonb', 'Json', 'Json'),
    ('void', 'never', '""');
CREATE FUNCTION pg_temp.is_internal(function oid) RETURNS boolean LANGUAGE sql RETURN
    obj_description(function, 'pg_proc') LIKE '%Internal%';

-- The type of a value that is given to a function, or comes back
CREATE FUNCTION pg_temp.type_of(type oid, is_taken boolean) RETURNS text LANGUAGE sql BEGIN ATOMIC
    SELECT CASE WHEN t.typcategory = 'A' THEN format('(%s | null)[]', plain) ELSE plain END
    FROM pg_type AS t CROSS JOIN LATERAL (
        SELECT CASE WHEN is_taken THEN taken ELSE given END FROM plain_types
        WHERE plain_types.type = CASE WHEN t.typcategory = 'A' THEN t.typelem ELSE t.oid END) AS p (plain)
    WHERE t.oid = type_of.type;
END;

-- Fields in their order, as an object's type; what a function takes may be null, for the catalog does not say what must not
CREATE FUNCTION pg_temp.object_of(names text[], types text[]) RETURNS text LANGUAGE sql BEGIN ATOMIC
    SELECT coalesce(E'{\n' || string_agg(format('      %s: %s | null;', name, type), E'\n' ORDER BY n) || E'\n    }', '{}')
    FROM unnest(names, types) WITH ORDINALITY AS field (name, type, n);
END;

CREATE FUNCTION pg_temp.arguments_of(function pg_proc) RETURNS text LANGUAGE sql BEGIN ATOMIC
    SELECT pg_temp.object_of(
        array_agg((function).proargnames[n] || CASE WHEN n > (function).pronargs - (function).pronargdefaults THEN '?' ELSE '' END ORDER BY n),
        array_agg(pg_temp.type_of(type, true) ORDER BY n))
    FROM unnest((function).proargtypes::oid[]) WITH ORDINALITY AS a (type, n);
END;

CREATE FUNCTION pg_temp.type_name(name name) RETURNS text LANGUAGE sql
RETURN replace(initcap(replace(name, '_', ' ')), ' ', '');

-- A row of what it returns: its columns, or one that is named as the function is
CREATE FUNCTION pg_temp.row_of(function pg_proc) RETURNS text LANGUAGE sql BEGIN ATOMIC
    SELECT CASE
        WHEN t.typrelid <> 0 THEN pg_temp.type_name(t.typname)
        WHEN 't' = ANY ((function).proargmodes) THEN
            (SELECT pg_temp.object_of(array_agg(name ORDER BY n), array_agg(pg_temp.type_of(type, false) ORDER BY n))
             FROM unnest((function).proargnames, (function).proallargtypes, (function).proargmodes)
                 WITH ORDINALITY AS a (name, type, mode, n) WHERE mode = 't')
        ELSE pg_temp.object_of(ARRAY[(function).proname], ARRAY[pg_temp.type_of(t.oid, false)]) END
    FROM pg_type AS t WHERE t.oid = (function).prorettype;
END;

CREATE FUNCTION pg_temp.interface_of(relation pg_class) RETURNS text LANGUAGE sql BEGIN ATOMIC
    SELECT format(E'/** %s */\nexport interface %s {\n%s\n}\n',
        coalesce(obj_description((relation).oid, 'pg_class'), obj_description((relation).reltype, 'pg_type')),
        pg_temp.type_name((relation).relname),
        string_agg(format(E'  /** %s */\n  %s: %s%s;', col_description(attrelid, attnum), attname,
            pg_temp.type_of(atttypid, false), CASE WHEN attnotnull THEN '' ELSE ' | null' END), E'\n' ORDER BY attnum))
    FROM pg_attribute WHERE attrelid = (relation).oid AND attnum > 0 AND NOT attisdropped;
END;

-- The first sentence
CREATE FUNCTION pg_temp.summary_of(function oid) RETURNS text LANGUAGE sql
RETURN rtrim(substring(obj_description(function, 'pg_proc') FROM '^.*?[.:](?= |$)'), '.:') || '.';

SELECT $$// Written by script/docs from the catalog: what companion's functions take and return, as node-postgres has it.
// `SELECT * FROM companion.<name>(...)` returns rows of Functions[name]["row"].

/** Whatever JSON has; a date is written as its text. */
export type Json = string | number | boolean | null | Date | Json[] | { [key: string]: Json | undefined };

/** An interval as node-postgres reads it: what is zero is left out. */
export interface Interval {
  years?: number;
  months?: number;
  days?: number;
  hours?: number;
  minutes?: number;
  seconds?: number;
  milliseconds?: number;
}
$$;
SELECT pg_temp.interface_of(c) FROM pg_class AS c JOIN pg_type AS t ON t.typrelid = c.oid
WHERE c.relnamespace = 'companion'::regnamespace AND EXISTS (
    SELECT FROM pg_proc WHERE pronamespace = c.relnamespace AND prorettype = t.oid AND NOT pg_temp.is_internal(pg_proc.oid))
ORDER BY c.relname COLLATE "C";
\echo 'export interface Functions {'
SELECT format(E'  /** %s */\n  %s: {\n    args: %s;\n    row: %s;\n  };', min(summary), proname,
    string_agg(arguments, ' | ' ORDER BY arguments COLLATE "C"), min(row_type))
FROM (SELECT proname, pg_temp.arguments_of(p) AS arguments, pg_temp.row_of(p) AS row_type,
          CASE WHEN pg_temp.summary_of(oid) NOT LIKE 'The same%' THEN pg_temp.summary_of(oid) END AS summary
      FROM pg_proc AS p
      WHERE pronamespace = 'companion'::regnamespace AND prokind = 'f' AND NOT pg_temp.is_internal(oid)
          AND NOT proargtypes::oid[] && '{companion.users,bytea,tsvector,tsquery}'::regtype[]::oid[]
          AND prorettype <> ALL ('{trigger,bytea,tsvector,tsquery}'::regtype[])) AS f
GROUP BY proname ORDER BY proname COLLATE "C";
\echo '}'
