#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# Odd names are made safe and unique; a cache with objects in use is not
# destroyed, and says so once.

# shellcheck disable=SC2317 # the cases are called by name
. ./ktap_helpers.sh
. ./common.sh

# create NAME...: a cache for each, the names as printf writes them.
create() {
	for name; do
		# shellcheck disable=SC2059 # escapes are what it is for
		printf "$name" >"$client/extra_create" || return
	done
}

destroy_all() {
	echo 1 >"$client/extra_destroy"
}

# caches: all there are but the client's own.
caches() {
	find "$mpslab/caches" -mindepth 1 -maxdepth 1 ! -name mpslab_request
}

number_of_caches() {
	caches | wc -l
}

# Nothing that needs quoting, and nothing that hides.
names_are_safe() {
	find "$1" -mindepth 1 -maxdepth 1 | sed 's:.*/::' | awk '
		/[^!-~]|#|^\./ { print "# not safe: " $0; bad = 1 }
		END { exit bad || !NR }'
}

odd_names_become_safe() {
	create 'a/b' '../../etc' '.' '..' '.hidden' 'two words' 'tab\there' \
		'new\nline' 'esc\033[2J' '\377\376' '#comment' 'caf\303\251' || return
	[ "$(number_of_caches)" -eq 12 ] || {
		echo "# 12 were created, $(number_of_caches) are there:"
		caches | sed 's/^/# /'
		return 1
	}
	names_are_safe "$mpslab/caches"
}

# A line of slabinfo with an odd name would have too many words.
slabinfo_has_its_columns() {
	[ "$(awk 'NR > 2 && NF != 16' "$mpslab/slabinfo" | wc -l)" -eq 0 ] &&
		[ "$(wc -l <"$mpslab/slabinfo")" -eq 15 ]
}

duplicates_are_told_apart() {
	destroy_all || return
	create twin twin twin || return
	[ "$(number_of_caches)" -eq 3 ] && [ -d "$mpslab/caches/twin" ]
}

# Two names that differ only behind where they are cut.
long_names_are_told_apart() {
	destroy_all || return
	long=$(printf '%0200d' 0)
	create "${long}a" "${long}b" || return
	[ "$(number_of_caches)" -eq 2 ]
}

no_name_is_refused() {
	destroy_all || return
	for _ in 1 2; do
		if create '\n' 2>/dev/null; then
			echo "# a cache without a name"
			return 1
		fi
	done
	[ "$(number_of_caches)" -eq 0 ]
}

that_is_said_once_and_counted_twice() {
	[ "$(complaints | wc -l)" -eq 1 ] && [ "$(cat "$mpslab/usage_bugs")" = 2 ]
}

# name_pool NAME
name_pool() {
	# shellcheck disable=SC2059 # as above
	printf "$1" >"$client/pool_name"
}

pools_name_is_safe() {
	for name in 'x/y' '..' 'two words' '\001\002' '#1' "$(printf '%0200d' 0)"; do
		name_pool "$name" || return
		[ "$(find "$mpslab/pools" -mindepth 1 -maxdepth 1 | wc -l)" -eq 1 ] || return
		names_are_safe "$mpslab/pools" || return
	done
	name_pool mpslab_request && [ -r "$pool/stats" ]
}

renaming_to_the_same_name_changes_nothing() {
	name_pool same && name_pool same && [ -r "$mpslab/pools/same/stats" ] &&
		name_pool mpslab_request
}

pool_without_a_name_keeps_its_own() {
	if name_pool '\n' 2>/dev/null; then
		echo "# an empty name was taken"
		return 1
	fi
	[ -r "$pool/stats" ]
}

reports() {
	kernel_log | grep -c "mpslab: $1"
}

errors_of() {
	sed -n 's/.*errors \([0-9]*\),.*/\1/p' "$mpslab/caches/$1/balance"
}

cache_in_use_is_kept() {
	create leaky || return
	echo 1 >"$client/extra_leak" || return
	destroy_all || return
	[ -r "$mpslab/caches/leaky/balance" ] &&
		[ "$(balance_off "$mpslab/caches/leaky")" = 0 ] &&
		grep -q ' = in use 1 ' "$mpslab/caches/leaky/balance"
}

that_is_reported_once() {
	[ "$(reports 'BUG leaky: ')" -eq 1 ] && [ "$(reports 'FIX leaky: ')" -eq 1 ] &&
		[ "$(errors_of leaky)" = 1 ]
}

it_goes_when_the_object_is_freed() {
	echo 0 >"$client/extra_leak" || return
	destroy_all || return
	[ "$(number_of_caches)" -eq 0 ] && [ "$(reports 'BUG leaky: ')" -eq 1 ]
}

# The two reports that were asked for, and nothing else.
nothing_else_is_reported() {
	! complaints | grep -vE 'mpslab: ((BUG|FIX) leaky|BUG [^:]*: (not created|no pool or no name))'
}

ktap_print_header
ktap_set_plan 17
ktap_test_result "the modules load" load_modules
ktap_test_result "odd names of caches become safe" odd_names_become_safe
ktap_test_result "slabinfo keeps its columns with them" slabinfo_has_its_columns
ktap_test_result "duplicate names are told apart" duplicates_are_told_apart
ktap_test_result "long names are cut and told apart" long_names_are_told_apart
ktap_test_result "a cache without a name is refused" no_name_is_refused
ktap_test_result "that is said once, and counted twice" that_is_said_once_and_counted_twice
ktap_test_result "odd names of a pool become safe" pools_name_is_safe
ktap_test_result "renaming to the same name changes nothing" renaming_to_the_same_name_changes_nothing
ktap_test_result "a pool can't lose its name" pool_without_a_name_keeps_its_own
ktap_test_result "a cache with an object in use is not destroyed" cache_in_use_is_kept
ktap_test_result "that is reported once" that_is_reported_once
ktap_test_result "it can be destroyed when the object is free" it_goes_when_the_object_is_freed
ktap_test_result "the load still runs" load_runs 8
ktap_test_result "no request is lost" nothing_lost
ktap_test_result "nothing else is reported" nothing_else_is_reported
ktap_test_result "the modules unload" unload_modules
ktap_finished
