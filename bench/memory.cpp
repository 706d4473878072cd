// What memory costs: an upsert against the plain statement that keeps the same history, many in one
// call against as many calls, recall against reading the user's rows, and recall by meaning against
// recall without; and what meaning finds.
#include "measure.hpp"

#include <pqxx/pqxx>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdlib>
#include <random>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

namespace {

using Clock = std::chrono::steady_clock;

double seconds_since(Clock::time_point start)
{
    return std::chrono::duration<double>(Clock::now() - start).count();
}

const char ours[] = "SELECT * FROM companion.upsert_user_context($1, $2, $3, $4, $5, $6, $7)";

// What an app writes that keeps nothing: no history, no rule for what the user said, no limits
const char forgetful[] =
    "INSERT INTO companion.user_context AS c"
    " (user_id, category, key, folded_key, value, importance, emotional_valence,"
    "  source)"
    " VALUES ($1, $2, $3, $3, $4, $5, $6, $7)"
    " ON CONFLICT (user_id, category, folded_key) DO UPDATE"
    " SET value = excluded.value, importance = excluded.importance,"
    "     emotional_valence = excluded.emotional_valence, source = excluded.source,"
    "     last_referenced_at = now(), updated_at = now()"
    " RETURNING *";

// The peer: the same, and every superseded value kept, as ours does
const char peer[] =
    "WITH before AS ("
    " SELECT value, source, value_since FROM companion.user_context"
    " WHERE user_id = $1 AND category = $2 AND folded_key = $3),"
    "item AS ("
    " INSERT INTO companion.user_context AS c"
    " (user_id, category, key, folded_key, value, importance, emotional_valence, source)"
    " VALUES ($1, $2, $3, $3, $4, $5, $6, $7)"
    " ON CONFLICT (user_id, category, folded_key) DO UPDATE"
    " SET value = excluded.value, importance = excluded.importance,"
    "     emotional_valence = excluded.emotional_valence, source = excluded.source,"
    "     value_since = now(), last_referenced_at = now(), updated_at = now()"
    " RETURNING *),"
    "kept AS ("
    " INSERT INTO companion.user_context_history"
    " (user_id, category, key, value, source, held_from, held_until, replaced_by)"
    " SELECT user_id, category, key, before.value, before.source, before.value_since, now(),"
    "        item.value"
    " FROM item, before WHERE before.value <> item.value)"
    "SELECT * FROM item";

// The same of many facts at once
const char plain_bulk[] = "INSERT INTO companion.user_context AS c"
                          " (user_id, category, key, folded_key, value)"
                          " SELECT $1, 'bench', key, key, 'a value' FROM unnest($2::text[]) AS key"
                          " ON CONFLICT (user_id, category, folded_key) DO UPDATE"
                          " SET value = excluded.value, last_referenced_at = now(),"
                          "     updated_at = now()"
                          " RETURNING *";

int users()
{
    return bench::size(5000, 50);
}

std::vector<std::string> all_users()
{
    pqxx::connection connection;
    pqxx::nontransaction transaction(connection);
    std::vector<std::string> ids;
    for (const auto &row : transaction.exec("SELECT id FROM companion.users ORDER BY id"))
        ids.push_back(row[0].c_str());
    return ids;
}

enum class Kind { fresh, same, other };

// One client's upserts, each in its own transaction; returns how many it did
long upsert_until(const std::atomic<bool> &stop, const char *statement, const char *commit,
                  const std::vector<Kind> &kinds, const std::vector<std::string> &ids)
{
    pqxx::connection connection;
    pqxx::nontransaction transaction(connection);
    transaction.exec(std::string("SET synchronous_commit = ") + commit);
    connection.prepare("upsert", statement);
    std::mt19937 random(std::random_device{}());
    long count = 0;
    for (; !stop; count++) {
        const Kind kind = kinds[random() % kinds.size()];
        const std::string number = std::to_string(random() % 100);
        const std::string key = kind == Kind::fresh ? "new " + std::to_string(random()) : number;
        const std::string value =
            kind == Kind::other ? "value " + std::to_string(random()) : "the value of " + key;
        transaction.exec_prepared("upsert", ids[random() % ids.size()], "bench", key, value, "0.5",
                                  "0", "extracted");
    }
    return count;
}

// Upserts a second over four connections
double throughput(const char *statement, const char *commit, const std::vector<Kind> &kinds,
                  const std::vector<std::string> &ids)
{
    std::atomic<bool> stop = false;
    std::atomic<long> count = 0;
    std::vector<std::thread> clients;
    const auto start = Clock::now();
    for (int client = 0; client < 4; client++)
        clients.emplace_back([&] { count += upsert_until(stop, statement, commit, kinds, ids); });
    std::this_thread::sleep_for(std::chrono::milliseconds(bench::size(3000, 100)));
    stop = true;
    for (std::thread &client : clients)
        client.join();
    return count / seconds_since(start);
}

// A statement's upserts against the peer's
void compare_upserts(const std::string &figure, const char *statement, const char *commit,
                     const std::vector<Kind> &kinds, const std::vector<std::string> &ids,
                     const char *target)
{
    const auto [rate, peer_rate] =
        bench::measure_in_turn([&] { return throughput(statement, commit, kinds, ids); },
                               [&] { return throughput(peer, commit, kinds, ids); });
    bench::sample(figure, "/s", rate, peer_rate, target);
}

std::vector<std::string> fact_keys(int count)
{
    static int batch = 0;
    std::vector<std::string> keys;
    batch++;
    for (int number = 0; number < count; number++)
        keys.push_back("batch " + std::to_string(batch) + ", " + std::to_string(number));
    return keys;
}

// Milliseconds for so many facts, each in a call of its own, in one transaction
double one_by_one(pqxx::connection &connection, const std::string &user,
                  const std::vector<std::string> &keys)
{
    const auto start = Clock::now();
    pqxx::work transaction(connection);
    for (const std::string &key : keys)
        transaction.exec_prepared("one", user, "bench", key, "a value", "0.5", "0", "extracted");
    transaction.commit();
    return seconds_since(start) * 1000;
}

// Milliseconds for the same facts by one plain statement
double by_plain_sql(pqxx::connection &connection, const std::string &user,
                    const std::vector<std::string> &keys)
{
    std::string list;
    for (const std::string &key : keys)
        list += (list.empty() ? "{\"" : ",\"") + key + "\"";
    const auto start = Clock::now();
    pqxx::work transaction(connection);
    transaction.exec_prepared("plain", user, list + "}");
    transaction.commit();
    return seconds_since(start) * 1000;
}

// Milliseconds for the same facts in one call
double all_at_once(pqxx::connection &connection, const std::string &user,
                   const std::vector<std::string> &keys)
{
    std::string facts;
    for (const std::string &key : keys)
        facts += (facts.empty() ? "[" : ",") +
                 (R"({"category": "bench", "key": ")" + key + R"(", "value": "a value"})");
    const auto start = Clock::now();
    pqxx::work transaction(connection);
    transaction.exec_prepared("many", user, facts + "]");
    transaction.commit();
    return seconds_since(start) * 1000;
}

double median(std::vector<double> values)
{
    std::nth_element(values.begin(), values.begin() + values.size() / 2, values.end());
    return values[values.size() / 2];
}

// Facts that are new, and then known. The plain statement tells how far one statement can get.
void compare_bulk(const std::vector<std::string> &ids)
{
    pqxx::connection connection;
    connection.prepare("one", ours);
    connection.prepare("many", "SELECT * FROM companion.upsert_user_context_many($1, $2)");
    connection.prepare("plain", plain_bulk);
    pqxx::nontransaction(connection).exec("SET synchronous_commit = off");
    std::vector<double> singles, bulks, plains;
    for (int repeat = 0; repeat < bench::size(100, 5); repeat++) {
        const std::string &user = ids[repeat % ids.size()];
        const std::vector<std::string> first = fact_keys(50), second = fact_keys(50),
                                       third = fact_keys(50);
        for (int time = 0; time < 2; time++) {
            singles.push_back(one_by_one(connection, user, first));
            bulks.push_back(all_at_once(connection, user, second));
            plains.push_back(by_plain_sql(connection, user, third));
        }
    }
    bench::sample("50 facts: one call each, and one call for all", "ms", median(singles),
                  median(bulks), ">= 5");
    bench::sample("  one call each, and one plain statement for all", "ms", median(singles),
                  median(plains), "-");
}

// Milliseconds of a query on each of these users
double each_user(pqxx::transaction_base &transaction, const char *query,
                 const std::vector<std::string> &ids)
{
    std::vector<double> times;
    for (const std::string &id : ids) {
        transaction.exec("SET LOCAL companion.user_id = " + transaction.quote(id));
        const auto start = Clock::now();
        transaction.exec_prepared(query, id);
        times.push_back(seconds_since(start) * 1000);
    }
    return median(times);
}

void compare_recall(const std::vector<std::string> &ids)
{
    pqxx::connection connection;
    connection.prepare("rows", "SELECT * FROM companion.user_context WHERE user_id = $1");
    connection.prepare("scan",
                       "SELECT count(value) FROM companion.user_context WHERE user_id = $1");
    connection.prepare("recall", "SELECT * FROM companion.recall_user_context($1, 20)");
    connection.prepare("meaning",
                       "SELECT * FROM companion.recall_user_context($1, 20, embedding => talk())");
    pqxx::work transaction(connection);
    // So few that what they remember stays in memory
    const std::vector<std::string> some(ids.end() - std::min<std::size_t>(ids.size(), 50),
                                        ids.end());
    const auto recall = [&] { return each_user(transaction, "recall", some); };
    const auto compare = [&](const char *figure, const char *peer, const char *target) {
        each_user(transaction, peer, some);
        const auto [time, peer_time] =
            bench::measure_in_turn(recall, [&] { return each_user(transaction, peer, some); });
        bench::sample(figure, "ms", time, peer_time, target);
    };
    compare("20 of 2,000 items, and reading them all", "rows", "<= 2");
    compare("20 of 2,000 items, and reading them all within the server", "scan", "<= 2");
    const auto as_end_user = [&] {
        transaction.exec("SET LOCAL ROLE companion_user");
        const double time = recall();
        transaction.exec("RESET ROLE");
        return time;
    };
    const auto [under_policies, without] = bench::measure_in_turn(as_end_user, recall);
    bench::sample("recall as an end user, and without policies", "ms", under_policies, without,
                  "<= 1.15");
    each_user(transaction, "meaning", some);
    const auto [by_meaning, without_meaning] =
        bench::measure_in_turn([&] { return each_user(transaction, "meaning", some); }, recall);
    bench::sample("20 of 2,000 items by meaning, 384 dimensions, and without", "ms", by_meaning,
                  without_meaning, "<= 3");
}

// What is recalled of what is being talked about
void compare_meaning()
{
    static const char person[] = "00000000-0000-7000-8000-000000000009";
    pqxx::connection connection;
    pqxx::work transaction(connection);
    const auto found = [&](const char *weight) {
        return transaction.exec_params("SELECT recall_at_5($1, $2)", person, weight)[0][0]
            .as<double>();
    };
    bench::sample("recall@5 of 50 remarks about 62 facts, by meaning and without", "", found("3"),
                  found("0"), ">= 1.5");
}

void load(const std::string &file, const std::string &variables)
{
    const std::string command =
        "psql -XAtq -v ON_ERROR_STOP=1 " + variables + " -f bench/" + file + " >/dev/null";
    if (std::system(command.c_str()) != 0)
        throw std::runtime_error("could not load " + file);
}

} // namespace

int main()
{
    load("memory.sql", "-v users=" + std::to_string(users()) + " -v items=2000");
    std::vector<std::string> ids = all_users();
    load("meaning.sql", "-v person=00000000-0000-7000-8000-000000000009");
    const std::vector<std::string> writers(ids.begin(), ids.begin() + ids.size() / 5);
    const std::vector<Kind> mixed{Kind::fresh, Kind::same, Kind::other};
    for (int round = 0; round < bench::rounds(); round++) {
        compare_upserts("upserts, synchronous_commit on", ours, "on", mixed, writers, ">= 0.85");
        compare_upserts("  on; plain SQL that keeps no history, and the peer", forgetful, "on",
                        mixed, writers, "-");
        compare_upserts("upserts, synchronous_commit off", ours, "off", mixed, writers, ">= 0.85");
        compare_upserts("  off; plain SQL that keeps no history, and the peer", forgetful, "off",
                        mixed, writers, "-");
        compare_upserts("  new items only", ours, "off", {Kind::fresh}, writers, "-");
        compare_upserts("  the same value only", ours, "off", {Kind::same}, writers, "-");
        compare_upserts("  another value only", ours, "off", {Kind::other}, writers, "-");
        compare_bulk(writers);
        compare_recall(ids);
        compare_meaning();
    }
}
