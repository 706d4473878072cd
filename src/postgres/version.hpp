// The library serves the SQL that it belongs to, and no other: a function that an older
// version has declared may lack an argument that is read here.
#pragma once

namespace companion {

// Whether this session has compared the versions since functions last changed.
extern bool version_is_checked;

// Have every change of functions, such as an update of the extension, ask for a new
// comparison. Called once, when the library loads.
void watch_version();

// Error 55000 where the extension that is installed in this database is of another version
// than the library. While its own script runs, anything goes.
void check_version();

inline void require_version()
{
    if (!version_is_checked)
        check_version();
}

} // namespace companion
