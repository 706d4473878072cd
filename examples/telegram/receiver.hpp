// Takes what users write, one update after the other, and answers.
#pragma once

#include "commands.hpp"
#include "writer.hpp"

class Receiver {
  public:
    Receiver(const Settings &settings, Stop &stop)
        : stop_(stop), database_(stop), telegram_(settings), writer_(settings, database_),
          commands_(database_, telegram_)
    {
    }

    // Asks Telegram for updates until it is told to stop: there is nothing to expose
    void poll()
    {
        long long offset = 0; // which confirms all before it
        while (!stop_.is_requested()) {
            const Reply reply = may_poll() ? telegram_.get_updates(offset, stop_) : Reply{};
            if (reply.result.is_array())
                offset = take_all(reply.result, offset);
            else
                wait_after(reply);
        }
        if (offset > 0)
            telegram_.call("getUpdates", {{"offset", offset}, {"limit", 1}});
    }

    // Whether an update is done with; false: it is to be brought again
    bool take(const Json &update)
    try {
        pause_ = std::chrono::seconds(1);
        if (update.contains("message"))
            return take_message(update["message"]);
        if (update.contains("edited_message"))
            take_edit(update["edited_message"]);
        return true;
    } catch (const Json::exception &error) {
        say(std::string("an update that is not as expected: ") + error.what());
        return true;
    } catch (const pqxx::broken_connection &) {
        database_.connect_again();
        return false;
    } catch (const pqxx::sql_error &error) {
        say(std::string("an update: ") + error.what());
        const std::string kind = error.sqlstate().substr(0, 2); // 22, 23: it will be refused again
        return kind == "22" || kind == "23";
    } catch (const std::runtime_error &error) { // there is no text
        say(error.what());
        return false;
    }

    // Tells Telegram where updates are to go, and that polling has an end
    void set_webhook(const Settings &settings)
    {
        wait_after(telegram_.call("setWebhook", {{"url", settings.webhook_url},
                                                 {"secret_token", settings.webhook_secret},
                                                 {"allowed_updates", BotApi::updates()}}));
    }

  private:
    // Telegram lets one at a time ask: of several workers the one that has this lock, until its session ends
    bool may_poll()
    try {
        return database_.call("SELECT pg_try_advisory_lock(hashtext('companion'), hashtext('getUpdates'))")[0][0]
            .as<bool>();
    } catch (const pqxx::broken_connection &) {
        database_.connect_again();
        return false;
    }

    long long take_all(const Json &updates, long long offset)
    {
        for (const Json &update : updates) {
            const bool is_done = !stop_.is_requested() && take(update);
            if (!is_done && ++times_brought_ < 5) { // so that one does not hold up all others for ever
                stop_.wait(pause_);
                return offset;
            }
            if (!is_done)
                say("update " + update.at("update_id").dump() + " is given up");
            offset = update.at("update_id").get<long long>() + 1;
            times_brought_ = 0;
        }
        return offset;
    }

    void wait_after(const Reply &reply)
    {
        if (!reply.description.empty() && !stop_.is_requested())
            say("getUpdates: " + reply.description);
        if (reply.meaning == Reply::forbidden)
            stop_.request(token_refused);
        if (reply.meaning != Reply::done || !reply.result.is_null()) // 409: sending goes on meanwhile
            stop_.wait(std::chrono::seconds(reply.meaning == Reply::conflict ? 30 : std::max(1, reply.retry_after)));
    }

    bool take_message(const Json &message)
    {
        const std::string text = message.value("text", message.value("caption", ""));
        if (message.at("chat").at("type") != "private")
            return true;
        const std::string chat = message.at("chat").at("id").dump();
        if (text.empty())
            return answer(chat, "I can read text only.");
        if (text.front() == '/')
            return answer(chat, commands_.run(message.at("from"), text));
        const pqxx::result recorded = record(chat, message, text);
        if (recorded.empty())
            return answer(chat, "I do not know you yet. /start begins.");
        return is_answered(recorded[0]) || answer(chat, recorded[0]);
    }

    pqxx::result record(const std::string &chat, const Json &message, const std::string &text)
    {
        const Json replied_to = message.value("/reply_to_message/message_id"_json_pointer, Json());
        return database_.call(R"sql(
            SELECT user_id, conversation_id, message_id, is_new
            FROM companion.record_incoming('telegram', $1, $2, telegram_message_id => $3, reply_to_telegram_id => $4)
            )sql", chat, text, message.at("message_id").get<long long>(),
                              or_null(replied_to.is_null() ? "" : replied_to.dump()));
    }

    // One that is brought again may have been recorded by a bot that died before it answered
    bool is_answered(const pqxx::row &recorded)
    {
        return !recorded["is_new"].as<bool>() && !database_.call(R"sql(
            SELECT FROM companion.messages WHERE user_id = $1 AND reply_to_id = $2 AND role = 'assistant')sql",
            recorded["user_id"].c_str(), recorded["message_id"].c_str()).empty();
    }

    // Who dies between the two sends the answer again: to somebody who asked, a double is better than a miss
    bool answer(const std::string &chat, const pqxx::row &recorded)
    {
        const Written written = writer_.answer(recorded["user_id"].c_str());
        learn(recorded, written.facts);
        const Sent sent = telegram_.send_text(chat, written.text);
        if (!sent.ids.empty())
            database_.insist(R"sql(
                SELECT companion.add_message($1, $2, 'assistant', $3, telegram_message_id => $4, reply_to_id => $5,
                                             address => $6, metadata => $7))sql",
                             recorded["user_id"].c_str(), recorded["conversation_id"].c_str(), sent.text,
                             sent.ids.front(), recorded["message_id"].c_str(), chat, sent.metadata());
        return is_done_with(chat, sent);
    }

    // Without recording it
    bool answer(const std::string &chat, const std::string &text)
    {
        return text.empty() || is_done_with(chat, telegram_.send_text(chat, text));
    }

    // A fact says which message it is from: it goes with it, and does not come back once it is forgotten
    void learn(const pqxx::row &recorded, Json facts)
    {
        if (!facts.is_array() || facts.empty())
            return;
        for (Json &fact : facts)
            if (fact.is_object())
                fact["source_message_id"] = recorded["message_id"].c_str();
        database_.call("SELECT FROM companion.upsert_user_context_many($1, $2::text, 'skip')",
                       recorded["user_id"].c_str(), dump(facts));
    }

    void take_edit(const Json &message)
    {
        const std::string chat = message.at("chat").at("id").dump(), user_id = commands_.user_of(chat);
        const std::string text = message.value("text", message.value("caption", ""));
        if (!user_id.empty() && !text.empty() && text.front() != '/')
            database_.call("SELECT companion.edit_message($1, NULL, $2, telegram_message_id => $3, address => $4)",
                           user_id, text, message.at("message_id").get<long long>(), chat);
    }

    bool is_done_with(const std::string &chat, const Sent &sent)
    {
        const Reply &reply = sent.reply;
        const std::string user_id = reply.meaning == Reply::gone ? commands_.user_of(chat) : "";
        pause_ = std::chrono::seconds(std::max(1, reply.retry_after));
        if (reply.meaning != Reply::done)
            say("an answer: " + reply.description);
        if (reply.meaning == Reply::forbidden)
            stop_.request(token_refused);
        if (!user_id.empty())
            database_.call("SELECT companion.disable_address($1, 'telegram', $2, reason => $3)", user_id, chat,
                           reply.description);
        if (reply.meaning == Reply::throttled)
            database_.call("SELECT companion.throttle_channel('telegram', $1::int * interval '1 second', '')",
                           reply.retry_after);
        return !sent.ids.empty() || (reply.meaning != Reply::throttled && reply.meaning != Reply::failed &&
                                     reply.meaning != Reply::forbidden);
    }

    Stop &stop_;
    Database database_;
    BotApi telegram_;
    Writer writer_;
    Commands commands_;
    int times_brought_ = 0;                      // the update at hand
    std::chrono::milliseconds pause_{1000};      // until it is to be brought again
};
