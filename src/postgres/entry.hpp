// The one gate between SQL and C++: every SQL-callable function is declared
// with COMPANION_FUNCTION, which refuses SQL of another version, and catches every C++
// exception and raises it as a PostgreSQL error once the catch block is left.
//
// A server error is a longjmp, so a frame that calls the server holds only
// trivially destructible locals; what must outlive it lives in a memory context.
#pragma once

#include "postgres/server.hpp"
#include "postgres/version.hpp"

#include <cstring>
#include <exception>
#include <new>

namespace companion {

// What an exception said, in plain memory.
struct Failure {
    int sqlstate;
    char message[256];
};

// Copy an exception's text, cut to size.
inline Failure describe(int sqlstate, const char *message)
{
    Failure failure{sqlstate, {}};
    strlcpy(failure.message, message, sizeof failure.message);
    return failure;
}

// Run a body that may throw; raise what it threw as a server error.
template <class Body>
auto guarded(Body body) -> decltype(body())
{
    ErrorContextCallback *const contexts = error_context_stack;
    Failure failure;
    try {
        return body();
    } catch (const std::bad_alloc &) {
        failure = describe(ERRCODE_OUT_OF_MEMORY, "out of memory");
    } catch (const std::exception &exception) {
        failure = describe(ERRCODE_INTERNAL_ERROR, exception.what());
    } catch (...) {
        failure = describe(ERRCODE_INTERNAL_ERROR, "unrecognized C++ exception");
    }
    error_context_stack = contexts; // those of the frames that the exception has left are gone
    ereport(ERROR, errcode(failure.sqlstate), errmsg("companion: %s", failure.message));
    pg_unreachable();
}

} // namespace companion

// Define the SQL-callable function companion_<name>; the body that follows
// receives fcinfo and returns a Datum.
#define COMPANION_FUNCTION(name)                                                                   \
    static Datum name##_body(FunctionCallInfo fcinfo);                                             \
    extern "C" {                                                                                   \
    PGDLLEXPORT Datum companion_##name(PG_FUNCTION_ARGS);                                          \
    PG_FUNCTION_INFO_V1(companion_##name);                                                         \
    }                                                                                              \
    Datum companion_##name(FunctionCallInfo fcinfo)                                                \
    {                                                                                              \
        companion::require_version();                                                              \
        return companion::guarded([fcinfo] { return name##_body(fcinfo); });                       \
    }                                                                                              \
    static Datum name##_body(FunctionCallInfo fcinfo)
