#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# lib/test_meminit.c, the kernel's own test of what allocators leave in memory: the
# same counts on mpslab as on the kernel's allocators.  The guest's command line sets
# init_on_alloc.  The module does its work while it is loaded, and fails to load if
# a test failed, as is right without init_on_alloc.

# shellcheck source-path=SCRIPTDIR/../..
# shellcheck source-path=SCRIPTDIR
# shellcheck disable=SC2317 # the cases are called by name
. ./ktap_helpers.sh
. ./common.sh
. ./dropin_common.sh

# run DIRECTORY: load the module, and print what it reports; once, although busybox
# tries again when it is refused.
run() {
	echo "run: $1" >/dev/kmsg
	insmod "$1/meminit.ko" 2>/dev/null
	status=$?
	dmesg | sed "1,\\|run: $1|d" |
		sed -n 's/.*] meminit: \(all .*\|.* failed .*\|failures: .*\)/\1/p; /^failures:/q'
	[ "$status" -ne 0 ] || rmmod meminit
	return "$status"
}

on_the_kernels() {
	before=$(seconds)
	run /stock >/tmp/stock
	stock_status=$?
	stock_time=$(elapsed "$before")
	sed 's/^/# kernel: /' /tmp/stock
	[ -s /tmp/stock ]
}

on_mpslab() {
	insmod "$MODS/mpslab.ko" || return
	before=$(seconds)
	run /dropin >/tmp/dropin
	dropin_status=$?
	dropin_time=$(elapsed "$before")
	sed 's/^/# mpslab: /' /tmp/dropin
	[ -s /tmp/dropin ]
}

same() {
	[ "$stock_status" = "$dropin_status" ] && cmp /tmp/stock /tmp/dropin
}

ktap_print_header
echo "# $(tr ' ' '\n' </proc/cmdline | grep init_on_alloc)"
ktap_set_plan 6
ktap_test_result "on the kernel's allocators" on_the_kernels
ktap_test_result "on mpslab" on_mpslab
ktap_test_result "the same results and counts" same
ktap_test_result "nothing is left" nothing_left
ktap_test_result "the kernel's log is clean" no_complaints
ktap_test_result "mpslab unloads" rmmod mpslab
echo "# time: ${dropin_time:-?} s on mpslab, ${stock_time:-?} s on the kernel's allocators"
ktap_finished
