-- The check-ins that are due after one time and up to another, by checkin_instant alone: of each
-- user, on each local day.
CREATE FUNCTION occasions(since timestamptz, until timestamptz)
RETURNS TABLE (user_id uuid, local_date date, at timestamptz) LANGUAGE sql STABLE
BEGIN ATOMIC
    SELECT u.id, d.local_date, due.at
    FROM companion.users AS u
    CROSS JOIN LATERAL (SELECT since::date + n AS local_date
        FROM generate_series(-2, until::date - since::date + 2) AS n) AS d
    CROSS JOIN LATERAL (SELECT companion.checkin_instant(u.timezone, d.local_date,
        u.checkin_time) AS at) AS due
    WHERE due.at > since AND due.at <= until;
END;
