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
#   debug   x86_64 with KASAN, lockdep and kmemleak, for QEMU
#   hard    x86_64 with those options of the distribution's newest kernel that an
#           allocator feels, to compare with its SLUB
#   slab    the same of the stock kernel, but with SLAB, its last with a choice
#   source  the newest source tree, which these are built from, and checkpatch's
#   source-6.1   that of `slab`

# shellcheck source-path=SCRIPTDIR
. "$(dirname "$0")/lib.sh"

# The suite whose linux-source has SMP in User Mode Linux (6.19 and newer).
source_suite=${MPSLAB_SOURCE_SUITE:-trixie-backports}

# A directory counts once .complete is in it, written last: a kernel's build tree
# holds its own path, so that it can't be made elsewhere and then renamed.  What
# an interrupted run left is made again.
cached() {
	local mark
	mark=$(find "$cache" -maxdepth 2 -path "$cache/$1/.complete" 2>/dev/null |
		sort -V | tail -n 1)
	[ -n "$mark" ] && dirname "$mark"
}

complete() {
	touch "$1/.complete"
	printf '%s\n' "$1"
}

# private_apt NAME [SOURCES]: from here on, apt works in a directory of its own,
# which needs no root, with lists of today, from the sources given or else from
# the machine's.  Lists of packages' contents, which apt-file asks for, are large.
private_apt() {
	local apt=$cache/apt-$1

	rm -rf "$apt"
	mkdir -p "$apt/lists/partial" "$apt/cache/archives/partial"
	: >"$apt/status"
	cat >"$apt/conf" <<-END
		Dir::State "$apt";
		Dir::State::status "$apt/status";
		Dir::Cache "$apt/cache";
		Acquire::Retries "3";
		Acquire::IndexTargets::deb::Contents-deb::DefaultEnabled "false";
		Acquire::IndexTargets::deb::Contents-deb-legacy::DefaultEnabled "false";
	END
	if [ -n "${2:-}" ]; then
		printf '%s\n' "$2" >"$apt/sources.list"
		cat >>"$apt/conf" <<-END
			Dir::Etc::sourcelist "$apt/sources.list";
			Dir::Etc::sourceparts "-";
		END
	fi
	export APT_CONFIG=$apt/conf
	progress "reading package lists" "$cache/log/apt-$1" apt-get -q update
}

# download DIR PACKAGE...: unpack packages, without installing them.
download() {
	local dir=$1 deb
	shift
	rm -rf "$dir"
	mkdir -p "$dir/deb"
	(cd "$dir/deb" && progress "downloading $*" "$cache/log/download" apt-get -q download "$@")
	for deb in "$dir"/deb/*.deb; do
		dpkg-deb -x "$deb" "$dir"
	done
	rm -r "$dir/deb"
}

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

	# All but this one reference between the packages is relative.
	sed -i "s|/usr/src/|$dir&|" "$dir/usr/src/$headers/Makefile"
	ln -s "boot/vmlinuz-$release" "$dir/image"
	ln -s "usr/src/$headers" "$dir/build"
	complete "$dir"
}

# Newer sources are in a newer suite, of the site that this machine uses anyway.
newer_source() {
	local keyring=/usr/share/keyrings/debian-archive-keyring.gpg site package dir

	cached 'source-*' && return
	lock source
	cached 'source-*' && return
	need_packages "${build_packages[@]}" debian-archive-keyring
	private_apt source
	# shellcheck disable=SC2016 # apt expands it
	site=$(apt-get indextargets --format '$(SITE)' \
		'Created-By: Packages' 'Origin: Debian' 'Label: Debian' | sed -n 1p)
	[ -n "$site" ] || die "apt uses no site of Debian here"
	private_apt source "deb [signed-by=$keyring] $site $source_suite main"
	package=$(apt-cache pkgnames linux-source- | grep -x 'linux-source-[0-9.]*' |
		sort -V | tail -n 1)
	[ -n "$package" ] || die "no linux-source in $source_suite"

	unpack_source "$package" "$cache/source-${package#linux-source-}"
}

# 6.1's is in the machine's own suite.
old_source() {
	cached old-source-6.1 && return
	lock old-source
	cached old-source-6.1 && return
	need_packages "${build_packages[@]}"
	private_apt old-source
	unpack_source linux-source-6.1 "$cache/old-source-6.1"
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

# build_kernel NAME SOURCE CONFIG... -- ARCH IMAGE TARGET...
build_kernel() {
	local name=$1 source=$2 configs=() arch image key dir lost
	shift 2
	while [ "$1" != -- ]; do
		configs+=("$vm/$1.config")
		shift
	done
	arch=$2 image=$3
	shift 3

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
	make -s -C "$source" O="$dir" ARCH="$arch" KCONFIG_ALLCONFIG="$dir/wanted" allnoconfig >&2
	lost=$(grep '^CONFIG_' "$dir/wanted" | grep -vxFf "$dir/.config") || :
	[ -z "$lost" ] || die "$name.config: not taken by this kernel: ${lost//$'\n'/ }"
	progress "building the $name kernel (some minutes, once)" "$cache/log/build-$name" \
		make -C "$source" O="$dir" ARCH="$arch" -j"$(nproc)" "$@"
	ln -s "$image" "$dir/image"
	ln -s . "$dir/build"
	complete "$dir"
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
uml)
	if [ -n "${UML:-}" ]; then
		users_kernel uml "$UML/linux" "$UML"
	else
		build_kernel uml source uml -- um linux
	fi
	;;
native)	build_kernel native source native -- um linux ;;
debug)	build_kernel debug source debug -- x86_64 arch/x86/boot/bzImage bzImage modules ;;
hard)	build_kernel hard source distro hard -- x86_64 arch/x86/boot/bzImage bzImage modules ;;
slab)	build_kernel slab source-6.1 distro slab -- x86_64 arch/x86/boot/bzImage bzImage modules ;;
source)	newer_source ;;
source-6.1)	old_source ;;
*)	sed -n 's/^# \{0,1\}//; 4,16p' "$0" >&2; exit 2 ;;
esac
