// A user's settings as a bot and an app change them: with bound parameters.

#include "at_once.hpp"
#include "database.hpp"

#include "catch2.hpp"

#include <set>
#include <string>

namespace {

const std::string put = "SELECT * FROM companion.put_user($1, $2)";
const std::string count_users = "SELECT count(*) FROM companion.users";

// The field that an error of put_user is about, and its SQLSTATE
template <typename... Arguments>
std::string refusal(Database &database, const std::string &field, const Arguments &...arguments)
{
    try {
        database.run(put, arguments...);
    } catch (const pqxx::sql_error &error) {
        return std::string(error.what()).find("\"" + field + "\"") == std::string::npos
                   ? error.what()
                   : field;
    }
    return "taken";
}

} // namespace

TEST_CASE("a bot's first /start makes a user, and its commands change one", "[tables]")
{
    Database bot;
    bot.become_worker();
    const std::string start = R"({"telegram_user_id": 111, "display_name": "Ana \u2764 \"A\"",
        "timezone": "Europe/Lisbon", "onboarding_completed_at": "2026-03-02T09:00:00Z"})";
    const std::string user = bot.run(put, nullptr, start)[0]["id"].c_str();
    CHECK(bot.run(put, nullptr, start)[0]["id"].c_str() == user);
    CHECK(bot.run(count_users)[0][0].as<int>() == 1);

    const pqxx::result changed =
        bot.run(put, user, R"({"checkin_time": "08:30", "checkin_days": [1, 3, 5]})");
    CHECK(changed[0]["display_name"].as<std::string>() == "Ana \u2764 \"A\"");
    CHECK(changed[0]["checkin_time"].as<std::string>() == "08:30:00");
    CHECK(changed[0]["checkin_days"].as<std::string>() == "{1,3,5}");
    CHECK(bot.run(put, user, R"({"checkin_time": null})")[0]["checkin_time"].is_null());
    CHECK(bot.run("SELECT (companion.put_user($1, $2)).app_data ->> 'stripe_id'", user,
                  R"({"app_data": {"stripe_id": "cus_1"}})")[0][0]
              .as<std::string>() == "cus_1");
}

TEST_CASE("an app's user changes their own settings, and no other's")
{
    Database app;
    const std::string user = app.add_user("Maya"), other = app.add_user("Diego");
    app.become_user(user);
    CHECK(app.run(put, user, R"({"timezone": "asia/tokyo"})")[0]["timezone"].as<std::string>() ==
          "Asia/Tokyo");
    CHECK(app.error_of(put, other, R"({"timezone": "UTC"})") == "42501");
    CHECK(app.error_of(put, nullptr, R"({"telegram_user_id": 1})") == "22004");
    CHECK(app.error_of(put, user, R"({"app_data": {}})") == "42501");
    CHECK(app.error_of(put, user, R"({"nickname": "M"})") == "22023");
    CHECK(app.error_of(put, user, "[]") == "22023");
    CHECK(app.error_of(put, user, "{") == "22P02");
    CHECK(refusal(app, "app_data", user, R"({"app_data": {}})") == "app_data");
    CHECK(refusal(app, "timezone", user, R"({"timezone": "Moon/Base"})") == "timezone");
    CHECK(refusal(app, "nickname", user, R"({"nickname": "M"})") == "nickname");
}

TEST_CASE("of many first /start at once one user comes", "[tables]")
{
    constexpr int clients = 8;
    Database database;
    const auto users = at_once(clients, [&](int client, pqxx::nontransaction &transaction) {
        const std::string start =
            R"({"telegram_user_id": 222, "location": ")" + std::to_string(client) + R"("})";
        return transaction.exec_params1(put, nullptr, start)["id"].c_str();
    });
    CAPTURE(users);
    CHECK(std::set(users.begin(), users.end()).size() == 1);
    CHECK(database.run(count_users)[0][0].as<int>() == 1);
}

TEST_CASE("an erased user with a living token does not come back")
{
    Database app;
    const std::string user = app.add_user("Noor");
    app.become_user(user);
    app.run("SELECT companion.erase_user()");
    CHECK(app.error_of(put, user, R"({"display_name": "Noor"})") == "23503");
    app.become_worker();
    CHECK(app.error_of(put, user, R"({"display_name": "Noor"})") == "23503");
}
