#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# scale.sh KERNEL INIT_ON_ALLOC WORKLOAD: count in a guest, with a plugin of
# QEMU's (qemu_counts.c), and print rows for the results.
#
#   scale     of 1, 2, 4... 64 CPUs on four nodes that do the same in turns: for
#             a pair of alloc and free its instructions, and per million pairs
#             locked instructions, spinlocks taken, those of them that are the
#             allocator's own, and lines written that another CPU wrote last
#   irqs_off  the longest stretch with interrupts off, and with a spinlock held,
#             of one CPU's operations, in instructions

# shellcheck source-path=SCRIPTDIR/../vm
. "$(dirname "$0")/../vm/lib.sh"

bench=$top/selftests/bench
[ $# -eq 3 ] || { sed -n 's/^# \{0,1\}//; 4,13p' "$0" >&2; exit 2; }
kernel=$1 init=$2 workload=$3 options=()
case $workload in
scale)	  cpus=64 options=(nodes=4 mem=4096) ;;
irqs_off) cpus=2 options=(nodes=1) ;;
*)	  die "scale.sh: what is $workload?" ;;
esac

need_packages "${build_packages[@]}"
plugin=$cache/qemu-counts-$(cat "$bench"/qemu_* "$bench/bench_marks.h" | sha256sum | cut -c 1-12).so
if [ ! -e "$plugin" ]; then
	gcc -O2 -Wall -fPIC -shared -fvisibility=hidden -o "$plugin.$$" "$bench/qemu_counts.c"
	mv "$plugin.$$" "$plugin"
fi

run=$(new_run)
"$vm/vm.sh" "$kernel" bench run="$run" plugin="$plugin" turns=1 smp="$cpus" "${options[@]}" \
	append=init_on_alloc="$init" scale_check "$workload" >&2

prefix=$kernel,$init,$cpus
tr -d '\r' <"$run/output" | sed -n 's/^symbol //p' | LC_ALL=C sort >"$run/symbols"
tr -d '\r' <"$run/output" | sed -n "s/^scale_/$prefix,&/p"
LC_ALL=C awk -f "$bench/counts.awk" -v prefix="$prefix" -v places="$run/places" \
	"$run/symbols" "$run/counts"
[ ! -s "$run/places" ] || say "where in the code these stretches begin: $run/places"
