// How fast workers drain the queue, against a lean one without tenants, guard or audit.
//
// Both clients receive every column of what they claim and hand back what they finish. Ours claims,
// starts and marks sent; the peer reads and archives, by an INSERT and a DELETE; each of these is a
// transaction of its own. Beside it a peer that archives in one statement, with one commit fewer;
// and the limit: three plain statements that write the very rows that ours do, and check nothing.
#include "drain.hpp"

#include <exception>
#include <numeric>

using namespace bench;

namespace {

void prepare_peer(pqxx::connection &connection, int batch)
{
    connection.prepare(
        "claim", "WITH due AS (SELECT id FROM lean_queue WHERE visible_at <= now()"
                 " ORDER BY visible_at LIMIT " +
                     std::to_string(batch) +
                     " FOR UPDATE SKIP LOCKED)"
                     "UPDATE lean_queue AS q SET visible_at = now() + interval '5 minutes',"
                     " read_count = read_count + 1 FROM due WHERE q.id = due.id RETURNING q.*");
    connection.prepare(
        "insert",
        "INSERT INTO lean_archive (id, enqueued_at, read_count, payload)"
        " SELECT id, enqueued_at, read_count, payload FROM lean_queue WHERE id = ANY ($1)");
    connection.prepare("delete", "DELETE FROM lean_queue WHERE id = ANY ($1)");
    connection.prepare("archive",
                       "WITH done AS (DELETE FROM lean_queue WHERE id = ANY ($1) RETURNING *)"
                       "INSERT INTO lean_archive (id, enqueued_at, read_count, payload)"
                       " SELECT id, enqueued_at, read_count, payload FROM done");
}

void finish_peer(pqxx::connection &connection, const pqxx::result &claimed)
{
    const std::string ids = array_of(claimed, 0);
    run(connection, "insert", ids);
    run(connection, "delete", ids);
}

void finish_peer_at_once(pqxx::connection &connection, const pqxx::result &claimed)
{
    run(connection, "archive", array_of(claimed, 0));
}

std::string plain_claim(int batch)
{
    return R"(
        WITH due AS MATERIALIZED (
            SELECT ctid AS place FROM companion.dispatch_queue
            WHERE visible_at <= now() AND leased_until <= now() AND NOT sending
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
std::string plain_start(const std::string &given)
{
    return R"(
        UPDATE companion.dispatch_queue AS q SET sending = true
        FROM )" +
           given + R"( AS g (user_id, message_id)
        WHERE q.user_id = g.user_id AND q.message_id = g.message_id)";
}

// given: a table expression of user_id, message_id and content
std::string plain_sent(const std::string &given)
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
void prepare_plain(pqxx::connection &connection, int batch)
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

void finish_plain(pqxx::connection &connection, const pqxx::result &claimed)
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

const Side plain{ours.fill, ours.tables, ours.finished, prepare_plain, finish_plain};
const Side peer{"CALL load_peer()", "lean_queue, lean_archive", "lean_archive", prepare_peer,
                finish_peer};
const Side peer_at_once{peer.fill, peer.tables, peer.finished, prepare_peer, finish_peer_at_once};

void compare(const std::string &how, int batch, int messages)
{
    const double our_rate = throughput(ours, batch, messages);
    const double peer_rate = throughput(peer, batch, messages);
    const double limit = throughput(plain, batch, messages);
    sample("claim, start, mark sent, " + how, "/s", our_rate, peer_rate, ">= 0.9");
    sample("  " + how + "; the peer archives in one statement", "/s", our_rate,
           throughput(peer_at_once, batch, messages), "-");
    sample("  " + how + "; plain statements that write our rows, and the peer", "/s", limit,
           peer_rate, "-");
    sample("  " + how + "; ours, and those plain statements", "/s", our_rate, limit, "-");
}

double mean(std::vector<double>::const_iterator first, std::vector<double>::const_iterator last)
{
    return std::accumulate(first, last, 0.0) / static_cast<double>(last - first);
}

// How claims slow down while another session's snapshot keeps what is finished from being removed
void hold_transaction(int messages)
{
    load(ours);
    pqxx::connection connection;
    pqxx::transaction<pqxx::repeatable_read> held(connection);
    held.exec("SELECT 1 FROM companion.users LIMIT 1");
    pqxx::connection worker;
    ours.prepare(worker, 50);
    std::atomic<int> left = messages;
    const std::vector<double> claims = drain(ours, worker, 50, left);
    const auto tenth = static_cast<std::ptrdiff_t>(claims.size() / 10);
    sample("claim of 50, a transaction held open: last tenth against first", "ms",
           mean(claims.end() - tenth, claims.end()), mean(claims.begin(), claims.begin() + tenth),
           "<= 2");
}

} // namespace

int main()
try {
    set_up("worker.sql", size(300000, 3000));
    for (int round = 0; round < rounds(); round++) {
        compare("batches of 50", 50, size(100000, 2000));
        compare("one at a time", 1, size(10000, 200));
        hold_transaction(size(200000, 2000));
    }
} catch (const std::exception &error) {
    std::cerr << error.what() << std::endl;
    return EXIT_FAILURE;
}
