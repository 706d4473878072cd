// Takes what users write, one update after the other, and answers.
#pragma once
#include "commands.hpp"
#include "writer.hpp"

class Receiver {
  public:
    Receiver(const Settings &settings, Stop &stop)
        : stop_(stop), database_(stop), telegram_(settings, stop), writer_(settings, database_),
          commands_(database_, telegram_) {}

    // Asks Telegram for updates, one by one: where one of several cannot be read, the answer cannot. Telegram lets one
    // at a time ask: of several workers the one that has this lock, until its session ends.
    void poll() {
        const char *lock = "SELECT pg_try_advisory_lock(hashtext('companion'), hashtext('getUpdates'))";
        Json wanted = {
            {"offset", 0}, {"limit", 1}, {"timeout", 50}, {"allowed_updates", {"message", "edited_message"}}};
        while (!stop_.is_requested())
            if (database_.call(lock)[0][0].as<bool>())
                take_next(telegram_.ask("getUpdates", wanted, 50), wanted["offset"]);
            else
                stop_.wait(std::chrono::seconds(2));
        if (wanted["offset"] != 0) // it has had updates, so it is the one that asks
            telegram_.ask("getUpdates", {{"offset", wanted["offset"]}, {"limit", 1}});
    }

    // Whether an update is done with; false: it is to be brought again
    bool take(const Json &update) try {
        if (update.contains("message"))
            return take_message(update["message"]);
        if (update.contains("edited_message"))
            take_edit(update["edited_message"]);
        return true;
    } catch (const NoText &error) {
        say(error.what());
        return false;
    } catch (const pqxx::sql_error &error) {
        say(std::string("an update: ") + error.what());
        const std::string kind(error.sqlstate().substr(0, 2));
        return kind == "22" || kind == "23";    // it would be refused again
    } catch (const pqxx::broken_connection &) { // while the bot ends
        throw;
    } catch (const std::exception &error) {
        say(std::string("an update that is not as expected: ") + error.what());
        return true;
    }

  private:
    // Moves the offset on, which confirms the update. One that fails holds up the others for half a minute at most.
    void take_next(const Reply &reply, Json &offset) {
        const Json update = at(reply.body, "/result/0");
        const Json id = reply.body.is_string() ? id_in(reply.body) : at(update, "/update_id");
        if (!id.is_number_integer()) // there is none
            return stop_.wait(std::chrono::milliseconds(100));
        const bool is_done = !update.is_null() && take(update);
        if (!is_done && !update.is_null() && times_brought_ < 5)
            return stop_.wait(std::chrono::seconds(1 << times_brought_++));
        if (!is_done)
            say("update " + id.dump() + (update.is_null() ? " cannot be read: it is skipped" : " is given up"));
        offset = id.get<long long>() + 1;
        times_brought_ = 0;
    }

    // The update's in an answer that cannot be read; null: there is none. Within a text these quotes would be escaped.
    static Json id_in(const std::string &answer) {
        const size_t place = answer.find("\"update_id\":");
        return place == std::string::npos ? Json() : Json(std::atoll(answer.c_str() + answer.find(':', place) + 1));
    }

    bool take_message(const Json &message) {
        if (message.at("chat").at("type") != "private")
            return true;
        const std::string chat = message.at("chat").at("id").dump(), text = text_of(message);
        if (text.empty() || text.front() == '/') // else record_incoming does it: who had blocked the bot is back
            database_.call(R"sql(
                SELECT FROM companion.addresses, companion.put_user(NULL, jsonb_build_object('telegram_user_id', address))
                WHERE channel = 'telegram' AND address = $1 AND unlinked_at IS NULL AND disabled_at IS NOT NULL)sql",
                chat);
        if (text.empty())
            return answer(chat, "I can read text only.");
        if (text.front() == '/')
            return answer(chat, commands_.run(message.at("from"), text));
        const long long replied_to = message.value("/reply_to_message/message_id"_json_pointer, 0LL);
        const pqxx::result recorded = database_.call(R"sql(
            SELECT user_id, conversation_id, message_id, NOT is_new AND EXISTS (
                SELECT FROM companion.messages AS m
                WHERE m.user_id = r.user_id AND reply_to_id = r.message_id AND role = 'assistant') AS is_answered
            FROM companion.record_incoming('telegram', $1, $2, telegram_message_id => $3,
                                           reply_to_telegram_id => nullif($4, 0)) AS r)sql",
            chat, text, message.at("message_id").get<long long>(), replied_to);
        if (recorded.empty())
            return answer(chat, "I do not know you yet. /start begins.");
        // One that is brought again may have been recorded by a bot that died before it answered
        return recorded[0]["is_answered"].as<bool>() || answer(chat, pqxx::row(recorded[0]));
    }

    static std::string text_of(const Json &message) { return message.value("text", message.value("caption", "")); }

    // Who dies between the two sends the answer again: to somebody who asked, a double is better than a miss
    bool answer(const std::string &chat, const pqxx::row &recorded) {
        const Written written = writer_.answer(recorded["user_id"].c_str());
        learn(recorded, written.facts);
        const Sent sent = telegram_.send_text(chat, written.text);
        if (!sent.ids.empty())
            database_.call(R"sql(
                SELECT companion.add_message($1, $2, 'assistant', $3, telegram_message_id => $4, reply_to_id => $5,
                                             address => $6, metadata => $7))sql",
                recorded["user_id"].c_str(), recorded["conversation_id"].c_str(), sent.text, sent.ids.front(),
                recorded["message_id"].c_str(), chat, sent.metadata.dump());
        return is_done_with(chat, sent);
    }

    bool answer(const std::string &chat, const std::string &text) {
        return text.empty() || is_done_with(chat, telegram_.send_text(chat, text));
    }

    // A fact says which message it is from: it goes with it, and does not come back once it is forgotten
    void learn(const pqxx::row &recorded, Json facts) try {
        if (!facts.is_array())
            return;
        if (facts.size() > 100)
            facts.erase(facts.begin() + 100, facts.end());
        for (Json &fact : facts)
            if (fact.is_object())
                fact["source_message_id"] = recorded["message_id"].c_str();
        database_.call("SELECT FROM companion.upsert_user_context_many($1, $2::text, 'skip')",
            recorded["user_id"].c_str(), dump(facts));
    } catch (const pqxx::sql_error &error) { // it costs no answer
        say(std::string("what the model has learned: ") + error.what());
    }

    void take_edit(const Json &message) {
        const std::string text = text_of(message);
        if (!text.empty() && text.front() != '/')
            database_.call(R"sql(
                SELECT companion.edit_message(user_id, NULL, $2, telegram_message_id => $3, address => address)
                FROM companion.addresses WHERE channel = 'telegram' AND address = $1 AND unlinked_at IS NULL)sql",
                message.at("chat").at("id").dump(), text, message.at("message_id").get<long long>());
    }

    bool is_done_with(const std::string &chat, const Sent &sent) {
        const auto [meaning, description, body, retry_after] = sent.reply;
        if (meaning != Reply::done)
            say("an answer: " + description);
        if (meaning == Reply::forbidden)
            stop_.request(token_refused);
        if (meaning == Reply::gone)
            database_.call(R"sql(
                SELECT companion.disable_address(user_id, channel, address, bot, $2) FROM companion.addresses
                WHERE channel = 'telegram' AND address = $1 AND unlinked_at IS NULL)sql",
                chat, description);
        if (meaning == Reply::throttled)
            database_.throttle(retry_after);
        stop_.wait(std::chrono::seconds(std::min(retry_after, 60))); // it may be of this chat alone
        const bool is_open = meaning == Reply::forbidden || meaning == Reply::throttled || meaning == Reply::failed;
        return !is_open || !sent.ids.empty();
    }

    Stop &stop_;
    Database database_;
    BotApi telegram_;
    Writer writer_;
    Commands commands_;
    int times_brought_ = 0; // the update at hand
};
