// The rights and the settings with which the extension's own statements run.
#pragma once

#include "postgres/server.hpp"

namespace companion {

// From construction until restored, or until an error ends the transaction or
// subtransaction: the rights of companion_runtime, which owns nothing, has no attribute and
// may change companion's rows only. So whatever somebody else's trigger or cast does from
// within a statement of ours, it does with no more. Row-level security applies whatever the
// caller has set, search_path is pg_catalog, no lock is waited for longer than
// companion.lock_wait, and what anybody has SET meanwhile is as before.
class Runtime {
  public:
    Runtime();
    Runtime(const Runtime &) = delete;
    void restore() const;

  private:
    Oid caller_;
    int context_;
    int settings_level_;
    ErrorContextCallback hint_;
};

// Whether a Runtime is at work.
bool is_within_call();

// Have triggers fire as for what a client writes, also within a subscription's work, until the
// present nest level of settings ends.
void fire_as_on_origin();

// Wait for no lock longer than this, until the present nest level of settings ends.
void bound_lock_wait(int milliseconds);

// Keep what others run within a call from staying in the session. Once, when the library is loaded.
void confine_utilities();

} // namespace companion
