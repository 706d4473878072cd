// Phone numbers in two forms.
#include "channels/number_forms.hpp"

#include "catch2.hpp"

using companion::is_phone_number;
using companion::other_form;

TEST_CASE("numbers of Brazil, Mexico and Argentina have another form, and that leads back")
{
    constexpr struct {
        const char *one, *other;
    } pairs[] = {{"+5531987654321", "+553187654321"},
                 {"+5511961234567", "+551161234567"},
                 {"+5215512345678", "+525512345678"},
                 {"+5491112345678", "+541112345678"}};
    for (const auto &[one, other] : pairs) {
        CHECK(other_form(one).view() == other);
        CHECK(other_form(other).view() == one);
    }
}

TEST_CASE("landlines and other countries' numbers have one form")
{
    for (const char *number : {"+553127654321", "+5531927654321", "+551131234567", "+4915112345678",
                               "+14155550100", "+55119", "+52155123456", "+5411123456", "+", ""})
        CHECK(other_form(number).size == 0);
}

TEST_CASE("E.164 is a plus, and 7 to 15 digits that do not begin with zero")
{
    for (const char *number : {"+1234567", "+123456789012345", "+491511234567"})
        CHECK(is_phone_number(number));
    for (const char *number : {"", "+", "1234567", "+0123456", "+123456", "+1234567890123456",
                               "+12345 7", "+123456a", "+1234567\n"})
        CHECK_FALSE(is_phone_number(number));
}
