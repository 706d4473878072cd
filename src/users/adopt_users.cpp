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
#include "sharding/shard.hpp"
#include "users/auth_table.hpp"

using namespace companion;

namespace {

constexpr int batch_rows = 1000;

// $1 to $3 rows of the auth table; $4 whether they say who is suspended. Returns how many users
// were new or have changed, and how many should have become so: users that have not changed are not
// locked, and who was erased stays so. Whoever is known is locked before the rest is done: who is
// erased meanwhile would be made anew.
Statement adopt{R"sql(
    WITH wanted AS MATERIALIZED (
        SELECT auth.*, u.id IS NOT NULL AS is_known
        FROM unnest($1, $2, $3) AS auth (id, email, suspended_until)
        LEFT JOIN companion.users AS u ON u.id = auth.id
        LEFT JOIN companion.erased_users AS e ON e.user_id = auth.id
        WHERE CASE WHEN u.id IS NULL THEN e.user_id IS NULL
            ELSE u.email IS DISTINCT FROM auth.email
                OR ($4 AND u.suspended_until IS DISTINCT FROM auth.suspended_until) END),
    held AS MATERIALIZED (
        SELECT u.id FROM companion.users AS u
        WHERE u.id = ANY (ARRAY(SELECT id FROM wanted WHERE is_known))
        ORDER BY u.id FOR NO KEY UPDATE),
    adopted AS (
        INSERT INTO companion.users AS u (id, email, suspended_until)
        SELECT id, email, suspended_until FROM wanted
        WHERE NOT is_known OR id IN (SELECT id FROM held) ORDER BY id
        ON CONFLICT (id) DO UPDATE SET email = excluded.email,
            suspended_until = CASE WHEN $4 THEN excluded.suspended_until
                ELSE u.suspended_until END
        WHERE u.email IS DISTINCT FROM excluded.email
            OR ($4 AND u.suspended_until IS DISTINCT FROM excluded.suspended_until)
        RETURNING id)
    SELECT (SELECT count(*) FROM adopted WHERE id IN (SELECT id FROM wanted)),
           (SELECT count(*) FROM wanted)
)sql",
                UUIDARRAYOID, TEXTARRAYOID, TIMESTAMPTZARRAYOID, BOOLOID};

// What is adopted of some rows.
struct AuthRows {
    ArrayBuilder ids{UUIDOID}, emails{TEXTOID}, suspensions{TIMESTAMPTZOID};
};

// Fewer than there should be: somebody else was faster, as a second look shows, or a trigger has
// suppressed some.
int64 adopt_rows(const AuthRows &rows, bool has_suspensions)
{
    const Datum ids = rows.ids.finish(), emails = rows.emails.finish(),
                suspensions = rows.suspensions.finish();
    int64 adopted = 0;
    for (int look = 0; look < 2; look++) {
        adopt.execute({ids, emails, suspensions, BoolGetDatum(has_suspensions)});
        const int64 now_adopted = DatumGetInt64(result_field(0, 1));
        adopted += now_adopted;
        if (now_adopted == DatumGetInt64(result_field(0, 2)))
            return adopted;
    }
    refuse_suppressed("users");
}

// Read up to so many more rows, and adopt them; returns how many were new or changed. The
// scan is at its end when fewer were read.
int64 adopt_batch(TableScanDesc scan, TupleTableSlot *slot, const AuthColumns &columns,
                  bool *is_end)
{
    AuthRows rows;
    const auto read = [slot](AttrNumber number) {
        NullableDatum value;
        value.value = slot_getattr(slot, number, &value.isnull);
        return value;
    };
    while (rows.ids.size() < batch_rows &&
           table_scan_getnextslot(scan, ForwardScanDirection, slot)) {
        const Datum id = columns.id(read);
        if (is_elsewhere(*DatumGetUUIDP(id)))
            continue;
        rows.ids.add(id);
        rows.emails.add(columns.email(read));
        rows.suspensions.add(columns.suspended_until(read));
    }
    *is_end = rows.ids.size() < batch_rows;
    return with_spi([&] { return adopt_rows(rows, columns.has_suspensions()); });
}

// The columns to follow, by name; null for none.
struct Names {
    const char *email, *deleted, *banned;
};

Followed find_columns(Relation table, const Names &names)
{
    const auto number = [table](const char *name) -> AttrNumber {
        return name == nullptr ? InvalidAttrNumber : column_number(table, name);
    };
    return {number(names.email), number(names.deleted), number(names.banned)};
}

// The rows of a table, or of one partition.
int64 adopt_table(Relation table, const Names &names)
{
    const AuthColumns columns(table, find_columns(table, names));
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

int64 adopt_tables(Oid root, const Names &names)
{
    const List *tables = lock_tables(root);
    int64 adopted = 0;
    ListCell *cell;
    foreach (cell, tables) {
        Relation table = table_open(lfirst_oid(cell), NoLock);
        require_kind(table, RelationGetRelid(table) == root);
        if (table->rd_rel->relkind == RELKIND_RELATION)
            adopted += adopt_table(table, names);
        table_close(table, NoLock);
    }
    return adopted;
}

} // namespace

COMPANION_FUNCTION(adopt_users)
{
    const Arguments arguments(fcinfo);
    const Oid table = DatumGetObjectId(arguments.required(0, "auth_table"));
    const auto optional = [&](int position) {
        const NullableDatum name = arguments.nullable(position);
        return name.isnull ? nullptr : NameStr(*DatumGetName(name.value));
    };
    arguments.required(1, "email_column");
    const Names names{optional(1), optional(2), optional(3)};
    PreventCommandIfReadOnly("follow_auth_users()");
    require_rights(table);
    PG_RETURN_INT64(adopt_tables(table, names));
}
