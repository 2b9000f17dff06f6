#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# bench.sh quick   count instructions on the stock kernel, and compare with
#                  baseline.csv; ACCEPT=1 makes what was counted the new one
# bench.sh full    measure all; into the directory BENCH_DIR= go
#
#   results.csv   kernel,init_on_alloc,cpus,workload,size,n,allocator,value,unit
#   summary.txt   where it was measured, and the table of what is to be reached
#   *.svg         pictures
#   guests        what each guest left
#
# KERNELS= names the kernels of a full run, or some of them.

# shellcheck source-path=SCRIPTDIR/../vm
. "$(dirname "$0")/../vm/lib.sh"

bench=$top/selftests/bench
mode=${1:-}
status=0

# Of one CPU, in instructions: everything that needs neither a clock nor another
# CPU.
counted=(pair zalloc softirq burst bulk live pool reserve)

# rows INIT_ON_ALLOC CPUS KERNEL: a guest's rows as those of the results.
rows() {
	awk -v OFS=, -v prefix="$3,$1,$2" '
		/^[a-z_]+,[0-9]+,[0-9]+,[a-z_]+,[0-9.]+,[a-zA-Z_]+\r?$/ {
			sub(/\r$/, "")
			print prefix, $0
		}'
}

# guest KERNEL INIT_ON_ALLOC CPUS [OPTION=VALUE...] WORKLOAD...: boot it, and add
# its rows to the results.  What a guest that fails has measured until then is
# taken; the run as a whole has failed.
guest() {
	local kernel=$1 init=$2 cpus=$3 run start=$SECONDS
	shift 3

	run=$(mktemp -d "$dir/guests/$kernel-$init-$cpus-XXXX")
	printf '%s, init_on_alloc=%s, %s CPU(s): %s\n' "$kernel" "$init" "$cpus" "$*" >&2
	"$vm/vm.sh" "$kernel" bench run="$run" smp="$cpus" nodes=1 \
		append=init_on_alloc="$init" "$@" >&2 || status=1
	[ -s "$run/output" ] || return 0
	rows "$init" "$cpus" "$kernel" <"$run/output" >>"$results"
	grep -a '^#' "$run/output" | tr -d '\r' | sort -u >>"$dir/notes"
	say "  $((SECONDS - start)) s"
}

begin() {
	dir=$1
	results=$dir/results.csv
	rm -rf "$dir/guests"
	mkdir -p "$dir/guests"
	: >"$dir/notes"
	echo "kernel,init_on_alloc,cpus,workload,size,n,allocator,value,unit" >"$results"
}

quick() {
	local baseline=$bench/baseline.csv

	begin "$(new_run)"
	guest stock 0 1 icount=1 "${counted[@]}"
	guest stock 1 1 icount=1 pair
	[ $status -eq 0 ] || die "not measured: see above"
	awk -f "$bench/compare.awk" "$baseline" "$results" || status=1
	if [ -n "${ACCEPT:-}" ]; then
		{
			sed 's/^#/# Counted on/; s/Counted on kernel/Counted on/' "$dir/notes" | sed -n 1p
			cat "$results"
		} >"$baseline"
		echo "These are now the baseline: commit ${baseline#"$top/"}."
		status=0
	elif [ $status -ne 0 ]; then
		echo "If it is meant to be so: make bench-quick ACCEPT=1, and commit the new baseline."
	fi
}

case $mode in
quick)	quick ;;
full)	die "not yet" ;;
*)	sed -n 's/^# \{0,1\}//; 4,13p' "$0" >&2; exit 2 ;;
esac
exit $status
