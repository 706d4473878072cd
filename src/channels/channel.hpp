// The channels, as companion.channels has them.
#pragma once

#include "postgres/kept_rows.hpp"

#include <string_view>

namespace companion {

struct Channel {
    NameData name;
    int rank;
    bool needs_address, only_if_preferred;
    int longest_text;     // characters; zero: no limit of its own
    int64 start_interval; // microseconds from one start to the next in the long run; zero: any
    int burst;            // starts
    int64 reply_window;   // microseconds; zero: always open

    std::string_view name_view() const { return NameStr(name); }
};

// Whether some channel has a rate, or a reply_window.
bool have_rates();
bool have_reply_windows();

// Every channel, by rank and name; valid until the server is called.
using Channels = Rows<Channel>;
Channels channels();

// A channel; null for a name that is none.
const Channel *find_channel(std::string_view name);

// The same, but error 22023 for a name that is none.
const Channel &require_channel(std::string_view name);

// The most characters of a bot's name.
inline constexpr int longest_bot_name = 64;

// Refuse a bot's name that has more, or control characters. Error 22023.
void check_bot(std::string_view bot);

// An address in its channel's form, as text: Telegram's user id; a number in E.164 form; a user's
// id where the channel needs no address; an e-mail address in lower case; any other as it is. Error
// 22023 for one that has not 1 to 512 characters or has control characters, or is not of that form;
// 22P02 and 22003 for a Telegram id or a user's id that is none.
Datum canonical_address(const Channel &channel, std::string_view address);

// Whether a text has line feeds and the like.
bool has_control_character(std::string_view text);

// A number with the + in front, which WhatsApp's own ids have not.
const char *with_plus(std::string_view number);

// An e-mail address in lower case.
Datum lower_case(std::string_view address);

} // namespace companion
