# rnnforecast: recurrent neural networks in PostgreSQL.
#
#   make && make install      needs pg_config (or PG_CONFIG=/path/to/pg_config)
#   make unit                 the engine's tests, no server needed
#   make installcheck         pg_regress, against a running server
#   make tap                  TAP tests, in servers of their own
#   make docs                 the documentation site, in build/site
#   make dist                 the archive for PGXN, in build/package
#   tools/check               all of these, on a bare machine
#
# BLAS: OpenBLAS without threads, linked statically, where there is one;
# set BLAS_CFLAGS and BLAS_LIBS to use another.

EXTENSION = rnnforecast
MODULE_big = rnnforecast

# What generates series to train the prior on is no part of the extension.
GENERATOR_SRC := $(sort $(wildcard src/prior/generate*.c))
ENGINE_SRC := $(filter-out $(GENERATOR_SRC),$(sort $(wildcard src/engine/*/*.c src/prior/*.c)))
SERVER_SRC := $(sort $(wildcard src/pg/*.c src/pg/*/*.c))
OBJS = $(ENGINE_SRC:.c=.o) $(SERVER_SRC:.c=.o)

DATA_built = sql/rnnforecast--1.0.sql
DATA = $(wildcard sql/rnnforecast--*--*.sql)

TESTS = $(sort $(patsubst test/sql/%.sql,%,$(wildcard test/sql/*.sql)))
REGRESS = $(filter setup,$(TESTS)) $(filter-out setup,$(TESTS))
REGRESS_OPTS = --inputdir=test
PROVE_TESTS ?= test/t/*.pl

EXTRA_CLEAN = build log output_iso results tmp_check regression.diffs regression.out \
	$(OBJS:.o=.d) $(OBJS:.o=.bc) test/fuzz/server.o test/modules/partial_agg/partial_agg.o

# ------------------------------------------------------------------ BLAS

MULTIARCH := $(shell $(CC) -print-multiarch 2>/dev/null)
BLAS_STATIC := $(firstword $(wildcard \
	/usr/lib/$(MULTIARCH)/openblas-serial/libopenblas.a \
	/usr/lib64/libopenblas.a /usr/local/lib/libopenblas.a \
	/opt/homebrew/opt/openblas/lib/libopenblas.a))

ifneq ($(origin BLAS_LIBS),undefined)
BLAS_CFLAGS ?=
else ifneq ($(BLAS_STATIC),)
BLAS_LIBS = $(BLAS_STATIC)
BLAS_CFLAGS ?= $(addprefix -I,$(firstword $(wildcard \
	/usr/include/$(MULTIARCH)/openblas-serial /usr/include/openblas \
	$(dir $(BLAS_STATIC))../include)))
else
BLAS_LIBS := $(or $(shell pkg-config --libs openblas 2>/dev/null),-lopenblas)
BLAS_CFLAGS ?= -DRNN_BLAS_SHARED $(shell pkg-config --cflags openblas 2>/dev/null)
endif

# Modules share one space of names before PostgreSQL 16, so only entry points
# are exported; above all not a static BLAS, as other modules may bring theirs.
SHLIB_LINK = $(BLAS_LIBS) -lm
ifeq ($(shell uname -s),Linux)
SHLIB_LINK += -Wl,--exclude-libs,ALL -Wl,--version-script=src/pg/exports.map
endif

# ----------------------------------------------------------------- flags

PG_CPPFLAGS = -Isrc/engine $(BLAS_CFLAGS)

# The engine's results must not depend on what the compiler fuses; only the
# kernels may fuse and vectorise, and never with -ffast-math, which changes
# the treatment of denormals in the whole server at link.
ENGINE_FLAGS = -std=c11 -ffp-contract=off -fvisibility=hidden
KERNEL_FLAGS = -O3 -fno-math-errno -fno-trapping-math -fno-signed-zeros \
	-ffp-contract=fast
KERNELS = $(filter src/engine/kernel/%,$(ENGINE_SRC))

# No bitcode: nothing here gains from inlining by the JIT compiler, which
# can't see the engine's hidden symbols.
override with_llvm = no

PG_CONFIG ?= pg_config
PGXS := $(shell $(PG_CONFIG) --pgxs 2>/dev/null)
ifeq ($(PGXS),)
# Programs of the engine alone, as tools/pretrain is, need no server.
ifneq ($(filter-out build/%,$(or $(MAKECMDGOALS),all)),)
$(error $(PG_CONFIG) not found: install postgresql-server-dev, or set PG_CONFIG)
endif
else
# Sessions that meet; some packages of a server come without the tester.
ifneq ($(wildcard $(dir $(PGXS))../test/isolation/isolationtester),)
ISOLATION := $(patsubst test/isolation/specs/%.spec,%,$(wildcard test/isolation/specs/*.spec))
ISOLATION_OPTS = --inputdir=test/isolation
endif
include $(PGXS)
endif

$(OBJS): override CFLAGS += -MMD -MP -fno-lto -Wno-declaration-after-statement
# The engine sees no header of the server.
$(ENGINE_SRC:.c=.o): override CPPFLAGS := $(PG_CPPFLAGS) -Wdate-time
$(ENGINE_SRC:.c=.o): override CFLAGS += $(ENGINE_FLAGS)
$(KERNELS:.c=.o): override CFLAGS += $(KERNEL_FLAGS)
# What every forecast waits for; the same bits.
$(patsubst %.c,%.o,$(filter src/engine/bank/% src/engine/detect/%,$(ENGINE_SRC))): override CFLAGS += -O3 -fno-trapping-math
# Rooms of both layers have the same names: the server writes "pg/" before its own.
$(SERVER_SRC:.c=.o): override CPPFLAGS += -Isrc
-include $(OBJS:.o=.d)

sql/rnnforecast--1.0.sql: sql/rnnforecast.sql sql/forms.awk
	awk -f sql/forms.awk $< > $@

# pg_regress looks for expected/ beside sql/.
installcheck: test/expected
test/expected:
	ln -s ../expected $@

# What a distributed planner does with aggregates.
build/partial_agg.so: test/modules/partial_agg/partial_agg.o
	@mkdir -p $(@D)
	$(CC) $(CFLAGS) -shared -o $@ $^ $(LDFLAGS)

# ---------------------------------------------------------- documentation

.PHONY: docs
docs:
	@tools/docs

# The archive for PGXN, of the committed files.
.PHONY: dist
dist:
	@tools/package zip

.PHONY: tap
tap: build/fuzz_server.so build/partial_agg.so
	$(prove_installcheck)

# ------------------------------------------------------------ unit tests
#
# Each test/unit/test_*.c is a program that prints "NAME: N passed, N failed".
# Those with "double" in their name are built with an engine in double.

NO_PRIORS_SRC := $(filter-out src/prior/priors.c src/prior/prior_%.c,$(ENGINE_SRC))
UNIT_SRC := $(sort $(wildcard test/unit/test_*.c))
UNIT_CC = $(CC) -std=gnu11 -g -Wall -Wextra -Wno-unused-parameter -MMD -MP \
	-ffp-contract=off -Isrc/engine -Isrc/prior -Itest/unit $(BLAS_CFLAGS)
SANITIZE = -fsanitize=address,undefined -fno-sanitize-recover=undefined \
	-fno-omit-frame-pointer

# unit_build(directory, flags): the engine in real and in double, and what
# is linked with each.
define unit_build
build/$(1)/%.o: %.c
	@mkdir -p $$(@D) && echo '$(1): $$<'
	@$$(UNIT_CC) $(2) $$(if $$(filter $$<,$$(KERNELS)),$(filter-out -O3,$(KERNEL_FLAGS))) -c -o $$@ $$<
build/$(1)-double/%.o: %.c
	@mkdir -p $$(@D) && echo '$(1)-double: $$<'
	@$$(UNIT_CC) $(2) -DRNN_DOUBLE -c -o $$@ $$<
build/$(1)/%: build/$(1)/test/unit/%.o $(ENGINE_SRC:%.c=build/$(1)/%.o)
	@$$(CC) $(2) -o $$@ $$^ $$(BLAS_LIBS) -lm
build/$(1)-double/%: build/$(1)-double/test/unit/%.o $(ENGINE_SRC:%.c=build/$(1)-double/%.o)
	@$$(CC) $(2) -o $$@ $$^ $$(BLAS_LIBS) -lm
# These have a table of the prior's versions of their own.
build/$(1)/fuzz_%: build/$(1)/test/fuzz/fuzz_%.o $(NO_PRIORS_SRC:%.c=build/$(1)/%.o)
	@$$(CC) $(2) -o $$@ $$^ $$(BLAS_LIBS) -lm
$(addprefix build/$(1)/,test_forged test_model test_refusals test_versions): build/$(1)/%: build/$(1)/test/unit/%.o $(NO_PRIORS_SRC:%.c=build/$(1)/%.o)
	@$$(CC) $(2) -o $$@ $$^ $$(BLAS_LIBS) -lm
build/$(1)/test_versions: build/$(1)/src/prior/prior_1.o
# This one has an arena of its own.
build/$(1)/test_arena: build/$(1)/test/unit/test_arena.o $(patsubst %.c,build/$(1)/%.o,$(filter-out src/engine/base/arena.c,$(NO_PRIORS_SRC)))
	@$$(CC) $(2) -o $$@ $$^ $$(BLAS_LIBS) -lm
build/$(1)/test_generate build/$(1)/test_prior: $(GENERATOR_SRC:%.c=build/$(1)/%.o)
-include $$(wildcard $$(foreach b,$(1) $(1)-double,build/$$(b)/*/*/*.d build/$$(b)/*/*/*/*.d))
endef
$(eval $(call unit_build,unit,-O2))
$(eval $(call unit_build,asan,-O1 $(SANITIZE)))

unit_programs = $(foreach t,$(UNIT_SRC:test/unit/%.c=%),build/$(1)$(if $(findstring double,$(t)),-double)/$(t))
fuzz_programs = $(patsubst test/fuzz/%.c,build/$(1)/%,$(sort $(wildcard test/fuzz/fuzz_*.c)))

.PHONY: unit unit-asan fuzz unit-programs asan-programs fuzz-programs
.SECONDARY:
unit-programs: $(call unit_programs,unit) $(call fuzz_programs,unit)
asan-programs: $(call unit_programs,asan) $(call fuzz_programs,asan)
fuzz-programs: $(call fuzz_programs,asan)

# A program that can't be built counts as a failure; the others still run.
unit:
	+@$(MAKE) -k --no-print-directory unit-programs || true
	@FUZZ_SECONDS=0 tools/unit tools/includes $(call unit_programs,unit) $(call fuzz_programs,unit)
unit-asan:
	+@$(MAKE) -k --no-print-directory asan-programs || true
	@FUZZ_SECONDS=0 tools/unit $(call unit_programs,asan) $(call fuzz_programs,asan)
fuzz:
	+@$(MAKE) --no-print-directory fuzz-programs
	@tools/unit $(call fuzz_programs,asan)

# -------------------------------------------------------------- fuzzing
#
# The targets of the server layer are a module with the whole extension in it,
# for a database without it: build/fuzz_server.so runs the corpora (TAP).  With
# clang's libFuzzer, all targets look for more inputs: tools/fuzz.  In trap/ is
# what has no AddressSanitizer: the module, since the server's memory contexts
# hide from it, and programs that are ten times as fast.

test/fuzz/server.o: override CPPFLAGS += -Isrc
test/fuzz/server.o: test/fuzz/bytes.h $(wildcard src/pg/*/*.h src/engine/*.h src/engine/*/*.h)
build/fuzz_server.so: test/fuzz/server.o $(OBJS)
	@mkdir -p $(@D)
	$(CC) $(CFLAGS) -shared -o $@ $^ $(LDFLAGS) $(SHLIB_LINK)

GUIDED_CC = clang -std=gnu11 -g -O1 -fPIC -Wall -Wno-ignored-attributes -Wno-unknown-pragmas -MMD -MP -fwrapv \
	-fno-strict-aliasing -ffp-contract=off -fno-omit-frame-pointer -fsanitize=fuzzer-no-link -DFUZZ_GUIDED \
	-Isrc -Itest/unit $(PG_CPPFLAGS) -I$(includedir_server) -D_GNU_SOURCE
# A null pointer that nothing is added to is no fault.
GUIDED_SANITIZE = -fsanitize=address,undefined -fno-sanitize=pointer-overflow -fno-sanitize-recover=undefined
GUIDED_TRAP = -fsanitize=undefined -fno-sanitize=pointer-overflow -fsanitize-undefined-trap-on-error
LIBFUZZER = $(shell clang --print-runtime-dir)/libclang_rt.fuzzer_no_main-$(shell uname -m).a
build/guided/%.o: %.c
	@mkdir -p $(@D)
	@$(GUIDED_CC) $(GUIDED_SANITIZE) -c -o $@ $<
build/trap/%.o: %.c
	@mkdir -p $(@D)
	@$(GUIDED_CC) $(GUIDED_TRAP) -c -o $@ $<
build/guided/fuzz_%: build/guided/test/fuzz/fuzz_%.o $(NO_PRIORS_SRC:%.c=build/guided/%.o)
	@clang -fsanitize=fuzzer $(GUIDED_SANITIZE) -o $@ $^ $(BLAS_LIBS) -lm
build/guided/server.so: $(patsubst %.c,build/trap/%.o,test/fuzz/server.c $(SERVER_SRC) $(ENGINE_SRC))
	@mkdir -p $(@D)
	@clang -shared -o $@ $^ $(LIBFUZZER) $(BLAS_LIBS) -lm -lstdc++ -lpthread -Wl,--exclude-libs,ALL
build/trap/fuzz_%: build/trap/test/fuzz/fuzz_%.o $(NO_PRIORS_SRC:%.c=build/trap/%.o)
	@clang -fsanitize=fuzzer -o $@ $^ $(BLAS_LIBS) -lm
-include $(wildcard $(foreach b,guided trap,build/$(b)/*/*.d build/$(b)/*/*/*.d build/$(b)/*/*/*/*.d))

# ------------------------------------------------------------- the prior
#
# build/prior_samples N [SEED [FAMILY]]: synthetic series as CSV, for eyes.
# build/pretrain/trust [PANELS [SERIES [SHARED]]]: how often a network is added to random walks.
# build/pretrain/pretrain: trains the prior; tools/pretrain runs it.
# build/pretrain/fit: fits constants of the prior; tools/fit runs it.

build/prior_samples: bench/prior_samples.c $(GENERATOR_SRC) src/engine/base/rng.c $(wildcard src/prior/generate*.h)
	@mkdir -p $(@D)
	@$(CC) -std=gnu11 -O2 -Wall -Wextra -ffp-contract=off -Isrc/engine -Isrc/prior -o $@ $(filter %.c,$^) -lm

PRETRAIN_OBJS = $(patsubst %.c,build/pretrain/%.o,$(ENGINE_SRC) $(GENERATOR_SRC))
build/pretrain/%.o: %.c
	@mkdir -p $(@D)
	@$(UNIT_CC) -O2 $(if $(filter $<,$(KERNELS)),$(KERNEL_FLAGS)) -c -o $@ $<
build/pretrain/pretrain: $(patsubst %.c,build/pretrain/%.o,$(wildcard tools/pretrain*.c))
build/pretrain/fit: $(patsubst %.c,build/pretrain/%.o,$(wildcard tools/fit*.c)) build/pretrain/tools/pretrain_data.o
build/pretrain/trust: build/pretrain/bench/trust.o
build/pretrain/pretrain build/pretrain/fit build/pretrain/trust: $(PRETRAIN_OBJS)
	@$(CC) -o $@ $^ $(BLAS_LIBS) -lm
-include $(wildcard build/pretrain/*/*.d build/pretrain/*/*/*.d build/pretrain/*/*/*/*.d)
