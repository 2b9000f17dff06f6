#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# probe.sh KERNEL-DIRECTORY: does mpslab_dropin.h take over what a driver may use, on
# that kernel, without a warning; and is refused what it cannot make work?

# shellcheck source-path=SCRIPTDIR
. "$(dirname "$0")/../vm/lib.sh"

build=$1/build
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cp "$top"/selftests/dropin/probe/* "$work/"
flags=()
! grep -qs '^CONFIG_UML=y' "$build/.config" || flags=(ARCH=um)
headers=$build
[ ! -e "$build/source" ] || headers=$build/source
# A struct of arguments: 6.12 and newer.
args=
! grep -rqs 'struct kmem_cache_args {' "$headers/include/linux/slab.h" \
	"$headers"/../linux-headers-*-common/include/linux/slab.h || args=-DPROBE_ARGS

# compile OBJECT [FLAG...]
compile() {
	local object=$1
	shift
	rm -f "$work/$object"
	make -s -C "$build" M="$work" "${flags[@]}" W=1 \
		KCFLAGS="-I$top -include $top/mpslab_dropin.h $args $*" "$object"
}

# A string of a message, with or without its prefix, is in the object.
has_string() {
	strings -n 4 "$work/$1" >"$work/strings"
	grep -qx "$2" "$work/strings" || echo "$1 has no message: $2"
}

for object in dropin_probe.o dropin_probe_debug.o; do
	compile $object >"$work/log" 2>&1 || { cat "$work/log"; exit 1; }
	grep warning "$work/log" || :
done
has_string dropin_probe.o '.*dropin_probe: %u bytes'
has_string dropin_probe.o '.*probe: no %s'
has_string dropin_probe_debug.o '.*devel %d'

for refused in 1 2 3 4; do
	if compile dropin_probe.o "-DREFUSED=$refused" -Wno-unused-function >"$work/log" 2>&1; then
		echo "not refused: number $refused"
	elif ! grep -q 'incompatible pointer type' "$work/log"; then
		cat "$work/log"
	fi
done
