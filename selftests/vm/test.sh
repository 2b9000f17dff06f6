#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# test.sh [debug]: run all tests and add them up.  KUnit suites run under UML,
# scripts (../*.sh) on the stock kernel, one of them on the next as well; with
# `debug` both on the debug kernel.

# shellcheck source-path=SCRIPTDIR
. "$(dirname "$0")/guests.sh"

kunit_kernel=uml script_kernel=stock more=()
# KASAN's share of a small guest is more than the kernel boots with.
[ "${1:-}" != debug ] || kunit_kernel=debug script_kernel=debug more=(mem=320)

guest $kunit_kernel kunit
find_scripts
[ ${#shared_scripts[@]} -eq 0 ] ||
	guest $script_kernel selftests "${shared_scripts[@]}"
for name in "${own_scripts[@]}"; do
	own_guest $script_kernel "$name" "${more[@]}"
done
[ $script_kernel = debug ] || guest next selftests load_unload.sh

echo
echo "$passed passed, $failed failed, $skipped skipped"
[ $failed -eq 0 ] && [ $passed -gt 0 ]
