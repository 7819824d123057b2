-- The report of the demo, :report: one page of HTML that needs nothing else.
-- demo.sql includes it last, where a file was given.
CREATE FUNCTION pg_temp.section(title text, words text, picture text) RETURNS text LANGUAGE sql AS $$
	SELECT format(E'<section><h2>%s</h2>\n<p>%s</p>\n<figure>%s</figure></section>\n', title, words, picture)
$$;

-- The taxis: a day ahead, 30 midnights, and what each method erred.
CREATE TEMP TABLE judged AS
SELECT f.method, f.origin, f.local_ts, extract(epoch FROM f.local_ts - f.origin) / 1800 + 1 AS step,
	   t.rides AS actual, f.forecast, f.lower, f.upper, w.rides AS naive, s.scale
FROM forecasts AS f JOIN taxi AS t ON t.ts = f.local_ts
	 JOIN taxi AS w ON w.ts = f.local_ts - interval '7 days',
	 (SELECT avg(abs(a.rides - b.rides)) AS scale FROM taxi AS a JOIN taxi AS b ON b.ts = a.ts - interval '1 day'
	  WHERE a.ts < '2014-11-01') AS s;

CREATE TEMP TABLE accuracy AS
SELECT method, (rnn_accuracy(j)).* FROM judged AS j GROUP BY method;

CREATE TEMP TABLE page AS
SELECT 1 AS place, pg_temp.section('The next day',
	'Taxi passengers in New York every half hour: five days that the model knew, the day that it forecast at midnight of 12 November 2014, '
	'and what came. The band is meant to hold nine of ten values, its darker core six of ten.',
	rnn_plot(r, 'A day of taxis', 'passengers in half an hour')) AS html
FROM (SELECT ts, rides AS actual, NULL::float8 AS forecast, NULL::float8 AS lower, NULL::float8 AS upper, NULL::float8[] AS quantiles
	  FROM taxi WHERE ts >= '2014-11-07' AND ts < '2014-11-12'
	  UNION ALL
	  SELECT f.local_ts, t.rides, f.forecast, f.lower, f.upper, f.quantiles
	  FROM model, (SELECT rnn_history(ts, rides) FROM taxi WHERE ts < '2014-11-12') AS h (history),
		   rnn_forecast(rnn_observe(model, history), 48) AS f JOIN taxi AS t ON t.ts = f.local_ts) AS r;

INSERT INTO page
SELECT 2, pg_temp.section('The same at other midnights',
	'Every forecast was made from the rows before its midnight alone; here are the last seven of 30. One training, on what lies before November, served all of them.',
	rnn_plot(r, 'Backtest', 'passengers in half an hour'))
FROM (SELECT local_ts, actual, forecast, lower, upper, origin AS cutoff FROM judged
	  WHERE method = 'network and mix' AND origin >= '2014-11-24') AS r;

INSERT INTO page
SELECT 3, E'<section><h2>How wrong it was</h2>\n<p>All 30 midnights. The naive forecast, against which the last column counts, is the same half hour of the week before.</p>\n'
	|| '<table><tr><th>method<th>values<th>mean error<th>error in percent<th>MASE<th>in the 90 % interval<th>less error than naive</tr>'
	|| string_agg(format(E'<tr><td>%s<td>%s<td>%s<td>%s %%<td>%s<td>%s<td>%s</tr>\n', method, n, round(mae), round((100 * wape)::numeric, 1), round(mase::numeric, 3),
		coalesce(round((100 * coverage)::numeric) || ' %', ''), CASE WHEN skill <> 0 THEN round((100 * skill)::numeric) || ' %' ELSE '' END), '' ORDER BY mae)
	|| '</table></section>'
FROM accuracy;

INSERT INTO page
SELECT 4, pg_temp.section('Error by step', 'Mean absolute error of each half hour of the day ahead.',
	rnn_plot(r, 'Error by half hours ahead', 'passengers'))
FROM (SELECT method AS series, step AS position, avg(abs(actual - forecast)) AS value FROM judged GROUP BY method, step) AS r;

INSERT INTO page
SELECT 5, pg_temp.section('What is odd', 'Half hours that do not fit what came before them, in all of January and the end of December: Christmas, New Year''s Eve and Day, '
	'the end of January with its blizzard, and a few others. Each is judged from the rows before it alone.',
	rnn_plot(o, 'Odd half hours', 'passengers in half an hour'))
FROM rnn_anomalies('SELECT ts, rides AS value FROM taxi', options => '{"since": "2014-12-20"}') AS o;

INSERT INTO page
SELECT 6, pg_temp.section('Carbon dioxide at Mauna Loa', 'Weekly values; the year 2001 was forecast from what lies before it.', rnn_plot(r, 'Carbon dioxide', 'parts per million'))
FROM (SELECT week AS ts, ppm AS actual, forecast, lower, upper FROM co2 LEFT JOIN co2_forecast USING (week) WHERE week >= '1998-01-01') AS r;
INSERT INTO page
SELECT 7, pg_temp.section('Airline passengers', 'Calendar months; 1959 and 1960 were forecast from what lies before them.', rnn_plot(r, 'Airline passengers', 'thousands a month'))
FROM (SELECT month AS ts, passengers AS actual, forecast, lower, upper FROM air LEFT JOIN air_forecast USING (month)) AS r;

\pset format unaligned
\pset tuples_only on
\o :report
SELECT E'<!doctype html>\n<html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width"><meta name="color-scheme" content="light dark">\n'
	'<title>rnnforecast: the demo</title>\n<style>body{font:16px/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem;background:#fff;color:#1f2933}'
	'figure{margin:1rem 0}svg{max-width:100%;display:block}table{border-collapse:collapse}th,td{padding:.3rem .8rem;text-align:right;border-bottom:1px solid #8886;font-variant-numeric:tabular-nums}'
	'th:first-child,td:first-child{text-align:left}section{overflow-x:auto}@media(prefers-color-scheme:dark){body{background:#14181f;color:#e8ebf0}}</style>' || E'\n<h1>rnnforecast: the demo</h1>\n'
	|| format(E'<p>Made by the demo in PostgreSQL %s with rnnforecast %s. Every number is from the server, every picture from <code>rnn_plot</code>.</p>\n',
		current_setting('server_version'), split_part(rnn_version(), ',', 1))
	|| (SELECT string_agg(html, E'\n' ORDER BY place) FROM page) || '</html>';
\o
\pset tuples_only off
\pset format aligned
