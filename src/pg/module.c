/*
 * module.c
 *		Loading, and what this build is.
 */
#include "pg/base/base.h"
#include "pg/train/train.h"

#include "port/pg_crc32c.h"
#include "utils/builtins.h"
#include "utils/guc.h"

#define RNN_VERSION "1.0.0"

PG_MODULE_MAGIC;

void		_PG_init(void);

static uint32_t
server_crc32c(const uint8_t *bytes, size_t len)
{
	pg_crc32c	crc;

	INIT_CRC32C(crc);
	COMP_CRC32C(crc, bytes, len);
	FIN_CRC32C(crc);
	return crc;
}

void
_PG_init(void)
{
	rnn_crc32c = server_crc32c;
	rnnforecast_kernels = rnn_engine_init(-1);
	define_settings();
	progress_init();
#if PG_VERSION_NUM >= 150000
	MarkGUCPrefixReserved("rnnforecast");
#else
	EmitWarningsOnPlaceholders("rnnforecast");
#endif
}

PG_FUNCTION_INFO_V1(rnnforecast_rnn_version);
Datum
rnnforecast_rnn_version(PG_FUNCTION_ARGS)
{
	PG_RETURN_TEXT_P(cstring_to_text(psprintf("%s, %s kernels, %s", RNN_VERSION,
											  rnnforecast_kernels, rnn_blas_name())));
}
