// One server connection that many clients take turns on, transaction by transaction: nothing of one
// client's identity or role is left for the next.

#include "database.hpp"

#include "catch2.hpp"

namespace {

const std::string upsert = "SELECT companion.upsert_user_context($1, 'preference', 'tea', 'green')";
const std::string put = R"(SELECT * FROM companion.put_user($1, '{"location": "Oslo"}'))";
const std::string put_app_data =
    R"(SELECT companion.put_user($1, '{"app_data": {"plan": "gold"}}'))";

// How an app may say for whom a transaction acts
using Identify = void (*)(pqxx::transaction_base &, const std::string &);

void by_claims(pqxx::transaction_base &transaction, const std::string &user)
{
    transaction.exec("SET LOCAL request.jwt.claims = " +
                     transaction.quote(R"({"sub": ")" + user + R"("})"));
}

void by_subject(pqxx::transaction_base &transaction, const std::string &user)
{
    transaction.exec("SET LOCAL request.jwt.claim.sub = " + transaction.quote(user));
}

void by_setting(pqxx::transaction_base &transaction, const std::string &user)
{
    transaction.exec("SET LOCAL companion.user_id = " + transaction.quote(user));
}

// How a transaction may end
using End = void (*)(pqxx::work &);

void commit(pqxx::work &transaction)
{
    transaction.commit();
}

void roll_back(pqxx::work &transaction)
{
    transaction.abort();
}

void fail(pqxx::work &transaction)
{
    CHECK_THROWS_AS(transaction.exec("SELECT 1 / 0"), pqxx::sql_error);
}

// Fails within a function that has taken its owner's rights
void fail_with_raised_rights(pqxx::work &transaction)
{
    CHECK_THROWS_AS(transaction.exec("SELECT companion.add_message(own, own, 'user', 'hello')"
                                     " FROM companion.current_user_id() AS own"),
                    pqxx::foreign_key_violation);
}

void fail_by_identity(pqxx::work &transaction)
{
    transaction.exec("SET LOCAL request.jwt.claims = 'no JSON'");
    CHECK_THROWS_AS(transaction.exec("SELECT FROM companion.users"), pqxx::sql_error);
}

// The one server connection of the test, the clients that share it, and a fact about each user
class SharedConnection {
  public:
    SharedConnection()
    {
        for (const std::string &user : {maya, noor})
            database.run(upsert, user);
    }

    // A client's transaction as an end user
    void act(pqxx::connection &client, Identify identify, const std::string &user,
             const std::string &other, End end)
    {
        pqxx::work transaction(client);
        transaction.exec("SET LOCAL ROLE companion_user");
        identify(transaction, user);
        check_same_server_connection(transaction);
        CHECK(transaction.exec1("SELECT companion.current_user_id()")[0].c_str() == user);
        CHECK(transaction.exec1("SELECT id FROM companion.users")[0].c_str() == user);
        CHECK(transaction.exec1("SELECT user_id FROM companion.user_context")[0].c_str() == user);
        CHECK(
            transaction.exec_params("SELECT FROM companion.recall_user_context($1)", user).size() ==
            1);
        CHECK(transaction.exec_params("SELECT FROM companion.recent_messages($1)", other).empty());
        transaction.exec_params1(upsert, user);
        transaction.exec("SAVEPOINT attempt");
        CHECK_THROWS_AS(transaction.exec_params(upsert, other), pqxx::insufficient_privilege);
        transaction.exec("ROLLBACK TO attempt");
        CHECK(transaction.exec_params1(put, user)["id"].c_str() == user);
        CHECK_THROWS_AS(transaction.exec_params(put, other), pqxx::insufficient_privilege);
        transaction.exec("ROLLBACK TO attempt");
        CHECK_THROWS_AS(transaction.exec_params(put_app_data, user), pqxx::insufficient_privilege);
        transaction.exec("ROLLBACK TO attempt");
        end(transaction);
    }

    // A client that forgets to say for whom it acts
    void forget(pqxx::connection &client)
    {
        pqxx::work transaction(client);
        transaction.exec("SET LOCAL ROLE companion_user");
        check_same_server_connection(transaction);
        CHECK(transaction.exec1("SELECT companion.current_user_id()")[0].is_null());
        CHECK(transaction.exec("SELECT FROM companion.users").empty());
        CHECK(transaction.exec("SELECT FROM companion.user_context").empty());
        CHECK_THROWS_AS(transaction.exec_params(upsert, maya), pqxx::insufficient_privilege);
    }

    void work(pqxx::connection &client)
    {
        pqxx::work transaction(client);
        transaction.exec("SET LOCAL ROLE companion_worker");
        check_same_server_connection(transaction);
        CHECK(transaction.exec("SELECT FROM companion.user_context").size() == 2);
        transaction.exec_params1(upsert, maya);
        transaction.exec_params1(put_app_data, maya);
        transaction.commit();
    }

    Database database;
    const std::string maya = database.add_user("Maya"), noor = database.add_user("Noor");
    Pooler pooler{test_database, 1};
    pqxx::connection first{pooler.address()}, second{pooler.address()};

  private:
    void check_same_server_connection(pqxx::work &transaction)
    {
        const int process = transaction.exec1("SELECT pg_backend_pid()")[0].as<int>();
        CHECK(process == (server_process_ == 0 ? process : server_process_));
        server_process_ = process;
    }

    int server_process_ = 0;
};

} // namespace

TEST_CASE("clients share a server connection, each with their own identity and rights",
          "[pooled][tables]")
{
    SharedConnection shared;
    for (const Identify identify : {by_claims, by_subject, by_setting})
        for (const End end : {commit, roll_back, fail, fail_with_raised_rights, fail_by_identity}) {
            shared.act(shared.first, identify, shared.maya, shared.noor, end);
            shared.forget(shared.second);
            shared.act(shared.second, identify, shared.noor, shared.maya, end);
            shared.act(shared.first, by_setting, shared.maya, shared.noor, end);
            shared.work(shared.second);
            shared.forget(shared.first);
        }
}

TEST_CASE("a statement prepared once answers each user of the connection with their own rows",
          "[pooled][tables]")
{
    SharedConnection shared;
    pqxx::connection &client = shared.first;
    client.prepare("own", "SELECT user_id FROM companion.user_context ORDER BY user_id");
    const auto rows_of = [&](const std::string &role, const std::string &user) {
        pqxx::work transaction(client);
        transaction.exec("SET LOCAL ROLE " + role);
        by_claims(transaction, user);
        return transaction.exec_prepared("own");
    };
    // Often enough for a generic plan
    for (int round = 0; round < 10; round++) {
        for (const std::string &user : {shared.maya, shared.noor}) {
            const pqxx::result rows = rows_of("companion_user", user);
            REQUIRE(rows.size() == 1);
            CHECK(rows[0][0].c_str() == user);
        }
        CHECK(rows_of("companion_user", "").empty());
        CHECK(rows_of("companion_worker", "").size() == 2);
    }
}
