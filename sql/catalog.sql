-- Right and tight: what every object of the extension keeps to, read from the catalog. A query whose
-- result is empty lists what breaks its rule.
\i test/fresh.sql
CREATE TEMP VIEW members AS
SELECT d.classid, d.objid, d.classid::regclass::text AS catalog,
       pg_describe_object(d.classid, d.objid, 0) AS object
FROM pg_depend AS d JOIN pg_extension AS e ON e.oid = d.refobjid
WHERE d.refclassid = 'pg_extension'::regclass AND d.deptype = 'e' AND e.extname = 'companion'
    -- in newer servers the types of the tables' rows, and arrays of them, are members themselves
    AND NOT EXISTS (SELECT FROM pg_type AS t WHERE d.classid = 'pg_type'::regclass AND t.oid = d.objid
                    AND (t.typrelid <> 0 OR t.typelem <> 0));
CREATE TEMP VIEW relations AS
SELECT c.*, c.oid::regclass AS relation FROM pg_class AS c
WHERE c.relnamespace = 'companion'::regnamespace;
CREATE TEMP VIEW functions AS
SELECT p.*, p.oid::regprocedure AS signature, l.lanname FROM pg_proc AS p
JOIN pg_language AS l ON l.oid = p.prolang WHERE p.pronamespace = 'companion'::regnamespace;

-- It is made of these, and all of it is in its schema. It adds no operator, no cast, no event trigger.
SELECT DISTINCT catalog FROM members ORDER BY catalog;
SELECT object AS elsewhere FROM members
WHERE catalog <> 'pg_namespace' AND (pg_identify_object(classid, objid, 0)).schema <> 'companion';
SELECT trusted, superuser, relocatable FROM pg_available_extension_versions
WHERE name = 'companion' AND installed;

-- Everything says what it is for.
SELECT object AS uncommented FROM members
WHERE catalog <> 'pg_type' AND obj_description(objid, catalog) IS NULL;
SELECT extname AS uncommented FROM pg_extension
WHERE extname = 'companion' AND obj_description(oid, 'pg_extension') IS NULL;
SELECT rolname AS uncommented FROM pg_roles
WHERE rolname IN ('companion_owner', 'companion_runtime', 'companion_user', 'companion_worker', 'companion_admin', 'companion_monitor')
    AND shobj_description(oid, 'pg_authid') IS NULL;
SELECT c.relation, a.attname AS uncommented
FROM relations AS c JOIN pg_attribute AS a ON a.attrelid = c.oid
WHERE c.relkind IN ('r', 'v') AND a.attnum > 0 AND NOT a.attisdropped
    AND col_description(c.oid, a.attnum) IS NULL;
SELECT c.relation, p.polname AS uncommented
FROM relations AS c JOIN pg_policy AS p ON p.polrelid = c.oid
WHERE obj_description(p.oid, 'pg_policy') IS NULL;
SELECT c.relation, t.tgname AS uncommented
FROM relations AS c JOIN pg_trigger AS t ON t.tgrelid = c.oid
WHERE NOT t.tgisinternal AND obj_description(t.oid, 'pg_trigger') IS NULL;
SELECT c.relation AS uncommented FROM relations AS c
WHERE c.relkind = 'i' AND obj_description(c.oid, 'pg_class') IS NULL
    AND NOT EXISTS (SELECT FROM pg_constraint AS k WHERE k.conindid = c.oid);

-- PUBLIC is granted nothing, and no default privilege will grant it anything.
SELECT signature AS callable_by_public FROM functions
WHERE EXISTS (SELECT FROM aclexplode(coalesce(proacl, acldefault('f', proowner))) AS acl
              WHERE acl.grantee = 0);
SELECT c.relation AS open_to_public FROM relations AS c
WHERE EXISTS (SELECT FROM aclexplode(c.relacl) AS acl WHERE acl.grantee = 0)
    OR EXISTS (SELECT FROM pg_attribute AS a, aclexplode(a.attacl) AS acl
               WHERE a.attrelid = c.oid AND acl.grantee = 0);
SELECT n.nspname AS open_to_public FROM pg_namespace AS n, aclexplode(n.nspacl) AS acl
WHERE n.nspname = 'companion' AND acl.grantee = 0;
SELECT defaclnamespace::regnamespace AS default_privileges FROM pg_default_acl
WHERE defaclnamespace IN (0, 'companion'::regnamespace);

-- All of it is companion_owner's, and nothing runs with its owner's rights.
SELECT object, shobj.refobjid::regrole AS owner FROM members
JOIN pg_shdepend AS shobj ON shobj.classid = members.classid AND shobj.objid = members.objid
    AND shobj.deptype = 'o' AND shobj.dbid = (SELECT oid FROM pg_database WHERE datname = current_database())
WHERE shobj.refobjid <> 'companion_owner'::regrole;
SELECT object AS superusers FROM members
WHERE catalog <> 'pg_type' AND NOT EXISTS (
    SELECT FROM pg_shdepend AS d WHERE d.classid = members.classid AND d.objid = members.objid AND d.deptype = 'o');
SELECT relation AS not_the_owners FROM relations WHERE relowner <> 'companion_owner'::regrole;
SELECT signature AS definer FROM functions WHERE prosecdef;
-- These two have no attribute, no member and no membership, and the one as which all runs owns nothing.
SELECT rolname, rolsuper, rolinherit, rolcreaterole, rolcreatedb, rolcanlogin, rolreplication, rolbypassrls
FROM pg_roles WHERE rolname IN ('companion_owner', 'companion_runtime') ORDER BY rolname;
SELECT roleid::regrole AS role, member::regrole FROM pg_auth_members
WHERE 'companion_owner'::regrole IN (roleid, member) OR 'companion_runtime'::regrole IN (roleid, member);
SELECT pg_describe_object(classid, objid, 0) AS runtimes FROM pg_shdepend
WHERE refobjid = 'companion_runtime'::regrole AND deptype = 'o';

-- Who may call what.
SELECT proname AS function, pronargs AS args,
       has_function_privilege('companion_runtime', oid, 'EXECUTE') AS runtime,
       has_function_privilege('companion_user', oid, 'EXECUTE') AS "user",
       has_function_privilege('companion_worker', oid, 'EXECUTE') AS worker,
       has_function_privilege('companion_admin', oid, 'EXECUTE') AS admin
FROM functions ORDER BY proname COLLATE "C", pronargs;
SELECT proname AS "who watches calls" FROM functions
WHERE has_function_privilege('companion_monitor', oid, 'EXECUTE') ORDER BY proname COLLATE "C";

-- Who may do what with which table, and with which of its columns where not with all.
SELECT c.relname AS relation, acl.grantee::regrole,
       string_agg(acl.privilege_type, ', ' ORDER BY acl.privilege_type) AS may
FROM relations AS c, aclexplode(c.relacl) AS acl WHERE acl.grantee <> c.relowner
GROUP BY c.relname, acl.grantee ORDER BY c.relname COLLATE "C", acl.grantee::regrole::text COLLATE "C";
SELECT c.relname AS relation, acl.grantee::regrole, acl.privilege_type AS may,
       string_agg(a.attname, ', ' ORDER BY a.attnum) AS columns
FROM relations AS c JOIN pg_attribute AS a ON a.attrelid = c.oid, aclexplode(a.attacl) AS acl
GROUP BY c.relname, acl.grantee, acl.privilege_type
ORDER BY c.relname COLLATE "C", acl.grantee::regrole::text COLLATE "C", acl.privilege_type;

-- Every function pins its search_path, but for SQL that was bound to its objects when it was made.
-- C does so while it runs SQL: sql/search_path.sql; what commits cannot, and qualifies every name.
SELECT signature AS unpinned FROM functions
WHERE (prosecdef OR lanname <> 'c' AND prosqlbody IS NULL AND prokind <> 'p')
    AND NOT coalesce('search_path=pg_catalog, pg_temp' = ANY (proconfig), false);
SELECT proname AS bound FROM functions WHERE prosqlbody IS NOT NULL ORDER BY proname COLLATE "C";
SELECT c.relation AS definers_view FROM relations AS c
WHERE c.relkind = 'v' AND NOT coalesce('security_invoker=true' = ANY (c.reloptions), false);

-- For clients: who generates types finds a result's columns, and who generates GraphQL no argument
-- that it needs for its own paging.
SELECT signature AS "columns not by RETURNS TABLE" FROM functions WHERE proargmodes && '{o,b}'::"char"[];
SELECT signature AS "an argument as of GraphQL's paging" FROM functions
WHERE proargnames && '{first,last,before,after,offset,filter,orderBy}';

-- Every table is under row-level security and has policies, none of them for PUBLIC, with a
-- subquery, or lacking what USING and WITH CHECK must both say.
SELECT c.relation AS unprotected FROM relations AS c
WHERE c.relkind = 'r'
    AND NOT (c.relrowsecurity AND EXISTS (SELECT FROM pg_policy AS p WHERE p.polrelid = c.oid));
SELECT p.polrelid::regclass, p.polname AS wrong FROM relations AS c
JOIN pg_policy AS p ON p.polrelid = c.oid
WHERE 0 = ANY (p.polroles)
    OR concat(p.polqual, p.polwithcheck) LIKE '%SUBLINK%'
    OR p.polcmd = '*' AND (p.polqual IS NULL OR p.polwithcheck IS NULL);

-- Every table's rows are kept by pg_dump, or left out by decision.
SELECT c.relation AS undecided FROM relations AS c
WHERE c.relkind = 'r'
    AND c.oid <> ALL ((SELECT extconfig FROM pg_extension WHERE extname = 'companion')::oid[]);

-- Tenant first: user_id leads every key and foreign key. These cannot have it: an account is one
-- user's, a token's hash is one token's, and some tables are not of users.
SELECT c.relation AS "table", k.conname AS without_user
FROM relations AS c JOIN pg_constraint AS k ON k.conrelid = c.oid
JOIN pg_attribute AS a ON a.attrelid = k.conrelid AND a.attnum = k.conkey[1]
WHERE k.contype IN ('p', 'u', 'f') AND a.attname <> 'user_id'
    AND NOT (c.relname = 'users' AND a.attname = 'id')
ORDER BY 1, 2;

-- Every foreign key has an index that its columns lead, and no index is the beginning of another.
SELECT c.relation, k.conname AS uncovered
FROM relations AS c JOIN pg_constraint AS k ON k.conrelid = c.oid
WHERE k.contype = 'f'
    AND NOT EXISTS (SELECT FROM pg_index AS i WHERE i.indrelid = k.conrelid AND i.indisvalid
                    AND (i.indkey::smallint[])[0:cardinality(k.conkey) - 1] @> k.conkey);
SELECT a.indexrelid::regclass AS redundant, b.indexrelid::regclass AS covered_by
FROM relations AS c JOIN pg_index AS a ON a.indrelid = c.oid
JOIN pg_index AS b ON b.indrelid = c.oid AND a.indexrelid <> b.indexrelid
WHERE NOT a.indisunique AND b.indpred IS NULL AND a.indexprs IS NULL AND b.indexprs IS NULL
    AND b.indkey::text || ' ' LIKE a.indkey::text || ' %';
