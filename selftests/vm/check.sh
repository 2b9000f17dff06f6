#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# check.sh: what can be said of the sources without running them.  One line for
# each check; details follow a check that fails.

# shellcheck source-path=SCRIPTDIR
. "$(dirname "$0")/lib.sh"

need_packages "${build_packages[@]}" git perl python3 shellcheck sparse
source=$("$vm/kernel.sh" source)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
failed=0

# check WHAT COMMAND...: good is what succeeds and prints nothing.
check() {
	local what=$1 out status=0
	shift
	out=$("$@" 2>&1) || status=$?
	if [ $status -eq 0 ] && [ -z "$out" ]; then
		echo "ok    $what"
	else
		echo "FAIL  $what"
		[ -z "$out" ] || printf '        %s\n' "${out//$'\n'/$'\n        '}" | head -n 60
		failed=$((failed + 1))
	fi
}

# gcc's and sparse's warnings; a build from nothing, as both only speak when
# they compile.  Debian has no vmlinux to make BTF from.
build() {
	local kernel
	kernel=$("$vm/kernel.sh" "$1") || return
	if ! build_modules "$kernel" "$work/$1" W=1 C=2 >"$work/$1.log" 2>&1; then
		cat "$work/$1.log"
		return 1
	fi
	grep -E 'warning|error' "$work/$1.log" || :
}

# absent PATTERN FILE...: a rule on what may stand where.
absent() {
	local pattern=$1
	shift
	! grep -nE "$pattern" "$@" /dev/null
}

# Ignored: one maintainer list is no matter outside the kernel, and a version
# check is what compat.h is for.
checkpatch() {
	"$source/scripts/checkpatch.pl" --no-tree --strict --terse --quiet --no-summary \
		--show-types --ignore FILE_PATH_CHANGES,LINUX_VERSION_CODE -f "$@"
}

kernel_doc() {
	"$source/scripts/kernel-doc" -none -Wall "$@"
}

cd "$top"
mapfile -t all < <(find . -name '*.[ch]' ! -name '*.mod.c' -printf '%P\n' | sort)
mapfile -t unversioned < <(printf '%s\n' "${all[@]}" | grep -vx compat.h)
mapfile -t core < <(find . -maxdepth 1 -name '*.[ch]' ! -name '*.mod.c' -printf '%P\n' | sort)
mapfile -t scripts < <(find selftests .ci -name '*.sh' -o -name init -o -path .ci/run | sort)

check "checkpatch --strict" checkpatch "${all[@]}"
check "stock kernel: gcc W=1, sparse" build stock
check "newer kernel: gcc W=1, sparse" build next
check "UML with KUnit: gcc W=1, sparse" build uml
check "kernel-doc" kernel_doc "${all[@]}"
check "core includes no test" absent '#include.*kunit' "${core[@]}"
check "the slab never calls the pool" absent 'mpslab_pool_' slab_*.c array_cache.h
check "the pool uses the slab by its contract" absent '#include "array_cache' mempool_core.c
check "version checks are in compat.h alone" absent 'LINUX_VERSION_CODE|KERNEL_VERSION' \
	"${unversioned[@]}"
check "a client includes mpslab.h alone" absent '#include "' \
	<(sed '/#include "mpslab.h"/d' selftests/client/*.c)
check "shellcheck" shellcheck -x "${scripts[@]}"

[ $failed -eq 0 ]
