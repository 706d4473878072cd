// Excerpts of texts: the part that matches a query, with the words found between two asterisks on
// each side.
//
// ts_headline is not for texts and queries of anybody: on a thousand words of the worst kind it
// takes minutes. Here each text is read a piece after the other, up to the first that has a match,
// and only so much of all texts together; and a piece takes a time that its size bounds.
#pragma once

#include "postgres/server.hpp"

#include <string_view>

namespace companion {

class Excerpts {
  public:
    // Allocates in the current memory context, and copies the query.
    Excerpts(Oid config, TSQuery query);

    bool is_for(Oid config, TSQuery query) const;

    // The excerpt of a text: up to 35 words.
    text *of(std::string_view content);

  private:
    struct Piece;
    struct Stretch;

    void collect(QueryItem *item, bool is_negated);
    int find_shown(const QueryOperand &operand) const;
    char *operand_text(const QueryOperand &operand) const;
    Piece read(std::string_view text) const;
    int operand_of(const HeadlineWordEntry &word) const;
    int count_operands(const Stretch &stretch) const;
    bool matches(const Stretch &stretch) const;
    Stretch richest(const Piece &piece, bool *is_match) const;
    static TSTernaryValue find_operand(void *stretch, QueryOperand *operand, ExecPhraseData *found);

    Oid config_;
    TSQuery query_;
    TSQuery shown_;    // its distinct operands that are not negated, for hlparsetext
    int *shown_index_; // for each item of the query which of these it is, or -1
    int64 readable_;   // bytes that may still be read, beyond the first piece of each text
};

} // namespace companion
