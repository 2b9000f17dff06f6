#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# check.sh: what can be said of the sources without running them.  One line for
# each check; details follow a check that fails.

# shellcheck source-path=SCRIPTDIR
. "$(dirname "$0")/lib.sh"

need_packages "${build_packages[@]}" perl python3 python3-docutils shellcheck sparse
source=$("$vm/kernel.sh" source)
stock=$("$vm/kernel.sh" stock)
next=$("$vm/kernel.sh" next)
uml=$("$vm/kernel.sh" uml)
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
		[ -z "$out" ] || printf '        %s\n' "${out//$'\n'/$'\n        '}" | sed -n 1,60p
		failed=$((failed + 1))
	fi
}

# build KERNEL WHAT...: the compiler's warnings, and sparse's, from a build from
# nothing, as both only speak of what they compile.  Kbuild goes on without a
# sparse that it can't use, which would look like success.
build() {
	local kernel=$1 copy=$work/${1##*/} status=0
	shift
	build_modules "$kernel" "$copy" -s "$@" >"$work/log" 2>&1 || status=1
	sed -i "s|$copy/||g" "$work/log"
	if [ $status -ne 0 ]; then
		cat "$work/log"
		return 1
	fi
	! grep -E 'warning|error|sparse is not available' "$work/log"
}

# absent PATTERN FILE...: a rule on what may stand where.
absent() {
	local pattern=$1
	shift
	! grep -nE "$pattern" "$@" /dev/null
}

# Not asked: what is about a kernel that has no older one to support, and a hint
# that every iterator macro gets.
not_asked=LINUX_VERSION_CODE,CONSTANT_COMPARISON,ALLOC_WITH_SIZEOF,MACRO_ARG_REUSE

checkpatch() {
	"$source/scripts/checkpatch.pl" --no-tree --strict --terse --quiet --no-summary \
		--show-types --ignore $not_asked -f "$@"
}

# It takes _Generic()'s colons for labels, and levels for printk()'s in pr_*().
checkpatch_dropin() {
	not_asked+=,SPACING,TABSTOP,INDENTED_LABEL,TRAILING_STATEMENTS,SUSPECT_CODE_INDENT
	not_asked+=,UNNECESSARY_KERN_LEVEL,PREFER_DEV_LEVEL
	checkpatch "$@"
}

# The faults by which the drop-in proofs are seen to fail can still be made.
faults_can_be_made() {
	local fault

	for fault in ctor overlap twice lost; do
		mkdir "$work/$fault"
		cp ./*.c "$work/$fault/"
		selftests/dropin/broken.sh "$work/$fault" "$fault"
	done
}

client_includes() {
	! grep -n '#include "' selftests/client/*.[ch] | grep -v '"mpslab\.h"'
}

kernel_doc() {
	"$source/scripts/kernel-doc" -none -Wall "$@"
}

# documents FILE...: do tables and the like hold together?  Roles are Sphinx's.
documents() {
	local file
	for file; do
		rst2html --report=2 "$file" 2>&1 >/dev/null
	done | grep -E '\((WARNING|ERROR|SEVERE)/' | grep -v 'Unknown interpreted text role' || :
}

cd "$top"
mapfile -t all < <(find . -name '*.[ch]' ! -name '*.mod.c' -printf '%P\n' | sort)
mapfile -t others < <(printf '%s\n' "${all[@]}" | grep -v '^mpslab_dropin')
mapfile -t unversioned < <(printf '%s\n' "${all[@]}" | grep -vx compat.h)
mapfile -t core < <(find . -maxdepth 1 -name '*.[ch]' ! -name '*.mod.c' -printf '%P\n' | sort)
mapfile -t scripts < <(find selftests models .ci -name '*.sh' -o -name init -o -path .ci/run | sort)

check "checkpatch --strict" checkpatch "${others[@]}"
check "checkpatch of the drop-in headers" checkpatch_dropin mpslab_dropin*.h
for kernel in "$stock" "$next" "$uml"; do
	check "drop-in header: ${kernel##*/}" selftests/dropin/probe.sh "$kernel"
done
check "drop-in header: the table of names" selftests/dropin/coverage.sh --check
check "drop-in proofs: the faults that they find" faults_can_be_made
check "stock kernel: gcc W=1, sparse" build "$stock" W=1 C=2
check "newer kernel: gcc W=1, sparse" build "$next" W=1 C=2
# Debian 12's sparse is too old for this one.
check "UML with KUnit: gcc W=1" build "$uml" W=1
check "kernel-doc" kernel_doc "${all[@]}"
check "documents" documents Documentation/*.rst
check "core includes no test" absent '#include ".*kunit' "${core[@]}"
check "the slab never calls the pool" absent 'mpslab_pool_' slab_*.c array_cache.h
check "the pool uses the slab by its contract" absent '#include "array_cache' mempool_*.c
check "version checks are in compat.h alone" absent 'LINUX_VERSION_CODE|KERNEL_VERSION' \
	"${unversioned[@]}"
check "a client includes mpslab.h alone" client_includes
check "shellcheck" shellcheck -x -P SCRIPTDIR "${scripts[@]}"

[ $failed -eq 0 ]
