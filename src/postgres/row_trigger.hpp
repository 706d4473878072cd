// FOR EACH ROW triggers on what is written: before it is, where they may set a column, and after,
// where they see what other triggers have made of it.
#pragma once

#include "postgres/server.hpp"

namespace companion {

// The new row of an INSERT or UPDATE row trigger.
class TriggeredRow {
  public:
    bool is_inserted() const { return TRIGGER_FIRED_BY_INSERT(trigger_->tg_event); }

    // Error 42703 where the table has no such column, 42804 where it is of another type.
    Datum get(const char *column, Oid type, bool *is_null) const
    {
        return heap_getattr(tuple(), position(column, type), descriptor(), is_null);
    }

    // The value that a column had before an UPDATE; null for a new row. Errors as above.
    NullableDatum before(const char *column, Oid type) const
    {
        NullableDatum value{0, true};
        if (!is_inserted())
            value.value = heap_getattr(trigger_->tg_trigtuple, position(column, type), descriptor(),
                                       &value.isnull);
        return value;
    }

    // Whether a column of the row has another value than it had; errors as above.
    bool is_changed(const char *column, Oid type) const
    {
        if (is_inserted())
            return true;
        const int number = position(column, type);
        bool is_null, was_null;
        const Datum value = heap_getattr(tuple(), number, descriptor(), &is_null);
        const Datum old = heap_getattr(trigger_->tg_trigtuple, number, descriptor(), &was_null);
        const FormData_pg_attribute *attribute = TupleDescAttr(descriptor(), number - 1);
        return is_null != was_null ||
               (!is_null && !datum_image_eq(value, old, attribute->attbyval, attribute->attlen));
    }

    Datum unchanged() const { return PointerGetDatum(tuple()); }

  protected:
    // Error 39P01 when the function was called in any other way.
    TriggeredRow(FunctionCallInfo fcinfo, bool is_before)
        : trigger_(reinterpret_cast<TriggerData *>(fcinfo->context))
    {
        if (!CALLED_AS_TRIGGER(fcinfo) ||
            !(is_before ? TRIGGER_FIRED_BEFORE(trigger_->tg_event)
                        : TRIGGER_FIRED_AFTER(trigger_->tg_event)) ||
            !TRIGGER_FIRED_FOR_ROW(trigger_->tg_event) ||
            TRIGGER_FIRED_BY_DELETE(trigger_->tg_event))
            ereport(ERROR, errcode(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED),
                    errmsg("this function must be called as a trigger %s insert or update of a row",
                           is_before ? "before" : "after"));
    }

    Relation table() const { return trigger_->tg_relation; }
    TupleDesc descriptor() const { return RelationGetDescr(table()); }

    HeapTuple tuple() const
    {
        return TRIGGER_FIRED_BY_UPDATE(trigger_->tg_event) ? trigger_->tg_newtuple
                                                           : trigger_->tg_trigtuple;
    }

    int position(const char *column, Oid type) const
    {
        int number = SPI_fnumber(descriptor(), column);
        if (number <= 0)
            ereport(ERROR, errcode(ERRCODE_UNDEFINED_COLUMN),
                    errmsg("table \"%s\" has no column \"%s\"", RelationGetRelationName(table()),
                           column));
        if (SPI_gettypeid(descriptor(), number) != type)
            ereport(ERROR, errcode(ERRCODE_DATATYPE_MISMATCH),
                    errmsg("column \"%s\" of table \"%s\" is not of type %s", column,
                           RelationGetRelationName(table()), format_type_be(type)));
        return number;
    }

  private:
    const TriggerData *trigger_;
};

// The row after it was written; unlike WrittenRow it is not unpacked.
class UpdatedRow : public TriggeredRow {
  public:
    explicit UpdatedRow(FunctionCallInfo fcinfo) : TriggeredRow(fcinfo, false) {}

    // The value of a column. Errors as above.
    NullableDatum now(const char *column, Oid type) const
    {
        NullableDatum value;
        value.value = get(column, type, &value.isnull);
        return value;
    }
};

// The row before it is written.
class NewRow : public TriggeredRow {
  public:
    explicit NewRow(FunctionCallInfo fcinfo) : TriggeredRow(fcinfo, true) {}

    // The row with one column set, as the trigger's result. Errors as above.
    Datum with(const char *column, Oid type, Datum value) const
    {
        int number = position(column, type);
        bool is_null = false;
        return PointerGetDatum(
            heap_modify_tuple_by_cols(tuple(), descriptor(), 1, &number, &value, &is_null));
    }

    // The same with two columns of one type.
    Datum with(const char *first, Datum first_value, const char *second, Datum second_value,
               Oid type) const
    {
        int numbers[] = {position(first, type), position(second, type)};
        Datum values[] = {first_value, second_value};
        bool nulls[] = {false, false};
        return PointerGetDatum(
            heap_modify_tuple_by_cols(tuple(), descriptor(), 2, numbers, values, nulls));
    }
};

} // namespace companion
