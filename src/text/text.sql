
-- Texts as they are compared. None of this depends on a collation or on a library that may be updated.
CREATE FUNCTION companion.normalized(value text) RETURNS text
LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'companion_normalized';
COMMENT ON FUNCTION companion.normalized(text) IS
'A text without the white space around it, in Unicode''s normal form C; in a server that is not UTF8 as it is but for the white space.';

CREATE FUNCTION companion.folded(value text) RETURNS text
LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'companion_folded';
COMMENT ON FUNCTION companion.folded(text) IS
'A text without the white space around it, in Unicode''s normal form C and without case, by Unicode''s simple case folding; in a server that is not UTF8 ASCII alone loses its case. What user_context.folded_key holds of key.';

CREATE FUNCTION companion.is_same_text(a text, b text) RETURNS boolean
LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'companion_is_same_text';
COMMENT ON FUNCTION companion.is_same_text(text, text) IS
'Whether two texts are the same but for white space around them and Unicode''s normal form: case counts. How values of context items are compared.';

CREATE FUNCTION companion.search_text(content text) RETURNS text
LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'companion_search_text';
COMMENT ON FUNCTION companion.search_text(text) IS
'A text as it is searched: in Unicode''s normal form C, without case, each character apart of scripts that put no spaces between words. Internal.';
