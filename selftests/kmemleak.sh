#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# The kernel's leak detector knows each object: those that a driver has lost, with
# who allocated them, are in its list, and nothing else is.

# shellcheck disable=SC2317 # the cases are called by name
. ./ktap_helpers.sh
. ./common.sh

kmemleak=$debug/kmemleak
lost=64

# An object must be 5 s old, and the same in two scans.
scan() {
	sleep 6
	echo scan >"$kmemleak" && sleep 2 && echo scan >"$kmemleak" && cat "$kmemleak" >/tmp/found
}

# Each report begins with what it is about, and goes on with the stack.
found_of_driver() {
	awk '/^unreferenced object/ { new = / \(size 128\):/ }
		new && /\[mpslab_client\]/ { n++; new = 0 }
		END { print n + 0 }' /tmp/found
}

driver_loses_objects() {
	echo clear >"$kmemleak" && load_modules && echo lossy >"$client/extra_create" &&
		echo "$lost" >"$client/extra_leak"
}

# A stale copy of an address or two may lie on a stack, and hide its object.
lost_objects_are_found() {
	scan || return
	ktap_print_msg "$(found_of_driver) of $lost were found"
	[ "$(found_of_driver)" -ge $((lost - 4)) ] &&
		[ "$(found_of_driver)" -le "$lost" ]
}

nothing_else_is_found() {
	[ "$(grep -c '^unreferenced object' /tmp/found)" -eq "$(found_of_driver)" ] ||
		{ sed 's/^/# /' /tmp/found; return 1; }
}

freed_ones_are_not_found() {
	echo 0 >"$client/extra_leak" && echo 1 >"$client/extra_destroy" &&
		load_runs 16 && nothing_lost && scan || return
	[ ! -s /tmp/found ] || { sed 's/^/# /' /tmp/found; return 1; }
}

[ -e "$kmemleak" ] || ktap_skip_all "the kernel has no kmemleak"
ktap_print_header
ktap_set_plan 5
ktap_test_result "a driver loses objects" driver_loses_objects
ktap_test_result "they are found" lost_objects_are_found
ktap_test_result "nothing else is found" nothing_else_is_found
ktap_test_result "what was freed is not found" freed_ones_are_not_found
ktap_test_result "the modules unload" unload_modules
ktap_finished
