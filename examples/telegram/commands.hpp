// What users tell the bot by commands. Each may be brought twice, and is then done twice, to the same end.
#pragma once

#include "bot_api.hpp"
#include "database.hpp"

#include <map>

class Commands {
  public:
    Commands(Database &database, BotApi &telegram) : database_(database), telegram_(telegram) {}

    // Returns what is to be said; may be nothing. A command is not recorded: what follows /start is a secret.
    std::string run(const Json &from, const std::string &text)
    {
        const size_t space = text.find_first_of(white_space);
        const std::string command = text.substr(0, std::min(space, text.find('@')));
        const std::string argument = space == std::string::npos ? "" : trimmed(text.substr(space));
        if (command == "/start")
            return argument.empty() ? begin(from) : link(from, argument);
        const std::string address = from.at("id").dump(), user_id = user_of(address);
        if (user_id.empty())
            return "I do not know you yet. /start begins.";
        if (command == "/time")
            return put(user_id, {{"checkin_time", argument}}, "I write at " + argument + ".");
        if (command == "/timezone")
            return put(user_id, {{"timezone", argument}}, "Your clock is that of " + argument + ".");
        if (command == "/pause")
            return pause(user_id, argument);
        if (command == "/resume")
            return put(user_id, {{"checkin_paused_until", nullptr}}, "I am back.");
        if (command == "/stop")
            return stop_writing(user_id);
        if (command == "/forget")
            return forget(user_id, argument);
        return command == "/export" ? send_export(user_id, address) : help;
    }

    // Whose an address is; empty: nobody's
    std::string user_of(const std::string &address)
    {
        const pqxx::result user = database_.call(R"sql(
            SELECT user_id FROM companion.addresses
            WHERE channel = 'telegram' AND address = $1 AND unlinked_at IS NULL)sql", address);
        return user.empty() ? "" : user[0][0].c_str();
    }

  private:
    static constexpr const char *help =
        "/time 08:30 - when I write\n/timezone Europe/Lisbon - where you are\n"
        "/pause 7 - for seven days\n/pause - until /resume\n/stop - I do not write first any more\n"
        "/export - all that I have of you\n/forget";

    // The token is bound as a parameter, so that no log shows it
    std::string link(const Json &from, const std::string &token)
    try {
        const pqxx::result redeemed = database_.call(
            "SELECT outcome FROM companion.redeem_telegram_link_token($1, $2, $3)", token,
            from.at("id").get<long long>(), or_null(from.value("username", "")));
        const std::string outcome = redeemed[0][0].c_str();
        return outcome == "linked"  ? "Welcome! We are connected."
               : outcome == "taken" ? "This account is another user's. Unlink it there first."
                                    : "This link is no longer valid. Get a new one in the app.";
    } catch (const pqxx::sql_error &error) {
        if (error.sqlstate() != "53400")
            throw;
        return "That was tried too often. Wait a minute.";
    }

    // Who is new is given all that check-ins need; of who is known no more is named than is to be changed
    std::string begin(const Json &from)
    {
        Json settings = {{"telegram_user_id", from.at("id")}};
        if (from.contains("username"))
            settings["telegram_username"] = from["username"];
        if (user_of(from.at("id").dump()).empty())
            settings.update({{"display_name", from.at("first_name")},
                             {"timezone", "UTC"},
                             {"checkin_time", "09:00"},
                             {"onboarding_completed_at", database_.call("SELECT companion.now()")[0][0].c_str()}});
        database_.call("SELECT FROM companion.put_user(NULL, $1)", dump(settings));
        return std::string("Hello! I write to you once a day.\n") + help;
    }

    std::string put(const std::string &user_id, const Json &settings, const std::string &said)
    try {
        database_.call("SELECT FROM companion.put_user($1, $2)", user_id, dump(settings));
        return said;
    } catch (const pqxx::sql_error &error) {
        if (error.sqlstate() != "22023")
            throw;
        return std::string("I do not understand that. For example:\n") + help;
    }

    std::string pause(const std::string &user_id, const std::string &days)
    {
        if (days.empty())
            return put(user_id, {{"checkin_paused_until", "infinity"}}, "I wait for /resume.");
        const pqxx::result until = database_.call(
            "SELECT companion.now() + substring($1 FROM '^[0-9]{1,3}$')::int * interval '1 day'", days);
        return put(user_id, {{"checkin_paused_until", until[0][0].is_null() ? days : until[0][0].c_str()}},
                   "I am quiet for " + days + " days.");
    }

    // No more check-ins, and what was scheduled does not go
    std::string stop_writing(const std::string &user_id)
    {
        database_.at_once(R"sql(SELECT FROM companion.put_user($1, '{"checkin_time": null}'))sql",
                          "SELECT companion.cancel_messages($1, reason => 'the user said /stop')", user_id);
        return "I do not write first any more. /time 08:30 begins again, /forget erases.";
    }

    std::string forget(const std::string &user_id, const std::string &what)
    {
        if (what == "memories") {
            as_user(user_id, "SELECT companion.forget_user_context($1)");
            return "I remember nothing of you now.";
        }
        if (what == "everything") {
            as_user(user_id, "SELECT companion.erase_user($1)");
            return "All that I had of you is erased. Goodbye!";
        }
        return "/forget memories - what I know of you\n/forget everything - messages too. There is no way back.";
    }

    std::string send_export(const std::string &user_id, const std::string &address)
    {
        const pqxx::result exported = as_user(user_id, "SELECT jsonb_pretty(companion.export_user($1))");
        const Reply reply = telegram_.send_document(address, "companion.json", exported[0][0].c_str());
        return reply.meaning == Reply::done ? "" : "That did not work. Try again later.";
    }

    // What is a person's own right, a worker has no right to: it is done in their name
    pqxx::result as_user(const std::string &user_id, const char *statement)
    {
        return database_.at_once(
            "SELECT set_config('request.jwt.claims', jsonb_build_object('sub', $1::text)::text, true)", statement,
            user_id);
    }

    Database &database_;
    BotApi &telegram_;
};
