// Memory as a client in another process sees it.

#include "at_once.hpp"
#include "database.hpp"

#include "catch2.hpp"

namespace {

const std::string upsert = "SELECT value, confirmations, contradicted_by"
                           " FROM companion.upsert_user_context($1, 'preference', 'tea', $2,"
                           " source => $3)";

} // namespace

TEST_CASE("a fact goes in and comes out by prepared statements")
{
    Database database;
    const std::string user = database.add_user("Maya");
    pqxx::connection &connection = database.connection;
    connection.prepare("upsert", "SELECT * FROM companion.upsert_user_context($1, $2, $3, $4, $5,"
                                 " $6, $7, $8, $9, $10)");
    connection.prepare("many", "SELECT * FROM companion.upsert_user_context_many($1, $2)");
    connection.prepare("recall", "SELECT * FROM companion.recall_user_context($1, $2, $3)");
    connection.prepare("prompt", "SELECT companion.user_context_prompt($1)");

    pqxx::work transaction(connection);
    const pqxx::row item =
        transaction.exec_prepared1("upsert", user, "preference", "tea", "green", 0.75, 1, "user",
                                   nullptr, nullptr, R"({"cup": "large"})");
    CHECK(item["value"].as<std::string>() == "green");
    CHECK(item["importance"].as<float>() == 0.75f);
    CHECK(item["emotional_valence"].as<int>() == 1);
    CHECK(item["metadata"].as<std::string>() == R"({"cup": "large"})");
    CHECK(item["expires_at"].is_null());

    const pqxx::result items =
        transaction.exec_prepared("many", user,
                                  R"([{"category": "preference", "key": "tea", "value": "black"},
            {"category": "fact", "key": "pet", "value": "a cat", "importance": 0.1}])");
    REQUIRE(items.size() == 2);
    CHECK(items[0]["value"].as<std::string>() == "green");
    CHECK(items[0]["contradicted_by"].as<std::string>() == "black");
    CHECK(items[1]["value"].as<std::string>() == "a cat");

    CHECK(transaction.exec_prepared("recall", user, 20, nullptr).size() == 2);
    CHECK(transaction.exec_prepared("recall", user, 1, nullptr)[0]["key"].as<std::string>() ==
          "tea");
    CHECK(transaction.exec_prepared1("prompt", user)[0].as<std::string>() ==
          "- preference/tea: green\n- fact/pet: a cat\n");
}

TEST_CASE("one user's items are upserted, touched and forgotten at once: no deadlock", "[tables]")
{
    constexpr int clients = 6, turns = 40;
    const std::string upsert_many =
        "SELECT count(*) FROM companion.upsert_user_context_many($1,"
        " (SELECT jsonb_agg(jsonb_build_object('category', 'a', 'key', k::text, 'value',"
        "                                      random()::text))"
        "  FROM generate_series(1, 10) AS k))";
    const std::string touch =
        "SELECT companion.touch_user_context($1,"
        " (SELECT coalesce(array_agg(id ORDER BY key DESC), '{}') FROM companion.user_context))";
    const std::string upsert_one =
        "SELECT companion.upsert_user_context($1, 'a', '5', random()::text, source => 'user')";
    const std::string forget = "SELECT companion.forget_user_context($1, 'a')";
    const std::string calls[] = {upsert_many, touch, upsert_one};
    Database database;
    const std::string user = database.add_user("Maya");
    const auto outcomes = at_once(clients, [&](int client, pqxx::nontransaction &transaction) {
        for (int turn = 0; turn < turns; turn++)
            transaction.exec_params(turn % 10 == 9 ? forget : calls[(client + turn) % 3], user);
        return "done";
    });
    CHECK(outcomes == std::vector<std::string>(clients, "done"));
}

TEST_CASE("a failed upsert of many leaves nothing", "[tables]")
{
    Database database;
    const std::string user = database.add_user("Maya");
    const std::string many = "SELECT companion.upsert_user_context_many($1, $2)";
    CHECK(database.error_of(many, user, R"([{"category": "a", "key": "k", "value": "v"},
                                            {"category": "a", "key": "l", "value": ""}])") ==
          "22023");
    CHECK(database.run("SELECT FROM companion.user_context").empty());
}

TEST_CASE("a session outlives the extension that it has used", "[tables]")
{
    Database database;
    for (int round = 0; round < 2; round++) {
        const std::string user = database.add_user("Maya");
        CHECK(database.run(upsert, user, "green", "user").size() == 1);
        CHECK(database.run(upsert, user, "black", "user").size() == 1);
        CHECK(database.run("SELECT FROM companion.recall_user_context($1)", user).size() == 1);
        database.run("DROP EXTENSION companion CASCADE");
        database.run("CREATE EXTENSION companion");
    }
}
