// Remembering a fact: a new one, one that confirms what is known, one that supersedes it.
#include "identity/acting.hpp"
#include "memory/categories.hpp"
#include "memory/item.hpp"
#include "facts/standing.hpp"
#include "facts/upserting.hpp"
#include "postgres/array_builder.hpp"
#include "postgres/attempt.hpp"
#include "postgres/entry.hpp"
#include "postgres/triggered.hpp"
#include "text/folding.hpp"
#include "users/user_row.hpp"

#include <algorithm>

using namespace companion;

namespace {

// $3: of an item that is there the place at which it was found, else its key, $12: whether the fact
// is the user's word, $13: now, once, since each call of a function in a statement has its price,
// $14: the folded key, $15: after what time a value of the category expires, $16: whether its
// category keeps a history.
#define TYPES_OF_FACT(key_or_place)                                                                \
    UUIDOID, TEXTOID, key_or_place, TEXTOID, FLOAT8OID, INT4OID, TEXTOID, TIMESTAMPTZOID, UUIDOID, \
        JSONBOID, BOOLOID, BOOLOID, TIMESTAMPTZOID, TEXTOID, INTERVALOID, BOOLOID

// A new item.
Statement add{R"sql(
    INSERT INTO companion.user_context AS c
        (user_id, category, key, value, importance, emotional_valence, source, expires_at,
         source_message_id, metadata, pinned, folded_key, stated_in,
         confirmed_at, last_referenced_at, value_since, created_at, updated_at)
    VALUES ($1, $2, $3, $4, coalesce($5, 0.5), coalesce($6, 0), coalesce($7, 'extracted'),
            nullif(coalesce($8, $13 + $15), 'infinity'), $9, coalesce($10, '{}'),
            coalesce($11, false), $14, ARRAY[$9], $13, $13, $13, $13, $13)
    ON CONFLICT (user_id, category, folded_key) DO NOTHING
    RETURNING )sql" CONTEXT_ITEM R"sql(, c.user_id, c.category, c.key, c.id)sql",
              TYPES_OF_FACT(TEXTOID)};

// One that is there, with this value: NULL keeps what stands, and an expiry that the category gave
// begins anew.
Statement confirm{R"sql(
    UPDATE companion.user_context AS c SET
        importance = coalesce($5, c.importance),
        emotional_valence = coalesce($6, c.emotional_valence),
        source = coalesce($7, c.source),
        source_message_id = coalesce($9, c.source_message_id),
        metadata = coalesce($10, c.metadata),
        pinned = coalesce($11, c.pinned),
        expires_at = nullif(coalesce($8, CASE WHEN c.expires_at = c.confirmed_at + $15
                                         THEN $13 + $15 ELSE c.expires_at END), 'infinity'),
        stated_in = companion.with_statement(c.stated_in, $9),
        confirmations = c.confirmations + 1,
        previous_value = NULL,
        previous_source = c.source,
        previous_since = c.value_since,
        contradicted_by = NULL,
        confirmed_at = $13,
        last_referenced_at = $13,
        updated_at = $13
    WHERE c.ctid = $3 AND c.user_id = $1 AND c.category = $2 AND c.folded_key = $14
        AND (c.expires_at IS NULL OR c.expires_at > $13)
        AND ($12 OR NOT (c.pinned OR c.source IN ('user', 'pinned')))
        AND companion.is_same_text(c.value, $4)
    RETURNING )sql" CONTEXT_ITEM R"sql(, c.user_id, c.category, c.key)sql",
                  TYPES_OF_FACT(TIDOID)};

// One that is there, with another value: the new one starts as a new item does, and the former goes
// to the history, if its category keeps one. In addition it returns whether it has, and what the
// history needs, which no trigger may have taken away.
Statement supersede{R"sql(
    WITH item AS (
        UPDATE companion.user_context AS c SET
            value = $4,
            importance = coalesce($5, 0.5),
            emotional_valence = coalesce($6, 0),
            source = coalesce($7, 'extracted'),
            source_message_id = $9,
            metadata = coalesce($10, '{}'),
            pinned = coalesce($11, false),
            expires_at = nullif(coalesce($8, $13 + $15), 'infinity'),
            stated_in = ARRAY[$9],
            earlier_stated_in = companion.joined_statements(c.earlier_stated_in, c.stated_in),
            resolved_at = NULL,
            confirmations = 1,
            value_since = greatest(c.value_since, $13),
            last_used_at = NULL,
            previous_value = c.value,
            previous_source = c.source,
            previous_since = c.value_since,
            contradicted_by = NULL,
            confirmed_at = $13,
            last_referenced_at = $13,
            updated_at = $13
        WHERE c.ctid = $3 AND c.user_id = $1 AND c.category = $2 AND c.folded_key = $14
            AND (c.expires_at IS NULL OR c.expires_at > $13)
            AND ($12 OR NOT (c.pinned OR c.source IN ('user', 'pinned')))
            AND NOT companion.is_same_text(c.value, $4)
        RETURNING )sql" CONTEXT_ITEM R"sql( AS item, c.user_id, c.category, c.key, c.id,
                  c.previous_value, c.previous_source, c.previous_since, c.value_since, c.value),
    archived AS (
        INSERT INTO companion.user_context_history
            (user_id, category, key, value, source, held_from, held_until, replaced_by)
        SELECT i.user_id, i.category, i.key, i.previous_value, i.previous_source,
               i.previous_since, i.value_since, i.value
        FROM item AS i
        WHERE $16 AND i.previous_value <> i.value
            AND i.previous_source IS NOT NULL AND i.previous_since IS NOT NULL
        RETURNING 1)
    SELECT i.item, i.user_id, i.category, i.key, i.id,
           EXISTS (SELECT FROM archived) OR NOT $16
               OR coalesce(i.previous_value = i.value, true),
           CASE WHEN i.previous_value IS NULL THEN '' ELSE i.previous_source END AS previous_source,
           CASE WHEN i.previous_value IS NULL THEN $13 ELSE i.previous_since END AS previous_since,
           i.value
    FROM item AS i)sql",
                    TYPES_OF_FACT(TIDOID)};

// An item that the user has stated or pinned, given another's word: it is confirmed or, by
// another value, contradicted.
Statement hold{R"sql(
    UPDATE companion.user_context AS c SET
        (confirmations, contradicted_by, stated_in, earlier_stated_in, confirmed_at,
         last_referenced_at, expires_at) = (
            SELECT c.confirmations + 1, NULL, companion.with_statement(c.stated_in, $9),
                   c.earlier_stated_in, $13, $13,
                   CASE WHEN c.expires_at = c.confirmed_at + $15 THEN $13 + $15
                        ELSE c.expires_at END
            WHERE companion.is_same_text(c.value, $4)
            UNION ALL
            SELECT c.confirmations, $4, c.stated_in,
                   companion.joined_statements(c.earlier_stated_in, ARRAY[$9]), c.confirmed_at,
                   c.last_referenced_at, c.expires_at
            WHERE NOT companion.is_same_text(c.value, $4)),
        updated_at = $13
    WHERE c.ctid = $3 AND c.user_id = $1 AND c.category = $2 AND c.folded_key = $14
        AND (c.expires_at IS NULL OR c.expires_at > $13)
        AND (c.pinned OR c.source IN ('user', 'pinned'))
    RETURNING )sql" CONTEXT_ITEM R"sql(, c.user_id, c.category, c.key)sql",
               TYPES_OF_FACT(TIDOID)};

// The item of the last result, which must be the fact's own. Error 09000.
Datum returned_item(Datum user_id, const Fact &fact)
{
    require_own_item(0, 2, user_id, fact);
    return SPI_datumTransfer(result_field(0, 1), false, -1);
}

// One fact and what may become of it; each attempt returns the item, or zero when it is
// not its case any more.
class Upsert {
  public:
    Upsert(Datum user_id, const Fact &fact)
        : user_id_(user_id), fact_(fact), v_(fact.values), value_(v_[Fact::value]),
          now_(TimestampTzGetDatum(now()))
    {
        const CategoryPolicy &policy = policy_of(fact.text(Fact::category));
        expires_after_ = policy.expires_after;
        keeps_history_ = policy.keeps_history;
        std::fill(std::begin(nulls_), std::end(nulls_), ' ');
        for (int field = 0; field < Fact::field_count; field++)
            nulls_[1 + field] = fact.is_null[field] ? 'n' : ' ';
        nulls_[14] = policy.expires() ? ' ' : 'n';
    }

    // Somebody else may add, change or delete the item between two attempts: so again. Zero where
    // the fact's message must not teach it again.
    Datum run()
    {
        if (is_refused())
            return 0;
        for (int look = 0; look < looks; look++) {
            if (const Datum item = try_what_is_likely())
                return item;
            free_places(user_id_, array_of_one(TEXTOID, v_[Fact::category]),
                        array_of_one(TEXTOID, fact_.folded_key));
        }
        refuse_suppressed("user_context");
    }

  private:
    // What a message states waits for who forgets.
    bool is_refused() const
    {
        if (fact_.message().isnull)
            return false;
        lock_user(user_id_);
        return is_forgotten(user_id_, fact_);
    }

    // What stands tells.
    Datum try_what_is_likely()
    {
        StandingItem standing = find_item(user_id_, fact_);
        place_ = PointerGetDatum(&standing.place);
        if (!standing.is_there)
            return try_to_add();
        if (standing.is_users && !fact_.is_users_word())
            return execute(hold, place_) > 0 ? returned_item(user_id_, fact_) : 0;
        if (is_same_text(standing.value, text_view(value_)))
            return try_to_confirm();
        return standing.is_triggered ? try_to_supersede_or_confirm(standing.value)
                                     : try_to_supersede();
    }

    uint64 execute(Statement &statement, Datum key_or_place)
    {
        return statement.execute({user_id_, v_[Fact::category], key_or_place, value_,
                                  v_[Fact::importance], v_[Fact::emotional_valence],
                                  v_[Fact::source], v_[Fact::expires_at],
                                  v_[Fact::source_message_id], v_[Fact::metadata], v_[Fact::pinned],
                                  BoolGetDatum(fact_.is_users_word()), now_, fact_.folded_key,
                                  IntervalPGetDatum(&expires_after_), BoolGetDatum(keeps_history_)},
                                 nulls_);
    }

    Datum try_to_add()
    {
        if (execute(add, v_[Fact::key]) == 0)
            return 0;
        const Datum item = returned_item(user_id_, fact_);
        const Datum id = array_of_one(UUIDOID, result_field(0, 5));
        check_item_limit(user_id_, 1);
        make_room(user_id_, v_[Fact::category], id);
        return item;
    }

    Datum try_to_confirm()
    {
        return execute(confirm, place_) > 0 ? returned_item(user_id_, fact_) : 0;
    }

    // What is superseded goes to the history, and what it meant goes. Error 09000.
    Datum try_to_supersede()
    {
        if (execute(supersede, place_) == 0)
            return 0;
        for (const int column : {7, 8}) // what the history needs
            result_field(0, column);
        became_ = text_view(result_field(0, 9));
        if (!DatumGetBool(result_field(0, 6)))
            refuse_suppressed("user_context_history");
        const Datum item_id = result_field(0, 5), item = returned_item(user_id_, fact_);
        if (is_embedded(user_id_, item_id))
            drop_embeddings(user_id_, array_of_one(UUIDOID, item_id));
        return item;
    }

    // Where a trigger has made the value the one that stands, it is confirmed instead.
    Datum try_to_supersede_or_confirm(std::string_view standing)
    {
        Datum item = 0;
        const bool is_other = try_or_undo([&] {
            item = try_to_supersede();
            return item == 0 || !is_same_text(standing, became_);
        });
        if (is_other)
            return item;
        value_ = to_text(standing);
        return try_to_confirm();
    }

    Datum user_id_;
    const Fact &fact_;
    const Datum *v_;
    Datum value_, place_, now_;
    std::string_view became_; // what the last to supersede another was stored as
    Interval expires_after_;
    bool keeps_history_;
    char nulls_[1 + Fact::field_count + 5];
};

} // namespace

COMPANION_FUNCTION(upsert_user_context)
{
    const Arguments arguments(fcinfo);
    const Datum user_id = arguments.required(0, "user_id");
    Fact fact;
    for (int field = 0; field < Fact::field_count; field++) {
        fact.values[field] = arguments.optional(1 + field);
        fact.is_null[field] = arguments.is_null(1 + field);
    }
    fact.complete();
    const Datum item = act_for(user_id, [&] { return Upsert(user_id, fact).run(); });
    if (item == 0)
        PG_RETURN_NULL();
    return item;
}
