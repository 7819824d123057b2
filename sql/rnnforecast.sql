/* sql/rnnforecast.sql: version 1.0 */

-- complain if script is sourced in psql, rather than via CREATE EXTENSION
\echo Use "CREATE EXTENSION rnnforecast" to load this file. \quit

-- A superuser runs this script with the extension's schema in the path, where
-- others may have functions and operators of any name.  So whatever is called
-- here has arguments of exactly the types that it takes, or its schema's name.

--
-- Collecting rows.  The states are bytea so that any planner may send them
-- around; the support functions check whatever they are given.
--

CREATE FUNCTION _rnn_collect_combine(state bytea, more bytea) RETURNS bytea
	AS 'MODULE_PATHNAME', 'rnnforecast_rnn_collect_combine' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION _rnn_collect_combine(bytea, bytea) IS
	'internal: joins two states of rnn_train or rnn_history';

CREATE FUNCTION _rnn_train_final(state bytea) RETURNS bytea
	AS 'MODULE_PATHNAME', 'rnnforecast_rnn_train_final' LANGUAGE C STABLE PARALLEL SAFE COST 1000000;
COMMENT ON FUNCTION _rnn_train_final(bytea) IS
	'internal: trains a model on the rows of a state';

CREATE FUNCTION _rnn_history_final(state bytea) RETURNS bytea
	AS 'MODULE_PATHNAME', 'rnnforecast_rnn_history_final' LANGUAGE C STABLE PARALLEL SAFE;
COMMENT ON FUNCTION _rnn_history_final(bytea) IS
	'internal: stores the rows of a state';

--
-- Training: every form of rnn_train and rnn_history, with its transition
-- function, as forms.awk writes them.
--

@forms@

-- Where no form fits the arguments these are found, and say what is wrong.  One
-- argument alone may be untyped, and must then be the value.
CREATE FUNCTION _rnn_refuse(state bytea, "any", VARIADIC "any") RETURNS bytea
	AS 'MODULE_PATHNAME', 'rnnforecast_rnn_refuse' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION _rnn_refuse(bytea, "any", VARIADIC "any") IS
	'internal: says why no form of rnn_train or rnn_history fits the arguments';

CREATE FUNCTION _rnn_refuse_final(state bytea) RETURNS bytea
	AS 'MODULE_PATHNAME', 'rnnforecast_rnn_refuse' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION _rnn_refuse_final(bytea) IS
	'internal: says the same where there are no rows';

CREATE AGGREGATE rnn_train("any", VARIADIC "any") (
	SFUNC = _rnn_refuse, STYPE = bytea, FINALFUNC = _rnn_refuse_final, PARALLEL = SAFE
);
COMMENT ON AGGREGATE rnn_train("any", VARIADIC "any") IS
	'raises an error that says why no other form fits the arguments';

CREATE AGGREGATE rnn_history("any", VARIADIC "any") (
	SFUNC = _rnn_refuse, STYPE = bytea, FINALFUNC = _rnn_refuse_final, PARALLEL = SAFE
);
COMMENT ON AGGREGATE rnn_history("any", VARIADIC "any") IS
	'raises an error that says why no other form fits the arguments';

CREATE FUNCTION _rnn_merge_step(state bytea, history bytea) RETURNS bytea
	AS 'MODULE_PATHNAME', 'rnnforecast_rnn_merge_step' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION _rnn_merge_step(bytea, bytea) IS
	'internal: adds the rows of a history to the state of rnn_merge';

CREATE FUNCTION _rnn_merge_step(state bytea, history bytea, options jsonb) RETURNS bytea
	AS 'MODULE_PATHNAME', 'rnnforecast_rnn_merge_step' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION _rnn_merge_step(bytea, bytea, jsonb) IS
	'internal: adds the rows of a history to the state of rnn_merge';

CREATE FUNCTION _rnn_merge_final(state bytea) RETURNS bytea
	AS 'MODULE_PATHNAME', 'rnnforecast_rnn_merge_final' LANGUAGE C STABLE PARALLEL SAFE;
COMMENT ON FUNCTION _rnn_merge_final(bytea) IS
	'internal: stores the rows of the state of rnn_merge';

CREATE AGGREGATE rnn_merge(history bytea) (
	SFUNC = _rnn_merge_step, STYPE = bytea, SSPACE = 65536,
	FINALFUNC = _rnn_merge_final, COMBINEFUNC = _rnn_collect_combine, PARALLEL = SAFE
);
COMMENT ON AGGREGATE rnn_merge(bytea) IS
	'merges several histories into the history of all their rows';

CREATE AGGREGATE rnn_merge(history bytea, options jsonb) (
	SFUNC = _rnn_merge_step, STYPE = bytea, SSPACE = 65536,
	FINALFUNC = _rnn_merge_final, COMBINEFUNC = _rnn_collect_combine, PARALLEL = SAFE
);
COMMENT ON AGGREGATE rnn_merge(bytea, jsonb) IS
	'merges several histories into the history of all their rows, by options of rnn_history';

CREATE FUNCTION rnn_observe(model bytea, history bytea) RETURNS bytea
	AS 'MODULE_PATHNAME', 'rnnforecast_rnn_observe' LANGUAGE C STABLE PARALLEL SAFE COST 1000;
COMMENT ON FUNCTION rnn_observe(bytea, bytea) IS
	'the model with its history replaced by fresh rows, its weights unchanged';

CREATE FUNCTION rnn_train_history(history bytea, options jsonb DEFAULT NULL, model bytea DEFAULT NULL)
	RETURNS bytea
	AS 'MODULE_PATHNAME', 'rnnforecast_rnn_train_history' LANGUAGE C STABLE PARALLEL SAFE COST 1000000;
COMMENT ON FUNCTION rnn_train_history(bytea, jsonb, bytea) IS
	'trains on collected rows, or goes on training a model with them';

CREATE FUNCTION rnn_forget(model bytea, series text[]) RETURNS bytea
	AS 'MODULE_PATHNAME', 'rnnforecast_rnn_forget' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 1000;
COMMENT ON FUNCTION rnn_forget(bytea, text[]) IS
	'the model without the rows and names of some series, its weights unchanged';

--
-- Forecasting
--
CREATE TYPE rnn_forecast_row AS (
	series text,
	step int,
	ts timestamptz,
	local_ts timestamp,
	position bigint,
	actual float8,
	forecast float8,
	lower float8,
	upper float8,
	quantiles float8[],
	mean float8,
	key jsonb
);
COMMENT ON TYPE rnn_forecast_row IS
	'one step of a forecast (step >= 1) or of the history before it (step <= 0)';
COMMENT ON COLUMN rnn_forecast_row.series IS 'name of the series; null where there is only one';
COMMENT ON COLUMN rnn_forecast_row.ts IS 'the moment; exact for models of timestamptz';
COMMENT ON COLUMN rnn_forecast_row.local_ts IS 'the wall clock; exact for models of date and timestamp';
COMMENT ON COLUMN rnn_forecast_row.position IS 'number of the row or step, where there are no times';
COMMENT ON COLUMN rnn_forecast_row.step IS '1 and more: steps after the last known value; 0 and less: history';
COMMENT ON COLUMN rnn_forecast_row.actual IS 'the known value, in rows of the history';
COMMENT ON COLUMN rnn_forecast_row.lower IS 'lower bound of the interval';
COMMENT ON COLUMN rnn_forecast_row.upper IS 'upper bound of the interval';
COMMENT ON COLUMN rnn_forecast_row.quantiles IS 'quantiles at the levels of rnn_quantile_levels()';
COMMENT ON COLUMN rnn_forecast_row.forecast IS 'the median, half of the outcomes lie above it; medians must not be added up';
COMMENT ON COLUMN rnn_forecast_row.mean IS 'the mean of the forecast distribution, whose tails end at a chance of 0.001; means may be added up';

COMMENT ON COLUMN rnn_forecast_row.key IS 'the columns that the name of the series was made of, where it is a JSON object';

CREATE FUNCTION rnn_key(series text) RETURNS jsonb
	AS 'MODULE_PATHNAME', 'rnnforecast_rnn_key' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION rnn_key(text) IS
	'the columns that the name of a series was made of; NULL where it is no JSON object';

CREATE FUNCTION _rnn_forecast_support(internal) RETURNS internal
	AS 'MODULE_PATHNAME', 'rnnforecast_rnn_forecast_support' LANGUAGE C STRICT;
COMMENT ON FUNCTION _rnn_forecast_support(internal) IS
	'internal: tells the planner how many rows a forecast has';

CREATE FUNCTION rnn_forecast(model bytea, horizon bigint DEFAULT NULL, level float8 DEFAULT 0.9,
	until timestamptz DEFAULT NULL, series text[] DEFAULT NULL, history bigint DEFAULT 0,
	options jsonb DEFAULT NULL)
	RETURNS SETOF rnn_forecast_row
	AS 'MODULE_PATHNAME', 'rnnforecast_rnn_forecast' LANGUAGE C STABLE PARALLEL SAFE
	COST 10000 ROWS 100 SUPPORT _rnn_forecast_support;
COMMENT ON FUNCTION rnn_forecast(bytea, bigint, float8, timestamptz, text[], bigint, jsonb) IS
	'forecasts the steps after a model''s history, with intervals and quantiles';

CREATE FUNCTION _rnn_query_call(query text, aggregate text, arguments text DEFAULT '') RETURNS text
	AS 'MODULE_PATHNAME', 'rnnforecast_rnn_query_call' LANGUAGE C STABLE STRICT PARALLEL UNSAFE;
COMMENT ON FUNCTION _rnn_query_call(text, text, text) IS
	'internal: the statement that calls rnn_train or rnn_history on the rows of a query';

CREATE FUNCTION rnn_forecast_query(query text, horizon bigint DEFAULT NULL, level float8 DEFAULT 0.9,
	until timestamptz DEFAULT NULL, series text[] DEFAULT NULL, history bigint DEFAULT 0,
	options jsonb DEFAULT NULL, model bytea DEFAULT NULL)
	RETURNS SETOF rnn_forecast_row
	AS 'MODULE_PATHNAME', 'rnnforecast_rnn_forecast_query' LANGUAGE C STABLE PARALLEL UNSAFE
	COST 100000 ROWS 100;
COMMENT ON FUNCTION rnn_forecast_query(text, bigint, float8, timestamptz, text[], bigint, jsonb, bytea) IS
	'forecasts the rows of a query with columns series, ts and value, by the prior or by a model';

CREATE FUNCTION rnn_estimate(query text, horizon bigint DEFAULT NULL, options jsonb DEFAULT NULL,
	OUT rows bigint, OUT series int, OUT points bigint, OUT step text, OUT trains text, OUT steps int, OUT memory bigint,
	OUT memory_limit bigint, OUT read_seconds float8, OUT train_seconds float8)
	RETURNS SETOF record
	AS 'MODULE_PATHNAME', 'rnnforecast_rnn_estimate' LANGUAGE C STABLE PARALLEL UNSAFE COST 100000 ROWS 1;
COMMENT ON FUNCTION rnn_estimate(text, bigint, jsonb) IS
	'what a training on the rows of a query would take: rows, series, memory, seconds; the query runs, nothing is trained';

CREATE FUNCTION rnn_quantile_levels() RETURNS float8[]
	AS 'MODULE_PATHNAME', 'rnnforecast_rnn_quantile_levels' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION rnn_quantile_levels() IS
	'the levels of the quantiles of every forecast';

CREATE FUNCTION rnn_chance_above(quantiles float8[], threshold float8) RETURNS float8
	AS 'MODULE_PATHNAME', 'rnnforecast_rnn_chance_above' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION rnn_chance_above(float8[], float8) IS
	'the probability that the value exceeds a limit; beyond the outermost quantiles it is a guess, never below 0.001';

--
-- Sample paths: returned, added up, counted
--
CREATE TYPE rnn_path_row AS (
	series text,
	path int,
	step int,
	ts timestamptz,
	local_ts timestamp,
	position bigint,
	value float8
);
COMMENT ON TYPE rnn_path_row IS
	'one step of a sample path, which is one of the ways in which the future may go';
COMMENT ON COLUMN rnn_path_row.series IS 'name of the series; null where there is only one';
COMMENT ON COLUMN rnn_path_row.ts IS 'the moment; exact for models of timestamptz';
COMMENT ON COLUMN rnn_path_row.local_ts IS 'the wall clock; exact for models of date and timestamp';
COMMENT ON COLUMN rnn_path_row.position IS 'number of the row or step, where there are no times';
COMMENT ON COLUMN rnn_path_row.step IS 'steps after the last known value';
COMMENT ON COLUMN rnn_path_row.value IS 'the value on this path, in units of the data';
COMMENT ON COLUMN rnn_path_row.path IS 'number of the path; rows of one number belong to one course of events, in all series';

CREATE TYPE rnn_total_row AS (
	series text,
	members int,
	steps int,
	forecast float8,
	lower float8,
	upper float8,
	quantiles float8[],
	mean float8
);
COMMENT ON TYPE rnn_total_row IS
	'the forecast of a sum over all steps of a horizon, of a series or a group';
COMMENT ON COLUMN rnn_total_row.lower IS 'lower bound of the interval of the sum';
COMMENT ON COLUMN rnn_total_row.upper IS 'upper bound of the interval of the sum';
COMMENT ON COLUMN rnn_total_row.quantiles IS 'quantiles of the sum, at the levels of rnn_quantile_levels()';
COMMENT ON COLUMN rnn_total_row.series IS 'name of the series or group';
COMMENT ON COLUMN rnn_total_row.members IS 'series that are added up';
COMMENT ON COLUMN rnn_total_row.steps IS 'steps that are added up';
COMMENT ON COLUMN rnn_total_row.forecast IS 'the median of the sum';
COMMENT ON COLUMN rnn_total_row.mean IS 'the mean of the sum, which is the sum of the means of all steps';

CREATE TYPE rnn_chance_row AS (
	series text,
	members int,
	steps int,
	chance float8
);
COMMENT ON TYPE rnn_chance_row IS
	'how likely a series or group passes a limit';
COMMENT ON COLUMN rnn_chance_row.series IS 'name of the series or group';
COMMENT ON COLUMN rnn_chance_row.members IS 'series that are added up';
COMMENT ON COLUMN rnn_chance_row.steps IS 'steps that are looked at';
COMMENT ON COLUMN rnn_chance_row.chance IS 'share of the sample paths that pass the limit';

CREATE FUNCTION rnn_simulate(model bytea, horizon bigint DEFAULT NULL, paths int DEFAULT 500, seed bigint DEFAULT 0, until timestamptz DEFAULT NULL,
	series text[] DEFAULT NULL, options jsonb DEFAULT NULL)
	RETURNS SETOF rnn_path_row
	AS 'MODULE_PATHNAME', 'rnnforecast_rnn_simulate' LANGUAGE C STABLE PARALLEL SAFE
	COST 100000 ROWS 100000;
COMMENT ON FUNCTION rnn_simulate(bytea, bigint, int, bigint, timestamptz, text[], jsonb) IS
	'sample paths of what may come after a model''s history, with the dependence of its past errors';

CREATE FUNCTION rnn_forecast_total(model bytea, horizon bigint DEFAULT NULL, level float8 DEFAULT 0.9, until timestamptz DEFAULT NULL,
	series text[] DEFAULT NULL, groups jsonb DEFAULT NULL, paths int DEFAULT 500, seed bigint DEFAULT 0, options jsonb DEFAULT NULL)
	RETURNS SETOF rnn_total_row
	AS 'MODULE_PATHNAME', 'rnnforecast_rnn_forecast_total' LANGUAGE C STABLE PARALLEL SAFE
	COST 100000 ROWS 100;
COMMENT ON FUNCTION rnn_forecast_total(bytea, bigint, float8, timestamptz, text[], jsonb, int, bigint, jsonb) IS
	'forecasts sums over a horizon, of series or groups of them, with intervals and quantiles';

CREATE FUNCTION rnn_chance(model bytea, horizon bigint DEFAULT NULL, above float8 DEFAULT NULL, below float8 DEFAULT NULL,
	total bool DEFAULT false, until timestamptz DEFAULT NULL, series text[] DEFAULT NULL, groups jsonb DEFAULT NULL,
	paths int DEFAULT 500, seed bigint DEFAULT 0, options jsonb DEFAULT NULL)
	RETURNS SETOF rnn_chance_row
	AS 'MODULE_PATHNAME', 'rnnforecast_rnn_chance' LANGUAGE C STABLE PARALLEL SAFE
	COST 100000 ROWS 100;
COMMENT ON FUNCTION rnn_chance(bytea, bigint, float8, float8, bool, timestamptz, text[], jsonb, int, bigint, jsonb) IS
	'how likely any step, or the sum of all steps, passes a limit';

CREATE TYPE rnn_reconciled_row AS (
	series text,
	depth int,
	members int,
	step int,
	ts timestamptz,
	local_ts timestamp,
	"position" bigint,
	mean float8,
	lower float8,
	upper float8,
	base float8,
	method text
);
COMMENT ON TYPE rnn_reconciled_row IS
	'one step of the forecast of a series or a sum of series, which adds up over all levels';
COMMENT ON COLUMN rnn_reconciled_row.series IS 'name of the series, or the beginning that the names of a sum''s series have; the separator alone is the sum of all';
COMMENT ON COLUMN rnn_reconciled_row.depth IS 'level: 0 is the sum of all; the series that are no sums are below all sums';
COMMENT ON COLUMN rnn_reconciled_row.members IS 'series that are added up';
COMMENT ON COLUMN rnn_reconciled_row.step IS 'steps after the last known value of any series';
COMMENT ON COLUMN rnn_reconciled_row.ts IS 'the moment; exact for models of timestamptz';
COMMENT ON COLUMN rnn_reconciled_row.local_ts IS 'the wall clock; exact for models of date and timestamp';
COMMENT ON COLUMN rnn_reconciled_row.position IS 'number of the row or step, where there are no times';
COMMENT ON COLUMN rnn_reconciled_row.mean IS 'the mean, which adds up exactly';
COMMENT ON COLUMN rnn_reconciled_row.lower IS 'lower bound of the interval, moved with the mean';
COMMENT ON COLUMN rnn_reconciled_row.upper IS 'upper bound of the interval, moved with the mean';
COMMENT ON COLUMN rnn_reconciled_row.base IS 'the mean as it was forecast alone';
COMMENT ON COLUMN rnn_reconciled_row.method IS 'bottom_up, or mint for minimum trace';

CREATE FUNCTION rnn_reconcile(model bytea, horizon bigint DEFAULT NULL, level float8 DEFAULT 0.9, method text DEFAULT 'auto', separator text DEFAULT '/',
							  options jsonb DEFAULT NULL)
	RETURNS SETOF rnn_reconciled_row
	AS 'MODULE_PATHNAME', 'rnnforecast_rnn_reconcile' LANGUAGE C STABLE PARALLEL SAFE
	COST 100000 ROWS 1000;
COMMENT ON FUNCTION rnn_reconcile(bytea, bigint, float8, text, text, jsonb) IS
	'forecasts of all levels of a tree of series, by their names, which add up';

--
-- Judging forecasts
--
CREATE TYPE rnn_accuracy_row AS (
	n bigint,
	left_out bigint,
	mae float8,
	rmse float8,
	bias float8,
	wape float8,
	mape float8,
	smape float8,
	mase float8,
	rmsse float8,
	wql float8,
	sql float8,
	coverage float8,
	width float8,
	msis float8,
	skill float8
);
COMMENT ON TYPE rnn_accuracy_row IS
	'measures of accuracy; what could not be measured is NULL';
COMMENT ON COLUMN rnn_accuracy_row.n IS 'rows with an actual and a forecast';
COMMENT ON COLUMN rnn_accuracy_row.left_out IS 'rows without an actual or a forecast, and rows whose scale is 0';
COMMENT ON COLUMN rnn_accuracy_row.mae IS 'mean absolute error, in units of the data';
COMMENT ON COLUMN rnn_accuracy_row.rmse IS 'root of the mean squared error, in units of the data';
COMMENT ON COLUMN rnn_accuracy_row.bias IS 'mean of forecast - actual, in units of the data: above 0 the forecasts are too high';
COMMENT ON COLUMN rnn_accuracy_row.wape IS 'sum of absolute errors divided by the sum of absolute actuals; 0.1 is 10 percent';
COMMENT ON COLUMN rnn_accuracy_row.mape IS 'mean of the absolute error divided by the actual, over rows whose actual is not 0; 0.1 is 10 percent';
COMMENT ON COLUMN rnn_accuracy_row.smape IS 'mean of the absolute error divided by the mean of actual and forecast, from 0 to 2';
COMMENT ON COLUMN rnn_accuracy_row.mase IS 'mean absolute error divided by the scale; below 1 is better than repeating the last season was in the past';
COMMENT ON COLUMN rnn_accuracy_row.rmsse IS 'root of the mean squared error divided by the scale';
COMMENT ON COLUMN rnn_accuracy_row.wql IS 'weighted quantile loss: twice the pinball loss, averaged over levels, divided by the sum of absolute actuals';
COMMENT ON COLUMN rnn_accuracy_row.sql IS 'scaled quantile loss: twice the pinball loss, averaged over levels, divided by the scale';
COMMENT ON COLUMN rnn_accuracy_row.coverage IS 'share of actuals from lower to upper';
COMMENT ON COLUMN rnn_accuracy_row.width IS 'mean of upper - lower, in units of the data';
COMMENT ON COLUMN rnn_accuracy_row.msis IS 'mean scaled interval score: the width plus a penalty for each actual outside the interval, divided by the scale';
COMMENT ON COLUMN rnn_accuracy_row.skill IS '1 - mean absolute error divided by that of naive; above 0 is better than naive';

CREATE FUNCTION _rnn_accuracy_combine(state bytea, more bytea) RETURNS bytea
	AS 'MODULE_PATHNAME', 'rnnforecast_rnn_accuracy_combine' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION _rnn_accuracy_combine(bytea, bytea) IS
	'internal: joins two states of rnn_accuracy';

CREATE FUNCTION _rnn_accuracy_final(state bytea) RETURNS rnn_accuracy_row
	AS 'MODULE_PATHNAME', 'rnnforecast_rnn_accuracy_final' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION _rnn_accuracy_final(bytea) IS
	'internal: the measures of a state of rnn_accuracy';

CREATE FUNCTION _rnn_accuracy_step(state bytea, actual float8, forecast float8) RETURNS bytea
	AS 'MODULE_PATHNAME', 'rnnforecast_rnn_accuracy_step' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION _rnn_accuracy_step(bytea, float8, float8) IS
	'internal: adds a row to the state of rnn_accuracy';
CREATE AGGREGATE rnn_accuracy(actual float8, forecast float8) (
	SFUNC = _rnn_accuracy_step, STYPE = bytea, SSPACE = 400,
	FINALFUNC = _rnn_accuracy_final, COMBINEFUNC = _rnn_accuracy_combine, PARALLEL = SAFE
);
COMMENT ON AGGREGATE rnn_accuracy(float8, float8) IS
	'how good forecasts were';

CREATE FUNCTION _rnn_accuracy_step(state bytea, actual float8, forecast float8, lower float8, upper float8) RETURNS bytea
	AS 'MODULE_PATHNAME', 'rnnforecast_rnn_accuracy_step' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION _rnn_accuracy_step(bytea, float8, float8, float8, float8) IS
	'internal: adds a row to the state of rnn_accuracy';
CREATE AGGREGATE rnn_accuracy(actual float8, forecast float8, lower float8, upper float8) (
	SFUNC = _rnn_accuracy_step, STYPE = bytea, SSPACE = 400,
	FINALFUNC = _rnn_accuracy_final, COMBINEFUNC = _rnn_accuracy_combine, PARALLEL = SAFE
);
COMMENT ON AGGREGATE rnn_accuracy(float8, float8, float8, float8) IS
	'how good forecasts and intervals of 90 percent were';

CREATE FUNCTION _rnn_accuracy_step(state bytea, actual float8, forecast float8, lower float8, upper float8, quantiles float8[]) RETURNS bytea
	AS 'MODULE_PATHNAME', 'rnnforecast_rnn_accuracy_step' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION _rnn_accuracy_step(bytea, float8, float8, float8, float8, float8[]) IS
	'internal: adds a row to the state of rnn_accuracy';
CREATE AGGREGATE rnn_accuracy(actual float8, forecast float8, lower float8, upper float8, quantiles float8[]) (
	SFUNC = _rnn_accuracy_step, STYPE = bytea, SSPACE = 400,
	FINALFUNC = _rnn_accuracy_final, COMBINEFUNC = _rnn_accuracy_combine, PARALLEL = SAFE
);
COMMENT ON AGGREGATE rnn_accuracy(float8, float8, float8, float8, float8[]) IS
	'how good forecasts, intervals and quantiles were; NULL for what is not there';

CREATE FUNCTION _rnn_accuracy_step(state bytea, actual float8, forecast float8, lower float8, upper float8, quantiles float8[], scale float8) RETURNS bytea
	AS 'MODULE_PATHNAME', 'rnnforecast_rnn_accuracy_step' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION _rnn_accuracy_step(bytea, float8, float8, float8, float8, float8[], float8) IS
	'internal: adds a row to the state of rnn_accuracy';
CREATE AGGREGATE rnn_accuracy(actual float8, forecast float8, lower float8, upper float8, quantiles float8[], scale float8) (
	SFUNC = _rnn_accuracy_step, STYPE = bytea, SSPACE = 400,
	FINALFUNC = _rnn_accuracy_final, COMBINEFUNC = _rnn_accuracy_combine, PARALLEL = SAFE
);
COMMENT ON AGGREGATE rnn_accuracy(float8, float8, float8, float8, float8[], float8) IS
	'how good forecasts were, also by a scale such as the mean absolute seasonal difference';

CREATE FUNCTION _rnn_accuracy_step(state bytea, actual float8, forecast float8, lower float8, upper float8, quantiles float8[], scale float8, naive float8) RETURNS bytea
	AS 'MODULE_PATHNAME', 'rnnforecast_rnn_accuracy_step' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION _rnn_accuracy_step(bytea, float8, float8, float8, float8, float8[], float8, float8) IS
	'internal: adds a row to the state of rnn_accuracy';
CREATE AGGREGATE rnn_accuracy(actual float8, forecast float8, lower float8, upper float8, quantiles float8[], scale float8, naive float8) (
	SFUNC = _rnn_accuracy_step, STYPE = bytea, SSPACE = 400,
	FINALFUNC = _rnn_accuracy_final, COMBINEFUNC = _rnn_accuracy_combine, PARALLEL = SAFE
);
COMMENT ON AGGREGATE rnn_accuracy(float8, float8, float8, float8, float8[], float8, float8) IS
	'how good forecasts were, also against naive ones';

CREATE FUNCTION _rnn_accuracy_step(state bytea, "row" record) RETURNS bytea
	AS 'MODULE_PATHNAME', 'rnnforecast_rnn_accuracy_step_row' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION _rnn_accuracy_step(bytea, record) IS
	'internal: adds a row to the state of rnn_accuracy';
CREATE AGGREGATE rnn_accuracy("row" record) (
	SFUNC = _rnn_accuracy_step, STYPE = bytea, SSPACE = 400,
	FINALFUNC = _rnn_accuracy_final, COMBINEFUNC = _rnn_accuracy_combine, PARALLEL = SAFE
);
COMMENT ON AGGREGATE rnn_accuracy(record) IS
	'how good forecasts were: by columns actual, forecast, lower, upper, quantiles, scale, naive, level, levels of a row, of which only the first two must be there';

CREATE TYPE rnn_backtest_row AS (
	series text,
	cutoff timestamp,
	step int,
	ts timestamptz,
	local_ts timestamp,
	position bigint,
	actual float8,
	forecast float8,
	lower float8,
	upper float8,
	quantiles float8[],
	mean float8,
	naive float8,
	mix float8,
	scale float8,
	reference float8,
	key jsonb
);
COMMENT ON TYPE rnn_backtest_row IS
	'one step of a forecast from an earlier time, beside what came';
COMMENT ON COLUMN rnn_backtest_row.series IS 'name of the series; null where there is only one';
COMMENT ON COLUMN rnn_backtest_row.ts IS 'the moment; exact for models of timestamptz';
COMMENT ON COLUMN rnn_backtest_row.local_ts IS 'the wall clock; exact for models of date and timestamp';
COMMENT ON COLUMN rnn_backtest_row.position IS 'number of the row or step, where there are no times';
COMMENT ON COLUMN rnn_backtest_row.actual IS 'what came';
COMMENT ON COLUMN rnn_backtest_row.forecast IS 'the median of the forecast from the cutoff, in units of the data';
COMMENT ON COLUMN rnn_backtest_row.lower IS 'lower bound of the interval';
COMMENT ON COLUMN rnn_backtest_row.upper IS 'upper bound of the interval';
COMMENT ON COLUMN rnn_backtest_row.quantiles IS 'quantiles at the levels of rnn_quantile_levels()';
COMMENT ON COLUMN rnn_backtest_row.key IS 'the columns that the name of the series was made of, where it is a JSON object';
COMMENT ON COLUMN rnn_backtest_row.cutoff IS 'the last time that the forecast knew, on the wall clock; null for numbered steps, where it is position - step';
COMMENT ON COLUMN rnn_backtest_row.step IS 'steps after the cutoff';
COMMENT ON COLUMN rnn_backtest_row.mean IS 'the mean of the forecast distribution, whose tails end at a chance of 0.001';
COMMENT ON COLUMN rnn_backtest_row.naive IS 'what the season before says, or the last value where there is no season';
COMMENT ON COLUMN rnn_backtest_row.mix IS 'what the mix of references says, without a network';
COMMENT ON COLUMN rnn_backtest_row.scale IS 'mean absolute seasonal difference before the cutoff, the unit of MASE';
COMMENT ON COLUMN rnn_backtest_row.reference IS 'what the one reference of the mix says whose errors before the cutoff were the smallest';

CREATE FUNCTION rnn_backtest(query text, horizon bigint DEFAULT NULL, cutoffs int DEFAULT 3,
	options jsonb DEFAULT NULL, model bytea DEFAULT NULL)
	RETURNS SETOF rnn_backtest_row
	AS 'MODULE_PATHNAME', 'rnnforecast_rnn_backtest' LANGUAGE C STABLE PARALLEL UNSAFE
	COST 100000 ROWS 1000;
COMMENT ON FUNCTION rnn_backtest(text, bigint, int, jsonb, bytea) IS
	'what would have been forecast of a query''s rows at earlier times, beside what came';

CREATE TYPE rnn_explain_row AS (
	series text,
	step int,
	ts timestamptz,
	local_ts timestamp,
	position bigint,
	actual float8,
	forecast float8,
	transformed float8,
	level float8,
	trend float8,
	season_1 float8,
	season_2 float8,
	season_3 float8,
	analogues float8,
	calendar float8,
	covariates jsonb,
	network float8,
	bounds float8,
	key jsonb
);
COMMENT ON TYPE rnn_explain_row IS
	'what one step of a forecast is made of: the columns from level to bounds add up to forecast, or to transformed where that is not null';
COMMENT ON COLUMN rnn_explain_row.series IS 'name of the series; null where there is only one';
COMMENT ON COLUMN rnn_explain_row.step IS 'steps after the end that the forecast is made at';
COMMENT ON COLUMN rnn_explain_row.ts IS 'the moment; exact for models of timestamptz';
COMMENT ON COLUMN rnn_explain_row.local_ts IS 'the wall clock; exact for models of date and timestamp';
COMMENT ON COLUMN rnn_explain_row.position IS 'number of the row or step, where there are no times';
COMMENT ON COLUMN rnn_explain_row.forecast IS 'the median of the forecast, in units of the data';
COMMENT ON COLUMN rnn_explain_row.actual IS 'the value that came, of rows of the history';
COMMENT ON COLUMN rnn_explain_row.transformed IS 'the forecast on the scale of the option transform, which the parts add up to; null where nothing is transformed';
COMMENT ON COLUMN rnn_explain_row.level IS 'where the series stands';
COMMENT ON COLUMN rnn_explain_row.trend IS 'how far it goes from there by its slope';
COMMENT ON COLUMN rnn_explain_row.season_1 IS 'what the shortest season does; null where there is none';
COMMENT ON COLUMN rnn_explain_row.season_2 IS 'what the next longer season does; null where there is none';
COMMENT ON COLUMN rnn_explain_row.season_3 IS 'what the longest season does; null where there are fewer than three';
COMMENT ON COLUMN rnn_explain_row.analogues IS 'what the stretches of the past that are most like the latest one, and regressions on the last season, add to level and seasons';
COMMENT ON COLUMN rnn_explain_row.calendar IS 'what the days of the month do, and the terms of the calendar in the network; null where the model has neither';
COMMENT ON COLUMN rnn_explain_row.covariates IS 'what each covariate changes in the forecast against its usual value; null where there are none';
COMMENT ON COLUMN rnn_explain_row.network IS 'what the network, its own or the pretrained one, adds to all that';
COMMENT ON COLUMN rnn_explain_row.bounds IS 'what bounds and rounding change; null where values are transformed';
COMMENT ON COLUMN rnn_explain_row.key IS 'the columns that the name of the series was made of, where it is a JSON object';

CREATE FUNCTION rnn_explain(model bytea, horizon bigint DEFAULT NULL, series text[] DEFAULT NULL, history bigint DEFAULT 0)
	RETURNS SETOF rnn_explain_row
	AS 'MODULE_PATHNAME', 'rnnforecast_rnn_explain' LANGUAGE C STABLE PARALLEL SAFE COST 10000;
COMMENT ON FUNCTION rnn_explain(bytea, bigint, text[], bigint) IS
	'what a forecast is made of: level, trend, seasons, calendar, covariates, network';

CREATE FUNCTION rnn_importance(model bytea, windows int DEFAULT 8, OUT covariate text, OUT share float8, OUT direction text)
	RETURNS SETOF record
	AS 'MODULE_PATHNAME', 'rnnforecast_rnn_importance' LANGUAGE C STABLE PARALLEL SAFE COST 100000 ROWS 5;
COMMENT ON FUNCTION rnn_importance(bytea, int) IS
	'how much of the error on the last windows each covariate saves, and which way it moves forecasts';

CREATE FUNCTION rnn_references(model bytea, OUT series text, OUT reference text, OUT weight float8, OUT error float8)
	RETURNS SETOF record
	AS 'MODULE_PATHNAME', 'rnnforecast_rnn_references' LANGUAGE C STABLE PARALLEL SAFE COST 1000;
COMMENT ON FUNCTION rnn_references(bytea) IS
	'the references that the mix of each series is made of: their weights, and their errors at the last origins';

CREATE FUNCTION rnn_naive(model bytea, horizon bigint DEFAULT NULL, season bigint DEFAULT NULL, OUT series text,
	OUT step int, OUT ts timestamptz, OUT local_ts timestamp, OUT "position" bigint, OUT naive float8,
	OUT seasonal float8, OUT drift float8)
	RETURNS SETOF record
	AS 'MODULE_PATHNAME', 'rnnforecast_rnn_naive' LANGUAGE C STABLE PARALLEL SAFE COST 1000;
COMMENT ON FUNCTION rnn_naive(bytea, bigint, bigint) IS
	'naive forecasts of a model or history, to compare with: the last value, that of the season before, a line';

CREATE TYPE rnn_anomaly_row AS (
	series text,
	ts timestamptz,
	local_ts timestamp,
	"position" bigint,
	value float8,
	expected float8,
	lower float8,
	upper float8,
	score float8,
	probability float8,
	is_anomaly bool,
	event bigint,
	key jsonb
);
COMMENT ON TYPE rnn_anomaly_row IS
	'a row of rnn_anomalies: a value, and how well it fits what came before it';
COMMENT ON COLUMN rnn_anomaly_row.series IS 'name of the series; null where there is only one';
COMMENT ON COLUMN rnn_anomaly_row.ts IS 'the moment; exact for models of timestamptz';
COMMENT ON COLUMN rnn_anomaly_row.local_ts IS 'the wall clock; exact for models of date and timestamp';
COMMENT ON COLUMN rnn_anomaly_row.position IS 'number of the row or step, where there are no times';
COMMENT ON COLUMN rnn_anomaly_row.value IS 'the value of the row';
COMMENT ON COLUMN rnn_anomaly_row.key IS 'the columns that the name of the series was made of, where it is a JSON object';
COMMENT ON COLUMN rnn_anomaly_row.expected IS 'the forecast of the row, from rows before it alone';
COMMENT ON COLUMN rnn_anomaly_row.lower IS 'lower bound, which the share "level" of the earlier errors kept; null where there are too few errors';
COMMENT ON COLUMN rnn_anomaly_row.upper IS 'upper bound, which the share "level" of the earlier errors kept; null where there are too few errors';
COMMENT ON COLUMN rnn_anomaly_row.score IS 'mean error of the last 1, 2, 4, 8 or 16 rows, whichever is rarest, in units of the mean absolute error; below 0 the values are too low';
COMMENT ON COLUMN rnn_anomaly_row.probability IS 'probability that no event so rare begins in a row; null where the row is not judged';
COMMENT ON COLUMN rnn_anomaly_row.is_anomaly IS 'the probability is above the level, and events so rare come less often than alarms are allowed';
COMMENT ON COLUMN rnn_anomaly_row.event IS 'number of the event that the flagged row belongs to; null where the row is not flagged';

CREATE FUNCTION rnn_anomalies(query text, level float8 DEFAULT 0.99, options jsonb DEFAULT NULL,
	model bytea DEFAULT NULL)
	RETURNS SETOF rnn_anomaly_row
	AS 'MODULE_PATHNAME', 'rnnforecast_rnn_anomalies' LANGUAGE C STABLE PARALLEL UNSAFE
	COST 100000 ROWS 1000;
COMMENT ON FUNCTION rnn_anomalies(text, float8, jsonb, bytea) IS
	'which rows of a query with columns series, ts, value and exclude do not fit what came before them';

CREATE FUNCTION rnn_plot(query text, title text DEFAULT NULL, unit text DEFAULT NULL) RETURNS text
	AS 'MODULE_PATHNAME', 'rnnforecast_rnn_plot' LANGUAGE C STABLE PARALLEL UNSAFE COST 10000;
COMMENT ON FUNCTION rnn_plot(text, text, text) IS
	'the rows of a query as a picture in SVG: columns ts or local_ts or position, actual or value, forecast, lower, upper, quantiles, is_anomaly, series, cutoff';

CREATE FUNCTION _rnn_plot_step(state internal, "row" record) RETURNS internal
	AS 'MODULE_PATHNAME', 'rnnforecast_rnn_plot_step' LANGUAGE C STABLE PARALLEL SAFE;
COMMENT ON FUNCTION _rnn_plot_step(internal, record) IS
	'internal: adds a row to the state of rnn_plot';
CREATE FUNCTION _rnn_plot_step(state internal, "row" record, title text) RETURNS internal
	AS 'MODULE_PATHNAME', 'rnnforecast_rnn_plot_step' LANGUAGE C STABLE PARALLEL SAFE;
COMMENT ON FUNCTION _rnn_plot_step(internal, record, text) IS
	'internal: adds a row to the state of rnn_plot';
CREATE FUNCTION _rnn_plot_step(state internal, "row" record, title text, unit text) RETURNS internal
	AS 'MODULE_PATHNAME', 'rnnforecast_rnn_plot_step' LANGUAGE C STABLE PARALLEL SAFE;
COMMENT ON FUNCTION _rnn_plot_step(internal, record, text, text) IS
	'internal: adds a row to the state of rnn_plot';
CREATE FUNCTION _rnn_plot_final(state internal) RETURNS text
	AS 'MODULE_PATHNAME', 'rnnforecast_rnn_plot_final' LANGUAGE C STABLE PARALLEL SAFE;
COMMENT ON FUNCTION _rnn_plot_final(internal) IS
	'internal: the picture of a state of rnn_plot';
CREATE AGGREGATE rnn_plot("row" record) (
	SFUNC = _rnn_plot_step, STYPE = internal, SSPACE = 65536, FINALFUNC = _rnn_plot_final, PARALLEL = SAFE
);
COMMENT ON AGGREGATE rnn_plot(record) IS
	'rows, such as those of rnn_forecast, as a picture in SVG';
CREATE AGGREGATE rnn_plot("row" record, title text) (
	SFUNC = _rnn_plot_step, STYPE = internal, SSPACE = 65536, FINALFUNC = _rnn_plot_final, PARALLEL = SAFE
);
COMMENT ON AGGREGATE rnn_plot(record, text) IS
	'rows, such as those of rnn_forecast, as a picture in SVG with a title';
CREATE AGGREGATE rnn_plot("row" record, title text, unit text) (
	SFUNC = _rnn_plot_step, STYPE = internal, SSPACE = 65536, FINALFUNC = _rnn_plot_final, PARALLEL = SAFE
);
COMMENT ON AGGREGATE rnn_plot(record, text, text) IS
	'rows, such as those of rnn_forecast, as a picture in SVG with a title and the unit of its values';

CREATE FUNCTION rnn_chart(query text, width int DEFAULT 72, height int DEFAULT 16, OUT chart text) RETURNS SETOF text
	AS 'MODULE_PATHNAME', 'rnnforecast_rnn_chart' LANGUAGE C STABLE PARALLEL UNSAFE COST 10000 ROWS 20;
COMMENT ON FUNCTION rnn_chart(text, int, int) IS
	'the rows of a query as lines of text for a terminal: columns as for rnn_plot';

--
-- Looking into models
--
CREATE FUNCTION rnn_info(model bytea) RETURNS jsonb
	AS 'MODULE_PATHNAME', 'rnnforecast_rnn_info' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 1000;
COMMENT ON FUNCTION rnn_info(bytea) IS
	'what a model is, what it was trained on and why it is what it is';

CREATE FUNCTION _rnn_readable_info(model bytea) RETURNS jsonb
	AS 'MODULE_PATHNAME', 'rnnforecast_rnn_readable_info' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 1000;
COMMENT ON FUNCTION _rnn_readable_info(bytea) IS
	'internal: rnn_info of a model, NULL for bytes that this server cannot read';

CREATE FUNCTION rnn_describe(model bytea, OUT item text, OUT value text) RETURNS SETOF record
	AS 'MODULE_PATHNAME', 'rnnforecast_rnn_describe' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 1000 ROWS 80;
COMMENT ON FUNCTION rnn_describe(bytea) IS
	'what rnn_info knows of a model, a row for each item, the most important ones first';

CREATE FUNCTION rnn_summary(model bytea) RETURNS text
	AS 'MODULE_PATHNAME', 'rnnforecast_rnn_summary' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 1000;
COMMENT ON FUNCTION rnn_summary(bytea) IS
	'in a paragraph: how far ahead a model forecasts, how wrong it was on held-out periods, and beside the season before';

CREATE FUNCTION rnn_series(model bytea, OUT name text, OUT first timestamp, OUT last timestamp,
	OUT points bigint, OUT note text, OUT missing bigint, OUT gaps bigint, OUT longest_gap bigint,
	OUT depth int, OUT members int)
	RETURNS SETOF record
	AS 'MODULE_PATHNAME', 'rnnforecast_rnn_series' LANGUAGE C STABLE STRICT PARALLEL SAFE COST 1000;
COMMENT ON FUNCTION rnn_series(bytea) IS
	'the series of a model: first and last time, points kept, what was noted, what is missing; of a hierarchy the level, and series added up';

CREATE FUNCTION rnn_fill(history bytea, OUT series text, OUT ts timestamptz, OUT local_ts timestamp,
	OUT "position" bigint, OUT value float8, OUT filled boolean)
	RETURNS SETOF record
	AS 'MODULE_PATHNAME', 'rnnforecast_rnn_fill' LANGUAGE C STABLE STRICT PARALLEL SAFE COST 1000;
COMMENT ON FUNCTION rnn_fill(bytea) IS
	'the points of a history or model as a network sees them: regular, with gaps filled as the option gaps says';

CREATE FUNCTION rnn_training_log(model bytea, OUT member int, OUT phase text, OUT step int,
	OUT loss float8, OUT validation float8, OUT mix float8, OUT learning_rate float8,
	OUT grad_norm float8)
	RETURNS SETOF record
	AS 'MODULE_PATHNAME', 'rnnforecast_rnn_training_log' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 1000;
COMMENT ON FUNCTION rnn_training_log(bytea) IS
	'how training went: losses, learning rate and gradient norm';

CREATE FUNCTION rnn_gradient_flow(model bytea, member int DEFAULT 1, OUT layer int, OUT lag int,
	OUT norm float8)
	RETURNS SETOF record
	AS 'MODULE_PATHNAME', 'rnnforecast_rnn_gradient_flow' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 100000;
COMMENT ON FUNCTION rnn_gradient_flow(bytea, int) IS
	'how far back the loss reaches: norm of its gradient to each state, by layer and lag';

CREATE FUNCTION rnn_prior() RETURNS bytea
	AS 'MODULE_PATHNAME', 'rnnforecast_rnn_prior' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION rnn_prior() IS
	'the pretrained network as a model without rows: rnn_observe gives it the rows of an ordered column';

CREATE FUNCTION rnn_version() RETURNS text
	AS 'MODULE_PATHNAME', 'rnnforecast_rnn_version' LANGUAGE C STABLE PARALLEL SAFE;
COMMENT ON FUNCTION rnn_version() IS
	'version, kernels in use and BLAS of this server''s rnnforecast';

CREATE FUNCTION _rnn_option_rows(OUT name text, OUT type text, OUT "default" text,
	OUT min float8, OUT max float8, OUT description text)
	RETURNS SETOF record
	AS 'MODULE_PATHNAME', 'rnnforecast_rnn_option_rows' LANGUAGE C IMMUTABLE PARALLEL SAFE ROWS 40;
COMMENT ON FUNCTION _rnn_option_rows() IS
	'internal: the rows of the view rnn_options';

CREATE VIEW rnn_options AS SELECT name, type, "default", min, max, description FROM _rnn_option_rows();
COMMENT ON VIEW rnn_options IS
	'every option of training: its type, default, range and meaning';
COMMENT ON COLUMN rnn_options.name IS 'name of the option in JSON';
COMMENT ON COLUMN rnn_options.type IS 'type of its value, or the words that are allowed';
COMMENT ON COLUMN rnn_options.default IS 'value that holds where the option is not given';
COMMENT ON COLUMN rnn_options.min IS 'the least number that is allowed';
COMMENT ON COLUMN rnn_options.max IS 'the greatest number that is allowed';
COMMENT ON COLUMN rnn_options.description IS 'what the option does';
GRANT SELECT ON rnn_options TO PUBLIC;

--
-- Named models.  The tables belong to who runs this script, for a trusted
-- extension the bootstrap superuser, so that nobody else changes their shape.
-- Functions read and write them as that owner after they have looked at the
-- caller's rights, and the views show what the caller may see.  The extension's
-- owner may read and add rows, as dumping and restoring do.
--
CREATE SEQUENCE _rnn_registry_id_seq AS int;
CREATE TABLE _rnn_registry (
	id int PRIMARY KEY DEFAULT pg_catalog.nextval('_rnn_registry_id_seq'),
	name text NOT NULL UNIQUE CHECK (name <> '' AND octet_length(name) <= 1000),
	owner name NOT NULL,
	owner_key text NOT NULL,			-- which role of that name; see _rnn_role_is
	query text,							-- NULL: registered without one
	options jsonb NOT NULL,				-- of the training
	rules jsonb NOT NULL,				-- windows, gate, break, retain
	settings jsonb NOT NULL,			-- search_path, TimeZone ... of the query
	live int,							-- version that forecasts
	last_version int NOT NULL DEFAULT 0,
	created timestamptz NOT NULL DEFAULT clock_timestamp(),
	schedule text,
	job_owner name						-- whose job of pg_cron it is
);
COMMENT ON TABLE _rnn_registry IS 'internal: named models; see the view rnn_models';
ALTER SEQUENCE _rnn_registry_id_seq OWNED BY _rnn_registry.id;

CREATE TABLE _rnn_registry_version (
	model int NOT NULL REFERENCES _rnn_registry ON DELETE CASCADE,
	version int NOT NULL,
	bytes bytea NOT NULL,
	source text NOT NULL,				-- fit, refit, register
	created timestamptz NOT NULL DEFAULT clock_timestamp(),
	promoted timestamptz,				-- when it last became live; NULL: never
	keep bool NOT NULL DEFAULT false,
	fingerprint bytea,					-- SHA-256 of the rows
	points bigint NOT NULL,
	last_ts timestamp,
	mase float8,
	live_mase float8,
	mix_mase float8,
	mae float8,
	wape float8,
	coverage float8,
	PRIMARY KEY (model, version)
);
COMMENT ON TABLE _rnn_registry_version IS 'internal: versions of named models; see the view rnn_versions';

CREATE SEQUENCE _rnn_registry_run_id_seq;
CREATE TABLE _rnn_registry_run (
	id bigint PRIMARY KEY DEFAULT pg_catalog.nextval('_rnn_registry_run_id_seq'),
	model int NOT NULL REFERENCES _rnn_registry ON DELETE CASCADE,
	kind text NOT NULL,					-- fit, refit
	started timestamptz NOT NULL DEFAULT clock_timestamp(),
	finished timestamptz,
	pid int NOT NULL DEFAULT pg_backend_pid(),
	outcome text NOT NULL,				-- running, promoted, refused, skipped, failed
	version int,
	points bigint,
	mase float8,
	live_mase float8,
	mix_mase float8,
	series jsonb,						-- error of each series
	message text
);
COMMENT ON TABLE _rnn_registry_run IS 'internal: trainings of named models; see the view rnn_runs';
ALTER SEQUENCE _rnn_registry_run_id_seq OWNED BY _rnn_registry_run.id;
CREATE INDEX _rnn_registry_run_model ON _rnn_registry_run (model, id);

CREATE TABLE _rnn_registry_grant (
	model int NOT NULL REFERENCES _rnn_registry ON DELETE CASCADE,
	grantee name NOT NULL,				-- "public": every role
	grantee_key text NOT NULL,
	PRIMARY KEY (model, grantee, grantee_key)
);
COMMENT ON TABLE _rnn_registry_grant IS 'internal: who may forecast with a named model';

GRANT SELECT, INSERT ON _rnn_registry, _rnn_registry_version, _rnn_registry_run, _rnn_registry_grant TO @extowner@;
GRANT SELECT, USAGE, UPDATE ON SEQUENCE _rnn_registry_id_seq, _rnn_registry_run_id_seq TO @extowner@;

SELECT pg_catalog.pg_extension_config_dump('_rnn_registry', '');
SELECT pg_catalog.pg_extension_config_dump('_rnn_registry_version', '');
SELECT pg_catalog.pg_extension_config_dump('_rnn_registry_run', '');
SELECT pg_catalog.pg_extension_config_dump('_rnn_registry_grant', '');
SELECT pg_catalog.pg_extension_config_dump('_rnn_registry_id_seq', '');
SELECT pg_catalog.pg_extension_config_dump('_rnn_registry_run_id_seq', '');

-- True where the caller has the rights of the role of that name and key, or of
-- the extension's owner; never an error, whatever roles were dropped since.
CREATE FUNCTION _rnn_role_is(name name, key text) RETURNS bool
	AS 'MODULE_PATHNAME', 'rnnforecast_rnn_role_is' LANGUAGE C STABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION _rnn_role_is(name, text) IS
	'internal: whether the caller may act for the owner of a named model';

CREATE FUNCTION _rnn_role_shown(name name, key text) RETURNS name
	AS 'MODULE_PATHNAME', 'rnnforecast_rnn_role_shown' LANGUAGE C STABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION _rnn_role_shown(name, text) IS
	'internal: what the owner of a named model is called now';

CREATE FUNCTION rnn_fit(name text, query text, horizon bigint DEFAULT NULL, options jsonb DEFAULT NULL,
	replace bool DEFAULT false)
	RETURNS int
	AS 'MODULE_PATHNAME', 'rnnforecast_rnn_fit' LANGUAGE C VOLATILE PARALLEL UNSAFE COST 1000000;
COMMENT ON FUNCTION rnn_fit(text, text, bigint, jsonb, bool) IS
	'trains a model on the rows of a query and stores it, with the query, under a name';

CREATE FUNCTION rnn_alter(name text, query text DEFAULT NULL, horizon bigint DEFAULT NULL, options jsonb DEFAULT NULL,
	owner name DEFAULT NULL, new_name text DEFAULT NULL)
	RETURNS void
	AS 'MODULE_PATHNAME', 'rnnforecast_rnn_alter' LANGUAGE C VOLATILE PARALLEL UNSAFE COST 1000;
COMMENT ON FUNCTION rnn_alter(text, text, bigint, jsonb, name, text) IS
	'changes the query or the options of a named model for its next refit, its owner or its name; versions, runs, grants and schedule stay';

CREATE PROCEDURE rnn_refit(name text, INOUT outcome text DEFAULT NULL)
	AS 'MODULE_PATHNAME', 'rnnforecast_rnn_refit' LANGUAGE C;
COMMENT ON PROCEDURE rnn_refit(text, text) IS
	'trains a named model again on the rows of its query; the new version becomes live only if it is not worse';

CREATE PROCEDURE rnn_refit_all()
	AS 'MODULE_PATHNAME', 'rnnforecast_rnn_refit_all' LANGUAGE C;
COMMENT ON PROCEDURE rnn_refit_all() IS
	'rnn_refit of every model whose owner''s rights the caller has';

CREATE FUNCTION rnn_register(name text, model bytea, query text DEFAULT NULL) RETURNS int
	AS 'MODULE_PATHNAME', 'rnnforecast_rnn_register' LANGUAGE C VOLATILE PARALLEL UNSAFE COST 1000;
COMMENT ON FUNCTION rnn_register(text, bytea, text) IS
	'stores a model that was trained elsewhere as the live version of a name';

CREATE FUNCTION rnn_model(name text) RETURNS bytea
	AS 'MODULE_PATHNAME', 'rnnforecast_rnn_model' LANGUAGE C STABLE STRICT PARALLEL UNSAFE;
COMMENT ON FUNCTION rnn_model(text) IS
	'the live version of a named model';

CREATE FUNCTION rnn_model(name text, version int) RETURNS bytea
	AS 'MODULE_PATHNAME', 'rnnforecast_rnn_model' LANGUAGE C STABLE STRICT PARALLEL UNSAFE;
COMMENT ON FUNCTION rnn_model(text, int) IS
	'a version of a named model';

CREATE FUNCTION rnn_backtest_model(name text, horizon bigint DEFAULT NULL, cutoffs int DEFAULT 3,
	options jsonb DEFAULT NULL)
	RETURNS SETOF rnn_backtest_row
	AS 'MODULE_PATHNAME', 'rnnforecast_rnn_backtest_model' LANGUAGE C STABLE PARALLEL UNSAFE
	COST 100000 ROWS 1000;
COMMENT ON FUNCTION rnn_backtest_model(text, bigint, int, jsonb) IS
	'what would have been forecast of a named model''s query at earlier times, beside what came';

CREATE FUNCTION rnn_forecast_model(name text, horizon bigint DEFAULT NULL, level float8 DEFAULT 0.9,
	until timestamptz DEFAULT NULL, series text[] DEFAULT NULL, history bigint DEFAULT 0,
	options jsonb DEFAULT NULL)
	RETURNS SETOF rnn_forecast_row
	AS 'MODULE_PATHNAME', 'rnnforecast_rnn_forecast_model' LANGUAGE C STABLE PARALLEL UNSAFE
	COST 10000 ROWS 100;
COMMENT ON FUNCTION rnn_forecast_model(text, bigint, float8, timestamptz, text[], bigint, jsonb) IS
	'forecasts by the live version of a named model, from its history or from today''s rows';

CREATE FUNCTION rnn_simulate_model(name text, horizon bigint DEFAULT NULL, paths int DEFAULT 500, seed bigint DEFAULT 0, until timestamptz DEFAULT NULL,
	series text[] DEFAULT NULL, options jsonb DEFAULT NULL)
	RETURNS SETOF rnn_path_row
	AS 'MODULE_PATHNAME', 'rnnforecast_rnn_simulate_model' LANGUAGE C STABLE PARALLEL UNSAFE
	COST 100000 ROWS 100000;
COMMENT ON FUNCTION rnn_simulate_model(text, bigint, int, bigint, timestamptz, text[], jsonb) IS
	'sample paths by the live version of a named model';

CREATE FUNCTION rnn_forecast_total_model(name text, horizon bigint DEFAULT NULL, level float8 DEFAULT 0.9, until timestamptz DEFAULT NULL,
	series text[] DEFAULT NULL, groups jsonb DEFAULT NULL, paths int DEFAULT 500, seed bigint DEFAULT 0, options jsonb DEFAULT NULL)
	RETURNS SETOF rnn_total_row
	AS 'MODULE_PATHNAME', 'rnnforecast_rnn_forecast_total_model' LANGUAGE C STABLE PARALLEL UNSAFE
	COST 100000 ROWS 100;
COMMENT ON FUNCTION rnn_forecast_total_model(text, bigint, float8, timestamptz, text[], jsonb, int, bigint, jsonb) IS
	'sums over a horizon by the live version of a named model';

CREATE FUNCTION rnn_chance_model(name text, horizon bigint DEFAULT NULL, above float8 DEFAULT NULL, below float8 DEFAULT NULL,
	total bool DEFAULT false, until timestamptz DEFAULT NULL, series text[] DEFAULT NULL, groups jsonb DEFAULT NULL,
	paths int DEFAULT 500, seed bigint DEFAULT 0, options jsonb DEFAULT NULL)
	RETURNS SETOF rnn_chance_row
	AS 'MODULE_PATHNAME', 'rnnforecast_rnn_chance_model' LANGUAGE C STABLE PARALLEL UNSAFE
	COST 100000 ROWS 100;
COMMENT ON FUNCTION rnn_chance_model(text, bigint, float8, float8, bool, timestamptz, text[], jsonb, int, bigint, jsonb) IS
	'how likely the series of a named model pass a limit';

CREATE FUNCTION rnn_reconcile_model(name text, horizon bigint DEFAULT NULL, level float8 DEFAULT 0.9, method text DEFAULT 'auto',
	separator text DEFAULT '/', options jsonb DEFAULT NULL)
	RETURNS SETOF rnn_reconciled_row
	AS 'MODULE_PATHNAME', 'rnnforecast_rnn_reconcile_model' LANGUAGE C STABLE PARALLEL UNSAFE
	COST 100000 ROWS 1000;
COMMENT ON FUNCTION rnn_reconcile_model(text, bigint, float8, text, text, jsonb) IS
	'forecasts of all levels of a named model''s series, which add up';

CREATE FUNCTION rnn_anomalies_model(name text, level float8 DEFAULT 0.99, options jsonb DEFAULT NULL)
	RETURNS SETOF rnn_anomaly_row
	AS 'MODULE_PATHNAME', 'rnnforecast_rnn_anomalies_model' LANGUAGE C STABLE PARALLEL UNSAFE
	COST 100000 ROWS 1000;
COMMENT ON FUNCTION rnn_anomalies_model(text, float8, jsonb) IS
	'which rows of a named model do not fit what came before them; of its history, or of today''s rows';

CREATE FUNCTION rnn_promote(name text, version int) RETURNS void
	AS 'MODULE_PATHNAME', 'rnnforecast_rnn_promote' LANGUAGE C VOLATILE STRICT PARALLEL UNSAFE;
COMMENT ON FUNCTION rnn_promote(text, int) IS
	'makes a version of a named model the one that forecasts';

CREATE FUNCTION rnn_rollback(name text) RETURNS int
	AS 'MODULE_PATHNAME', 'rnnforecast_rnn_rollback' LANGUAGE C VOLATILE STRICT PARALLEL UNSAFE;
COMMENT ON FUNCTION rnn_rollback(text) IS
	'makes the version live again that was live before the present one';

CREATE FUNCTION rnn_keep(name text, version int, keep bool DEFAULT true) RETURNS void
	AS 'MODULE_PATHNAME', 'rnnforecast_rnn_keep' LANGUAGE C VOLATILE STRICT PARALLEL UNSAFE;
COMMENT ON FUNCTION rnn_keep(text, int, bool) IS
	'keeps a version of a named model from being removed when there are newer ones, or no longer does';

CREATE FUNCTION rnn_drop(name text) RETURNS void
	AS 'MODULE_PATHNAME', 'rnnforecast_rnn_drop' LANGUAGE C VOLATILE STRICT PARALLEL UNSAFE;
COMMENT ON FUNCTION rnn_drop(text) IS
	'removes a named model with all its versions and runs';

CREATE FUNCTION rnn_forget_model(name text, series text[]) RETURNS int
	AS 'MODULE_PATHNAME', 'rnnforecast_rnn_forget_model' LANGUAGE C VOLATILE STRICT PARALLEL UNSAFE;
COMMENT ON FUNCTION rnn_forget_model(text, text[]) IS
	'removes the rows and names of some series from all versions of a named model; returns how many versions had them';

CREATE FUNCTION rnn_grant(name text, role name) RETURNS void
	AS 'MODULE_PATHNAME', 'rnnforecast_rnn_grant' LANGUAGE C VOLATILE STRICT PARALLEL UNSAFE;
COMMENT ON FUNCTION rnn_grant(text, name) IS
	'lets a role, or public, read a named model and forecast with it';

CREATE FUNCTION rnn_revoke(name text, role name) RETURNS void
	AS 'MODULE_PATHNAME', 'rnnforecast_rnn_revoke' LANGUAGE C VOLATILE STRICT PARALLEL UNSAFE;
COMMENT ON FUNCTION rnn_revoke(text, name) IS
	'takes back what rnn_grant gave';

CREATE FUNCTION rnn_schedule(name text, schedule text) RETURNS bigint
	AS 'MODULE_PATHNAME', 'rnnforecast_rnn_schedule' LANGUAGE C VOLATILE STRICT PARALLEL UNSAFE;
COMMENT ON FUNCTION rnn_schedule(text, text) IS
	'lets pg_cron call rnn_refit of a named model by a schedule; returns the number of the job';

CREATE FUNCTION rnn_unschedule(name text) RETURNS bool
	AS 'MODULE_PATHNAME', 'rnnforecast_rnn_unschedule' LANGUAGE C VOLATILE STRICT PARALLEL UNSAFE;
COMMENT ON FUNCTION rnn_unschedule(text) IS
	'ends the schedule of a named model; returns whether it had one';

CREATE FUNCTION _rnn_next_run(schedule text) RETURNS timestamptz
	AS 'MODULE_PATHNAME', 'rnnforecast_rnn_next_run' LANGUAGE C STABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION _rnn_next_run(text) IS
	'internal: when a schedule is due next, in the time zone of pg_cron';

CREATE VIEW rnn_models WITH (security_barrier) AS
SELECT r.name, _rnn_role_shown(r.owner, r.owner_key) AS owner, r.live AS version, v.created AS trained_at, v.last_ts, v.points,
	   v.mae, v.wape, v.mase, v.mix_mase, v.coverage,
	   CASE WHEN i IS NOT NULL THEN pg_catalog.concat_ws(' + ', 'mix', CASE WHEN jsonb_typeof(i->'prior'::text) = 'object' THEN 'prior' END, i #>> '{network,cell}'::text[])
			WHEN v.bytes IS NOT NULL THEN 'unreadable' END AS kind,
	   (i->>'series'::text)::int AS series, i->'seasons'::text AS seasons, (i #>> '{validation,weight}'::text[])::float8 AS weight,
	   octet_length(v.bytes)::bigint AS bytes,
	   CASE WHEN _rnn_role_is(r.owner, r.owner_key) THEN r.query END AS query,
	   r.options || r.rules AS options, r.schedule,
	   _rnn_next_run(r.schedule) AS next_run
FROM _rnn_registry AS r LEFT JOIN _rnn_registry_version AS v ON v.model = r.id AND v.version = r.live
	 -- Read once, and not at all where nothing is asked of it.
	 LEFT JOIN LATERAL (SELECT _rnn_readable_info(v.bytes) AS i OFFSET 0) AS d ON true
WHERE _rnn_role_is(r.owner, r.owner_key)
   OR EXISTS (SELECT FROM _rnn_registry_grant AS g WHERE g.model = r.id AND _rnn_role_is(g.grantee, g.grantee_key));
COMMENT ON VIEW rnn_models IS
	'named models that the caller may forecast with, and their live versions';
COMMENT ON COLUMN rnn_models.name IS 'name of the model';
COMMENT ON COLUMN rnn_models.owner IS 'role that it belongs to; its query runs with the rights of that role';
COMMENT ON COLUMN rnn_models.version IS 'number of the live version, which forecasts; null where none is live';
COMMENT ON COLUMN rnn_models.trained_at IS 'when that version was stored';
COMMENT ON COLUMN rnn_models.last_ts IS 'the last time of its rows, on the wall clock';
COMMENT ON COLUMN rnn_models.points IS 'known points that it was trained on';
COMMENT ON COLUMN rnn_models.kind IS 'what it forecasts with: the mix of references, the prior, a network of its own; or unreadable, where this server cannot read its bytes';
COMMENT ON COLUMN rnn_models.series IS 'number of series';
COMMENT ON COLUMN rnn_models.seasons IS 'lengths of the seasons, in steps';
COMMENT ON COLUMN rnn_models.weight IS 'weight of its own network, from 0 to 1';
COMMENT ON COLUMN rnn_models.bytes IS 'size of the live version';
COMMENT ON COLUMN rnn_models.query IS 'query whose rows it is trained on; null for all but the owner';
COMMENT ON COLUMN rnn_models.options IS 'options of its training, and the rules by which a version is judged';
COMMENT ON COLUMN rnn_models.schedule IS 'when it is trained again, in the notation of pg_cron';
COMMENT ON COLUMN rnn_models.next_run IS 'when it is trained next';
COMMENT ON COLUMN rnn_models.mae IS 'mean absolute error on the last windows, in units of the data';
COMMENT ON COLUMN rnn_models.wape IS 'sum of absolute errors on the last windows divided by the sum of absolute values; 0.1 is 10 percent';
COMMENT ON COLUMN rnn_models.mase IS 'mean absolute error on the last windows divided by the mean change from season to season before them';
COMMENT ON COLUMN rnn_models.mix_mase IS 'the same error of the mix of references alone';
COMMENT ON COLUMN rnn_models.coverage IS 'share of the values of the last windows in the 90 percent interval';
GRANT SELECT ON rnn_models TO PUBLIC;

CREATE VIEW rnn_versions WITH (security_barrier) AS
SELECT r.name, v.version, v.version = r.live AS live, v.keep, v.source, v.created, v.promoted,
	   v.last_ts, v.points, v.mae, v.wape, v.mase, v.live_mase, v.mix_mase, v.coverage, octet_length(v.bytes)::bigint AS bytes
FROM _rnn_registry AS r JOIN _rnn_registry_version AS v ON v.model = r.id
WHERE _rnn_role_is(r.owner, r.owner_key)
   OR EXISTS (SELECT FROM _rnn_registry_grant AS g WHERE g.model = r.id AND _rnn_role_is(g.grantee, g.grantee_key));
COMMENT ON VIEW rnn_versions IS
	'versions of named models';
COMMENT ON COLUMN rnn_versions.name IS 'name of the model';
COMMENT ON COLUMN rnn_versions.version IS 'number of the version';
COMMENT ON COLUMN rnn_versions.live IS 'whether it forecasts';
COMMENT ON COLUMN rnn_versions.keep IS 'whether it is kept whatever the option retain says';
COMMENT ON COLUMN rnn_versions.source IS 'fit, refit or register';
COMMENT ON COLUMN rnn_versions.created IS 'when it was stored';
COMMENT ON COLUMN rnn_versions.promoted IS 'when it last became live; null where it never was';
COMMENT ON COLUMN rnn_versions.last_ts IS 'the last time of its rows, on the wall clock';
COMMENT ON COLUMN rnn_versions.points IS 'known points that it was trained on';
COMMENT ON COLUMN rnn_versions.mae IS 'mean absolute error on the last windows, in units of the data';
COMMENT ON COLUMN rnn_versions.wape IS 'sum of absolute errors on the last windows divided by the sum of absolute values; 0.1 is 10 percent';
COMMENT ON COLUMN rnn_versions.mase IS 'mean absolute error on the last windows divided by the mean change from season to season before them';
COMMENT ON COLUMN rnn_versions.live_mase IS 'the same error of the version that was live then';
COMMENT ON COLUMN rnn_versions.mix_mase IS 'the same error of the mix of references alone';
COMMENT ON COLUMN rnn_versions.coverage IS 'share of the values of the last windows in the 90 percent interval';
COMMENT ON COLUMN rnn_versions.bytes IS 'size of the version';
GRANT SELECT ON rnn_versions TO PUBLIC;

-- A run holds a lock on its model; a running row without one was cut short.
CREATE VIEW rnn_runs WITH (security_barrier) AS
SELECT u.id, r.name, u.kind, u.started, u.finished, coalesce(u.finished, clock_timestamp()) - u.started AS duration, u.pid,
	   CASE WHEN u.outcome = 'running' AND NOT pg_is_in_recovery() AND NOT EXISTS (
			SELECT FROM pg_catalog.pg_locks AS l
			WHERE l.locktype = 'object' AND l.classid = '_rnn_registry'::regclass::oid AND l.objid = u.model::oid
			  AND l.database = (SELECT d.oid FROM pg_catalog.pg_database AS d WHERE d.datname = current_database())
			  AND l.pid = u.pid AND l.granted)
			THEN 'lost' ELSE u.outcome END AS outcome,
	   u.version, u.points, u.mase, u.live_mase, u.mix_mase, u.series, u.message
FROM _rnn_registry AS r JOIN _rnn_registry_run AS u ON u.model = r.id
WHERE _rnn_role_is(r.owner, r.owner_key);
COMMENT ON VIEW rnn_runs IS
	'trainings of named models: when, on what, with which outcome and errors';
COMMENT ON COLUMN rnn_runs.id IS 'number of the training';
COMMENT ON COLUMN rnn_runs.name IS 'name of the model';
COMMENT ON COLUMN rnn_runs.kind IS 'fit or refit';
COMMENT ON COLUMN rnn_runs.started IS 'when it began';
COMMENT ON COLUMN rnn_runs.finished IS 'when it ended; null where it has not ended';
COMMENT ON COLUMN rnn_runs.duration IS 'how long it took, or takes';
COMMENT ON COLUMN rnn_runs.pid IS 'process that trained';
COMMENT ON COLUMN rnn_runs.outcome IS 'running, promoted, refused, skipped, failed, or lost where a crash cut it short';
COMMENT ON COLUMN rnn_runs.version IS 'number of the version that the training made';
COMMENT ON COLUMN rnn_runs.points IS 'known points of the rows';
COMMENT ON COLUMN rnn_runs.mase IS 'mean absolute error of the new version on the last windows, divided by the mean change from season to season before them';
COMMENT ON COLUMN rnn_runs.live_mase IS 'the same error of the version that was live';
COMMENT ON COLUMN rnn_runs.mix_mase IS 'the same error of the mix of references alone';
COMMENT ON COLUMN rnn_runs.series IS 'the same error of each series, by name; the view rnn_run_series has them in order';
COMMENT ON COLUMN rnn_runs.message IS 'why the outcome is what it is, where there is something to say';
GRANT SELECT ON rnn_runs TO PUBLIC;

CREATE VIEW rnn_run_series WITH (security_barrier) AS
SELECT u.id AS run, r.name, u.started, u.version, row_number() OVER (PARTITION BY u.id ORDER BY e.value::float8 DESC, e.key) AS place,
	   e.key AS series, rnn_key(e.key) AS key, e.value::float8 AS mase
FROM _rnn_registry AS r JOIN _rnn_registry_run AS u ON u.model = r.id,
	 jsonb_each(CASE jsonb_typeof(u.series) WHEN 'object' THEN u.series END) AS e
WHERE _rnn_role_is(r.owner, r.owner_key)
ORDER BY u.id DESC, place;
COMMENT ON VIEW rnn_run_series IS
	'errors of the series in each training of a named model, the worst first';
COMMENT ON COLUMN rnn_run_series.run IS 'number of the training, id of rnn_runs';
COMMENT ON COLUMN rnn_run_series.name IS 'name of the model';
COMMENT ON COLUMN rnn_run_series.started IS 'when the training began';
COMMENT ON COLUMN rnn_run_series.version IS 'number of the version that the training made';
COMMENT ON COLUMN rnn_run_series.place IS '1 is the series with the greatest error';
COMMENT ON COLUMN rnn_run_series.series IS 'name of the series';
COMMENT ON COLUMN rnn_run_series.key IS 'the columns that the name of the series was made of, where it is a JSON object';
COMMENT ON COLUMN rnn_run_series.mase IS 'mean absolute error on the last windows, divided by the mean change from season to season before them';
GRANT SELECT ON rnn_run_series TO PUBLIC;

CREATE FUNCTION _rnn_progress_rows(OUT pid int, OUT role oid, OUT model text, OUT phase text, OUT series int,
	OUT member int, OUT step int, OUT steps int, OUT loss float8, OUT elapsed interval, OUT estimated_end timestamptz)
	RETURNS SETOF record
	AS 'MODULE_PATHNAME', 'rnnforecast_rnn_progress_rows' LANGUAGE C VOLATILE PARALLEL RESTRICTED ROWS 10;
COMMENT ON FUNCTION _rnn_progress_rows() IS
	'internal: the rows of the view rnn_progress';

CREATE VIEW rnn_progress AS
SELECT pid, pg_get_userbyid(role) AS role, model, phase, series, member, step, steps, loss, elapsed, estimated_end
FROM _rnn_progress_rows();
COMMENT ON VIEW rnn_progress IS
	'trainings that run now: the caller''s own, or all of the database for pg_read_all_stats';
COMMENT ON COLUMN rnn_progress.pid IS 'process that trains';
COMMENT ON COLUMN rnn_progress.role IS 'role that trains';
COMMENT ON COLUMN rnn_progress.model IS 'name of the model, if it has one';
COMMENT ON COLUMN rnn_progress.phase IS 'what the training does now';
COMMENT ON COLUMN rnn_progress.series IS 'number of series';
COMMENT ON COLUMN rnn_progress.member IS 'number of the network in the ensemble';
COMMENT ON COLUMN rnn_progress.step IS 'number of minibatches done';
COMMENT ON COLUMN rnn_progress.steps IS 'greatest number of minibatches';
COMMENT ON COLUMN rnn_progress.loss IS 'loss of the training';
COMMENT ON COLUMN rnn_progress.elapsed IS 'time since the training began';
COMMENT ON COLUMN rnn_progress.estimated_end IS 'when the training ends at the speed of this phase; null where that is not known';
GRANT SELECT ON rnn_progress TO PUBLIC;
