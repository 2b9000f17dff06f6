#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# Fault plans on a kernel that has no fault injection: what they say is what
# happens, to whom they say, and nothing is lost by it.

# shellcheck disable=SC2317 # the cases are called by name
. ./ktap_helpers.sh
. ./common.sh

work=$(mktemp -d)
all=$mpslab/fault
extra=$mpslab/caches/extra

# counts FILE: what a plan has seen, failed and delayed, as three numbers.
counts() {
	sed -n 's/^seen \([0-9]*\), failed \([0-9]*\), delayed \([0-9]*\)$/\1 \2 \3/p' "$1"
}

# counted FILE NUMBERS
counted() {
	[ "$(counts "$1")" = "$2" ] || {
		echo "# ${1#"$mpslab"/}: not $2: $(paste -s "$1")"
		return 1
	}
}

# failed FILE: how many.
failed() {
	counts "$1" | cut -d ' ' -f 2
}

# Every plan is off; the counts stay to be seen.
all_off() {
	find "$mpslab" -path '*/fault/*' -type f ! -path '*/fail_*' |
		while read -r plan; do
			echo off >"$plan" || {
				echo "# ${plan#"$mpslab"/} stays on"
				exit 1
			}
		done
}

is_off_at_first() {
	find "$mpslab" -path '*/fault/*' -type f ! -path '*/fail_*' >"$work/plans"
	[ "$(wc -l <"$work/plans")" -eq 9 ] || return
	while read -r plan; do
		[ "$(head -n 1 "$plan")" = off ] && counted "$plan" "0 0 0" || return
	done <"$work/plans"
}

# What is read can be written, and then reads the same.
reads_as_written() {
	for plan in nth=3 every=7 'percent=5 seed=1' \
		'every=1 times=10 comm=xfsaild' 'every=1 pid=1 delay_us=100' \
		'every=2 delay_us=100 fail=1 caller=foo_bar module=xfs' \
		'percent=100 seed=4294967295 comm=kworker/*'; do
		echo "$plan" >"$cache/fault/pages" || return
		[ "$(head -n 1 "$cache/fault/pages")" = "$plan" ] || {
			echo "# $plan reads $(head -n 1 "$cache/fault/pages")"
			return 1
		}
	done
	all_off
}

# grow TIMES: one letter for each growth that was asked for, by this very task.
grow() {
	tries=$1
	while [ "$tries" -gt 0 ]; do
		if echo 1 2>/dev/null >"$extra/grow"; then
			printf .
		else
			printf x
		fi
		tries=$((tries - 1))
	done
}

# grows PLAN PATTERN: under that plan growths go like this.
grows() {
	echo "$1" >"$extra/fault/pages" || return
	grow ${#2} >"$work/pattern"
	echo off >"$extra/fault/pages"
	pattern=$(cat "$work/pattern")
	[ "$pattern" = "$2" ] || {
		echo "# $1: $pattern, not $2"
		return 1
	}
}

# A size whose slabs are of one page, so that each growth asks once.
extra_cache() {
	echo extra >"$client/extra_create"
}

growths_fail_as_planned() {
	grows nth=3 ..x...... && counted "$extra/fault/pages" "9 1 0" &&
		grows every=3 ..x..x..x && counted "$extra/fault/pages" "9 3 0" &&
		grows 'every=2 times=2' .x.x..... && counted "$extra/fault/pages" "9 2 0" &&
		grows percent=100 xxxxxxxxx && grows 'every=1 delay_us=1' ......... &&
		counted "$extra/fault/pages" "9 0 9"
}

chance_repeats_by_its_seed() {
	for seed in 7 8 7; do
		echo "percent=50 seed=$seed" >"$extra/fault/pages" || return
		grow 64 >"$work/chance.$seed"
		counts "$extra/fault/pages" | cut -d ' ' -f 2 >"$work/failed.$seed"
		[ -e "$work/again" ] || cp "$work/chance.7" "$work/again"
	done
	echo off >"$extra/fault/pages"
	cmp "$work/again" "$work/chance.7" && ! cmp -s "$work/chance.7" "$work/chance.8" &&
		[ "$(cat "$work/failed.7")" -gt 16 ] && [ "$(cat "$work/failed.7")" -lt 48 ]
}

tasks_are_told_apart() {
	comm=$(cat /proc/$$/comm)
	grows "every=1 pid=$$" xx && grows "every=1 pid=1" .. &&
		counted "$extra/fault/pages" "0 0 0" &&
		grows "every=1 comm=$comm" xx && grows 'every=1 comm=nobody' .. &&
		grows "every=1 comm=${comm%??}*" xx && grows 'every=1 comm=*' xx &&
		grows "every=1 comm=${comm%??}" .. &&
		sh -c "echo 'every=1 pid=$$' >$extra/fault/pages; echo 1 >$extra/grow" &&
		echo off >"$extra/fault/pages"
}

callers_are_told_apart() {
	grows 'every=1 caller=cache_force_grow' xx &&
		grows 'every=1 caller=cache_force_grow module=mpslab' xx &&
		grows 'every=1 caller=vfs_write' xx &&
		grows 'every=1 module=mpslab' xx &&
		grows 'every=1 caller=cache_force_gro' .. &&
		grows 'every=1 caller=cache_force_g*' xx &&
		grows 'every=1 caller=vfs_write module=mpslab' .. &&
		grows 'every=1 module=mpslab_client' ..
}

# in milliseconds since the start
now() {
	sed 's/ .*//; s/\([0-9]*\)\.\([0-9]*\)/\1\20/' /proc/uptime
}

delays_are_long_enough() {
	echo 'nth=1 delay_us=300000' >"$extra/fault/pages" || return
	began=$(now)
	echo 1 >"$extra/grow" || return
	took=$(($(now) - began))
	counted "$extra/fault/pages" "1 0 1" && [ "$took" -ge 290 ]
}

# What an allocation asks for on its own node, if there are others, is a wish only.
allocations_are_as_late() {
	echo 1 >"$extra/shrink" && echo 'nth=1 delay_us=300000' >"$extra/fault/pages" ||
		return
	began=$(now)
	echo 1 >"$client/extra_leak" || return
	took=$(($(now) - began))
	echo 0 >"$client/extra_leak" || return
	counted "$extra/fault/pages" "1 0 1" && [ "$took" -ge 290 ]
}

# column FILE HEADER: the sum of it over all lines.
column() {
	awk -v name="$2" '
		!col { for (i = 1; i <= NF; i++) if ($i == name) col = i; next }
		{ sum += $col }
		END { print sum + 0 }' "$1"
}

actions_do_what_they_say() {
	stop_load && all_off && echo 1 >"$cache/shrink" || return
	grown=$(column "$cache/nodes" grown)
	for _ in 1 2 3; do
		echo 1 >"$cache/grow" || return
	done
	[ "$(column "$cache/nodes" grown)" -eq $((grown + 3)) ] &&
		[ "$(column "$cache/cpus" avail)" -eq 0 ] || return
	echo 1 >"$cache/refill" || return
	[ "$(column "$cache/cpus" avail)" -gt 0 ] || return
	echo 1 >"$cache/drain" || return
	[ "$(column "$cache/cpus" avail)" -eq 0 ] &&
		[ "$(column "$cache/nodes" objects)" != 0 ] && balanced
}

pools_actions_do_what_they_say() {
	echo 1 >"$pool/drain" && [ "$(value "$pool/stats" curr_nr)" -eq 0 ] &&
		echo 1 >"$pool/refill" &&
		[ "$(value "$pool/stats" curr_nr)" -eq 32 ] &&
		echo 1 >"$pool/drain" && load_runs 32 && nothing_lost &&
		[ "$(value "$pool/stats" outstanding)" -eq 0 ]
}

# were_seen PLAN NUMBER: or more.
were_seen() {
	# shellcheck disable=SC2046 # three words
	set -- "$2" $(counts "$1")
	[ "$2" -gt "$1" ]
}

# enough_failed: of all that can.
enough_failed() {
	[ "$(failed "$pool/fault/backend")" -gt 100 ] &&
		[ "$(failed "$pool/fault/reserve")" -gt 10 ] &&
		[ "$(failed "$cache/fault/pages")" -gt 0 ]
}

# The third of all that the backend was asked for went to the reserve.
every_third_comes_from_the_reserve() {
	before=$(value "$pool/stats" reserve_allocs)
	echo every=3 >"$1/fault/backend" && load_runs 8 &&
		wait_until 20 were_seen "$1/fault/backend" 1000 && nothing_lost || return
	# shellcheck disable=SC2046 # three words
	set -- "$1" $(counts "$1/fault/backend")
	echo off >"$1/fault/backend"
	reserve=$(($(value "$pool/stats" reserve_allocs) - before))
	echo "# asked $2, failed $3, from the reserve $reserve"
	[ "$2" -gt 1000 ] && [ "$3" -eq $(($2 / 3)) ] && [ "$reserve" -gt $(($3 / 2)) ]
}

# With all that can fail failing now and then, and late.
load_survives_everything() {
	echo 'percent=30 seed=3' >"$pool/fault/backend" &&
		echo 'percent=30 seed=4' >"$pool/fault/reserve" &&
		echo 'percent=50 seed=5' >"$cache/fault/pages" &&
		echo 'every=50 delay_us=2000' >"$all/backend" || return
	load_runs 64 || return
	# Six times, and until enough was asked for.
	turns=0
	while [ "$turns" -lt 6 ] || { [ "$turns" -lt 60 ] && ! enough_failed; }; do
		turns=$((turns + 1))
		echo 1 >"$cache/shrink"
		echo 1 >"$cache/drain"
		echo 1 >"$pool/drain"
		progress_within 20 || return
	done
	stop_load || return
	for plan in "$pool/fault/backend" "$pool/fault/reserve" "$cache/fault/pages" \
		"$all/backend"; do
		echo "# ${plan#"$mpslab"/}: $(paste -s "$plan")"
	done
	enough_failed && all_off && nothing_lost && balanced
}

# fails_once_at_each_step WHAT COMMAND...: by the plan for set-up, until there is
# nothing left to fail.  WHAT must be so after each failure.
fails_once_at_each_step() {
	what=$1
	shift
	step=1
	failures=0
	while :; do
		echo "nth=$step pid=$$" >"$all/setup" || return
		went_well=yes
		if ! "$@" 2>/dev/null; then
			went_well=no
			failures=$((failures + 1))
			"$what" || {
				echo "# after the failure at step $step"
				return 1
			}
		fi
		hit=$(failed "$all/setup")
		echo off >"$all/setup"
		[ "$hit" -eq 1 ] || break
		step=$((step + 1))
	done
	# Nothing was made to fail this time, so nothing may have failed.
	[ "$went_well" = yes ] || failures=$((failures - 1))
	echo "# $((step - 1)) allocations, $failures refusals, well at last: $went_well: $*"
	[ "$failures" -gt 1 ] && [ "$went_well" = yes ]
}

# Only what was there before, and that whole.
nothing_half_made() {
	find "$mpslab/caches" "$mpslab/pools" | sort >"$work/now"
	diff "$work/before" "$work/now"
}

# whole NAME LIKE: is it shown with all files that the other has, if at all?
whole() {
	[ -e "$mpslab/$1" ] || return 0
	(cd "$mpslab/$2" && find . | sort) >"$work/whole"
	(cd "$mpslab/$1" && find . | sort) | diff "$work/whole" -
}

# A new cache and its end; a directory that is there for both is a whole one.
new_cache() {
	echo new >"$client/extra_create" || return
	whole caches/new caches/mpslab_request || touch "$work/half"
	echo 1 >"$client/extra_destroy"
}

creating_a_cache_fails_cleanly() {
	echo 1 >"$client/extra_destroy" || return
	find "$mpslab/caches" "$mpslab/pools" | sort >"$work/before"
	fails_once_at_each_step nothing_half_made new_cache && [ ! -e "$work/half" ]
}

new_pool() {
	echo 4 >"$client/extra_pool" || return
	whole pools/extra pools/mpslab_request || touch "$work/half"
	echo 0 >"$client/extra_pool"
}

creating_a_pool_fails_cleanly() {
	extra_cache || return
	find "$mpslab/caches" "$mpslab/pools" | sort >"$work/before"
	fails_once_at_each_step nothing_half_made new_pool && [ ! -e "$work/half" ] &&
		[ "$(balance_off "$extra")" = 0 ] &&
		grep -q ' = in use 0 ' "$extra/balance"
}

tunables() {
	cat "$cache/limit" "$cache/batchcount" "$cache/shared" "$cache/auto_size" \
		"$pool/min_nr"
}

tunables_are_as_before() {
	[ "$(tunables)" = "$tunables_before" ] && balanced && nothing_half_made
}

tune_there_and_back() {
	echo 40 >"$cache/limit" && echo 54 >"$cache/limit"
}

resize_there_and_back() {
	echo 40 >"$pool/min_nr" && echo 32 >"$pool/min_nr"
}

tuning_fails_cleanly() {
	echo 20 >"$cache/batchcount" && echo 54 >"$cache/limit" || return
	tunables_before=$(tunables)
	fails_once_at_each_step true tune_there_and_back && echo 54 >"$cache/limit" &&
		tunables_are_as_before
}

resizing_fails_cleanly() {
	tunables_before=$(tunables)
	fails_once_at_each_step tunables_are_as_before resize_there_and_back
}

# Read by this very task, without a word of it lost: the first line is there.
show_all() {
	for file in alloc_traces free_traces leaks; do
		read -r _ <"$extra/$file" || return
	done
	read -r _ <"$pool/waiters" && read -r _ <"$pool/holders"
}

showing_fails_cleanly() {
	echo U >"$extra/debug" && echo 2 >"$client/extra_leak" &&
		echo 1 >"$client/extra_leak" && echo 1 >"$pool/track" || return
	fails_once_at_each_step true show_all && [ "$failures" -eq $((step - 1)) ] &&
		[ "$failures" -ge 20 ] || return
	echo 0 >"$pool/track" && echo - >"$extra/debug" && echo 0 >"$client/extra_leak"
}

# What the kernel gave us and did not get back, in KiB.
kernel_memory() {
	echo $(($(slab_kb) + $(percpu_kb) + $(vmalloc_kb)))
}

# rounds NUMBER
rounds() {
	round=0
	while [ "$round" -lt "$1" ]; do
		creating_a_cache_fails_cleanly >/dev/null &&
			creating_a_pool_fails_cleanly >/dev/null || return
		round=$((round + 1))
	done
}

# Pages and CPUs' arrays; what is small shows to kmemleak, where the kernel has it.
no_pages_leak() {
	rounds 2 || return
	leak_before=$(kernel_memory)
	percpu_before=$(percpu_kb)
	rounds 3 && echo 1 >"$client/extra_destroy" || return
	leaked=$(($(kernel_memory) - leak_before))
	echo "# $leaked KiB more than before"
	[ "$leaked" -lt 256 ] && [ "$(percpu_kb)" -le "$percpu_before" ]
}

# Each step of loading fails once, until none is left.
loading_fails_cleanly() {
	unload_modules || return
	step=1
	refused=0
	while [ "$step" -lt 100 ]; do
		if insmod "$MODS/mpslab.ko" fault_setup="nth=$step" 2>/dev/null; then
			hit=1
			[ ! -e "$mpslab" ] || hit=$(failed "$all/setup")
			rmmod mpslab || return
			[ "$hit" -ne 0 ] || break
		else
			refused=$((refused + 1))
		fi
		if [ -e "$mpslab" ] || grep -q '^mpslab ' /proc/modules; then
			echo "# something stays after step $step"
			return 1
		fi
		step=$((step + 1))
	done
	echo "# $((step - 1)) allocations, $refused refusals: loading"
	[ "$step" -lt 100 ] && [ "$refused" -ge 4 ]
}

no_plan_no_load() {
	for plan in '' nth every=0 '"nth=1 "'; do
		! insmod "$MODS/mpslab.ko" fault_setup="$plan" 2>/dev/null || return
	done
	[ ! -e "$mpslab" ] && load_modules
}

# A module that is being loaded is met by plans for all.
drivers_set_up_is_met() {
	rmmod mpslab_client || return
	echo 'every=1 module=mpslab_client' >"$all/setup" || return
	! insmod "$MODS/mpslab_client.ko" 2>/dev/null && [ "$(failed "$all/setup")" -gt 0 ] &&
		[ -z "$(find "$mpslab/caches" "$mpslab/pools" -mindepth 1)" ] &&
		echo 'every=1 module=nobody' >"$all/setup" &&
		insmod "$MODS/mpslab_client.ko" && counted "$all/setup" "0 0 0" && all_off
}

# The kernel's own attributes, on a kernel that has them.
attributes_work() {
	attr=$all/fail_pages
	echo 0 >"$attr/verbose" && echo -1 >"$attr/times" && echo 100 >"$attr/probability" ||
		return
	! echo 1 2>/dev/null >"$cache/grow" && echo 0 >"$attr/probability" &&
		echo 1 >"$cache/grow"
}

backend_attribute_reaches_the_short_way() {
	attr=$all/fail_backend
	before=$(value "$pool/stats" reserve_allocs)
	echo 0 >"$attr/verbose" && echo -1 >"$attr/times" && echo 50 >"$attr/probability" ||
		return
	load_runs 8 && echo 0 >"$attr/probability" && nothing_lost &&
		[ "$(value "$pool/stats" reserve_allocs)" -gt "$before" ]
}

# if_attributes NAME COMMAND
if_attributes() {
	if [ -d "$all/fail_pages" ]; then
		ktap_test_result "$@"
	else
		ktap_test_skip "$1" "the kernel has no fault injection"
	fi
}

ktap_print_header
ktap_set_plan 30
ktap_test_result "the modules load" load_modules
ktap_test_result "every plan is off at first" is_off_at_first
ktap_test_result "a plan reads as it was written" reads_as_written
ktap_test_result "another cache is created" extra_cache
ktap_test_result "growths fail as planned" growths_fail_as_planned
ktap_test_result "chance repeats by its seed" chance_repeats_by_its_seed
ktap_test_result "tasks are told apart" tasks_are_told_apart
ktap_test_result "callers are told apart" callers_are_told_apart
ktap_test_result "delays are long enough" delays_are_long_enough
ktap_test_result "those of allocations are, too" allocations_are_as_late
ktap_test_result "grow, refill and drain do what they say" actions_do_what_they_say
ktap_test_result "a pool's refill and drain do what they say" pools_actions_do_what_they_say
ktap_test_result "every third comes from the reserve, by the pool's plan" \
	every_third_comes_from_the_reserve "$pool"
ktap_test_result "every third comes from the reserve, by the plan for all" \
	every_third_comes_from_the_reserve "$mpslab"
ktap_test_result "the load survives everything at once" load_survives_everything
ktap_test_result "creating a cache fails cleanly" creating_a_cache_fails_cleanly
ktap_test_result "creating a pool fails cleanly" creating_a_pool_fails_cleanly
ktap_test_result "tuning fails cleanly" tuning_fails_cleanly
ktap_test_result "resizing fails cleanly" resizing_fails_cleanly
ktap_test_result "showing fails cleanly" showing_fails_cleanly
ktap_test_result "no pages leak" no_pages_leak
ktap_test_result "a driver's set-up is met" drivers_set_up_is_met
if_attributes "the kernel's attributes work" attributes_work
if_attributes "they reach a pool's short way" backend_attribute_reaches_the_short_way
ktap_test_result "no request is lost" nothing_lost
ktap_test_result "loading fails cleanly" loading_fails_cleanly
ktap_test_result "what is no plan is refused" no_plan_no_load
ktap_test_result "the load runs after all that" load_runs 16
ktap_test_result "the kernel has nothing to complain about" no_complaints
ktap_test_result "the modules unload" unload_modules
ktap_finished
