#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# Every file is read and written while the load runs: it says what is so, it does
# what it is told, and nothing is lost by it.

# shellcheck disable=SC2317 # the cases are called by name
. ./ktap_helpers.sh
. ./common.sh

work=$(mktemp -d)

# modes DIRECTORY: of all files below it, as "name mode", sorted.
modes() {
	find "$1" -mindepth 1 -exec stat -c '%n %a' {} + | sed "s:^$1/::" | sort
}

only_root_may() {
	[ "$(stat -c %a "$mpslab")" = 700 ] || return
	modes "$cache" >"$work/modes"
	cat >"$work/expected" <<-END
		alloc_traces 400
		auto_size 600
		balance 400
		batchcount 600
		cpus 400
		debug 600
		drain 200
		errors 400
		fault 755
		fault/descriptors 600
		fault/pages 600
		free_traces 400
		geometry 400
		grow 200
		leaks 400
		limit 600
		nodes 400
		reap 200
		refill 200
		shared 600
		shrink 200
		validate 400
	END
	modes "$pool" >>"$work/modes"
	cat >>"$work/expected" <<-END
		bypass_us 600
		drain 200
		fault 755
		fault/backend 600
		fault/reserve 600
		holders 400
		min_nr 600
		never_reclaim 600
		refill 200
		reserve_first 600
		stats 400
		track 600
		waiters 400
	END
	for file in slabinfo usage_bugs; do
		echo "$file $(stat -c %a "$mpslab/$file")" >>"$work/modes"
		echo "$file 400" >>"$work/expected"
	done
	diff "$work/expected" "$work/modes"
}

# The format of /proc/slabinfo 2.1, to the letter where tools look at letters.
slabinfo_is_2_1() {
	awk '
	function bad(what) {
		print "# line " NR ": " what ": " $0
		failed = 1
	}
	NR == 1 && $0 != "slabinfo - version: 2.1" { bad("version") }
	NR == 2 && $0 != "# name            <active_objs> <num_objs> <objsize> <objperslab> <pagesperslab> : tunables <limit> <batchcount> <sharedfactor> : slabdata <active_slabs> <num_slabs> <sharedavail>" {
		bad("columns")
	}
	NR <= 2 { next }
	NF != 16 || $7 != ":" || $8 != "tunables" || $12 != ":" || $13 != "slabdata" {
		bad("words")
		next
	}
	{
		for (i = 2; i <= NF; i++)
			if ($i !~ /^[0-9]+$/ && i != 7 && i != 8 && i != 12 && i != 13)
				bad("word " i " is no number")
		if ($2 > $3) bad("more active objects than objects")
		if ($14 > $15) bad("more active slabs than slabs")
		if ($4 < 1 || $5 < 1 || $6 < 1) bad("empty slabs")
		if ($4 * $5 > $6 * 4096) bad("objects do not fit their slab")
		if ($3 != $5 * $15) bad("objects are not those of the slabs")
		if ($10 > $9) bad("batchcount above limit")
	}
	END {
		if (NR < 3) bad("no cache")
		exit failed
	}' "$mpslab/slabinfo"
}

slabinfo_agrees_with_the_tunables() {
	awk -v l="$(cat "$cache/limit")" -v b="$(cat "$cache/batchcount")" \
		-v s="$(cat "$cache/shared")" '
		$1 == "mpslab_request" { found = $9 == l && $10 == b && $11 == s }
		END { exit !found }' "$mpslab/slabinfo"
}

# Neither a kernel address (with four or five levels of page tables) nor what looks
# like one, a hashed one for instance, in any file, nor ever.
address='ff[0-9a-f]{14}|00000000[0-9a-f]{8}|0x[0-9a-f]{8}'

no_addresses() {
	find "$mpslab" -type f -perm -400 -exec cat {} + >"$work/all"
	[ -s "$work/all" ] && ! grep -E "$address" "$work/all"
}

# The client's part of an object is smaller where pointers are.
geometry_is_the_clients() {
	grep -q '^name  *mpslab_request$' "$cache/geometry" &&
		grep -q '^object size  *\(288\|276\) bytes$' "$cache/geometry" &&
		grep -q '^flags  *hwcache_align$' "$cache/geometry" &&
		grep -q '^constructor  *request_construct \[mpslab_client\]$' "$cache/geometry" &&
		grep -q '^creator .*\[mpslab_client\]$' "$pool/stats"
}

# all_in FILE HEADER NUMBER: is the column the same number in all lines?
all_in() {
	awk -v name="$2" -v number="$3" '
		!col { for (i = 1; i <= NF; i++) if ($i == name) col = i; next }
		$col != number { print "# " name " is not " number ": " $0; bad = 1 }
		END { exit bad || !col || NR < 2 }' "$1"
}

# tune LIMIT BATCHCOUNT SHARED: from small to large or back, each step allowed.
tune() {
	echo 1 >"$cache/batchcount" && echo "$1" >"$cache/limit" &&
		echo "$2" >"$cache/batchcount" && echo "$3" >"$cache/shared"
}

tuned() {
	[ "$(cat "$cache/limit") $(cat "$cache/batchcount") $(cat "$cache/shared")" = \
		"$1 $2 $3" ] &&
		all_in "$cache/cpus" limit "$1" && all_in "$cache/cpus" batch "$2" &&
		awk -v limit=$(($2 * $3)) '
			NR > 2 && $9 != limit { print "# shared limit: " $0; bad = 1 }
			END { exit bad }' "$cache/nodes" &&
		balanced
}

tunables_take_effect() {
	for values in "20 10 2" "1 1 0" "1024 1024 64" "54 27 8"; do
		# shellcheck disable=SC2086 # three words
		tune $values || return
		# shellcheck disable=SC2086 # three words
		tuned $values || return
		progress_within 20 || return
	done
}

# refused_as ERROR FILE VALUE: refused with that error, and nothing changed.
refused_as() {
	was=$(cat "$2")
	if echo "$3" >"$2" 2>"$work/error"; then
		echo "# $2 took $3"
		return 1
	fi
	if [ "$(cat "$2")" != "$was" ] || ! grep -q "$1" "$work/error"; then
		echo "# $2 $was -> $(cat "$2"), on $3: $(cat "$work/error")"
		return 1
	fi
}

values_out_of_range_are_refused() {
	range="Numerical result out of range"
	refused_as "$range" "$cache/limit" 0 &&
		refused_as "$range" "$cache/limit" 26 &&
		refused_as "$range" "$cache/limit" 1025 &&
		refused_as "$range" "$cache/batchcount" 0 &&
		refused_as "$range" "$cache/batchcount" 55 &&
		refused_as "$range" "$cache/shared" 65 &&
		refused_as "$range" "$pool/min_nr" 2147483648 &&
		refused_as "$range" "$pool/bypass_us" 1000001 &&
		refused_as "$range" "$pool/reserve_first" 2 &&
		refused_as "$range" "$pool/never_reclaim" 2 &&
		refused_as "$range" "$pool/track" 2 && balanced
}

# More than there is memory for, but a number that it could be.
reserve_without_memory_is_refused() {
	refused_as "Cannot allocate memory" "$pool/min_nr" 2147483647 &&
		progress_within 20
}

# Three readers of everything, two writers of the tunables, two of the triggers.
crowd() {
	echo 1 >"$work/go"
	for i in 1 2 3; do
		while [ -e "$work/go" ]; do
			find "$mpslab" -type f -perm -400 -exec cat {} + >"$work/read.$i" \
				2>>"$work/errors" || echo "reader $i failed" >>"$work/errors"
		done &
	done
	for i in 1 2; do
		while [ -e "$work/go" ]; do
			tune $((30 * i)) $((10 * i)) "$i" 2>>"$work/races"
			echo $((20 * i)) >"$pool/min_nr" || echo "min_nr failed" >>"$work/errors"
			echo $((i - 1)) >"$pool/bypass_us" || echo "bypass_us failed" >>"$work/errors"
		done &
	done
	for file in shrink reap; do
		while [ -e "$work/go" ]; do
			echo 1 >"$cache/$file" || echo "$file failed" >>"$work/errors"
		done &
	done
	for i in 1 2 3 4 5 6; do
		sleep 1
		balanced || echo "balance" >>"$work/errors"
	done
	rm "$work/go"
	wait
}

# Two who tune at once may meet a limit below their batch; that is all they may.
a_crowd_changes_nothing_but_numbers() {
	: >"$work/errors"
	: >"$work/races"
	crowd
	if [ -s "$work/errors" ]; then
		sort "$work/errors" | uniq -c | sed 's/^/# /'
		return 1
	fi
	if grep -v "Numerical result out of range" "$work/races"; then
		return 1
	fi
	balanced && no_addresses_in_what_they_read && tune 54 27 8 && tuned 54 27 8 &&
		echo 32 >"$pool/min_nr" && progress_within 20
}

no_addresses_in_what_they_read() {
	! grep -hE "$address" "$work"/read.*
}

shrink_empties_the_arrays() {
	stop_load && echo 1 >"$cache/shrink" &&
		all_in "$cache/cpus" avail 0 && all_in "$cache/cpus" alien 0 && balanced &&
		grep -q ' + cpu 0 + alien 0 + shared 0 + free ' "$cache/balance"
}

# A pool of none keeps one element all the same.
reserve_follows_min_nr() {
	for nr in 100 7 0 1 32; do
		echo "$nr" >"$pool/min_nr" || return
		held=$nr
		[ "$nr" -gt 0 ] || held=1
		if [ "$(value "$pool/stats" min_nr)" != "$nr" ] ||
			[ "$(value "$pool/stats" curr_nr)" != "$held" ] ||
			[ "$(cat "$pool/min_nr")" != "$nr" ]; then
			sed 's/^/# /' "$pool/stats"
			return 1
		fi
	done
	balanced
}

# Each on its own: what a waiter holds up is shown as waiting, and then not.
waiters_are_shown_in_order() {
	echo fail >"$client/backend" && cat "$pool/min_nr" >"$client/hold" &&
		echo 8 >"$client/load" || return
	wait_until 20 all_cpus_wait || return
	echo 1 >"$pool/bypass_us" || return	# so all of them are overdue
	waiter_lines | awk 'NR > 1 && ($2 != 1 || $3 != 0 || $5 != "yes" || $7 !~ /^mpslab_io\// ||
			(NR > 2 && $4 > last)) {
			print "# " $0
			bad = 1
		}
		{ last = $4 }
		END { exit bad }' || return
	echo 0 >"$client/hold" && echo open >"$client/backend" && stop_load &&
		echo 4000 >"$pool/bypass_us" && [ "$(wc -l <"$pool/waiters")" -eq 1 ]
}

# Who waits for long has a stack, in lines that begin with a tab.
waiter_lines() {
	grep -v '^	' "$pool/waiters"
}

all_cpus_wait() {
	[ "$(waiter_lines | wc -l)" -eq $(($(nproc) + 1)) ] &&
		[ "$(value "$pool/stats" waiters)" -eq "$(nproc)" ]
}

# Whoever has a file open neither holds up its cache nor reads of a dead one.
open_file_survives_its_cache() {
	echo doomed >"$client/extra_create" || return
	exec 5<"$mpslab/caches/doomed/cpus" 6<"$mpslab/caches/doomed/balance" \
		7>"$mpslab/caches/doomed/limit"
	echo 1 >"$client/extra_destroy" || return
	[ ! -e "$mpslab/caches/doomed" ] || return
	for fd in 5 6; do
		if cat <&"$fd" 2>"$work/error" || ! grep -q "Input/output error" "$work/error"; then
			echo "# read of a file that is gone: $(cat "$work/error")"
			return 1
		fi
	done
	if echo 5 2>"$work/error" >&7; then
		echo "# a file that is gone was written"
		return 1
	fi
	exec 5<&- 6<&- 7>&-
}

# A slab that is late keeps its cache from going: nobody would give it back.
late_slab_is_waited_for() {
	echo doomed >"$client/extra_create" || return
	echo 'nth=1 delay_us=2000000' >"$mpslab/caches/doomed/fault/pages" || return
	echo 1 >"$mpslab/caches/doomed/grow" &
	late=$!
	wait_until 20 grep -q 'seen 1,' "$mpslab/caches/doomed/fault/pages" || return
	echo 1 >"$client/extra_destroy" && wait "$late" && [ ! -e "$mpslab/caches/doomed" ]
}

# An array that was used, got another size, and was not used since, is not touched.
size_is_no_use() {
	echo doomed >"$client/extra_create" && echo 20 >"$client/extra_leak" &&
		echo 0 >"$client/extra_leak" &&
		echo 1 >"$mpslab/caches/doomed/batchcount" || return
	for value in 10 30; do
		echo "$value" >"$mpslab/caches/doomed/limit" &&
			echo 1 >"$mpslab/caches/doomed/reap" || return
	done
	all_in "$mpslab/caches/doomed/cpus" touched no && echo 1 >"$client/extra_destroy"
}

# Here the client's code goes too, whose names the file shows.
open_file_survives_its_module() {
	exec 5<"$pool/stats" 6<"$cache/geometry"
	rmmod mpslab_client || return
	if cat <&5 2>/dev/null || cat <&6 2>/dev/null; then
		echo "# files of a module that is gone can be read"
		return 1
	fi
	# An open file is code of ours in use.
	if rmmod mpslab 2>/dev/null; then
		echo "# mpslab went away under its open files"
		return 1
	fi
	exec 5<&- 6<&-
	rmmod mpslab
}

ktap_print_header
ktap_set_plan 24
ktap_test_result "the modules load" load_modules
ktap_test_result "the load runs" load_runs 32
ktap_test_result "only root may look, and write what can be written" only_root_may
ktap_test_result "slabinfo has the format 2.1" slabinfo_is_2_1
ktap_test_result "slabinfo agrees with the tunables" slabinfo_agrees_with_the_tunables
ktap_test_result "geometry and stats say who and what" geometry_is_the_clients
ktap_test_result "no file shows an address" no_addresses
ktap_test_result "tunables take effect under load" tunables_take_effect
ktap_test_result "values out of range are refused" values_out_of_range_are_refused
ktap_test_result "a reserve that memory can't hold is refused" reserve_without_memory_is_refused
ktap_test_result "readers and writers in parallel do no harm" a_crowd_changes_nothing_but_numbers
ktap_test_result "slabinfo still has the format 2.1" slabinfo_is_2_1
ktap_test_result "no request is lost" nothing_lost
ktap_test_result "shrink empties the arrays" shrink_empties_the_arrays
ktap_test_result "the reserve follows min_nr" reserve_follows_min_nr
ktap_test_result "waiters are shown in order" waiters_are_shown_in_order
ktap_test_result "an open file survives its cache" open_file_survives_its_cache
ktap_test_result "a slab that is late is waited for" late_slab_is_waited_for
ktap_test_result "a change of size is no use of an array" size_is_no_use
ktap_test_result "nothing is lost by all that" nothing_lost
ktap_test_result "the balance is right at the end" balanced
ktap_test_result "an open file survives its module" open_file_survives_its_module
ktap_test_result "no directory remains" test ! -e "$mpslab"
ktap_test_result "the kernel has nothing to complain about" no_complaints
ktap_finished
