// Which shard this database is: set once, and kept by every session.
#include "sharding/shard.hpp"

#include "identity/uuid_v7.hpp"
#include "postgres/arguments.hpp"
#include "postgres/entry.hpp"
#include "postgres/kept_rows.hpp"
#include "postgres/statement.hpp"
#include "postgres/triggered.hpp"
#include "sharding/shard_of.hpp"

namespace companion {

static Shard read_shard(const StoredRow &row)
{
    const NullableDatum number = row.nullable("number");
    return {number.isnull ? Shard::directory : DatumGetInt32(number.value),
            DatumGetInt32(row.get("shards"))};
}

// There is one row at most.
static KeptRows<Shard> kept{"shard", read_shard,
                            [](const Shard &, const Shard &) { return false; }};

const Shard *this_shard()
{
    const Rows<Shard> rows = kept.rows();
    return rows.count == 0 ? nullptr : rows.first;
}

bool Shard::has(const pg_uuid_t &user_id) const
{
    return shard_of(user_id.data, shards) == number;
}

bool is_one_of_shards()
{
    const Shard *shard = this_shard();
    return shard != nullptr && !shard->is_directory();
}

bool is_elsewhere(const pg_uuid_t &user_id)
{
    const Shard *shard = this_shard();
    return shard != nullptr && !shard->has(user_id);
}

const char *name_of(const Shard &shard)
{
    return shard.is_directory() ? psprintf("the directory of %d shards", shard.shards)
                                : psprintf("shard %d of %d", shard.number, shard.shards);
}

// On average as many are drawn as there are shards.
static pg_uuid_t *id_of(Shard shard)
{
    pg_uuid_t *id = uuid_v7();
    while (!shard.has(*id))
        id = uuid_v7();
    return id;
}

pg_uuid_t *new_user_id()
{
    const Shard *shard = this_shard();
    if (shard == nullptr)
        return uuid_v7();
    if (shard->is_directory())
        ereport(ERROR, errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
                errmsg("this database is %s, and has no users", name_of(*shard)));
    return id_of(*shard);
}

} // namespace companion

using namespace companion;

namespace {

Statement add_shard{R"sql(
    INSERT INTO companion.shard (number, shards) VALUES ($1, $2) ON CONFLICT DO NOTHING
    RETURNING number IS NOT DISTINCT FROM $1 AND shards = $2
)sql",
                    INT4OID, INT4OID};

Statement find_shard{"SELECT coalesce(number, -1), shards FROM companion.shard"};

Statement find_others{R"sql(
    SELECT id, count(*) OVER (), companion.shard_of(id, $2) FROM companion.users
    WHERE companion.shard_of(id, $2) IS DISTINCT FROM $1 ORDER BY id LIMIT 1
)sql",
                      INT4OID, INT4OID};

// Whether it is so already. Error 55000 where it is another.
bool is_set(const Shard &shard)
{
    if (find_shard.execute_newest({}) == 0)
        return false;
    const Shard present{DatumGetInt32(result_field(0, 1)), DatumGetInt32(result_field(0, 2))};
    if (present.number != shard.number || present.shards != shard.shards)
        ereport(ERROR, errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
                errmsg("this database is %s already, not %s", name_of(present), name_of(shard)),
                errhint("It is set once. How to correct a slip is in docs/scaling.md."));
    return true;
}

// Error 55000 where there are users who would belong elsewhere.
void require_no_others(const Shard &shard, NullableDatum number)
{
    const char nulls[] = {null_flag(number), ' '};
    if (find_others.execute_newest({number.value, Int32GetDatum(shard.shards)}, nulls) == 0)
        return;
    const char *id = DatumGetCString(DirectFunctionCall1(uuid_out, result_field(0, 1)));
    ereport(ERROR, errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
            errmsg("this database has users who do not belong to %s: " INT64_FORMAT, name_of(shard),
                   DatumGetInt64(result_field(0, 2))),
            errdetail("The first is %s, of shard %d.", id, DatumGetInt32(result_field(0, 3))));
}

// Returns whether it was not set before. No user is added meanwhile.
bool set_shard(const Shard &shard)
{
    LockRelationOid(relation_id("users"), ShareRowExclusiveLock);
    if (is_set(shard))
        return false;
    const NullableDatum number{Int32GetDatum(shard.number), shard.is_directory()};
    require_no_others(shard, number);
    const char nulls[] = {null_flag(number), ' '};
    if (add_shard.execute({number.value, Int32GetDatum(shard.shards)}, nulls) == 0)
        refuse_suppressed("shard");
    require_written(1, "shard", "number or shards");
    return true;
}

} // namespace

COMPANION_FUNCTION(set_shard)
{
    const Arguments arguments(fcinfo);
    PreventCommandIfReadOnly("set_shard()");
    const int shards = arguments.integer(1, "shards", 1, most_shards);
    const Shard shard{arguments.integer(0, "number", 0, shards - 1), shards};
    PG_RETURN_BOOL(with_spi([&] { return set_shard(shard); }));
}

COMPANION_FUNCTION(set_directory)
{
    const Shard shard{Shard::directory, Arguments(fcinfo).integer(0, "shards", 1, most_shards)};
    PreventCommandIfReadOnly("set_directory()");
    PG_RETURN_BOOL(with_spi([&] { return set_shard(shard); }));
}

COMPANION_FUNCTION(new_user_id)
{
    PG_RETURN_UUID_P(new_user_id());
}
