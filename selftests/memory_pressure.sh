#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# vm: mem=192M smp=2
#
# Something eats all memory, so that the cache can't grow: the pool goes on with
# its reserve, and no allocation from it fails.

# shellcheck disable=SC2317 # the cases are called by name
. ./ktap_helpers.sh
. ./common.sh

free_kb() {
	awk '$1 == "MemFree:" { print $2 }' /proc/meminfo
}

is_small() {
	echo "# $(free_kb) kB are free"
	[ "$(free_kb)" -lt 262144 ]
}

# Three times, as the reserve has to become full again in between.
squeeze() {
	for ms in 2000 2000 4000; do
		echo "$ms" >"$client/squeeze" || return
		progress_within 20 || return
	done
}

# Without these the test would have tested nothing.
memory_was_short() {
	echo "# $(value "$client/stats" squeeze_pages) pages were eaten;" \
		"the backend failed $(value "$client/stats" backend_failed) times"
	[ "$(value "$client/stats" squeeze_pages)" -gt 10000 ] &&
		[ "$(value "$client/stats" backend_failed)" -gt 100 ]
}

the_reserve_served() {
	echo "# the reserve served $(value "$pool/stats" reserve_allocs) of" \
		"$(value "$client/stats" submitted) requests," \
		"$(value "$pool/stats" waits) after a wait"
	[ "$(value "$pool/stats" reserve_allocs)" -gt 100 ]
}

requests_went_on() {
	echo "# $(value "$client/stats" squeeze_done) requests without memory"
	[ "$(value "$client/stats" squeeze_done)" -gt 1000 ]
}

no_allocation_failed() {
	[ "$(value "$client/stats" alloc_failed)" -eq 0 ]
}

# A second is far more than a request takes, even in a slow guest.
no_wait_was_long() {
	echo "# the longest wait was $(value "$pool/stats" longest_wait_us) us," \
		"the longest allocation $(value "$client/stats" longest_alloc_us) us"
	[ "$(value "$pool/stats" longest_wait_us)" -lt 1000000 ]
}

reserve_is_full_again() {
	stop_load && [ "$(value "$pool/stats" curr_nr)" -eq "$(cat "$pool/min_nr")" ] &&
		[ "$(value "$pool/stats" waiters)" -eq 0 ]
}

# With memory, the cache grows as before.
grows_again() {
	from_reserve=$(value "$pool/stats" reserve_allocs)
	echo 1 >"$cache/shrink" && echo 64 >"$client/load" && progress_within 20 &&
		[ "$(value "$pool/stats" reserve_allocs)" -eq "$from_reserve" ]
}

nothing_lost_and_balanced() {
	nothing_lost && balanced
}

ktap_print_header
ktap_set_plan 14
ktap_test_result "the guest is small" is_small
ktap_test_result "the modules load" load_modules payload=2000
ktap_test_result "the load runs" load_runs 64
ktap_test_result "memory is eaten three times, and the load survives" squeeze
ktap_test_result "memory was short" memory_was_short
ktap_test_result "the reserve served" the_reserve_served
ktap_test_result "requests went on" requests_went_on
ktap_test_result "no allocation failed" no_allocation_failed
ktap_test_result "no wait was long" no_wait_was_long
ktap_test_result "the reserve is full again" reserve_is_full_again
ktap_test_result "the cache grows again" grows_again
ktap_test_result "no request is lost, and the balance is right" nothing_lost_and_balanced
ktap_test_result "the kernel has nothing to complain about" no_complaints
ktap_test_result "the modules unload" unload_modules
ktap_finished
