#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# dropin.sh DIR [VARIABLE=VALUE...]: build the modules of a directory on mpslab,
# their sources as they are, and print which calls became mpslab's and which stayed
# the kernel's.  VARIABLEs are for kbuild.
#
#   KDIR=	the kernel's headers
#   MPSLAB=	where mpslab was built for it: Module.symvers is there

set -euo pipefail

top=$(cd "$(dirname "$0")/../.." && pwd)
say() { printf '%s\n' "$*" >&2; }

[ -d "${1:-}" ] || { say "dropin: MODULE= names the directory of a module's sources"; exit 2; }
module=$(realpath "$1")
shift
kdir=${KDIR:-/lib/modules/$(uname -r)/build}
symvers=${MPSLAB:-$top}/Module.symvers
[ -s "$symvers" ] || { say "dropin: no $symvers: build mpslab first"; exit 1; }

# A directory of the kernel's tree may look for its own headers by $(srctree)/$(src),
# which is nowhere when it is built by itself.
flags=(-include "$top/mpslab_dropin.h" -I"$top")
# And headers in include/trace/events look for some from there.
events=$module/../../include/trace/events
[ ! -d "$events" ] || flags+=("-I$events")
while IFS= read -r dir; do
	flags+=("-I$dir")
done < <(find "$module" -name '*.h' -printf '%h\n' | sort -u)

make -C "$kdir" M="$module" KCFLAGS="${flags[*]}" KBUILD_EXTRA_SYMBOLS="$symvers" \
	-j"${JOBS:-$(nproc)}" "$@" modules

# What the linker is to fill in: a line for each place that names a function.
references() {
	readelf -rW "$1" | awk '$3 ~ /^R_/ { print $5 }' |
		grep -E '^(mpslab_|_*kmem_cache_|mempool_|bioset_|k?v?z?k?free(_|$)|k?vfree_|kfree_|ksize|krealloc|kvfree)' |
		sort | uniq -c | sort -rn || :
}

find "$module" -name '*.ko' | sort | while IFS= read -r ko; do
	echo
	echo "${ko#"$module"/}:"
	references "$ko" | awk '
		$2 ~ /^mpslab_/ { ours = ours sprintf("    %6d  %s\n", $1, $2); next }
		{ theirs = theirs sprintf("    %6d  %s\n", $1, $2) }
		END {
			printf "  calls that are mpslab'"'"'s:\n%s", ours ? ours : "      none\n"
			printf "  calls that stayed the kernel'"'"'s:\n%s", theirs ? theirs : "      none\n"
		}'
done
