#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# A driver frees what it may not: each kind is found, refused, counted by its kind and
# reported, without debugging when it leaves the array, with it at once and with who it was.

# shellcheck disable=SC2317 # the cases are called by name
. ./ktap_helpers.sh
. ./common.sh

victim=$mpslab/caches/victim

# count KIND: that line of the file.
count() {
	sed -n "s/^$1  *//p" "$victim/errors"
}

# reported_once TEXT: that, perhaps some details, and that it was refused.
reported_once() {
	grep -qx "mpslab: BUG victim: $1" "$work/log" &&
		[ "$(grep -c 'mpslab: BUG' "$work/log")" -eq 1 ] &&
		[ "$(grep 'mpslab: ' "$work/log" | tail -n 1)" = "mpslab: FIX victim: not freed" ]
}

# mistake WORD KIND TEXT: does the driver's mistake count, once, as of that kind, and
# does the log say so?
mistake() {
	before=$(count "$2")
	made=$((made + 1))
	marker="mpslab selftest: mistake $made, $1"
	echo "$marker" >/dev/kmsg
	echo "$1" >"$client/extra_mistake" || return
	[ $(($(count "$2") - before)) -eq 1 ] || {
		echo "# $1: '$2' is $(count "$2"), and was $before"
		return 1
	}
	kernel_log | sed 's/^\[[^]]*\] //' >"$work/log"
	sleep 1		# or what is said next may be too much in too short a time
	if reported_once "$3"; then
		[ "$(balance_off "$victim")" = 0 ]
	else
		sed 's/^/# /' "$work/log"
		return 1
	fi
}

twice()	 { mistake twice 'freed twice' '1 object(s) freed twice'; }
later()	 { mistake later 'freed twice' '1 object(s) freed twice'; }
inside() { mistake inside 'freed inside an object' \
	'1 free(s) of an address inside a slab where no object starts'; }
other()	 { mistake other 'freed to the wrong cache' \
	'1 free(s) of what is an object of mpslab_request'; }
no_object() { mistake "$1" 'freed but no object' \
	"1 free(s) of what is no object but $2"; }
kmalloc() { no_object kmalloc kmalloc; }
vmalloc() { no_object vmalloc vmalloc; }
page()	 { no_object page 'a page'; }
stack()	 { no_object stack "$where"; }
null()	 { mistake null 'bad argument' '1 free(s) of NULL'; }

# Each kind, by what a report says of it.
kinds="twice later inside other kmalloc vmalloc page stack null"

# The report tells which object it is, and where in it.
says_which_object() {
	inside && grep -q 'mpslab:  *8 byte(s) into object [0-9]* of [0-9]* in its slab$' \
		"$work/log"
}

# Who does it, and who had the object before; not the one who only found it.
says_who() {
	later && grep -q 'mpslab:  *freed now by pid [0-9]* on CPU [0-9]*:$' "$work/log" &&
		grep -q 'mpslab:  *allocated by pid [0-9]* on CPU' "$work/log" &&
		grep -q 'mpslab:  *freed by pid [0-9]* on CPU' "$work/log" &&
		grep -q 'free_wrongly.*\[mpslab_client\]' "$work/log"
}

says_who_without_debugging() {
	twice && grep -A 6 'freed now by pid' "$work/log" |
		grep -q 'extra_mistake.*\[mpslab_client\]'
}

nothing_else_is_reported() {
	marker=$first
	! complaints | grep -v 'mpslab: \(BUG\|FIX\) victim'
}

victim_goes() {
	echo 1 >"$client/extra_destroy" && [ ! -e "$victim" ]
}

work=$(mktemp -d)
first=$marker
made=0
# Where the stack is memory of vmalloc(), it was found from another task's, or as that.
where='\(the stack\|vmalloc\|a page\)'

ktap_print_header
ktap_set_plan 27
ktap_test_result "the modules load" load_modules
ktap_test_result "a cache for mistakes" sh -c "echo victim >$client/extra_create"
for kind in $kinds; do
	ktap_test_result "$kind is found" "$kind"
done
ktap_test_result "the one at fault is named" says_who_without_debugging
ktap_test_result "debugging is switched on" sh -c "echo FU >$victim/debug"
for kind in $kinds; do
	ktap_test_result "$kind is found with debugging" "$kind"
done
ktap_test_result "which object it is, is told" says_which_object
ktap_test_result "and who did what with it" says_who
ktap_test_result "the cache can be destroyed" victim_goes
ktap_test_result "nothing else is reported" nothing_else_is_reported
ktap_test_result "the modules unload" unload_modules
rm -r "$work"
ktap_finished
