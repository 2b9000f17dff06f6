# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=sh
#
# KTAP for the test scripts, in the manner of the kernel's selftests/kselftest;
# sourced by each of them:
#
#	. ./ktap_helpers.sh
#	ktap_print_header
#	ktap_set_plan 2
#	ktap_test_result "the module loads" insmod "$MODS/mpslab.ko"
#	ktap_test_skip "a second node" "the guest has one"
#	ktap_finished

ktap_planned=
ktap_number=0
ktap_failed=0
ktap_skipped=0

ktap_print_header() {
	echo "KTAP version 1"
}

# ktap_set_plan COUNT: how many results will follow.
ktap_set_plan() {
	ktap_planned=$1
	echo "1..$1"
}

ktap_print_msg() {
	echo "# $*"
}

# ktap_test_pass NAME
ktap_test_pass() {
	ktap_number=$((ktap_number + 1))
	echo "ok $ktap_number $1"
}

# ktap_test_fail NAME [WHY]
ktap_test_fail() {
	ktap_number=$((ktap_number + 1))
	ktap_failed=$((ktap_failed + 1))
	[ -z "${2:-}" ] || ktap_print_msg "$1: $2"
	echo "not ok $ktap_number $1"
}

# ktap_test_skip NAME WHY
ktap_test_skip() {
	ktap_number=$((ktap_number + 1))
	ktap_skipped=$((ktap_skipped + 1))
	echo "ok $ktap_number $1 # SKIP $2"
}

# ktap_test_result NAME COMMAND...: pass if the command succeeds.
ktap_test_result() {
	ktap_name=$1
	shift
	if "$@"; then
		ktap_test_pass "$ktap_name"
	else
		ktap_test_fail "$ktap_name" "status $? of: $*"
	fi
}

# ktap_skip_all WHY: leave, as this machine can't run any of it.
ktap_skip_all() {
	echo "1..0 # SKIP $1"
	exit 4
}

# ktap_finished: leave with the status that the results amount to.
ktap_finished() {
	if [ "$ktap_number" != "$ktap_planned" ]; then
		ktap_print_msg "planned $ktap_planned, saw $ktap_number"
		exit 1
	fi
	[ $ktap_failed -eq 0 ] || exit 1
	[ $ktap_skipped -lt $ktap_number ] || exit 4
	exit 0
}
