// What columns of users may hold, wherever it is written.
#include "users/columns.hpp"

#include "channels/channel.hpp"
#include "postgres/arguments.hpp"
#include "scheduling/time_zone.hpp"
#include "users/wall_time.hpp"

namespace companion {

const std::initializer_list<std::string_view> subscription_statuses = {"free", "trial", "active",
                                                                       "past_due", "canceled"};

static bool is_short_text(std::string_view text)
{
    return text.find_first_not_of(" \t\r\n") != text.npos && character_count(text) <= longest_name;
}

static bool is_zone(std::string_view text)
{
    return find_zone(text) != nullptr;
}

static bool is_channel(std::string_view text)
{
    return find_channel(text) != nullptr;
}

const TextRule short_text_rule{is_short_text, "a text of 1 to 200 characters"},
    zone_rule{is_zone, "an IANA time zone such as Europe/Berlin"},
    wall_time_rule{is_wall_time, "a time of day such as 09:00"},
    channel_rule{is_channel, "a channel of companion.channels"};

int describe_invalid(const char *what, const char *name, const char *expected)
{
    errcode(ERRCODE_INVALID_PARAMETER_VALUE);
    errmsg("%s \"%s\" is not valid", what, name);
    errdetail("Expected %s.", expected);
    return err_generic_string(PG_DIAG_COLUMN_NAME, name);
}

} // namespace companion
