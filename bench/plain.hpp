// The limit: three plain statements that write the very rows that ours do, and check nothing.
#pragma once

#include "drain.hpp"

namespace bench {

inline std::string plain_claim(int batch)
{
    return R"(
        WITH due AS MATERIALIZED (
            SELECT ctid AS place FROM companion.dispatch_queue
            WHERE channel = 'telegram' COLLATE "C" AND head_start = 0 AND visible_at <= now()
              AND leased_until <= now() AND NOT sending
            ORDER BY visible_at, message_id LIMIT )" +
           std::to_string(batch) + R"( FOR UPDATE SKIP LOCKED),
        claimed AS (
            UPDATE companion.dispatch_queue AS q
            SET leased_until = now() + interval '5 minutes', attempt = attempt + 1, worker = 'bench'
            FROM due WHERE q.ctid = due.place RETURNING q.user_id, q.message_id, q.attempt)
        SELECT c.*, m.kind, m.local_date, m.scheduled_for, m.channel, m.content, m.generation_context,
               u.telegram_user_id::text, u.display_name, u.companion_name, u.support_style, u.timezone
        FROM claimed AS c
        JOIN companion.scheduled_messages AS m ON m.user_id = c.user_id AND m.id = c.message_id
        JOIN companion.users AS u ON u.id = c.user_id)";
}

// given: a table expression of user_id and message_id
inline std::string plain_start(const std::string &given)
{
    return R"(
        UPDATE companion.dispatch_queue AS q SET sending = true
        FROM )" +
           given + R"( AS g (user_id, message_id)
        WHERE q.user_id = g.user_id AND q.message_id = g.message_id)";
}

// given: a table expression of user_id, message_id and content
inline std::string plain_sent(const std::string &given)
{
    return R"(
        WITH given AS MATERIALIZED (
            SELECT *, companion.uuid_v7() AS conversation_id, companion.uuid_v7() AS filed_as
            FROM )" +
           given + R"( AS g (user_id, message_id, content)),
        taken AS (
            DELETE FROM companion.dispatch_queue AS q USING given AS g
            WHERE q.user_id = g.user_id AND q.message_id = g.message_id),
        recorded AS (
            UPDATE companion.scheduled_messages AS m
            SET status = 'sent', sent_at = now(), finished_at = now(), attempts = 1,
                worker = 'bench', conversation_id = g.conversation_id, message_id = g.filed_as
            FROM given AS g WHERE m.user_id = g.user_id AND m.id = g.message_id),
        begun AS (
            INSERT INTO companion.conversations (user_id, id, channel, initiated_by)
            SELECT user_id, conversation_id, 'telegram', 'companion' FROM given)
        INSERT INTO companion.messages (user_id, id, conversation_id, role, content)
        SELECT user_id, filed_as, conversation_id, 'assistant', content FROM given)";
}

// The planner settings are those of our functions
inline void prepare_plain(pqxx::connection &connection, int batch)
{
    pqxx::nontransaction(connection)
        .exec("SET enable_seqscan = off; SET enable_hashjoin = off; SET enable_mergejoin = off;"
              " SET jit = off");
    connection.prepare("claim", plain_claim(batch));
    connection.prepare("start", plain_start("(VALUES ($1::uuid, $2::uuid))"));
    connection.prepare("sent", plain_sent("(VALUES ($1::uuid, $2::uuid, $3::text))"));
    connection.prepare("start_many", plain_start("unnest($1::uuid[], $2::uuid[])"));
    connection.prepare("sent_many", plain_sent("unnest($1::uuid[], $2::uuid[], $3::text[])"));
}

inline void finish_plain(pqxx::connection &connection, const pqxx::result &claimed)
{
    if (claimed.size() == 1) {
        const auto message = claimed[0];
        run(connection, "start", message[0].c_str(), message[1].c_str());
        run(connection, "sent", message[0].c_str(), message[1].c_str(), text);
        return;
    }
    const std::string users = array_of(claimed, 0);
    const std::string messages = array_of(claimed, 1);
    run(connection, "start_many", users, messages);
    run(connection, "sent_many", users, messages, texts_for(claimed));
}

inline const Side plain{ours.fill, ours.tables, ours.finished, prepare_plain, finish_plain};

} // namespace bench
