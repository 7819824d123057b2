
\echo
\echo === New York taxis: passengers every half hour ===
\echo

CREATE TEMP TABLE taxi (ts timestamp PRIMARY KEY, rides int);
\copy taxi FROM 'taxi.csv' CSV HEADER

\echo
\echo '-- Train on what lies before November, once with the network and once without.'
\echo
\timing on
CREATE TEMP TABLE model AS
SELECT rnn_train(ts, rides, '{"horizon": 48}') AS model
FROM taxi WHERE ts < '2014-11-01';
\timing off

CREATE TEMP TABLE mix AS
SELECT rnn_train(ts, rides, '{"horizon": 48, "network": false}') AS model
FROM taxi WHERE ts < '2014-11-01';

\echo
SELECT rnn_info(model)->>'summary' AS "what was trained" FROM model;

\echo
\echo '-- The next 24 hours, at midnight of Wednesday 12 November.'
\echo
CREATE TEMP TABLE day AS
SELECT f.local_ts, t.rides, f.forecast, f.lower, f.upper
FROM model,
     (SELECT rnn_history(ts, rides) FROM taxi WHERE ts < '2014-11-12') AS h (history),
     rnn_forecast(rnn_observe(model, history), 48) AS f
     JOIN taxi AS t ON t.ts = f.local_ts;

SELECT to_char(local_ts, 'HH24:MI') AS time, rides AS "what came",
       round(forecast) AS forecast, round(lower) AS lower, round(upper) AS upper,
       round(100 * (forecast - rides) / rides) AS "error %"
FROM day WHERE extract(minute FROM local_ts) = 0 ORDER BY local_ts;

INSERT INTO shown SELECT local_ts, rides, forecast, lower, upper FROM day;
\pset format unaligned
\pset tuples_only on
SELECT chart FROM pg_temp.chart();
\pset tuples_only off
\pset format aligned

\echo
\echo '-- The same at each of the 30 midnights of November, from the same two models.'
\echo
CREATE TEMP TABLE forecasts AS
WITH history AS (
  SELECT origin, rnn_history(ts, rides) AS history
  FROM generate_series(timestamp '2014-11-01', '2014-11-30', '1 day') AS origin
       JOIN taxi ON ts < origin
  GROUP BY origin)
SELECT method, origin, f.local_ts, f.forecast, f.lower, f.upper
FROM history,
     (SELECT 'network and mix' AS method, model FROM model
      UNION ALL
      SELECT 'mix alone', model FROM mix) AS m,
     rnn_forecast(rnn_observe(model, history), 48) AS f;

INSERT INTO forecasts
SELECT 'same time last week', o.origin, t.ts, w.rides
FROM (SELECT DISTINCT origin FROM forecasts) AS o
     JOIN taxi AS t ON t.ts >= o.origin AND t.ts < o.origin + interval '1 day'
     JOIN taxi AS w ON w.ts = t.ts - interval '7 days';

\echo
\echo '-- MASE: 1 is the error of "same time yesterday" before November.'
\echo
SELECT method, count(DISTINCT origin) AS midnights,
       round(avg(abs(t.rides - forecast))) AS "mean error",
       round((avg(abs(t.rides - forecast)) / s.scale)::numeric, 3) AS "MASE",
       round(100 * avg((t.rides BETWEEN lower AND upper)::int)) AS "% in 90 % interval"
FROM forecasts JOIN taxi AS t ON t.ts = local_ts,
     (SELECT avg(abs(a.rides - b.rides))
      FROM taxi AS a JOIN taxi AS b ON b.ts = a.ts - interval '1 day'
      WHERE a.ts < '2014-11-01') AS s (scale)
GROUP BY method, s.scale ORDER BY "MASE";
