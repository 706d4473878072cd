// SQL statements prepared once per session through SPI, and their results.
#pragma once

#include "postgres/given.hpp"
#include "postgres/runtime.hpp"

#include <initializer_list>

namespace companion {

// Run a body with SPI connected, as companion_runtime: the caller's rights are asked before.
// What it returns must not point into SPI memory.
template <class Body>
auto with_spi(Body body) -> decltype(body())
{
    const Runtime runtime;
    SPI_connect(); // raises its errors itself
    if constexpr (std::is_void_v<decltype(body())>) {
        body();
        SPI_finish();
        runtime.restore();
    } else {
        auto result = body();
        SPI_finish();
        runtime.restore();
        return result;
    }
}

// A statement with bound parameters. It is planned once, as a generic plan, and
// kept for the session; the server plans it anew when an object it names changes,
// so it survives DROP and CREATE EXTENSION. Define as a static object.
class Statement {
  public:
    static constexpr int max_parameters = 16;

    template <class... Types>
    constexpr explicit Statement(const char *sql, Types... types)
        : sql_(sql), types_{static_cast<Oid>(types)...}, parameters_(sizeof...(types))
    {
        static_assert(sizeof...(types) <= max_parameters);
    }

    // Execute it within with_spi(); returns the number of rows. nulls holds 'n' for
    // each null parameter, as SPI_execute_plan has it.
    uint64 execute(std::initializer_list<Datum> values, const char *nulls = nullptr)
    {
        return execute(values.begin(), static_cast<int>(values.size()), nulls);
    }

    uint64 execute(const Datum *values, int count, const char *nulls)
    {
        return run(values, count, nulls, InvalidSnapshot);
    }

    // The same, seeing what has been committed until now at whatever isolation level.
    uint64 execute_newest(std::initializer_list<Datum> values, const char *nulls = nullptr)
    {
        return run(values.begin(), static_cast<int>(values.size()), nulls, GetLatestSnapshot());
    }

    // Both with rows that it reads as the relation "given".
    uint64 execute(const Given &given, std::initializer_list<Datum> values)
    {
        const GivenRelation relation(given);
        const uint64 rows = execute(values);
        relation.end();
        return rows;
    }

    uint64 execute_newest(const Given &given, std::initializer_list<Datum> values)
    {
        const GivenRelation relation(given);
        const uint64 rows = execute_newest(values);
        relation.end();
        return rows;
    }

  private:
    uint64 run(const Datum *values, int count, const char *nulls, Snapshot snapshot)
    {
        if (count != parameters_)
            // Unreached: a slip that the statement's first test shows
            elog(ERROR, "%d values for %d parameters", count, parameters_);
        if (plan_ == nullptr)
            prepare();
        const int result = SPI_execute_snapshot(plan_, const_cast<Datum *>(values), nulls, snapshot,
                                                InvalidSnapshot, false, true, 0);
        if (result < 0)
            // Unreached: only a call outside with_spi(), or of what SPI cannot run
            elog(ERROR, "SPI_execute_snapshot failed: %s", SPI_result_code_string(result));
        return SPI_processed;
    }

    void prepare()
    {
        SPIPlanPtr plan = SPI_prepare_cursor(sql_, parameters_, types_, CURSOR_OPT_GENERIC_PLAN);
        if (plan == nullptr)
            // Unreached: only a call outside with_spi()
            elog(ERROR, "SPI_prepare failed: %s", SPI_result_code_string(SPI_result));
        SPI_keepplan(plan); // refuses only what is no plan
        plan_ = plan;
    }

    const char *sql_;
    Oid types_[max_parameters];
    int parameters_;
    SPIPlanPtr plan_ = nullptr;
};

// A field of a row of the last result, by position from 1.
inline Datum result_field(uint64 row, int column, bool *is_null)
{
    return SPI_getbinval(SPI_tuptable->vals[row], SPI_tuptable->tupdesc, column, is_null);
}

// Add the last result to that of a function.
inline void put_rows(ReturnSetInfo *result, uint64 rows)
{
    for (uint64 row = 0; row < rows; row++)
        tuplestore_puttuple(result->setResult, SPI_tuptable->vals[row]);
}

// A field where we have given the column a value. Error 09000 where a trigger has taken it away.
inline Datum result_field(uint64 row, int column)
{
    bool is_null;
    const Datum field = result_field(row, column, &is_null);
    if (is_null)
        ereport(ERROR, errcode(ERRCODE_TRIGGERED_ACTION_EXCEPTION),
                errmsg("a trigger left column \"%s\" without a value",
                       SPI_fname(SPI_tuptable->tupdesc, column)));
    return field;
}

} // namespace companion
