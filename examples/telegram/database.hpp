// The database, by libpqxx. Each statement is a transaction of its own, but for those of at_once().
#pragma once

#include "stop.hpp"

#include <pqxx/pqxx>

#include <memory>

class Database {
  public:
    explicit Database(const Stop &stop) : stop_(stop), connection_(new pqxx::connection) {}

    template <typename... Arguments>
    pqxx::result call(const char *statement, const Arguments &...arguments)
    {
        return until_unlocked([&] {
            pqxx::nontransaction transaction(*connection_);
            return transaction.exec_params(statement, arguments...);
        });
    }

    // Of what may be said twice: until the server has answered, whatever happens to the connection
    template <typename... Arguments>
    pqxx::result insist(const char *statement, const Arguments &...arguments)
    {
        for (;;)
            try {
                return call(statement, arguments...);
            } catch (const pqxx::broken_connection &) {
                connect_again();
            }
    }

    // Two statements about a user, both or neither
    pqxx::result at_once(const char *first, const char *second, const std::string &user_id)
    {
        return until_unlocked([&] {
            pqxx::work transaction(*connection_);
            transaction.exec_params(first, user_id);
            const pqxx::result result = transaction.exec_params(second, user_id);
            transaction.commit();
            return result;
        });
    }

    void listen()
    {
        listens_ = true;
        call("LISTEN companion");
    }

    // Wait for a notification; one that came with the last answer is no reason to wait
    void wait(std::chrono::milliseconds longest)
    {
        if (connection_->get_notifs() == 0)
            stop_.wait(longest, connection_->sock());
        connection_->get_notifs();
    }

    // A server may be started anew at any time. Throws when it is time to end.
    void connect_again()
    {
        say("the connection to the database is broken");
        for (;;)
            try {
                connection_ = std::make_unique<pqxx::connection>();
                if (listens_)
                    listen();
                return;
            } catch (const pqxx::broken_connection &) {
                if (stop_.is_requested())
                    throw;
                stop_.wait(std::chrono::seconds(1));
            }
    }

  private:
    // While another transaction holds the user, or one of two in a deadlock, nothing has happened: again
    template <typename Work> pqxx::result until_unlocked(Work work)
    {
        for (;;)
            try {
                return work();
            } catch (const pqxx::in_doubt_error &error) {
                throw pqxx::broken_connection(error.what());
            } catch (const pqxx::sql_error &error) {
                const std::string state = error.sqlstate();
                if (!connection_->is_open() || state.rfind("57P", 0) == 0) // the server shuts down
                    throw pqxx::broken_connection(error.what());
                if (state != "55P03" && state != "40P01" && state != "40001")
                    throw;
            }
    }

    const Stop &stop_;
    std::unique_ptr<pqxx::connection> connection_;
    bool listens_ = false;
};

// SQL's NULL where there is no text
inline const char *or_null(const std::string &text)
{
    return text.empty() ? nullptr : text.c_str();
}
