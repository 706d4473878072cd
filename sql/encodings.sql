-- What is compared and searched without regard to case does not depend on the database's locale; in an
-- encoding other than UTF8 that is so for ASCII.
\i test/fresh.sql
\set maya '\'00000000-0000-0000-0000-000000000001\''
\set ECHO none
CREATE DATABASE companion_c ENCODING 'UTF8' LOCALE 'C' TEMPLATE template0;
CREATE DATABASE companion_latin ENCODING 'LATIN1' LOCALE 'C' TEMPLATE template0;
\set ECHO all
\c companion_c
\set ECHO none
\i test/encodings.sql
\set ECHO all
\c companion_latin
\set ECHO none
\i test/encodings.sql
\c contrib_regression
DROP DATABASE companion_c;
DROP DATABASE companion_latin;
