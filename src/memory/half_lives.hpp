// How fast what a category holds loses importance: the setting companion.half_lives.
#pragma once

#include <charconv>
#include <cstring>
#include <optional>
#include <string_view>

namespace companion {

// Half-lives in days, by category. Plain memory: the server copies and frees it as bytes.
class HalfLives {
  public:
    static constexpr int most = 64;
    static constexpr std::size_t longest_category = 100;

    // Read "category=days, ..."; * stands for every other category and must be there.
    static std::optional<HalfLives> parse(std::string_view text)
    {
        HalfLives half_lives{};
        while (!text.empty()) {
            const std::size_t comma = text.find(',');
            if (!half_lives.add(trim(text.substr(0, comma))))
                return std::nullopt;
            text.remove_prefix(comma == text.npos ? text.size() : comma + 1);
        }
        return half_lives.others_ > 0 ? std::optional(half_lives) : std::nullopt;
    }

    double of(std::string_view category) const
    {
        for (int index = 0; index < count_; index++)
            if (category == entries_[index].category)
                return entries_[index].days;
        return others_;
    }

  private:
    struct Entry {
        char category[longest_category + 1];
        double days;
    };

    static std::string_view trim(std::string_view text)
    {
        while (text.starts_with(' '))
            text.remove_prefix(1);
        while (text.ends_with(' '))
            text.remove_suffix(1);
        return text;
    }

    static std::optional<double> parse_days(std::string_view text)
    {
        double days;
        const char *end = text.data() + text.size();
        auto [rest, error] = std::from_chars(text.data(), end, days);
        const bool is_valid = error == std::errc{} && rest == end && days > 0 && days <= 36500;
        return is_valid ? std::optional(days) : std::nullopt;
    }

    bool add(std::string_view entry)
    {
        const std::size_t equals = entry.rfind('=');
        if (equals == entry.npos)
            return false;
        const std::string_view category = trim(entry.substr(0, equals));
        const std::optional<double> days = parse_days(trim(entry.substr(equals + 1)));
        if (category.empty() || category.size() > longest_category || !days || count_ == most)
            return false;
        if (category == "*")
            others_ = *days;
        else
            append(category, *days);
        return true;
    }

    void append(std::string_view category, double days)
    {
        Entry &entry = entries_[count_++];
        memcpy(entry.category, category.data(), category.size());
        entry.days = days;
    }

    Entry entries_[most];
    int count_;
    double others_;
};

} // namespace companion
