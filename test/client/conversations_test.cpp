// Conversations as a webhook, a web client and a worker see them.

#include "database.hpp"

#include "catch2.hpp"

#include <future>
#include <optional>
#include <vector>

namespace {

// A user who is known to Telegram
std::string add_telegram_user(Database &database, const std::string &name, long telegram_user_id)
{
    const std::string user = database.add_user(name);
    database.run("UPDATE companion.users SET telegram_user_id = $2 WHERE id = $1", user,
                 telegram_user_id);
    return user;
}

std::string open_conversation(Database &database, const std::string &user)
{
    return database.run("SELECT companion.open_conversation($1, 'web')", user)[0][0].c_str();
}

} // namespace

TEST_CASE("a webhook records an update once, by one prepared statement", "[tables]")
{
    Database database;
    const std::string user = add_telegram_user(database, "Maya", 100);
    database.connection.prepare("incoming",
                                "SELECT * FROM companion.record_incoming($1, $2, $3, $4, $5, $6)");
    pqxx::work transaction(database.connection);
    const auto receive = [&](long id, const char *content, std::optional<long> reply_to) {
        return transaction.exec_prepared1("incoming", "telegram", "100", content, id, reply_to,
                                          R"({"language": "en"})");
    };
    const pqxx::row first = receive(1, "hello", {}), again = receive(1, "hello", {}),
                    answer = receive(2, "still there?", 1);
    CHECK(first["user_id"].c_str() == user);
    CHECK(first["is_new"].as<bool>());
    CHECK_FALSE(again["is_new"].as<bool>());
    CHECK(again["message_id"].as<std::string>() == first["message_id"].as<std::string>());
    CHECK(answer["conversation_id"].as<std::string>() ==
          first["conversation_id"].as<std::string>());

    const pqxx::result messages =
        transaction.exec_params("SELECT * FROM companion.recent_messages($1)", user);
    REQUIRE(messages.size() == 2);
    CHECK(messages[0]["content"].as<std::string>() == "still there?");
    CHECK(messages[0]["reply_to_id"].as<std::string>() == first["message_id"].as<std::string>());
    CHECK(transaction.exec_params("SELECT * FROM companion.record_incoming('telegram', '9', 'hi')")
              .empty());
}

TEST_CASE("a webhook names its bot and the messenger's own id")
{
    Database database;
    const std::string user = database.add_user("Maya");
    database.run("SELECT companion.link_address($1, 'whatsapp', '+14155550100')", user);
    database.become_worker();
    const std::string incoming = "SELECT * FROM companion.record_incoming('whatsapp', $1, $2,"
                                 " bot => $3, external_id => $4, reply_to_external_id => $5)";
    const std::string edit = "SELECT companion.edit_message($1, NULL, $2, bot => 'shop',"
                             " external_id => $3, channel => 'whatsapp')";
    const auto receive = [&](const char *content, const char *id, const char *reply_to) {
        return pqxx::row(database.run(incoming, "14155550100", content, "shop", id, reply_to)[0]);
    };
    CHECK(database.run(edit, user, "I planted basil", "wamid.2")[0][0].is_null());
    const pqxx::row first = receive("hello", "wamid.1", nullptr),
                    again = receive("hello", "wamid.1", nullptr),
                    other = receive("good morning", "wamid.1", nullptr);
    CHECK(first["is_new"].as<bool>());
    CHECK_FALSE(again["is_new"].as<bool>());
    CHECK(again["message_id"].as<std::string>() == first["message_id"].as<std::string>());
    CHECK(other["is_new"].as<bool>());
    receive("I planted basli", "wamid.2", "wamid.1");
    CHECK(database.error_of(incoming, "14155550100", "hello", "shop", "", nullptr) == "22023");

    const pqxx::row message(
        database.run("SELECT * FROM companion.recent_messages($1, 1)", user)[0]);
    CHECK(message["content"].as<std::string>() == "I planted basil");
    CHECK(message["external_id"].as<std::string>() == "wamid.2");
    CHECK(message["bot"].as<std::string>() == "shop");
    CHECK(message["address"].as<std::string>() == "+14155550100");
    CHECK(message["reply_to_id"].as<std::string>() == other["message_id"].as<std::string>());
}

TEST_CASE("many deliveries of one update at once store one message", "[tables]")
{
    Database database;
    add_telegram_user(database, "Diego", 200);
    std::vector<std::future<std::string>> deliveries;
    for (int delivery = 0; delivery < 8; delivery++)
        deliveries.push_back(std::async(std::launch::async, [] {
            pqxx::connection connection(test_address());
            pqxx::nontransaction transaction(connection);
            const pqxx::row row = transaction.exec1(
                "SELECT * FROM companion.record_incoming('telegram', '200', 'hello', 7)");
            return row["conversation_id"].as<std::string>() + row["message_id"].as<std::string>();
        }));
    const std::string first = deliveries[0].get();
    for (std::size_t delivery = 1; delivery < deliveries.size(); delivery++)
        CHECK(deliveries[delivery].get() == first);
    CHECK(database.run("SELECT count(*) FROM companion.messages")[0][0].as<int>() == 1);
    CHECK(database.run("SELECT count(*) FROM companion.conversations")[0][0].as<int>() == 1);
}

TEST_CASE("pages follow each other without a gap while messages come in")
{
    Database database;
    const std::string user = database.add_user("Sita");
    const std::string conversation = open_conversation(database, user);
    const auto add = [&](int number) {
        database.run("SELECT companion.add_message($1, $2, 'user', $3)", user, conversation,
                     std::to_string(number));
    };
    for (int number = 1; number <= 10; number++)
        add(number);
    std::optional<std::string> before;
    for (int expected = 10; expected > 0; expected -= 3) {
        const pqxx::result page =
            database.run("SELECT id, content FROM companion.recent_messages($1, 3, $2, $3)", user,
                         conversation, before);
        REQUIRE(static_cast<int>(page.size()) == std::min(3, expected));
        for (int place = 0; place < static_cast<int>(page.size()); place++)
            CHECK(page[place]["content"].as<int>() == expected - place);
        before = page[page.size() - 1]["id"].as<std::string>();
        add(100 + expected);
    }
}

TEST_CASE("a web client adds and reads its own messages, and nobody else's", "[tables]")
{
    Database database;
    const std::string maya = database.add_user("Maya"), diego = database.add_user("Diego");
    const std::string theirs = open_conversation(database, diego);
    database.become_user(maya);
    const std::string own = open_conversation(database, maya);
    const std::string add = "SELECT companion.add_message($1, $2, $3, 'tomatoes')";
    CHECK(database.error_of(add, maya, own, "user").empty());
    CHECK(database.error_of(add, maya, own, "assistant") == "42501");
    CHECK(database.error_of(add, maya, own, "system") == "42501");
    CHECK(database.error_of(add, maya, theirs, "user") == "23503");
    CHECK(database.error_of(add, diego, theirs, "user") == "42501");
    CHECK(database.run("SELECT * FROM companion.search_messages($1, 'tomatoes')", maya).size() ==
          1);
    database.become_user(diego);
    CHECK(database.error_of("SELECT * FROM companion.search_messages($1, 'tomatoes')", maya) ==
          "42501");
    CHECK(database.run("SELECT * FROM companion.recent_messages($1)", maya).empty());
    CHECK(database.run("SELECT * FROM companion.messages").empty());
}

TEST_CASE("a role taken back takes the rights with it")
{
    Database database;
    const std::string maya = database.add_user("Maya"), diego = database.add_user("Diego");
    const std::string conversation = open_conversation(database, diego);
    const std::string add = "SELECT companion.add_message($1, $2, 'assistant', 'hi')";
    database.become_worker();
    CHECK(database.error_of(add, diego, conversation).empty());
    database.become_user(maya);
    CHECK(database.error_of(add, diego, conversation) == "42501");
    database.become_worker();
    CHECK(database.error_of(add, diego, conversation).empty());
}

TEST_CASE("an error inside leaves the caller with the caller's rights", "[tables]")
{
    Database database;
    const std::string maya = database.add_user("Maya");
    database.become_user(maya);
    // The foreign key refuses it while the function has the owner's rights
    const std::string failing =
        "SELECT companion.add_message('" + maya + "', '" + maya + "', 'user', 'hi')";
    CHECK(database.error_of(failing) == "23503");
    CHECK(database.error_of("UPDATE companion.messages SET content = 'x'") == "42501");
    CHECK(database.error_of("DO $$ BEGIN PERFORM " + failing.substr(7) +
                            "; EXCEPTION WHEN OTHERS THEN"
                            " DELETE FROM companion.messages; END $$") == "42501");
    CHECK(database.run("SELECT current_user")[0][0].as<std::string>() == "companion_user");
}

TEST_CASE("any text is a query")
{
    Database database;
    const std::string user = database.add_user("Amina");
    database.run("SELECT companion.add_message($1, $2, 'user', 'it''s a \"quoted\" 🎉 word')", user,
                 open_conversation(database, user));
    const std::string search = "SELECT * FROM companion.search_messages($1, $2)";
    for (const char *query : {"", " ", "'", "\"", "\"\"", "& | !", "(:*", "<->", "🎉", "\\", "%",
                              "-", "or", "\"quoted", "a:A*"})
        CHECK(database.error_of(search, user, query).empty());
    CHECK(database.run(search, user, "quoted word").size() == 1);
    CHECK(database.error_of(search, user, std::string(1 << 20, 'a')) == "22023");
}
