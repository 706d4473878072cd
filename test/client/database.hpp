// A connection for one test case, to a database without users: direct, through a pooler in
// transaction mode, or through a router to three shards. So nothing lasts longer than a
// transaction: neither a setting nor a role nor, before pgbouncer 1.21, a prepared statement.
#pragma once

#include "pooler.hpp"

#include <pqxx/pqxx>

#include <cstdlib>
#include <map>
#include <string>

// Named here and not taken from PGDATABASE, because each test case removes all its users
inline constexpr char test_database[] = "dbname=companion_client_test";

// Whether the tests go through a router: where COMPANION_ROUTED is set
inline bool is_routed()
{
    return std::getenv("COMPANION_ROUTED") != nullptr;
}

// Where the test's connections go: through a pooler where COMPANION_POOLED is set
inline std::string test_address()
{
    if (is_routed())
        return "dbname=companion_router_test";
    if (std::getenv("COMPANION_POOLED") == nullptr)
        return test_database;
    static const Pooler pooler(test_database, 10);
    return pooler.address();
}

class Database {
  public:
    Database()
    {
        if (!is_routed()) {
            clear(test_database);
            return;
        }
        for (const char *shard : {"0", "1", "2"})
            clear("dbname=companion_shard_" + std::string(shard) + "_test");
        pqxx::connection directory("dbname=companion_directory_test");
        pqxx::nontransaction(directory).exec("TRUNCATE companion.directory");
    }

    static void clear(const std::string &database)
    {
        pqxx::connection connection(database);
        pqxx::nontransaction(connection)
            .exec("TRUNCATE companion.users, companion.dispatch_queue, "
                  "companion.telegram_redeem_failures,"
                  " companion.address_reservations, companion.directory_changes CASCADE");
    }

    // Let every further transaction begin with a setting
    void set(const std::string &setting, const std::string &value) { settings_[setting] = value; }

    void become_worker() { set("role", "companion_worker"); }

    void become_user(const std::string &user)
    {
        set("role", "companion_user");
        set("companion.user_id", user);
    }

    // Make the settings in a transaction. The role is the last of them by name, so that it takes
    // no right to make the others.
    void configure(pqxx::transaction_base &transaction) const
    {
        for (const auto &[setting, value] : settings_)
            transaction.exec_params("SELECT set_config($1, $2, true)", setting, value);
    }

    // Run a statement in its own transaction
    template <typename... Arguments>
    pqxx::result run(const std::string &statement, const Arguments &...arguments)
    {
        pqxx::work transaction(connection);
        configure(transaction);
        const pqxx::result result = transaction.exec_params(statement, arguments...);
        transaction.commit();
        return result;
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
            return std::string(error.sqlstate());
        }
        return {};
    }

    std::string add_user(const std::string &name)
    {
        if (is_routed())
            return run("SELECT (companion.put_user(companion.new_user_id(), jsonb_build_object("
                       "'display_name', $1::text, 'onboarding_completed_at', now()))).id",
                       name)[0][0]
                .c_str();
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

    pqxx::connection connection{test_address()};

  private:
    std::map<std::string, std::string> settings_;
};
