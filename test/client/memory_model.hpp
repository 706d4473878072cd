// What memory is to do, in plain C++: the model that the server is compared with.
#pragma once

#include "recall/cosine.hpp"
#include "recall/ranking.hpp"

#include <algorithm>
#include <limits>
#include <map>
#include <optional>
#include <set>
#include <sstream>
#include <stdexcept>
#include <string>
#include <tuple>
#include <vector>

namespace memory_model {

using Key = std::pair<std::string, std::string>; // category and key
using Hour = int;                                // hours since the test's year began

constexpr Hour never = 1 << 20;

// What is said for the same: with white space around it, in another normal form, and a key in
// another case. A value in another case is another.
const std::vector<std::vector<std::string>> keys{
    {"k\u00e9y", "K\u00c9Y", " ke\u0301y", "KE\u0301y\t"},
    {"l", "L", "l ", "\u00a0L"},
    {"m", "M", "\u3000m", "m\n"}};
const std::vector<std::vector<std::string>> values{
    {"x\u00e9", "xe\u0301", " x\u00e9 "}, {"y", "y ", "\ty"}, {"Y", " Y", "Y\u00a0"}};

// A text without the white space around it
inline std::string trimmed(std::string text)
{
    const std::string blanks[] = {" ", "\t", "\n", "\u00a0", "\u3000"};
    for (const std::string &blank : blanks) {
        if (text.starts_with(blank))
            return trimmed(text.substr(blank.size()));
        if (text.ends_with(blank))
            return trimmed(text.substr(0, text.size() - blank.size()));
    }
    return text;
}

// The first of those that a text is the same as
inline std::string first_of(const std::vector<std::vector<std::string>> &all,
                            const std::string &text)
{
    for (const std::vector<std::string> &same : all)
        for (const std::string &said : same)
            if (trimmed(said) == trimmed(text))
                return same[0];
    throw std::logic_error("not among the texts: " + text);
}

inline std::string folded(const std::string &key)
{
    return first_of(keys, key);
}

inline bool is_same(const std::string &a, const std::string &b)
{
    return first_of(values, a) == first_of(values, b);
}

// What holds for the facts of a category
struct Policy {
    bool keeps_history;
    std::size_t max_items; // 0: no limit
    Hour expires_after;    // never: they do not
};

inline const std::map<std::string, Policy> policies{{"a", {true, 0, never}}, {"b", {false, 2, 5}}};

using Message = std::optional<int>;
using Tags = std::set<int>; // what metadata holds

struct Fact {
    Key key;
    std::string value;
    std::optional<double> importance;
    std::optional<int> valence;
    std::optional<std::string> source;
    std::optional<Hour> expires; // never clears an expiry
    std::optional<bool> pinned;
    Message message;
    std::optional<Tags> tags;
    bool is_bad = false; // with an importance that cannot be

    Key identity() const { return {key.first, folded(key.second)}; }
    const Policy &policy() const { return policies.at(key.first); }
    bool is_users_word() const { return source == "user" || source == "pinned"; }
};

// What is changed of an item without stating it anew
struct Change {
    Key key;
    std::optional<double> importance;
    std::optional<bool> pinned;
    std::optional<Hour> expires;
    std::optional<Tags> tags;
    bool merge;
};

struct Item {
    std::string key, value;
    double importance;
    int valence;
    std::string source;
    Hour expires;
    bool pinned;
    int confirmations;
    Hour since, confirmed, referenced, created;
    std::optional<Hour> used, resolved;
    std::optional<std::string> contradicted_by;
    Message message;
    std::vector<Message> stated_in;
    std::vector<int> earlier_stated_in;
    Tags tags;
    bool is_embedded;
    int number; // in which order they were made

    bool is_users() const { return pinned || source == "user" || source == "pinned"; }
};

using Past =
    std::tuple<Key, std::string, std::string, std::string, Hour, Hour, std::optional<std::string>>;

// The embedding of whatever has a folded key
inline std::vector<float> embedding_of(const std::string &folded_key)
{
    return folded_key == keys[0][0]   ? std::vector<float>{1, 0}
           : folded_key == keys[1][0] ? std::vector<float>{0, 1}
                                      : std::vector<float>{0.6f, 0.8f};
}

template <class Values>
std::string list(const Values &values)
{
    std::string text;
    for (const Message value : values)
        text += (text.empty() ? "" : ",") + (value ? std::to_string(*value) : "-");
    return text;
}

class Model {
  public:
    Hour now = 0;
    std::vector<int> messages{1, 2, 3, 4};

    std::string upsert(const Fact &fact)
    {
        const std::string outcome = state(fact);
        bound({fact});
        return outcome;
    }

    // What becomes of each; of those with the same key the last counts. What has expired is made
    // anew after the rest.
    std::vector<std::string> upsert_many(const std::vector<Fact> &facts)
    {
        std::map<Key, const Fact *> last;
        for (const Fact &fact : facts)
            if (!fact.is_bad)
                last[fact.identity()] = &fact;
        std::map<Key, std::string> outcomes;
        std::vector<Fact> counting;
        for (const bool is_expired : {false, true})
            for (const auto &[key, fact] : last)
                if (!outcomes.contains(key) && is_expired == has_expired(key)) {
                    outcomes[key] = state(*fact);
                    counting.push_back(*fact);
                }
        bound(counting);
        std::vector<std::string> each;
        for (const Fact &fact : facts)
            each.push_back(fact.is_bad ? "refused" : outcomes[fact.identity()]);
        return each;
    }

    void update(const Change &change)
    {
        Item *item = live({change.key.first, folded(change.key.second)});
        if (item == nullptr)
            return;
        item->importance = change.importance.value_or(item->importance);
        item->pinned = change.pinned.value_or(item->pinned);
        item->expires = change.expires.value_or(item->expires);
        if (change.tags && !change.merge)
            item->tags = {};
        if (change.tags)
            item->tags.insert(change.tags->begin(), change.tags->end());
    }

    void forget(const std::string &category, const std::optional<std::string> &key)
    {
        const auto is_meant = [&](const Key &candidate) {
            return candidate.first == category && (!key || candidate.second == folded(*key));
        };
        for (const auto &[identity, item] : items_)
            if (is_meant(identity))
                note_forgotten(identity, item);
        std::erase_if(items_, [&](const auto &item) { return is_meant(item.first); });
        std::erase_if(history_, [&](const Past &past) { return is_meant(std::get<0>(past)); });
    }

    // A new message takes the place of the one that is deleted
    void delete_message(int message, bool with_facts)
    {
        std::replace(messages.begin(), messages.end(), message, ++last_message_);
        std::erase_if(forgotten_, [&](const auto &fact) { return fact.first == message; });
        std::vector<Key> alone;
        for (auto &[key, item] : items_)
            if (with_facts && item.message == message &&
                item.stated_in == std::vector<Message>{message})
                alone.push_back(key);
        for (const Key &key : alone) {
            items_.erase(key);
            std::erase_if(history_, [&](const Past &past) { return std::get<0>(past) == key; });
        }
        for (auto &[key, item] : items_)
            if (item.message == message)
                lose_message(item, message, with_facts);
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
        if (Item *item = live({key.first, folded(key.second)}))
            item->used = item->referenced = now;
    }

    void resolve(const Key &key)
    {
        Item *item = live({key.first, folded(key.second)});
        if (item != nullptr && !item->resolved)
            item->resolved = now;
    }

    void embed(const Key &key)
    {
        if (Item *item = live({key.first, folded(key.second)}))
            item->is_embedded = true;
    }

    std::string items() const
    {
        std::ostringstream text;
        for (const auto &[key, i] : items_)
            text << key.first << '|' << i.key << '|' << i.value << '|' << i.importance << '|'
                 << i.valence << '|' << i.source << '|' << i.pinned << '|' << i.expires << '|'
                 << i.resolved.value_or(never) << '|' << i.confirmations << '|' << i.confirmed
                 << '|' << i.referenced << '|' << i.used.value_or(never) << '|' << i.since << '|'
                 << i.created << '|' << i.contradicted_by.value_or("-") << '|'
                 << list(std::vector{i.message}) << '|' << list(i.stated_in) << '|'
                 << list(i.earlier_stated_in) << '|' << list(i.tags) << '|' << i.is_embedded
                 << '\n';
        return text.str();
    }

    std::string history() const
    {
        std::ostringstream text;
        for (const auto &[key, said, value, source, from, until, by] : history_)
            text << key.first << '|' << said << '|' << value << '|' << source << '|' << from << '|'
                 << until << '|' << by.value_or("-") << '\n';
        return text.str();
    }

    // What was believed at an hour
    std::string as_of(Hour hour) const
    {
        std::set<std::string> believed;
        for (const auto &[key, item] : items_)
            if (item.since <= hour && hour < item.expires)
                believed.insert(key.first + '|' + item.key + '|' + item.value + '\n');
        for (const auto &[key, said, value, source, from, until, by] : history_)
            if (from <= hour && hour < until)
                believed.insert(key.first + '|' + said + '|' + value + '\n');
        std::string text;
        for (const std::string &line : believed)
            text += line;
        return text;
    }

    // The order in which it is recalled, with what the first key means in mind or not
    std::string recall(bool by_meaning) const
    {
        std::set<std::tuple<bool, double, std::string, std::string>> order;
        for (const auto &[key, item] : items_)
            if (!item.resolved && item.expires > now)
                order.insert({!item.pinned, -score(key, item, by_meaning), key.first, item.key});
        std::string text;
        for (const auto &[unpinned, score, category, key] : order)
            text += category + '|' + key + '\n';
        return text;
    }

  private:
    Item *live(const Key &key)
    {
        const auto found = items_.find(key);
        return found == items_.end() || found->second.expires <= now ? nullptr : &found->second;
    }

    bool has_expired(const Key &key) const
    {
        const auto found = items_.find(key);
        return found != items_.end() && found->second.expires <= now;
    }

    std::string state(Fact fact)
    {
        if (fact.message && forgotten_.contains({*fact.message, fact.identity()}))
            return "refused";
        if (!fact.pinned && fact.source == "pinned")
            fact.pinned = true;
        fact.key.second = trimmed(fact.key.second);
        fact.value = trimmed(fact.value);
        drop_if_expired(fact.identity());
        const auto found = items_.find(fact.identity());
        if (found == items_.end())
            return add(fact);
        Item &item = found->second;
        if (item.is_users() && !fact.is_users_word())
            return is_same(item.value, fact.value) ? confirm(item, fact) : hold(item, fact);
        return is_same(item.value, fact.value) ? restate(item, fact) : supersede(item, fact);
    }

    // A value that is new, or that supersedes another
    void begin(Item &item, const Fact &fact) const
    {
        const Policy &policy = fact.policy();
        item.value = fact.value;
        item.importance = fact.importance.value_or(0.5);
        item.valence = fact.valence.value_or(0);
        item.source = fact.source.value_or("extracted");
        item.expires = fact.expires.value_or(
            policy.expires_after == never ? never : now + policy.expires_after);
        item.pinned = fact.pinned.value_or(false);
        item.confirmations = 1;
        item.since = item.confirmed = item.referenced = now;
        item.used = item.resolved = {};
        item.contradicted_by = {};
        item.message = fact.message;
        item.stated_in = {fact.message};
        item.tags = fact.tags.value_or(Tags{});
        item.is_embedded = false;
    }

    std::string add(const Fact &fact)
    {
        Item item{};
        begin(item, fact);
        item.key = fact.key.second;
        item.created = now;
        item.number = ++last_number_;
        items_[fact.identity()] = item;
        fresh_.insert(fact.identity());
        return "added";
    }

    std::string confirm(Item &item, const Fact &fact) const
    {
        const Hour expires_after = fact.policy().expires_after;
        if (expires_after != never && item.expires == item.confirmed + expires_after)
            item.expires = now + expires_after;
        item.confirmations++;
        item.confirmed = item.referenced = now;
        item.contradicted_by = {};
        if (std::find(item.stated_in.begin(), item.stated_in.end(), fact.message) ==
            item.stated_in.end())
            item.stated_in.push_back(fact.message);
        return "confirmed";
    }

    std::string hold(Item &item, const Fact &fact) const
    {
        item.contradicted_by = fact.value;
        if (fact.message)
            note_earlier(item, {fact.message});
        return "held";
    }

    std::string restate(Item &item, const Fact &fact) const
    {
        confirm(item, fact);
        item.importance = fact.importance.value_or(item.importance);
        item.valence = fact.valence.value_or(item.valence);
        item.source = fact.source.value_or(item.source);
        item.expires = fact.expires.value_or(item.expires);
        item.pinned = fact.pinned.value_or(item.pinned);
        item.tags = fact.tags.value_or(item.tags);
        if (fact.message)
            item.message = fact.message;
        return "confirmed";
    }

    std::string supersede(Item &item, const Fact &fact)
    {
        if (fact.policy().keeps_history)
            history_.insert(
                {fact.identity(), item.key, item.value, item.source, item.since, now, fact.value});
        note_earlier(item, item.stated_in);
        const Hour since = item.since;
        begin(item, fact);
        item.since = std::max(since, now);
        return "superseded";
    }

    static void note_earlier(Item &item, const std::vector<Message> &stated_in)
    {
        for (const Message message : stated_in)
            if (message)
                item.earlier_stated_in.push_back(*message);
        const std::size_t surplus = std::max<std::ptrdiff_t>(
            static_cast<std::ptrdiff_t>(item.earlier_stated_in.size()) - 100, 0);
        item.earlier_stated_in.erase(item.earlier_stated_in.begin(),
                                     item.earlier_stated_in.begin() + surplus);
    }

    void note_forgotten(const Key &key, const Item &item)
    {
        std::set<Message> taught(item.stated_in.begin(), item.stated_in.end());
        taught.insert(item.earlier_stated_in.begin(), item.earlier_stated_in.end());
        taught.insert(item.message);
        for (const int message : messages)
            if (taught.contains(message))
                forgotten_.insert({message, key});
    }

    void lose_message(Item &item, int message, bool with_facts) const
    {
        item.message = {};
        if (!with_facts)
            return;
        std::erase(item.stated_in, Message(message));
        for (const Message other : item.stated_in)
            if (other && std::find(messages.begin(), messages.end(), *other) != messages.end())
                item.message = other;
    }

    void drop_if_expired(const Key &key)
    {
        const auto found = items_.find(key);
        if (found == items_.end() || found->second.expires > now)
            return;
        const Item &item = found->second;
        if (item.expires > item.since && policies.at(key.first).keeps_history)
            history_.insert({key, item.key, item.value, item.source, item.since, item.expires, {}});
        items_.erase(found);
    }

    // How much an item matters
    double score(const Key &key, const Item &item, bool by_meaning) const
    {
        const auto days = [this](Hour from) { return (now - from) * 3600e6 / 86400e6; };
        const double matters = companion::recall_score(
            {item.importance, item.confirmations, days(item.confirmed),
             item.used ? days(*item.used) : std::numeric_limits<double>::infinity()},
            90);
        if (!by_meaning || !item.is_embedded)
            return matters;
        const std::vector<float> own = embedding_of(key.second), given = embedding_of(keys[0][0]);
        return matters + 3 * companion::cosine(own.data(), given.data(), 2);
    }

    // After facts were stated: what is too much in their categories makes room, but not for itself
    void bound(const std::vector<Fact> &facts)
    {
        std::set<std::string> categories;
        for (const Fact &fact : facts)
            if (fresh_.contains(fact.identity()))
                categories.insert(fact.key.first);
        for (const std::string &category : categories)
            make_room(category);
        fresh_.clear();
    }

    void make_room(const std::string &category)
    {
        const std::size_t most = policies.at(category).max_items;
        std::set<std::tuple<bool, double, int, Key>> others;
        std::size_t count = 0;
        for (const auto &[key, item] : items_) {
            if (key.first != category || item.expires <= now)
                continue;
            count++;
            if (!item.pinned && !fresh_.contains(key))
                others.insert({!item.resolved, score(key, item, false), item.number, key});
        }
        for (auto least = others.begin(); most > 0 && count > most && least != others.end();
             least++, count--)
            items_.erase(std::get<Key>(*least));
    }

    std::map<Key, Item> items_; // by category and folded key
    std::multiset<Past> history_;
    std::set<std::pair<int, Key>> forgotten_;
    std::set<Key> fresh_; // made by the present call
    int last_number_ = 0, last_message_ = 4;
};

} // namespace memory_model
