#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# vm: mem=128M smp=2
#
# The guarantee: two pools, mpslab's and the kernel's, serve writers in the manner of
# write-back while something eats all memory; see pressure/mpslab_pressure.c.

# shellcheck disable=SC2317 # the cases are called by name
. ./ktap_helpers.sh
. ./common.sh

pressure=$debug/mpslab_pressure
shm=$(mktemp -d)

load_both() {
	insmod "$MODS/mpslab.ko" && insmod "$MODS/mpslab_pressure.ko"
}

unload_both() {
	rmmod mpslab_pressure && rmmod mpslab
}

# theirs KEY, ours KEY: the kernel's column, and mpslab's.
theirs() {
	awk -v key="$1" '$1 == key { print $2 }' "$pressure/stats"
}

ours() {
	awk -v key="$1" '$1 == key { print $3 }' "$pressure/stats"
}

# both_above KEY NUMBER
both_above() {
	[ "$(theirs "$1")" -gt "$2" ] && [ "$(ours "$1")" -gt "$2" ]
}

ours_above() {
	[ "$(ours "$1")" -gt "$2" ]
}

theirs_above() {
	[ "$(theirs "$1")" -gt "$2" ]
}

# Ours and theirs do something more.
both_go_on() {
	more_ours=$(ours 'done') more_theirs=$(theirs 'done')
	wait_until 20 ours_above 'done' "$more_ours" &&
		wait_until 20 theirs_above 'done' "$more_theirs"
}

free_kb() {
	awk '$1 == "MemFree:" { print $2 }' /proc/meminfo
}

is_small() {
	echo "# $(free_kb) kB are free"
	[ "$(free_kb)" -lt 131072 ]
}

writers_write() {
	echo 1 >"$pressure/run" && both_go_on
}

# By the kernel, three times, as the reserves become full again in between; and more
# often where all of it is so slow that the reserves hardly served.
squeeze() {
	for ms in 2000 2000 4000; do
		echo "$ms" >"$pressure/squeeze" && both_go_on || return
	done
	more=10
	until the_reserve_served || [ "$more" -eq 0 ]; do
		echo 4000 >"$pressure/squeeze" && both_go_on || return
		more=$((more - 1))
	done
}

# A file in memory that can't be reclaimed, written while the writers write.  Half of
# what is free, as nothing is left to the one who writes it when all is; the kernel,
# which can do without, then eats the rest.
fill_files() {
	size=$(($(free_kb) / 2))
	[ "$size" -gt 4096 ] && mount -t tmpfs -o size="${size}"k tmpfs "$shm" || return
	dd if=/dev/zero of="$shm/file" bs=64k 2>/dev/null	# until there is no space
	filled=$(du -k "$shm/file" | cut -f 1)
	echo "# $filled kB of files, $(free_kb) kB are still free"
	echo 2000 >"$pressure/squeeze"
	squeezed=$?
	rm "$shm/file" && umount "$shm" && both_go_on && [ "$squeezed" -eq 0 ] &&
		[ "$filled" -gt $((size - 1024)) ]
}

# Processes that want memory while all is eaten get some of it, and nobody is killed.
needy_get_memory() {
	before=$(theirs given_back) needy=0 more=40
	until [ "$(theirs given_back)" -gt "$before" ] || [ "$more" -eq 0 ]; do
		processes_come || return
		more=$((more - 1))
	done
	echo "# $needy processes meanwhile, $(theirs given_back) pages given back"
	[ "$(theirs given_back)" -gt "$before" ] && both_go_on
}

processes_come() {
	echo 3000 >"$pressure/squeeze" &
	squeezer=$!
	new=0
	while [ "$new" -lt 500 ] && kill -0 "$squeezer" 2>/dev/null; do
		cat /proc/self/stat >/dev/null || return
		new=$((new + 1))
	done
	needy=$((needy + new))
	wait "$squeezer"
}

# With memory, the caches grow as before, and nobody needs a reserve.
grows_again() {
	failed=$(ours backend_failed) from_reserve=$(value "$ours/stats" reserve_allocs)
	echo 1 >"$mpslab/caches/pressure/shrink" && writers_write &&
		[ "$(ours backend_failed)" = "$failed" ] &&
		[ "$(value "$ours/stats" reserve_allocs)" = "$from_reserve" ]
}

table() {
	sed 's/^/# /' "$pressure/stats"
}

# Without these the test would have tested nothing.
memory_was_short() {
	[ "$(theirs squeeze_pages)" -gt 5000 ] && both_above backend_failed 100
}

requests_went_on() {
	both_above done_in_squeeze 1000
}

the_reserve_served() {
	[ "$(value "$mpslab/pools/pressure/stats" reserve_allocs)" -gt 1000 ] &&
		both_above backend_failed 100
}

# mpslab's; what the kernel's pool does is shown and not judged.
no_allocation_failed() {
	[ "$(ours alloc_failed)" -eq 0 ] && [ "$(ours wrong)" -eq 0 ]
}

# A second is far more than a request takes, unless the host has no time for the
# guest, which makes the kernel's pool late as well.
no_wait_was_long() {
	[ "$(ours longest_us)" -lt 1000000 ] ||
		[ "$(ours longest_us)" -lt $((2 * $(theirs longest_us))) ]
}

all_done() {
	[ "$(ours sent)" -eq "$(ours 'done')" ] && [ "$(theirs sent)" -eq "$(theirs 'done')" ]
}

reserve_is_full_again() {
	echo 0 >"$pressure/run" && wait_until 20 all_done || return
	ours=$mpslab/pools/pressure
	[ "$(value "$ours/stats" curr_nr)" -eq "$(cat "$ours/min_nr")" ] &&
		[ "$(value "$ours/stats" outstanding)" -eq 0 ] &&
		[ "$(value "$ours/stats" waiters)" -eq 0 ] &&
		[ "$(balance_off "$mpslab/caches/pressure")" = 0 ]
}

ktap_print_header
ktap_set_plan 15
ktap_test_result "the guest is small" is_small
ktap_test_result "the modules load" load_both
ktap_test_result "both sides write" writers_write
ktap_test_result "memory is eaten three times, and both go on" squeeze
ktap_test_result "files fill it, the rest is eaten, and both go on" fill_files
ktap_test_result "who must have memory gets it back" needy_get_memory
ktap_test_result "memory was short for both" memory_was_short
ktap_test_result "requests went on without memory" requests_went_on
ktap_test_result "the reserve served" the_reserve_served
ktap_test_result "no allocation failed" no_allocation_failed
ktap_test_result "no allocation took long" no_wait_was_long
ktap_test_result "the reserve is full again, and nothing is lost" reserve_is_full_again
ktap_test_result "the cache grows again" grows_again
table
ktap_test_result "the kernel has nothing to complain about" no_complaints
ktap_test_result "the modules unload" unload_both
ktap_finished
