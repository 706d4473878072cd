// Rows that are given to a statement.
#include "postgres/given.hpp"

namespace companion {

static char relation_name[] = "given";

Given::Given(std::initializer_list<Column> columns)
    : context_(CurrentMemoryContext),
      descriptor_(CreateTemplateTupleDesc(static_cast<int>(columns.size()))), room_(8)
{
    AttrNumber number = 0;
    for (const Column &column : columns)
        TupleDescInitEntry(descriptor_, ++number, column.name, column.type, -1, 0);
    rows_ = static_cast<NullableDatum *>(palloc(room_ * columns.size() * sizeof(NullableDatum)));
}

void Given::add(std::initializer_list<NullableDatum> values)
{
    const MemoryContext caller = MemoryContextSwitchTo(context_);
    if (size_ == room_) {
        room_ *= 2;
        rows_ = static_cast<NullableDatum *>(
            repalloc(rows_, room_ * values.size() * sizeof(NullableDatum)));
    }
    NullableDatum *row = rows_ + size_++ * values.size();
    int column = 0;
    for (const NullableDatum &value : values) {
        const FormData_pg_attribute *attribute = TupleDescAttr(descriptor_, column++);
        *row = value;
        if (!value.isnull)
            row->value = datumCopy(value.value, attribute->attbyval, attribute->attlen);
        row++;
    }
    MemoryContextSwitchTo(caller);
}

// The rows as the executor reads them.
static Tuplestorestate *store(const Given &given, TupleDesc descriptor)
{
    Tuplestorestate *rows = tuplestore_begin_heap(true, false, work_mem);
    Datum values[MaxTupleAttributeNumber];
    bool nulls[MaxTupleAttributeNumber];
    for (int row = 0; row < given.size(); row++) {
        for (int column = 0; column < descriptor->natts; column++) {
            const NullableDatum value = given.at(row, column);
            values[column] = value.value;
            nulls[column] = value.isnull;
        }
        tuplestore_putvalues(rows, descriptor, values, nulls);
    }
    return rows;
}

// One that an error has left behind, in a subtransaction of the same connection, is replaced.
GivenRelation::GivenRelation(const Given &given)
    : relation_(static_cast<EphemeralNamedRelation>(palloc0(sizeof(EphemeralNamedRelationData))))
{
    relation_->md.name = relation_name;
    relation_->md.tupdesc = given.descriptor_;
    relation_->md.enrtype = ENR_NAMED_TUPLESTORE;
    relation_->md.enrtuples = given.size();
    relation_->reldata = store(given, given.descriptor_);
    SPI_unregister_relation(relation_name);
    const int result = SPI_register_relation(relation_);
    if (result < 0)
        // Unreached: only a call outside with_spi()
        elog(ERROR, "SPI_register_relation failed: %s", SPI_result_code_string(result));
}

void GivenRelation::end() const
{
    SPI_unregister_relation(relation_name);
    tuplestore_end(static_cast<Tuplestorestate *>(relation_->reldata));
}

} // namespace companion
