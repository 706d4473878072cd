
-- Of an insert into these tables it is their own trigger that checks the foreign key, at a fraction
-- of the cost (reference.hpp); an update, and what is referred to, stays the server's to check.
DO $$
DECLARE
    checks record;
BEGIN
    FOR checks IN
        SELECT t.tgrelid::regclass AS relation, t.tgname AS name
        FROM pg_constraint AS c
        JOIN pg_trigger AS t ON t.tgconstraint = c.oid AND t.tgrelid = c.conrelid
        JOIN pg_proc AS p ON p.oid = t.tgfoid AND p.proname = 'RI_FKey_check_ins'
        WHERE c.connamespace = 'companion'::regnamespace
            AND c.conname IN ('conversations_user_id_fkey', 'messages_user_id_conversation_id_fkey',
                              'scheduled_messages_user_id_fkey', 'user_context_user_id_fkey',
                              'user_context_history_user_id_fkey')
    LOOP
        EXECUTE format('ALTER TABLE %s DISABLE TRIGGER %I', checks.relation, checks.name);
    END LOOP;
END
$$;
