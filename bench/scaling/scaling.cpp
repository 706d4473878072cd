// What bench/scaling/run times: calls over one connection each to some databases, shards or a
// router.
//
//   bench_scaling drain BATCH MESSAGES DATABASE...
//   bench_scaling bare SHARDS MESSAGES DATABASE
//   bench_scaling incoming CALLS DATABASE
//   bench_scaling upsert CALLS DATABASE
//
// drain claims, starts and marks so many messages of each; bare does singly by the functions of
// bare.sql; incoming and upsert call record_incoming and upsert_user_context for users who are read
// from stdin.
#include "../drain.hpp"

#include <deque>

using namespace bench;

namespace {

using Arguments = std::vector<std::string>;

// Databases take turns, as many workers' connections would
void drain_all(int batch, int messages, const Arguments &databases)
{
    std::deque<pqxx::connection> connections;
    for (const std::string &database : databases) {
        connections.emplace_back("dbname=" + database);
        prepare_ours(connections.back(), batch);
    }
    for (int done = 0; done < messages; done += batch)
        for (pqxx::connection &connection : connections) {
            const pqxx::result claimed = run(connection, "claim");
            if (static_cast<int>(claimed.size()) != batch)
                throw std::runtime_error("claimed " + std::to_string(claimed.size()));
            finish_ours(connection, claimed);
        }
}

// Shards take turns
void drain_bare(int shards, int messages, const std::string &database)
{
    pqxx::connection connection("dbname=" + database);
    connection.prepare("claim", "SELECT * FROM bare.claim_messages($1, 'bench', 1)");
    connection.prepare("start", "SELECT bare.start_send($1, $2, $3, $4)");
    connection.prepare("sent", "SELECT bare.mark_sent($1, $2, $3, $4, $5)");
    for (int done = 0; done < messages; done++) {
        const int shard = done % shards;
        const auto message = run(connection, "claim", shard).at(0);
        run(connection, "start", shard, message[0].c_str(), message[1].c_str(), message[2].c_str());
        run(connection, "sent", shard, message[0].c_str(), message[1].c_str(), message[2].c_str(),
            text);
    }
}

void call_each(const char *statement, int calls, const std::string &database)
{
    pqxx::connection connection("dbname=" + database);
    connection.prepare("call", statement);
    std::string user;
    for (int call = 0; call < calls && std::getline(std::cin, user); call++)
        run(connection, "call", user, "text " + std::to_string(call));
}

void measure(const std::string &what, int size, const Arguments &rest)
{
    if (what == "drain")
        drain_all(size, std::stoi(rest[0]), {rest.begin() + 1, rest.end()});
    else if (what == "bare")
        drain_bare(size, std::stoi(rest[0]), rest[1]);
    else if (what == "incoming")
        call_each("SELECT * FROM companion.record_incoming('web', $1, $2)", size, rest[0]);
    else
        call_each("SELECT companion.upsert_user_context($1, 'bench', 'key', $2)", size, rest[0]);
}

} // namespace

int main(int count, char **arguments)
try {
    measure(arguments[1], std::stoi(arguments[2]), {arguments + 3, arguments + count});
} catch (const std::exception &error) {
    std::cerr << error.what() << std::endl;
    return EXIT_FAILURE;
}
