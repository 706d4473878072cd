\set ECHO none
-- A fresh extension, quietly, and what every test relies on.
SET client_min_messages = warning;
DROP EXTENSION IF EXISTS companion CASCADE;
CREATE EXTENSION companion;
RESET client_min_messages;
SET timezone = 'UTC';
SET datestyle = 'ISO';
SET intervalstyle = 'postgres';
\i test/error_of.sql
\set ECHO all
