-- The data and views behind the dashboard.  They are what docs/bi.md shows.
\set ON_ERROR_STOP on
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS rnnforecast;

-- New York's taxis, moved by whole weeks to end now: the last half hour and
-- today are not over, as in any table that is written to.  They begin on a Monday.
CREATE TABLE taxi (ts timestamp PRIMARY KEY, rides int NOT NULL);
\copy taxi FROM '../taxi.csv' CSV HEADER
DELETE FROM taxi WHERE ts < '2014-07-07';
UPDATE taxi SET ts = ts + interval '1 week' * ceil(
  extract(epoch FROM localtimestamp - (SELECT max(ts) FROM taxi)) / (7 * 86400));
DELETE FROM taxi WHERE ts >= localtimestamp;

CREATE TABLE air (month date PRIMARY KEY, passengers int NOT NULL);
\copy air FROM '../air_passengers.csv' CSV HEADER

-- Trained once, under a name; forecast from the rows that are there when somebody
-- looks.  200 minibatches, to be ready sooner.
SELECT rnn_fit('taxi', $$
  SELECT ts, rides AS value FROM taxi
  WHERE ts >= localtimestamp - interval '10 weeks' AND ts < date_bin('30 minutes', localtimestamp, 'epoch')$$,
  48, '{"steps": 200, "lower": 0}') AS version;

-- The line of the forecast begins at the last known point.
CREATE VIEW taxi_outlook AS
SELECT local_ts AS ts, actual AS rides,
       CASE WHEN step >= 0 THEN coalesce(forecast, actual) END AS rides__yhat,
       lower AS rides__yhat_lower, upper AS rides__yhat_upper
FROM rnn_forecast_model('taxi', 48, history => 144, options => '{"fresh": true}');
