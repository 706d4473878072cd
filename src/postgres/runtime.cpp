// The rights and the settings with which the extension's own statements run.
#include "postgres/runtime.hpp"

#include "postgres/settings.hpp"

namespace companion {

// Set a setting until the present nest level of settings ends.
static void set_for_call(const char *name, const char *value)
{
    set_config_option(name, value, PGC_USERSET, PGC_S_SESSION, GUC_ACTION_SAVE, true, 0, false);
}

static void bound_lock_wait()
{
    if (settings::lock_wait == 0 || (LockTimeout > 0 && LockTimeout <= settings::lock_wait))
        return;
    char milliseconds[12];
    pg_ltoa(settings::lock_wait, milliseconds);
    set_for_call("lock_timeout", milliseconds);
}

// Say what to do where a lock was not had.
static void add_hint(void *)
{
    if (geterrcode() == ERRCODE_LOCK_NOT_AVAILABLE)
        errhint("Another transaction holds what belongs to the same user. Call again;"
                " companion.lock_wait is how long a call waits.");
}

Runtime::Runtime()
    : settings_level_(NewGUCNestLevel()), hint_{error_context_stack, add_hint, nullptr}
{
    error_context_stack = &hint_;
    bound_lock_wait();
    if (!row_security)
        set_for_call("row_security", "on");
    GetUserIdAndSecContext(&caller_, &context_);
    SetUserIdAndSecContext(get_role_oid("companion_runtime", false),
                           context_ | SECURITY_LOCAL_USERID_CHANGE);
}

// Not as a success would end it, which lets what a trigger has SET reach the caller's session:
// another search_path there, or another identity.
void Runtime::restore() const
{
    SetUserIdAndSecContext(caller_, context_);
    AtEOXact_GUC(false, settings_level_);
    error_context_stack = hint_.previous;
}

} // namespace companion
