-- The extension, and the tables and helpers that all suites share.
CREATE EXTENSION rnnforecast;

-- Noise with mean 0 and standard deviation 1, the same everywhere.
CREATE FUNCTION uniform(i bigint) RETURNS float8 LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS $$
	SELECT (hashint8extended(i, 42) & 1048575) / 1048576.0::float8
$$;
CREATE FUNCTION noise(i bigint) RETURNS float8 LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS $$
	SELECT sqrt(-2 * ln(1 - uniform(2 * i))) * cos(2 * pi() * uniform(2 * i + 1))
$$;

-- The first column of the first row, or the error with all its parts.
CREATE FUNCTION try(query text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	result text; message text; detail text; hint text;
BEGIN
	EXECUTE query INTO result;
	RETURN coalesce(result, 'NULL');
EXCEPTION WHEN others THEN
	GET STACKED DIAGNOSTICS message = MESSAGE_TEXT, detail = PG_EXCEPTION_DETAIL,
		hint = PG_EXCEPTION_HINT;
	RETURN concat_ws(' | ', sqlstate || ' ' || message, nullif(detail, ''), nullif(hint, ''));
END $$;

-- A training that takes milliseconds, and one that has a network.
CREATE FUNCTION mix() RETURNS jsonb LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
	SELECT '{"network": false}'::jsonb
$$;
CREATE FUNCTION small() RETURNS jsonb LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
	SELECT '{"start": "scratch", "steps": 20, "hidden": 8, "layers": 1, "horizon": 6,
			 "context": 24, "patch": 2, "batch": 8, "seasons": [12]}'::jsonb
$$;

-- 120 months with trend and season.
CREATE TABLE monthly AS
SELECT n, (date '2010-01-01' + (n - 1) * interval '1 month')::date AS month,
	   100 + n + 20 * sin(2 * pi() * n / 12) + noise(n) AS value
FROM generate_series(1, 120) AS n;

-- 40 days of hours, with a clock change in Berlin in the middle.
CREATE TABLE hourly AS
SELECT n, timestamptz '2024-03-10 00:00+00' + n * interval '1 hour' AS ts,
	   50 + 10 * sin(2 * pi() * n / 24) + noise(n) AS value
FROM generate_series(0, 959) AS n;

-- Two countries, one with a town that begins late, has gaps and ends early; one shop stands alone.
CREATE TABLE towns AS
SELECT town, date '2024-01-01' + n AS day,
	   size * (20 + 4 * sin(n * 2 * pi() / 7) + (hashint4(n) % 1000) / 300.0) + (hashint8(size * 1000 + n) % 1000) / 100.0 AS sold
FROM (VALUES ('DK/A', 1), ('DK/B', 2), ('NO/C', 3), ('NO/D', 4), ('web', 5)) AS s (town, size), generate_series(1, 300) AS n
WHERE NOT (town = 'DK/B' AND (n < 50 OR n > 297 OR n % 40 = 0));

SELECT count(*), round(avg(noise(n))::numeric, 1) AS mean, round(stddev(noise(n))::numeric, 1) AS deviation
FROM generate_series(1, 10000) AS n;
SELECT rnn_version() ~ '^\S*\d+\.\d+' AS version;
