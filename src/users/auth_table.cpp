// A table of the auth system's, of which nothing is called that its owner may have made.
#include "users/auth_table.hpp"

#include "postgres/relations.hpp"

namespace companion {

// Refuse a column whose value stands in no row, since it is reckoned when it is read, as of
// PostgreSQL 18. Error 42804.
static void require_stored(Relation table, AttrNumber number)
{
    constexpr char is_virtual = 'v';
    const FormData_pg_attribute *column = TupleDescAttr(RelationGetDescr(table), number - 1);
    if (column->attgenerated == is_virtual)
        ereport(ERROR, errcode(ERRCODE_DATATYPE_MISMATCH),
                errmsg("column \"%s\" of table \"%s\" is virtual", NameStr(column->attname),
                       RelationGetRelationName(table)),
                errhint("A virtual column stands in no row. Use a stored one."));
}

static Oid base_type(Relation table, AttrNumber number)
{
    return getBaseType(TupleDescAttr(RelationGetDescr(table), number - 1)->atttypid);
}

[[noreturn]] static void refuse_type(Relation table, AttrNumber number, const char *expected)
{
    const FormData_pg_attribute *column = TupleDescAttr(RelationGetDescr(table), number - 1);
    ereport(ERROR, errcode(ERRCODE_DATATYPE_MISMATCH),
            errmsg("column \"%s\" of table \"%s\" is of type %s", NameStr(column->attname),
                   RelationGetRelationName(table), format_type_be(column->atttypid)),
            errhint("It must be %s, or a domain over it.", expected));
    pg_unreachable();
}

// Whether a value of a type is a text as it is stored: text, varchar, and what a superuser has
// declared to be no other, as citext is. No cast is called for it that another may have made.
static bool is_stored_text(Oid type)
{
    return IsBinaryCoercible(type, TEXTOID);
}

static AttrNumber id_column(Relation table)
{
    const AttrNumber number = column_number(table, "id");
    require_stored(table, number);
    if (base_type(table, number) != UUIDOID)
        refuse_type(table, number, "uuid");
    return number;
}

static Oid email_type(Relation table, AttrNumber number)
{
    require_stored(table, number);
    const Oid type = base_type(table, number);
    if (type != BPCHAROID && type != NAMEOID && !is_stored_text(type))
        refuse_type(table, number, "text, varchar, char, name or citext");
    return type;
}

static Oid deleted_type(Relation table, AttrNumber number)
{
    if (number == InvalidAttrNumber)
        return InvalidOid;
    require_stored(table, number);
    const Oid type = base_type(table, number);
    if (type != TIMESTAMPTZOID && type != TIMESTAMPOID && type != BOOLOID)
        refuse_type(table, number, "timestamptz, timestamp or boolean");
    return type;
}

static Oid banned_type(Relation table, AttrNumber number)
{
    if (number == InvalidAttrNumber)
        return InvalidOid;
    require_stored(table, number);
    const Oid type = base_type(table, number);
    if (type != TIMESTAMPTZOID && type != BOOLOID)
        refuse_type(table, number, "timestamptz or boolean");
    return type;
}

AuthColumns::AuthColumns(Relation table, const Followed &followed)
    : table_(table), followed_(followed), id_(id_column(table)),
      email_type_(companion::email_type(table, followed.email)),
      deleted_type_(companion::deleted_type(table, followed.deleted)),
      banned_type_(companion::banned_type(table, followed.banned))
{
}

// A time, whichever it is, or true.
bool AuthColumns::is_set(Oid type, NullableDatum value)
{
    return !value.isnull && (type != BOOLOID || DatumGetBool(value.value));
}

NullableDatum AuthColumns::end_of_ban(NullableDatum value) const
{
    if (banned_type_ != BOOLOID)
        return value;
    return {TimestampTzGetDatum(DT_NOEND), !is_set(banned_type_, value)};
}

Datum AuthColumns::required_id(NullableDatum value) const
{
    if (value.isnull)
        ereport(ERROR, errcode(ERRCODE_NOT_NULL_VIOLATION),
                errmsg("a row of table \"%s\" has no id", RelationGetRelationName(table_)));
    return value.value;
}

NullableDatum AuthColumns::as_text(NullableDatum value) const
{
    if (value.isnull)
        return value;
    if (email_type_ == NAMEOID)
        return {CStringGetTextDatum(NameStr(*DatumGetName(value.value))), false};
    if (email_type_ == BPCHAROID)
        return {DirectFunctionCall1(rtrim1, value.value), false};
    return value;
}

} // namespace companion
