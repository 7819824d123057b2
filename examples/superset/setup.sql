-- The data and views behind the dashboard.  They are what docs/bi.md shows.
\set ON_ERROR_STOP on
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS rnnforecast;

-- New York's taxis, moved by whole weeks to end now: today is half a day, as
-- in any table that is written to.  The data begin on a Monday.
CREATE TABLE taxi (ts timestamp PRIMARY KEY, rides int NOT NULL);
\copy taxi FROM '../taxi.csv' CSV HEADER
DELETE FROM taxi WHERE ts < '2014-07-07';
UPDATE taxi SET ts = ts + interval '1 week' * ceil(
  extract(epoch FROM localtimestamp - (SELECT max(ts) FROM taxi)) / (7 * 86400));
DELETE FROM taxi WHERE ts >= localtimestamp - interval '30 minutes';

CREATE TABLE air (month date PRIMARY KEY, passengers int NOT NULL);
\copy air FROM '../air_passengers.csv' CSV HEADER

CREATE TABLE models AS
SELECT 'taxi' AS name, rnn_train(ts, rides, '{"horizon": 48, "steps": 200}') AS model
FROM taxi WHERE ts >= localtimestamp - interval '10 weeks';

-- Trained once, forecast from today's rows.  The first forecast hangs on the
-- last known point; there are no rides below 0.
CREATE VIEW taxi_outlook AS
SELECT f.local_ts AS ts, f.actual AS rides,
       CASE WHEN f.step >= 0 THEN coalesce(f.forecast, f.actual) END AS rides__yhat,
       greatest(f.lower, 0) AS rides__yhat_lower, f.upper AS rides__yhat_upper
FROM models,
     (SELECT rnn_history(ts, rides) FROM taxi WHERE ts >= localtimestamp - interval '10 weeks') AS h (history),
     rnn_forecast(rnn_observe(model, history), 48, history => 144) AS f
WHERE name = 'taxi';
