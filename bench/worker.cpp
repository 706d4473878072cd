// How fast workers drain the queue, against a lean one without tenants, guard or audit.
//
// Both clients receive every column of what they claim and hand back what they finish. Ours claims,
// starts and marks sent; the peer reads and archives, by an INSERT and a DELETE; each of these is a
// transaction of its own. Beside it a peer that archives in one statement, with one commit fewer;
// and the limit, plain statements.
#include "plain.hpp"

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
