// The worker functions as a client in another process sees them.

#include "at_once.hpp"
#include "database.hpp"

#include "catch2.hpp"

#include <set>
#include <vector>

namespace {

class Wakeup : public pqxx::notification_receiver {
  public:
    explicit Wakeup(pqxx::connection &connection) : notification_receiver(connection, "companion")
    {
    }
    void operator()(const std::string &, int) override { ++count; }

    int count = 0;
};

std::string status_of(Database &database, const std::string &message)
{
    return database
        .run("SELECT status FROM companion.scheduled_messages WHERE id = $1", message)[0][0]
        .c_str();
}

// A column of claimed messages, as the text of a PostgreSQL array
std::string array_of(const pqxx::result &messages, const char *column)
{
    std::string array;
    for (const auto &message : messages)
        array += (array.empty() ? "{" : ",") + message[column].as<std::string>();
    return array + "}";
}

std::vector<std::string> names_of(const pqxx::result &messages)
{
    std::vector<std::string> names;
    for (const auto &message : messages)
        names.push_back(message["display_name"].as<std::string>());
    return names;
}

} // namespace

TEST_CASE("a message goes from claim to sent by prepared statements", "[tables]")
{
    Database database;
    const std::string user = database.add_user("Maya");
    const std::string id = database.add_message(user, "hello");
    pqxx::connection &connection = database.connection;
    connection.prepare("claim", "SELECT * FROM companion.claim_messages($1, $2, $3)");
    connection.prepare("start", "SELECT companion.start_send($1, $2, $3)");
    connection.prepare("sent", "SELECT companion.mark_sent($1, $2, $3, $4, $5)");

    pqxx::work transaction(connection);
    const pqxx::row message = transaction.exec_prepared1("claim", "worker", 10, "1 minute");
    CHECK(message["user_id"].c_str() == user);
    CHECK(message["message_id"].c_str() == id);
    CHECK(message["attempt"].as<int>() == 1);
    CHECK(message["channel"].as<std::string>() == "web");
    CHECK(message["content"].as<std::string>() == "hello");
    CHECK(message["generation_context"].is_null());
    CHECK(transaction.exec_prepared1("start", user, id, 1)[0].as<bool>());
    CHECK(transaction.exec_prepared1("sent", user, id, 1, nullptr, 42)[0].as<bool>());
    CHECK_FALSE(transaction.exec_prepared1("sent", user, id, 1, nullptr, 42)[0].as<bool>());

    const pqxx::row filed =
        transaction.exec_params1("SELECT m.content, m.telegram_message_id, c.initiated_by"
                                 "  FROM companion.messages AS m"
                                 "  JOIN companion.conversations AS c"
                                 "    ON c.user_id = m.user_id AND c.id = m.conversation_id"
                                 " WHERE m.user_id = $1",
                                 user);
    CHECK(filed["content"].as<std::string>() == "hello");
    CHECK(filed["telegram_message_id"].as<long>() == 42);
    CHECK(filed["initiated_by"].as<std::string>() == "companion");
}

TEST_CASE("a bulk call answers for each message, in input order", "[tables]")
{
    Database database;
    for (const char *name : {"Aroha", "Haruto", "Sita"})
        database.add_message(database.add_user(name), "hello");
    const pqxx::result messages = database.claim(10);
    REQUIRE(messages.size() == 3);
    const std::string users = array_of(messages, "user_id");
    const std::string ids = array_of(messages, "message_id");

    const auto call = [&](const std::string &function, const std::string &attempts) {
        return database
            .run("SELECT companion." + function + "($1, $2, $3)", users, ids, attempts)[0][0]
            .as<std::string>();
    };
    CHECK(call("start_send_many", "{1,7,1}") == "{t,f,t}");
    CHECK(call("mark_sent_many", "{1,1,1}") == "{t,f,t}");
    CHECK(status_of(database, messages[0]["message_id"].c_str()) == "sent");
    CHECK(status_of(database, messages[1]["message_id"].c_str()) == "pending");
    CHECK(status_of(database, messages[2]["message_id"].c_str()) == "sent");
}

TEST_CASE("what was sent has the messenger's id and metadata, one by one and many at once",
          "[tables]")
{
    Database database;
    for (const char *name : {"Aroha", "Haruto", "Sita"})
        database.add_message(database.add_user(name), "hello");
    const pqxx::result messages = database.claim(10);
    const std::string users = array_of(messages, "user_id"), ids = array_of(messages, "message_id");
    database.run("SELECT companion.start_send_many($1, $2, '{1,1,1}')", users, ids);
    CHECK(database
              .run("SELECT companion.mark_sent($1, $2, 1, 'good morning', external_id => 'a',"
                   " metadata => $3)",
                   messages[0]["user_id"].c_str(), messages[0]["message_id"].c_str(),
                   R"({"model": "small"})")[0][0]
              .as<bool>());
    CHECK(database
              .run("SELECT companion.mark_sent_many($1, $2, '{1,1,1}', NULL, NULL, $3, $4)", users,
                   ids, R"({a,a,NULL})", R"({NULL,"{\"model\": \"large\"}",NULL})")[0][0]
              .as<std::string>() == "{f,t,t}");

    const auto filed = [&](int place) {
        return database.run("SELECT * FROM companion.messages WHERE user_id = $1",
                            messages[place]["user_id"].c_str())[0];
    };
    CHECK(filed(0)["content"].as<std::string>() == "good morning");
    CHECK(filed(0)["external_id"].as<std::string>() == "a");
    CHECK(filed(0)["metadata"].as<std::string>() == R"({"model": "small"})");
    CHECK(filed(1)["content"].as<std::string>() == "hello");
    CHECK(filed(1)["channel"].as<std::string>() == "web");
    CHECK(filed(1)["metadata"].as<std::string>() == R"({"model": "large"})");
    CHECK(filed(2)["external_id"].is_null());
}

// LISTEN belongs to a server connection, so it cannot go through a pooler in transaction mode
TEST_CASE("enqueuing wakes a worker that listens", "[session]")
{
    Database database;
    Wakeup wakeup(database.connection);
    Database elsewhere;
    elsewhere.add_message(elsewhere.add_user("Lukas"), "hello");
    database.connection.await_notification(5, 0);
    CHECK(wakeup.count == 1);
}

TEST_CASE("two connections never claim the same message")
{
    Database database;
    for (const char *name : {"Aroha", "Haruto", "Sita", "Amina"})
        database.add_message(database.add_user(name), "hello");
    pqxx::connection other(test_address());
    pqxx::work mine(database.connection), theirs(other);
    const std::string claim = "SELECT * FROM companion.claim_messages('test', 2)";
    const std::vector<std::string> first = names_of(mine.exec(claim));
    const std::vector<std::string> second = names_of(theirs.exec(claim));

    std::set<std::string> both(first.begin(), first.end());
    both.insert(second.begin(), second.end());
    CHECK(first.size() == 2);
    CHECK(second.size() == 2);
    CHECK(both.size() == 4);
}

TEST_CASE("an older attempt is refused")
{
    Database database;
    const std::string user = database.add_user("Diego");
    const std::string id = database.add_message(user, "hello");
    database.run("SELECT * FROM companion.claim_messages('slow', 1, '10 milliseconds')");
    database.run("SELECT pg_sleep(0.05)");
    REQUIRE(database.claim(1)[0]["attempt"].as<int>() == 2);

    const std::string start = "SELECT companion.start_send($1, $2, $3)";
    CHECK_FALSE(database.run(start, user, id, 1)[0][0].as<bool>());
    CHECK(database.run(start, user, id, 2)[0][0].as<bool>());
    CHECK_FALSE(database.run(start, user, id, 2)[0][0].as<bool>());
}

TEST_CASE("a failed message comes back, a permanently failed one does not", "[tables]")
{
    Database database;
    const std::string user = database.add_user("Kiana");
    const std::string id = database.add_message(user, "hello");
    const std::string failed =
        "SELECT companion.mark_failed($1, $2, $3, 'no answer', '0 seconds', $4)";

    REQUIRE(database.claim(1).size() == 1);
    CHECK(database.run(failed, user, id, 1, false)[0][0].as<bool>());
    REQUIRE(database.claim(1).size() == 1);
    CHECK(database.run(failed, user, id, 2, true)[0][0].as<bool>());
    CHECK(database.claim(1).empty());
    CHECK(status_of(database, id) == "failed");
}

TEST_CASE("an idempotency key makes one message")
{
    Database database;
    const std::string user = database.add_user("Beatriz");
    const std::string schedule =
        "SELECT * FROM companion.schedule_message($1, now(), 'hello', idempotency_key => 'k')";
    const pqxx::result first = database.run(schedule, user), second = database.run(schedule, user);
    CHECK(first[0]["created"].as<bool>());
    CHECK_FALSE(second[0]["created"].as<bool>());
    CHECK(first[0]["message_id"].as<std::string>() == second[0]["message_id"].as<std::string>());
}

TEST_CASE("bad arguments are errors with their SQLSTATE")
{
    Database database;
    const std::string nobody = "00000000-0000-7000-8000-000000000000";
    for (const int max_messages : {0, -1, 1000000})
        CHECK(database.error_of("SELECT companion.claim_messages('test', $1)", max_messages) ==
              "22023");
    for (const char *lease : {"0 seconds", "-1 minute", "1 year"})
        CHECK(database.error_of("SELECT companion.claim_messages('test', 1, $1)", lease) ==
              "22023");
    CHECK(database.error_of("SELECT companion.schedule_message($1, now(), 'hello')", nobody) ==
          "23503");
    CHECK(database.error_of("SELECT companion.start_send_many($1, '{}', '{}')",
                            "{" + nobody + "}") == "2202E");
    CHECK(database.error_of("SELECT companion.dispatch('infinity')") == "22008");
    CHECK(database.error_of(
              "SELECT companion.checkin_instant('Moon/Base', '2026-01-01', '09:00')") == "22023");
}

TEST_CASE("each role may do its own part only", "[tables]")
{
    Database database;
    const std::string user = database.add_user("Mary");
    database.add_user("Haruto");

    database.become_worker();
    CHECK(database.error_of("SELECT companion.claim_messages('test')").empty());
    CHECK(database.error_of("SELECT companion.rewind_dispatch(now())") == "42501");

    database.set("role", "companion_user");
    CHECK(database.error_of("SELECT companion.claim_messages('test')") == "42501");
    CHECK(database.error_of("SELECT companion.dispatch()") == "42501");
    CHECK(database.run("SELECT FROM companion.users").empty());
    database.become_user(user);
    const pqxx::result visible = database.run("SELECT display_name FROM companion.users");
    REQUIRE(visible.size() == 1);
    CHECK(visible[0][0].as<std::string>() == "Mary");
    database.become_user("Mary");
    CHECK(database.error_of("SELECT FROM companion.users") == "22P02");
}

TEST_CASE("workers at once report messages of the same users in different orders: no deadlock",
          "[tables]")
{
    constexpr int workers = 6, rounds = 12, users = 8;
    Database database;
    // In each round, every worker finds one message for each of the round's users
    database.run("WITH added AS (INSERT INTO companion.users (display_name)"
                 "               SELECT round::text FROM generate_series(1, $1) AS round,"
                 "                                       generate_series(1, $2) RETURNING *)"
                 "SELECT companion.schedule_message("
                 "           id, timestamptz '2026-01-01' + interval '1 hour' * round"
                 "               + interval '1 minute' * worker + interval '1 second'"
                 "               * CASE WHEN worker % 2 = 0 THEN place ELSE -place END, 'hello')"
                 " FROM (SELECT id, display_name::integer AS round,"
                 "              row_number() OVER (PARTITION BY display_name ORDER BY id) AS place"
                 "       FROM added) AS u, generate_series(1, $3) AS worker",
                 rounds, users, workers);
    // Which the first report ends
    database.run("SELECT companion.open_conversation(id, 'web') FROM companion.users");
    const auto outcomes = at_once(workers, [&](int, pqxx::nontransaction &transaction) {
        for (int round = 0; round < rounds; round++) {
            const pqxx::result claimed = transaction.exec_params(
                "SELECT * FROM companion.claim_messages('worker', $1)", users);
            const std::string of_users = array_of(claimed, "user_id"),
                              messages = array_of(claimed, "message_id"),
                              attempts = array_of(claimed, "attempt");
            // Null, for what another worker holds just now, means call again
            for (const std::string report :
                 {"start_send_many($1, $2, $3)", "mark_sent_many($1, $2, $3, NULL, NULL)"})
                while (transaction
                           .exec_params1("SELECT array_position(companion." + report + ", NULL)",
                                         of_users, messages, attempts)[0]
                           .as<int>(0) > 0)
                    ;
        }
        return "done";
    });
    CHECK(outcomes == std::vector<std::string>(workers, "done"));
    CHECK(database.run("SELECT FROM companion.scheduled_messages WHERE status = 'sent'").size() ==
          workers * rounds * users);
}
