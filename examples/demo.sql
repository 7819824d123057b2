-- The demo: run by tools/demo, or in a database of your own (README.md here).
\set ON_ERROR_STOP on
\set QUIET on
\set echo_before :ECHO
\set ECHO none
\pset footer off
\pset format wrapped
\pset columns 100
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS rnnforecast;
SET client_min_messages = notice;
SET datestyle = iso;
SET timezone = 'UTC';
\ir chart.sql
\set ECHO :echo_before

\ir taxi.sql
\ir co2.sql
\ir air_passengers.sql

\if :{?report}
\set ECHO none
\ir report.sql
\endif
