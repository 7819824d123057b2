-- Forecasts from earlier times beside what came.
SET timezone = 'UTC';
CREATE TEMP TABLE sales AS
SELECT 'shop ' || s AS series, date '2022-01-03' + t AS ts,
	(50 + 10 * s + (t % 7) * s + (t * 7919 + s * 104729) % 13)::float8 AS value
FROM generate_series(1, 3) AS s, generate_series(0, 199) AS t;

-- The horizon, the distance and the count of cutoffs; every row has all its columns.
SELECT series, cutoff, count(*), min(step), max(step), min(local_ts), max(local_ts)
FROM rnn_backtest('SELECT * FROM sales', 7) GROUP BY 1, 2 ORDER BY 1, 2;
SELECT count(*), bool_and((b.series, cutoff, step, b.ts, actual, forecast, mean, naive, mix, scale, reference) IS NOT NULL), bool_and(b.ts = local_ts AND actual = s.value),
	bool_and(lower <= forecast AND forecast <= upper AND array_length(quantiles, 1) = 15 AND quantiles[8] = forecast),
	bool_and(mean BETWEEN lower AND upper)
FROM rnn_backtest('SELECT * FROM sales', 7, 4) AS b JOIN sales AS s ON s.series = b.series AND s.ts = b.local_ts;
-- A season of the calendar where nothing says how far, as rnn_train has it.
SELECT count(*), max(step) FROM rnn_backtest('SELECT * FROM sales', NULL, 2, '{"seasons": [7]}');
SELECT array_agg(DISTINCT cutoff::date ORDER BY cutoff::date), min(step), max(step)
FROM rnn_backtest('SELECT * FROM sales', 7, 3, '{"every": 10, "gap": 2}');
SELECT array_agg(DISTINCT cutoff::date ORDER BY cutoff::date), count(*)
FROM rnn_backtest('SELECT * FROM sales', 7, 3, '{"at": ["2022-06-01", "2022-05-01 13:00", "2022-07-18", "2030-01-01"]}');

-- The best single reference is what a mix comes near to that believes in small errors ever more; at some steps another is better.
SELECT kappa, avg(abs(mix - reference)) < 0.5 AS alike
FROM unnest('{1,8,64}'::int[]) AS kappa, rnn_backtest('SELECT month, value FROM monthly', 12, 4, jsonb_build_object('network', false, 'kappa', kappa)) GROUP BY 1 ORDER BY 1;

-- They are the forecasts of a model that was trained on what lies before the earliest cutoff, with the rows before each.
CREATE FUNCTION pg_temp.by_hand(options jsonb) RETURNS TABLE (series text, cutoff timestamp, step int, f float8, l float8, u float8) AS $$
	SELECT f.series, o.cutoff, f.step, f.forecast, f.lower, f.upper
	FROM (SELECT rnn_train(series, ts, value, options) AS model FROM sales WHERE ts <= '2022-06-30') AS m,
		(SELECT timestamp '2022-06-30' + n * interval '7 days' AS cutoff FROM generate_series(0, 2) AS n) AS o,
		LATERAL (SELECT rnn_history(series, ts, value) AS history FROM sales WHERE ts <= o.cutoff) AS h,
		LATERAL rnn_forecast(rnn_observe(model, history), 7) AS f
$$ LANGUAGE sql;
SELECT o AS options, count(*), bool_and(abs(b.forecast - h.f) + abs(b.lower - h.l) + abs(b.upper - h.u) < 1e-3)
FROM unnest(ARRAY['{"start": "prior", "transform": "log"}', '{"network": false}', '{"start": "scratch", "steps": 20, "hidden": 8}']) AS o,
	LATERAL rnn_backtest('SELECT * FROM sales', 7, 3, o::jsonb) AS b
	JOIN LATERAL pg_temp.by_hand(o::jsonb || '{"horizon": 7}') AS h ON h.series = b.series AND h.cutoff = b.cutoff AND h.step = b.step
GROUP BY o ORDER BY o;
-- By a model, too.
SELECT count(*), bool_and(abs(b.forecast - h.f) + abs(b.lower - h.l) < 1e-3)
FROM (SELECT rnn_train(series, ts, value, '{"horizon": 7, "seasons": [7], "start": "prior"}') AS model FROM sales WHERE ts <= '2022-06-30') AS m,
	LATERAL rnn_backtest('SELECT * FROM sales', 7, 3, NULL, model) AS b
	JOIN LATERAL pg_temp.by_hand('{"horizon": 7, "seasons": [7], "start": "prior"}') AS h ON h.series = b.series AND h.cutoff = b.cutoff AND h.step = b.step;

-- naive, scale and mix as they are defined.
SELECT bool_and(b.naive = (SELECT value FROM sales AS s WHERE s.series = b.series AND s.ts = b.cutoff - interval '7 days' + ((b.step - 1) % 7 + 1) * interval '1 day')),
	bool_and(abs(b.scale - (SELECT avg(abs(s.value - p.value)) FROM sales AS s JOIN sales AS p ON p.series = s.series AND p.ts = s.ts - 7
		WHERE s.series = b.series AND s.ts <= b.cutoff)) < 1e-9)
FROM rnn_backtest('SELECT * FROM sales', 10, 2, '{"seasons": [7]}') AS b;
SELECT bool_and(abs(b.scale - (SELECT avg(abs(s.value - p.value)) FROM sales AS s JOIN sales AS p ON p.series = s.series AND p.ts = s.ts - 1
		WHERE s.series = b.series AND s.ts <= b.cutoff AND p.ts > b.cutoff - interval '30 days')) < 1e-9),
	bool_and(naive = (SELECT value FROM sales AS s WHERE s.series = b.series AND s.ts = b.cutoff))
FROM rnn_backtest('SELECT * FROM sales', 3, 2, '{"season": 1, "scale_points": 30}') AS b;
SELECT count(*), bool_and(abs(b.mix - m.forecast) < 1e-6)
FROM rnn_backtest('SELECT * FROM sales', 7, 2) AS b JOIN rnn_backtest('SELECT * FROM sales', 7, 2, '{"network": false}') AS m
	USING (series, cutoff, step);
SELECT bool_and(wide.lower < narrow.lower AND narrow.upper < wide.upper AND narrow.quantiles = wide.quantiles)
FROM rnn_backtest('SELECT * FROM sales', 7, 2, '{"level": 0.5}') AS narrow
	JOIN rnn_backtest('SELECT * FROM sales', 7, 2) AS wide USING (series, cutoff, step);

-- Nothing looks ahead: what comes after a cutoff changes no digit of what is said at it.
CREATE TEMP TABLE asked AS
SELECT o AS options, v AS value, b.series, b.cutoff, b.step, b.forecast,
	(forecast, lower, upper, quantiles, mean, naive, mix, scale)::text AS said
FROM unnest(ARRAY['{}', '{"network": false, "refit": true}', '{"gaps": "interpolate"}', '{"window": 60}',
				  '{"start": "scratch", "steps": 10, "hidden": 8, "seasons": [7]}']) AS o,
	unnest(ARRAY['value', '-1e250', 'random()', 'CASE WHEN ts = ''2022-07-21'' THEN value END']) AS v,
	LATERAL rnn_backtest('SELECT series, ts, CASE WHEN ts <= ''2022-07-06'' THEN value ELSE ' || v || ' END AS value FROM sales', 7, 6, o::jsonb) AS b
WHERE local_ts <= '2022-07-06';
SELECT a.options, count(*), bool_and(a.said = b.said) AS same
FROM asked AS a JOIN asked AS b USING (options, series, cutoff, step) WHERE a.value = 'value' AND b.value NOT LIKE 'CASE%' GROUP BY 1 ORDER BY 1;
-- Where values are missing there are fewer cutoffs to forecast at once, and products of other sizes are rounded otherwise.
SELECT a.options, count(*), bool_and(abs(a.forecast - b.forecast) < 1e-5) AS same
FROM asked AS a JOIN asked AS b USING (options, series, cutoff, step) WHERE a.value = 'value' AND b.value LIKE 'CASE%' GROUP BY 1 ORDER BY 1;

-- A window is what a cutoff may use.
SELECT bool_and(abs(w.forecast - h.forecast) + abs(w.lower - h.lower) < 1e-6) FROM rnn_backtest('SELECT * FROM sales', 7, 1, '{"window": 56, "seasons": [7]}') AS w
	JOIN rnn_backtest('SELECT * FROM sales WHERE ts > ''2022-07-14''::date - 56', 7, 1, '{"seasons": [7]}') AS h USING (series, cutoff, step);
-- Trained anew: the latest cutoff by a training on all that lies before it.
SELECT count(*), bool_and(abs(r.forecast - o.forecast) < 1e-6)
FROM rnn_backtest('SELECT * FROM sales', 7, 4, '{"refit": 2, "start": "scratch", "steps": 20, "hidden": 8, "seasons": [7]}') AS r
	JOIN rnn_backtest('SELECT * FROM sales', 7, 2, '{"start": "scratch", "steps": 20, "hidden": 8, "seasons": [7]}') AS o USING (series, cutoff, step);

-- Missing values: cutoffs move back to known ones, rows without a value are left out, short series too.
CREATE TEMP TABLE holes AS
SELECT 'gaps' AS series, date '2022-01-01' + t AS ts, CASE WHEN t % 5 = 3 OR t BETWEEN 80 AND 90 THEN NULL ELSE t % 7 + t / 10.0 END AS value
FROM generate_series(0, 120) AS t
UNION ALL SELECT 'short', date '2022-04-20' + t, t FROM generate_series(0, 9) AS t;
SELECT cutoff, count(*), min(step), max(step), bool_and((actual, forecast, mean, naive, mix, scale, reference) IS NOT NULL) FROM rnn_backtest('SELECT * FROM holes', 10, 6) GROUP BY 1 ORDER BY 1;
-- Numbered steps, one series, an ordered column.
SELECT array_agg(DISTINCT cutoff), array_agg(DISTINCT position - step ORDER BY position - step), count(*)
FROM rnn_backtest('SELECT ''a'' AS series, 10 * n AS step, n % 4 AS value FROM generate_series(1::bigint, 60) AS n', 4, 2);
SELECT array_agg(DISTINCT position - step ORDER BY position - step), bool_and(series IS NULL)
FROM rnn_backtest('SELECT value FROM sales WHERE series = ''shop 1'' ORDER BY ts', 5, 2);
SELECT array_agg(DISTINCT position - step ORDER BY position - step)
FROM rnn_backtest('SELECT n % 4 FROM generate_series(1, 60) AS n', 4, 2, '{"at": [40, 44]}');
-- Covariates that were known then.
CREATE TEMP TABLE promoted AS
SELECT ts, 20 + (ts - date '2022-01-03') % 7 + 30 * promotion AS value, promotion
FROM (SELECT date '2022-01-03' + t AS ts, CASE WHEN uniform(t) < 0.25 THEN 1 ELSE 0 END AS promotion FROM generate_series(0, 799) AS t) AS p;
SELECT count(*), avg(abs(actual - forecast)) < avg(abs(actual - naive)) / 20
FROM rnn_backtest('SELECT ts, CASE WHEN ts < ''2024-03-01'' THEN value END AS value, promotion FROM promoted', 7, 4,
				  '{"start": "scratch", "steps": 100, "hidden": 16, "layers": 1, "seasons": [7]}');

SELECT count(DISTINCT said) AS "what a covariate becomes"
FROM unnest(ARRAY['promotion', 'CASE WHEN ts < ''2024-02-01'' THEN promotion ELSE 1e6 * random() END']) AS p,
	LATERAL (SELECT md5(string_agg(quantiles::text, '' ORDER BY cutoff, step)) AS said
		FROM rnn_backtest('SELECT ts, value, ' || p || ' AS promotion FROM promoted', 7, 8,
						  '{"start": "scratch", "steps": 30, "hidden": 8, "seasons": [7]}')
		WHERE local_ts < '2024-02-01') AS s;

-- Accuracy of it, as one row.
SELECT a.n, a.mase < 1, a.coverage BETWEEN 0.5 AND 1, a.skill > 0
FROM (SELECT (rnn_accuracy(b)).* FROM rnn_backtest('SELECT * FROM sales', 7, 4) AS b) AS a;

-- No rows.
SELECT count(*) FROM rnn_backtest(NULL);
SELECT count(*) FROM rnn_backtest('SELECT * FROM sales WHERE false');
SELECT count(*) FROM rnn_backtest('SELECT * FROM sales LIMIT 5', 7);
-- What can't be asked for.
SELECT * FROM rnn_backtest('SELECT * FROM sales', 0);
SELECT * FROM rnn_backtest('SELECT * FROM sales', 7, 0);
SELECT * FROM rnn_backtest('SELECT * FROM sales', 99999, 1, '{"gap": 2}');
SELECT * FROM rnn_backtest('SELECT * FROM sales', 7, 3, '{"every": 0}');
SELECT * FROM rnn_backtest('SELECT * FROM sales', 7, 3, '{"every": 1.5}');
SELECT * FROM rnn_backtest('SELECT * FROM sales', 7, 3, '{"refit": "daily"}');
SELECT * FROM rnn_backtest('SELECT * FROM sales', 7, 3, '{"at": "2022-05-01"}');
SELECT * FROM rnn_backtest('SELECT * FROM sales', 7, 3, '{"at": [5]}');
SELECT * FROM rnn_backtest('SELECT * FROM sales', 7, 3, '{"at": ["yesteryear"]}');
SELECT left(try($$SELECT * FROM rnn_backtest('SELECT * FROM sales', 7, 3, '{"horizn": 7}')$$), 40);
SELECT * FROM rnn_backtest('SELECT * FROM sales', 7, 3, '[]');
SELECT * FROM rnn_backtest('SELECT * FROM sales', 7, 3, '{"start": "prior"}', rnn_prior());
SELECT * FROM rnn_backtest('SELECT * FROM sales', 7, 3, '{"refit": true}', rnn_prior());
SELECT * FROM rnn_backtest('DELETE FROM sales');
SELECT * FROM rnn_backtest('SELECT * FROM sales FOR UPDATE');

-- Named models: by a training like theirs, or by the live version.
SELECT rnn_fit('till', 'SELECT * FROM sales', 7, '{"network": false, "seasons": [7]}');
SELECT count(*), bool_and(abs(n.forecast - q.forecast) < 1e-9)
FROM rnn_backtest_model('till', NULL, 2) AS n
	JOIN rnn_backtest('SELECT * FROM sales', 7, 2, '{"network": false, "seasons": [7]}') AS q USING (series, cutoff, step);
SELECT count(*), bool_and(abs(n.forecast - q.forecast) < 1e-9)
FROM rnn_backtest_model('till', 5, 2, '{"live": true}') AS n
	JOIN rnn_backtest('SELECT * FROM sales', 5, 2, NULL, rnn_model('till')) AS q USING (series, cutoff, step);
SELECT * FROM rnn_backtest_model('till', 5, 2, '{"live": true, "refit": true}');
SELECT * FROM rnn_backtest_model('nowhere');
SELECT * FROM rnn_backtest_model(NULL);
SELECT rnn_drop('till');

-- More rows behind a cutoff than any forecast has steps.
SELECT count(*), min(step), max(step) FROM rnn_backtest('SELECT n::bigint AS step, ''a'' AS series, n % 7 AS value FROM generate_series(1, 100300) AS n', 3, 1,
	'{"at": [200], "network": false, "start": "auto"}');
