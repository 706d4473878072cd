// A connection for one test case, to a database without users.
#pragma once

#include <pqxx/pqxx>

#include <string>

// Named here and not taken from PGDATABASE, because each test case removes all its users
inline constexpr char test_database[] = "dbname=companion_client_test";

class Database {
  public:
    Database()
    {
        run("TRUNCATE companion.users, companion.dispatch_queue, "
            "companion.telegram_redeem_failures CASCADE");
    }

    // Run a statement in its own transaction
    template <typename... Arguments>
    pqxx::result run(const std::string &statement, const Arguments &...arguments)
    {
        pqxx::nontransaction transaction(connection);
        return transaction.exec_params(statement, arguments...);
    }

    // The SQLSTATE that a statement ends with; empty when it succeeds
    template <typename... Arguments>
    std::string error_of(const std::string &statement, const Arguments &...arguments)
    {
        try {
            run(statement, arguments...);
        } catch (const pqxx::insufficient_privilege &) {
            return "42501"; // libpqxx 6.4 leaves the SQLSTATE out of this one
        } catch (const pqxx::sql_error &error) {
            return error.sqlstate();
        }
        return {};
    }

    std::string add_user(const std::string &name)
    {
        return run("INSERT INTO companion.users (display_name, onboarding_completed_at)"
                   " VALUES ($1, now()) RETURNING id",
                   name)[0][0]
            .c_str();
    }

    // Enqueue a message that is due at once
    std::string add_message(const std::string &user, const std::string &content)
    {
        return run("SELECT message_id FROM companion.schedule_message($1, now(), $2)", user,
                   content)[0][0]
            .c_str();
    }

    pqxx::result claim(int max_messages)
    {
        return run("SELECT * FROM companion.claim_messages('test', $1)", max_messages);
    }

    pqxx::connection connection{test_database};
};
