// The channels, as companion.channels has them.
#include "channels/channel.hpp"

#include "channels/number_forms.hpp"
#include "postgres/arguments.hpp"
#include "postgres/interval_length.hpp"

#include <algorithm>
#include <cmath>

namespace companion {

static double read_rate(const StoredRow &row)
{
    const NullableDatum rate = row.nullable("max_per_second");
    return rate.isnull ? 0 : DatumGetFloat4(rate.value);
}

static Channel read_channel(const StoredRow &row)
{
    const NullableDatum longest = row.nullable("longest_text"), burst = row.nullable("burst"),
                        window = row.nullable("reply_window");
    const double rate = read_rate(row);
    Channel channel{{},
                    DatumGetInt32(row.get("rank")),
                    DatumGetBool(row.get("needs_address")),
                    DatumGetBool(row.get("only_if_preferred")),
                    longest.isnull ? 0 : DatumGetInt32(longest.value),
                    rate == 0 ? 0 : static_cast<int64>(ceil(USECS_PER_SEC / rate)),
                    burst.isnull ? Max(static_cast<int>(ceil(rate)), 1)
                                 : DatumGetInt32(burst.value),
                    window.isnull ? 0 : interval_length(window.value)};
    namestrcpy(&channel.name, TextDatumGetCString(row.get("channel")));
    return channel;
}

static KeptRows<Channel> kept{"channels", read_channel, [](const Channel &a, const Channel &b) {
                                  return a.rank != b.rank ? a.rank < b.rank
                                                          : a.name_view() < b.name_view();
                              }};

Channels channels()
{
    return kept.rows();
}

template <class Is>
static bool is_some(Is is)
{
    const Channels all = channels();
    return std::any_of(all.begin(), all.end(), is);
}

bool have_rates()
{
    return is_some([](const Channel &channel) { return channel.start_interval > 0; });
}

bool have_reply_windows()
{
    return is_some(
        [](const Channel &channel) { return channel.reply_window > 0 && channel.needs_address; });
}

const Channel *find_channel(std::string_view name)
{
    for (const Channel &channel : channels())
        if (channel.name_view() == name)
            return &channel;
    return nullptr;
}

const Channel &require_channel(std::string_view name)
{
    if (const Channel *channel = find_channel(name))
        return *channel;
    ereport(ERROR, errcode(ERRCODE_INVALID_PARAMETER_VALUE),
            errmsg("unknown channel \"%s\"", excerpt(name)),
            errhint("The channels are the rows of companion.channels."));
    pg_unreachable();
}

// UTF-8's form of U+0080 to U+009F.
static bool has_c1_control(std::string_view text)
{
    if (GetDatabaseEncoding() != PG_UTF8)
        return false;
    for (std::size_t at = 1; at < text.size(); at++)
        if (text[at - 1] == '\xC2' && static_cast<unsigned char>(text[at]) < 0xA0)
            return true;
    return false;
}

bool has_control_character(std::string_view text)
{
    return has_c1_control(text) || std::any_of(text.begin(), text.end(), [](char c) {
               return static_cast<unsigned char>(c) < ' ' || c == '\x7f';
           });
}

static void refuse_control_characters(const char *name, std::string_view text)
{
    if (has_control_character(text))
        ereport(ERROR, errcode(ERRCODE_INVALID_PARAMETER_VALUE),
                errmsg("%s has a control character", name));
}

void check_bot(std::string_view bot)
{
    const int length = character_count(bot);
    if (length > longest_bot_name)
        ereport(ERROR, errcode(ERRCODE_INVALID_PARAMETER_VALUE),
                errmsg("bot has %d characters, expected up to %d", length, longest_bot_name));
    refuse_control_characters("bot", bot);
}

[[noreturn]] static void refuse_address(std::string_view address, const char *expected)
{
    ereport(ERROR, errcode(ERRCODE_INVALID_PARAMETER_VALUE),
            errmsg("address is \"%s\", expected %s", excerpt(address), expected));
    pg_unreachable();
}

static Datum telegram_id(std::string_view address)
{
    char *text = pnstrdup(address.data(), address.size());
    return as_text(int8out, DirectFunctionCall1(int8in, CStringGetDatum(text)));
}

const char *with_plus(std::string_view number)
{
    return psprintf("%s%.*s", number.starts_with('+') ? "" : "+", static_cast<int>(number.size()),
                    number.data());
}

static Datum phone_number(std::string_view address)
{
    const char *number = with_plus(address);
    if (!is_phone_number(number))
        refuse_address(address, "a number in E.164 form");
    return CStringGetTextDatum(number);
}

// Of ASCII's letters only, so that what is one address does not depend on a locale.
Datum lower_case(std::string_view address)
{
    char *lower = pnstrdup(address.data(), address.size());
    std::transform(lower, lower + address.size(), lower, pg_ascii_tolower);
    return CStringGetTextDatum(lower);
}

static Datum email_address(std::string_view address)
{
    if (address.find('@') == address.npos)
        refuse_address(address, "an e-mail address");
    return lower_case(address);
}

static Datum id_of_user(std::string_view address)
{
    char *text = pnstrdup(address.data(), address.size());
    return as_text(uuid_out, DirectFunctionCall1(uuid_in, CStringGetDatum(text)));
}

Datum canonical_address(const Channel &channel, std::string_view address)
{
    check_length("address", address, 512);
    refuse_control_characters("address", address);
    const std::string_view name = channel.name_view();
    if (!channel.needs_address)
        return id_of_user(address);
    if (name == "telegram")
        return telegram_id(address);
    if (name == "whatsapp")
        return phone_number(address);
    if (name == "email")
        return email_address(address);
    return to_text(address);
}

} // namespace companion
