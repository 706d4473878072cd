// Rows that are given to a statement.
#pragma once

#include "postgres/server.hpp"

#include <initializer_list>

namespace companion {

// Rows that a statement reads as the relation "given", in the order in which they were added.
// Parameters that are arrays would have to be unnested one by one, which costs several times as
// much.
class Given {
  public:
    struct Column {
        const char *name;
        Oid type;
    };

    explicit Given(std::initializer_list<Column> columns);

    // Add a row, a value for each column; they are copied.
    void add(std::initializer_list<NullableDatum> values);

    // Change a value of a row; it is not copied.
    void set(int row, int column, NullableDatum value) { rows_[row * columns() + column] = value; }

    int size() const { return size_; }
    NullableDatum at(int row, int column) const { return rows_[row * columns() + column]; }

  private:
    friend class GivenRelation;

    int columns() const { return descriptor_->natts; }

    MemoryContext context_;
    TupleDesc descriptor_;
    NullableDatum *rows_;
    int size_ = 0, room_;
};

// Given rows as a relation of the present SPI connection, in whose memory context this is made.
class GivenRelation {
  public:
    explicit GivenRelation(const Given &given);

    // Take it away again; after an error that happens by itself.
    void end() const;

  private:
    EphemeralNamedRelation relation_; // in memory that an error leaves alone
};

} // namespace companion
