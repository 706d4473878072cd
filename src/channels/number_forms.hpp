// Phone numbers that WhatsApp reports in another form than they are dialled in.
//
// Brazil's mobile numbers got a 9 in front in 2012 to 2016, Mexico's had a 1 until 2019, and
// Argentina's have a 9 when called from abroad; accounts keep the form in which they signed up
// (developers.facebook.com/docs/whatsapp/cloud-api/reference/phone-numbers).
#pragma once

#include <array>
#include <cstddef>
#include <string_view>

namespace companion {

// A number in E.164 form, with the +; empty for none.
struct PhoneNumber {
    static constexpr std::size_t longest = 16;
    std::array<char, longest> digits{};
    std::size_t size = 0;

    constexpr std::string_view view() const { return {digits.data(), size}; }
    constexpr void add(std::string_view part)
    {
        for (const char c : part)
            digits[size++] = c;
    }
};

constexpr PhoneNumber with_inserted(std::string_view number, std::size_t at, std::string_view digit)
{
    PhoneNumber other;
    other.add(number.substr(0, at));
    other.add(digit);
    other.add(number.substr(at));
    return other;
}

constexpr PhoneNumber with_removed(std::string_view number, std::size_t at)
{
    PhoneNumber other;
    other.add(number.substr(0, at));
    other.add(number.substr(at + 1));
    return other;
}

// Whether digits begin as Brazil's mobile numbers did before the 9; others are landlines.
constexpr bool is_old_brazilian_mobile(std::string_view eight_digits)
{
    return eight_digits[0] >= '6' && eight_digits[0] <= '9';
}

// The other form of a number (E.164, with the +) that is the same account's; empty where it has
// only one.
constexpr PhoneNumber other_form(std::string_view number)
{
    const std::size_t size = number.size();
    if (number.starts_with("+55") && size == 14 && number[5] == '9' &&
        is_old_brazilian_mobile(number.substr(6)))
        return with_removed(number, 5);
    if (number.starts_with("+55") && size == 13 && is_old_brazilian_mobile(number.substr(5)))
        return with_inserted(number, 5, "9");
    if (number.starts_with("+521") && size == 14)
        return with_removed(number, 3);
    if (number.starts_with("+52") && size == 13)
        return with_inserted(number, 3, "1");
    if (number.starts_with("+549") && size == 14)
        return with_removed(number, 3);
    if (number.starts_with("+54") && size == 13)
        return with_inserted(number, 3, "9");
    return {};
}

// E.164: a plus, and 7 to 15 digits of which the first is not zero.
constexpr bool is_phone_number(std::string_view text)
{
    if (text.size() < 8 || text.size() > PhoneNumber::longest || text[0] != '+' || text[1] == '0')
        return false;
    for (const char c : text.substr(1))
        if (c < '0' || c > '9')
            return false;
    return true;
}

} // namespace companion
