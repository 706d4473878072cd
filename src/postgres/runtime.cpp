// The rights and the settings with which the extension's own statements run.
#include "postgres/runtime.hpp"

#include "postgres/settings.hpp"

namespace companion {

static ProcessUtility_hook_type next_utility;

// Set a setting until the present nest level of settings ends.
static void set_for_call(const char *name, const char *value)
{
    set_config_option(name, value, PGC_USERSET, PGC_S_SESSION, GUC_ACTION_SAVE, true, 0, false);
}

// Have names and operators mean what they mean in pg_catalog, also for the plans that are kept.
static void pin_search_path()
{
    static constexpr char path[] = "pg_catalog, pg_temp";
    if (strcmp(namespace_search_path, path) != 0)
        set_for_call("search_path", path);
}

void fire_as_on_origin()
{
    if (SessionReplicationRole == SESSION_REPLICATION_ROLE_REPLICA)
        set_config_option("session_replication_role", "origin", PGC_SUSET, PGC_S_SESSION,
                          GUC_ACTION_SAVE, true, 0, false);
}

void bound_lock_wait(int milliseconds)
{
    if (LockTimeout > 0 && LockTimeout <= milliseconds)
        return;
    char text[12];
    pg_ltoa(milliseconds, text);
    set_for_call("lock_timeout", text);
}

// Say what to do where a lock was not had.
static void add_hint(void *)
{
    if (geterrcode() == ERRCODE_LOCK_NOT_AVAILABLE)
        errhint("Another transaction holds what belongs to the same user. Call again;"
                " companion.lock_wait is how long a call waits.");
}

// An error takes the callback off with all the others.
bool is_within_call()
{
    const ErrorContextCallback *callback = error_context_stack;
    while (callback != nullptr && callback->callback != add_hint)
        callback = callback->previous;
    return callback != nullptr;
}

// CALL and DO run statements, each of which comes here by itself.
static bool runs_others(const PlannedStmt *statement)
{
    return IsA(statement->utilityStmt, CallStmt) || IsA(statement->utilityStmt, DoStmt);
}

static bool is_own_role(Oid role)
{
    return role == get_role_oid("companion_runtime", true) ||
           role == get_role_oid("companion_owner", true);
}

// What a trigger runs within a call must not wait in the session for the caller's own rights: a
// held cursor, a temporary view, a prepared statement; nor may our roles come to own anything.
// Errors 42501.
static void run_utility(PlannedStmt *statement, const char *text, bool is_read_only,
                        ProcessUtilityContext context, ParamListInfo parameters,
                        QueryEnvironment *environment, DestReceiver *receiver,
                        QueryCompletion *completion)
{
    const auto run = next_utility ? next_utility : standard_ProcessUtility;
    Oid role = InvalidOid;
    int security = 0;
    const bool is_confined = is_within_call() && !runs_others(statement);
    if (is_confined) {
        GetUserIdAndSecContext(&role, &security);
        if (is_own_role(role) && GetCommandLogLevel(statement->utilityStmt) == LOGSTMT_DDL)
            ereport(ERROR, errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
                    errmsg("%s within a function of companion",
                           GetCommandTagName(CreateCommandTag(statement->utilityStmt))),
                    errhint("Make the trigger's function SECURITY DEFINER."));
        SetUserIdAndSecContext(role, security | SECURITY_RESTRICTED_OPERATION);
    }
    run(statement, text, is_read_only, context, parameters, environment, receiver, completion);
    if (is_confined)
        SetUserIdAndSecContext(role, security);
}

void confine_utilities()
{
    next_utility = ProcessUtility_hook;
    ProcessUtility_hook = run_utility;
}

Runtime::Runtime()
    : settings_level_(NewGUCNestLevel()), hint_{error_context_stack, add_hint, nullptr}
{
    error_context_stack = &hint_;
    pin_search_path();
    if (settings::lock_wait > 0)
        bound_lock_wait(settings::lock_wait);
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
