// The channels whose messages a worker claims.
#pragma once

#include "channels/channel.hpp"
#include "postgres/arguments.hpp"

#include <algorithm>

namespace companion {

class WantedChannels {
  public:
    // Those of an argument, a text[]; NULL: all. Error 22023 for an unknown one and for none at
    // all.
    static WantedChannels from(const Arguments &arguments, int position)
    {
        WantedChannels wanted;
        if (arguments.is_null(position))
            return wanted;
        ArrayType *names = arguments.array(position, "channels");
        deconstruct_array(names, TEXTOID, -1, false, TYPALIGN_INT, &wanted.names_, nullptr,
                          &wanted.count_);
        if (wanted.count_ == 0)
            ereport(ERROR, errcode(ERRCODE_INVALID_PARAMETER_VALUE),
                    errmsg("argument \"channels\" must not be empty"),
                    errhint("Use NULL for all channels."));
        for (int index = 0; index < wanted.count_; index++)
            require_channel(text_view(wanted.names_[index]));
        wanted.hash_ = hash_bytes(reinterpret_cast<const unsigned char *>(names),
                                  static_cast<int>(VARSIZE(names)));
        return wanted;
    }

    bool have(std::string_view channel) const
    {
        return names_ == nullptr || std::any_of(names_, names_ + count_, [&](Datum name) {
                   return text_view(name) == channel;
               });
    }

    // The same for the same argument.
    uint32 hash() const { return hash_; }

  private:
    Datum *names_ = nullptr;
    int count_ = 0;
    uint32 hash_ = 0;
};

} // namespace companion
