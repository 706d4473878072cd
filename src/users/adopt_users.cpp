// Taking over the rows that an auth table has already.
//
// Its rows are read by no statement: to plan one may call what the table's owner has made, in
// an index's condition for one, with the rights of whoever reads it.
#include "postgres/arguments.hpp"
#include "postgres/array_builder.hpp"
#include "postgres/entry.hpp"
#include "postgres/relations.hpp"
#include "postgres/statement.hpp"
#include "postgres/triggered.hpp"
#include "users/auth_table.hpp"

using namespace companion;

namespace {

constexpr int batch_rows = 1000;

// Returns how many users were new or had another address, and how many should have become so:
// users that have not changed are not locked.
Statement adopt{R"sql(
    WITH wanted AS MATERIALIZED (
        SELECT auth.id, auth.email FROM unnest($1, $2) AS auth (id, email)
        WHERE NOT EXISTS (SELECT FROM companion.users AS u
                          WHERE u.id = auth.id AND u.email IS NOT DISTINCT FROM auth.email)),
    adopted AS (
        INSERT INTO companion.users AS u (id, email)
        SELECT id, email FROM wanted ORDER BY id
        ON CONFLICT (id) DO UPDATE SET email = excluded.email
        WHERE u.email IS DISTINCT FROM excluded.email RETURNING id)
    SELECT (SELECT count(*) FROM adopted WHERE id IN (SELECT id FROM wanted)),
           (SELECT count(*) FROM wanted)
)sql",
                UUIDARRAYOID, TEXTARRAYOID};

Statement find_missing{R"sql(
    SELECT FROM unnest($1, $2) AS auth (id, email)
    WHERE NOT EXISTS (SELECT FROM companion.users AS u
                      WHERE u.id = auth.id AND u.email IS NOT DISTINCT FROM auth.email)
)sql",
                       UUIDARRAYOID, TEXTARRAYOID};

// Fewer than there should be: somebody else was faster, or a trigger has suppressed some.
int64 adopt_rows(Datum ids, Datum emails)
{
    adopt.execute({ids, emails});
    const int64 adopted = DatumGetInt64(result_field(0, 1)),
                wanted = DatumGetInt64(result_field(0, 2));
    if (adopted < wanted && find_missing.execute({ids, emails}) > 0)
        refuse_suppressed("users");
    return adopted;
}

// Read up to so many more rows, and adopt them; returns how many were new or changed. The
// scan is at its end when fewer were read.
int64 adopt_batch(TableScanDesc scan, TupleTableSlot *slot, const AuthColumns &columns,
                  bool *is_end)
{
    ArrayBuilder ids(UUIDOID), emails(TEXTOID);
    while (ids.size() < batch_rows && table_scan_getnextslot(scan, ForwardScanDirection, slot)) {
        const auto value = [&](AttrNumber number) {
            NullableDatum value;
            value.value = slot_getattr(slot, number, &value.isnull);
            return value;
        };
        const NullableDatum email = columns.email(value(columns.email_number()));
        ids.add(columns.id(value(columns.id_number())));
        emails.add(email.value, email.isnull);
    }
    *is_end = ids.size() < batch_rows;
    const Datum id_array = ids.finish(), email_array = emails.finish();
    return with_spi([&] { return adopt_rows(id_array, email_array); });
}

// The rows of a table, or of one partition.
int64 adopt_table(Relation table, const char *email)
{
    const AuthColumns columns(table, column_number(table, email));
    Snapshot snapshot = RegisterSnapshot(GetLatestSnapshot());
    TupleTableSlot *slot = table_slot_create(table, nullptr);
    TableScanDesc scan = table_beginscan(table, snapshot, 0, nullptr);
    MemoryContext batch =
        AllocSetContextCreate(CurrentMemoryContext, "companion auth rows", ALLOCSET_DEFAULT_SIZES);
    int64 adopted = 0;
    for (bool is_end = false; !is_end; MemoryContextReset(batch)) {
        CHECK_FOR_INTERRUPTS();
        MemoryContext caller = MemoryContextSwitchTo(batch);
        adopted += adopt_batch(scan, slot, columns, &is_end);
        MemoryContextSwitchTo(caller);
    }
    MemoryContextDelete(batch);
    table_endscan(scan);
    ExecDropSingleTupleTableSlot(slot);
    UnregisterSnapshot(snapshot);
    return adopted;
}

[[noreturn]] void refuse_kind(Relation table, const char *what, const char *hint)
{
    ereport(ERROR, errcode(ERRCODE_WRONG_OBJECT_TYPE),
            errmsg("table \"%s\" %s", RelationGetRelationName(table), what), errhint("%s", hint));
    pg_unreachable();
}

// Refuse a partitioned table of which a row may move while its id stays: that comes as the
// deletion of one row and the insertion of another.
void require_partitioned_by_id(Relation table)
{
    HeapTuple tuple = SearchSysCache1(PARTRELID, ObjectIdGetDatum(RelationGetRelid(table)));
    if (!HeapTupleIsValid(tuple))
        // Unreached: a table that is locked and partitioned has a row there
        elog(ERROR, "cache lookup failed for partitioned table %u", RelationGetRelid(table));
    const auto *key = reinterpret_cast<Form_pg_partitioned_table>(GETSTRUCT(tuple));
    const AttrNumber id = get_attnum(RelationGetRelid(table), "id");
    bool is_by_id = true;
    for (int index = 0; index < key->partnatts; index++)
        is_by_id = is_by_id && key->partattrs.values[index] == id;
    ReleaseSysCache(tuple);
    if (!is_by_id)
        refuse_kind(table, "is partitioned by more than its id",
                    "A row that moved to another partition would look as if it were deleted.");
}

// Refuse what is no table with rows of its own, or is a part of one. Error 42809.
void require_kind(Relation table, bool is_root)
{
    const char kind = table->rd_rel->relkind;
    if (is_root && table->rd_rel->relispartition)
        refuse_kind(table, "is a partition", "Follow the partitioned table.");
    if (kind == RELKIND_PARTITIONED_TABLE)
        require_partitioned_by_id(table);
    else if (kind != RELKIND_RELATION)
        refuse_kind(table, "is no ordinary table",
                    "Views and foreign tables cannot be followed: follow the table itself.");
}

// Refuse a caller who may not read the table, all of it, and put triggers on it. Error 42501.
void require_rights(Oid table)
{
    constexpr AclMode rights = ACL_SELECT | ACL_TRIGGER;
    if (pg_class_aclmask(table, GetUserId(), rights, ACLMASK_ALL) != rights)
        aclcheck_error(ACLCHECK_NO_PRIV, OBJECT_TABLE, get_rel_name(table));
    if (check_enable_rls(table, InvalidOid, true) == RLS_ENABLED)
        ereport(ERROR, errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
                errmsg("row-level security may hide rows of table \"%s\" from you",
                       get_rel_name(table)),
                errhint("Call this as a role with BYPASSRLS, or as the table's owner."));
}

// The table and, where it is partitioned, its partitions, locked: nobody writes them until the
// transaction ends, when the trigger is on them, too.
List *lock_tables(Oid root)
{
    LockRelationOid(root, ShareRowExclusiveLock);
    if (get_rel_relkind(root) == RELKIND_PARTITIONED_TABLE)
        return find_all_inheritors(root, ShareRowExclusiveLock, nullptr); // which locks the others
    return list_make1_oid(root);
}

int64 adopt_tables(Oid root, const char *email)
{
    const List *tables = lock_tables(root);
    int64 adopted = 0;
    ListCell *cell;
    foreach (cell, tables) {
        Relation table = table_open(lfirst_oid(cell), NoLock);
        require_kind(table, RelationGetRelid(table) == root);
        if (table->rd_rel->relkind == RELKIND_RELATION)
            adopted += adopt_table(table, email);
        table_close(table, NoLock);
    }
    return adopted;
}

} // namespace

COMPANION_FUNCTION(adopt_users)
{
    const Arguments arguments(fcinfo);
    const Oid table = DatumGetObjectId(arguments.required(0, "auth_table"));
    const char *email = NameStr(*DatumGetName(arguments.required(1, "email_column")));
    PreventCommandIfReadOnly("follow_auth_users()");
    require_rights(table);
    PG_RETURN_INT64(adopt_tables(table, email));
}
