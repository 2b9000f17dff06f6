#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# herd.sh: get herd7 into the cache, unless it is there, and print the path of a
# script that runs it.  Debian 12 has none, so it is a newer suite's, with the
# libraries and the loader of that suite beside it.

# shellcheck source-path=SCRIPTDIR/../selftests/vm
. "$(dirname "$0")/../selftests/vm/lib.sh"
. "$vm/apt.sh"

# The first suite with herdtools7; the kernel's memory model wants 7.58 or newer.
suite=${MPSLAB_HERD_SUITE:-forky}
dir=$cache/herd-$suite

get_herd() {
	local loader

	private_apt herd "$(debian_suite "$suite")"
	download "$dir" herdtools7 libc6 libgmp10
	loader=$(find "$dir/usr/lib" -name 'ld-linux*.so.*' -path '*-linux-gnu*' | sed -n 1p)
	[ -n "$loader" ] || die "no loader in libc6 of $suite"
	cat >"$dir/herd7" <<-END
		#!/bin/sh
		exec "$loader" --library-path "${loader%/*}" "$dir/usr/bin/herd7" \\
			-set-libdir "$dir/usr/share/herdtools7/herd" "\$@"
	END
	chmod +x "$dir/herd7"
	"$dir/herd7" -version >&2 || die "herd7 of $suite does not run here"
	complete "$dir" >/dev/null
}

if ! cached "herd-$suite" >/dev/null; then
	lock herd
	cached "herd-$suite" >/dev/null || get_herd
fi
printf '%s\n' "$dir/herd7"
