// The database, by libpqxx.
#pragma once
#include "stop.hpp"
#include <pqxx/pqxx>
#include <memory>

class Database {
  public:
    explicit Database(const Stop &stop) : stop_(stop), connection_(new pqxx::connection) {}

    // A statement, which is a transaction of its own. Of all that the bot says a second time has the same end as one,
    // so it is repeated until the server has answered; start_send, too: it is true again if it was not recorded before.
    template <typename... Arguments>
    pqxx::result call(const char *statement, const Arguments &...arguments) {
        for (;;)
            try {
                pqxx::nontransaction transaction(*connection_);
                return transaction.exec_params(statement, arguments...);
            } catch (const pqxx::broken_connection &) {
                connect_again();
            } catch (const pqxx::sql_error &error) {
                const std::string state(error.sqlstate());
                if (!connection_->is_open() || state.rfind("57P", 0) == 0) // the server shuts down
                    connect_again();
                else if (state != "55P03" && state != "40P01" && state != "40001") // who holds the user will end
                    throw;
            }
    }

    void throttle(int seconds, const char *bot = "") {
        call("SELECT companion.throttle_channel('telegram', $1::int * interval '1 second', $2)", seconds, bot);
    }

    // Wait for a notification that something is due; one that came with the last answer is no reason to wait
    void wait(std::chrono::milliseconds longest) {
        if (connection_->get_notifs() == 0)
            stop_.wait(longest, connection_->sock());
        connection_->get_notifs();
    }

  private:
    void connect_again() {
        say("the connection to the database is broken");
        for (;;)
            try {
                connection_ = std::make_unique<pqxx::connection>();
                return;
            } catch (const pqxx::broken_connection &) {
                if (stop_.is_requested())
                    throw;
                stop_.wait(std::chrono::seconds(1));
            }
    }

    const Stop &stop_;
    std::unique_ptr<pqxx::connection> connection_;
};
