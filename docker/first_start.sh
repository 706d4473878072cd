# What a new database gets at its first start: the extensions, and a login for the jobs, which no password
# opens. The server's settings are in compose.yaml.
# shellcheck shell=bash

psql --no-psqlrc --quiet --set=ON_ERROR_STOP=1 --username="$POSTGRES_USER" --dbname="$POSTGRES_DB" <<'SQL'
CREATE EXTENSION pg_cron;
CREATE EXTENSION companion;
CREATE ROLE companion_jobs LOGIN IN ROLE companion_admin;
GRANT USAGE ON SCHEMA cron TO companion_jobs;
SELECT companion.schedule_jobs('companion_jobs');
SQL
