
-- Sharding: which of many databases a user is in.
CREATE FUNCTION companion.shard_of(user_id uuid, shards integer) RETURNS integer
LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'companion_shard_of';
COMMENT ON FUNCTION companion.shard_of(uuid, integer) IS
'Which of so many shards, 0 to shards - 1, a user belongs to: from the bits of their id alone, the same in every version; docs/scaling.md has it in other languages. Error 22023 for shards outside 1 to 4096.';
