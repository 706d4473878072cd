// Excerpts of texts.
#include "conversations/excerpt.hpp"

#include "postgres/arguments.hpp"
#include "postgres/entry.hpp"
#include "text/folding.hpp"
#include "text/words.hpp"

namespace companion {

// In bytes: a piece of a text, how much of it the next one has, too, and what all excerpts may read
// beyond the first piece of each text.
constexpr int piece_size = 4000, overlap = 400;
constexpr int64 most_read = 2000000;

// In words: an excerpt, and how much of it comes before what matches.
constexpr int excerpt_length = 35, lead_length = 5;

// With so many of a query's operands an excerpt is as good as it gets.
constexpr int enough_operands = 10;

// How many of the stretches that have the most operands are tried, whether they match.
constexpr int most_tries = 20;

// A piece of a text as words, white space and punctuation among them.
struct Excerpts::Piece {
    HeadlineParsedText parsed;

    int size() const { return parsed.curwords; }
    HeadlineWordEntry &at(int index) const { return parsed.words[index]; }

    bool is_word(int index) const
    {
        const HeadlineWordEntry &word = at(index);
        const auto first = static_cast<unsigned char>(*word.word);
        return !word.repeated && !word.skip && (isalnum(first) || IS_HIGHBIT_SET(first));
    }

    // The end of so many words from there on; after the last word, of the piece.
    int end_of(int first, int words) const
    {
        int end = first;
        for (; end < size() && words > 0; end++)
            words -= is_word(end);
        int next = end;
        while (next < size() && !is_word(next))
            next++;
        return next == size() ? next : end;
    }

    // The beginning of so many words before an end, or of the piece.
    int beginning_of(int end, int words) const
    {
        while (end > 0 && words > 0)
            words -= is_word(--end);
        return words > 0 ? 0 : end;
    }

    // Whether a word stands for those that follow, such as one with a hyphen for its parts.
    bool is_compound(int index) const
    {
        int done = 0, next = index + 1;
        for (; next < size() && done < at(index).len; next++) {
            const HeadlineWordEntry &part = at(next);
            if (part.repeated)
                continue;
            if (part.len >= at(index).len || part.len > at(index).len - done ||
                memcmp(at(index).word + done, part.word, part.len) != 0)
                return false;
            done += part.len;
        }
        return done == at(index).len;
    }

    bool is_tag(int index) const
    {
        const HeadlineWordEntry &word = at(index);
        return word.len > 2 && word.word[0] == '<' && word.word[word.len - 1] == '>';
    }

    // A piece of text again, from one word up to another.
    text *show(int first, int end)
    {
        for (int index = first; index < end; index++) {
            at(index).in = !at(index).repeated;
            at(index).selected = at(index).item != nullptr;
        }
        parsed.startsel = parsed.stopsel = pstrdup("**");
        parsed.startsellen = parsed.stopsellen = 2;
        parsed.fragdelim = pstrdup("");
        return without_separators(generateHeadline(&parsed));
    }

    // Show the words as another text has them, which is the one that was parsed but for case. The
    // server frees them.
    void show_as(std::string_view shown, std::string_view searched)
    {
        std::size_t from = 0, shown_from = 0;
        for (int index = 0; index < size(); index++) {
            HeadlineWordEntry &word = at(index);
            const std::size_t found = searched.find({word.word, word.len}, from);
            if (word.repeated || found == searched.npos)
                continue;
            shown_from = same_characters(shown, shown_from, searched.substr(from, found - from));
            const std::size_t end =
                same_characters(shown, shown_from, searched.substr(found, word.len));
            from = word.skip ? found : found + word.len;
            word.word = pnstrdup(shown.data() + shown_from, end - shown_from);
            word.len = static_cast<uint16>(end - shown_from);
            shown_from = word.skip ? shown_from : end;
        }
    }

    // Where in a text the same number of characters ends as another has.
    static std::size_t same_characters(std::string_view text, std::size_t from,
                                       std::string_view other)
    {
        for (std::size_t passed = 0; passed < other.size() && from < text.size();) {
            passed += pg_mblen(other.data() + passed);
            from += pg_mblen(text.data() + from);
        }
        return from;
    }

    // What stands apart for the search is shown together, and so is what was found.
    static text *without_separators(text *excerpt)
    {
        static constexpr char between[] = {'*', '*', separator, '*', '*', '\0'};
        const std::string_view with = text_view(PointerGetDatum(excerpt));
        if (with.find(separator) == with.npos)
            return excerpt;
        StringInfoData without;
        initStringInfo(&without);
        for (std::size_t index = 0; index < with.size(); index++)
            if (with.substr(index).starts_with(between))
                index += strlen(between) - 1;
            else if (with[index] != separator)
                appendStringInfoChar(&without, with[index]);
        return cstring_to_text_with_len(without.data, without.len);
    }

    // The words from one on, with some before it.
    text *show_from(int match)
    {
        const int first = beginning_of(match, lead_length);
        const int end = end_of(first, excerpt_length);
        return show(end == size() ? beginning_of(end, excerpt_length) : first, end);
    }
};

// A part of a piece.
struct Excerpts::Stretch {
    const Excerpts *excerpts;
    const Piece *piece;
    int first, end;
};

Excerpts::Excerpts(Oid config, TSQuery query)
    : config_(config), query_(static_cast<TSQuery>(palloc(VARSIZE(query)))),
      shown_(static_cast<TSQuery>(palloc0(VARSIZE(query)))),
      shown_index_(static_cast<int *>(palloc(query->size * sizeof(int)))), readable_(most_read)
{
    memcpy(query_, query, VARSIZE(query));
    std::fill_n(shown_index_, query->size, -1);
    collect(GETQUERY(query_), false);
    // The operands' texts lie after the last item
    memcpy(GETOPERAND(shown_), GETOPERAND(query_), VARSIZE(query) - COMPUTESIZE(query->size, 0));
    SET_VARSIZE(shown_, VARSIZE(query));
}

bool Excerpts::is_for(Oid config, TSQuery query) const
{
    return config == config_ && VARSIZE(query) == VARSIZE(query_) &&
           memcmp(query, query_, VARSIZE(query)) == 0;
}

char *Excerpts::operand_text(const QueryOperand &operand) const
{
    return GETOPERAND(query_) + operand.distance;
}

// Which of the operands so far has the same text, or how many there are.
int Excerpts::find_shown(const QueryOperand &operand) const
{
    int index = 0;
    for (; index < shown_->size; index++) {
        const QueryOperand &other = GETQUERY(shown_)[index].qoperand;
        if (tsCompareString(operand_text(operand), operand.length, operand_text(other),
                            other.length, false) == 0)
            break;
    }
    return index;
}

// Take in the operands below an item of the query.
void Excerpts::collect(QueryItem *item, bool is_negated)
{
    check_stack_depth();
    if (item->type == QI_VAL) {
        if (is_negated)
            return;
        const int index = find_shown(item->qoperand);
        if (index == shown_->size)
            GETQUERY(shown_)[shown_->size++] = *item;
        shown_index_[item - GETQUERY(query_)] = index;
    } else if (item->qoperator.oper == OP_NOT) {
        collect(item + 1, !is_negated);
    } else {
        collect(item + item->qoperator.left, is_negated);
        collect(item + 1, is_negated);
    }
}

Excerpts::Piece Excerpts::read(std::string_view content) const
{
    const std::string_view shown = with_words_apart(content), text = folded(shown);
    Piece piece{};
    piece.parsed.lenwords = 64;
    piece.parsed.words =
        static_cast<HeadlineWordEntry *>(palloc(piece.parsed.lenwords * sizeof(HeadlineWordEntry)));
    hlparsetext(config_, &piece.parsed, shown_, const_cast<char *>(text.data()),
                static_cast<int>(text.size()));
    for (int index = 0; index < piece.size(); index++) {
        piece.at(index).skip = !piece.at(index).repeated && piece.is_compound(index);
        piece.at(index).replace = piece.is_tag(index);
    }
    if (shown.data() != text.data())
        piece.show_as(shown, text);
    return piece;
}

// Which operand a word is, or -1.
int Excerpts::operand_of(const HeadlineWordEntry &word) const
{
    if (word.item == nullptr)
        return -1;
    return static_cast<int>(reinterpret_cast<QueryItem *>(word.item) - GETQUERY(shown_));
}

// How many of the operands are in a stretch.
int Excerpts::count_operands(const Stretch &stretch) const
{
    auto *is_there = static_cast<bool *>(palloc0(Max(shown_->size, 1) * sizeof(bool)));
    int count = 0;
    for (int index = stretch.first; index < stretch.end; index++) {
        const int operand = operand_of(stretch.piece->at(index));
        if (operand < 0 || is_there[operand])
            continue;
        is_there[operand] = true;
        count++;
    }
    pfree(is_there);
    return count;
}

// Where an operand of the query is in a stretch: what TS_execute asks for.
TSTernaryValue Excerpts::find_operand(void *argument, QueryOperand *operand, ExecPhraseData *found)
{
    const auto &stretch = *static_cast<const Stretch *>(argument);
    const Excerpts &excerpts = *stretch.excerpts;
    const QueryItem *item = reinterpret_cast<QueryItem *>(operand);
    const int wanted = excerpts.shown_index_[item - GETQUERY(excerpts.query_)];
    auto *positions = static_cast<WordEntryPos *>(
        palloc((stretch.end - stretch.first + 1) * sizeof(WordEntryPos)));
    int count = 0;
    for (int index = stretch.first; wanted >= 0 && index < stretch.end; index++) {
        const HeadlineWordEntry &word = stretch.piece->at(index);
        const bool is_other = count == 0 || positions[count - 1] != word.pos;
        if (excerpts.operand_of(word) == wanted && is_other)
            positions[count++] = word.pos;
    }
    if (count > 0 && found != nullptr) {
        found->npos = count;
        found->pos = positions;
        found->allocated = true;
    } else {
        pfree(positions);
    }
    return count > 0 ? TS_YES : TS_NO;
}

bool Excerpts::matches(const Stretch &stretch) const
{
    return TS_execute(GETQUERY(query_), const_cast<Stretch *>(&stretch), TS_EXEC_EMPTY,
                      find_operand);
}

// The stretch that matches and has the most operands, the first of equals; or, where none is found
// to match, the one with the most.
Excerpts::Stretch Excerpts::richest(const Piece &piece, bool *is_match) const
{
    Stretch best{this, &piece, 0, 0};
    int most = 0, tries = 0;
    *is_match = matches(best);
    for (int index = 0; index < piece.size() && !(*is_match && most == shown_->size); index++) {
        if (piece.at(index).item == nullptr || piece.at(index).repeated)
            continue;
        const Stretch stretch{this, &piece, index,
                              piece.end_of(index, excerpt_length - lead_length)};
        const int operands = count_operands(stretch);
        const bool is_richer = operands > most;
        tries = is_richer ? 0 : tries;
        if (!is_richer && (operands < most || *is_match || tries++ >= most_tries))
            continue;
        const bool is_another = matches(stretch);
        if (is_another > *is_match || (is_another == *is_match && is_richer)) {
            best = stretch;
            most = operands;
            *is_match = is_another;
        }
    }
    return best;
}

// How much of a text the next piece is: up to white space, where there is some near the end.
static std::size_t piece_length(std::string_view text)
{
    const int size = static_cast<int>(text.size());
    if (size <= piece_size)
        return text.size();
    const int longest = pg_mbcliplen(text.data(), size, piece_size);
    int length = longest;
    while (length > longest - overlap && !isspace(static_cast<unsigned char>(text[length - 1])))
        length--;
    return length > longest - overlap ? length : longest;
}

// Where the piece after one begins: before its end, at a word, where there is white space.
static std::size_t next_piece(std::string_view piece)
{
    std::size_t start = piece.size() - overlap;
    while (start < piece.size() && !isspace(static_cast<unsigned char>(piece[start])))
        start++;
    return start;
}

text *Excerpts::of(std::string_view content)
{
    text *excerpt = nullptr;
    for (int most = -1;;) {
        CHECK_FOR_INTERRUPTS();
        const std::string_view part = content.substr(0, piece_length(content));
        Piece piece = read(part);
        bool is_match;
        const Stretch stretch = richest(piece, &is_match);
        const int operands = count_operands(stretch);
        if (is_match || operands > most)
            excerpt = piece.show_from(stretch.first);
        most = Max(most, operands);
        const bool is_good = is_match || operands >= enough_operands;
        if (is_good || part.size() == content.size() || readable_ <= 0)
            return excerpt;
        content.remove_prefix(next_piece(part));
        readable_ -= static_cast<int64>(part.size());
    }
}

} // namespace companion

using namespace companion;

COMPANION_FUNCTION(search_excerpt)
{
    const Arguments arguments(fcinfo);
    const Oid config = DatumGetObjectId(arguments.required(0, "config"));
    TSQuery query = DatumGetTSQuery(arguments.required(2, "query"));
    auto *excerpts = static_cast<Excerpts *>(fcinfo->flinfo->fn_extra);
    if (excerpts == nullptr || !excerpts->is_for(config, query)) {
        MemoryContext context = MemoryContextSwitchTo(fcinfo->flinfo->fn_mcxt);
        excerpts = new (palloc(sizeof(Excerpts))) Excerpts(config, query);
        MemoryContextSwitchTo(context);
        fcinfo->flinfo->fn_extra = excerpts;
    }
    PG_RETURN_TEXT_P(excerpts->of(arguments.text(1, "content")));
}
