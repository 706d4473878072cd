
-- Recall: what of memory matters now.
CREATE FUNCTION companion.recall_score(
    category text, importance double precision, confirmations integer, confirmed_at timestamptz,
    last_used_at timestamptz, at timestamptz)
RETURNS double precision
LANGUAGE c STABLE PARALLEL SAFE
AS 'MODULE_PATHNAME', 'companion_recall_score';
COMMENT ON FUNCTION companion.recall_score(text, double precision, integer, timestamptz, timestamptz, timestamptz) IS
'How much an item matters at a time: importance, halved for every half-life of its category (context_categories) since it was last stated, a quarter more for every doubling of confirmations, and half as much again when used just now, fading over weeks. last_used_at NULL: never used; NULL for another: NULL.';

CREATE FUNCTION companion.recall_user_context(
    user_id uuid, max_items integer DEFAULT 20, max_chars integer DEFAULT NULL,
    categories text[] DEFAULT NULL, exclude text[] DEFAULT NULL, embedding double precision[] DEFAULT NULL,
    meaning_weight double precision DEFAULT 3, model text DEFAULT NULL)
RETURNS SETOF companion.context_item
LANGUAGE c STABLE ROWS 20
AS 'MODULE_PATHNAME', 'companion_recall_user_context';
COMMENT ON FUNCTION companion.recall_user_context(uuid, integer, integer, text[], text[], double precision[], double precision, text) IS
'The items that matter most now: pinned ones first, then by recall_score(), then by category and key; no expired and no resolved one. max_items: 1 to 10000. max_chars: the most characters that user_context_prompt() makes of them; an item that does not fit is passed over. categories: only these; exclude: not these. embedding: of what is being talked about; an item''s score is then recall_score() + meaning_weight * the cosine of its embedding and this one, of the same number of dimensions, and of this model unless that is NULL; of several the closest counts, and an item without one counts as 0. meaning_weight: 0 to 100. Error 22023 otherwise, 42501 for another''s.';

CREATE FUNCTION companion.user_context_prompt(
    user_id uuid, max_items integer DEFAULT 20, max_chars integer DEFAULT NULL,
    categories text[] DEFAULT NULL, exclude text[] DEFAULT NULL, embedding double precision[] DEFAULT NULL,
    meaning_weight double precision DEFAULT 3, model text DEFAULT NULL)
RETURNS text
LANGUAGE c STABLE
AS 'MODULE_PATHNAME', 'companion_user_context_prompt';
COMMENT ON FUNCTION companion.user_context_prompt(uuid, integer, integer, text[], text[], double precision[], double precision, text) IS
'What recall_user_context() returns as lines for a prompt, "- category/key: value", each ended by a line feed; line breaks within them become spaces. A category whose in_prompt is false is left out, unless categories names it. Empty where nothing is recalled.';
