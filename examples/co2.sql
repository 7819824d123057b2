
\echo
\echo === Carbon dioxide at Mauna Loa: weekly, with gaps ===
\echo

CREATE TEMP TABLE co2 (week date PRIMARY KEY, ppm numeric);
\copy co2 FROM 'co2.csv' CSV HEADER

SELECT count(*) AS weeks, count(*) FILTER (WHERE ppm IS NULL) AS missing FROM co2;

\echo
\echo '-- The last year, forecast from what lies before it.'
\echo
\timing on
CREATE TEMP TABLE co2_forecast AS
SELECT f.local_ts::date AS week, forecast, lower, upper
FROM rnn_forecast((SELECT rnn_train(week, ppm) FROM co2
                   WHERE week < '2001-01-01'), 52) AS f;
\timing off

SELECT week, ppm AS "what came", round(forecast::numeric, 1) AS forecast,
       round(lower::numeric, 1) AS lower, round(upper::numeric, 1) AS upper
FROM co2 JOIN co2_forecast USING (week)
WHERE extract(day FROM week) <= 7 ORDER BY week;

SELECT round(avg(abs(c.ppm - f.forecast::numeric)), 2) AS "error of the forecast",
       round(avg(abs(c.ppm - l.ppm)), 2) AS "same week last year"
FROM co2 AS c JOIN co2_forecast AS f USING (week)
     JOIN co2 AS l ON l.week = c.week - 364;
