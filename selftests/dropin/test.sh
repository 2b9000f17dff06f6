#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# test.sh [PROOF...]: run code that nobody here wrote on mpslab: the distribution's
# own sources of a kernel, unmodified, built with mpslab_dropin.h, in a guest with that
# kernel: the stock one, or, with KERNEL_KIND=dropin, the newest with KASAN, lockdep
# and kmemleak.  All proofs, or those named:
#
#   xfs		the file system, within a memory cgroup
#   md		drivers/md: dm-crypt, thin, snapshot, integrity, raid1, raid5
#   meminit	lib/test_meminit.c, with init_on_alloc 0 and 1; stock only
#   bridge	net/bridge, between network namespaces
#
#   broken	not a proof, but whether one can fail: XFS on mpslab with each of the
#		faults of broken.sh, or those in FAULTS=; stock only

# shellcheck source-path=SCRIPTDIR
. "$(dirname "$0")/../vm/lib.sh"

dropin=$top/selftests/dropin
kernel_name=${KERNEL_KIND:-stock}
# The proofs, and what the guests are given.
case $kernel_name in
stock)	proofs=(meminit xfs md bridge broken) source_name=source-6.1 guest=(mem=1536 limit=1200) ;;
dropin)	proofs=(xfs md bridge) source_name=source guest=(mem=3072 limit=3600) ;;
*)	die "dropin: KERNEL_KIND= is stock or dropin, not $kernel_name" ;;
esac
[ $# -eq 0 ] || proofs=("$@")

# The directory of a source tree that has a proof's modules, and what kbuild is told.
declare -A directory=([xfs]=fs/xfs [md]=drivers/md [meminit]=lib [bridge]=net/bridge)
# For a directory of which only one file is a proof.
declare -A only=([meminit]=test_meminit.c)
# With which values of init_on_alloc, if not with the distribution's.
declare -A inits=([meminit]="0 1")
declare -A options=([md]=CONFIG_BCACHE=n [bridge]=CONFIG_NETFILTER=n)
# Modules of the kernel's that may be needed beside, as paths below kernel/.
beside=(drivers/block/brd.ko fs/exportfs lib crypto arch/x86/crypto drivers/net/veth.ko net/802 net/llc)

need_packages "${build_packages[@]}" "${boot_packages[@]}" binutils kmod
kernel=$("$vm/kernel.sh" "$kernel_name")
source=$("$vm/kernel.sh" $source_name)
tools=$("$dropin/tools.sh")
key=$(basename "$(realpath "$kernel")")-$(cksum <<<"$top" | cut -d ' ' -f 1)
built=$cache/dropin/$key
mpslab=$cache/modules/$key	# as in vm.sh
runs=$(new_run)

build_mpslab() {
	build_modules "$kernel" "$mpslab"
}

# The modules of a kernel that was built here, as a package has them.
install_modules() {
	make -C "$kernel/build" INSTALL_MOD_PATH="$built/kernel" INSTALL_MOD_STRIP=1 modules_install
}

# build_broken FAULT
build_broken() {
	local dir=$built/broken-$1

	rm -rf "$dir"
	mkdir -p "$dir"
	cp "$top"/*.[ch] "$top/Kbuild" "$dir/"
	"$dropin/broken.sh" "$dir" "$1"
	make -C "$kernel/build" M="$dir" -j"$(nproc)" modules
}

# build_proof PROOF OPTION...: its sources, copied out of the package's.
build_proof() {
	local proof=$1 dir=${directory[$1]} file=${only[$1]:-} to=$built/${directory[$1]} form
	shift
	mkdir -p "$to" "$to-stock" "$built/include/trace/events"
	if [ -z "$file" ]; then
		cp -ru "$source/$dir/." "$to/"
	else
		# With what makes a module of it.  The distribution does not build it, so
		# the other form is made as well.
		for form in "$to" "$to-stock"; do
			cp -u "$source/$dir/$file" "$dropin/$proof"/* "$form/"
		done
		make -C "$kernel/build" M="$to-stock" modules
	fi
	KDIR=$kernel/build MPSLAB=$mpslab "$dropin/dropin.sh" "$to" "$@"
}

# needs DIR: the modules that those in DIR depend on and that are not there.
needs() {
	find "$1" -name '*.ko' -exec /sbin/modinfo -F depends {} + | tr ',' '\n' | grep -vx mpslab | sort -u |
		while IFS= read -r module; do
			[ -z "$module" ] || [ -e "$1/$module.ko" ] || echo "$module"
		done
}

# What the guest gets: tools, the kernel's modules, the proof's in both forms.
make_overlay() {
	local overlay=$1 proof=$2 dir=${directory[$2]} ko lib=$1/lib/modules/$release

	mkdir -p "$overlay"/{tools,selftests,dropin,stock,lib64,sbin} "$lib/kernel"
	cp -r "$tools/." "$overlay/tools/"
	# The kernel itself calls this one by its full name.
	ln -s /bin/busybox "$overlay/sbin/modprobe"
	ln -s /tools/lib/ld-linux-x86-64.so.2 "$overlay/lib64/"
	cp "$dropin"/guest/*.sh "$overlay/selftests/"
	for ko in "${beside[@]}"; do
		[ -e "$stock/kernel/$ko" ] || continue
		mkdir -p "$lib/kernel/$(dirname "$ko")"
		cp -r "$stock/kernel/$ko" "$lib/kernel/$(dirname "$ko")/"
	done
	find -L "$built/$dir" -name '*.ko' | while IFS= read -r ko; do
		strip --strip-debug -o "$overlay/dropin/${ko##*/}" "$ko"
		find "$stock/kernel/$dir" "$built/$dir-stock" -name "${ko##*/}" \
			-exec cp {} "$overlay/stock/" \;
	done
	needs "$overlay/dropin" >"$overlay/dropin/needs"
	cp "$stock"/modules.{order,builtin} "$lib/"
	: >"$lib/modules.builtin.modinfo"
	/sbin/depmod -b "$overlay" "$release"
}

# Of what a guest printed, the tables and the results.
show() {
	[ ! -s "$1/output" ] ||
		sed -n 's/^ *# /  # /p; s/^ *\(not \)\{0,1\}ok [0-9]/  &/p' "$1/output"
}

# run PROOF NAME [OPTION...]: in a guest; NAME is of the directory with what it left.
# The kernel checks its timer against the clock of the host, which may be busy.
run() {
	local proof=$1 name=$2 status=0
	shift 2
	"$vm/vm.sh" "$kernel_name" selftests run="$runs/$name" overlay="$runs/overlay" append=no_timer_check \
		"$@" "dropin_$proof.sh" >"$runs/$name.verdict" || status=1
	return $status
}

# prove PROOF: build it, and try it.
prove() {
	local proof=$1 init extra status=0

	read -ra extra <<<"${options[$proof]:-}"
	progress "building $proof on mpslab" "$runs/build-$proof" \
		build_proof "$proof" "${extra[@]}"
	sed -n '/\.ko:$/,$p' "$runs/build-$proof"
	make_overlay "$runs/overlay" "$proof"
	for init in ${inits[$proof]:-1}; do
		echo "$proof on mpslab, $release, init_on_alloc=$init:"
		run "$proof" "$proof-$init" append="init_on_alloc=$init" "${guest[@]}" || status=1
		cat "$runs/$proof-$init.verdict"
		show "$runs/$proof-$init"
	done
	rm -rf "$runs/overlay"
	return $status
}

# A build of mpslab with a fault must not pass; what told is printed.
break_it() {
	local fault missed=0

	progress "building xfs on mpslab" "$runs/build-xfs" build_proof xfs
	make_overlay "$runs/overlay" xfs
	mkdir -p "$runs/overlay/mods"
	for fault in ${FAULTS:-ctor overlap twice lost}; do
		progress "breaking mpslab: $fault" "$runs/break-$fault" build_broken "$fault"
		strip --strip-debug -o "$runs/overlay/mods/mpslab.ko" \
			"$built/broken-$fault/mpslab.ko"
		if run xfs "broken-$fault" "${guest[@]}"; then
			echo "not caught: $fault"
			missed=$((missed + 1))
		elif ! grep -qs ' ok 2 the load on the kernel' "$runs/broken-$fault/output"; then
			echo "not tried: $fault, as the guest did not come that far"
			missed=$((missed + 1))
		elif grep -q 'the guest was ended after' "$runs/broken-$fault.verdict"; then
			echo "not known: $fault, as the guest was too slow"
			missed=$((missed + 1))
		else
			echo "caught: $fault, by:"
			sed -n 's/^ *\(not ok [0-9]\)/  \1/p' "$runs/broken-$fault/output"
			sed -n 's/^ *# \(still there\|wrong\)/  \1/p' "$runs/broken-$fault/output" |
				sed 3q
			sed 's/^/  /' "$runs/broken-$fault/complaints" | sed 1q
			sed -n 's/^\(.*mpslab: BUG.*\)/  \1/p' "$runs/broken-$fault/console" | sed 3q
		fi
	done
	rm -rf "$runs/overlay"
	return $((missed > 0))
}

lock "modules-$key"
progress "building mpslab" "$runs/build-mpslab" build_mpslab
installed=$kernel
[ -d "$installed/lib/modules" ] || {
	installed=$built/kernel
	progress "installing the kernel's modules" "$runs/install" install_modules
}
exec 9>&-
stock=$(find "$installed/lib/modules" -mindepth 1 -maxdepth 1)
release=${stock##*/}
failed=0
for proof in "${proofs[@]}"; do
	if [ "$proof" = broken ]; then
		break_it || failed=$((failed + 1))
	elif [ -n "${directory[$proof]:-}" ]; then
		prove "$proof" || failed=$((failed + 1))
	else
		die "dropin: no proof $proof"
	fi
done
[ $failed -eq 0 ]
