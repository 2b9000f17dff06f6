#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# The soak: everything at once, from a seed; soak/soak_main.c says what.  What a
# user does is done here: tunables, triggers, files read, CPUs that come and go.
#
# On the kernel's command line, mpslab_soak.NAME=VALUE is a parameter of the module,
# above all seed=; but seconds= is how long this lasts, or longer, until everything
# was done at least once.

# shellcheck disable=SC2317 # the cases are called by name
. ./ktap_helpers.sh
. ./common.sh

soak=$debug/mpslab_soak
cpus=$(find /sys/devices/system/cpu/cpu[1-9]*/online 2>/dev/null)
writes=0 refused=0 reads=0 plans=0 audits=0 audited=0 hidden=0
bad=$(mktemp)
going=$(mktemp)

parameters() {
	tr ' ' '\n' </proc/cmdline | sed -n 's/^mpslab_soak\.//p'
}

load_soak() {
	# shellcheck disable=SC2046 # a list of words
	insmod "$MODS/mpslab.ko" &&
		insmod "$MODS/mpslab_soak.ko" $(parameters | grep -v '^seconds=') || return
	seed=$(value "$soak/stats" seed)
	random=$((seed & 0x7fffffff))
	echo "# seed=$seed $(parameters | tr '\n' ' ')"
}

now() {
	cut -d . -f 1 /proc/uptime
}

running() {
	[ "$(value "$soak/stats" running)" = 1 ]
}

# draw BOUND: $drawn is a number from 0 to BOUND - 1.
draw() {
	random=$(((random * 1103515245 + 12345) & 0x7fffffff))
	drawn=$(((random >> 8) % $1))
}

# Not all is taken: a batch may be larger than the limit, a cache be gone.
put() {
	writes=$((writes + 1))
	{ echo "$1" >"$2"; } 2>/dev/null || refused=$((refused + 1))
}

get() {
	reads=$((reads + 1))
	cat "$@" >/dev/null 2>&1
}

# pick WORD...: one of them.
pick() {
	draw $#
	shift "$drawn"
	picked=$1
}

# What may fail, and who waits for what fails, is ready for it; late is not wrong.
# A plan that can't be had, for want of memory, is none.
plan() {
	draw 1000
	chance=$drawn
	pick off off off every=3 "nth=$((chance % 50 + 1))" \
		"percent=$((chance % 60 + 1)) seed=$chance" "every=1 times=$((chance % 100 + 1))" \
		"every=2 times=50 delay_us=$chance" "percent=20 seed=$chance comm=soak/*"
	plans=$((plans + 1))
	put "$picked" "$1"
}

# For all there is a bound, lest there be nothing left to fail.
turn_all() {
	draw 40
	pick off "every=$((drawn % 5 + 1)) times=$((drawn + 1))" "percent=$((drawn + 1)) seed=$drawn times=40"
	plans=$((plans + 1))
	all=$picked
	pick setup setup pages descriptors
	put "$all" "$mpslab/fault/$picked"
}

turn_cache() {
	draw 20
	case $drawn in
	0|1) draw 300; put $((drawn + 1)) "$1/limit" ;;
	2|3) draw 100; put $((drawn + 1)) "$1/batchcount" ;;
	4) draw 9; put "$drawn" "$1/shared" ;;
	5) draw 2; put "$drawn" "$1/auto_size" ;;
	6) put 1 "$1/shrink" ;;
	7) put 1 "$1/reap" ;;
	8) put 1024 "$1/limit" ;;
	9) get "$1/geometry" "$1/cpus" "$1/nodes" ;;
	10) get "$1/balance" ;;
	11) get "$mpslab/slabinfo" ;;
	12|13) plan "$1/fault/pages" ;;
	14) plan "$1/fault/descriptors" ;;
	15) pick grow refill drain; put 1 "$1/$picked" ;;
	16) get "$1/fault/pages" "$1/fault/descriptors" ;;
	17|18) pick - - F Z P U FZPU ZP "FZPU sample=7"; put "$picked" "$1/debug" ;;
	19) get "$1/debug" "$1/errors" "$1/validate" "$1/alloc_traces" "$1/free_traces" "$1/leaks" ;;
	esac
}

# No reserve may get smaller than what is taken of it at once, which is up to 16.  Nor
# is it drained: who waits for a backend that fails would have nobody to wait for.
turn_pool() {
	draw 11
	case $drawn in
	0|1) draw 48; put $((drawn + 16)) "$1/min_nr" ;;
	2) draw 6000; put "$drawn" "$1/bypass_us" ;;
	3) get "$1/stats" "$1/waiters" ;;
	4|5) pick backend reserve; plan "$1/fault/$picked" ;;
	6) put 1 "$1/refill" ;;
	7) draw 2; put "$drawn" "$1/reserve_first" ;;
	8) draw 2; put "$drawn" "$1/never_reclaim" ;;
	9) draw 2; put "$drawn" "$1/track" ;;
	10) get "$1/holders" "$1/reserve_first" "$1/never_reclaim" "$1/track" ;;
	esac
}

turns() {
	turn=0
	while [ "$turn" -lt "$1" ]; do
		draw 30
		if [ "$drawn" = 0 ]; then
			turn_all
		elif [ "$drawn" -lt 8 ]; then
			pick "$mpslab"/pools/soak-*
			turn_pool "$picked"
		else
			pick "$mpslab"/caches/soak-*
			turn_cache "$picked"
		fi
		turn=$((turn + 1))
	done
}

# All CPUs but the first, one or more at a time.
hotplug() {
	random=$((seed & 0x7fffffff)) times=0
	while [ -e "$going" ]; do
		# shellcheck disable=SC2086 # a list
		pick $cpus
		draw 3
		[ "$drawn" = 0 ]
		put $? "$picked"
		times=$((times + 1))
		sleep 0.$((drawn + 1))
	done
	for cpu in $cpus; do
		put 1 "$cpu"
	done
	echo "# CPUs went or came $times times"
}

say_bad() {
	echo "# $*" | tee -a "$bad"
}

# What is out by the soak's books is in use by the allocator's.
audit_one() {
	case $1 in
	cache)
		balance=$mpslab/caches/$2/balance
		text=$(cat "$balance")
		case $text in
		*" in use $3 + "*", off by 0
"*", errors 0,"*) ;;
		*) say_bad "$2 has $3 objects out: $text" ;;
		esac
		;;
	pool)
		out=$(value "$mpslab/pools/$2/stats" outstanding)
		[ "$out" = "$3" ] || say_bad "$2 has $3 elements out, not $out"
		;;
	esac
}

# audit HOW: what the soak's file "pause" takes.
audit() {
	if ! echo "$1" 2>/dev/null >"$soak/pause"; then
		say_bad "no pause"
		return
	fi
	audits=$((audits + 1))
	while read -r what name out; do
		# Files are made for all of it, or not at all; that, too, may fail.
		[ -e "$mpslab/${what}s/$name" ] || {
			hidden=$((hidden + 1))
			continue
		}
		audited=$((audited + 1))
		audit_one "$what" "$name" "$out"
		case $1,$what,$name in
		2,cache,soak-pool-*|2,cache,lone-*) ;;	# the reserve's are left
		2,cache,*) audit_empty "$name" "$out" ;;
		esac
	done <"$soak/books"
	echo 0 >"$soak/pause"
}

# Nothing is out, so nothing is left.
audit_empty() {
	echo 1 >"$mpslab/caches/$1/shrink"
	text=$(cat "$mpslab/caches/$1/balance")
	case $2,$text in
	0,*"slabs 0, "*) ;;
	*) say_bad "$1 keeps $text" ;;
	esac
}

# Not before the time has come; then until all was done, on a machine that is slow,
# but not for ever.
has_soaked() {
	[ "$(now)" -ge "$end" ] || return
	did_all_of_it >/dev/null || [ "$(now)" -ge "$latest" ]
}

soaks() {
	seconds=$(parameters | sed -n 's/^seconds=//p')
	seconds=${seconds:-20}
	end=$(($(now) + seconds))
	latest=$((end + 4 * seconds + 240))
	until has_soaked || [ -s "$bad" ]; do
		running || break
		turns 60
		draw 4
		[ "$drawn" = 0 ]
		audit $((2 - $?))
		no_complaints || say_bad "the kernel complains"
	done
	rm "$going"
	audit 2
	echo "# files: $writes writes, $plans of them plans, $refused refused; $reads reads"
	echo "# $audits audits of $audited caches and pools; $hidden had no files"
	sed 's/^/# /' "$soak/stats"
	[ ! -s "$bad" ] && [ "$(value "$soak/stats" failures)" = 0 ] && return
	echo "# to repeat it: seed=$seed threads=$(cat /sys/module/mpslab_soak/parameters/threads)"
	return 1
}

# More was done than nothing, of everything.
did_all_of_it() {
	status=0
	while read -r key number; do
		case $key in
		running|failures|longest_wait_ms|*_not_*) continue ;;
		esac
		[ "$number" != 0 ] || { echo "# no $key"; status=1; }
	done <"$soak/stats"
	[ "$audited" -gt "$hidden" ] && return "$status"
}

unload_soak() {
	rmmod mpslab_soak && rmmod mpslab && [ ! -e "$mpslab" ]
}

# What is freed on the way out is looked at, too.
nothing_failed_on_the_way_out() {
	! kernel_log | grep 'mpslab_soak: FAIL'
}

ktap_print_header
ktap_set_plan 6
ktap_test_result "the modules load" load_soak
[ -z "$cpus" ] || hotplug &
ktap_test_result "all goes well, and the books agree at each audit" soaks
wait
ktap_test_result "all that can be done was done" did_all_of_it
ktap_test_result "the modules unload" unload_soak
ktap_test_result "nothing went wrong on the way out" nothing_failed_on_the_way_out
ktap_test_result "the kernel has nothing to complain about" no_complaints
ktap_finished
