#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# test.sh [debug]: run all tests and add them up.  KUnit suites run under UML,
# scripts (../*.sh) on the stock kernel, one of them on the next as well; with
# `debug` both on the debug kernel.
#
# Scripts share one guest, unless one asks for its own by a comment such as
#	# vm: mem=256M smp=2
# whose words are the options of vm.sh.

# shellcheck source-path=SCRIPTDIR
. "$(dirname "$0")/lib.sh"

runs=$(new_run)
passed=0 failed=0 skipped=0

# guest KERNEL JOB [OPTION...] [TEST...]
guest() {
	local start=$SECONDS run p=0 f=1 s=0 status=0

	run=$(mktemp -d "$runs/$1-$2-XXXX")
	echo "$1: ${*:2}"
	"$vm/vm.sh" "$1" "$2" run="$run" "${@:3}" || status=$?
	[ ! -s "$run/totals" ] || read -r p f s <"$run/totals"
	# Not even a guest to judge.
	[ $status -eq 0 ] || [ "$f" -gt 0 ] || f=1
	printf '  passed %d, failed %d, skipped %d in %d s\n' "$p" "$f" "$s" $((SECONDS - start))
	passed=$((passed + p)) failed=$((failed + f)) skipped=$((skipped + s))
}

kunit_kernel=uml script_kernel=stock
[ "${1:-}" != debug ] || kunit_kernel=debug script_kernel=debug

guest $kunit_kernel kunit

shared=() own=()
for script in "$top"/selftests/*.sh; do
	name=${script##*/}
	if [ ! -x "$script" ] || [ "$name" = demo.sh ]; then
		continue
	elif grep -q '^# vm: ' "$script"; then
		own+=("$name")
	else
		shared+=("$name")
	fi
done
[ ${#shared[@]} -eq 0 ] || guest $script_kernel selftests "${shared[@]}"
for name in "${own[@]}"; do
	read -ra options < <(sed -n 's/^# vm: //p' "$top/selftests/$name")
	# KASAN's share of a small guest is more than the kernel boots with.
	[ $script_kernel != debug ] || options+=(mem=320)
	guest $script_kernel selftests "${options[@]}" "$name"
done
[ $script_kernel = debug ] || guest next selftests load_unload.sh

echo
echo "$passed passed, $failed failed, $skipped skipped"
[ $failed -eq 0 ] && [ $passed -gt 0 ]
