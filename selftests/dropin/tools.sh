#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# tools.sh: get the programs that the guests' scripts call, with the libraries that
# these need, into the cache, unless they are there, and print their directory.

# shellcheck source-path=SCRIPTDIR
. "$(dirname "$0")/../vm/lib.sh"
# shellcheck source-path=SCRIPTDIR/../vm
. "$vm/apt.sh"

programs=(fio mkfs.xfs xfs_repair dmsetup mdadm ip bridge)
packages=(fio xfsprogs dmsetup mdadm iproute2)

# install_program ROOT FILE DIR: one of the unpacked files, and what it needs.
install_program() {
	local root=$1 file=$2 dir=$3 lib

	cp -L "$file" "$dir/"
	readelf -d "$file" | sed -n 's/.*(NEEDED).*\[\(.*\)\]/\1/p' | while IFS= read -r lib; do
		[ ! -e "$out/lib/$lib" ] || continue
		file=$(find "$root" -name "$lib" -path '*lib*' | sed -n 1p)
		[ -n "$file" ] || die "tools: no $lib"
		install_program "$root" "$file" "$out/lib"
	done
}

cached dropin-tools-1 && exit
lock dropin-tools
cached dropin-tools-1 && exit
need_packages binutils
private_apt dropin-tools
out=$cache/dropin-tools-1
rm -rf "$out"
mkdir -p "$out/lib" "$out/unpacked"
# With no package installed there, apt fetches all that they depend on.
progress "downloading ${packages[*]}" "$cache/log/download" \
	apt-get -qy --no-install-recommends --download-only install "${packages[@]}"
for deb in "$cache"/apt-dropin-tools/cache/archives/*.deb; do
	dpkg-deb -x "$deb" "$out/unpacked"
done
for program in "${programs[@]}"; do
	file=$(find "$out/unpacked" -path "*bin/$program" | sed -n 1p)
	[ -n "$file" ] || die "tools: no $program"
	install_program "$out/unpacked" "$(realpath "$file")" "$out"
done
cp -L "$out"/unpacked/lib64/ld-linux-x86-64.so.2 "$out/lib/"
rm -r "$out/unpacked" "$cache/apt-dropin-tools/cache"
complete "$out"
