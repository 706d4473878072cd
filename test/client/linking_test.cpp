// Linking a Telegram account as an app and its bot do it: with bound parameters.

#include "at_once.hpp"
#include "database.hpp"

#include "catch2.hpp"

#include <set>
#include <string>
#include <vector>

namespace {

const std::string create = "SELECT companion.create_telegram_link_token($1)";
const std::string redeem =
    "SELECT outcome, user_id FROM companion.redeem_telegram_link_token($1, $2, $3)";

const std::string count_live =
    "SELECT count(*) FROM companion.telegram_link_tokens WHERE used_at IS NULL";

std::string make_token(Database &database, const std::string &user)
{
    return database.run(create, user)[0][0].as<std::string>();
}

std::string outcome_of(Database &database, const std::string &token, long account)
{
    return database.run(redeem, token, account, nullptr)[0]["outcome"].as<std::string>();
}

} // namespace

TEST_CASE("an app makes a token as its user, and its bot redeems it", "[tables]")
{
    Database app, bot;
    const std::string user = app.add_user("Maya");
    app.become_user(user);
    app.connection.prepare("create", "SELECT companion.create_telegram_link_token()");
    app.connection.prepare("link", "SELECT companion.telegram_deep_link($1, $2)");
    pqxx::work in_app(app.connection);
    app.configure(in_app);
    const auto token = in_app.exec_prepared1("create")[0].as<std::string>();
    CHECK(in_app.exec_prepared1("link", "my_companion_bot", token)[0].as<std::string>() ==
          "https://t.me/my_companion_bot?start=" + token);
    in_app.commit();

    bot.become_worker();
    bot.connection.prepare("redeem", redeem);
    pqxx::work in_bot(bot.connection);
    bot.configure(in_bot);
    for (int delivery = 0; delivery < 2; delivery++) {
        const pqxx::row redeemed = in_bot.exec_prepared1("redeem", token, 101, "maya_r");
        CHECK(redeemed["outcome"].as<std::string>() == "linked");
        CHECK(redeemed["user_id"].as<std::string>() == user);
    }
    const pqxx::row other = in_bot.exec_prepared1("redeem", token, 102, nullptr);
    CHECK(other["outcome"].as<std::string>() == "used");
    CHECK(other["user_id"].is_null());
    in_bot.commit();
    CHECK(app.run("SELECT telegram_username FROM companion.users")[0][0].as<std::string>() ==
          "maya_r");
}

TEST_CASE("of many redemptions by different accounts at once exactly one wins")
{
    constexpr int accounts = 8;
    Database database;
    const std::string token = make_token(database, database.add_user("Diego"));
    const auto outcomes = at_once(accounts, [&](int account, pqxx::nontransaction &transaction) {
        return transaction.exec_params1(redeem, token, account + 1, nullptr)[0].c_str();
    });
    CAPTURE(outcomes);
    CHECK(std::count(outcomes.begin(), outcomes.end(), "linked") == 1);
    CHECK(std::count(outcomes.begin(), outcomes.end(), "used") == accounts - 1);
}

TEST_CASE("one user's tokens are made, redeemed and revoked at once: no deadlock, never too many",
          "[tables]")
{
    constexpr int clients = 6, turns = 60;
    Database database;
    const std::string user = database.add_user("Amara");
    const auto outcomes = at_once(clients, [&](int client, pqxx::nontransaction &transaction) {
        int most = 0;
        for (int turn = 0; turn < turns; turn++) {
            const std::string token = transaction.exec_params1(create, user)[0].c_str();
            if (turn % 5 == 0)
                transaction.exec_params1(redeem, token, client + 1, nullptr);
            if (turn % 20 == 0)
                transaction.exec_params1("SELECT companion.revoke_telegram_link_tokens($1)", user);
            most = std::max(most, transaction.exec1(count_live)[0].as<int>());
        }
        return most <= 5 ? "at most 5" : std::to_string(most);
    });
    CHECK(outcomes == std::vector<std::string>(clients, "at most 5"));
}

TEST_CASE("no two tokens are the same", "[tables]")
{
    Database database;
    const std::string user = database.add_user("Sita");
    std::set<std::string> tokens;
    for (int count = 0; count < 100; count++)
        tokens.insert(make_token(database, user));
    CHECK(tokens.size() == 100);
    CHECK(database.run("SELECT FROM companion.telegram_link_tokens").size() == 5);
}

TEST_CASE("what is no token is unknown, and a text that the server cannot hold is an error")
{
    Database database;
    CHECK(outcome_of(database, "", 1) == "unknown");
    CHECK(outcome_of(database, std::string(100000, 'A'), 1) == "unknown");
    CHECK(outcome_of(database, "'; DROP TABLE companion.users; --", 1) == "unknown");
    CHECK(outcome_of(database, "\xC3\xA9", 1) == "unknown");
    CHECK(database.error_of(redeem, "\xC3(", 1, nullptr) == "22021");
    CHECK(database.error_of(redeem, nullptr, 1, nullptr) == "22004");
    CHECK(database.error_of(redeem, "x", -1, nullptr) == "22023");
}

TEST_CASE("a guessing account is refused, and others are not", "[tables]")
{
    Database database;
    const std::string token = make_token(database, database.add_user("Amina"));
    database.set("companion.redeem_failures_per_minute", "3");
    for (int guess = 0; guess < 3; guess++)
        CHECK(outcome_of(database, "guess", 7) == "unknown");
    CHECK(database.error_of(redeem, "guess", 7, nullptr) == "53400");
    CHECK(database.error_of(redeem, token, 7, nullptr) == "53400");
    CHECK(outcome_of(database, token, 8) == "linked");
}

TEST_CASE("errors hold neither a token nor its hash")
{
    Database database;
    const std::string token = make_token(database, database.add_user("Haruto"));
    for (const char *statement : {"SELECT companion.redeem_telegram_link_token($1, 0)",
                                  "SELECT companion.redeem_telegram_link_token($1, 1, '')",
                                  "SELECT companion.telegram_deep_link('no', $1)",
                                  "SELECT companion.telegram_deep_link('my_bot', $1 || '?')"}) {
        try {
            database.run(statement, token);
            FAIL(statement);
        } catch (const pqxx::sql_error &error) {
            CHECK(std::string(error.what()).find(token) == std::string::npos);
        }
    }
}
