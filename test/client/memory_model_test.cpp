// Random operations on memory, on the server and on a model of it: after each, every item and the
// whole history agree.

#include "database.hpp"

#include "catch2.hpp"

#include <map>
#include <optional>
#include <random>
#include <set>
#include <sstream>
#include <tuple>
#include <vector>

namespace {

using Key = std::pair<std::string, std::string>; // category and key
using Hour = int;                                // hours since the test's year began

constexpr Hour never = 1 << 20;

struct Fact {
    Key key;
    std::string value;
    std::optional<double> importance;
    std::optional<int> valence;
    std::optional<std::string> source;
    std::optional<Hour> expires; // never clears an expiry
    std::optional<bool> pinned;

    bool is_users_word() const { return source == "user" || source == "pinned"; }
};

struct Item {
    std::string value;
    double importance;
    int valence;
    std::string source;
    Hour expires;
    bool pinned;
    int confirmations;
    Hour since, confirmed, referenced, created;
    std::optional<Hour> resolved;
    std::optional<std::string> contradicted_by;

    bool is_users() const { return pinned || source == "user" || source == "pinned"; }
};

using Past = std::tuple<Key, std::string, std::string, Hour, Hour, std::optional<std::string>>;

class Model {
  public:
    Hour now = 0;

    void upsert(Fact fact)
    {
        if (!fact.pinned && fact.source == "pinned")
            fact.pinned = true;
        drop_if_expired(fact.key);
        const auto found = items_.find(fact.key);
        if (found == items_.end())
            add(fact);
        else if (found->second.is_users() && !fact.is_users_word())
            hold(found->second, fact);
        else
            take(found->second, fact);
    }

    void upsert_many(const std::vector<Fact> &facts)
    {
        std::map<Key, Fact> last;
        for (const Fact &fact : facts)
            last[fact.key] = fact;
        for (const auto &[key, fact] : last)
            upsert(fact);
    }

    void forget(const std::string &category, const std::optional<std::string> &key)
    {
        const auto is_meant = [&](const Key &candidate) {
            return candidate.first == category && (!key || candidate.second == *key);
        };
        std::erase_if(items_, [&](const auto &item) { return is_meant(item.first); });
        std::erase_if(history_, [&](const Past &past) { return is_meant(std::get<0>(past)); });
    }

    void expire()
    {
        std::vector<Key> keys;
        for (const auto &[key, item] : items_)
            keys.push_back(key);
        for (const Key &key : keys)
            drop_if_expired(key);
    }

    void touch(const Key &key)
    {
        if (Item *item = live(key))
            item->referenced = now;
    }

    void resolve(const Key &key)
    {
        if (Item *item = live(key); item != nullptr && !item->resolved)
            item->resolved = now;
    }

    std::string items() const
    {
        std::ostringstream text;
        for (const auto &[key, i] : items_)
            text << key.first << '|' << key.second << '|' << i.value << '|' << i.importance << '|'
                 << i.valence << '|' << i.source << '|' << i.pinned << '|' << i.expires << '|'
                 << i.resolved.value_or(never) << '|' << i.confirmations << '|' << i.confirmed
                 << '|' << i.referenced << '|' << i.since << '|' << i.created << '|'
                 << i.contradicted_by.value_or("-") << '\n';
        return text.str();
    }

    std::string history() const
    {
        std::ostringstream text;
        for (const auto &[key, value, source, from, until, by] : history_)
            text << key.first << '|' << key.second << '|' << value << '|' << source << '|' << from
                 << '|' << until << '|' << by.value_or("-") << '\n';
        return text.str();
    }

    // What was believed at an hour
    std::string as_of(Hour hour) const
    {
        std::set<std::string> believed;
        for (const auto &[key, item] : items_)
            if (item.since <= hour && hour < item.expires)
                believed.insert(key.first + '|' + key.second + '|' + item.value + '\n');
        for (const auto &[key, value, source, from, until, by] : history_)
            if (from <= hour && hour < until)
                believed.insert(key.first + '|' + key.second + '|' + value + '\n');
        std::string text;
        for (const std::string &line : believed)
            text += line;
        return text;
    }

  private:
    Item *live(const Key &key)
    {
        const auto found = items_.find(key);
        return found == items_.end() || found->second.expires <= now ? nullptr : &found->second;
    }

    void drop_if_expired(const Key &key)
    {
        const auto found = items_.find(key);
        if (found == items_.end() || found->second.expires > now)
            return;
        const Item &item = found->second;
        if (item.expires > item.since)
            history_.insert({key, item.value, item.source, item.since, item.expires, {}});
        items_.erase(found);
    }

    void add(const Fact &fact)
    {
        items_[fact.key] = {fact.value,
                            fact.importance.value_or(0.5),
                            fact.valence.value_or(0),
                            fact.source.value_or("extracted"),
                            fact.expires.value_or(never),
                            fact.pinned.value_or(false),
                            1,
                            now,
                            now,
                            now,
                            now,
                            {},
                            {}};
    }

    void confirm(Item &item) const
    {
        item.confirmations++;
        item.confirmed = item.referenced = now;
        item.contradicted_by = {};
    }

    void hold(Item &item, const Fact &fact) const
    {
        if (item.value == fact.value)
            confirm(item);
        else
            item.contradicted_by = fact.value;
    }

    void take(Item &item, const Fact &fact)
    {
        if (item.value == fact.value) {
            confirm(item);
        } else {
            history_.insert({fact.key, item.value, item.source, item.since, now, fact.value});
            item.value = fact.value;
            item.since = item.confirmed = item.referenced = now;
            item.confirmations = 1;
            item.resolved = {};
            item.contradicted_by = {};
        }
        item.importance = fact.importance.value_or(item.importance);
        item.valence = fact.valence.value_or(item.valence);
        item.source = fact.source.value_or(item.source);
        item.expires = fact.expires.value_or(item.expires);
        item.pinned = fact.pinned.value_or(item.pinned);
    }

    std::map<Key, Item> items_;
    std::multiset<Past> history_;
};

// The same operations on the server
class Server {
  public:
    Server() : user(database.add_user("Maya")) {}

    void set_clock(Hour hour) { database.set("companion.clock", time(hour)); }

    void upsert(const Fact &fact)
    {
        const std::optional<std::string> expires =
            fact.expires ? std::optional(time(*fact.expires)) : std::nullopt;
        database.run("SELECT companion.upsert_user_context($1, $2, $3, $4, $5, $6, $7, $8,"
                     " pinned => $9)",
                     user, fact.key.first, fact.key.second, fact.value, fact.importance,
                     fact.valence, fact.source, expires, fact.pinned);
    }

    void upsert_many(const std::vector<Fact> &facts)
    {
        std::string json;
        for (const Fact &fact : facts)
            json += (json.empty() ? "[" : ",") + to_json(fact);
        const pqxx::result items =
            database.run("SELECT category, key FROM companion.upsert_user_context_many($1, $2)",
                         user, json + "]");
        REQUIRE(static_cast<std::size_t>(items.size()) == facts.size());
        for (std::size_t index = 0; index < facts.size(); index++) {
            const auto item = items[static_cast<int>(index)];
            REQUIRE(Key(item[0].c_str(), item[1].c_str()) == facts[index].key);
        }
    }

    void forget(const std::string &category, const std::optional<std::string> &key)
    {
        database.run("SELECT companion.forget_user_context($1, $2, $3)", user, category, key);
    }

    void expire() { database.run("SELECT companion.expire_user_context()"); }

    void touch(const Key &key)
    {
        database.run("SELECT companion.touch_user_context($1, ARRAY(SELECT id"
                     " FROM companion.user_context WHERE category = $2 AND key = $3))",
                     user, key.first, key.second);
    }

    void resolve(const Key &key)
    {
        database.run("SELECT companion.resolve_user_context($1, $2, $3)", user, key.first,
                     key.second);
    }

    std::string items()
    {
        return lines("SELECT concat_ws('|', category, key, value, importance, emotional_valence,"
                     " source, pinned::integer, " +
                     hour("expires_at") + ", " + hour("resolved_at") + ", confirmations, " +
                     hour("confirmed_at") + ", " + hour("last_referenced_at") + ", " +
                     hour("value_since") + ", " + hour("created_at") +
                     ", coalesce(contradicted_by, '-'))"
                     " FROM companion.user_context ORDER BY category, key");
    }

    std::string history()
    {
        return lines("SELECT concat_ws('|', category, key, value, source, " + hour("held_from") +
                     ", " + hour("held_until") +
                     ", coalesce(replaced_by, '-'))"
                     " FROM companion.user_context_history"
                     " ORDER BY category, key, value COLLATE \"C\", source COLLATE \"C\","
                     " held_from, held_until, replaced_by COLLATE \"C\" NULLS FIRST");
    }

    std::string as_of(Hour hour)
    {
        return lines("SELECT concat_ws('|', category, key, value)"
                     " FROM companion.user_context_as_of('" +
                     user + "', '" + time(hour) + "')");
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

    static std::string time(Hour hour)
    {
        if (hour == never)
            return "infinity";
        std::ostringstream text;
        text << "2026-01-" << (hour / 24 < 9 ? "0" : "") << 1 + hour / 24 << ' ' << hour % 24
             << ":00+00";
        return text.str();
    }

    static std::string to_json(const Fact &fact)
    {
        std::ostringstream json;
        json << R"({"category": ")" << fact.key.first << R"(", "key": ")" << fact.key.second
             << R"(", "value": ")" << fact.value << R"(", "importance": )";
        fact.importance ? json << *fact.importance : json << "null";
        json << R"(, "emotional_valence": )";
        fact.valence ? json << *fact.valence : json << "null";
        json << R"(, "source": )";
        fact.source ? json << '"' << *fact.source << '"' : json << "null";
        if (fact.expires)
            json << R"(, "expires_at": ")" << time(*fact.expires) << '"';
        if (fact.pinned)
            json << R"(, "pinned": )" << (*fact.pinned ? "true" : "false");
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
};

class Dice {
  public:
    explicit Dice(unsigned seed) : engine_(seed) {}

    int below(int bound) { return std::uniform_int_distribution(0, bound - 1)(engine_); }

    template <typename Value>
    std::optional<Value> maybe(Value value)
    {
        return below(2) == 0 ? std::nullopt : std::optional(value);
    }

    Key key() { return {std::string(1, "ab"[below(2)]), std::string(1, "klm"[below(3)])}; }

    Fact fact(Hour now)
    {
        static const char *const sources[] = {"user", "pinned", "extracted", "calendar"};
        Fact fact{key(),
                  std::string(1, "xyz"[below(3)]),
                  maybe(below(5) / 4.0),
                  maybe(below(5) - 2),
                  maybe(std::string(sources[below(4)])),
                  {},
                  {}};
        if (below(3) == 0)
            fact.expires = below(4) == 0 ? never : std::max(0, now + below(12) - 2);
        if (below(8) == 0)
            fact.pinned = below(2) == 0;
        return fact;
    }

    std::vector<Fact> facts(Hour now)
    {
        std::vector<Fact> facts(1 + below(6));
        for (Fact &each : facts)
            each = fact(now);
        return facts;
    }

  private:
    std::mt19937 engine_;
};

// One operation, the same for the server and its model
void do_something(Dice &dice, Server &server, Model &model)
{
    const auto both = [&](auto operation) {
        operation(server);
        operation(model);
    };
    const Fact fact = dice.fact(model.now);
    const std::vector<Fact> facts = dice.facts(model.now);
    const int choice = dice.below(20);
    if (choice < 8)
        both([&](auto &side) { side.upsert(fact); });
    else if (choice < 12)
        both([&](auto &side) { side.upsert_many(facts); });
    else if (choice < 14)
        both([&](auto &side) { side.touch(fact.key); });
    else if (choice < 16)
        both([&](auto &side) { side.resolve(fact.key); });
    else if (choice < 17)
        both([&](auto &side) { side.expire(); });
    else if (choice < 18)
        both([&, key = dice.maybe(fact.key.second)](auto &side) {
            side.forget(fact.key.first, key);
        });
    else
        server.set_clock(++model.now);
}

} // namespace

TEST_CASE("memory does what its model does")
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
        const Hour hour = dice.below(model.now + 1);
        REQUIRE(server.as_of(hour) == model.as_of(hour));
    }
}
