
-- Changes of mind: what is pending follows.
CREATE FUNCTION companion.apply_change_of_mind() RETURNS trigger
LANGUAGE c
AS 'MODULE_PATHNAME', 'companion_apply_change_of_mind';
COMMENT ON FUNCTION companion.apply_change_of_mind() IS
'Trigger, AFTER UPDATE on users: a pending check-in that is not being sent is skipped where the user has opted out, is paused, suspended, or has no check-in on that weekday any more, with the reason; it moves to a changed check-in time or zone, if its new instant has not come yet, and stays else. What is pending goes to a changed preferred_channel; what is due to a suspended user, or a paused one by its kind, is skipped. Changed quiet hours give back what is claimed and not started where it is quiet now, and what waited for their end is due. A claim of what was moved and not started is given back. Waits for who holds one of them, at most companion.lock_wait, then error 55P03; 09000 where a trigger suppresses or changes one.';
-- Not UPDATE OF: a trigger of the app's may change these columns, too.
CREATE TRIGGER apply_change_of_mind AFTER UPDATE ON companion.users
FOR EACH ROW EXECUTE FUNCTION companion.apply_change_of_mind();
COMMENT ON TRIGGER apply_change_of_mind ON companion.users IS 'What is pending follows what the user wants now.';
