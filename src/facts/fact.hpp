// A fact as the caller gives it: the arguments of upsert_user_context.
#pragma once

#include "postgres/arguments.hpp"

namespace companion {

struct Fact {
    // In the order of the function's arguments after user_id.
    enum Field {
        category,
        key,
        value,
        importance,
        emotional_valence,
        source,
        expires_at,
        source_message_id,
        metadata,
        pinned,
        field_count,
    };
    static const char *const names[field_count];
    static constexpr Oid types[field_count] = {TEXTOID,  TEXTOID, TEXTOID,        FLOAT8OID,
                                               INT4OID,  TEXTOID, TIMESTAMPTZOID, UUIDOID,
                                               JSONBOID, BOOLOID};

    Datum values[field_count];
    bool is_null[field_count];
    Datum folded_key;             // as keys are compared
    int index = -1;               // in the array of facts; -1 when it stands alone
    bool expires_on_date = false; // expires_at is a date, to be turned into its end

    std::string_view text(Field field) const { return text_view(values[field]); }

    void set(Field field, Datum datum)
    {
        values[field] = datum;
        is_null[field] = false;
    }

    // Whether the user says so, or has pinned it; else a model has extracted it, or the like.
    bool is_users_word() const;

    // The field's name in error messages.
    const char *place(Field field) const;

    // The message that states it, or null.
    NullableDatum message() const
    {
        return {values[source_message_id], is_null[source_message_id]};
    }

    // Refuse a fact that is incomplete or out of bounds. Errors 22004, 22023, 22008. White space
    // around its texts goes, and source pinned pins.
    void complete();

    // The same for the fields that may be left out.
    void check_options() const;

  private:
    void trim();
};

} // namespace companion
