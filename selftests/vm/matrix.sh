#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# matrix.sh [WORD...]: run suites and scripts on many kernels and machines, and
# write what came of it into the table of Documentation/testing.rst.  A word stands
# for the rows that have it in their name: `rt` is stock-6.12-rt and debug-7.3-rt; but
# the whole name of a row, with a = before it, for that row alone.
# Rows that do not run keep what the table says of them.

# shellcheck source-path=SCRIPTDIR
. "$(dirname "$0")/guests.sh"

table=$top/Documentation/testing.rst

# Where 64 CPUs take turns, all of them may stand still for seconds when one goes or
# comes, and so does who waits for an element; and 21 s of the clock, after which RCU
# complains, are not half a second of a CPU's.
in_turns="append=mpslab_soak.wait_ms=30000 append=rcupdate.rcu_cpu_stall_timeout=120"

# Where all takes 20 to 40 times as long, a task waits for a case for minutes.
patient="append=sysctl.kernel.hung_task_timeout_secs=1200"

# Name; kernel; jobs; options for vm.sh; what the row is about.  A row with options
# is for what they say only: a script that wants a guest of its own has had it in
# another row of the same kernel.
rows=(
	"stock-6.1;     stock;      selftests;       ; Debian 12"
	"stock-6.12;    next;       selftests;       ; Debian 12, newer"
	"stock-6.12-rt; rt;         selftests;       ; Debian 12, newer, PREEMPT_RT"
	"stock-6.1-i386;  deb-i386;  selftests;      nodes=1 mem=1536; Debian 12, 32-bit x86, highmem"
	"stock-6.1-arm64; deb-arm64; selftests;      nodes=2; Debian 12, 64-bit ARM"
	"stock-6.1-cpus-64;    stock; selftests;     smp=64 nodes=4 mem=4096 turns=1 $in_turns; Debian 12, 64 CPUs"
	"stock-6.1-memoryless; stock; selftests;     smp=6 nodes=3 bare=1 mem=1536; Debian 12, a node without memory"
	"uml-7.3;       uml;        kunit;           ; User Mode Linux, native speed"
	"ubsan-7.3;     ubsan;      kunit selftests; ; UBSAN"
	"ubsan-7.3-cpus-64;    ubsan; kunit;         smp=64 nodes=4 mem=4096 turns=1 $in_turns; UBSAN, 64 CPUs"
	"ubsan-7.3-memoryless; ubsan; kunit;         smp=6 nodes=3 bare=1 mem=1536; UBSAN, a node without memory"
	"debug-6.1;     debug-6.1;  kunit selftests; ; KASAN, lockdep, kmemleak, DEBUG_VM, DEBUG_OBJECTS"
	"debug-6.12;    debug-6.12; kunit selftests; ; KASAN, lockdep, kmemleak, DEBUG_VM, DEBUG_OBJECTS"
	"debug-7.3;     debug;      kunit selftests; ; KASAN, lockdep, kmemleak, DEBUG_VM, DEBUG_OBJECTS"
	"debug-7.3-rt;  rt-debug;   kunit selftests; ; PREEMPT_RT, lockdep"
	"kcsan-7.3;     kcsan;      kunit selftests; ; KCSAN, strict, weak memory"
	"kmsan-7.3;     kmsan;      kunit selftests; mem=3072 $patient; KMSAN"
	"i386-7.3;      i386;       kunit;           nodes=1 mem=1536; 32-bit x86, highmem, UBSAN"
	"arm64-7.3;     arm64;      kunit;           nodes=2; 64-bit ARM"
)

# field ROW NUMBER: one part of a row, without the spaces around it.
field() {
	cut -d ';' -f "$2" <<<"$1" | sed 's/^ *//; s/ *$//'
}

# wanted NAME WORD...: is the row one of those asked for?  All are without a word.
wanted() {
	local word
	[ $# -gt 1 ] || return 0
	for word in "${@:2}"; do
		[[ -$1- != *-$word-* && =$1 != "$word" ]] || return 0
	done
	return 1
}

# kernel_of NAME: its version, as its configuration has it.
kernel_of() {
	sed -n '3s/^# [^ ]* \([^ ]*\) Kernel Configuration$/\1/p' "$("$vm/kernel.sh" "$1")/build/.config"
}

# counts: what the guests since the last time came to, as the table has it.
counts() {
	echo "$passed/$failed/$skipped"
}

add_up() {
	all_passed=$((all_passed + passed)) all_failed=$((all_failed + failed))
	all_skipped=$((all_skipped + skipped))
	passed=0 failed=0 skipped=0
}

# run_row ROW: a line of the table goes to $results.
run_row() {
	local name kernel jobs options about kunit=none scripts=none more=() script
	local limit machine version clean=yes smp=4 nodes=2 word

	name=$(field "$1" 1) kernel=$(field "$1" 2) jobs=$(field "$1" 3)
	read -ra options <<<"$(field "$1" 4)"
	# For a host that has other work to do, too.
	limit=limit=3600
	about=$(field "$1" 5)
	echo
	echo "== $name: $about"
	unclean=0
	version=$(kernel_of "$kernel") || version=''
	[ -n "$version" ] || { version=unbuilt jobs='' failed=1 unclean=1; add_up; }
	if [[ " $jobs " = *" kunit "* ]]; then
		guest "$kernel" kunit "$limit" "${options[@]}"
		kunit=$(counts)
		add_up
	fi
	if [[ " $jobs " = *" selftests "* ]]; then
		guest "$kernel" selftests "$limit" "${options[@]}" "${shared_scripts[@]}"
		[[ $about != *KASAN* ]] || more=(mem=240)
		for script in "${own_scripts[@]}"; do
			[ ${#options[@]} -gt 0 ] || own_guest "$kernel" "$script" "$limit" "${more[@]}"
		done
		scripts=$(counts)
		add_up
	fi
	[ $unclean -eq 0 ] || clean=no
	[ "$kernel" != uml ] || smp=2 nodes=1
	for word in "${options[@]}"; do
		[[ $word != @(smp|nodes)=* ]] || declare "$word"
	done
	machine="$smp, $nodes"
	echo "$name|$version|$about|$machine|$kunit|$scripts|$clean" >>"$results"
}

# The rows that the table has now, but for its head and for those that were not run.
old_rows() {
	sed -n '/^\.\. matrix begins/,/^\.\. matrix ends/p' "$table" |
		sed -e '1,/^Row /d' -e '/^\.\. matrix/d' -e '/^=/d' -e '/^$/d' -e 's/   */|/g' \
			-e '/|not run|not run|/d'
}

# The lines of the table, in the order of the rows above: new ones, else old ones.
all_rows() {
	local row name
	echo "Row|Kernel|What is on|CPUs, nodes|KUnit|Scripts|Log clean"
	for row in "${rows[@]}"; do
		name=$(field "$row" 1)
		{ cat "$results"; old_rows; echo "$name|-|$(field "$row" 5)|-|not run|not run|-"; } |
			awk -F '|' -v name="$name" '$1 == name && !seen++'
	done
}

# As reStructuredText, columns as wide as they need to be.
layout() {
	awk -F '|' '
	{
		for (i = 1; i <= NF; i++) {
			cell[NR, i] = $i
			if (length($i) > width[i])
				width[i] = length($i)
		}
		columns = NF
	}
	function rule(    i, j, text) {
		for (i = 1; i <= columns; i++) {
			for (j = 0; j < width[i]; j++)
				text = text "="
			text = text (i < columns ? "  " : "")
		}
		print text
	}
	END {
		rule()
		for (row = 1; row <= NR; row++) {
			text = ""
			for (i = 1; i <= columns; i++)
				text = text sprintf("%-" (width[i] + 2) "s", cell[row, i])
			sub(/ +$/, "", text)
			print text
			if (row == 1)
				rule()
		}
		rule()
	}'
}

update_table() {
	all_rows | layout >"$runs/table"
	awk -v new="$runs/table" '
	/^\.\. matrix ends/ { old = 0 }
	!old
	/^\.\. matrix begins/ {
		print ""
		while ((getline line <new) > 0)
			print line
		print ""
		old = 1
	}' "$table" >"$runs/document"
	cat "$runs/document" >"$table"
}

find_scripts
results=$runs/rows
: >"$results"
all_passed=0 all_failed=0 all_skipped=0
for row in "${rows[@]}"; do
	wanted "$(field "$row" 1)" "$@" || continue
	run_row "$row"
	update_table	# now, as the next may take an hour
done

echo
echo "$all_passed passed, $all_failed failed, $all_skipped skipped"
[ $all_failed -eq 0 ] && [ $all_passed -gt 0 ]
