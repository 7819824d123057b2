# lib.sh: what tools/demo, tools/check and their like share.
#
# set_up [tests] leaves a running private server with the extension
# installed in it, and these variables:
#
#	ROOT	the checkout, which is only read
#	WORK	a temporary directory, removed at the end
#	BIN		the private server's programs
#	AS		words that run a command as the unprivileged user, or empty
#
# Before, FLAGS may have words for make, and WRAP words that start the server.
#
# The server is a copy of the installed one: nothing is installed into the
# system but packages that are missing, and no server that runs is touched.

ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
WORK=
AS=()
FLAGS=()
WRAP=()
exec </dev/null
# The caller's connection is not ours.
for name in $(compgen -e | grep '^PG' | grep -v '^PG_CONFIG$')
do
	unset "$name"
done
export LC_ALL=C PGCLIENTENCODING=UTF8

say()
{
	printf '%s\n' "== $*"
}

fail()
{
	printf '%s\n' "$*" >&2
	exit 1
}

# Run a command as the unprivileged user, in the copy of the checkout.
as_user()
{
	(cd "$WORK/src" && HOME=$WORK exec "${AS[@]}" "$@")
}

# Run a command quietly: its output is shown only if it fails.
quietly()
{
	local log=$WORK/log
	"$@" >"$log" 2>&1 && return
	cat "$log" >&2
	fail "failed: $*"
}

# ---------------------------------------------------------------- packages

major_of()
{
	"$1" --version | sed -n 's/^PostgreSQL \([0-9]*\).*/\1/p'
}

# A pg_config with a server and its build files beside it: $PG_CONFIG, or
# the newest of those installed.  Debian's servers bring PGXS, but no headers.
find_postgres()
{
	local candidate
	for candidate in ${PG_CONFIG:-$(ls -d /usr/lib/postgresql/*/bin/pg_config \
		/usr/pgsql-*/bin/pg_config 2>/dev/null | sort -rV) \
		$(command -v pg_config)}
	do
		if [ -x "$("$candidate" --bindir)/initdb" ] &&
			[ -f "$("$candidate" --pgxs)" ] &&
			[ -f "$("$candidate" --includedir-server)/postgres.h" ]
		then
			echo "$candidate"
			return
		fi
	done 2>/dev/null
	return 1
}

# The major version that the distribution has, unless one is half there.
postgres_major()
{
	local major
	major=$(ls -d /usr/lib/postgresql/*/bin/postgres \
		/usr/lib/postgresql/*/lib/pgxs 2>/dev/null |
		sort -rV | head -n 1 | cut -d/ -f5)
	[ -n "$major" ] || major=$(apt-cache depends postgresql 2>/dev/null |
		sed -n 's/.*Depends: postgresql-\([0-9][0-9]*\)$/\1/p' | head -n 1)
	echo "$major"
}

have_openblas()
{
	[ -f "/usr/lib/$(gcc -print-multiarch)/openblas-serial/libopenblas.a" ] ||
		[ -f /usr/lib64/libopenblas.a ] ||
		pkg-config --exists openblas 2>/dev/null
}

# missing_packages [tests | versions]: names of the packages that are missing;
# "postgresql" stands for the server and its build files.
missing_packages()
{
	command -v gcc >/dev/null || echo gcc
	[ -f /usr/include/stdio.h ] || echo libc6-dev
	command -v make >/dev/null || echo make
	[ -n "${BLAS_LIBS:-}" ] || { command -v gcc >/dev/null && have_openblas; } ||
		echo libopenblas-serial-dev
	find_postgres >/dev/null || echo postgresql
	[ -n "${1:-}" ] || return 0
	command -v prove >/dev/null || echo perl
	perl -MIPC::Run -e 1 2>/dev/null || echo libipc-run-perl
	[ "$1" = versions ] || return 0
	command -v clang >/dev/null || echo clang
	python3 -m pip --version >/dev/null 2>&1 || echo python3-pip
	[ -d /usr/share/zoneinfo ] || echo tzdata
}

# Install what is missing, or say what to type.
install_missing()
{
	local missing root=() command conf=/etc/postgresql-common/createcluster.conf
	local fresh=no

	missing=$(missing_packages "$@" | tr '\n' ' ')
	[ -n "$missing" ] || return 0
	command -v apt-get >/dev/null ||
		fail "missing: $missing(as Debian names them): install them and try again"

	if [ "$(id -u)" != 0 ]
	then
		sudo -n true 2>/dev/null || {
			local major=$(postgres_major) server
			server="postgresql${major:+-$major} postgresql-server-dev-${major:-all}"
			missing=${missing/postgresql /$server }
			fail "Some packages are missing. Please type this, and try again:

    sudo apt-get update && sudo apt-get install -y --no-install-recommends $missing"
		}
		root=(sudo -n)
	fi
	root+=(env DEBIAN_FRONTEND=noninteractive UCF_FORCE_CONFFOLD=1)

	say "installing: $missing"
	quietly "${root[@]}" apt-get update -q
	if [[ " $missing" = *" postgresql "* ]]
	then
		local major=$(postgres_major)
		[ -n "$major" ] || fail "apt knows no package postgresql"
		missing=${missing/postgresql /postgresql-$major postgresql-server-dev-$major }
		# The package would create and start a server of its own.
		if [ ! -e $conf ]
		then
			fresh=yes
			"${root[@]}" mkdir -p "${conf%/*}"
			echo 'create_main_cluster = false' | "${root[@]}" tee $conf >/dev/null
		fi
	fi
	command=("${root[@]}" apt-get install -q -y --no-install-recommends
		-o Dpkg::Options::=--force-confold $missing)
	quietly "${command[@]}"
	# Later installations are not our business.
	if [ $fresh = yes ]
	then
		if [ -f "/usr/share/postgresql-common/${conf##*/}" ]
		then
			"${root[@]}" cp "/usr/share/postgresql-common/${conf##*/}" $conf
		else
			"${root[@]}" rm -f $conf
		fi
	fi
	missing=$(missing_packages "$@" | tr '\n' ' ')
	[ -z "$missing" ] || fail "still missing: $missing"
}

# pg_cron, where it can be had without asking; its tests are skipped without it.
install_pg_cron()
{
	local config major root=()
	config=$(find_postgres) || return 0
	major=$(major_of "$config")
	[ ! -f "$("$config" --pkglibdir)/pg_cron.so" ] || return 0
	[[ $config = /usr/lib/postgresql/* ]] && command -v apt-get >/dev/null || return 0
	if [ "$(id -u)" != 0 ]
	then
		sudo -n true 2>/dev/null || return 0
		root=(sudo -n)
	fi
	say "installing: postgresql-$major-cron"
	"${root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -q -y --no-install-recommends \
		"postgresql-$major-cron" >/dev/null 2>&1 ||
		say "no pg_cron: its tests will be skipped"
}

# ------------------------------------------------------- temporary directory

# Stop the servers below WORK, which are all ours.
stop_servers()
{
	local pidfile pid
	while IFS= read -r pidfile
	do
		pid=$(head -n 1 "$pidfile" 2>/dev/null)
		[ -n "$pid" ] && kill -QUIT "$pid" 2>/dev/null || continue
		for _ in $(seq 50)
		do
			kill -0 "$pid" 2>/dev/null || break
			sleep 0.1
		done
	done < <(find "$WORK" -name postmaster.pid 2>/dev/null)
}

clean_up()
{
	local status=$?
	trap - EXIT
	trap '' INT TERM HUP
	[ -n "$WORK" ] || exit $status
	cd /
	stop_servers
	rm -rf "$WORK"
	exit $status
}

# Servers refuse to run as root, and a build needs no more rights either.
choose_user()
{
	local user=postgres
	[ "$(id -u)" = 0 ] || return 0
	id $user >/dev/null 2>&1 || user=nobody
	if command -v setpriv >/dev/null
	then
		AS=(setpriv --reuid=$user --regid="$(id -g $user)" --init-groups)
	else
		AS=(runuser -u $user --)
	fi
	chown "$user" "$WORK"
}

make_workspace()
{
	local base=${TMPDIR:-/tmp}
	# The path of a socket has at most 107 bytes.
	[ ${#base} -le 40 ] || base=/tmp
	trap clean_up EXIT
	trap 'exit 129' HUP
	trap 'exit 130' INT
	trap 'exit 143' TERM
	WORK=$(mktemp -d "$base/rnnforecast.XXXXXX")
	choose_user
	# Root may read a checkout that the unprivileged user may not.
	tar -C "$ROOT" --exclude=./.git --exclude=./build --exclude=./bench \
		--exclude='*.o' --exclude='*.d' --exclude='*.so' --exclude='*.bc' \
		--exclude=./tmp_check --exclude=./results --exclude=./sql/rnnforecast--1.0.sql \
		-cf - . | (cd "$WORK" && umask 022 && "${AS[@]}" mkdir src server socket &&
		cd src && "${AS[@]}" tar -xf - --no-same-owner --no-same-permissions)
}

# ------------------------------------------------------------ build and start

# A server is relocatable: programs, libraries and data keep their places
# relative to each other.
copy_server()
{
	local config=$1 bindir program
	bindir=$("$config" --bindir)
	(
		cd /
		for program in postgres initdb pg_ctl psql pg_config pg_dump pg_dumpall \
			pg_restore pg_basebackup pg_isready pg_controldata pg_resetwal \
			pg_rewind pg_verifybackup pg_waldump pg_upgrade createdb dropdb \
			createuser vacuumdb pgbench
		do
			[ ! -e "$bindir/$program" ] || echo "$bindir/$program"
		done | sed 's|^/||' | "${AS[@]}" xargs cp -L --parents -t "$WORK/server"
		"${AS[@]}" cp -rL --parents "$("$config" --pkglibdir)" \
			"$("$config" --sharedir)" "$("$config" --includedir-server)" "$WORK/server"
	)
	BIN=$WORK/server$bindir
	# Ubuntu 22.04 has a pg_config that tells where it was before.
	[ "$("$BIN/pg_config" --bindir)" = "$BIN" ] ||
		"${AS[@]}" tee "$BIN/pg_config" >/dev/null <<-END
			#!/bin/sh
			# Places in the copy, all else from the original.
			case \$1 in
				--bindir | --pkglibdir | --sharedir | --includedir-server | --pgxs)
					echo "$WORK/server\$("$config" "\$1")" ;;
				*) exec "$config" "\$@" ;;
			esac
		END
}

# make for the private server, in the copy of the checkout.
make_here()
{
	as_user make -s PG_CONFIG="$BIN/pg_config" MKDIR_P='mkdir -p' INSTALL=install "${FLAGS[@]}" "$@"
}

build()
{
	quietly make_here -j "$(nproc)"
	quietly make_here install
}

start_server()
{
	quietly as_user "$BIN/initdb" -D "$WORK/data" -U postgres -A trust \
		--encoding=UTF8 --locale=C --no-sync
	as_user tee -a "$WORK/data/postgresql.conf" >/dev/null <<-CONF
		listen_addresses = ''
		unix_socket_directories = '$WORK/socket'
		fsync = off
		full_page_writes = off
		timezone = 'UTC'
		max_worker_processes = 16
		logging_collector = off
	CONF
	quietly as_user "${WRAP[@]}" "$BIN/pg_ctl" -D "$WORK/data" -l "$WORK/server.log" -w start
	export PGHOST=$WORK/socket PGUSER=postgres PGDATABASE=postgres
}

set_up()
{
	local config
	install_missing "$@"
	[ "${1:-}" != tests ] || install_pg_cron
	config=$(find_postgres) || fail "no PostgreSQL with its build files found"
	make_workspace
	say "building for $("$config" --version)"
	copy_server "$config"
	build
	start_server
}

# ------------------------------------------------------------------- tests

# "NAME: N passed, N failed" of each program
count_unit()
{
	sed -n 's/^[^ ]*: \([0-9]*\) passed, \([0-9]*\) failed.*/\1 \2/p' "$1" |
		awk '{ good += $1; bad += $2 } END { print good + 0, bad + 0 }'
}

# "test NAME ... ok 12 ms" up to PostgreSQL 15, "ok 1 - NAME 12 ms" since
count_regress()
{
	awk '/^(test|not ok|ok) / || /^ +[a-z_0-9]+ +\.\.\. / {
			if (/^ok / || / \.\.\. ok /) good++
			else if (/^not ok / || / \.\.\. FAILED/) bad++
		} END { print good + 0, bad + 0 }' "$1"
}

count_tap()
{
	awk '/^ok [0-9]/ { good++ } /^not ok [0-9]/ { bad++ }
		END { print good + 0, bad + 0 }' "$1"
}

# tally NAME LOG STATUS: sets good and bad to the tests of a suite that its log
# tells of.  One that broke off, or found no tests, has failed.
tally()
{
	read -r good bad < <("count_$1" "$2")
	[ "$bad" = 0 ] && { [ "$3" != 0 ] || [ "$good" = 0 ]; } || return 0
	echo "$1: status $3 without a failed test"
	bad=1
}
