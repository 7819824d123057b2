/*
 * products.h
 *		Products of matrices and the steps of the cells made of them, a part of
 *		loops.h.
 *
 * A tile of the result is held in registers, 6 rows by 4 vectors (by 2 where
 * there are 16 registers), after Goto and van de Geijn 2008.  The left side is
 * read in place, transposed or not.
 */
#define TILE_M 6
#define TILE_V (KERNEL_REGISTERS / 8)

/* Rows of m in tiles of TILE_M: single ones are slow, so 8 are 4 and 4. */
INLINE int64_t
rows_of_tiles(int64_t m)
{
	int64_t		left = m % TILE_M;

	return m - left - (m > TILE_M && (left == 2 || left == 3) ? TILE_M : 0);
}

/* acc (rows, from..to) += a (rows,k) b (k, to - from) */
INLINE void
tile_add(const int rows, const int from, const int to, int64_t k, const real *a, int64_t a_row,
		 int64_t a_col, const real *b, int64_t ldb, vec acc[TILE_M][TILE_V])
{
	for (int64_t p = 0; p < k; p++)
	{
		vec			row[TILE_V];

		for (int j = from; j < to; j++)
			row[j] = *(const vec *) (b + p * ldb + (j - from) * VL);
		for (int i = 0; i < rows; i++)
			for (int j = from; j < to; j++)
				acc[i][j] += a[i * a_row + p * a_col] * row[j];
	}
}

#ifdef KERNEL_PRODUCT

/*
 * 128 rows of b, as wide as the tile, are copied to where they stay in the
 * first cache.  The products of a recurrent network are too small for a
 * library that packs both sides.
 */
#define TILE_K 128
#define PACK_M 100				/* rows of c that make up for a copy of b */

INLINE void
product_tile(const int rows, const int vecs, int k, const real *a, int64_t a_row, int64_t a_col,
			 const real *b, int64_t ldb, bool add, real *c, int64_t ldc)
{
	vec			acc[TILE_M][TILE_V];

	for (int i = 0; i < rows; i++)
		for (int j = 0; j < vecs; j++)
			acc[i][j] = add ? *(const vec *) (c + i * ldc + j * VL) : (vec) {0};
	tile_add(rows, 0, vecs, k, a, a_row, a_col, b, ldb, acc);
	for (int i = 0; i < rows; i++)
		for (int j = 0; j < vecs; j++)
			*(vec *) (c + i * ldc + j * VL) = acc[i][j];
}

/* All rows of c, `vecs` vectors wide. */
INLINE void
product_panel(const int vecs, int64_t m, int k, const real *a, int64_t a_row, int64_t a_col,
			  const real *b, int64_t ldb, bool add, real *c, int64_t ldc)
{
	const int64_t most = rows_of_tiles(m);
	int64_t		i = 0;

	for (; i < most; i += TILE_M)
		product_tile(TILE_M, vecs, k, a + i * a_row, a_row, a_col, b, ldb, add, c + i * ldc, ldc);
	for (; i + 4 <= m; i += 4)
		product_tile(4, vecs, k, a + i * a_row, a_row, a_col, b, ldb, add, c + i * ldc, ldc);
	for (; i < m; i++)
		product_tile(1, vecs, k, a + i * a_row, a_row, a_col, b, ldb, add, c + i * ldc, ldc);
}

/* The columns that fill no vector. */
INLINE void
product_rest(int64_t m, int64_t n, int k, const real *a, int64_t a_row, int64_t a_col,
			 const real *b, int64_t ldb, bool add, real *c, int64_t ldc)
{
	for (int64_t i = 0; !add && i < m && n > 0; i++)
		memset(c + i * ldc, 0, sizeof(real) * n);
	for (int64_t i = 0; i < m; i++)
		for (int p = 0; p < k; p++)
			for (int64_t j = 0; j < n; j++)
				c[i * ldc + j] += a[i * a_row + p * a_col] * b[p * ldb + j];
}

FN void
product(int64_t m, int64_t n, int64_t k, const real *a, int64_t a_row, int64_t a_col,
		const real *b, int64_t ldb, bool add, real *c, int64_t ldc)
{
	real		panel[TILE_K * TILE_V * VL] __attribute__((aligned(64)));
	const int	wide = TILE_V * VL;

	for (int64_t p = 0; p < k || (p == 0 && !add); p += TILE_K, a += TILE_K * a_col, b += TILE_K * ldb, add = true)
	{
		int			depth = (int) (k - p < TILE_K ? k - p : TILE_K);
		int64_t		j = 0;

		for (; j + wide <= n; j += wide)
		{
			if (ldb == wide || m < PACK_M)
			{
				product_panel(TILE_V, m, depth, a, a_row, a_col, b + j, ldb, add, c + j, ldc);
				continue;
			}
			for (int i = 0; i < depth; i++)
				for (int v = 0; v < TILE_V; v++)
					*(vec *) (panel + i * wide + v * VL) = *(const vec *) (b + i * ldb + j + v * VL);
			product_panel(TILE_V, m, depth, a, a_row, a_col, panel, wide, add, c + j, ldc);
		}
		for (; TILE_V > 2 && j + 2 * VL <= n; j += 2 * VL)
			product_panel(2, m, depth, a, a_row, a_col, b + j, ldb, add, c + j, ldc);
		for (; j + VL <= n; j += VL)
			product_panel(1, m, depth, a, a_row, a_col, b + j, ldb, add, c + j, ldc);
		product_rest(m, n - j, depth, a, a_row, a_col, b + j, ldb, add, c + j, ldc);
	}
}

#endif							/* KERNEL_PRODUCT */

/*
 * The weights of a cell are packed in panels of 4 vectors: for LSTM and GRU
 * the 4 gates of VL units, for Elman 4 VL units (at the end 2 VL or VL).  A
 * panel has a row of biases, I rows for the input and H rows for the state,
 * the latter two without the gates that they don't reach.
 */
typedef struct panel
{
	int			vecs,			/* of a row of biases */
				x_to,			/* vectors 0..x_to of the input's rows */
				h_from;			/* vectors h_from..vecs of the state's rows */
	int64_t		apart;			/* units from one vector to the next */
} panel;

INLINE panel
panel_at(int gates, int x_gates, int h_first, int64_t H, int64_t u)
{
	int			vecs = H - u >= 4 * VL ? 4 : H - u >= 2 * VL ? 2 : 1;

	return gates > 1 ? (panel) {gates, x_gates, h_first, H} : (panel) {vecs, vecs, 0, VL};
}

/* Rows of `vecs` vectors from w (units,k), which holds a row per unit. */
INLINE real *
pack_rows(int vecs, int64_t apart, int64_t k, int64_t left, const real *w, real *to)
{
	for (int j = 0; j < vecs; j++)
		for (int64_t p = 0; p < k; p++)
			for (int l = 0; l < VL; l++)
				to[(p * vecs + j) * VL + l] = l < left ? w[(j * apart + l) * k + p] : 0;
	return to + vecs * k * VL;
}

FN void
pack(const rnn_cell_shape *cell, int64_t I, int64_t H, const real *w_ih,
	 const real *w_hh, const real *bias, real *to)
{
	panel		p;

	for (int64_t u = 0; u < H; u += cell->gates > 1 ? VL : p.vecs * VL)
	{
		p = panel_at(cell->gates, cell->x_gates, cell->h_first, H, u);
		to = pack_rows(p.vecs, p.apart, 1, H - u, bias + u, to);
		to = pack_rows(p.x_to, p.apart, I, H - u, w_ih + u * I, to);
		to = pack_rows(p.vecs - p.h_from, p.apart, H, H - u, w_hh + u * H, to);
	}
}

INLINE int
clamp(int x, int low, int high)
{
	return x < low ? low : x > high ? high : x;
}

/* Pre-activations of a tile, the vectors from..from + TILE_V of the panel at w. */
INLINE void
step_part(const int rows, const int from, const panel p, const rnn_step *s, int64_t b,
		  const real *w, vec (*a)[4])
{
	const int	vecs = clamp(p.vecs - from, 0, TILE_V),
				x_to = clamp(p.x_to - from, 0, vecs),
				h_from = clamp(p.h_from - from, 0, vecs),
				skip = from + h_from - p.h_from;	/* in a row for the state */
	const int64_t x_ld = p.x_to * VL,
				h_ld = (p.vecs - p.h_from) * VL;
	vec			acc[TILE_M][TILE_V];

	for (int i = 0; i < rows; i++)
		for (int j = 0; j < vecs; j++)
			acc[i][j] = *(const vec *) (w + (from + j) * VL);
	w += p.vecs * VL;
	tile_add(rows, 0, x_to, s->I, s->x + b * s->I, s->I, 1, w + from * VL, x_ld, acc);
	w += s->I * x_ld;
	tile_add(rows, h_from, vecs, s->H, s->h_prev + b * s->H, s->H, 1, w + skip * VL, h_ld, acc);
	for (int i = 0; i < rows; i++)
		for (int j = 0; j < vecs; j++)
			a[i][from + j] = acc[i][j];
}

INLINE void
step_tile(const int rows, const panel p, const rnn_step *s, int64_t b, int64_t u, const real *w,
		  const int units, units_function finish)
{
	vec			a[TILE_M][4] __attribute__((aligned(64)));

	step_part(rows, 0, p, s, b, w, a);
	if (p.vecs > TILE_V)
		step_part(rows, TILE_V, p, s, b, w, a);
	if (s->H - u >= units)
		for (int i = 0; i < rows; i++)
			finish(s, b + i, u, units, a[i]);
	else
		for (int i = 0; i < rows; i++)
			finish(s, b + i, u, (int) (s->H - u), a[i]);
}

/* All windows of one panel; returns where the next one lies. */
INLINE const real *
step_panel(const panel p, const rnn_step *s, int64_t u, const real *w, const int units,
		   units_function finish)
{
	const int64_t most = rows_of_tiles(s->B);
	int64_t		b = 0;

	for (; b < most; b += TILE_M)
		step_tile(TILE_M, p, s, b, u, w, units, finish);
	for (; b + 4 <= s->B; b += 4)
		step_tile(4, p, s, b, u, w, units, finish);
	for (; b < s->B; b++)
		step_tile(1, p, s, b, u, w, units, finish);
	return w + VL * (p.vecs + s->I * p.x_to + s->H * (p.vecs - p.h_from));
}

/* Panels of one unit for each number in a vector, or, where there are no gates, of as many vectors as are left. */
INLINE void
step_all(const int gates, const int x_gates, const int h_first, const rnn_step *s, units_function finish)
{
	const real *w = s->w;
	int64_t		u = 0;

	if (gates > 1)
	{
		for (; u < s->H; u += VL)
			w = step_panel((panel) {gates, x_gates, h_first, 0}, s, u, w, VL, finish);
		return;
	}
	for (; u + 4 * VL <= s->H; u += 4 * VL)
		w = step_panel((panel) {4, 4, 0, 0}, s, u, w, 4 * VL, finish);
	for (; u + 2 * VL <= s->H; u += 2 * VL)
		w = step_panel((panel) {2, 2, 0, 0}, s, u, w, 2 * VL, finish);
	for (; u < s->H; u += VL)
		w = step_panel((panel) {1, 1, 0, 0}, s, u, w, VL, finish);
}

#define CELL(NUMBER, name, title, gates, x_gates, h_first, ...) \
FN void name##_forward(const rnn_step *s) { step_all(gates, x_gates, h_first, s, name##_units); } \
FN void name##_backward(const rnn_back *s) { all_units_back(s, gates, name##_back); }

RNN_CELLS(CELL)
