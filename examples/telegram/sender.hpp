// Sends what is due, each message once. docs/worker.md says why it does each thing.
#pragma once

#include "bot_api.hpp"
#include "database.hpp"
#include "writer.hpp"

class Sender {
  public:
    Sender(const Settings &settings, Stop &stop)
        : settings_(settings), stop_(stop), database_(stop), telegram_(settings), writer_(settings, database_)
    {
    }

    void run()
    {
        database_.listen();
        while (!stop_.is_requested())
            try {
                take_turn();
            } catch (const pqxx::broken_connection &) {
                database_.connect_again();
            }
    }

  private:
    // What becomes due by itself, a retry for one, is announced by the next tick only: no long wait
    void take_turn()
    {
        is_throttled_ = false;
        const pqxx::result messages = claim();
        for (const auto &row : messages)
            deliver(pqxx::row(row));
        if (messages.empty())
            database_.wait(std::exchange(longest_wait_, std::chrono::minutes(1)));
    }

    pqxx::result claim()
    {
        return database_.call(R"sql(
            SELECT user_id, message_id, attempt, bot, address, content, generation_context
            FROM companion.claim_messages($1, 10, channels => '{telegram}'))sql", settings_.worker);
    }

    void deliver(const pqxx::row &message)
    try {
        Written written;
        if (stop_.is_requested() || is_throttled_)
            release(message);
        else if (write(message, written) && start(message))
            report(message, telegram_.send_text(message["address"].c_str(), written.text), written);
    } catch (const pqxx::broken_connection &) {
        database_.connect_again(); // start_send may have been recorded, so it is not sent
    }

    // Before start_send, since it may be done twice. False where there is no text, or it is another's to send.
    bool write(const pqxx::row &message, Written &written)
    {
        written.text = message["content"].c_str();
        if (!message["content"].is_null())
            return true;
        if (writer_.is_slow() && !ask(message, "SELECT companion.extend_lease($1, $2, $3)")[0][0].as<bool>())
            return false;
        try {
            written = writer_.checkin(message["user_id"].c_str(), message["generation_context"].c_str());
            return true;
        } catch (const std::runtime_error &error) {
            if (dynamic_cast<const pqxx::failure *>(&error))
                throw;
            mark_failed(message, {Reply::failed, error.what(), {}});
            return false;
        }
    }

    // The point of no return. NULL, the channel's rate is used up: after a second the message is another's.
    bool start(const pqxx::row &message)
    {
        for (int i = 0; i < 10; ++i) {
            const pqxx::result answer = ask(message, "SELECT companion.start_send($1, $2, $3)");
            if (!answer[0][0].is_null())
                return answer[0][0].as<bool>();
            std::this_thread::sleep_for(std::chrono::milliseconds(100));
        }
        release(message);
        return false;
    }

    void release(const pqxx::row &message) { ask(message, "SELECT companion.release_message($1, $2, $3)"); }

    void report(const pqxx::row &message, const Sent &sent, const Written &written)
    {
        const Reply &reply = sent.reply;
        if (reply.meaning == Reply::forbidden)
            stop_.request(token_refused);
        if (reply.meaning == Reply::throttled)
            throttle(message, reply.retry_after);
        if (!sent.ids.empty()) // it is out, or some of it, so it must not come again
            mark_sent(message, sent, written);
        else if (reply.meaning != Reply::unknown && reply.meaning != Reply::conflict)
            mark_failed(message, reply);
        else // it may be out: nothing is reported, and maintenance calls it unknown
            complain(message, reply);
    }

    void mark_sent(const pqxx::row &message, const Sent &sent, const Written &written)
    {
        insist(message, R"sql(
            SELECT companion.mark_sent($1, $2, $3, $4, telegram_message_id => $5, metadata => $6,
                                       resolves => array_remove(ARRAY[$7::uuid], NULL)))sql",
               sent.text, sent.ids.front(), sent.metadata(), or_null(written.asks));
    }

    // A retry_after costs no try, as befits what is no fault of the message: a 429, or a wrong token
    void mark_failed(const pqxx::row &message, const Reply &reply)
    {
        complain(message, reply);
        insist(message, R"sql(
            SELECT companion.mark_failed($1, $2, $3, $4, retry_after => nullif($5::int, 0) * interval '1 second',
                                         permanent => $6, address_gone => $7))sql",
               reply.description, reply.meaning == Reply::forbidden ? 60 : reply.retry_after,
               reply.meaning == Reply::refused, reply.meaning == Reply::gone);
    }

    // All workers of the bot wait
    void throttle(const pqxx::row &message, int retry_after)
    {
        is_throttled_ = true;
        longest_wait_ = std::min(longest_wait_, std::chrono::seconds(retry_after));
        database_.insist("SELECT companion.throttle_channel('telegram', $1::int * interval '1 second', $2)",
                         retry_after, message["bot"].c_str());
    }

    void complain(const pqxx::row &message, const Reply &reply)
    {
        say(std::string("message ") + message["message_id"].c_str() + ": " + reply.description);
    }

    pqxx::result ask(const pqxx::row &message, const char *statement)
    {
        return database_.call(statement, message["user_id"].c_str(), message["message_id"].c_str(),
                              message["attempt"].as<int>());
    }

    // A report counts twice as once
    template <typename... Arguments>
    void insist(const pqxx::row &message, const char *statement, const Arguments &...arguments)
    {
        database_.insist(statement, message["user_id"].c_str(), message["message_id"].c_str(),
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
