/*
 * crc.c
 *		CRC-32C (Castagnoli), reflected, as iSCSI uses it (RFC 3720).
 *
 * Eight bytes at a time (slicing-by-8, Kounavis and Berry 2005).  The tables
 * are made anew each time, in a few microseconds, and need no global state.
 * The server puts its own in place, which uses the processor's instruction.
 */
#include "base/base.h"

#define POLYNOMIAL 0x82f63b78u
#define SLICES 8

static void
make_tables(uint32_t table[SLICES][256])
{
	for (uint32_t i = 0; i < 256; i++)
	{
		uint32_t	crc = i;

		for (int bit = 0; bit < 8; bit++)
			crc = (crc >> 1) ^ (crc & 1 ? POLYNOMIAL : 0);
		table[0][i] = crc;
	}
	for (int k = 1; k < SLICES; k++)
		for (int i = 0; i < 256; i++)
			table[k][i] = (table[k - 1][i] >> 8) ^ table[0][table[k - 1][i] & 255];
}

static uint32_t
load(const uint8_t *b)
{
	return b[0] | (uint32_t) b[1] << 8 | (uint32_t) b[2] << 16 | (uint32_t) b[3] << 24;
}

static uint32_t
crc32c_portable(const uint8_t *bytes, size_t len)
{
	uint32_t	table[SLICES][256],
				crc = 0xffffffffu;

	make_tables(table);
	for (; len >= SLICES; len -= SLICES, bytes += SLICES)
	{
		uint32_t	a = crc ^ load(bytes),
					b = load(bytes + 4);

		crc = table[7][a & 255] ^ table[6][a >> 8 & 255] ^ table[5][a >> 16 & 255] ^ table[4][a >> 24] ^
			table[3][b & 255] ^ table[2][b >> 8 & 255] ^ table[1][b >> 16 & 255] ^ table[0][b >> 24];
	}
	for (; len > 0; len--, bytes++)
		crc = (crc >> 8) ^ table[0][(crc ^ *bytes) & 255];
	return ~crc;
}

uint32_t	(*rnn_crc32c) (const uint8_t *bytes, size_t len) = crc32c_portable;
