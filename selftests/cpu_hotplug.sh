#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# CPUs go and come under load: what lies in their arrays is not lost.

# shellcheck disable=SC2317 # the cases are called by name
. ./ktap_helpers.sh
. ./common.sh

rounds=3 most=8
# All but the first; on a machine of many no more than $most, of all its nodes.
cpus=$(find /sys/devices/system/cpu/cpu[1-9]*/online 2>/dev/null |
	sed 's:/online::; s:.*/cpu::' | sort -n |
	awk -v most=$most '{ cpu[NR] = $1 }
		END { for (i = NR; i >= 1; i -= NR > most ? NR / most : 1) print cpu[int(i)] }')

set_online() {
	echo "$2" >"/sys/devices/system/cpu/cpu$1/online"
}

# column CPU NAME: from the table of the CPUs' arrays.
column() {
	awk -v cpu="$1" -v name="$2" '
		NR == 1 { for (i = 1; i <= NF; i++) if ($i == name) col = i }
		NR > 1 && $1 == cpu { print $col }' "$cache/cpus"
}

works_on() {
	[ "$(column "$1" allocs)" -gt "$allocs_before" ]
}

# A CPU that comes gets its thread back, and works.
comes_back() {
	allocs_before=$(column "$1" allocs)
	set_online "$1" 1 && wait_until 20 works_on "$1" && balanced
}

# The dead CPU holds nothing, nothing is lost, and the others go on.
goes() {
	set_online "$1" 0 || return
	if [ "$(column "$1" avail)" != 0 ] || [ "$(column "$1" alien)" != 0 ]; then
		echo "# CPU $1 is dead and has objects:"
		sed 's/^/# /' "$cache/cpus"
		return 1
	fi
	balanced && progress_within 20
}

each_goes_and_comes() {
	round=0
	while [ "$round" -lt "$rounds" ]; do
		for cpu in $cpus; do
			if ! goes "$cpu" || ! comes_back "$cpu"; then
				echo "# CPU $cpu, round $round"
				return 1
			fi
		done
		round=$((round + 1))
	done
}

# All of them at once, and then back, with the arrays being resized meanwhile.
all_go_and_come() {
	for cpu in $cpus; do
		goes "$cpu" || return
		echo $((60 + cpu)) >"$cache/limit" || return
	done
	for cpu in $cpus; do
		comes_back "$cpu" || return
	done
}

# The counts of a CPU that was dead are still there.
counts_survive() {
	for cpu in $cpus; do
		allocs_before=$(column "$cpu" allocs)
		set_online "$cpu" 0 || return
		# It worked until it went, so not less; and nothing since.
		allocs_dead=$(column "$cpu" allocs)
		sleep 1
		[ "$allocs_dead" -ge "$allocs_before" ] || return
		[ "$(column "$cpu" allocs)" -eq "$allocs_dead" ] || return
		set_online "$cpu" 1 || return
	done
}

# Objects of a reserve that nothing refills survive too.
goes_without_backend() {
	echo fail >"$client/backend" || return
	for cpu in $cpus; do
		goes "$cpu" || return
		comes_back_idle "$cpu" || return
	done
	echo open >"$client/backend"
}

comes_back_idle() {
	set_online "$1" 1 && balanced && progress_within 20
}

ktap_print_header
[ -n "$cpus" ] || ktap_skip_all "no CPU can go offline"
ktap_set_plan 9
ktap_test_result "the modules load" load_modules
ktap_test_result "the load runs" load_runs 32
ktap_test_result "each CPU goes and comes, $rounds times" each_goes_and_comes
ktap_test_result "all of these go and come, and arrays are resized" all_go_and_come
ktap_test_result "the counts of a dead CPU survive" counts_survive
ktap_test_result "CPUs go and come while only the reserve serves" goes_without_backend
ktap_test_result "no request is lost" nothing_lost
ktap_test_result "the kernel has nothing to complain about" no_complaints
ktap_test_result "the modules unload" unload_modules
ktap_finished
