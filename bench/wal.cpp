// How many bytes of WAL a message, a row of a tick and a fact cost, against the same job written by
// hand on a lean queue, and against the plain INSERT ... ON CONFLICT that an upsert stands for.
// Images of whole pages, which depend on how often the server checkpoints, are figures of their
// own.
//
// build/wal.txt says which records they are.
#include "peers/by_hand.hpp"

#include <exception>
#include <fstream>
#include <functional>

using namespace bench;

namespace {

std::ofstream details("build/wal.txt");

struct Bytes {
    double records;
    double images;
};

std::string wal_end(pqxx::connection &connection)
{
    return pqxx::nontransaction(connection)
        .exec1("SELECT pg_current_wal_flush_lsn()")[0]
        .as<std::string>();
}

void write_details(const std::string &figure, const pqxx::result &records)
{
    details << figure << "; bytes without images, and of images, for each\n";
    for (const auto &row : records)
        details << "  " << row["bytes"].c_str() << "\t+ " << row["images"].c_str() << "\t"
                << row["records"].c_str() << "\t" << row["kind"].c_str() << "  "
                << row["relation"].c_str() << "\n";
    details << std::endl;
}

// The bytes that each of so many units of some work writes
Bytes measure(const std::string &figure, int units, const std::function<void()> &work)
{
    pqxx::connection connection;
    const std::string start = wal_end(connection);
    work();
    const std::string end = wal_end(connection);
    pqxx::nontransaction transaction(connection);
    write_details(figure, transaction.exec_params("SELECT * FROM wal_records($1, $2, $3)", start,
                                                  end, units));
    const auto row = transaction.exec_params1("SELECT * FROM wal_bytes($1, $2)", start, end);
    const double images = row["images"].as<double>();
    return {(row["bytes"].as<double>() - images) / units, images / units};
}

void report(const std::string &what, const char *peer, const Bytes &our_bytes,
            const Bytes &their_bytes)
{
    sample("WAL " + what + "; " + peer, "B", our_bytes.records, their_bytes.records, "-");
    sample("  " + what + ": page images beside it, after a checkpoint", "B", our_bytes.images,
           their_bytes.images, "-");
}

Bytes measure_messages(const Side &side, const std::string &figure, int batch, int messages)
{
    load(side);
    pqxx::connection connection;
    side.prepare(connection, batch);
    std::atomic<int> warm = messages / 10;
    drain(side, connection, batch, warm);
    std::atomic<int> left = messages;
    return measure(figure, messages, [&] { drain(side, connection, batch, left); });
}

void compare_messages(const std::string &how, int batch, int messages)
{
    const std::string what = "a message, " + how;
    report(what, "by hand on a lean queue",
           measure_messages(ours, what + ", ours", batch, messages),
           measure_messages(by_hand, what + ", by hand", batch, messages));
}

void compare_ticks(int users)
{
    const std::string what = "a message that a tick enqueues";
    execute("CALL by_hand.forget()");
    report(what, "by hand", measure(what + ", ours", users, [] { execute(ours.fill); }),
           measure(what + ", by hand", users, [] { execute("CALL by_hand.enqueue()"); }));
}

const char upsert[] = "SELECT companion.upsert_user_context($1, 'person', 'sister', $2)";

// What an app writes without us: no history, no rule for what the user said, no limits
const char plain_upsert[] =
    "INSERT INTO companion.user_context AS c (user_id, category, key, folded_key, value)"
    " VALUES ($1, 'person', 'sister', 'sister', $2)"
    " ON CONFLICT (user_id, category, folded_key) DO UPDATE"
    " SET value = excluded.value, confirmations = c.confirmations + 1,"
    " confirmed_at = now(), updated_at = now()";

// A fact of each of so many users, each in a transaction of its own
Bytes measure_facts(const std::string &figure, const char *statement, const char *value, int users)
{
    pqxx::connection connection;
    const pqxx::result ids =
        pqxx::nontransaction(connection)
            .exec("SELECT id FROM companion.users ORDER BY id LIMIT " + std::to_string(users));
    connection.prepare("upsert", statement);
    return measure(figure, users, [&] {
        for (const auto &row : ids)
            run(connection, "upsert", row[0].c_str(), value);
    });
}

void empty_facts()
{
    execute("TRUNCATE companion.user_context, companion.user_context_history");
    execute("CHECKPOINT");
}

void compare_facts(int users)
{
    const char first[] = "Ana, who lives in Porto";
    const std::pair<const char *, const char *> cases[] = {
        {"new", first}, {"said again", first}, {"changed", "Ana, who lives in Braga"}};
    std::vector<Bytes> bytes;
    for (const char *statement : {upsert, plain_upsert}) {
        empty_facts();
        for (const auto &[what, value] : cases)
            bytes.push_back(measure_facts(std::string("a fact, ") + what + ": " + statement,
                                          statement, value, users));
    }
    for (int i = 0; i < 3; i++)
        report(std::string("a fact, ") + cases[i].first, "INSERT ... ON CONFLICT", bytes[i],
               bytes[i + 3]);
}

} // namespace

int main()
try {
    const int users = size(30000, 1500);
    set_up("wal.sql", users);
    for (int round = 0; round < rounds(); round++) {
        compare_ticks(users);
        compare_messages("one at a time", 1, size(5000, 500));
        compare_messages("batches of 50", 50, size(20000, 1000));
        compare_facts(size(5000, 500));
    }
} catch (const std::exception &error) {
    std::cerr << error.what() << std::endl;
    return EXIT_FAILURE;
}
