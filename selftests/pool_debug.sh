#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# A driver is stuck, as its backend fails and somebody keeps its reserve: who keeps
# it and who waits can be seen, and the log says so once.  The pool's policies do
# what they say.

# shellcheck disable=SC2317 # the cases are called by name
. ./ktap_helpers.sh
. ./common.sh

work=$(mktemp -d)
cpus=$(grep -c '^processor' /proc/cpuinfo)
warn_ms=/sys/module/mpslab/parameters/wait_warn_ms

# Of more CPUs than any guest has, each with two requests in flight, and more than one
# reading of the holders shows.
reserve=300
shown=256

# is FILE KEY VALUE
is() {
	[ "$(value "$1" "$2")" = "$3" ]
}

# From here on, the pool gives nothing until somebody gives it back.
keep_reserve() {
	echo fail >"$client/backend" && echo "$reserve" >"$client/hold" &&
		is "$pool/stats" curr_nr 0
}

give_back() {
	echo 0 >"$client/hold"
}

# One thread of the client waits on each CPU.
all_wait() {
	is "$pool/stats" waiters "$cpus"
}

reports() {
	kernel_log | grep -c 'mpslab: WAIT mpslab_request:'
}

# ------------------------------------------------------------------- holders

holders_are_not_known() {
	[ "$(cat "$pool/track")" = 0 ] && grep -q '^not known' "$pool/holders"
}

reserve_is_kept() {
	echo 1 >"$pool/track" && [ "$(cat "$pool/track")" = 1 ] && keep_reserve
}

# Lines of FILE about tasks named NAME; the ages, in the order of the file.
ages() {
	awk -v name="$2" '$1 ~ /^[0-9]+$/ && $NF ~ name { print $(age) }' age="$3" "$1"
}

# By us, the oldest first, with the client's function in each stack; and how many more.
holders_are_shown() {
	sleep 1
	cp "$pool/holders" "$work/holders" || return
	sed -n '2,/hold_set/s/^/# /p' "$work/holders" | sed -n 1,14p
	[ "$(grep -c "^ *$$ .* pool_debug.sh\$" "$work/holders")" = "$shown" ] &&
		[ "$(grep -c '	hold_set.*\[mpslab_client\]' "$work/holders")" = "$shown" ] &&
		[ "$(tail -n 1 "$work/holders")" = "$((reserve - shown)) more" ] &&
		ages "$work/holders" pool_debug 2 >"$work/ages" &&
		sort -rn "$work/ages" | cmp - "$work/ages" &&
		[ "$(tail -n 1 "$work/ages")" -ge 900 ]
}

# ------------------------------------------------------------ waiters, report

# "0: nobody" for now, as the log is looked at later.
waiters_are_there() {
	echo 0 >"$warn_ms" && echo 1 >"$client/load" && wait_until 20 all_wait
}

waiters_are_shown() {
	ages "$pool/waiters" mpslab_io/ 4 >"$work/before"
	sleep 1
	cp "$pool/waiters" "$work/waiters" || return
	sed -n '2,/submitter_run/s/^/# /p' "$work/waiters" | sed -n 1,14p
	ages "$work/waiters" mpslab_io/ 4 >"$work/after"
	[ "$(wc -l <"$work/after")" = "$cpus" ] &&
		[ "$(grep -c '	submitter_run.*\[mpslab_client\]' "$work/waiters")" = "$cpus" ] &&
		paste "$work/before" "$work/after" |
			awk '$2 - $1 < 900 || $2 - $1 > 20000 { bad = 1 } END { exit bad }' &&
		pids_are_right
}

# As /proc has them.
pids_are_right() {
	awk '$1 ~ /^[0-9]+$/ { print $1, $NF }' "$work/waiters" |
		while read -r pid comm; do
			[ "$(cat "/proc/$pid/comm")" = "$comm" ] || return
		done
}

nothing_was_reported() {
	is "$pool/stats" long_waits 0 && [ "$(reports)" -eq 0 ]
}

# All give back, go on, and wait again.
wait_anew() {
	give_back && load_runs 1 && keep_reserve && wait_until 20 all_wait
}

all_were_long() {
	[ "$(value "$pool/stats" long_waits)" -ge "$1" ]
}

# It is printed line by line, by a thread that has no hurry.
report_is_whole() {
	kernel_log | grep -q 'mpslab:  *hold_set.*\[mpslab_client\]'
}

# The threads wait once more and too long, all in the same 5 s.
one_is_reported() {
	echo 500 >"$warn_ms" && wait_anew && wait_until 20 all_were_long "$cpus" &&
		wait_until 20 report_is_whole || return
	kernel_log | grep -A 40 'mpslab: WAIT' >"$work/report"
	sed 's/^\[[^]]*\] /# /' "$work/report"
	[ "$(reports)" -eq 1 ]
}

report_says_all() {
	grep -q "WAIT mpslab_request: mpslab_io/[0-9]*, pid [0-9]*, has waited [0-9]* ms for 1 element(s), of which it has 0; $reserve in use, [0-9]* waiting\$" \
		"$work/report" &&
		grep -q 'mpslab:  *submitter_run.*\[mpslab_client\]' "$work/report" &&
		grep -q "mpslab:  *pool_debug.sh, pid $$, has had an element for [0-9]* ms" \
			"$work/report" &&
		grep -q 'mpslab:  *hold_set.*\[mpslab_client\]' "$work/report"
}

# Of this one nobody has tracked anything, but the stack is there.
next_is_reported_later() {
	echo 0 >"$pool/track" && sleep 5
	wait_anew && wait_until 20 all_were_long $((2 * cpus)) && [ "$(reports)" -eq 2 ] &&
		kernel_log | awk '/mpslab: WAIT/ { nr++ } nr == 2' |
			grep -q 'mpslab:  *submitter_run.*\[mpslab_client\]' || return
	give_back && stop_load
}

holders_are_gone() {
	give_back && stop_load || return
	[ "$(wc -l <"$pool/holders")" -eq 1 ] && [ "$(wc -l <"$pool/waiters")" -eq 1 ]
}

# -------------------------------------------------------------------- policies

# set_policy NAME VALUE
set_policy() {
	echo "$2" >"$pool/$1" && [ "$(cat "$pool/$1")" = "$2" ]
}

# grew: by how much backend and reserve gave more, while requests were done.
grew() {
	from_backend=$(value "$pool/stats" backend_allocs)
	from_reserve=$(value "$pool/stats" reserve_allocs)
	progress_within 20 || return
	echo $(($(value "$pool/stats" backend_allocs) - from_backend)) \
		$(($(value "$pool/stats" reserve_allocs) - from_reserve))
}

reserve_comes_first() {
	echo open >"$client/backend" && load_runs 2 && set_policy reserve_first 1 || return
	sleep 0.2	# until all have seen it
	grown=$(grew)
	echo "# reserve first: backend and reserve gave $grown"
	[ "${grown% *}" -eq 0 ] && [ "${grown#* }" -gt 0 ]
}

backend_comes_first() {
	set_policy reserve_first 0 || return
	sleep 0.2
	grown=$(grew)
	echo "# backend first: backend and reserve gave $grown"
	stop_load && [ "${grown% *}" -gt 0 ] && [ "${grown#* }" -eq 0 ]
}

# How often the backend was asked until all waited.
asked() {
	keep_reserve || return
	asked_before=$(value "$client/stats" backend_failed)
	echo 1 >"$client/load" && wait_until 20 all_wait || return
	echo $(($(value "$client/stats" backend_failed) - asked_before))
	give_back && stop_load
}

# Who may reclaim asks a second time, with leave to do so, before he waits.  Once
# in 5 s a waiter asks again, which leaves some room for slow guests.
never_reclaim_asks_once() {
	usual=$(asked) && set_policy never_reclaim 1 && never=$(asked) &&
		set_policy never_reclaim 0 || return
	echo "# $cpus waiters asked the backend $usual times, with never_reclaim $never times"
	[ "$usual" -ge $((2 * cpus)) ] && [ "$never" -ge "$cpus" ] &&
		[ "$never" -lt $((2 * cpus)) ]
}

nothing_is_left() {
	nothing_lost && balanced && is "$pool/stats" curr_nr "$reserve" &&
		is "$pool/stats" outstanding 0 && is "$pool/stats" waiters 0 &&
		is "$pool/stats" bad_frees 0 && holders_are_not_known
}

ktap_print_header
ktap_set_plan 16
ktap_test_result "the modules load" load_modules reserve=$reserve
ktap_test_result "holders are not known at first" holders_are_not_known
ktap_test_result "the reserve is kept" reserve_is_kept
ktap_test_result "who holds its elements is shown" holders_are_shown
ktap_test_result "threads wait" waiters_are_there
ktap_test_result "who waits is shown" waiters_are_shown
ktap_test_result "nothing is reported unless wanted" nothing_was_reported
ktap_test_result "of many long waits one is reported" one_is_reported
ktap_test_result "the report says who waits and who holds" report_says_all
ktap_test_result "nobody holds or waits when all is given back" holders_are_gone
ktap_test_result "the next is reported later" next_is_reported_later
ktap_test_result "reserve_first leaves the backend alone" reserve_comes_first
ktap_test_result "without it the reserve is left alone" backend_comes_first
ktap_test_result "never_reclaim asks the backend once" never_reclaim_asks_once
ktap_test_result "nothing is left" nothing_is_left
ktap_test_result "the modules unload" unload_modules
ktap_finished
