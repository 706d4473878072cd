// What a link token costs: to make, to redeem, and to delete when it is dead; each against the bare
// statements on the same tables, and redeeming also among 10 million against among 10,000.
#include "measure.hpp"

#include <pqxx/pqxx>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <list>
#include <numeric>
#include <random>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace {

using Clock = std::chrono::steady_clock;

double milliseconds_since(Clock::time_point start)
{
    return std::chrono::duration<double, std::milli>(Clock::now() - start).count();
}

// A command in its own transaction, in the subject's database or another
void execute(const std::string &command, const std::string &database = "")
{
    pqxx::connection connection(database.empty() ? "" : "dbname=" + database);
    pqxx::nontransaction(connection).exec(command);
}

void create_database(const std::string &name, const std::string &options = "")
{
    execute("DROP DATABASE IF EXISTS " + name);
    execute("CREATE DATABASE " + name + " " + options);
}

void set_up(const std::string &database, int users, int tokens, int live)
{
    const std::string command = "psql -Xq -v ON_ERROR_STOP=1 -d " + database +
                                " -v users=" + std::to_string(users) +
                                " -v tokens=" + std::to_string(tokens) +
                                " -v live=" + std::to_string(live) + " -f bench/linking.sql";
    if (std::system(command.c_str()) != 0)
        throw std::runtime_error("could not set up " + database);
}

std::vector<std::string> user_ids()
{
    pqxx::connection connection;
    std::vector<std::string> ids;
    for (const auto &row :
         pqxx::nontransaction(connection).exec("SELECT id FROM numbered_users ORDER BY n"))
        ids.push_back(row[0].c_str());
    return ids;
}

// A statement, its call for the n-th token or user, which returns one row, and a second statement
// where the call needs one
struct Side {
    const char *statement;
    pqxx::result (*call)(pqxx::nontransaction &, int n);
    const char *second = "SELECT";
};

std::vector<std::string> users;
constexpr int few_users = 2000;

// A link token, and the Telegram account that redeems it
struct Token {
    std::string text;
    long account;
};

// Those that are redeemed
std::vector<Token> tokens;

std::string random_digest()
{
    static thread_local std::mt19937_64 random(std::random_device{}());
    std::string digest = "\\x";
    for (int word = 0; word < 4; word++) {
        char hex[17];
        std::snprintf(hex, sizeof hex, "%016lx", random());
        digest += hex;
    }
    return digest;
}

const std::string &user_of(int n)
{
    return users[n % users.size()];
}

pqxx::result redeem(pqxx::nontransaction &transaction, int n)
{
    return transaction.exec_prepared("call", tokens[n].text, tokens[n].account, "someone");
}

const Side our_creation{"SELECT companion.create_telegram_link_token($1)",
                        [](pqxx::nontransaction &transaction, int n) {
                            return transaction.exec_prepared("call", user_of(n));
                        }};

const Side bare_creation{
    "INSERT INTO companion.telegram_link_tokens (user_id, token_hash, expires_at)"
    " VALUES ($1, $2, now() + interval '15 minutes') RETURNING id",
    [](pqxx::nontransaction &transaction, int n) {
        return transaction.exec_prepared("call", user_of(n), random_digest());
    }};

const Side our_redemption{
    "SELECT outcome, user_id FROM companion.redeem_telegram_link_token($1, $2, $3)"
    " WHERE outcome = 'linked'",
    redeem};

const Side bare_redemption{
    "UPDATE companion.telegram_link_tokens SET used_at = now(), used_by = $2"
    " WHERE token_hash = sha256($1::text::bytea) AND used_at IS NULL AND expires_at > now()"
    " RETURNING user_id",
    [](pqxx::nontransaction &transaction, int n) {
        transaction.exec("BEGIN");
        const Token &token = tokens[n];
        const pqxx::row redeemed = transaction.exec_prepared1("call", token.text, token.account);
        pqxx::result user =
            transaction.exec_prepared("second", redeemed[0].c_str(), token.account, "someone");
        transaction.exec("COMMIT");
        return user;
    },
    "UPDATE companion.users SET telegram_user_id = $2, telegram_username = $3,"
    " telegram_linked_at = now()"
    " WHERE id = $1 RETURNING id"};

// Both updates in one statement and one trip
const Side bare_redemption_at_once{
    "WITH redeemed AS ("
    " UPDATE companion.telegram_link_tokens SET used_at = now(), used_by = $2"
    " WHERE token_hash = sha256($1::text::bytea) AND used_at IS NULL AND expires_at > now()"
    " RETURNING user_id)"
    "UPDATE companion.users AS u SET telegram_user_id = $2, telegram_username = $3,"
    " telegram_linked_at = now()"
    " FROM redeemed WHERE u.id = redeemed.user_id RETURNING u.id",
    redeem};

// Microseconds that a call takes, of calls for n = first and so on, over so many connections at
// once. The first of each connection is not timed.
double time_calls(const Side &side, int first, int calls, int connections,
                  const std::string &options = "")
{
    std::atomic<int> next = first;
    std::atomic<int> failed = 0;
    const auto call = [&](pqxx::connection &client, int n) {
        pqxx::nontransaction transaction(client);
        failed += side.call(transaction, n).size() == 1 ? 0 : 1;
    };
    std::list<pqxx::connection> clients;
    for (int client = 0; client < connections; client++) {
        clients.emplace_back(options).prepare("call", side.statement);
        clients.back().prepare("second", side.second);
        call(clients.back(), next++);
    }
    std::vector<std::thread> threads;
    const auto start = Clock::now();
    for (pqxx::connection &client : clients)
        threads.emplace_back([&] {
            for (int n = next++; n < first + calls; n = next++)
                call(client, n);
        });
    for (std::thread &thread : threads)
        thread.join();
    if (failed > 0)
        throw std::runtime_error(std::to_string(failed) + " calls failed");
    return milliseconds_since(start) * 1000 / (calls - connections);
}

// One figure's calls, of ours and of the peer; each call is for another n
void compare(const std::string &figure, const Side &ours, const Side &peer, int first, int calls,
             const char *target)
{
    const int half = calls / 2;
    int next = first;
    const auto time = [&](const Side &side) {
        return time_calls(side, std::exchange(next, next + half), half, 4);
    };
    const auto [our_time, peer_time] =
        bench::measure_in_turn([&] { return time(ours); }, [&] { return time(peer); });
    bench::sample(figure, "/s", 1000000 / our_time, 1000000 / peer_time, target);
}

// The first tokens of the subject's own database, which are its users' in turn
std::vector<Token> standing_tokens(int count)
{
    std::vector<Token> standing;
    for (int n = 0; n < count; n++)
        standing.push_back({"token-" + std::to_string(n), n + 1});
    return standing;
}

// New tokens of so many users
std::vector<Token> new_tokens(const std::string &database, int count)
{
    pqxx::connection connection("dbname=" + database);
    std::vector<Token> made;
    for (const auto &row :
         pqxx::nontransaction(connection)
             .exec("SELECT companion.create_telegram_link_token(id), n + 1"
                   " FROM (SELECT id, n FROM numbered_users ORDER BY random() LIMIT " +
                   std::to_string(count) + ") AS chosen"))
        made.push_back({row[0].c_str(), row[1].as<long>()});
    return made;
}

// Microseconds to redeem a token of a database, among all that stand there. As in life, it was
// made not long before: tokens are valid for minutes.
double time_redemption(const std::string &database, int connections, const std::string &options)
{
    tokens = new_tokens(database, few_users);
    return time_calls(our_redemption, 0, few_users, connections, options + "dbname=" + database);
}

void compare_sizes(const std::string &figure, int connections, const std::string &options,
                   const char *target)
{
    const double many = time_redemption("linking_many", connections, options);
    const double few = time_redemption("linking_few", connections, options);
    bench::sample(figure, "us", many, few, target);
}

// As in the other figures; and what of it is work, the commit not being waited for
void compare_sizes()
{
    compare_sizes("redeem among 10 million tokens and among 10,000, 4 connections", 4, "",
                  "<= 1.3");
    compare_sizes("  without waiting for the commit, 1 connection", 1,
                  "options='-c synchronous_commit=off' ", "-");
}

// Delete the dead tokens batch by batch; returns how long each statement took
std::vector<double> expire_all(const std::string &database)
{
    pqxx::connection connection("dbname=" + database);
    pqxx::nontransaction transaction(connection);
    std::vector<double> statements;
    for (long expired = 1; expired > 0;) {
        const auto start = Clock::now();
        expired = transaction.exec1("SELECT companion.expire_telegram_link_tokens()")[0].as<long>();
        statements.push_back(milliseconds_since(start));
    }
    return statements;
}

// Half of the tokens of a copy of the template are dead
void compare_expiry()
{
    create_database("linking_copy", "TEMPLATE linking_dead");
    execute("CHECKPOINT");
    const std::vector<double> statements = expire_all("linking_copy");
    create_database("linking_copy", "TEMPLATE linking_dead");
    execute("CHECKPOINT");
    const auto start = Clock::now();
    execute("DELETE FROM companion.telegram_link_tokens WHERE used_at IS NULL"
            " AND expires_at <= now()",
            "linking_copy");
    const double bare = milliseconds_since(start);
    bench::sample("expire a million among two, and one bare DELETE", "ms",
                  std::accumulate(statements.begin(), statements.end(), 0.0), bare, "<= 1.5");
    bench::sample("its longest statement, and the limit", "ms",
                  *std::max_element(statements.begin(), statements.end()), 200, "<= 1");
}

void prepare_databases()
{
    const int users_of_many = bench::size(2000000, 4000), dead_users = bench::size(400000, 4000);
    const int own_users = bench::size(250000, 4000);
    set_up("linking", own_users, own_users, own_users);
    users = user_ids();
    for (const char *name : {"linking_few", "linking_many", "linking_dead"}) {
        create_database(name);
        execute("CREATE EXTENSION companion", name);
    }
    set_up("linking_few", few_users, 5 * few_users, 0);
    set_up("linking_many", users_of_many, 5 * users_of_many, 0);
    set_up("linking_dead", dead_users, 5 * dead_users, 5 * dead_users);
    // Every other one
    execute("UPDATE companion.telegram_link_tokens SET expires_at = now() - interval '1 hour'"
            " WHERE get_byte(token_hash, 0) % 2 = 0",
            "linking_dead");
    execute("VACUUM FULL ANALYZE companion.telegram_link_tokens", "linking_dead");
}

} // namespace

int main()
try {
    prepare_databases();
    const int calls = bench::size(10000, 200);
    for (int round = 0; round < bench::rounds(); round++) {
        const int first = 4 * round * calls;
        tokens = standing_tokens(users.size());
        compare("redeem, 4 connections", our_redemption, bare_redemption, first, calls, ">= 0.85");
        compare("redeem, against both updates in one statement", our_redemption,
                bare_redemption_at_once, first + 2 * calls, calls, "-");
        compare("create, 4 connections", our_creation, bare_creation, first, calls, ">= 0.85");
        compare_sizes();
        compare_expiry();
    }
} catch (const std::exception &error) {
    std::cerr << error.what() << std::endl;
    return EXIT_FAILURE;
}
