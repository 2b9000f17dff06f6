#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# Watch mpslab work: what its tables say before, during and after each of four
# phases.  The last line is the verdict, and the status is that of the verdict;
# both come from what was measured.

cd "$(dirname "$0")" || exit
. ./common.sh

faults=
worst_off=0
phases=0

# fault WHAT...: something is not as it should be; there is no PASS any more.
fault() {
	echo "  !! $*"
	faults="${faults:+$faults; }$*"
}

# expect WHAT NUMBER TEST NUMBER: a fault unless the test holds.
expect() {
	test "$2" "$3" "$4" || fault "$1 is $2, not $3 $4"
}

now_cs() {
	sed 's/ .*//; s/\.//' /proc/uptime
}

heading() {
	echo
	echo "================================================================================"
	echo "$*"
	echo "================================================================================"
}

explain() {
	echo "$*" | fold -s -w 80 | sed 's/ *$//'
}

# The pool's stats in two lines.
show_pool() {
	awk '
	{ v[$1] = $2 }
	END {
		printf "  reserve %d of %d, lowest so far %d; in use %d; waiting now %d\n",
			v["curr_nr"], v["min_nr"], v["low_water"],
			v["outstanding"], v["waiters"]
		printf "  served by the backend %d, by the reserve %d; had to wait %d, at most %d us\n",
			v["backend_allocs"], v["reserve_allocs"], v["waits"],
			v["longest_wait_us"]
	}' "$pool/stats"
}

# snapshot TITLE: everything, in one screen.
snapshot() {
	echo
	echo "--- $1"
	echo "per-CPU arrays"
	sed 's/^/  /' "$cache/cpus"
	echo "nodes"
	sed 's/^/  /' "$cache/nodes"
	echo "where every object is"
	sed 's/^/  /' "$cache/balance" | tee /tmp/balance
	echo "pool"
	show_pool
	off=$(sed -n 's/.*off by //p' /tmp/balance)
	if [ "$off" -ne 0 ]; then
		fault "the balance is off by $off"
		worst_off=$off
	fi
}

# run_for SECONDS: let it run, and say how much was done.
run_for() {
	from=$(value "$client/stats" completed)
	start=$(now_cs)
	sleep "$1"
	done_now=$(($(value "$client/stats" completed) - from))
	took=$(($(now_cs) - start))
	printf '  %d requests in %d.%02d s: %d a second\n' "$done_now" \
		$((took / 100)) $((took % 100)) $((done_now * 100 / took))
}

drain() {
	stop_load || fault "requests are in flight for ever"
}

# ------------------------------------------------------------------ the phases

phase_idle() {
	heading "1. Idle: a cache of requests, a pool with a reserve of them"
	explain "The pool took its reserve when it was created; the cache has just the" \
		"slabs for it.  Nothing else was allocated yet."
	echo
	sed 's/^/  /' "$cache/geometry"
	snapshot "idle, which is also: before phase 2"
	expect "the reserve" "$(value "$pool/stats" curr_nr)" -eq \
		"$(cat "$pool/min_nr")"
}

phase_load() {
	heading "2. Load: a thread on every CPU submits, other CPUs complete and free"
	explain "Requests go to each CPU in turn and are freed there, in softirq or in" \
		"the interrupt itself.  Nearly all allocations are hits in the CPU's own" \
		"array; the reserve stays full, as the backend has memory."
	echo
	echo 64 >"$client/load"
	run_for 2
	expect "requests done" "$done_now" -gt 0
	snapshot "during the load"
	drain
	snapshot "after the load: free objects lie in the arrays, and in slabs"
	expect "the reserve after the load" "$(value "$pool/stats" curr_nr)" -eq \
		"$(cat "$pool/min_nr")"
}

phase_reserve() {
	backend=$(value "$pool/stats" backend_allocs)
	served=$(value "$pool/stats" reserve_allocs)

	heading "3. No memory: the backend fails, only the reserve serves"
	explain "The state before is the one above.  From now on the backend gives" \
		"nothing.  All CPUs together work with the reserve, waiting for each" \
		"other's requests, in order; nobody fails."
	echo
	echo fail >"$client/backend"
	echo 64 >"$client/load"
	run_for 2
	expect "requests done from the reserve" "$done_now" -gt 0
	snapshot "during: the reserve goes round"
	expect "what the backend gave meanwhile" \
		"$(value "$pool/stats" backend_allocs)" -eq "$backend"
	expect "what the reserve gave" "$(value "$pool/stats" reserve_allocs)" \
		-gt "$served"

	echo
	explain "Now somebody takes the whole reserve and keeps it for a second, so all" \
		"CPUs have to wait.  The queue, the longest waiting first:"
	echo
	cat "$pool/min_nr" >"$client/hold"
	sleep 1
	sed 's/^/  /' "$pool/waiters"
	show_pool
	expect "the number of waiters" "$(value "$pool/stats" waiters)" -gt 0
	expect "the reserve" "$(value "$pool/stats" curr_nr)" -eq 0
	echo 0 >"$client/hold"
	echo
	echo "  Given back:"
	run_for 1
	expect "requests done after the wait" "$done_now" -gt 0
	snapshot "after: still without a backend, and going on"
	expect "failed allocations" "$(value "$client/stats" alloc_failed)" -eq 0
}

phase_drain() {
	heading "4. The backend is back; drain, and shrink"
	explain "The state before is the one above.  The load ends, the reserve fills up" \
		"again, and what is left in arrays and free slabs goes back to the page" \
		"allocator.  In use remains the reserve."
	echo
	echo open >"$client/backend"
	run_for 1
	expect "requests done with the backend back" "$done_now" -gt 0
	snapshot "during: the backend serves again"
	drain
	echo 1 >"$cache/shrink"
	snapshot "after: drained and shrunk"
	expect "the reserve at the end" "$(value "$pool/stats" curr_nr)" -eq \
		"$(cat "$pool/min_nr")"
	expect "waiters at the end" "$(value "$pool/stats" waiters)" -eq 0
	expect "elements in use at the end" "$(value "$pool/stats" outstanding)" -eq 0
	expect "objects in the CPUs' arrays after the shrink" \
		"$(awk 'NR > 1 { sum += $2 } END { print sum }' "$cache/cpus")" -eq 0
}

# count PHASE: run it, and count it if it added no fault.
count() {
	before=$faults
	"$1"
	[ "$before" != "$faults" ] || phases=$((phases + 1))
}

unload() {
	unloaded="unloaded cleanly"
	unload_modules || unloaded="not unloaded"
	if [ -e "$client" ] || [ -e "$mpslab" ] || grep '^mpslab' /proc/modules; then
		unloaded="not unloaded"
	fi
	no_complaints || unloaded="$unloaded, with complaints in the kernel log"
	[ "$unloaded" = "unloaded cleanly" ] || fault "$unloaded"
}

# ------------------------------------------------------------------------ main

grep -q '^mpslab ' /proc/modules || insmod "$MODS/mpslab.ko" || exit
grep -q '^mpslab_client ' /proc/modules || insmod "$MODS/mpslab_client.ko" || exit

echo "mpslab on Linux $(uname -r), $(nproc) CPUs," \
	"$(($(wc -l <"$cache/nodes") - 2)) NUMA node(s)"
count phase_idle
count phase_load
count phase_reserve
count phase_drain

submitted=$(value "$client/stats" submitted)
lost=$((submitted - $(value "$client/stats" completed)))
stamps=$(value "$client/stats" stamp_errors)
expect "the number of lost requests" "$lost" -eq 0
expect "the number of stamp errors" "$stamps" -eq 0
expect "the number of requests" "$submitted" -gt 0
heading "Unload"
unload

verdict=PASS
[ -z "$faults" ] || verdict=FAIL
echo "$verdict: $submitted requests, $lost lost, $stamps stamp errors," \
	"$phases of 4 phases, balance off by $worst_off, $unloaded"
[ -z "$faults" ] || echo "  because: $faults"
[ $verdict = PASS ]
