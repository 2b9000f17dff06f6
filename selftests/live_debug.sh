#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# Debugging is switched on for a cache while a driver uses it, shows who has its
# objects, and is switched off; a leak is traced to who made it.

# shellcheck disable=SC2317 # the cases are called by name
. ./ktap_helpers.sh
. ./common.sh

# Tables of stacks, whoever made them: there is one for all, and for good.
depots() {
	dmesg | grep -ciE 'stack ?depot.*hash table'
}

loading_needs_no_place_for_stacks() {
	depots_before=$(depots)
	load_modules && [ "$(depots)" -le "$depots_before" ]
}

# The second line of the balance, as it is now.
says() {
	grep -q "$1" "$cache/balance"
}

switched_on_under_load() {
	load_runs 16 || return
	says 'not looked at' || return
	echo 'FZPU' >"$cache/debug" || return
	[ "$(cat "$cache/debug")" = 'FZPU sample=1' ] && says 'objects looked at' &&
		progress_within 20 && ! says 'debugged slabs 0,'
}

names_the_client() {
	grep -q '^[1-9][0-9]* objects, age [0-9]* \.\. [0-9]* us, pid .*, cpus' "$1" &&
		grep -q '\[mpslab_client\]' "$1"
}

# What is in use under load, with the client's own functions in the stacks.
traces_name_the_client() {
	cp "$cache/alloc_traces" /tmp/allocs && cp "$cache/free_traces" /tmp/frees &&
		cp "$cache/leaks" /tmp/leaks || return
	for file in /tmp/allocs /tmp/frees /tmp/leaks; do
		names_the_client "$file" || return
	done
}

# At one instant, nothing may be in use.
who_has_objects_is_shown() {
	wait_until 20 traces_name_the_client && return
	sed 's/^/# /' /tmp/allocs /tmp/frees /tmp/leaks
	return 1
}

no_address_is_shown() {
	! grep -E '0x[0-9a-f]{8}|[0-9a-f]{16}' /tmp/allocs /tmp/frees /tmp/leaks
}

everything_is_sound() {
	cat "$cache/validate"
	grep -q ', wrong 0$' "$cache/validate" && balanced &&
		[ "$(awk '{ sum += $NF } END { print sum }' "$cache/errors")" = 0 ]
}

sampling_is_set() {
	echo 'U sample=16' >"$cache/debug" && progress_within 20 &&
		[ "$(cat "$cache/debug")" = 'U sample=16' ]
}

one_shrink_lets_it_go() {
	echo 1 >"$cache/shrink" && sleep 0.2 && says 'not looked at'
}

# When the driver has given back its last object of a debugged slab.
switched_off_it_ages_out() {
	echo - >"$cache/debug" && progress_within 20 && nothing_lost || return
	wait_until 30 one_shrink_lets_it_go && says 'debugged slabs 0,'
}

refcnt() {
	cat /sys/module/mpslab/refcnt
}

leak_is_shown() {
	without_it=$(refcnt)
	echo leaky >"$client/extra_create" || return
	echo U >"$mpslab/caches/leaky/debug" || return
	echo 1 >"$client/extra_leak" || return
	cat "$mpslab/caches/leaky/leaks"
	grep -q '^1 objects, age ' "$mpslab/caches/leaky/leaks" &&
		grep -q 'extra_leak_set.*\[mpslab_client\]' "$mpslab/caches/leaky/leaks"
}

destroying_it_says_who() {
	echo 1 >"$client/extra_destroy" || return
	kernel_log | grep -q 'mpslab: BUG leaky: destroyed with 1 object' &&
		kernel_log | grep -q 'mpslab: *extra_leak_set.*\[mpslab_client\]' &&
		kernel_log | grep -q 'mpslab: FIX leaky: cache kept'
}

# The client needs the module, too, but may forget its cache when it goes.
module_stays_while_it_is_there() {
	[ "$(refcnt)" -gt "$without_it" ]
}

it_goes_when_the_object_is_freed() {
	echo 0 >"$client/extra_leak" && echo 1 >"$client/extra_destroy" &&
		[ ! -e "$mpslab/caches/leaky" ] && [ "$(refcnt)" -eq "$without_it" ]
}

nothing_else_is_reported() {
	! complaints | grep -v 'mpslab: \(BUG\|FIX\) leaky'
}

parameter_chooses_by_name() {
	unload_modules && insmod "$MODS/mpslab.ko" debug='FZ,none;PU,sample=3,mpslab_*' &&
		insmod "$MODS/mpslab_client.ko" || return
	[ "$(cat "$cache/debug")" = 'PU sample=3' ] && load_runs 16 && nothing_lost &&
		grep -q ', wrong 0$' "$cache/validate"
}

ktap_print_header
ktap_set_plan 14
ktap_test_result "the modules load, and need no place for stacks" \
	loading_needs_no_place_for_stacks
ktap_test_result "debugging is switched on under load" switched_on_under_load
ktap_test_result "who has objects is shown" who_has_objects_is_shown
ktap_test_result "no address is shown" no_address_is_shown
ktap_test_result "everything is sound" everything_is_sound
ktap_test_result "sampling is set" sampling_is_set
ktap_test_result "switched off it ages out" switched_off_it_ages_out
ktap_test_result "a leak is shown" leak_is_shown
ktap_test_result "destroying the cache says who" destroying_it_says_who
ktap_test_result "the module stays while it is there" module_stays_while_it_is_there
ktap_test_result "the cache goes when the object is freed" it_goes_when_the_object_is_freed
ktap_test_result "nothing else is reported" nothing_else_is_reported
ktap_test_result "a module parameter chooses by name" parameter_chooses_by_name
ktap_test_result "the modules unload" unload_modules
ktap_finished
