// Scheduling one message by hand, and foretelling the next check-in.
#include "identity/acting.hpp"
#include "postgres/arguments.hpp"
#include "postgres/entry.hpp"
#include "postgres/settings.hpp"
#include "postgres/statement.hpp"
#include "scheduling/channels.hpp"
#include "scheduling/checkin_rules.hpp"
#include "users/user_row.hpp"

using namespace companion;

namespace {

// A message given no key is its own occasion: its id is the key.
Statement enqueue{
    "WITH enqueued AS ("
    " INSERT INTO companion.scheduled_messages"
    "  (user_id, id, kind, idempotency_key, local_date, timezone, scheduled_for, channel,"
    "   content, generation_context)"
    " SELECT u.id, m.id, $4,"
    "        coalesce($6, CASE WHEN $4 = 'checkin' THEN 'checkin:'"
    "                          || to_char(m.local_time, 'YYYY-MM-DD')"
    "                          ELSE m.id::text END),"
    "        m.local_time::date, u.timezone, $2, coalesce($5, companion.usable_channel(u)), $3, $7"
    " FROM companion.users AS u"
    " CROSS JOIN LATERAL (SELECT companion.uuid_v7() AS id,"
    "                            $2 AT TIME ZONE u.timezone AS local_time OFFSET 0) AS m"
    " WHERE u.id = $1"
    " ON CONFLICT (user_id, idempotency_key) DO NOTHING"
    " RETURNING user_id, id, idempotency_key, scheduled_for, send_before, channel),"
    "queued AS ("
    " INSERT INTO companion.dispatch_queue (visible_at, send_before, user_id, message_id, channel)"
    " SELECT scheduled_for, send_before, user_id, id, channel FROM enqueued)"
    "SELECT id FROM enqueued",
    UUIDOID, TIMESTAMPTZOID, TEXTOID, TEXTOID, TEXTOID, TEXTOID, JSONBOID};

Statement find_standing{
    "SELECT m.id FROM companion.users AS u"
    " LEFT JOIN companion.scheduled_messages AS m ON m.user_id = u.id AND m.idempotency_key ="
    "  coalesce($3, 'checkin:' || to_char($2 AT TIME ZONE u.timezone, 'YYYY-MM-DD'))"
    " WHERE u.id = $1",
    UUIDOID, TIMESTAMPTZOID, TEXTOID};

// $1 user, $2 after, $3 min_gap. Fifteen days hold every weekday twice, so that a
// weekly check-in is found even where a zone leaves a date out.
Statement find_next_checkin{
    "SELECT due.scheduled_for"
    " FROM (SELECT u.id AS user_id, u.timezone, d.local_date,"
    "              companion.checkin_instant(u.timezone, d.local_date, u.checkin_time)"
    "                  AS scheduled_for,"
    "              'checkin:' || to_char(d.local_date, 'YYYY-MM-DD') AS key,"
    "              'checkin:' || to_char(d.local_date - 2, 'YYYY-MM-DD') AS key_from,"
    "              'checkin:' || to_char(d.local_date + 3, 'YYYY-MM-DD') AS key_until,"
    "              greatest(u.onboarding_completed_at, u.checkin_paused_until) AS wanted_from"
    "       FROM companion.users AS u"
    "       CROSS JOIN LATERAL (SELECT (nullif(greatest($2, u.onboarding_completed_at,"
    "                                                   u.checkin_paused_until), 'infinity')"
    "                                   AT TIME ZONE u.timezone)::date + n - 1 AS local_date"
    "                           FROM generate_series(0, 15) AS n) AS d"
    "       WHERE u.id = $1 AND u.onboarding_completed_at IS NOT NULL"
    "         AND extract(isodow FROM d.local_date) = ANY (u.checkin_days)"
    "       OFFSET 0) AS due"
    " CROSS JOIN LATERAL " CHECKINS_NEARBY " AS nearby"
    " WHERE due.scheduled_for > $2 AND due.scheduled_for >= due.wanted_from"
    "   AND NOT nearby.day_is_taken AND NOT nearby.is_too_close"
    " ORDER BY due.scheduled_for LIMIT 1",
    UUIDOID, TIMESTAMPTZOID, INTERVALOID};

// Refuse a kind that is not a short lower-case word. Error 22023.
void check_kind(std::string_view kind)
{
    if (!is_short_word(kind))
        ereport(ERROR, errcode(ERRCODE_INVALID_PARAMETER_VALUE), errmsg("invalid kind of message"),
                errhint("A kind is 1 to 63 lower-case letters, digits and _, a letter first."));
}

// Refuse a key that is too long, and any for a check-in: its key is its local day, and is
// no other message's. Error 22023.
void check_key(std::string_view key, std::string_view kind)
{
    check_length("idempotency key", key, 200);
    if (kind == "checkin" || key.starts_with("checkin:"))
        ereport(ERROR, errcode(ERRCODE_INVALID_PARAMETER_VALUE),
                errmsg("idempotency key does not fit the kind of message"),
                errhint("Kind checkin takes the key of its local day, which begins with"
                        " \"checkin:\"; other kinds take any other."));
}

// Refuse an empty text; a null one is for the worker to write. Error 22023.
void check_content(const Arguments &arguments)
{
    if (!arguments.is_null(2) && arguments.text(2, "content").empty())
        ereport(ERROR, errcode(ERRCODE_INVALID_PARAMETER_VALUE),
                errmsg("content must not be empty"),
                errhint("Use NULL where the worker writes it."));
}

// Find the message that stands under the key; false when it has gone meanwhile. Error
// 23503 for an unknown user.
bool find(Datum user_id, Datum scheduled_for, const Arguments &arguments, pg_uuid_t *id)
{
    const char nulls[] = {' ', ' ', arguments.null_flag(5)};
    if (find_standing.execute({user_id, scheduled_for, arguments.optional(5)}, nulls) == 0)
        refuse_unknown_user(user_id);
    bool is_gone;
    Datum found = result_field(0, 1, &is_gone);
    if (!is_gone)
        *id = *DatumGetUUIDP(found);
    return !is_gone;
}

// Enqueue the message; returns its id and whether it is new.
pg_uuid_t schedule(const Arguments &arguments, bool *created)
{
    Datum user_id = arguments.required(0, "user_id");
    Datum scheduled_for = TimestampTzGetDatum(arguments.timestamp(1, "scheduled_for"));
    const char nulls[] = {' ',
                          ' ',
                          arguments.null_flag(2),
                          ' ',
                          arguments.null_flag(4),
                          arguments.null_flag(5),
                          arguments.null_flag(6)};
    for (pg_uuid_t id;;) {
        *created = enqueue.execute({user_id, scheduled_for, arguments.optional(2),
                                    arguments.required(3, "kind"), arguments.optional(4),
                                    arguments.optional(5), arguments.optional(6)},
                                   nulls) > 0;
        if (*created) {
            if (DatumGetTimestampTz(scheduled_for) <= now())
                Async_Notify("companion", "");
            return *DatumGetUUIDP(result_field(0, 1));
        }
        if (find(user_id, scheduled_for, arguments, &id))
            return id;
    }
}

} // namespace

COMPANION_FUNCTION(schedule_message)
{
    Arguments arguments(fcinfo);
    check_content(arguments);
    check_kind(arguments.text(3, "kind"));
    if (!arguments.is_null(4))
        channel_bit(arguments.text(4, "channel"));
    if (!arguments.is_null(5))
        check_key(arguments.text(5, "idempotency_key"), arguments.text(3, "kind"));

    bool created;
    pg_uuid_t id = with_spi([&] { return schedule(arguments, &created); });
    TupleDesc descriptor;
    get_call_result_type(fcinfo, nullptr, &descriptor);
    Datum values[] = {UUIDPGetDatum(&id), BoolGetDatum(created)};
    bool nulls[] = {false, false};
    return HeapTupleGetDatum(heap_form_tuple(descriptor, values, nulls));
}

COMPANION_FUNCTION(next_checkin)
{
    Arguments arguments(fcinfo);
    Datum user_id = arguments.required(0, "user_id");
    TimestampTz after = arguments.timestamp(1, "after");
    if (!may_act_for(user_id))
        PG_RETURN_NULL();
    TimestampTz next = with_spi([&] {
        Datum gap = PointerGetDatum(seconds_interval(settings::min_gap));
        bool found = find_next_checkin.execute({user_id, TimestampTzGetDatum(after), gap}) > 0;
        return found ? DatumGetTimestampTz(result_field(0, 1)) : DT_NOEND;
    });
    if (next == DT_NOEND)
        PG_RETURN_NULL();
    PG_RETURN_TIMESTAMPTZ(next);
}
