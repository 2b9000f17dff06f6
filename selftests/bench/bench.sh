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
#
# bench.sh report  make summary and pictures again, from the results
# bench.sh publish put both into Documentation/

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
	tr -d '\r' <"$run/output" | sed -n '/^#/p' >>"$dir/notes"
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
	guest stock 0 1 icount=1 "${counted[@]}" debug
	guest stock 1 1 icount=1 pair
	[ $status -eq 0 ] || die "not measured: see above"
	awk -f "$bench/compare.awk" "$baseline" "$results" || status=1
	if [ -n "${ACCEPT:-}" ]; then
		{
			sed -n 's/^# kernel/# Counted on/p' "$dir/notes" | sed -n 1p
			cat "$results"
		} >"$baseline"
		echo "These are now the baseline: commit ${baseline#"$top/"}."
		status=0
	elif [ $status -ne 0 ]; then
		echo "If it is meant to be so: make bench-quick ACCEPT=1, and commit the new baseline."
	fi
}

# What the guests said of themselves, and of kernels whose figures mean nothing.
machine() {
	local commit

	commit=$(git -C "$top" describe --always --dirty 2>/dev/null || echo unknown)
	echo "mpslab's benchmark of commit $commit, $(date -u +%F)"
	echo "on $(sed -n 's/^model name[^:]*: //p' /proc/cpuinfo | sed -n 1p), $(nproc) CPUs," \
		"$(awk '/^MemTotal/ { printf "%d MiB", $2 / 1024 }' /proc/meminfo)," \
		"Linux $(uname -r)"
	echo "figures of one CPU are instructions, but for native: nanoseconds"
	echo "kernels: $(sed -n 's/^# kernel \([^,]*\),.*/\1/p' "$dir/notes" | sort -uV | paste -sd' ')"
	sed '/^# kernel/d' "$dir/notes" | sort -u
	echo
}

# Room for a million objects of the largest size, twice, or for fewer of them.
memory() {
	local mem objects=1000000 have

	have=$(awk '/^MemAvailable/ { print int($2 / 1024) - 1024 }' /proc/meminfo)
	mem=10240
	[ "$have" -ge "$mem" ] || mem=$have objects=$(((have - 512) * 100))
	guest "$1" 0 2 limit=1800 mem="$mem" append=mpslab_bench.memory_objects=$objects memory
}

counts() {
	say "$1: $2"
	"$bench/scale.sh" "$1" 0 "$2" >>"$results" || status=1
}

full() {
	local kernel start=$SECONDS

	need_packages gnuplot-nox
	begin "$(realpath -m "${BENCH_DIR:-$top/bench-results}")"
	for kernel in ${KERNELS:-stock next slab hard native}; do
		if [ "$kernel" = native ]; then
			guest native 0 2 "${counted[@]}" ring debug
			guest native 1 2 "${counted[@]}" ring
			[ "$(nproc)" -lt 4 ] || guest native 0 4 ring
			guest native 0 2 wait
		else
			guest "$kernel" 0 1 icount=1 "${counted[@]}" debug
			guest "$kernel" 1 1 icount=1 "${counted[@]}"
		fi
		case $kernel in native|stock) memory "$kernel" ;; esac
		case $kernel in stock|hard) counts "$kernel" scale; counts "$kernel" irqs_off ;; esac
	done
	report
	say "all of it is in $dir, after $(((SECONDS - start) / 60)) minutes"
}

# From the results alone, so that it can be had again.
report() {
	{
		machine
		awk -f "$bench/summary.awk" "$results"
	} >"$dir/summary.txt"
	gnuplot -e "csv='$results'; dir='$dir'" "$bench/plots.gp" 2>"$dir/guests/gnuplot" || {
		cat "$dir/guests/gnuplot" >&2
		status=1
	}
	cat "$dir/summary.txt"
}

publish() {
	local doc=$top/Documentation/performance.rst

	[ -s "$dir/summary.txt" ] || die "no summary in $dir: make bench leaves one"
	mkdir -p "$top/Documentation/pictures"
	cp "$dir"/*.svg "$top/Documentation/pictures/"
	awk -v summary="$dir/summary.txt" '
		/^\.\. figures end/ { skip = 0 }
		!skip
		/^\.\. figures begin/ {
			skip = 1
			print "\n::\n"
			while ((getline line <summary) > 0)
				print line == "" ? "" : "    " line
			print ""
		}' "$doc" >"$doc.new"
	mv "$doc.new" "$doc"
}

case $mode in
quick)	quick ;;
full)	full ;;
report)
	dir=$(realpath -m "${BENCH_DIR:-$top/bench-results}")
	results=$dir/results.csv
	report
	;;
publish)
	dir=$(realpath -m "${BENCH_DIR:-$top/bench-results}")
	publish
	;;
*)	sed -n 's/^# \{0,1\}//; 4,16p' "$0" >&2; exit 2 ;;
esac
exit $status
