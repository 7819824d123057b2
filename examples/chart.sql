-- A chart in the terminal, drawn by SQL from table shown(at, actual, forecast,
-- lower, upper): `wide` columns per row, the interval as a shaded band.
CREATE TEMP TABLE shown (at timestamp, actual float8, forecast float8,
	lower float8, upper float8);

CREATE FUNCTION pg_temp.chart(height int DEFAULT 18, tick text DEFAULT 'HH24:MI',
	wide int DEFAULT 1)
RETURNS TABLE (chart text) LANGUAGE sql AS $$
	WITH bounds AS (
		SELECT min(least(actual, lower)) AS low,
			   max(greatest(actual, upper)) AS high
		FROM shown),
	cells AS (
		SELECT row_number() OVER (ORDER BY at) AS x, at,
			   -- the highest is in the top line; least() alone would make a point of NULL
			   CASE WHEN actual IS NOT NULL THEN least(width_bucket(actual, low, high, height), height) END AS a,
			   width_bucket(forecast, low, high, height) AS f,
			   width_bucket(lower, low, high, height) AS l,
			   width_bucket(upper, low, high, height) AS u
		FROM shown, bounds),
	lines AS (
		SELECT y, string_agg(repeat(CASE
				WHEN a = y AND f = y THEN '◆'
				WHEN a = y THEN '●'
				WHEN f = y THEN '━'
				WHEN y BETWEEN l AND u THEN '░'
				ELSE ' ' END, wide), '' ORDER BY x) AS line
		FROM cells, generate_series(1, height) y
		GROUP BY y)
	SELECT * FROM (
		(SELECT lpad(CASE WHEN y % 4 = 1 OR y = height
					 THEN round((low + (high - low) * (y - 0.5) / height)::numeric,
								CASE WHEN high < 1000 THEN 1 ELSE 0 END)::text
					 ELSE '' END, 8) || ' │' || line
		 FROM lines, bounds ORDER BY y DESC)
		UNION ALL
		SELECT '         └' || repeat('─', wide * count(*)::int) FROM shown
		UNION ALL
		SELECT '          ' || string_agg(rpad(to_char(at, tick), 8 * wide), '' ORDER BY x)
		FROM cells WHERE x % 8 = 1
		UNION ALL
		SELECT '          ● what came   ━ forecast   ◆ both   ░ 90 % interval') AS c (chart)
$$;
