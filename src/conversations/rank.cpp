// Ranking what a search has found.
//
// ts_rank compares each position of each word of the query with each of every other, so that a long
// text and a long query can take seconds. Here no more positions of a word count than keep that
// within bounds: all, 255, for one or two words.
#include "postgres/arguments.hpp"
#include "postgres/entry.hpp"

using namespace companion;

namespace {

// How many positions may count in all.
constexpr int most_positions = 512;

int position_bound(TSQuery query)
{
    const QueryItem *items = GETQUERY(query);
    int operands = 0;
    for (int index = 0; index < query->size; index++)
        operands += items[index].type == QI_VAL;
    return Max(most_positions / Max(operands, 1), 1);
}

int positions_of(TSVector document, const WordEntry *word)
{
    return POSDATALEN(document, word);
}

bool has_more_positions(TSVector document, int bound)
{
    const WordEntry *words = ARRPTR(document);
    return std::any_of(words, words + document->size, [=](const WordEntry &word) {
        return positions_of(document, &word) > bound;
    });
}

// A copy in which no word has more positions; it has the room of the original.
TSVector with_fewer_positions(TSVector document, int bound)
{
    auto *copy = static_cast<TSVector>(palloc(VARSIZE(document)));
    memcpy(copy, document, VARSIZE(document));
    WordEntry *words = ARRPTR(copy);
    for (int index = 0; index < copy->size; index++)
        if (positions_of(copy, &words[index]) > bound)
            _POSVECPTR(copy, &words[index])->npos = static_cast<uint16>(bound);
    return copy;
}

} // namespace

COMPANION_FUNCTION(search_rank)
{
    const Arguments arguments(fcinfo);
    TSVector document = DatumGetTSVector(arguments.required(0, "document"));
    TSQuery query = DatumGetTSQuery(arguments.required(1, "query"));
    const int bound = position_bound(query);
    if (has_more_positions(document, bound))
        document = with_fewer_positions(document, bound);
    return DirectFunctionCall2(ts_rank_tt, TSVectorGetDatum(document), TSQueryGetDatum(query));
}
