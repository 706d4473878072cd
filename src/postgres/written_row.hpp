// What the columns of a row may hold, checked by a trigger after the row was written, by whatever
// way, and whatever other triggers have made of it.
//
// A CHECK constraint would say the same, but the server parses and plans each of them anew for
// every statement: thirteen of them were a quarter of the cost of a message.
#pragma once

#include "postgres/arguments.hpp"
#include "postgres/row_trigger.hpp"

#include <initializer_list>
#include <limits>

namespace companion {

// Whether the row is written by a grant: not by a function of ours, which has its own bounds, nor
// by somebody above row-level security, who restores what there was.
inline bool is_by_grant()
{
    return !has_bypassrls_privilege(GetUserId()) &&
           GetUserId() != get_role_oid("companion_runtime", true);
}

// The row of an AFTER INSERT or AFTER UPDATE trigger. Each check lets a null pass, which the
// column's NOT NULL is for, and raises error 23514, with the table's and the column's name in the
// error's fields.
class WrittenRow : public TriggeredRow {
  public:
    using Words = std::initializer_list<std::string_view>;

    explicit WrittenRow(FunctionCallInfo fcinfo);

    void check_one_of(const char *column, Words words) const;

    // The number of characters.
    void check_length(const char *column, int least, int most) const;

    // The number of bytes; nothing is unpacked for this.
    void check_not_empty(const char *column) const;

    // A smallint, integer, bigint or double precision.
    void check_number(const char *column, Oid type, double least,
                      double most = std::numeric_limits<double>::infinity()) const;

    void check_object(const char *column) const;

    // What a grant lets one write has at most companion.max_json_size bytes; what stands may stay.
    void check_size(const char *column, Oid type) const;

    // Whether a column has more bytes than so many; nothing is unpacked for this.
    bool is_larger(const char *column, Oid type, std::size_t bytes) const;

    // The value of a column. Errors as TriggeredRow::get.
    NullableDatum nullable(const char *column, Oid type) const
    {
        const int index = position(column, type) - 1;
        return {values_[index], nulls_[index]};
    }

    [[noreturn]] void refuse(const char *column, Oid type, const char *message,
                             const char *hint = nullptr) const;

    const char *table_name() const { return RelationGetRelationName(table()); }

    // A constraint of the table for the error's fields.
    int at_constraint(const char *name) const { return errtableconstraint(table(), name); }

  private:
    Datum values_[MaxHeapAttributeNumber];
    bool nulls_[MaxHeapAttributeNumber];
};

} // namespace companion
