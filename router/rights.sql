
-- Owner first, then what others may. What goes to the shards runs as companion_router_owner, whose
-- user mappings are the logins there; everything else runs as the caller.
DO $$
DECLARE
    member record;
BEGIN
    FOR member IN
        SELECT CASE p.prokind WHEN 'p' THEN 'PROCEDURE' ELSE 'FUNCTION' END AS type, p.oid::regprocedure AS identity,
               n.nspname ~ '^companion_as_' OR p.proname IN ('in_turn', 'introduce', 'known_address', 'know_address') AS is_owned
        FROM pg_proc AS p JOIN pg_namespace AS n ON n.oid = p.pronamespace
        WHERE n.nspname ~ '^companion(_router|_as_[a-z]+)?$'
    LOOP
        IF member.is_owned THEN
            EXECUTE format('ALTER %s %s OWNER TO companion_router_owner', member.type, member.identity);
        END IF;
        EXECUTE format('REVOKE ALL ON %s %s FROM PUBLIC', member.type, member.identity);
    END LOOP;
END
$$;

GRANT USAGE ON SCHEMA companion TO companion_user, companion_worker, companion_admin, companion_monitor, companion_router_owner;
GRANT USAGE ON SCHEMA companion_router TO companion_user, companion_worker, companion_admin, companion_monitor, companion_router_owner;
GRANT SELECT ON companion_router.shards, companion_router.shard_count
TO companion_user, companion_worker, companion_admin, companion_monitor, companion_router_owner;
GRANT SELECT, INSERT, UPDATE ON companion_router.known_addresses TO companion_router_owner;
GRANT EXECUTE ON FUNCTION companion_router.known_address(text, text, text),
    companion_router.know_address(text, text, text, uuid)
TO companion_worker, companion_admin;
GRANT USAGE ON SEQUENCE companion_router.turn TO companion_router_owner;
GRANT EXECUTE ON FUNCTION
    companion_router.raise(text, text, text, text), companion_router.fail(text, text, text, text),
    companion_router.fail_all(text[]), companion_router.pass_over(integer, text, text, text, text),
    companion_router.refuse(text), companion_router.refuse_shard(integer, text), companion_router.in_turn(), companion_router.number_of(uuid),
    companion_router.put_user_on(integer, uuid, jsonb),
    companion_router.uuid_in(text), companion_router.identity_in(text),
    companion_router.shard_of(uuid, integer), companion.shard_of(uuid, integer)
TO companion_user, companion_worker, companion_admin, companion_monitor;
-- What goes through the directory
GRANT EXECUTE ON FUNCTION
    companion_router.settle(uuid, text, text, text, bigint, timestamptz), companion_router.settle_entry(text, text, text),
    companion_router.settle_accounts(jsonb), companion_router.reserve(uuid, text, text, text),
    companion_router.may_reserve_again(integer, text), companion_router.conclude(uuid, text, text, text, bigint, timestamptz, boolean),
    companion_router.link_once(uuid, text, text, text), companion_router.redeem_once(text, bigint, text, text),
    companion_router.put_user_once(jsonb, jsonb), companion_router.user_at(text, text, text), companion_router.shard_of_token(text, bigint)
TO companion_worker, companion_admin;
GRANT EXECUTE ON FUNCTION
    companion_router.maintain_directory(integer), companion_router.see_to(record), companion_router.warn_of_left(text, text)
TO companion_admin;
GRANT EXECUTE ON FUNCTION companion_router.server(integer), companion_router.server(uuid),
    companion_router.number_of(uuid), companion_router.refuse_shard(integer, text), companion_router.itself(text), companion_router.shard_of(uuid, integer)
TO companion_router_owner;
GRANT EXECUTE ON FUNCTION companion_router.upsert_user_context_many(uuid, jsonb, text),
    companion_router.upsert_user_context_many(uuid, text, text)
TO companion_user, companion_worker, companion_admin;

-- A call as a role, for the role alone.
GRANT USAGE ON SCHEMA companion_as_user TO companion_user;
GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA companion_as_user TO companion_user;
GRANT USAGE ON SCHEMA companion_as_worker TO companion_worker;
GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA companion_as_worker TO companion_worker;
GRANT USAGE ON SCHEMA companion_as_admin TO companion_admin;
GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA companion_as_admin TO companion_admin;
GRANT USAGE ON SCHEMA companion_as_monitor TO companion_monitor;
GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA companion_as_monitor TO companion_monitor;
