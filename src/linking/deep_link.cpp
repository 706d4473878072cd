// The link that opens a bot in Telegram with a start parameter.
#include "linking/base64url.hpp"
#include "postgres/arguments.hpp"
#include "postgres/entry.hpp"

using namespace companion;

namespace {

bool is_bot_name(std::string_view name)
{
    return name.size() >= 5 && name.size() <= 32 && is_base64url(name) &&
           name.find('-') == name.npos;
}

bool is_start_parameter(std::string_view token)
{
    return token.size() >= 1 && token.size() <= 64 && is_base64url(token);
}

} // namespace

// The messages name no token: whoever reads the log could use it.
COMPANION_FUNCTION(telegram_deep_link)
{
    Arguments arguments(fcinfo);
    const std::string_view bot = arguments.text(0, "bot_username");
    const std::string_view token = arguments.text(1, "token");
    if (!is_bot_name(bot))
        ereport(ERROR, errcode(ERRCODE_INVALID_PARAMETER_VALUE),
                errmsg("argument \"bot_username\" is not the name of a Telegram bot"),
                errhint("It has 5 to 32 characters of A-Z a-z 0-9 _, without the @."));
    if (!is_start_parameter(token))
        ereport(ERROR, errcode(ERRCODE_INVALID_PARAMETER_VALUE),
                errmsg("argument \"token\" is not a Telegram start parameter"),
                errhint("It has 1 to 64 characters of A-Z a-z 0-9 _ -."));
    return CStringGetTextDatum(psprintf("https://t.me/%s?start=%s",
                                        pnstrdup(bot.data(), bot.size()),
                                        pnstrdup(token.data(), token.size())));
}
