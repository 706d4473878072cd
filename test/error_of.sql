-- What a statement ends with: its SQLSTATE, message and hint, or "none". A setting's bounds are
-- shown as before PostgreSQL 17, which added their unit.
CREATE FUNCTION pg_temp.error_of(statement text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    hint text;
BEGIN
    EXECUTE statement;
    RETURN 'none';
EXCEPTION WHEN OTHERS THEN
    GET STACKED DIAGNOSTICS hint = PG_EXCEPTION_HINT;
    RETURN concat_ws(' | ', SQLSTATE, regexp_replace(SQLERRM, '(\d) s( \.\.|\)$)', '\1\2', 'g'), nullif(hint, ''));
END
$$;
