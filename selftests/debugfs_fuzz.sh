#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# Programs do to the files of debugfs whatever they may, under load, while caches,
# pools and the client come and go; debugfs_fuzz.c says what.  On the kernel's
# command line, debugfs_fuzz.seed= repeats a run, and debugfs_fuzz.seconds= makes it
# longer.

# shellcheck disable=SC2317 # the cases are called by name
. ./ktap_helpers.sh
. ./common.sh

parameter() {
	tr ' ' '\n' </proc/cmdline | sed -n "s/^debugfs_fuzz\.$1=//p"
}

seed=$(parameter seed)
seed=${seed:-$(od -An -N4 -tu4 /dev/urandom | tr -d ' ')}
seconds=$(parameter seconds)
seconds=${seconds:-20}
fuzzing=$(mktemp)

# Caches of odd names, another name for the pool, and sometimes another client with
# another pool and cache; what fails, because a plan says so, fails.
come_and_go() {
	times=0
	while [ -e "$fuzzing" ]; do
		for name in one 'two words' .hidden 'a/b' "$times"; do
			echo "$name" >"$client/extra_create"
			echo "$name" >"$client/pool_name"
		done
		echo 1 >"$client/extra_destroy"
		times=$((times + 1))
		[ $((times % 8)) -ne 0 ] || come_back
	done 2>/dev/null
	echo "# caches came and went $times times"
}

# A plan for the module's set-up may not let it be loaded.
come_back() {
	rmmod mpslab_client
	until insmod "$MODS/mpslab_client.ko"; do
		[ -e "$fuzzing" ] || return
	done
	echo 32 >"$client/load"
}

fuzzes() {
	echo "# seed=$seed"
	come_and_go &
	status=0
	debugfs_fuzz "$mpslab" "$seed" "$seconds" || status=$?
	rm "$fuzzing"
	wait
	[ "$status" -eq 0 ] || echo "# debugfs_fuzz.seed=$seed repeats it"
	return "$status"
}

# Plans and switches stay as they were left.
switch_off() {
	find "$mpslab" -path '*/fault/*' -type f ! -path '*/fail_*' |
		while read -r plan; do
			echo off >"$plan" || return
		done
}

works_as_before() {
	switch_off || return
	[ -e "$client/load" ] || insmod "$MODS/mpslab_client.ko" || return
	load_runs 16 && nothing_lost && balanced
}

ktap_print_header
# Without arguments it says how it is used, if it is of this machine at all.
debugfs_fuzz 2>/dev/null
[ $? -eq 2 ] || ktap_skip_all "debugfs_fuzz is not built for this machine"
ktap_set_plan 6
ktap_test_result "the modules load" load_modules
ktap_test_result "the load runs" load_runs 32
ktap_test_result "whatever is written and read, no file does what it should not" fuzzes
ktap_test_result "everything works as before" works_as_before
ktap_test_result "the kernel has nothing to complain about" no_complaints
ktap_test_result "the modules unload" unload_modules
ktap_finished
