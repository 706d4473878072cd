// The channels, or the kinds, whose messages a worker claims.
#pragma once

#include "postgres/arguments.hpp"

#include <algorithm>

namespace companion {

class Wanted {
  public:
    // Those of an argument, a text[]; NULL: all. Error 22023 for none at all.
    static Wanted from(const Arguments &arguments, int position, const char *name)
    {
        Wanted wanted;
        if (arguments.is_null(position))
            return wanted;
        ArrayType *names = arguments.array(position, name);
        deconstruct_array(names, TEXTOID, -1, false, TYPALIGN_INT, &wanted.names_, nullptr,
                          &wanted.count_);
        if (wanted.count_ == 0)
            ereport(ERROR, errcode(ERRCODE_INVALID_PARAMETER_VALUE),
                    errmsg("argument \"%s\" must not be empty", name),
                    errhint("Use NULL for all %s.", name));
        wanted.hash_ = hash_bytes(reinterpret_cast<const unsigned char *>(names),
                                  static_cast<int>(VARSIZE(names)));
        return wanted;
    }

    // Run a check on each name.
    template <class Check>
    void check(Check check) const
    {
        for (int index = 0; index < count_; index++)
            check(text_view(names_[index]));
    }

    bool have(std::string_view name) const
    {
        return names_ == nullptr || std::any_of(names_, names_ + count_, [&](Datum wanted) {
                   return text_view(wanted) == name;
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
