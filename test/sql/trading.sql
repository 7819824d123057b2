-- Trading days: months compared by the weekdays that they have, and by Easter.
\pset format unaligned
\pset null NULL
SET datestyle = 'ISO';
-- What a shop takes on each weekday, and more of it near Easter: ten years of months, and what came of two more.
CREATE TEMP TABLE easter (sunday) AS SELECT unnest('{2012-04-08,2013-03-31,2014-04-20,2015-04-05,2016-03-27,2017-04-16,2018-04-01,2019-04-21,2020-04-12,2021-04-04,2022-04-17,2023-04-09,2024-03-31,2025-04-20}'::date[]);
CREATE TEMP TABLE shop AS
SELECT month, 300 * exp(0.005 * n + 0.01 * noise(n)) * takings AS value, takings
FROM (SELECT date_trunc('month', day)::date AS month, row_number() OVER (ORDER BY date_trunc('month', day)::date) AS n,
		sum((ARRAY[8, 8, 9, 10, 14, 20, 2])[extract(isodow FROM day)::int] + CASE WHEN day - sunday BETWEEN -3 AND 1 THEN 10 ELSE 0 END) / 310.0 AS takings
	FROM (SELECT date '2012-01-01' + k AS day FROM generate_series(0, 4382) AS k) AS d LEFT JOIN easter ON extract(year FROM sunday) = extract(year FROM day)
	GROUP BY 1) AS m;
CREATE TEMP TABLE models AS
SELECT name, rnn_train(month, value, options || '{"horizon": 12, "seasons": [12]}') AS m
FROM (VALUES ('with', mix()), ('without', mix() || '{"trading_days": false}'), ('logarithm', mix() || '{"transform": "log"}'), ('prior', '{"start": "prior"}'::jsonb),
	('prior without', '{"start": "prior", "trading_days": false}')) AS o (name, options), shop
WHERE month < '2022-01-01' GROUP BY name, options;
SELECT name, rnn_info(m)->'options'->'trading_days' AS days FROM models ORDER BY 1;
CREATE TEMP TABLE errors AS
SELECT name, avg(abs(ln(forecast / value))) AS error FROM models, rnn_forecast(m, 24) JOIN shop ON month = local_ts GROUP BY 1;
SELECT a.name, a.error < 0.5 * b.error AS "much better" FROM errors AS a JOIN errors AS b ON b.name = CASE a.name WHEN 'prior' THEN 'prior without' ELSE 'without' END
WHERE a.name NOT LIKE '%without' ORDER BY 1;
-- The part of the forecast is what was planted, on the scale of values and of logarithms; all parts add up.
CREATE FUNCTION pg_temp.sum_of(e rnn_explain_row) RETURNS float8 LANGUAGE sql AS $$
	SELECT e.level + e.trend + coalesce(e.season_1, 0) + e.analogues + coalesce(e.calendar, 0) + e.network + coalesce(e.bounds, 0)
$$;
CREATE TEMP TABLE parts AS
SELECT name, local_ts::date AS month, coalesce(transformed, forecast) - pg_temp.sum_of(e) AS rest, CASE name WHEN 'logarithm' THEN calendar ELSE ln(forecast / (forecast - calendar)) END AS effect, ln(takings) AS planted
FROM models, rnn_explain(m, 24) AS e JOIN shop AS s ON s.month = local_ts;
SELECT name, max(abs(rest)) < 1e-9 AS "adds up", count(effect) AS calendar FROM parts GROUP BY 1 ORDER BY 1;
-- What is the same each year is a season's.
SELECT name, count(*), corr(b.effect - a.effect, b.planted - a.planted) > 0.95 AS planted, regr_slope(b.effect - a.effect, b.planted - a.planted) BETWEEN 0.8 AND 1.2 AS size
FROM parts AS a JOIN parts AS b USING (name) WHERE b.month = a.month + interval '1 year' AND a.effect IS NOT NULL GROUP BY 1 ORDER BY 1;
-- Easter alone: in March in 2013, 2016 and 2024, at the turn of the month in 2018, in April in the other years.
SELECT extract(year FROM local_ts) AS year, string_agg(round(100 * calendar / (forecast - calendar))::text, ', ' ORDER BY local_ts) AS "March, April"
FROM (SELECT rnn_train(m::date, value, mix() || '{"horizon": 36, "seasons": [12]}') AS model FROM generate_series(timestamp '2005-01-01', '2022-12-01', interval '1 month') AS m,
		LATERAL (SELECT 1000 * (1 + 0.04 * count(*) FILTER (WHERE extract(month FROM sunday - 3 + k) = extract(month FROM m))) AS value
			FROM (SELECT sunday FROM easter UNION ALL VALUES ('2005-03-27'::date), ('2006-04-16'), ('2007-04-08'), ('2008-03-23'), ('2009-04-12'), ('2010-04-04'), ('2011-04-24')) AS e (sunday),
				generate_series(0, 4) AS k WHERE extract(year FROM sunday) = extract(year FROM m)) AS v) AS t, rnn_explain(model)
WHERE extract(month FROM local_ts) IN (3, 4) GROUP BY 1 ORDER BY 1;
-- Methods are judged without what days do, too.
SELECT a.error < 0.4 * b.error AS "smaller errors" FROM (SELECT min(error) AS error FROM models, rnn_references(m) WHERE name = 'with') AS a,
	(SELECT min(error) AS error FROM models, rnn_references(m) WHERE name = 'without') AS b;
-- A backtest and an explanation of the history know no more than their ends did; rows that are observed are fitted anew.
SELECT max(abs(e.forecast - b.forecast)) < 1e-3 AS "as a backtest" FROM models, rnn_explain(m, history => 24) AS e
	JOIN LATERAL rnn_backtest('SELECT month AS ts, value FROM shop WHERE month < ''2022-01-01''', 12, 2, model => m) AS b USING (local_ts) WHERE name = 'with';
SELECT max(abs(a.forecast - b.forecast)) < 1e-6 AS "as trained on them" FROM models,
	(SELECT rnn_history(month, value) AS h, rnn_train(month, value, mix() || '{"horizon": 12, "seasons": [12]}') AS fresh FROM shop) AS s, LATERAL rnn_forecast(rnn_observe(m, h)) AS a
	JOIN LATERAL rnn_forecast(fresh) AS b USING (step) WHERE name = 'with';
-- A model judges the rows that come by those before them; one that is odd stays so.
SELECT local_ts::date AS month, score > 3 AS odd
FROM models, rnn_anomalies('SELECT month AS ts, CASE WHEN month = ''2023-05-01'' THEN 2 * value ELSE value END AS value FROM shop', model => m)
WHERE name = 'with' AND is_anomaly AND local_ts >= '2020-01-01' ORDER BY 1;
-- Stamps at the end of a month are of that month, in the clock's zone.
SELECT zone, max(abs(f.forecast - g.forecast)) < 1e-9 AS same
FROM models, (VALUES ('UTC'), ('Pacific/Auckland'), ('America/Lima')) AS z (zone),
	LATERAL (SELECT rnn_train((month + interval '1 month' - interval '1 day') AT TIME ZONE zone, value,
		mix() || jsonb_build_object('horizon', 12, 'seasons', '[12]'::jsonb, 'timezone', zone)) AS ends FROM shop WHERE month < '2022-01-01') AS e,
	LATERAL rnn_forecast(m) AS f JOIN LATERAL rnn_forecast(ends) AS g USING (step)
WHERE name = 'with' GROUP BY 1 ORDER BY 1;
-- Values at 0 or below, too few of them, quarters: as without.
SELECT kind, max(abs(a.forecast - b.forecast)) = 0 AS same
FROM (VALUES ('zero'), ('few'), ('quarters')) AS k (kind), LATERAL (SELECT rnn_train(at, x, mix() || '{"horizon": 4}') AS a, rnn_train(at, x, mix() || '{"horizon": 4, "trading_days": false}') AS b
	FROM (SELECT CASE kind WHEN 'quarters' THEN date_trunc('quarter', month) ELSE month END AS at, sum(CASE WHEN kind = 'zero' AND month = '2015-04-01' THEN 0 ELSE value END) AS x
		FROM shop WHERE kind <> 'few' OR month >= '2021-03-01' GROUP BY 1) AS r) AS m, LATERAL rnn_forecast(a) AS a JOIN LATERAL rnn_forecast(b) AS b USING (step) GROUP BY 1 ORDER BY 1;
\t
SELECT try('SELECT rnn_train(d, 1.0, ''{"trading_days": true}'') FROM generate_series(date ''2024-01-01'', ''2024-03-01'', interval ''1 day'') AS d'),
	try('SELECT rnn_train(n, ''{"trading_days": true}'' ORDER BY n) FROM generate_series(1, 60) AS n'), try('SELECT rnn_train(month, value, ''{"trading_days": 2}'') FROM shop');
