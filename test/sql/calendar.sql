-- Calendars: what follows a series, as a person would write it down.
\set VERBOSITY terse
SET datestyle = 'ISO';
CREATE TABLE calendars (id int GENERATED ALWAYS AS IDENTITY, zone text, type text,
	rows text,					-- times, or first / step / count [/ days of the week]
	missing int[],				-- of the rows, from 1
	options jsonb, step text,	-- what the step is, in rnn_info
	next text);					-- three times; of timestamptz with the offset of the zone
INSERT INTO calendars (zone, type, rows, missing, options, step, next) VALUES
-- days
('UTC', 'date', '2024-02-20 / 1 day / 8', NULL, NULL, '1 day', '2024-02-28, 2024-02-29, 2024-03-01'),
('UTC', 'date', '2023-02-20 / 1 day / 8', NULL, NULL, '1 day', '2023-02-28, 2023-03-01, 2023-03-02'),
('UTC', 'date', '1900-02-20 / 1 day / 8', NULL, NULL, '1 day', '1900-02-28, 1900-03-01, 1900-03-02'),
('UTC', 'date', '2000-02-20 / 1 day / 8', NULL, NULL, '1 day', '2000-02-28, 2000-02-29, 2000-03-01'),
('UTC', 'date', '2023-12-20 / 1 day / 10', '{2,5,6}', NULL, '1 day', '2023-12-30, 2023-12-31, 2024-01-01'),
('UTC', 'date', '0001-01-01 / 1 day / 5', NULL, NULL, '1 day', '0001-01-06, 0001-01-07, 0001-01-08'),
('UTC', 'timestamp', '2024-02-26 06:30 / 1 day / 3', NULL, NULL, '1 day', '2024-02-29 06:30:00, 2024-03-01 06:30:00, 2024-03-02 06:30:00'),
('UTC', 'date', '2024-01-01 / 10 days / 6', NULL, NULL, '10 days', '2024-03-01, 2024-03-11, 2024-03-21'),
('UTC', 'timestamp', '2024-01-01 / 36 hours / 6', NULL, NULL, '36:00:00', '2024-01-10 00:00:00, 2024-01-11 12:00:00, 2024-01-13 00:00:00'),
-- weeks, through the ends of ISO years
('UTC', 'date', '2024-11-04 / 7 days / 8', NULL, NULL, '7 days', '2024-12-30, 2025-01-06, 2025-01-13'),
('UTC', 'date', '2020-11-09 / 7 days / 7', NULL, NULL, '7 days', '2020-12-28, 2021-01-04, 2021-01-11'),
('UTC', 'date', '2001-11-03 / 7 days / 9', '{3,4}', NULL, '7 days', '2002-01-05, 2002-01-12, 2002-01-19'),
('UTC', 'date', '2024-01-07 / 7 days / 8', NULL, NULL, '7 days', '2024-03-03, 2024-03-10, 2024-03-17'),
('UTC', 'date', '2024-01-05 / 14 days / 6', NULL, NULL, '14 days', '2024-03-29, 2024-04-12, 2024-04-26'),
('Europe/Berlin', 'timestamptz', '2024-03-04 / 7 days / 4', NULL, NULL, '7 days', '2024-04-01 00:00:00+02, 2024-04-08 00:00:00+02, 2024-04-15 00:00:00+02'),
('Europe/Berlin', 'timestamptz', '2024-10-07 08:00 / 7 days / 3', NULL, NULL, '7 days', '2024-10-28 08:00:00+01, 2024-11-04 08:00:00+01, 2024-11-11 08:00:00+01'),
-- months
('UTC', 'date', '2023-10-01 / 1 month / 5', NULL, NULL, '1 mon', '2024-03-01, 2024-04-01, 2024-05-01'),
('UTC', 'date', '1949-01-01 / 1 month / 144', NULL, NULL, '1 mon', '1961-01-01, 1961-02-01, 1961-03-01'),
('UTC', 'date', '2023-01-15 / 1 month / 12', '{2,7,8}', NULL, '1 mon', '2024-01-15, 2024-02-15, 2024-03-15'),
('UTC', 'date', '2023-10-31, 2023-11-30, 2023-12-31, 2024-01-31', NULL, NULL, '1 mon', '2024-02-29, 2024-03-31, 2024-04-30'),
('UTC', 'date', '2022-10-31, 2022-11-30, 2022-12-31, 2023-01-31', NULL, NULL, '1 mon', '2023-02-28, 2023-03-31, 2023-04-30'),
('UTC', 'date', '2023-09-30, 2023-10-30, 2023-11-30, 2023-12-30, 2024-01-30', NULL, NULL, '1 mon', '2024-02-29, 2024-03-30, 2024-04-30'),
('UTC', 'date', '2022-09-29, 2022-10-29, 2022-11-29, 2022-12-29, 2023-01-29', NULL, NULL, '1 mon', '2023-02-28, 2023-03-29, 2023-04-29'),
('UTC', 'date', '2022-09-28, 2022-10-28, 2022-11-28, 2022-12-28, 2023-01-28', NULL, NULL, '1 mon', '2023-02-28, 2023-03-28, 2023-04-28'),
('UTC', 'date', '2023-01-31, 2023-02-28, 2023-03-31', NULL, NULL, '1 mon', '2023-04-30, 2023-05-31, 2023-06-30'),
('UTC', 'date', '9999-07-31, 9999-08-31, 9999-09-30, 9999-10-31', NULL, NULL, '1 mon', '9999-11-30, 9999-12-31, 10000-01-31'),
('UTC', 'timestamp', '2023-09-15 12:00 / 1 month / 5', NULL, NULL, '1 mon', '2024-02-15 12:00:00, 2024-03-15 12:00:00, 2024-04-15 12:00:00'),
('Europe/Berlin', 'timestamptz', '2024-01-01 / 1 month / 3', NULL, NULL, '1 mon', '2024-04-01 00:00:00+02, 2024-05-01 00:00:00+02, 2024-06-01 00:00:00+02'),
('America/New_York', 'timestamptz', '2024-07-31 18:00, 2024-08-31 18:00, 2024-09-30 18:00', NULL, NULL, '1 mon', '2024-10-31 18:00:00-04, 2024-11-30 18:00:00-05, 2024-12-31 18:00:00-05'),
('UTC', 'date', '2023-03-01 / 2 months / 6', NULL, NULL, '2 mons', '2024-03-01, 2024-05-01, 2024-07-01'),
-- quarters, half years, years
('UTC', 'date', '2022-10-01 / 3 months / 6', NULL, NULL, '3 mons', '2024-04-01, 2024-07-01, 2024-10-01'),
('UTC', 'date', '2023-03-31, 2023-06-30, 2023-09-30, 2023-12-31', NULL, NULL, '3 mons', '2024-03-31, 2024-06-30, 2024-09-30'),
('UTC', 'date', '2022-11-30, 2023-02-28, 2023-05-31, 2023-08-31', NULL, NULL, '3 mons', '2023-11-30, 2024-02-29, 2024-05-31'),
('Australia/Sydney', 'timestamptz', '2023-04-01 / 3 months / 4', NULL, NULL, '3 mons', '2024-04-01 00:00:00+11, 2024-07-01 00:00:00+10, 2024-10-01 00:00:00+10'),
('UTC', 'date', '2021-01-01 / 6 months / 6', NULL, NULL, '6 mons', '2024-01-01, 2024-07-01, 2025-01-01'),
('UTC', 'date', '2015-06-01 / 1 year / 9', '{4}', NULL, '1 year', '2024-06-01, 2025-06-01, 2026-06-01'),
('UTC', 'date', '2019-12-31 / 1 year / 5', NULL, NULL, '1 year', '2024-12-31, 2025-12-31, 2026-12-31'),
('UTC', 'date', '2020-02-29, 2021-02-28, 2022-02-28, 2023-02-28', NULL, NULL, '1 year', '2024-02-29, 2025-02-28, 2026-02-28'),
('UTC', 'date', '2008-02-29, 2012-02-29, 2016-02-29, 2020-02-29', NULL, NULL, '4 years', '2024-02-29, 2028-02-29, 2032-02-29'),
('UTC', 'date', '1950-01-01 / 10 years / 7', NULL, NULL, '10 years', '2020-01-01, 2030-01-01, 2040-01-01'),
('America/New_York', 'timestamptz', '2019-07-01 / 1 year / 5', NULL, NULL, '1 year', '2024-07-01 00:00:00-04, 2025-07-01 00:00:00-04, 2026-07-01 00:00:00-04'),
-- days of the week
('UTC', 'date', '2024-01-01 / 1 day / 33 / Mon Tue Wed Thu Fri', NULL, NULL, 'weekdays', '2024-02-05, 2024-02-06, 2024-02-07'),
('UTC', 'date', '2024-01-01 / 1 day / 31 / Mon Tue Wed Thu Fri', NULL, NULL, 'weekdays', '2024-02-01, 2024-02-02, 2024-02-05'),
('UTC', 'date', '2024-01-15 / 1 day / 44 / Mon Tue Wed Thu Fri', '{10}', NULL, 'weekdays', '2024-02-28, 2024-02-29, 2024-03-01'),
('UTC', 'date', '1999-12-01 / 1 day / 31 / Mon Tue Wed Thu Fri', NULL, NULL, 'weekdays', '2000-01-03, 2000-01-04, 2000-01-05'),
('UTC', 'date', '2024-01-01 / 1 day / 27 / Mon Tue Wed Thu Fri Sat', NULL, NULL, 'Mon-Sat', '2024-01-29, 2024-01-30, 2024-01-31'),
('UTC', 'date', '2024-01-07 / 1 day / 33 / Sun Mon Tue Wed Thu', NULL, NULL, 'Sun-Thu', '2024-02-11, 2024-02-12, 2024-02-13'),
('UTC', 'date', '2024-01-01 / 1 day / 31 / Mon Wed Fri', NULL, NULL, 'Mon,Wed,Fri', '2024-02-02, 2024-02-05, 2024-02-07'),
('UTC', 'date', '2024-01-01 / 1 day / 32 / Tue Thu', NULL, NULL, 'Tue,Thu', '2024-02-06, 2024-02-08, 2024-02-13'),
('UTC', 'date', '2024-01-06 / 1 day / 30 / Sat Sun', NULL, NULL, 'Sat,Sun', '2024-02-10, 2024-02-11, 2024-02-17'),
('UTC', 'date', '2024-01-01 / 1 day / 5', NULL, '{"step": "weekdays"}', 'weekdays', '2024-01-08, 2024-01-09, 2024-01-10'),
('America/New_York', 'timestamptz', '2024-02-12 09:30 / 1 day / 26 / Mon Tue Wed Thu Fri', NULL, NULL, 'weekdays', '2024-03-11 09:30:00-04, 2024-03-12 09:30:00-04, 2024-03-13 09:30:00-04'),
('Asia/Kolkata', 'timestamp', '2024-01-01 17:00 / 1 day / 26 / Mon Tue Wed Thu Fri', NULL, NULL, 'weekdays', '2024-01-29 17:00:00, 2024-01-30 17:00:00, 2024-01-31 17:00:00'),
-- hours and less, where no clock changes
('Europe/Berlin', 'timestamp', '2024-03-31 00:00 / 1 hour / 3', NULL, NULL, '01:00:00', '2024-03-31 03:00:00, 2024-03-31 04:00:00, 2024-03-31 05:00:00'),
('UTC', 'timestamp', '2024-02-28 22:00 / 30 minutes / 4', NULL, NULL, '00:30:00', '2024-02-29 00:00:00, 2024-02-29 00:30:00, 2024-02-29 01:00:00'),
('UTC', 'timestamp', '2015-04-23 02:22:53 / 5 minutes / 6', '{3}', NULL, '00:05:00', '2015-04-23 02:52:53, 2015-04-23 02:57:53, 2015-04-23 03:02:53'),
('UTC', 'timestamp', '2024-12-31 23:30 / 7 minutes / 4', NULL, NULL, '00:07:00', '2024-12-31 23:58:00, 2025-01-01 00:05:00, 2025-01-01 00:12:00'),
('UTC', 'timestamp', '2024-01-01 / 8 hours / 5', NULL, NULL, '08:00:00', '2024-01-02 16:00:00, 2024-01-03 00:00:00, 2024-01-03 08:00:00'),
('UTC', 'timestamp', '2024-01-01 / 0.25 seconds / 8', NULL, NULL, '00:00:00.250000', '2024-01-01 00:00:02, 2024-01-01 00:00:02.25, 2024-01-01 00:00:02.5'),
('UTC', 'timestamp', '2024-01-01 / 1 microsecond / 10', NULL, NULL, '00:00:00.000001', '2024-01-01 00:00:00.00001, 2024-01-01 00:00:00.000011, 2024-01-01 00:00:00.000012'),
('UTC', 'timestamptz', '2024-01-01 / 1 millisecond / 999', NULL, NULL, '00:00:00.001000', '2024-01-01 00:00:00.999+00, 2024-01-01 00:00:01+00, 2024-01-01 00:00:01.001+00'),
-- hours where clocks change: forward, back, in the south, by half an hour, at midnight
('Europe/Berlin', 'timestamptz', '2024-03-30 20:00 / 1 hour / 6', NULL, NULL, '01:00:00', '2024-03-31 03:00:00+02, 2024-03-31 04:00:00+02, 2024-03-31 05:00:00+02'),
('Europe/Berlin', 'timestamptz', '2024-10-26 22:00 / 1 hour / 4', NULL, NULL, '01:00:00', '2024-10-27 02:00:00+02, 2024-10-27 02:00:00+01, 2024-10-27 03:00:00+01'),
('Europe/Berlin', 'timestamptz', '2024-10-27 00:00 / 30 minutes / 5', '{2}', NULL, '00:30:00', '2024-10-27 02:30:00+02, 2024-10-27 02:00:00+01, 2024-10-27 02:30:00+01'),
('Europe/London', 'timestamptz', '2024-03-31 00:00 / 15 minutes / 4', NULL, NULL, '00:15:00', '2024-03-31 02:00:00+01, 2024-03-31 02:15:00+01, 2024-03-31 02:30:00+01'),
('America/New_York', 'timestamptz', '2024-11-02 22:00 / 1 hour / 4', NULL, NULL, '01:00:00', '2024-11-03 01:00:00-05, 2024-11-03 02:00:00-05, 2024-11-03 03:00:00-05'),
('Asia/Kolkata', 'timestamptz', '2024-01-01 00:30 / 1 hour / 4', NULL, NULL, '01:00:00', '2024-01-01 04:30:00+05:30, 2024-01-01 05:30:00+05:30, 2024-01-01 06:30:00+05:30'),
('Australia/Lord_Howe', 'timestamptz', '2024-04-06 22:00 / 1 hour / 4', NULL, NULL, '01:00:00', '2024-04-07 01:30:00+10:30, 2024-04-07 02:30:00+10:30, 2024-04-07 03:30:00+10:30'),
-- days there: still midnight, or where there is none, the first moment of the day
('Europe/Berlin', 'timestamptz', '2024-03-27 / 1 day / 4', NULL, NULL, '1 day', '2024-03-31 00:00:00+01, 2024-04-01 00:00:00+02, 2024-04-02 00:00:00+02'),
('Europe/Berlin', 'timestamptz', '2024-10-24 / 1 day / 3', NULL, NULL, '1 day', '2024-10-27 00:00:00+02, 2024-10-28 00:00:00+01, 2024-10-29 00:00:00+01'),
('Europe/Berlin', 'timestamptz', '2024-03-25 / 1 day / 12', '{4,8}', NULL, '1 day', '2024-04-06 00:00:00+02, 2024-04-07 00:00:00+02, 2024-04-08 00:00:00+02'),
('Europe/Berlin', 'timestamptz', '2024-03-28 / 1 day / 3', NULL, '{"step": "24 hours"}', '24:00:00', '2024-03-31 00:00:00+01, 2024-04-01 01:00:00+02, 2024-04-02 01:00:00+02'),
('America/New_York', 'timestamptz', '2024-03-06 / 1 day / 4', NULL, NULL, '1 day', '2024-03-10 00:00:00-05, 2024-03-11 00:00:00-04, 2024-03-12 00:00:00-04'),
('America/New_York', 'timestamptz', '2024-03-05 02:30 / 1 day / 4', NULL, NULL, '1 day', '2024-03-09 02:30:00-05, 2024-03-10 03:30:00-04, 2024-03-11 02:30:00-04'),
('Australia/Sydney', 'timestamptz', '2024-04-03 / 1 day / 3', NULL, NULL, '1 day', '2024-04-06 00:00:00+11, 2024-04-07 00:00:00+11, 2024-04-08 00:00:00+10'),
('Australia/Sydney', 'timestamptz', '2024-10-02 / 1 day / 3', NULL, NULL, '1 day', '2024-10-05 00:00:00+10, 2024-10-06 00:00:00+10, 2024-10-07 00:00:00+11'),
('Australia/Lord_Howe', 'timestamptz', '2024-04-04 / 1 day / 3', NULL, NULL, '1 day', '2024-04-07 00:00:00+11, 2024-04-08 00:00:00+10:30, 2024-04-09 00:00:00+10:30'),
('America/Sao_Paulo', 'timestamptz', '2017-10-11 / 1 day / 3', NULL, NULL, '1 day', '2017-10-14 00:00:00-03, 2017-10-15 01:00:00-02, 2017-10-16 00:00:00-02'),
('America/Havana', 'timestamptz', '2024-03-06 / 1 day / 3', NULL, NULL, '1 day', '2024-03-09 00:00:00-05, 2024-03-10 01:00:00-04, 2024-03-11 00:00:00-04'),
('Pacific/Chatham', 'timestamptz', '2024-04-04 / 1 day / 3', NULL, NULL, '1 day', '2024-04-07 00:00:00+13:45, 2024-04-08 00:00:00+12:45, 2024-04-09 00:00:00+12:45'),
('Asia/Kathmandu', 'timestamptz', '2024-02-26 / 1 day / 3', NULL, NULL, '1 day', '2024-02-29 00:00:00+05:45, 2024-03-01 00:00:00+05:45, 2024-03-02 00:00:00+05:45'),
-- bins and steps that were asked for
('UTC', 'timestamp', '2024-01-01 07:59:42, 2024-01-01 08:27:10, 2024-01-01 09:01:00, 2024-01-01 09:31:05', NULL, '{"bin": "mean"}', '00:30:00', '2024-01-01 10:00:00, 2024-01-01 10:30:00, 2024-01-01 11:00:00'),
('UTC', 'timestamp', '2024-01-30 10:00 / 7 hours / 9', NULL, '{"bin": "sum", "step": "1 month"}', '1 mon', '2024-03-01 00:00:00, 2024-04-01 00:00:00, 2024-05-01 00:00:00'),
('UTC', 'timestamp', '2024-01-01 10:00 / 50 hours / 20', NULL, '{"bin": "sum", "step": "1 week"}', '7 days', '2024-02-12 00:00:00, 2024-02-19 00:00:00, 2024-02-26 00:00:00'),
('Europe/Berlin', 'timestamptz', '2024-03-29 22:20 / 20 minutes / 50', NULL, '{"bin": "count", "step": "1 day"}', '1 day', '2024-03-31 00:00:00+01, 2024-04-01 00:00:00+02, 2024-04-02 00:00:00+02'),
('UTC', 'date', '2023-11-03 / 9 days / 12', NULL, '{"bin": "sum", "step": "3 months"}', '3 mons', '2024-04-01, 2024-07-01, 2024-10-01');

-- What comes out: the step, what follows, and how many rows there are until the third time and until a microsecond before it.
CREATE FUNCTION calendar_out(c calendars, OUT step text, OUT next text, OUT until_third int, OUT before_third int) LANGUAGE plpgsql AS $$
DECLARE
	parts text[] := regexp_split_to_array(c.rows, ' */ *');
	times text := format('unnest(regexp_split_to_array(%L, '', *'')) WITH ORDINALITY', c.rows);
	model bytea;
BEGIN
	PERFORM set_config('timezone', c.zone, true);
	IF array_length(parts, 1) > 1 THEN
		times := format('(SELECT t::text, row_number() OVER (ORDER BY t) FROM generate_series(0, %s - 1) AS k, LATERAL (SELECT %L::%s + k * interval %L) AS t (t)
			WHERE %L = '''' OR to_char(t, ''Dy'') = ANY (string_to_array(%5$L, '' '')))',
			parts[3], parts[1], CASE c.type WHEN 'timestamptz' THEN c.type ELSE 'timestamp' END, parts[2], coalesce(parts[4], ''));
	END IF;
	EXECUTE format('SELECT rnn_train(t::%s, n %% 5, $1) FROM %s AS r (t, n) WHERE n <> ALL ($2)', c.type, times)
		INTO model USING mix() || coalesce(c.options, '{}'), coalesce(c.missing, '{}');
	step := rnn_info(model)->>'step';
	SELECT string_agg(CASE c.type WHEN 'date' THEN local_ts::date::text WHEN 'timestamp' THEN local_ts::text ELSE ts::text END, ', ' ORDER BY f.step)
		INTO next FROM rnn_forecast(model, 3) AS f;
	SELECT count(*) INTO until_third FROM rnn_forecast(model, until => split_part(c.next, ', ', 3)::timestamptz);
	SELECT count(*) INTO before_third FROM rnn_forecast(model, until => split_part(c.next, ', ', 3)::timestamptz - interval '1 microsecond');
END $$;
SELECT count(*) AS calendars, count(*) FILTER (WHERE o.step = c.step) AS steps, count(*) FILTER (WHERE o.next = c.next) AS next,
	   count(*) FILTER (WHERE until_third = 3) AS "until the third", count(*) FILTER (WHERE before_third = 2) AS "before it"
FROM calendars AS c, calendar_out(c) AS o;
SELECT c.id, c.zone, c.type, c.rows, c.step AS "step wanted", o.step, c.next AS "next wanted", o.next, until_third, before_third
FROM calendars AS c, calendar_out(c) AS o WHERE (o.step, o.next, until_third, before_third) IS DISTINCT FROM (c.step, c.next, 3, 2);
DROP FUNCTION calendar_out;
DROP TABLE calendars;
RESET timezone;
RESET datestyle;
