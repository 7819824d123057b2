-- The demo: run by tools/demo, or in a database of your own (README.md here).
\set ON_ERROR_STOP on
\pset footer off
\set QUIET on
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS rnnforecast;
SET client_min_messages = notice;
SET datestyle = iso;
SET timezone = 'UTC';
\ir chart.sql
\set QUIET off

\ir taxi.sql
\ir co2.sql
\ir air_passengers.sql
