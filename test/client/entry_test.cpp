// No C++ exception leaves a function: the client sees an error, and the session goes on.

#include "database.hpp"

#include "catch2.hpp"

namespace {

// Make a function of test/throwing callable; script/test has put the module beside the data
void load(Database &database, const std::string &function)
{
    const pqxx::result folder = database.run("SELECT current_setting('data_directory')");
    database.run("CREATE FUNCTION pg_temp." + function + "() RETURNS void LANGUAGE c AS '" +
                 folder[0][0].c_str() + "/throwing.so', 'companion_" + function + "'");
}

} // namespace

TEST_CASE("an exception is an error with its SQLSTATE", "[session]")
{
    Database database;
    for (const char *function : {"throw_bad_alloc", "throw_exception", "throw_number"})
        load(database, function);
    CHECK(database.error_of("SELECT pg_temp.throw_bad_alloc()") == "53200");
    CHECK(database.error_of("SELECT pg_temp.throw_exception()") == "XX000");
    CHECK(database.error_of("SELECT pg_temp.throw_number()") == "XX000");
    CHECK(database.error_of("SELECT companion.current_user_id()") == "");
}

TEST_CASE("an exception's text is the error's message, cut to size", "[session]")
{
    Database database;
    load(database, "throw_exception");
    CHECK_THROWS_WITH(
        database.run("SELECT pg_temp.throw_exception()"),
        Catch::Matchers::StartsWith("ERROR:  companion: " + std::string(255, 'x') + "\n"));
}
