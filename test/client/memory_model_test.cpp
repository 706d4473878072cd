// Random operations on memory, on the server and on a model of it: after each, every item, the
// whole history, what is recalled and what became of each fact agree.

#include "database.hpp"
#include "memory_model.hpp"

#include "catch2.hpp"

#include <random>

using namespace memory_model;

namespace {

// The same operations on the server
class Server {
  public:
    Server() : user(database.add_user("Maya"))
    {
        database.run("INSERT INTO companion.context_categories"
                     " (category, keep_history, max_items, expires_after)"
                     " VALUES ('b', false, 2, '5 hours')");
        database.run("INSERT INTO companion.conversations (user_id, id, channel)"
                     " VALUES ($1, $1, 'web')",
                     user);
        for (int message = 1; message <= 4; message++)
            add_message(message);
    }

    void set_clock(Hour hour) { database.set("companion.clock", time(hour)); }

    // Whether it was taken or held
    bool upsert(const Fact &fact)
    {
        const std::optional<std::string> message =
            fact.message ? std::optional(id_of(*fact.message)) : std::nullopt;
        return database
            .run("SELECT id IS NOT NULL FROM companion.upsert_user_context($1, $2, $3, $4, $5, $6,"
                 " $7, $8, $9, $10, $11)",
                 user, fact.key.first, fact.key.second, fact.value, fact.importance, fact.valence,
                 fact.source, maybe_time(fact.expires), message, metadata(fact.tags),
                 fact.pinned)[0][0]
            .as<bool>();
    }

    std::vector<std::string> upsert_many(const std::vector<Fact> &facts)
    {
        std::string json;
        bool is_to_skip = false;
        for (const Fact &fact : facts) {
            json += (json.empty() ? "[" : ",") + to_json(fact);
            is_to_skip |= fact.is_bad;
        }
        std::vector<std::string> outcomes;
        for (const auto &row :
             database.run("SELECT outcome FROM companion.upsert_user_context_many($1, $2, $3)",
                          user, json + "]", is_to_skip ? "skip" : "error"))
            outcomes.push_back(row[0].c_str());
        return outcomes;
    }

    void update(const Change &change)
    {
        database.run("SELECT companion.update_user_context($1, NULL, $2, $3, $4, $5, $6, $7, $8)",
                     user, change.key.first, change.key.second, change.importance, change.pinned,
                     maybe_time(change.expires), metadata(change.tags), change.merge);
    }

    void forget(const std::string &category, const std::optional<std::string> &key)
    {
        database.run("SELECT companion.forget_user_context($1, $2, $3)", user, category, key);
    }

    void delete_message(int message, bool with_facts)
    {
        database.run("SELECT companion.delete_message($1, $2, $3)", user, id_of(message),
                     with_facts);
        add_message(++last_message_);
    }

    void expire() { database.run("SELECT companion.expire_user_context()"); }

    void touch(const Key &key)
    {
        database.run("SELECT companion.touch_user_context($1, ARRAY(SELECT id"
                     " FROM companion.user_context"
                     " WHERE category = $2 AND folded_key = companion.folded($3)))",
                     user, key.first, key.second);
    }

    void resolve(const Key &key)
    {
        database.run("SELECT companion.resolve_user_context($1, $2, $3)", user, key.first,
                     key.second);
    }

    void embed(const Key &key)
    {
        database.run("SELECT companion.set_embedding($1, id, 'm', $2) FROM companion.user_context"
                     " WHERE category = $3 AND folded_key = companion.folded($4)",
                     user, vector(embedding_of(folded(key.second))), key.first, key.second);
    }

    std::string items()
    {
        return lines("SELECT concat_ws('|', category, key, value, importance, emotional_valence,"
                     " source, pinned::integer, " +
                     hour("expires_at") + ", " + hour("resolved_at") + ", confirmations, " +
                     hour("confirmed_at") + ", " + hour("last_referenced_at") + ", " +
                     hour("last_used_at") + ", " + hour("value_since") + ", " + hour("created_at") +
                     ", coalesce(contradicted_by, '-'), " + messages("ARRAY[source_message_id]") +
                     ", " + messages("stated_in") + ", " + messages("earlier_stated_in") +
                     ", (SELECT coalesce(string_agg(tag, ',' ORDER BY tag), '')"
                     "   FROM jsonb_array_elements_text(metadata -> 't') AS t (tag)),"
                     " EXISTS (SELECT FROM companion.context_embeddings WHERE item_id = c.id)"
                     "::integer)"
                     " FROM companion.user_context AS c ORDER BY category, folded_key");
    }

    std::string history()
    {
        return lines("SELECT concat_ws('|', category, key, value, source, " + hour("held_from") +
                     ", " + hour("held_until") +
                     ", coalesce(replaced_by, '-'))"
                     " FROM companion.user_context_history"
                     " ORDER BY category, companion.folded(key) COLLATE \"C\", key,"
                     " value COLLATE \"C\", source COLLATE \"C\","
                     " held_from, held_until, replaced_by COLLATE \"C\" NULLS FIRST");
    }

    std::string as_of(Hour hour)
    {
        return lines("SELECT concat_ws('|', category, key, value) COLLATE \"C\" AS line"
                     " FROM companion.user_context_as_of('" +
                     user + "', '" + time(hour) + "') ORDER BY line");
    }

    std::string recall(bool by_meaning)
    {
        return lines("SELECT concat_ws('|', category, key)"
                     " FROM companion.recall_user_context('" +
                     user + "', embedding => " +
                     (by_meaning ? "'" + vector(embedding_of(keys[0][0])) + "'" : "NULL") + ")");
    }

    Database database;
    const std::string user;

  private:
    // The Hour of a column, never where it is null
    static std::string hour(const std::string &column)
    {
        return "coalesce(extract(epoch FROM " + column + " - '2026-01-01 00:00+00') / 3600, " +
               std::to_string(never) + ")::integer";
    }

    // The numbers of the messages in a column
    static std::string messages(const std::string &column)
    {
        return "(SELECT coalesce(string_agg(coalesce(right(m::text, 4)::integer::text, '-'), ','"
               " ORDER BY n), '') FROM unnest(" +
               column + ") WITH ORDINALITY AS u (m, n))";
    }

    static std::string time(Hour hour)
    {
        if (hour == never)
            return "infinity";
        std::ostringstream text;
        text << "2026-01-" << (hour / 24 < 9 ? "0" : "") << 1 + hour / 24 << ' ' << hour % 24
             << ":00+00";
        return text.str();
    }

    static std::optional<std::string> maybe_time(std::optional<Hour> hour)
    {
        return hour ? std::optional(time(*hour)) : std::nullopt;
    }

    static std::string id_of(int message)
    {
        const std::string number = std::to_string(message);
        return "01a21c49-0000-7000-8000-00000000" + std::string(4 - number.size(), '0') + number;
    }

    void add_message(int message)
    {
        database.run("INSERT INTO companion.messages (user_id, id, conversation_id, role, content)"
                     " VALUES ($1, $2, $1, 'user', 'hello')",
                     user, id_of(message));
    }

    static std::string vector(const std::vector<float> &embedding)
    {
        std::ostringstream text;
        for (const float element : embedding)
            text << (text.str().empty() ? "{" : ",") << element;
        return text.str() + "}";
    }

    static std::optional<std::string> metadata(const std::optional<Tags> &tags)
    {
        return tags ? std::optional("{\"t\": [" + list(*tags) + "]}") : std::nullopt;
    }

    static std::string quoted(const std::string &text)
    {
        std::string json = "\"";
        for (const char c : text)
            json += c == '\t' ? "\\t" : c == '\n' ? "\\n" : std::string(1, c);
        return json + '"';
    }

    static std::string to_json(const Fact &fact)
    {
        std::ostringstream json;
        json << R"({"category": ")" << fact.key.first << R"(", "key": )" << quoted(fact.key.second)
             << R"(, "value": )" << quoted(fact.value) << R"(, "importance": )";
        fact.is_bad ? json << 7 : fact.importance ? json << *fact.importance : json << "null";
        json << R"(, "emotional_valence": )";
        fact.valence ? json << *fact.valence : json << "null";
        if (fact.source)
            json << R"(, "source": ")" << *fact.source << '"';
        if (fact.expires)
            json << R"(, "expires_at": ")" << time(*fact.expires) << '"';
        if (fact.pinned)
            json << R"(, "pinned": )" << (*fact.pinned ? "true" : "false");
        if (fact.message)
            json << R"(, "source_message_id": ")" << id_of(*fact.message) << '"';
        if (fact.tags)
            json << R"(, "metadata": )" << *metadata(fact.tags);
        json << '}';
        return json.str();
    }

    std::string lines(const std::string &query)
    {
        std::string text;
        for (const auto &row : database.run(query))
            text.append(row[0].c_str()).append("\n");
        return text;
    }

    int last_message_ = 4;
};

class Dice {
  public:
    explicit Dice(unsigned seed) : engine_(seed) {}

    int below(int bound) { return std::uniform_int_distribution(0, bound - 1)(engine_); }

    // A value at one in so many times
    template <typename Value>
    std::optional<Value> maybe(Value value, int times = 2)
    {
        return below(times) == 0 ? std::optional(value) : std::nullopt;
    }

    template <typename Values>
    auto one_of(const Values &values)
    {
        return values[below(static_cast<int>(values.size()))];
    }

    Key key() { return {std::string(1, "ab"[below(2)]), one_of(one_of(keys))}; }

    Tags tags()
    {
        Tags tags;
        for (int count = below(3); count > 0; count--)
            tags.insert(below(5));
        return tags;
    }

    std::optional<Hour> expiry(Hour now)
    {
        if (below(3) > 0)
            return {};
        return below(4) == 0 ? never : std::max(0, now + below(12) - 2);
    }

    Fact fact(const Model &model)
    {
        static const std::vector<std::string> sources{"user", "pinned", "extracted", "calendar"};
        return {key(),
                one_of(one_of(values)),
                maybe(below(5) / 4.0),
                maybe(below(5) - 2),
                maybe(one_of(sources)),
                expiry(model.now),
                maybe(below(2) == 0, 8),
                maybe(one_of(model.messages)),
                maybe(tags(), 3)};
    }

    // Half of the arrays may have elements that are to be skipped
    std::vector<Fact> facts(const Model &model)
    {
        const bool may_be_bad = below(2) == 0;
        std::vector<Fact> facts(1 + below(6));
        for (Fact &each : facts) {
            each = fact(model);
            each.is_bad = may_be_bad && below(3) == 0;
        }
        return facts;
    }

    Change change(const Model &model)
    {
        return {key(),         maybe(below(5) / 4.0), maybe(below(2) == 0), expiry(model.now),
                maybe(tags()), below(2) == 0};
    }

  private:
    std::mt19937 engine_;
};

void state_one(const Fact &fact, Server &server, Model &model)
{
    REQUIRE(server.upsert(fact) == (model.upsert(fact) != "refused"));
}

void state_many(const std::vector<Fact> &facts, Server &server, Model &model)
{
    REQUIRE(server.upsert_many(facts) == model.upsert_many(facts));
}

// One operation, the same for the server and its model
void do_something(Dice &dice, Server &server, Model &model)
{
    const auto both = [&](auto operation) {
        operation(server);
        operation(model);
    };
    const Key key = dice.key();
    const int choice = dice.below(26);
    if (choice < 8)
        state_one(dice.fact(model), server, model);
    else if (choice < 12)
        state_many(dice.facts(model), server, model);
    else if (choice < 14)
        both([&](auto &side) { side.touch(key); });
    else if (choice < 16)
        both([&](auto &side) { side.resolve(key); });
    else if (choice < 17)
        both([&](auto &side) { side.expire(); });
    else if (choice < 18)
        both([&, one = dice.maybe(key.second)](auto &side) { side.forget(key.first, one); });
    else if (choice < 20)
        both([&](auto &side) { side.embed(key); });
    else if (choice < 22)
        both([change = dice.change(model)](auto &side) { side.update(change); });
    else if (choice < 23)
        both([message = dice.one_of(model.messages), with_facts = dice.below(2) == 0](auto &side) {
            side.delete_message(message, with_facts);
        });
    else
        server.set_clock(++model.now);
}

} // namespace

TEST_CASE("memory does what its model does", "[tables]")
{
    const unsigned seed = GENERATE(1u, 2u, 3u);
    Dice dice(seed);
    Server server;
    Model model;
    server.set_clock(model.now);
    for (int operation = 0; operation < 600; operation++) {
        INFO("seed " << seed << ", operation " << operation);
        do_something(dice, server, model);
        REQUIRE(server.items() == model.items());
        REQUIRE(server.history() == model.history());
        REQUIRE(server.recall(operation % 2 == 0) == model.recall(operation % 2 == 0));
        const Hour hour = dice.below(model.now + 1);
        REQUIRE(server.as_of(hour) == model.as_of(hour));
    }
    server.database.run("DELETE FROM companion.context_categories WHERE category = 'b'");
}
