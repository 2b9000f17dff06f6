# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=sh
#
# What the test scripts and the demonstration share; sourced by each of them.

MODS=${MODS:-/mods}
# shellcheck disable=SC2034 # for those who source this
{
	debug=/sys/kernel/debug
	mpslab=$debug/mpslab
	client=$debug/mpslab_client
	cache=$mpslab/caches/mpslab_request
	pool=$mpslab/pools/mpslab_request
}

# What is said in the kernel's log from here on is this script's.
marker="mpslab selftest: $0, process $$"
echo "$marker" >/dev/kmsg

# If that is no longer all there, it says so in words that complaints() knows.
kernel_log() {
	dmesg | awk -v marker="$marker" 'seen; index($0, marker) { seen = 1 }
		END { if (!seen) print "BUG: the log has lost its beginning" }'
}

# The lines in which the kernel, or mpslab, complains.
complaints() {
	kernel_log | grep -E 'mpslab: (BUG|FIX)|WARNING:|BUG:|Oops|Bad page|general protection|INFO: (task|rcu)|page allocation failure|debugfs: '
}

no_complaints() {
	! complaints
}

# load_modules [PARAMETER=VALUE...]: both; the parameters are the client's.
# shellcheck disable=SC2120 # most load it as it is
load_modules() {
	insmod "$MODS/mpslab.ko" && insmod "$MODS/mpslab_client.ko" "$@"
}

unload_modules() {
	rmmod mpslab_client && rmmod mpslab
}

# value FILE KEY: one number of a stats file.
value() {
	awk -v key="$2" '$1 == key { print $2 }' "$1"
}

# balance_off CACHE-DIRECTORY: how far the sum is off; 0 is right.
balance_off() {
	sed -n 's/.*, off by \(-*[0-9]*\)$/\1/p' "$1/balance"
}

balanced() {
	off=$(balance_off "$cache")
	[ "$off" = 0 ] || {
		echo "# off by '$off': $(cat "$cache/balance")"
		return 1
	}
}

# Each CPU keeps what was freed to kmalloc() there, which is a lot where there are many.
shrink_kmalloc() {
	for shrink in /sys/kernel/slab/kmalloc-*/shrink; do
		[ ! -e "$shrink" ] || echo 1 >"$shrink"
	done
}

# KiB that we may have: objects of kmalloc(), its large blocks, and our slabs, which no
# cache of the kernel has; not what its own caches have, of processes and inodes now more
# and now less.  Of kmalloc() objects only, as one in use keeps a page, and each CPU has
# pages of its own; of these the free objects count, too, hence the shrinking.  The first
# file is empty, and what follows is exact when it has been read.  All machines that this
# runs on have pages of 4 KiB.
slab_kb() {
	shrink_kmalloc
	awk -v page=4 '
		FILENAME == "/proc/vmstat" && /^nr_slab_/ { sum += $2 * page }
		FILENAME != "/proc/slabinfo" || FNR < 3 { next }
		{ sum -= $15 * $6 * page }
		/^kmalloc-(rnd-[0-9]+-)?[0-9]/ { sum += $2 * $4 / 1024 }
		END { print int(sum) }' /proc/sys/vm/stat_refresh /proc/vmstat /proc/slabinfo
}

percpu_kb() {
	awk '$1 == "Percpu:" { print $2 }' /proc/meminfo
}

# Of vmalloc(), what mpslab asked for.
vmalloc_kb() {
	awk '/\[mpslab/ { bytes += $2 } END { print int(bytes / 1024) }' /proc/vmallocinfo
}

# wait_until SECONDS COMMAND...: try it ten times a second.
wait_until() {
	tries=$(($1 * 10))
	shift
	while ! "$@"; do
		tries=$((tries - 1))
		[ $tries -gt 0 ] || return 1
		sleep 0.1
	done
}

nothing_in_flight() {
	[ "$(value "$client/stats" in_flight)" -eq 0 ]
}

# Stop the load, and wait for what is in flight.
stop_load() {
	echo 0 >"$client/load"
	wait_until 20 nothing_in_flight
}

# What the client saw go wrong; all of them 0 is right.
client_is_well() {
	for key in alloc_failed stamp_errors; do
		[ "$(value "$client/stats" $key)" = 0 ] || {
			echo "# $key: $(value "$client/stats" $key)"
			return 1
		}
	done
}

# Everything that was submitted came back, and nothing went wrong.
nothing_lost() {
	stop_load && client_is_well &&
		[ "$(value "$client/stats" submitted)" -eq \
			"$(value "$client/stats" completed)" ]
}

# progress_within SECONDS: does at least one request get done?
progress_within() {
	done_before=$(value "$client/stats" completed)
	wait_until "$1" progressed
}

# load_runs NUMBER: start it, and see that it does something.
load_runs() {
	echo "$1" >"$client/load" && progress_within 20
}

progressed() {
	[ "$(value "$client/stats" completed)" -gt "$done_before" ]
}
