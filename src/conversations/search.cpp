// Searching a user's messages. A search keeps what it has read in companion.search_chunks,
// and reads messages again only where these do not reach.
#include "identity/acting.hpp"
#include "postgres/arguments.hpp"
#include "postgres/entry.hpp"
#include "postgres/settings.hpp"
#include "postgres/statement.hpp"
#include "text/words.hpp"

using namespace companion;

namespace {

constexpr int chunk_size = 64;
// How many bytes of texts may be read anew at each search before they are kept, a chunk or not.
constexpr int64 most_read_anew = 256 * 1024;
constexpr int max_query_length = 1000;

// Of every text 100,000 characters are read: so many always make a document, and a message
// written past the functions may be longer than companion.max_message_length allows.

// The seed of the hash says how texts were prepared: what 0.1.0 kept, with another, is made anew.

// Up to which message a user's ($1) chunks reach, whether they are right, of the wanted
// configuration ($2) and of exactly the messages there are, and how many are newer, of how many
// bytes.
Statement inspect{R"sql(
    SELECT kept.until,
           kept.is_of_config AND (kept.messages, kept.hash) =
               (SELECT count(*), coalesce(bit_xor(uuid_hash_extended(m.id, 1)), 0)
                FROM companion.messages AS m WHERE m.user_id = $1 AND m.id <= kept.until),
           newer.messages, newer.bytes
    FROM (SELECT coalesce((array_agg(c.last_message_id ORDER BY c.last_message_id DESC))[1],
                          '00000000-0000-0000-0000-000000000000') AS until,
                 coalesce(sum(c.message_count), 0) AS messages,
                 coalesce(bit_xor(c.message_ids_hash), 0) AS hash,
                 coalesce(bool_and(c.config = $2), true) AS is_of_config
          FROM companion.search_chunks AS c WHERE c.user_id = $1 OFFSET 0) AS kept
    CROSS JOIN LATERAL (
        SELECT count(*) AS messages, coalesce(sum(octet_length(m.content)), 0) AS bytes
        FROM companion.messages AS m WHERE m.user_id = $1 AND m.id > kept.until) AS newer)sql",
                  UUIDOID, TEXTOID};

// What is kept asks for the user's row, by its foreign key: not while another holds that.
Statement hold_user{R"sql(
    SELECT FROM companion.users AS u WHERE u.id = $1 FOR KEY SHARE SKIP LOCKED)sql",
                    UUIDOID};

Statement forget{"DELETE FROM companion.search_chunks WHERE user_id = $1", UUIDOID};

// Keep the $6 messages after $5, $4 to a chunk.
Statement keep{R"sql(
    INSERT INTO companion.search_chunks
        (user_id, last_message_id, config, message_count, message_ids_hash, message_ids, documents)
    SELECT $1, (array_agg(m.id ORDER BY m.id DESC))[1], $2, count(*),
           bit_xor(uuid_hash_extended(m.id, 1)), array_agg(m.id ORDER BY m.id),
           array_agg(to_tsvector($3, companion.search_text(left(m.content, 100000))) ORDER BY m.id)
    FROM (SELECT n.id, n.content, (row_number() OVER (ORDER BY n.id) - 1) / $4 AS chunk
          FROM companion.messages AS n
          WHERE n.user_id = $1 AND n.id > $5 ORDER BY n.id LIMIT $6) AS m
    GROUP BY m.chunk)sql", UUIDOID, TEXTOID, REGCONFIGOID, INT4OID, UUIDOID, INT8OID};

// The $4 best of the user's ($1) messages for a query ($2); $5 is whether the chunks of the
// configuration ($6) are right. What is newer than these, or was edited, is read anew.
Statement find{R"sql(
    WITH chunks AS NOT MATERIALIZED (
        SELECT c.last_message_id, c.message_ids, c.documents FROM companion.search_chunks AS c
        WHERE $5 AND c.user_id = $1 AND c.config = $6),
    kept AS (
        SELECT coalesce((SELECT c.last_message_id FROM chunks AS c
                         ORDER BY c.last_message_id DESC LIMIT 1),
                        '00000000-0000-0000-0000-000000000000') AS until),
    edited AS (
        SELECT m.id, m.content FROM companion.messages AS m
        WHERE m.user_id = $1 AND m.id <= (SELECT k.until FROM kept AS k)
            AND m.edited_at IS NOT NULL),
    newer AS (
        SELECT m.id, m.content FROM companion.messages AS m
        WHERE m.user_id = $1 AND m.id > (SELECT k.until FROM kept AS k)),
    read AS (
        SELECT m.id, to_tsvector($3, companion.search_text(left(m.content, 100000))) AS document
        FROM (TABLE edited UNION ALL TABLE newer) AS m OFFSET 0),
    best AS (
        SELECT f.id, companion.search_rank(f.document, $2) AS rank
        FROM (SELECT d.id, d.document FROM chunks AS c
              CROSS JOIN LATERAL unnest(c.message_ids, c.documents) AS d (id, document)
              WHERE d.document @@ $2 AND NOT d.id = ANY (ARRAY(SELECT e.id FROM edited AS e))
              UNION ALL
              SELECT r.id, r.document FROM read AS r WHERE r.document @@ $2) AS f
        ORDER BY rank DESC, f.id DESC LIMIT $4)
    SELECT m.id, m.conversation_id, m.role,
           companion.search_excerpt($3, left(m.content, 100000), $2), best.rank,
           CASE WHEN isfinite(m.created_at) THEN m.created_at END
    FROM best JOIN companion.messages AS m ON m.user_id = $1 AND m.id = best.id
    ORDER BY best.rank DESC, best.id DESC)sql",  UUIDOID, TSQUERYOID, REGCONFIGOID,
               INT4OID, BOOLOID, TEXTOID};

struct Search {
    Datum user_id;
    Datum config_name, config;
    Datum query;
    Datum max_results;
};

// What inspect says of a user's chunks.
struct Kept {
    pg_uuid_t until;
    bool is_right;
    int64 newer, newer_bytes;

    bool is_to_grow() const { return newer >= chunk_size || newer_bytes > most_read_anew; }
};

Kept inspect_chunks(const Search &search)
{
    inspect.execute({search.user_id, search.config_name});
    return {*DatumGetUUIDP(result_field(0, 1)), DatumGetBool(result_field(0, 2)),
            DatumGetInt64(result_field(0, 3)), DatumGetInt64(result_field(0, 4))};
}

// A lock of our own, apart from those of SQL's pg_advisory_lock, which are 1 and 2.
constexpr uint16 search_lock = 0x7365;

// Two searches of one user at once must not both keep what they read.
bool try_lock(Datum user_id)
{
    const uint64 key =
        DatumGetUInt64(DirectFunctionCall2(uuid_hash_extended, user_id, Int64GetDatum(0)));
    LOCKTAG tag;
    SET_LOCKTAG_ADVISORY(tag, MyDatabaseId, static_cast<uint32>(key >> 32),
                         static_cast<uint32>(key), search_lock);
    return LockAcquire(&tag, ExclusiveLock, false, true) != LOCKACQUIRE_NOT_AVAIL;
}

// Whether this transaction sees what others have kept meanwhile, and may write, at once.
bool may_keep(Datum user_id)
{
    return !XactReadOnly && !IsolationUsesXactSnapshot() && try_lock(user_id) &&
           hold_user.execute({user_id}) > 0;
}

void catch_up(const Search &search)
{
    Kept kept = inspect_chunks(search);
    if (!kept.is_right) {
        forget.execute({search.user_id});
        kept = inspect_chunks(search);
    }
    const int64 count =
        kept.newer_bytes > most_read_anew ? kept.newer : kept.newer / chunk_size * chunk_size;
    keep.execute({search.user_id, search.config_name, search.config, Int32GetDatum(chunk_size),
                  UUIDPGetDatum(&kept.until), Int64GetDatum(count)});
}

// Whether the chunks are right, after they were brought up to date where that is due.
bool use_chunks(const Search &search)
{
    const Kept kept = inspect_chunks(search);
    if ((kept.is_right && !kept.is_to_grow()) || !may_keep(search.user_id))
        return kept.is_right;
    catch_up(search);
    return true;
}

// Hand what is found to the caller's result set; returns how many messages.
uint64 return_found(const Search &search, ReturnSetInfo *result)
{
    if (DatumGetTSQuery(search.query)->size == 0)
        return 0;
    const Datum is_right = BoolGetDatum(use_chunks(search));
    const uint64 rows = find.execute({search.user_id, search.query, search.config,
                                      search.max_results, is_right, search.config_name});
    put_rows(result, rows);
    return rows;
}

void check_query(std::string_view query)
{
    const int length = character_count(query);
    if (length > max_query_length)
        ereport(ERROR, errcode(ERRCODE_INVALID_PARAMETER_VALUE),
                errmsg("query has %d characters, expected at most %d", length, max_query_length));
}

Datum max_results(const Arguments &arguments)
{
    return Int32GetDatum(arguments.integer(2, "max_results", 1, 1000));
}

// The name of the configuration is looked up, and so what a caller's search_path has is not meant.
Search read_search(const Arguments &arguments)
{
    check_query(arguments.text(1, "query"));
    const Datum config =
        DirectFunctionCall1(regconfigin, CStringGetDatum(settings::text_search_config));
    const Datum query = to_text(query_with_words_apart(arguments.text(1, "query")));
    return {arguments.required(0, "user_id"), CStringGetTextDatum(settings::text_search_config),
            config, DirectFunctionCall2(websearch_to_tsquery_byid, config, query),
            max_results(arguments)};
}

} // namespace

COMPANION_FUNCTION(search_messages)
{
    const Arguments arguments(fcinfo);
    const Datum user_id = arguments.required(0, "user_id");
    InitMaterializedSRF(fcinfo, MAT_SRF_USE_EXPECTED_DESC);
    auto *result = reinterpret_cast<ReturnSetInfo *>(fcinfo->resultinfo);
    act_for(user_id, [&] { return return_found(read_search(arguments), result); });
    return Datum{0};
}
