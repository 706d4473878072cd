// Sends what is due, each message once. docs/worker.md says why it does each thing.
#pragma once
#include "writer.hpp"

class Sender {
  public:
    Sender(const Settings &settings, Stop &stop)
        : settings_(settings), stop_(stop), database_(stop), telegram_(settings, stop), writer_(settings, database_) {}

    // A wrong token is found before anything is claimed. What becomes due by itself is announced by the next tick only.
    void run() {
        while (!stop_.is_requested() && telegram_.ask("getMe", Json::object()).meaning != Reply::done)
            ;
        while (!stop_.is_requested()) {
            is_throttled_ = false;
            database_.call("LISTEN companion"); // the connection may be another
            const pqxx::result messages = database_.call(R"sql(
                SELECT user_id, message_id, attempt, bot, address, content, generation_context
                FROM companion.claim_messages($1, 10, channels => '{telegram}'))sql",
                settings_.worker);
            for (const auto &message : messages)
                deliver(pqxx::row(message));
            if (messages.empty())
                database_.wait(std::exchange(longest_wait_, std::chrono::minutes(1)));
        }
    }

  private:
    void deliver(const pqxx::row &message) {
        Written written;
        if (stop_.is_requested() || is_throttled_)
            ask(message, "SELECT companion.release_message($1, $2, $3)");
        else if (write(message, written) && start(message))
            report(message, telegram_.send_text(message["address"].c_str(), written.text), written.asks);
    }

    // Before start_send, since it may be done twice. False where there is no text, or it is another's to send.
    bool write(const pqxx::row &message, Written &written) try {
        written.text = message["content"].c_str();
        if (!message["content"].is_null())
            return true;
        if (writer_.is_slow() && !ask(message, "SELECT companion.extend_lease($1, $2, $3)")[0][0].as<bool>())
            return false;
        written = writer_.checkin(message["user_id"].c_str(), message["generation_context"].c_str());
        return true;
    } catch (const NoText &error) {
        mark_failed(message, {Reply::failed, error.what()});
        return false;
    }

    // The point of no return. NULL, the channel's rate is used up: after a second the message is another's.
    bool start(const pqxx::row &message) {
        for (int i = 0; i < 10; ++i) {
            const pqxx::result answer = ask(message, "SELECT companion.start_send($1, $2, $3)");
            if (!answer[0][0].is_null())
                return answer[0][0].as<bool>();
            std::this_thread::sleep_for(std::chrono::milliseconds(100));
        }
        ask(message, "SELECT companion.release_message($1, $2, $3)");
        return false;
    }

    void report(const pqxx::row &message, const Sent &sent, const std::string &asks) {
        const Reply &reply = sent.reply;
        if (reply.meaning != Reply::done)
            say(std::string("message ") + message["message_id"].c_str() + ": " + reply.description);
        if (reply.meaning == Reply::forbidden)
            stop_.request(token_refused);
        if (reply.meaning == Reply::throttled) { // all workers of the bot wait
            is_throttled_ = true;
            longest_wait_ = std::min(longest_wait_, std::chrono::seconds(reply.retry_after));
            database_.throttle(reply.retry_after, message["bot"].c_str());
        }
        if (!sent.ids.empty()) // it is out, or some of it, so it must not come again
            ask(message, R"sql(
                SELECT companion.mark_sent($1, $2, $3, $4, telegram_message_id => $5, metadata => $6,
                                           resolves => array_remove(ARRAY[nullif($7, '')::uuid], NULL)))sql",
                sent.text, sent.ids.front(), sent.metadata.dump(), asks);
        else if (reply.meaning != Reply::unknown) // then it may be out: no report, and maintenance calls it unknown
            mark_failed(message, reply);
    }

    // A retry_after costs no try, as befits what is no fault of the message: a 429, or a wrong token
    void mark_failed(const pqxx::row &message, const Reply &reply) {
        ask(message, R"sql(
            SELECT companion.mark_failed($1, $2, $3, $4, retry_after => nullif($5::int, 0) * interval '1 second',
                                         permanent => $6, address_gone => $7))sql",
            reply.description, reply.meaning == Reply::forbidden ? 60 : reply.retry_after,
            reply.meaning == Reply::refused, reply.meaning == Reply::gone);
    }

    template <typename... Arguments>
    pqxx::result ask(const pqxx::row &message, const char *statement, const Arguments &...arguments) {
        return database_.call(statement, message["user_id"].c_str(), message["message_id"].c_str(),
            message["attempt"].as<int>(), arguments...);
    }

    const Settings &settings_;
    Stop &stop_;
    Database database_;
    BotApi telegram_;
    Writer writer_;
    bool is_throttled_ = false; // so the rest of the claim is given back
    std::chrono::seconds longest_wait_ = std::chrono::minutes(1);
};
