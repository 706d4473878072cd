// What users tell the bot by commands. Each may be brought twice, and is then done twice, to the same end.
#pragma once
#include "bot_api.hpp"
#include "database.hpp"

class Commands {
  public:
    Commands(Database &database, BotApi &telegram) : database_(database), telegram_(telegram) {}

    // Returns what is to be said, if anything. A command is not recorded: what follows /start is a secret.
    std::string run(const Json &from, const std::string &text) try {
        const size_t space = std::min(text.find_first_of(" \t\n"), text.size());
        const std::string command = text.substr(0, std::min(space, text.find('@')));
        const std::string argument = trimmed(text.substr(space)), address = from.at("id").dump();
        if (command == "/start")
            return argument.empty() ? begin(from) : link(from, argument);
        const std::string user_id = user_of(address);
        if (user_id.empty())
            return "I do not know you yet. /start begins.";
        const auto until = [&] { return argument.empty() ? "infinity" : days_from_now(argument); };
        return command == "/time"       ? put(user_id, {{"checkin_time", time_of(argument)}})
               : command == "/timezone" ? put(user_id, {{"timezone", argument}})
               : command == "/pause"    ? put(user_id, {{"checkin_paused_until", until()}})
               : command == "/resume"   ? put(user_id, {{"checkin_paused_until", nullptr}})
               : command == "/stop"     ? stop_writing(user_id)
               : command == "/forget"   ? forget(user_id, argument)
               : command == "/export"   ? send_export(user_id, address)
                                        : help;
    } catch (const pqxx::sql_error &error) {
        if (error.sqlstate() == "53400")
            return "That was tried too often. Wait a minute.";
        if (const std::string state(error.sqlstate()); state != "22023" && state != "22P02" && state != "22003")
            throw;
        return std::string("I do not understand that. For example:\n") + help;
    }

    // Whose an address is; empty: nobody's
    std::string user_of(const std::string &address) {
        const pqxx::result user = database_.call("SELECT user_id FROM companion.addresses WHERE channel = 'telegram' "
                                                 "AND address = $1 AND unlinked_at IS NULL",
            address);
        return user.empty() ? "" : user[0][0].c_str();
    }

  private:
    static constexpr const char *help =
        "/time 08:30 - when I write\n/timezone Europe/Lisbon - where you are\n/pause 7 - for seven days\n"
        "/pause - until /resume\n/stop - I do not write first any more\n/export - all that I have of you\n/forget";

    // The token is bound as a parameter: with log_parameter_max_length = 0 no log shows it
    std::string link(const Json &from, const std::string &token) {
        const pqxx::result redeemed =
            database_.call("SELECT outcome FROM companion.redeem_telegram_link_token($1, $2, nullif($3, ''))", token,
                from.at("id").get<long long>(), from.value("username", ""));
        const std::string outcome = redeemed[0][0].c_str();
        return outcome == "linked"  ? "Welcome! We are connected."
               : outcome == "taken" ? "This account is another user's. Unlink it there first."
                                    : "This link is no longer valid. Get a new one in the app.";
    }

    // Who is new is given all that check-ins need; of who is known no more is named than is to be changed
    std::string begin(const Json &from) {
        Json settings = {{"telegram_user_id", from.at("id")}, {"telegram_username", from.value("username", "")}};
        if (user_of(from.at("id").dump()).empty())
            settings.update({{"display_name", from.value("first_name", "")}, {"timezone", "UTC"},
                {"checkin_time", "09:00"}, {"onboarding_completed_at", days_from_now("0")}});
        for (const char *name : {"telegram_username", "display_name"})
            if (settings.value(name, "").empty())
                settings.erase(name);
        const char *put = "SELECT checkin_time IS NULL FROM companion.put_user(NULL, $1)";
        const bool is_stopped = database_.call(put, dump(settings))[0][0].as<bool>();
        return std::string(is_stopped ? "Hello! I do not write first.\n" : "Hello! I write once a day.\n") + help;
    }

    // 8 and 8:30 are times as well
    static std::string time_of(const std::string &text) {
        const std::string time = text.find(':') == std::string::npos ? text + ":00" : text;
        return time.find(':') == 1 ? "0" + time : time;
    }

    std::string put(const std::string &user_id, const Json &settings) {
        database_.call("SELECT FROM companion.put_user($1, $2)", user_id, dump(settings));
        return "It is noted.";
    }

    std::string days_from_now(const std::string &days) {
        return database_.call("SELECT companion.now() + ('0' || $1)::smallint * interval '1 day'", days)[0][0].c_str();
    }

    // No more check-ins, and what was scheduled does not go
    std::string stop_writing(const std::string &user_id) {
        database_.call(R"sql(
            SELECT companion.cancel_messages(id, reason => 'the user said /stop')
            FROM companion.put_user($1, '{"checkin_time": null}'))sql",
            user_id);
        return "I do not write first any more. /time 08:30 begins again, /forget erases.";
    }

    // What is a person's own right, a worker has no right to: these are done in the user's name
    std::string forget(const std::string &user_id, const std::string &what) {
        if (what != "memories" && what != "everything")
            return "/forget memories - what I know of you\n/forget everything - messages too. There is no way back.";
        const char *erase = "SELECT companion.erase_user($1::uuid) FROM set_config('companion.user_id', $1, true)";
        database_.call(what == "everything" ? erase : "SELECT companion.forget_user_context($1)", user_id);
        return "It is forgotten.";
    }

    std::string send_export(const std::string &user_id, const std::string &address) {
        const pqxx::result all = database_.call(R"sql(
            SELECT jsonb_pretty(companion.export_user($1::uuid)) FROM set_config('companion.user_id', $1, true))sql",
            user_id);
        const Reply reply = telegram_.send_document(address, "companion.json", all[0][0].c_str());
        return reply.meaning == Reply::done ? "" : "That did not work. Try again later.";
    }

    Database &database_;
    BotApi &telegram_;
};
