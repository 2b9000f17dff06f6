#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# The modules come and go a hundred times, under load too, and leave nothing.

# shellcheck disable=SC2317 # the cases are called by name
. ./ktap_helpers.sh
. ./common.sh

rounds=100
# By then the kernel has all that it keeps from the first times.
settled=50

# one_round NUMBER: three of four are unloaded in the midst of their work.
one_round() {
	load_modules || return
	echo 8 >"$client/load" || return
	case $(($1 % 4)) in
	0)
		progress_within 10 || return
		;;
	1)
		stop_load || return
		;;
	2)
		echo fail >"$client/backend" || return
		;;
	3)
		echo 4 >"$client/hold" || return
		echo leaky >"$client/extra_create" || return
		echo 1 >"$client/extra_leak" || return
		;;
	esac
	unload_modules
}

in_use_module_stays() {
	load_modules || return
	if rmmod mpslab 2>/dev/null; then
		echo "# mpslab could be unloaded under its client"
		return 1
	fi
	unload_modules
}

many_rounds() {
	round=0
	while [ "$round" -lt "$rounds" ]; do
		one_round "$round" || {
			echo "# round $round"
			return 1
		}
		round=$((round + 1))
		[ "$round" -ne "$settled" ] || {
			slabs=$(slab_kb)
			percpu=$(percpu_kb)
		}
	done
}

# leaves_nothing FILE: no line about us.
leaves_nothing() {
	! grep mpslab "$1"
}

no_directories() {
	[ ! -e "$mpslab" ] && [ ! -e "$client" ]
}

# Less than a page for two rounds: what the kernel has of kmalloc() varies.
no_slabs_lost() {
	lost=$(($(slab_kb) - slabs))
	echo "# $lost KiB in slabs more than after round $settled"
	[ "$lost" -lt $((2 * (rounds - settled))) ]
}

no_percpu_lost() {
	lost=$(($(percpu_kb) - percpu))
	echo "# $lost kB per-CPU memory more than after round $settled"
	[ "$lost" -lt $((rounds - settled)) ]
}

ktap_print_header
ktap_set_plan 9
ktap_test_result "a module with clients stays" in_use_module_stays
ktap_test_result "both load and unload $rounds times, also under load" many_rounds
ktap_test_result "no module remains" leaves_nothing /proc/modules
ktap_test_result "no cache remains in the kernel's slabinfo" leaves_nothing /proc/slabinfo
ktap_test_result "no CPU hotplug state remains" leaves_nothing /sys/devices/system/cpu/hotplug/states
ktap_test_result "no directory remains in debugfs" no_directories
if grep -q ' kasan_report$' /proc/kallsyms; then
	ktap_test_skip "no slab pages are lost" "KASAN keeps what was freed"
else
	ktap_test_result "no slab pages are lost" no_slabs_lost
fi
ktap_test_result "no per-CPU memory is lost" no_percpu_lost
ktap_test_result "the kernel has nothing to complain about" no_complaints
ktap_finished
