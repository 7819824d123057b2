/*
 * text.c
 *		Text of the data, as it may be shown.
 *
 * Names of series are anybody's.  What moves a cursor, turns the direction of
 * writing or is no character of XML becomes a space.
 */
#include "pg/draw/draw.h"

#include "mb/pg_wchar.h"

static bool
is_between(pg_wchar c, pg_wchar low, pg_wchar high)
{
	return c >= low && c <= high;
}

/* Of UTF-8 by the character, of other encodings, which have ASCII below 128, by the byte. */
static bool
is_shown(const char *c)
{
	pg_wchar	code = GetDatabaseEncoding() == PG_UTF8 ? utf8_to_unicode((const unsigned char *) c) : (unsigned char) *c;

	if (code < ' ' || code == 127)
		return false;
	return GetDatabaseEncoding() != PG_UTF8 ||
		!(is_between(code, 0x80, 0x9f) || is_between(code, 0x200e, 0x200f) || is_between(code, 0x2028, 0x202e) ||
		  is_between(code, 0x2066, 0x2069) || is_between(code, 0xfffe, 0xffff));
}

char *
shown_text(const char *text, int most)
{
	char	   *shown = palloc(strlen(text) + 4),
			   *end = shown;
	int			letters = 0;

	for (const char *c = text; *c; c += pg_mblen(c))
	{
		int			len = pg_mblen(c);

		if (letters++ == most)
		{
			strcpy(end, "...");
			return shown;
		}
		if (!is_shown(c))
		{
			*end++ = ' ';
			continue;
		}
		memcpy(end, c, len);
		end += len;
	}
	*end = '\0';
	return shown;
}
