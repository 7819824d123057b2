# chroot.sh: bare Debian systems for tools/try-readme and its like.
#
#	WORK		a temporary directory, removed at the end
#	bare SUITE DIR	debootstrap's smallest system in DIR
#	inside DIR COMMAND...	run a command in it, as root
#
# Each command has processes and mounts of its own: none of them outlives it.
# A system that was made before is copied from $RNN_BASES/SUITE, where that is set.

[ "$(id -u)" = 0 ] || { echo "${0##*/} needs root, for chroot" >&2; exit 1; }
command -v debootstrap >/dev/null || { echo "missing: debootstrap" >&2; exit 1; }
ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
WORK=$(mktemp -d "${TMPDIR:-/tmp}/rnnforecast.XXXXXX")
trap 'rm -rf --one-file-system "$WORK"' EXIT
trap 'exit 130' INT TERM HUP
export LC_ALL=C.UTF-8 DEBIAN_FRONTEND=noninteractive
unset PGHOST PGPORT PGUSER PGDATABASE TMPDIR

say()
{
	printf '%s\n' "== $*"
}

# Questions of apt are answered with yes, mirrors may be frozen, and packages start their servers
# though there is no init.
bare()
{
	local mirror=${MIRROR:-http://deb.debian.org/debian} script=
	# What debootstrap does not know yet is made as sid is.
	[ -e "/usr/share/debootstrap/scripts/$1" ] || script=/usr/share/debootstrap/scripts/sid
	if [ -n "${RNN_BASES:-}" ] && [ -d "$RNN_BASES/$1" ]
	then
		cp -a "$RNN_BASES/$1" "$2"
	else
		debootstrap --variant=minbase "$1" "$2" "$mirror" $script >"$WORK/debootstrap.log" 2>&1 ||
			{ tail "$WORK/debootstrap.log"; return 1; }
	fi
	printf '%s\n' 'APT::Get::Assume-Yes "true";' 'Acquire::Check-Valid-Until "false";' >"$2/etc/apt/apt.conf.d/90yes"
	echo force-unsafe-io >"$2/etc/dpkg/dpkg.cfg.d/unsafe-io"
	printf '#!/bin/sh\nexit 0\n' >"$2/usr/sbin/policy-rc.d"
	chmod 755 "$2/usr/sbin/policy-rc.d"
	cp /etc/resolv.conf "$2/etc/resolv.conf"
	echo "127.0.0.1 localhost $(hostname)" >"$2/etc/hosts"
}

inside()
{
	local root=$1
	shift
	unshare --mount --pid --fork --kill-child chroot "$root" /bin/sh -c \
		'mount -t proc proc /proc && mount -t tmpfs tmpfs /dev/shm && exec "$@"' sh "$@"
}

# The committed files as a repository in the system $1, /srv/rnnforecast.git.
repository()
{
	git -c safe.directory='*' clone -q --bare --depth 1 "file://$ROOT" "$1/srv/rnnforecast.git"
}
