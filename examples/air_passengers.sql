
\echo
\echo === Airline passengers: calendar months ===
\echo

CREATE TEMP TABLE air (month date PRIMARY KEY, passengers int);
\copy air FROM 'air_passengers.csv' CSV HEADER

CREATE TEMP TABLE air_forecast AS
SELECT f.local_ts::date AS month, forecast, lower, upper
FROM rnn_forecast((SELECT rnn_train(month, passengers) FROM air
                   WHERE month < '1959-01-01'), 24) AS f;

TRUNCATE shown;
INSERT INTO shown
SELECT month, passengers, forecast, lower, upper FROM air JOIN air_forecast USING (month);
\pset format unaligned
\pset tuples_only on
SELECT chart FROM pg_temp.chart(tick => 'YYYY-MM', wide => 2);
\pset tuples_only off
\pset format aligned

SELECT round(avg(abs(a.passengers - f.forecast))) AS "error of the forecast",
       round(avg(abs(a.passengers - l.passengers))) AS "same month of 1958"
FROM air AS a JOIN air_forecast AS f USING (month)
     JOIN air AS l ON l.month = a.month - (CASE WHEN a.month < '1960-01-01' THEN 1 ELSE 2 END) * interval '1 year';
