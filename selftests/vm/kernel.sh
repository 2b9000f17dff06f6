#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# kernel.sh NAME: get a kernel into the cache, unless it is there, and print its
# directory, in which `image` boots and `build` is what modules are built against.
#
#   stock   the distribution's cloud kernel, or KERNEL= with the headers in KDIR=
#   next    the newer one that the distribution offers beside it
#   uml     User Mode Linux with two CPUs, for KUnit; or the build tree in UML=
#   native  the same without debug options, for benchmarks
#   rt      the newer one with PREEMPT_RT
#   deb-i386, deb-arm64   the distribution's for these, whatever is its newest
#   debug   x86_64 with KASAN, lockdep and kmemleak, for QEMU; debug-6.1 and
#           debug-6.12 of older sources
#   dropin  as these, with what is tried on mpslab as modules
#   kcsan   x86_64 with KCSAN, strict
#   kmsan   x86_64 with KMSAN, built by clang
#   rt-debug  x86_64 with PREEMPT_RT and lockdep
#   ubsan   x86_64 with UBSAN
#   i386    32-bit x86, with UBSAN
#   arm64   64-bit ARM
#   hard    x86_64 with those options of the distribution's newest kernel that an
#           allocator feels, to compare with its SLUB
#   slab    the same of the stock kernel, but with SLAB, its last with a choice
#   source  the newest source tree, which these are built from, and checkpatch's
#   source-6.1, source-6.12   older ones
#   busybox-i386, busybox-arm64   not a kernel: what their guests run

# shellcheck source-path=SCRIPTDIR
. "$(dirname "$0")/lib.sh"
# shellcheck source-path=SCRIPTDIR
. "$vm/apt.sh"

# The suite whose linux-source has SMP in User Mode Linux (6.19 and newer).
source_suite=${MPSLAB_SOURCE_SUITE:-trixie-backports}

depends() {
	apt-cache depends "$1" | awk -v prefix="$2" \
		'$1 == "Depends:" && index($2, prefix) == 1 { print $2; exit }'
}

# distro_kernel NAME META-PACKAGE
distro_kernel() {
	local name=$1 meta=$2 image release headers dir

	cached "$name-[0-9]*" && return
	lock "$name"
	cached "$name-[0-9]*" && return
	need_packages "${build_packages[@]}"
	private_apt "$name"
	image=$(depends "$meta" linux-image-)
	[ -n "$image" ] || die "apt knows no $meta here"
	release=${image#linux-image-}
	headers=linux-headers-$release
	dir=$cache/$name-$release
	download "$dir" "$image" "$headers" \
		"$(depends "$headers" linux-headers-)" "$(depends "$headers" linux-kbuild-)"

	boot_files "$dir" "$release"
	complete "$dir"
}

# boot_files DIR RELEASE: where the unpacked packages have what others look for.
boot_files() {
	# All but this one reference between the packages is relative.
	sed -i "s|/usr/src/|$1&|" "$1/usr/src/linux-headers-$2/Makefile"
	ln -s "boot/vmlinuz-$2" "$1/image"
	ln -s "usr/src/linux-headers-$2" "$1/build"
}

# foreign_kernel NAME ARCHITECTURE META-PACKAGE: the distribution's, for another
# architecture; what runs on this one when modules are built comes with `stock`.
foreign_kernel() {
	local name=$1 architecture=$2 meta=$3 sources stock image release headers dir

	cached "$name-[0-9]*" && return
	stock=$(env -u KERNEL "$vm/kernel.sh" stock)
	lock "$name"
	cached "$name-[0-9]*" && return
	need_packages "${build_packages[@]}" debian-archive-keyring
	private_apt "$name"
	sources=$(debian_suite -)
	private_apt "$name" "$sources" "$architecture"
	image=$(depends "$meta" linux-image-)
	[ -n "$image" ] || die "apt knows no $meta here"
	release=${image#linux-image-}
	headers=linux-headers-$release
	dir=$cache/$name-$release
	download "$dir" "$image" "$headers" "$(depends "$headers" linux-headers-)"
	mkdir -p "$dir/usr/lib"
	ln -s "$stock"/usr/lib/linux-kbuild-* "$dir/usr/lib/"
	boot_files "$dir" "$release"
	complete "$dir"
}

# Newer sources are in a newer suite.
newer_source() {
	local sources package

	cached 'source-*' && return
	lock source
	cached 'source-*' && return
	need_packages "${build_packages[@]}" debian-archive-keyring
	private_apt source
	sources=$(debian_suite "$source_suite")
	private_apt source "$sources"
	package=$(apt-cache pkgnames linux-source- | grep -x 'linux-source-[0-9.]*' |
		sort -V | tail -n 1)
	[ -n "$package" ] || die "no linux-source in $source_suite"

	unpack_source "$package" "$cache/source-${package#linux-source-}"
}

# old_source VERSION: those of 6.1 and 6.12 are in the machine's own suite.
old_source() {
	cached "old-source-$1" && return
	lock old-source
	cached "old-source-$1" && return
	need_packages "${build_packages[@]}"
	private_apt old-source
	unpack_source "linux-source-$1" "$cache/old-source-$1"
}

# unpack_source PACKAGE DIR
unpack_source() {
	local package=$1 dir=$2

	download "$dir" "$package"
	progress "unpacking $package" "$cache/log/unpack" \
		tar -C "$dir" --strip-components=1 -xf "$dir/usr/src/$package.tar.xz"
	rm -r "$dir/usr/src"
	complete "$dir"
}

# build_kernel NAME SOURCE CONFIG... -- ARCH IMAGE [VARIABLE=VALUE...] TARGET...
build_kernel() {
	local name=$1 source=$2 configs=() variables=() arch image key dir lost
	shift 2
	while [ "$1" != -- ]; do
		configs+=("$vm/$1.config")
		shift
	done
	arch=$2 image=$3
	shift 3
	while [[ ${1:-} = *=* ]]; do
		variables+=("$1")
		shift
	done

	key=$(cat "${configs[@]}" | sha256sum | cut -c 1-12)
	cached "$name-*-$key" && return
	source=$("$vm/kernel.sh" "$source")
	lock "$name"
	cached "$name-*-$key" && return
	need_packages "${build_packages[@]}"
	dir=$cache/$name-$(make -s -C "$source" kernelversion)-$key
	rm -rf "$dir"
	mkdir -p "$dir"
	cat "${configs[@]}" >"$dir/wanted"
	make -s -C "$source" O="$dir" ARCH="$arch" "${variables[@]}" \
		KCONFIG_ALLCONFIG="$dir/wanted" allnoconfig >&2
	lost=$(grep '^CONFIG_' "$dir/wanted" | grep -vxFf "$dir/.config") || :
	[ -z "$lost" ] || die "$name.config: not taken by this kernel: ${lost//$'\n'/ }"
	progress "building the $name kernel (some minutes, once)" "$cache/log/build-$name" \
		make -C "$source" O="$dir" ARCH="$arch" "${variables[@]}" -j"$(nproc)" "$@"
	ln -s "$image" "$dir/image"
	ln -s . "$dir/build"
	complete "$dir"
}

# x86_64_kernel NAME SOURCE CONFIG...: one that is tested in QEMU.
x86_64_kernel() {
	local name=$1 source=$2
	shift 2
	build_kernel "$name" "$source" guest x86_64 "$@" -- x86_64 \
		arch/x86/boot/bzImage bzImage modules
}

# busybox NAME ARCHITECTURE: the distribution's, for a guest of another one.
busybox() {
	local sources

	cached "$1" && return
	lock "$1"
	cached "$1" && return
	need_packages debian-archive-keyring
	private_apt "$1"
	sources=$(debian_suite -)
	private_apt "$1" "$sources" "$2"
	download "$cache/$1" busybox-static
	complete "$cache/$1"
}

# users_kernel NAME IMAGE BUILD: the user's own, in the form of a cached one.
users_kernel() {
	local dir=$cache/own/$1

	mkdir -p "$dir"
	ln -sfn "$(realpath "$2")" "$dir/image"
	ln -sfn "$(realpath "$3")" "$dir/build"
	printf '%s\n' "$dir"
}

case ${1:-} in
stock)
	if [ -n "${KERNEL:-}" ]; then
		[ -n "${KDIR:-}" ] || die "KERNEL= needs KDIR=, the headers of that kernel"
		users_kernel stock "$KERNEL" "$KDIR"
	else
		distro_kernel stock linux-image-cloud-amd64
	fi
	;;
next)	distro_kernel next linux-image-6.12-cloud-amd64 ;;
rt)	distro_kernel rt linux-image-6.12-rt-amd64 ;;
deb-i386)	foreign_kernel deb-i386 i386 linux-image-686-pae ;;
deb-arm64)	foreign_kernel deb-arm64 arm64 linux-image-arm64 ;;
uml)
	if [ -n "${UML:-}" ]; then
		users_kernel uml "$UML/linux" "$UML"
	else
		build_kernel uml source uml -- um linux
	fi
	;;
native)	build_kernel native source native -- um linux ;;
debug)	build_kernel debug source debug -- x86_64 arch/x86/boot/bzImage bzImage modules ;;
debug-6.1)	x86_64_kernel debug-6.1 source-6.1 v6 memory locks ;;
debug-6.12)	x86_64_kernel debug-6.12 source-6.12 v6 memory locks raw ;;
dropin)	x86_64_kernel dropin source v7 memory locks raw dropin ;;
rt-debug)	x86_64_kernel rt-debug source v7 locks raw rt ;;
ubsan)	x86_64_kernel ubsan source v7 ubsan ;;
i386)	build_kernel i386 source guest v7 i386 ubsan -- i386 arch/x86/boot/bzImage bzImage modules ;;
arm64)
	need_packages "${arm64_packages[@]}"
	build_kernel arm64 source guest v7 arm64 -- arm64 arch/arm64/boot/Image \
		CROSS_COMPILE=aarch64-linux-gnu- Image modules
	;;
hard)	build_kernel hard source distro hard -- x86_64 arch/x86/boot/bzImage bzImage modules ;;
kcsan)
	# The kernel itself is not watched: it has races of its own, more than a few
	# by these rules.  Its barriers count, but for those of the vDSO, which is
	# no part of it.
	build_kernel kcsan source guest v7 x86_64 kcsan -- x86_64 arch/x86/boot/bzImage \
		KCSAN_SANITIZE=n KCSAN_INSTRUMENT_BARRIERS=y \
		KCSAN_INSTRUMENT_BARRIERS_v{clock_gettime,getcpu,getrandom}.o=n \
		bzImage modules
	;;
kmsan)
	need_packages "$clang"
	build_kernel kmsan source guest v7 x86_64 kmsan -- x86_64 arch/x86/boot/bzImage \
		CC="$clang" bzImage modules
	;;
slab)	build_kernel slab source-6.1 distro slab -- x86_64 arch/x86/boot/bzImage bzImage modules ;;
source)	newer_source ;;
source-6.1|source-6.12)	old_source "${1#source-}" ;;
busybox-*)	busybox "$1" "${1#busybox-}" ;;
*)	sed -n '4,/^$/s/^# \{0,1\}//p' "$0" >&2; exit 2 ;;
esac
